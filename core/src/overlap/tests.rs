//! Tables of small images, and what must hold of any.

mod changes;
mod generated;
mod hidden;
mod hostile;
mod images;
mod orders;
mod searches;
mod stores;
mod zoo;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use images::{Made, add, overlap, toc, unlocated};

use super::*;
use crate::Toc;

fn id(image: usize) -> ImageId {
    ImageId(number(image))
}

fn logical(cells: &[Vec<Bytes>]) -> Vec<Vec<u64>> {
    cells.iter().map(|row| row.iter().map(|cell| cell.logical).collect()).collect()
}

fn compressed(cells: &[Vec<Bytes>]) -> Vec<Vec<u64>> {
    cells.iter().map(|row| row.iter().map(|cell| cell.compressed).collect()).collect()
}

fn path(overlap: &Overlap, image: usize, node: NodeId) -> String {
    overlap.path(id(image), node).unwrap().as_bytes().escape_ascii().to_string()
}

/// One line a path: bytes shared, unique, partly (of these shared), wasted; `*` for one that is gone.
fn show(overlap: &Overlap, image: usize, measure: Measure) -> Vec<String> {
    let view = overlap.view(id(image), measure).unwrap();
    let line = |node: usize| {
        let gone = if view.gone[node] { "*" } else { "" };
        let (shared, unique) = (view.shared[node], view.unique[node]);
        let (partly, of_it, wasted) = (view.partly[node], view.partly_shared[node], view.wasted[node]);
        let path = path(overlap, image, NodeId(number(node)));
        format!("{gone}{path} {shared} {unique} {partly}({of_it}) {wasted} in {}", view.files[node])
    };
    (0..view.parents.len()).map(line).collect()
}

#[test]
fn what_two_images_share() {
    let overlap = overlap(&[
        &[&["f a one", "f b two", "f c one", "f z -"]],
        &[&["f x one", "f y three,two", "f z -"]],
        &[&["f p three", "l q one"]],
    ]);
    let matrix = overlap.matrix();
    assert_eq!(logical(&matrix.files), [[6, 3, 0], [3, 11, 0], [0, 0, 5]]);
    assert_eq!(logical(&matrix.chunks), [[6, 6, 0], [6, 11, 5], [0, 5, 5]]);
    assert_eq!(compressed(&matrix.files), [[14, 7, 0], [7, 25, 0], [0, 0, 11]]);
    assert_eq!(compressed(&matrix.chunks), [[14, 14, 0], [14, 25, 11], [0, 11, 11]]);
    let Summary { images, shared_by, distinct, distinct_chunks } = overlap.summary();
    let amount =
        |count, logical, compressed| Amount { count, bytes: Bytes { logical, compressed, unlocated: 0 } };
    assert_eq!(distinct, amount(4, 3 + 3 + 8 + 5, 7 + 7 + 18 + 11));
    assert_eq!(distinct_chunks, amount(3, 11, 25));
    let by = |images, files, chunks| SharedBy { images, files, chunks };
    assert_eq!(
        shared_by,
        [
            by(1, amount(3, 16, 36), amount(0, 0, 0)),
            by(2, amount(1, 3, 7), amount(3, 11, 25)),
            by(3, amount(0, 0, 0), amount(0, 0, 0)),
        ]
    );
    assert_eq!(images[0].files, amount(3, 9, 21));
    assert_eq!(images[0].distinct, amount(2, 6, 14));
    assert_eq!(images[0].duplicates, amount(1, 3, 7));
    assert_eq!(images[0].unique, amount(1, 3, 7));
    assert_eq!(images[0].shared, amount(1, 3, 7));
    assert_eq!(images[0].unique_chunks, amount(0, 0, 0));
    assert_eq!(images[1].distinct, amount(2, 11, 25));
    assert_eq!(images[1].unique, amount(1, 8, 18));
    assert_eq!(images[1].distinct_chunks, amount(3, 11, 25));
    assert_eq!(
        show(&overlap, 1, Measure::Logical),
        [" 3 0 8(8) 0 in 2", "x 3 0 0(0) 0 in 1", "y 0 0 8(8) 0 in 1", "z 0 0 0(0) 0 in 0",]
    );
    assert_eq!(show(&overlap, 1, Measure::Compressed)[0], " 7 0 18(18) 0 in 2");
}

