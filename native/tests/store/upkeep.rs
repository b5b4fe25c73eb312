//! Garbage, lost indexes, and pulls that fail.

use super::*;

#[test]
fn gc_removes_a_tree_as_deep_and_long_as_a_call_can_take() {
    let deep = "d/".repeat(900);
    let long = format!("{deep}{}f", format!("{}/", "n".repeat(250)).repeat(9));
    let layer = plain(&[file(&long, b"content"), file("g", b"content")]);
    let scene = Scene::new(&[&[layer.clone()]]);
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
    let scene = Scene::new(&[&[plain(&[file("a", b"1")])], &[plain(&[file("a", b"2")])]]);
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
        let scene = Scene::new(&[&[first.clone()], &[second.clone()]]);
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
