//! What ends up in a layer's tree.

use super::*;

#[test]
fn a_replaced_member_whose_content_is_held() {
    let old = noise(1, 5000);
    let first = plain(&[file("x", &old)]);
    let members =
        [file("a", &old), file("b", b"twice"), file("b", &old), file("c", b"twice"), file("c", b"new")];
    for second in [plain(&members), zstd_chunked(&members)] {
        let members = [file("a", b"alone"), file("a", b"alone"), file("a", b"last")];
        let third = plain(&members);
        let scene = Scene::new(&[&[first.clone()], &[second.clone()], &[third.clone()]]);
        scene.pull(0);
        scene.pull(1);
        scene.pull(2);
        let read = |path: &str| std::fs::read(scene.tree(&second).join(path)).unwrap();
        assert_eq!((read("a"), read("b"), read("c")), (old.clone(), old.clone(), b"new".to_vec()));
        assert_eq!(std::fs::read(scene.tree(&third).join("a")).unwrap(), b"last");
    }
}

/// A chunk over the limit is lent in pieces, to each of its places in turn.
#[test]
fn a_long_chunk_that_is_a_file_too() {
    let (long, more) = (noise(2, 3 << 20), noise(3, 1000));
    let layer = zstd_chunked(&[file("alone", &long), chunked("longer", &[&long, &more])]);
    let scene = Scene::new(&[&[layer.clone()]]);
    let report = scene.pull(0);
    assert_eq!(report.layers[0].why, None);
    assert!(std::fs::read(scene.tree(&layer).join("alone")).unwrap() == long);
    assert!(std::fs::read(scene.tree(&layer).join("longer")).unwrap() == [long, more].concat());
}