#[test]
fn holes_cost_nothing() {
    let overlap = overlap(&[&[&["f a one,01000", "f b 0500"]], &[&["f x 07,one", "f y 0500"]]]);
    let matrix = overlap.matrix();
    assert_eq!(logical(&matrix.files), [[3, 0], [0, 3]]);
    assert_eq!(logical(&matrix.chunks), [[3, 3], [3, 3]]);
    let images = overlap.summary().images;
    assert_eq!((images[0].hole_bytes, images[1].hole_bytes), (1500, 507));
    assert_eq!(images[0].shared.count, 1, "a file of nothing but holes is a content");
    assert_eq!(images[0].shared_chunks.count, 1, "but has no chunks");
}

#[test]
fn frames_that_are_not_known_are_not_guessed() {
    let mut overlap = Overlap::new();
    let whole = Made { toc: unlocated(&["f a one", "f b three,two"]), ..Made::of(&[]) };
    add(&mut overlap, "whole", &[whole, Made::of(&["f c four"])]).unwrap();
    add(&mut overlap, "by file", &[Made::of(&["f a one"])]).unwrap();
    let [first, second] = [0, 1].map(|image| overlap.matrix().files[image][1 - image]);
    assert_eq!(first, Bytes { logical: 3, compressed: 0, unlocated: 3 });
    assert_eq!(first.all_compressed(), None);
    assert_eq!(second, Bytes { logical: 3, compressed: 7, unlocated: 0 });
    assert_eq!(second.all_compressed(), Some(7));
    let summary = overlap.summary();
    assert_eq!(summary.images[0].files.bytes, Bytes { logical: 15, compressed: 9, unlocated: 11 });
    assert!(summary.images[0].layers[0].whole && !summary.images[0].layers[1].whole);
    let view = overlap.view(id(0), Measure::Compressed).unwrap();
    assert_eq!((view.unique[0], view.unlocated), (9, 11));
    assert_eq!(overlap.view(id(0), Measure::Logical).unwrap().unlocated, 0);
}

#[test]
fn who_holds_a_file_holds_its_chunks() {
    let mut overlap = Overlap::new();
    add(&mut overlap, "cut", &[Made::of(&["f a three,two"])]).unwrap();
    // The same bytes, of which this TOC does not know that they are two chunks.
    add(&mut overlap, "not cut", &[Made::of(&["f a threetwo"])]).unwrap();
    let matrix = overlap.matrix();
    assert_eq!(logical(&matrix.files), [[8, 8], [8, 8]]);
    assert_eq!(logical(&matrix.chunks), [[8, 8], [8, 8]]);
    let summary = overlap.summary();
    assert_eq!(summary.images[0].unique_chunks.count, 0);
    assert_eq!(summary.shared_by[0].chunks.count, 0);
}

#[test]
fn a_layer_listed_twice_counts_once() {
    let lines = ["f a one", "f b two"];
    let made = Made { diff_id: Some(Digest::of(b"tar")), ..Made::of(&lines) };
    let gzip = Made { toc: unlocated(&["f x other"]), blob: Some(Digest::of(b"gz")), ..made };
    let mut overlap = Overlap::new();
    let upper = Made::of(&["f .wh.a"]);
    add(&mut overlap, "twice", &[made.clone(), upper.clone(), gzip.clone()]).unwrap();
    add(&mut overlap, "once", &[made, upper]).unwrap();
    add(&mut overlap, "by its blob", &[Made { blob: Some(Digest::of(b"gz")), diff_id: None, ..gzip }])
        .unwrap();
    let summary = overlap.summary();
    assert_eq!(summary.images[0].files.bytes.logical, 6);
    assert_eq!(summary.images[0].blob_bytes, 2000);
    assert_eq!(summary.images[0].layers[2].repeats, Some(0));
    assert_eq!(
        summary.images[0].layers[0].also_in,
        [id(1), id(2)],
        "by its DiffID, and by a blob of that DiffID"
    );
    // Laid over the whiteout it brings back what that removed: nothing is wasted.
    assert_eq!(summary.images[0].wasted.count, 0);
    assert_eq!(
        show(&overlap, 0, Measure::Logical),
        [" 6 0 0(0) 0 in 2", "a 3 0 0(0) 0 in 1", "b 3 0 0(0) 0 in 1",]
    );
    assert_eq!(summary.images[1].wasted.count, 1);
}

