//! What later pulls take out of the files of layers that were pulled whole.

use super::*;

const LEN: usize = 3 << 20;

/// A big file, and the same with a word put in and another changed, which moves half of it.
fn versions() -> [Vec<u8>; 2] {
    let old = noise(1, LEN);
    let (head, tail) = old.split_at(LEN / 2);
    let mut new = [head, b"a word", tail].concat();
    new[LEN / 4] ^= 1;
    [old, new]
}

fn converting(mut scene: Scene, convert: bool) -> Scene {
    scene.options.convert = convert;
    scene
}

/// Pulls the image and says how much of its only layer was fetched and how much was here.
#[track_caller]
fn traffic(scene: &Scene, tag: usize) -> (u64, u64) {
    let report = scene.pull(tag);
    let [layer] = &report.layers[..] else { panic!("one layer") };
    assert_eq!(layer.why, None);
    (layer.fetched_bytes, layer.reused_bytes)
}

/// Of a file of 3 MiB all but the chunks around two changes, of 64 KiB on average.
#[track_caller]
fn assert_few((fetched, reused): (u64, u64)) {
    assert!(fetched < 700_000 && reused > 2_500_000, "fetched {fetched}, reused {reused}");
}

#[track_caller]
fn assert_all((fetched, reused): (u64, u64)) {
    assert!(fetched > 3_000_000 && reused == 0, "fetched {fetched}, reused {reused}");
}

fn stored_toc(scene: &Scene, layer: &Layer) -> Vec<u8> {
    std::fs::read(scene.root().join("layers").join(layer.diff_id.to_hex()).join("toc.zst")).unwrap()
}

#[test]
fn a_plain_layer_gives_chunks_when_it_was_asked_to() {
    let [old, new] = versions();
    let second = zstd_chunked(&[dir("d"), cut("d/new", &new)]);
    for how in ["gzip", "zstd", "none"] {
        let first = compressed(&[file("old", &old), file("small", b"content")], how);
        for convert in [false, true] {
            let scene = converting(Scene::new(&[&[&first], &[&second]]), convert);
            let indexed = scene.pull(0).layers[0].chunks_indexed;
            assert_eq!(indexed.is_some(), convert);
            let pulled = traffic(&scene, 1);
            if convert {
                assert!((20..100).contains(&indexed.unwrap()), "{indexed:?}");
                assert_few(pulled);
            } else {
                assert_all(pulled);
            }
            assert!(std::fs::read(scene.tree(&second).join("d/new")).unwrap() == new, "{how} {convert}");
        }
    }
}

#[test]
fn a_layer_that_is_here_is_indexed_when_it_is_met_again() {
    let [old, new] = versions();
    let first = compressed(&[file("old", &old), file("twin", &old), file("small", b"content")], "gzip");
    let second = zstd_chunked(&[cut("new", &new)]);
    let at_once = converting(Scene::new(&[&[&first]]), true);
    let expected = at_once.pull(0).layers[0].chunks_indexed;
    for merged in [false, true] {
        let mut scene = Scene::new(&[&[&first], &[&second]]);
        scene.pull(0);
        if merged {
            // From now on the layer's rows are looked up elsewhere.
            scene.store().collect().unwrap();
        }
        scene.options.convert = true;
        let report = scene.pull(0);
        assert_eq!((report.layers[0].chunks_indexed, report.layers[0].fetched_bytes), (expected, 0));
        assert!(stored_toc(&scene, &first) == stored_toc(&at_once, &first));
        // That was it.
        assert_eq!(scene.pull(0).layers[0].chunks_indexed, None);
        assert_few(traffic(&scene, 1));
        scene.store().collect().unwrap();
        assert!(std::fs::read(scene.tree(&second).join("new")).unwrap() == new);
    }
}

/// Killed between two renames, or before the first.
#[test]
fn indexing_that_was_cut_off_is_done_again() {
    let [old, new] = versions();
    let first = compressed(&[file("old", &old)], "gzip");
    let second = zstd_chunked(&[cut("new", &new)]);
    let done = converting(Scene::new(&[&[&first]]), true);
    let expected = done.pull(0).layers[0].chunks_indexed;
    let of = |scene: &Scene, name: &str| scene.root().join("layers").join(first.diff_id.to_hex()).join(name);
    for replaced in [&[][..], &["toc.zst"], &["toc.zst", "index"]] {
        let mut scene = Scene::new(&[&[&first], &[&second]]);
        scene.pull(0);
        for name in replaced {
            std::fs::copy(of(&done, name), of(&scene, name)).unwrap();
        }
        std::fs::write(of(&scene, "index.0123.tmp"), "half").unwrap();
        scene.store().collect().unwrap();
        assert!(!of(&scene, "index.0123.tmp").exists());
        scene.options.convert = true;
        assert_eq!(scene.pull(0).layers[0].chunks_indexed, expected, "{replaced:?}");
        for name in ["toc.zst", "index"] {
            assert!(std::fs::read(of(&scene, name)).unwrap() == std::fs::read(of(&done, name)).unwrap());
        }
        assert_few(traffic(&scene, 1));
    }
}

#[test]
fn the_index_knows_chunks_of_files_that_another_layer_brought() {
    let [old, new] = versions();
    let first = compressed(&[file("old", &old)], "gzip");
    let second = compressed(&[file("same", &old), file("more", b"more")], "gzip");
    let third = zstd_chunked(&[cut("new", &new)]);
    let mut scene = Scene::new(&[&[&first], &[&second], &[&third]]);
    scene.pull(0);
    scene.options.convert = true;
    scene.pull(1);
    assert_few(traffic(&scene, 2));
}

#[test]
fn an_object_that_is_something_else_by_now_is_put_away() {
    let [old, new] = versions();
    let other = noise(9, LEN);
    let first = compressed(&[file("old", &old), file("other", &other)], "gzip");
    let second = zstd_chunked(&[cut("new", &new), cut("other", &[&other[..], b"more"].concat())]);
    let mut scene = Scene::new(&[&[&first], &[&second]]);
    scene.pull(0);
    let damaged = scene.tree(&first).join("old");
    let modified = std::fs::metadata(&damaged).unwrap().modified().unwrap();
    let mut content = old;
    content[LEN - 5] ^= 1;
    std::fs::write(&damaged, content).unwrap();
    std::fs::File::options().write(true).open(&damaged).unwrap().set_modified(modified).unwrap();
    scene.options.convert = true;
    let indexed = scene.pull(0).layers[0].chunks_indexed.unwrap();
    assert!((20..70).contains(&indexed), "{indexed}");
    assert_eq!(std::fs::read_dir(scene.root().join("quarantine")).unwrap().count(), 1);
    let (fetched, reused) = traffic(&scene, 1);
    assert!((3_000_000..3_700_000).contains(&fetched) && reused > 2_900_000, "{fetched} {reused}");
    assert!(std::fs::read(scene.tree(&second).join("new")).unwrap() == new);
}

#[test]
fn a_layer_that_was_pulled_by_file_is_left_alone() {
    let [old, _] = versions();
    let layer = zstd_chunked(&[cut("old", &old)]);
    let scene = converting(Scene::new(&[&[&layer]]), true);
    for _ in 0..2 {
        assert_eq!(scene.pull(0).layers[0].chunks_indexed, None);
    }
}
