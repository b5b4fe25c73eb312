//! What a store holds, beside images.

use alloc::vec::Vec;

use super::images::{Made, overlap, toc};
use super::{compressed, id, logical};
use crate::overlap::{ImageId, Layer, NodeId, Overlap, Pulled};
use crate::{Class, Digest, HeldChunk, Inventory, Limits};

#[test]
fn a_store_that_has_what_an_image_has_is_a_column_like_it() {
    let lines = [["f a one", "f b two,three"].as_slice(), &["f c one", "f d three"]];
    let mut both = overlap(&[&[lines[0]], &[lines[1]]]);
    let mut held = Inventory::new();
    held.add_toc(&toc(lines[0]));
    let store = both.add_inventory("store", &held, &[]).unwrap();
    let matrix = both.matrix();
    for cells in [
        logical(&matrix.files),
        logical(&matrix.chunks),
        compressed(&matrix.files),
        compressed(&matrix.chunks),
    ] {
        assert_eq!(cells[0][0], cells[0][store.index()]);
        assert_eq!(cells[1][0], cells[1][store.index()]);
    }
    // Its own bytes are known, not what they were compressed to.
    assert_eq!(matrix.files[2][2].logical, 3 + 8);
    assert_eq!(matrix.files[2][2].unlocated, 3 + 8);
    assert_eq!((both.label(store), both.nodes(store)), (Some("store"), 1));
    assert!(both.details(store, NodeId::ROOT).is_some());
    let holders: Vec<_> = both
        .holders(&Digest::of(b"three"))
        .iter()
        .map(|found| (found.image, found.files, found.chunks))
        .collect();
    assert_eq!(holders, [(id(0), 0, 1), (id(1), 1, 0), (store, 0, 1)]);
    let summary = both.summary();
    assert_eq!(summary.images[2].files.count, 2);
    assert_eq!(summary.images[1].shared.count, 1);
}

#[test]
fn a_store_comes_first_and_what_it_has_costs_nothing() {
    let mut overlap = Overlap::new();
    let add = |overlap: &mut Overlap, made: &Made| {
        let Made { toc, blob, diff_id, blob_len, pulled } = made;
        let layer = Layer { toc, blob: *blob, diff_id: *diff_id, blob_len: *blob_len, pulled: *pulled };
        overlap.add_image("image", &[layer], &Limits::default()).unwrap()
    };
    let by_file = Made::of(&["f a one", "f b new"]);
    let whole = Made { diff_id: Some(Digest::of(b"tar")), pulled: Pulled::Whole, ..Made::of(&["f c three"]) };
    let images = [add(&mut overlap, &by_file), add(&mut overlap, &whole)];
    let mut held = Inventory::new();
    held.add_file(Digest::of(b"one"), 3, Class::from_bytes([0; 16]));
    held.add_file(Digest::EMPTY, 0, Class::from_bytes([0; 16]));
    let before = overlap.pull_order();
    let store = overlap.add_inventory("store", &held, &[Digest::of(b"tar")]).unwrap();
    let after = overlap.pull_order();
    assert_eq!(after.steps[0].image, store);
    assert_eq!(after.steps[0].bytes, 0);
    assert_eq!(before.bytes, 7 + 7 + 1000);
    assert_eq!(after.bytes, 7, "of the whole layer and of a file there is nothing left to fetch");
    let ids: Vec<ImageId> = after.steps.iter().map(|step| step.image).collect();
    assert_eq!(ids, [store, images[0], images[1]]);
    assert_eq!(overlap.summary().images[2].files.count, 1);
}

#[test]
fn chunks_that_no_file_is_said_to_have_are_held_too() {
    let mut one = overlap(&[&[&["f a one,two"]]]);
    let mut held = Inventory::new();
    held.add_chunk(Digest::of(b"two"), HeldChunk { object: Digest::of(b"gone"), offset: 5, len: 3 });
    // The same digest with another length is another content.
    held.add_chunk(Digest::of(b"one"), HeldChunk { object: Digest::of(b"gone"), offset: 5, len: 4 });
    one.add_inventory("store", &held, &[]).unwrap();
    let matrix = one.matrix();
    assert_eq!((matrix.files[0][1].logical, matrix.chunks[0][1].logical), (0, 3));
}
