//! Real layers, and what a plan makes of them.

use alloc::sync::Arc;

use super::*;
use crate::testing::stargz::{Footer, stargz};
use crate::testing::{Layer as Blob, layer, made, noise, plan_with};
use crate::{Cost, Inventory, Policy};

fn one(overlap: &mut Overlap, label: &str, toc: &Toc) -> ImageId {
    let layer = Layer { toc, blob: None, diff_id: None, blob_len: 226_000, pulled: Pulled::ByFile };
    overlap.add_image(label, &[layer], &Limits::default()).unwrap()
}

/// The frames' bytes that a plan fetches.
fn frames(toc: &Toc, inventory: &Inventory) -> u64 {
    let cost = Cost { round_trip_us: 0, bytes_per_second: 1, in_flight: 1 };
    let plan = plan_with(&Arc::new(toc.clone()), inventory, &Policy { cost, ..Policy::default() });
    plan.summary().request_bytes - plan.summary().bridged_bytes
}

fn inventory(toc: &Toc) -> Inventory {
    let mut inventory = Inventory::new();
    for (_, entry) in toc.files() {
        let digest = *entry.digest().unwrap();
        inventory.add_file(digest, entry.member().size, crate::Class::of(entry.member()));
        for chunk in toc.chunks(entry).iter().filter(|chunk| chunk.body != crate::Body::Zeros) {
            let held = crate::HeldChunk { object: digest, offset: chunk.offset, len: chunk.len };
            inventory.add_chunk(chunk.digest, held);
        }
    }
    inventory
}

#[test]
fn the_zoo_in_two_forms_is_one_image() {
    let toc = Blob::zoo().toc();
    let stored = Toc::from_stored(&toc.to_stored(), &Limits::default()).unwrap();
    let mut overlap = Overlap::new();
    let (blob, store) = (one(&mut overlap, "blob", &toc), one(&mut overlap, "store", &stored));
    let diff = overlap.diff(blob, store).unwrap();
    assert_eq!(diff.changes, []);
    assert_eq!(diff.summary.same.count, overlap.nodes(blob) as u64);
    let Matrix { files, chunks } = overlap.matrix();
    assert_eq!(logical(&files)[0], logical(&files)[1]);
    assert_eq!(logical(&chunks)[0], logical(&chunks)[1]);
    assert_eq!(chunks[0][0].compressed, frames(&toc, &Inventory::new()));
    assert_eq!(chunks[1][1].compressed, 0);
    assert_eq!(chunks[1][1].unlocated, chunks[1][1].logical);
    let summary = overlap.summary();
    let content: u64 = toc.files().map(|(_, entry)| entry.member().size).sum();
    assert_eq!(summary.images[0].files.bytes.logical + summary.images[0].hole_bytes, content);
    assert_eq!(summary.images[0].unique.count, 0);
    // What is pulled whole costs the same before and after; the other costs nothing after it.
    let order = overlap.pull_order();
    assert_eq!(
        order.steps.iter().map(|step| (step.image, step.bytes)).collect::<Vec<_>>(),
        [(store, 226_000), (blob, 0)]
    );
    assert_eq!(overlap.pull_cost(&[blob]).unwrap().bytes, frames(&toc, &Inventory::new()));
}

#[test]
fn a_step_of_an_order_is_what_a_plan_fetches() {
    let [a, b, c, d] = [1, 2, 3, 4].map(|seed| noise(seed, 300));
    let first = layer(&[made("x", [&a, &b]), made("y", [&c])], |_| {}).toc();
    let second =
        layer(&[made("x", [&a, &d]), made("z", [&a, &b]), made("w", [&d]), made("v", [&d])], |_| {}).toc();
    let mut overlap = Overlap::new();
    let order = [one(&mut overlap, "first", &first), one(&mut overlap, "second", &second)];
    let cost = |order: &[ImageId]| -> Vec<u64> {
        overlap.pull_cost(order).unwrap().steps.iter().map(|step| step.bytes).collect()
    };
    let empty = Inventory::new();
    assert_eq!(cost(&order), [frames(&first, &empty), frames(&second, &inventory(&first))]);
    let [one, two] = order;
    assert_eq!(cost(&[two, one]), [frames(&second, &empty), frames(&first, &inventory(&second))]);
}

#[test]
fn what_lies_in_one_frame_shares_its_bytes_out() {
    let [a, b, c] = [1, 2, 3].map(|seed| noise(seed, 700));
    let members = [made("x", [&a, &b]), made("y", [&c]), made("z", [&a])];
    let toc = stargz(&members, Footer::EStargz, 4_000, |_| {}).read().unwrap();
    assert!(toc.files().flat_map(|(_, entry)| toc.chunks(entry)).any(|chunk| chunk.skip > 0));
    let mut overlap = Overlap::new();
    one(&mut overlap, "stargz", &toc);
    let mut all: Vec<_> = toc.files().flat_map(|(_, entry)| toc.chunks(entry)).collect();
    all.dedup_by_key(|chunk| chunk.body.clone());
    let frames = all.iter().map(|chunk| match &chunk.body {
        crate::Body::Frames(frames) => frames.end - frames.start,
        _ => 0,
    });
    assert_eq!(overlap.summary().images[0].files.bytes.compressed, frames.sum::<u64>());
}