#[test]
fn one_digest_with_two_lengths_is_two_contents() {
    let mut overlap = Overlap::new();
    let digest = Digest::of(b"x");
    for size in [1, 2] {
        let json = format!(
            r#"{{"version": 1, "entries": [{{"type": "reg", "name": "a", "size": {size}, "digest": "{digest}"}}]}}"#
        );
        let toc = Toc::from_stored(json.as_bytes(), &Limits::default()).unwrap();
        add(&mut overlap, "", &[Made { toc, ..Made::of(&[]) }]).unwrap();
    }
    assert_eq!(logical(&overlap.matrix().files), [[1, 0], [0, 2]]);
    let holders = overlap.holders(&digest);
    assert_eq!(
        holders.iter().map(|holding| (holding.image, holding.len)).collect::<Vec<_>>(),
        [(id(0), 1), (id(1), 2)]
    );
}

#[test]
fn who_else_has_it() {
    let overlap = overlap(&[
        &[&["f a one", "f b one", "h c a"]],
        &[&["f x three,one,one", "f y two"]],
        &[&["f z one"], &["f .wh.z"]],
    ]);
    let holders = overlap.holders(&Digest::of(b"one"));
    let found: Vec<_> = holders
        .iter()
        .map(|holding| {
            (
                holding.image.index(),
                holding.len,
                holding.files,
                holding.chunks,
                holding.node.map(NodeId::index),
            )
        })
        .collect();
    assert_eq!(found, [(0, 3, 2, 0, Some(1)), (1, 3, 0, 2, Some(1)), (2, 3, 1, 0, None)]);
    assert_eq!(overlap.holders(&Digest::of(b"none")), []);
    let duplicates = overlap.duplicates(id(0), 10);
    assert_eq!(duplicates.len(), 1);
    assert_eq!((duplicates[0].digest, duplicates[0].more.count), (Digest::of(b"one"), 1));
    let paths: Vec<_> = duplicates[0].nodes.iter().map(|node| path(&overlap, 0, *node)).collect();
    assert_eq!(paths, ["a", "b"]);
    assert_eq!(overlap.duplicates(id(0), 0), []);
    let shared = overlap.shared_contents(10);
    assert_eq!(shared.len(), 1);
    assert_eq!((shared[0].digest, shared[0].images, shared[0].first), (Digest::of(b"one"), 2, id(0)));
}

