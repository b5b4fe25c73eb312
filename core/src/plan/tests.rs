//! Decisions as tables, whole plans as snapshots, and what must hold of any plan.

mod files;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{Decision, Plan, Reason, Source, decide};
use crate::testing::{Layer, Made, layer, made, noise, plan, plan_with, pull};
use crate::{Body, Class, Cost, Digest, FileId, HeldChunk, Inventory, Policy, Toc};

const OTHER: Class = Class::from_bytes([7; 16]);

fn policy(gap: u64, request_len: u64) -> Policy {
    let cost = Cost { round_trip_us: 1_000_000, bytes_per_second: gap, in_flight: 1 };
    assert_eq!(cost.gap(), gap);
    Policy { cost, request_len, ..Policy::default() }
}

/// A whole plan, one line a file, then the requests, then the figures.
fn show(plan: &Plan) -> String {
    let mut lines = Vec::new();
    for planned in plan.files() {
        let member = plan.toc().file(planned.file).unwrap().member();
        let class = |same| if same { "" } else { ", other metadata" };
        let source = match &planned.source {
            Source::Held { same_class, .. } => format!("held{}", class(*same_class)),
            Source::Twin { of, same_class } => format!("same as {}{}", of.index(), class(*same_class)),
            Source::Assembled { donated, fetched } => {
                let pieces = donated
                    .iter()
                    .map(|piece| format!("{}+{} from a donor, ", piece.offset, piece.chunk.len));
                pieces.collect::<String>() + if *fetched { "fetched" } else { "not fetched" }
            }
        };
        lines.push(format!(
            "{:2} {:.60} {}: {source}",
            planned.file.index(),
            member.name.to_string(),
            member.size
        ));
    }
    for request in &plan.requests {
        lines.push(format!("{:?} for {:?}", request.range, request.parts));
    }
    lines.push(format!("{:?}", plan.summary()));
    lines.join("\n")
}

fn zoo() -> Arc<Toc> {
    Arc::new(Layer::zoo().toc())
}

fn full(toc: &Toc, class: impl Fn(&crate::Entry) -> Class) -> Inventory {
    let mut inventory = Inventory::new();
    for (_, entry) in toc.files() {
        inventory.add_file(*entry.digest().unwrap(), entry.member().size, class(entry));
    }
    inventory
}

#[test]
fn the_zoo_with_nothing_held() {
    insta::assert_snapshot!(show(&plan(&zoo(), &Inventory::new())));
}

#[test]
fn the_zoo_with_nothing_held_and_no_gap_bridged() {
    insta::assert_snapshot!(show(&plan_with(&zoo(), &Inventory::new(), &policy(0, 60_000))));
}

#[test]
fn the_zoo_with_all_held() {
    let toc = zoo();
    insta::assert_snapshot!(show(&plan(&toc, &full(&toc, |entry| Class::of(entry.member())))));
}

#[test]
fn the_zoo_held_under_other_metadata() {
    let toc = zoo();
    insta::assert_snapshot!(show(&plan(&toc, &full(&toc, |_| OTHER))));
}

#[test]
fn the_zoo_with_some_chunks_held() {
    let toc = zoo();
    let mut inventory = Inventory::new();
    let donor = Digest::of(b"donor");
    for (_, entry) in toc.files() {
        for chunk in toc.chunks(entry).iter().filter(|chunk| (65_000..100_000).contains(&chunk.len)) {
            inventory.add_chunk(chunk.digest, HeldChunk { object: donor, offset: 5, len: chunk.len });
        }
    }
    insta::assert_snapshot!(show(&plan(&toc, &inventory)));
}

fn a() -> Vec<u8> {
    noise(1, 300)
}

fn b() -> Vec<u8> {
    noise(2, 500)
}

/// Plans a layer for some held things and says where each file comes from.
fn sources(members: &[Made], inventory: &Inventory) -> Vec<String> {
    let toc = Arc::new(layer(members, |_| {}).toc());
    show(&plan(&toc, inventory))
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(_, at)| at.into())
        .take(toc.files().count())
        .collect()
}

