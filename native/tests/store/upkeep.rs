//! Garbage, lost indexes, and pulls that fail.

use super::*;

#[test]
fn gc_removes_a_tree_as_deep_and_long_as_a_call_can_take() {
    let deep = "d/".repeat(900);
    let long = format!("{deep}{}f", format!("{}/", "n".repeat(250)).repeat(9));
    let layer = plain(&[file(&long, b"content"), file("g", b"content")]);
    let scene = Scene::new(&[&[&layer]]);
    scene.pull(0);
    let store = scene.store();
    assert!(store.remove_image(&scene.reference(0).to_string()).unwrap());
    std::fs::write(scene.root().join("images/refs/left.tmp"), "by a pull that was killed").unwrap();
    let collected = store.collect().unwrap();
    assert_eq!((collected.layers, collected.objects), (1, 1));
    assert!(collected.bytes > 0);
    assert!(scene.objects().is_empty());
    for empty in ["trees", "layers", "staging", "images/refs", "images/blobs"] {
        assert_eq!(std::fs::read_dir(scene.root().join(empty)).unwrap().count(), 0, "{empty}");
    }
    scene.pull(0);
}

#[test]
fn gc_keeps_one_merged_segment() {
    let scene = Scene::new(&[&[&plain(&[file("a", b"1")])], &[&plain(&[file("a", b"2")])]]);
    for tag in [0, 1] {
        scene.pull(tag);
        scene.store().collect().unwrap();
        let index = scene.root().join("index");
        let names = std::fs::read_dir(index).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.filter(|name| name.to_str().unwrap().ends_with(".seg")).count(), 1);
    }
}

#[test]
fn a_lost_index_costs_donors_not_the_pull() {
    let content = noise(4, 4000);
    let first = zstd_chunked(&[file("a", &content)]);
    let second = zstd_chunked(&[file("b", &content), file("c", b"more")]);
    for damage in ["merged segment", "layer's segment"] {
        let scene = Scene::new(&[&[&first], &[&second]]);
        scene.pull(0);
        scene.store().collect().unwrap();
        for entry in std::fs::read_dir(scene.root().join("index")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "seg") {
                std::fs::write(path, "nonsense").unwrap();
            }
        }
        if damage == "layer's segment" {
            let path = scene.root().join("layers").join(first.diff_id.to_hex()).join("index");
            std::fs::remove_file(path).unwrap();
        }
        let reused = scene.pull(1).layers[0].reused_bytes;
        assert_eq!(reused, if damage == "merged segment" { 4000 } else { 0 }, "{damage}");
        assert_eq!(std::fs::read(scene.tree(&second).join("b")).unwrap(), content);
    }
}

#[test]
fn a_pull_that_fails_leaves_nothing() {
    let members = [file("a", &noise(7, 4000)), file("b", &noise(8, 4000)), file("c", &noise(9, 9000))];
    let good = zstd_chunked(&members);
    // Another tar than the image says, which shows when everything is in place.
    let (first, second) = (mistaken(good.clone()), mistaken(plain(&members)));
    let scene = Scene::new(&[&[&first], &[&second], &[&spoilt(good.clone())], &[&good]]);
    for tag in [0, 1, 2] {
        assert!(scene.try_pull(tag).unwrap_err().is_refusal(), "{tag}");
        assert_eq!(scene.objects(), [""; 0], "{tag}");
        for empty in ["trees", "layers", "staging", "images/refs", "images/blobs"] {
            assert_eq!(std::fs::read_dir(scene.root().join(empty)).unwrap().count(), 0, "{tag} {empty}");
        }
    }
    scene.pull(3);
    assert_eq!(scene.objects().len(), 3);
}

#[test]
fn what_was_fetched_before_a_donor_proved_bad_is_not_fetched_again() {
    let (held, new) = (file("held", &noise(1, 4000)), file("new", &noise(2, 200_000)));
    let (one, two) = (zstd_chunked(std::slice::from_ref(&held)), zstd_chunked(&[held, new]));
    let scene = Scene::new(&[&[&one], &[&two]]);
    scene.pull(0);
    // Changed in place, and nothing but the content says so.
    let [object] = &scene.objects()[..] else { panic!("one file, one object") };
    let object = scene.root().join("objects").join(object);
    let modified = std::fs::metadata(&object).unwrap().modified().unwrap();
    let mut content = std::fs::read(&object).unwrap();
    content[17] ^= 1;
    std::fs::write(&object, content).unwrap();
    std::fs::File::options().write(true).open(&object).unwrap().set_modified(modified).unwrap();
    let report = scene.pull(1);
    let fetched = report.layers[0].fetched_bytes;
    assert!((200_000..300_000).contains(&fetched), "{report:?}");
    assert_eq!(std::fs::read(scene.tree(&two).join("held")).unwrap(), noise(1, 4000));
    assert_eq!(std::fs::read(scene.tree(&two).join("new")).unwrap(), noise(2, 200_000));
    // What was handed on is held from now on, and nothing else was left behind.
    assert_eq!(scene.objects().len(), 2);
    assert_eq!(std::fs::read_dir(scene.root().join("staging")).unwrap().count(), 0);
}

/// Many at once, of the same image and of one that shares its files: each layer is there once, whole.
#[test]
fn pulls_side_by_side() {
    let shared: Vec<_> = (0..50).map(|i| file(&format!("f{i}"), &noise(i, 3000))).collect();
    let mut more = shared.clone();
    more.push(file("more", &noise(99, 100)));
    let (first, second) = (zstd_chunked(&shared), zstd_chunked(&more));
    let scene = Scene::new(&[&[&first], &[&second, &first]]);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let scene = &scene;
            scope.spawn(move || scene.pull(number % 2));
        }
    });
    for (layer, files) in [(&first, &shared), (&second, &more)] {
        for made in files {
            let read = std::fs::read(scene.tree(layer).join(&made.name)).unwrap();
            assert!(read == made.chunks.concat(), "{}", made.name);
        }
    }
    let store = scene.store();
    store.collect().unwrap();
    for tag in [0, 1] {
        let image = store.image(&scene.reference(tag).to_string()).unwrap().unwrap();
        let target = scene.directory.path().join(tag.to_string());
        shingle::unpack::unpack(&store, &image, &target, LinkMode::Hardlink, true).unwrap();
        assert_eq!(std::fs::read_dir(&target).unwrap().count(), 50 + tag);
    }
}