#[test]
fn all_about_a_path() {
    let overlap = overlap(&[
        &[&["d d mode=700", "f d/a one,two uid=7 mtime=9 mode=4755", "h d/b d/a"], &["f d/a three"]],
        &[&["f x two", "f y three"]],
    ]);
    let details = |path: &[u8]| {
        let node = overlap.find(id(0), path).unwrap();
        overlap.details(id(0), node).unwrap()
    };
    let a = details(b"d/a");
    assert_eq!((a.state, a.origin, a.size), (Some(State::Shared), Some((1, 0)), 5));
    assert_eq!(a.also_in, [id(1)]);
    assert_eq!(a.wasted.count, 0, "its other name is still there");
    let b = details(b"d/b");
    assert_eq!((b.state, b.origin, b.uid, b.mode), (Some(State::Partly), Some((0, 1)), 7, 0o4755));
    assert_eq!(b.mtime.seconds, 9);
    let pieces: Vec<_> = b.pieces.iter().map(|piece| (piece.digest, piece.images)).collect();
    assert_eq!(pieces, [(Digest::of(b"one"), 1), (Digest::of(b"two"), 2)]);
    let d = details(b"d");
    assert_eq!((d.kind, d.mode, d.state), (crate::Kind::Directory, 0o700, None));
    let member = |path: &[u8]| details(path).member;
    assert_eq!((member(b"d"), member(b"d/a"), member(b"d/b")), (Some((0, 0)), Some((1, 0)), Some((0, 1))));
    assert_eq!(member(b""), None, "no layer lists the root");
    assert_eq!(overlap.find(id(0), b""), Some(NodeId::ROOT));
    assert_eq!(overlap.find(id(0), b"d/"), overlap.find(id(0), b"/d"));
    for missing in [b"e".as_slice(), b"d/c", b"d/a/x", b"c"] {
        assert_eq!(overlap.find(id(0), missing), None);
    }
    assert_eq!(overlap.find(id(2), b""), None);
}

#[test]
fn json_is_as_documented() {
    let overlap = overlap(&[&[&["f a one"]], &[&["f b one"]]]);
    let matrix = serde_json::to_string(&overlap.matrix()).unwrap();
    let cell = r#"{"logical":3,"compressed":7,"unlocated":0}"#;
    let rows = format!("[[{cell},{cell}],[{cell},{cell}]]");
    assert_eq!(matrix, format!(r#"{{"files":{rows},"chunks":{rows}}}"#));
    let by = serde_json::to_string(&overlap.summary().shared_by[1]).unwrap();
    let amount = r#"{"count":1,"logical":3,"compressed":7,"unlocated":0}"#;
    assert_eq!(by, format!(r#"{{"images":2,"files":{amount},"chunks":{amount}}}"#));
    let diff = overlap.diff(id(0), id(1)).unwrap();
    let change = serde_json::to_value(diff.changes[0]).unwrap();
    assert_eq!(
        (&change["changed"], &change["old"], &change["new"]),
        (&"renamed".into(), &1.into(), &1.into())
    );
}

#[test]
fn no_images_and_empty_ones() {
    let mut overlap = Overlap::new();
    assert!(overlap.is_empty());
    assert_eq!(overlap.summary(), Summary::default());
    assert_eq!(overlap.matrix(), Matrix::default());
    assert_eq!(overlap.pull_order().steps, []);
    assert_eq!(overlap.view(id(0), Measure::Logical), None);
    assert_eq!(overlap.diff(id(0), id(0)), None);
    add(&mut overlap, "empty", &[]).unwrap();
    assert_eq!(overlap.nodes(id(0)), 1);
    assert_eq!(overlap.label(id(0)), Some("empty"));
    assert_eq!(overlap.diff(id(0), id(0)).unwrap().summary.same.count, 1, "the root");
    assert_eq!(overlap.diff(id(0), id(1)), None);
    assert_eq!(overlap.path(id(0), NodeId(1)), None);
}

#[test]
fn an_image_that_is_refused_leaves_nothing() {
    let mut overlap = overlap(&[&[&["f a one"]]]);
    let before = overlap.summary();
    let bad =
        [Made { diff_id: Some(Digest::of(b"d")), ..Made::of(&["f b one"]) }, Made::of(&["f a x", "f a/b y"])];
    let refused = add(&mut overlap, "bad", &bad).unwrap_err();
    assert!(matches!(refused, OverlapError::Tree { layer: 1, .. }), "{refused}");
    assert_eq!(refused.to_string(), r#"layer 2: entry 1 "a/b": "a" in its path is not a directory"#);
    assert_eq!((overlap.len(), overlap.summary(), overlap.identities.len()), (1, before, 1));
    assert_eq!(toc(&["f a one"]).entries().len(), 1);
}