fn holding(content: &[u8], size: u64) -> Inventory {
    let mut inventory = Inventory::new();
    inventory.add_file(Digest::of(content), size, OTHER);
    inventory
}

fn with_chunk(content: &[u8], len: u64) -> Inventory {
    let mut inventory = Inventory::new();
    inventory.add_chunk(Digest::of(content), HeldChunk { object: Digest::of(b"donor"), offset: 9, len });
    inventory
}

#[test]
fn where_a_file_comes_from() {
    let (a, b) = (a(), b());
    let both = [&a[..], &b].concat();
    let one = [made("one", [&a])];
    let two = [made("two", [&a, &b])];
    let none = Inventory::new();
    let held = ["held, other metadata"];
    let donor = ["0+300 from a donor, not fetched"];
    assert_eq!(sources(&one, &none), ["fetched"]);
    assert_eq!(sources(&one, &holding(&a, 300)), held);
    assert_eq!(sources(&one, &holding(&a, 301)), ["fetched"], "a donor of another size");
    assert_eq!(sources(&one, &with_chunk(&a, 300)), donor, "a file that is a chunk elsewhere");
    assert_eq!(sources(&one, &with_chunk(&a, 299)), ["fetched"]);
    assert_eq!(sources(&two, &holding(&both, 800)), held);
    assert_eq!(sources(&two, &with_chunk(&both, 800)), ["0+800 from a donor, not fetched"]);
    assert_eq!(
        sources(&two, &holding(&a, 300)),
        ["0+300 from a donor, fetched"],
        "a chunk that is a whole file"
    );
    assert_eq!(sources(&two, &with_chunk(&b, 500)), ["300+500 from a donor, fetched"]);
    assert_eq!(sources(&two, &with_chunk(&b, 501)), ["fetched"]);
    assert_eq!(sources(&[made("e", []), made("d/", [])], &none), Vec::<String>::new());
    let twins = [made("one", [&a]), made("again", [&a]), made("two", [&a, &b]), made("both", [&both])];
    assert_eq!(sources(&twins, &none), ["fetched", "same as 0", "fetched", "same as 2"]);
    assert_eq!(sources(&twins, &holding(&both, 800))[2..], ["held, other metadata", "held, other metadata"]);
    // A member in the same class is a candidate for a hard link.
    let toc = layer(&one, |_| {}).toc();
    assert_eq!(sources(&one, &full(&toc, |entry| Class::of(entry.member()))), ["held"]);
}

#[test]
fn a_donated_piece_says_what_it_must_be() {
    let (a, b) = (a(), b());
    let toc = Arc::new(layer(&[made("two", [&a, &b])], |_| {}).toc());
    let plan = plan(&toc, &with_chunk(&b, 500));
    let Source::Assembled { donated, .. } = &plan.files()[0].source else { panic!() };
    assert_eq!((donated[0].digest, donated[0].offset), (Digest::of(&b), 300));
}

#[test]
fn the_same_chunk_is_fetched_once() {
    let (a, b) = (a(), b());
    let members = [made("two", [&a, &b]), made("one", [&a]), made("more", [&b, &a, &b])];
    let layer = layer(&members, |_| {});
    let plan = plan(layer.agreed().toc(), &Inventory::new());
    assert_eq!(plan.parts.len(), 2);
    assert_eq!(plan.arrivals().count(), 6);
    assert_eq!(plan.summary().reused_bytes, plan.summary().content_bytes - 800);
    let (files, _) = pull(&layer.blob, &plan, &BTreeMap::new(), || 11).unwrap();
    assert!(files == layer.contents());
}

#[test]
fn zeros_are_never_fetched() {
    let layer = layer(&[made("zeros", [&[0; 5000]]), made("mixed", [&a(), &[0; 3000], &b()])], |toc| {
        toc["entries"][0]["chunkType"] = "zeros".into();
        toc["entries"][2]["chunkType"] = "zeros".into();
    });
    let plan = plan_with(layer.agreed().toc(), &Inventory::new(), &policy(0, 1));
    assert_eq!(plan.parts.len(), 2);
    assert_eq!(plan.summary().assembled, 1);
    let (files, _) = pull(&layer.blob, &plan, &BTreeMap::new(), || 11).unwrap();
    assert!(files == layer.contents());
}

