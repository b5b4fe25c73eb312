//! Layers over layers.

use alloc::vec::Vec;

use super::{build, show};
use crate::Tree;

fn stacked(layers: &[&[&str]]) -> Tree {
    let mut stack = Tree::empty();
    for (number, layer) in (0..).zip(layers) {
        stack.stack(&build(layer).unwrap(), number);
    }
    stack
}

fn assert_stack(what: &str, layers: &[&[&str]], expected: &[&str]) {
    assert_eq!(show(&stacked(layers)), expected, "{what}");
}

#[test]
fn what_overlayfs_shows() {
    assert_stack("nothing", &[], &[]);
    assert_stack("one", &[&["d a", "f a/x"]], &["a/=0", "a/x=1"]);
    assert_stack("side by side", &[&["d a", "f a/x"], &["d a", "f a/y"]], &["a/=1.0", "a/x=1", "a/y=1.1"]);
    assert_stack("metadata from below", &[&["d a", "f a/x"], &["f a/y"]], &["a/=0", "a/x=1", "a/y=1.0"]);
    assert_stack("file over file", &[&["f a"], &["f a"]], &["a=1.0"]);
    assert_stack("file over directory", &[&["d a", "f a/x"], &["f a"]], &["a=1.0"]);
    assert_stack("directory over file", &[&["f a"], &["d a", "f a/x"]], &["a/=1.0", "a/x=1.1"]);
    assert_stack(
        "directory over link",
        &[&["d t", "l a t"], &["d a", "f a/x"]],
        &["a/=1.0", "a/x=1.1", "t/=0"],
    );
    assert_stack("file deleted", &[&["d a", "f a/x", "f a/y"], &["f a/.wh.x"]], &["a/=0", "a/y=2"]);
    assert_stack("directory deleted", &[&["d a", "f a/x", "f b"], &["f .wh.a"]], &["b=2"]);
    assert_stack("nothing deleted", &[&["f b"], &["f .wh.a", "f c/.wh.d"]], &["b=0", "c/-"]);
    assert_stack(
        "opaque",
        &[&["d a", "f a/x"], &["d a", "f a/.wh..wh..opq", "f a/y"]],
        &["a/=1.0", "a/y=1.2"],
    );
    assert_stack("opaque root", &[&["f x"], &["f .wh..wh..opq", "f y"]], &["y=1.1"]);
    assert_stack(
        "deleted, made again",
        &[&["d a", "f a/x"], &["f .wh.a", "d a", "f a/y"]],
        &["a/=1.1", "a/y=1.2"],
    );
    assert_stack("made again above", &[&["f a"], &["f .wh.a"], &["f a"]], &["a=2.0"]);
    assert_stack(
        "made again above, as a directory",
        &[&["d a", "f a/x"], &["f .wh.a"], &["d a", "f a/y"]],
        &["a/=2.0", "a/y=2.1"],
    );
}

#[test]
fn hard_links_stay_together() {
    let stack = stacked(&[&["f a", "h b a"], &["f x", "h d/y x", "f a"]]);
    assert_eq!(show(&stack), ["a=1.2", "b=0", "d/-", "d/y=1.0", "x=1.0"]);
    let mut ids = Vec::new();
    let walked = stack.walk::<()>(|visit| {
        ids.extend((visit.name == b"x" || visit.name == b"y").then_some(visit.id));
        Ok(())
    });
    walked.unwrap();
    assert_eq!(ids[0], ids[1]);
}