#[test]
fn a_layer_without_a_tar_split_or_offsets_is_pulled_whole() {
    let old = layer(&[made("a", [&a()])], |toc| drop(toc.as_object_mut().unwrap().remove("tarSplitDigest")));
    let decision = decide(&Arc::new(old.toc()), &Inventory::new(), &Policy::default());
    assert!(matches!(decision, Decision::Whole(Reason::NoTarSplit)));
    let stored = layer(&[made("a", [&a()])], |_| {}).toc().to_stored();
    let stored = Arc::new(Toc::from_stored(&stored, &Policy::default().limits).unwrap());
    let decision = decide(&stored, &Inventory::new(), &Policy::default());
    assert!(matches!(decision, Decision::Whole(Reason::NoToc { .. })));
    let held = full(&stored, |_| OTHER);
    assert!(matches!(decide(&stored, &held, &Policy::default()), Decision::Partial(_)));
}

#[test]
fn gaps_are_bridged_up_to_their_cost() {
    let toc = zoo();
    let ranges = |policy: &Policy| plan_with(&toc, &Inventory::new(), policy).requests().collect::<Vec<_>>();
    let apart = ranges(&policy(0, u64::MAX));
    let gaps: Vec<_> = apart.windows(2).map(|pair| pair[1].start - pair[0].end).collect();
    assert!(gaps.iter().all(|gap| *gap > 0), "what touches shares a request");
    let widest = *gaps.iter().max().unwrap();
    assert_eq!(ranges(&policy(widest, u64::MAX)).len(), 1);
    assert_eq!(
        ranges(&policy(widest - 1, u64::MAX)).len(),
        1 + gaps.iter().filter(|gap| **gap == widest).count()
    );
    assert_eq!(ranges(&policy(u64::MAX >> 20, u64::MAX)).len(), 1);
    // Cut between chunks only.
    let cut = ranges(&policy(widest, 50_000));
    assert!(cut.len() > 2);
    let all = plan_with(&toc, &Inventory::new(), &policy(widest, 1));
    assert_eq!(all.requests().len(), all.parts.len());
    for range in &cut {
        let parts = all.parts.iter().filter(|part| range.contains(&part.frames.start)).count();
        assert!(range.end - range.start <= 50_000 || parts == 1, "{range:?}");
    }
}

#[test]
fn a_struck_donor_is_not_planned_again() {
    let (a, b) = (a(), b());
    let members = [made("one", [&a]), made("two", [&a, &b])];
    let mut inventory = holding(&a, 300);
    let donor = Digest::of(b"donor");
    inventory.add_chunk(Digest::of(&b), HeldChunk { object: donor, offset: 0, len: 500 });
    assert_eq!(
        sources(&members, &inventory),
        ["held, other metadata", "0+300 from a donor, 300+500 from a donor, not fetched"]
    );
    inventory.strike(&donor);
    assert_eq!(sources(&members, &inventory), ["held, other metadata", "0+300 from a donor, fetched"]);
    inventory.strike(&Digest::of(&a));
    assert_eq!(sources(&members, &inventory), ["fetched", "fetched"]);
    assert_eq!(inventory, Inventory::new());
}

#[test]
fn of_two_claims_the_first_stays() {
    let mut inventory = holding(b"x", 1);
    inventory.add_file(Digest::of(b"x"), 2, Class::from_bytes([1; 16]));
    inventory.add_file(Digest::of(b"x"), 1, OTHER);
    assert_eq!(inventory, holding(b"x", 1));
    inventory.add_file(Digest::of(b"x"), 1, Class::from_bytes([1; 16]));
    assert_eq!(inventory.file(&Digest::of(b"x"), 1).unwrap().classes.len(), 2);
    let mut inventory = with_chunk(b"x", 1);
    inventory.add_chunk(Digest::of(b"x"), HeldChunk { object: Digest::EMPTY, offset: 0, len: 1 });
    assert_eq!(inventory, with_chunk(b"x", 1));
}

/// Some files and chunks of a layer, held.
fn some_held(
    toc: &Toc,
    contents: &BTreeMap<FileId, Vec<u8>>,
    picks: &[bool],
) -> (Inventory, BTreeMap<Digest, Vec<u8>>) {
    let (mut inventory, mut objects) = (Inventory::new(), BTreeMap::new());
    let mut picks = picks.iter().cycle();
    for (file, entry) in toc.files() {
        let content = &contents[&file];
        if *picks.next().unwrap() {
            inventory.add_file(Digest::of(content), content.len() as u64, OTHER);
            objects.insert(Digest::of(content), content.clone());
        }
        for chunk in toc.chunks(entry) {
            if *picks.next().unwrap() {
                // As a donor holds it: somewhere inside something else.
                let mut object = b"before".to_vec();
                object.extend_from_slice(&content[chunk.offset as usize..][..chunk.len as usize]);
                let held = HeldChunk { object: Digest::of(&object), offset: 6, len: chunk.len };
                inventory.add_chunk(chunk.digest, held);
                objects.insert(held.object, object);
            }
        }
    }
    (inventory, objects)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_plan_asks_for_exactly_what_is_wanted(
        picks in prop::collection::vec(any::<bool>(), 1..40),
        gap in prop_oneof![Just(0), 0..5_000_u64, Just(1 << 40)],
        request_len in prop_oneof![Just(1), 1..100_000_u64, Just(u64::MAX)],
    ) {
        let zoo = Layer::zoo();
        let toc = Arc::clone(zoo.agreed().toc());
        let (inventory, objects) = some_held(&toc, &zoo.contents(), &picks);
        let plan = plan_with(&toc, &inventory, &policy(gap, request_len));
        let mut at = 0;
        for range in plan.requests() {
            prop_assert!(range.start >= at && range.start < range.end);
            at = range.end;
        }
        let parts: Vec<_> = plan.requests.iter().flat_map(|request| request.parts.clone()).collect();
        prop_assert_eq!(parts, (0..plan.parts.len()).collect::<Vec<_>>());
        let mut wanted = 0;
        for request in &plan.requests {
            let parts = &plan.parts[request.parts.clone()];
            prop_assert_eq!(parts[0].frames.start, request.range.start);
            prop_assert_eq!(parts[parts.len() - 1].frames.end, request.range.end);
            wanted += parts.iter().map(|part| part.frames.end - part.frames.start).sum::<u64>();
        }
        let summary = plan.summary();
        let asked: u64 = plan.requests().map(|range| range.end - range.start).sum();
        prop_assert_eq!((summary.requests, summary.request_bytes), (plan.requests().len() as u64, asked));
        prop_assert_eq!(summary.request_bytes, wanted + summary.bridged_bytes);
        prop_assert_eq!(summary.files, summary.held + summary.twins + summary.assembled + summary.fetched);
        prop_assert!(gap > 0 || summary.bridged_bytes == 0);
        let fetched: BTreeSet<_> = plan.arrivals().collect();
        for planned in plan.files() {
            let says = matches!(planned.source, Source::Assembled { fetched: true, .. });
            prop_assert_eq!(says, fetched.contains(&planned.file));
        }
        // What is neither fetched, donated nor a hole would be missing here.
        let (files, _) = pull(&zoo.blob, &plan, &objects, || 9_999).unwrap();
        prop_assert!(files == zoo.contents());
        // No frame of a hole, and none of what is held.
        let frames: BTreeSet<_> = plan.parts.iter().map(|part| (part.frames.start, part.frames.end)).collect();
        prop_assert_eq!(frames.len(), plan.parts.len());
        for (_, entry) in toc.files() {
            for chunk in toc.chunks(entry) {
                if let Body::Frames(frame) = &chunk.body && inventory.chunk(&chunk.digest, chunk.len).is_some() {
                    prop_assert!(!frames.contains(&(frame.start, frame.end)));
                }
            }
        }
    }
}
