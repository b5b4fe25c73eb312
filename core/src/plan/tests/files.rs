//! Plans for some files of a layer.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{a, b, policy, some_held};
use crate::plan::{Decision, Plan, Reason, Source, decide, decide_files};
use crate::testing::{Layer, layer, made, pull};
use crate::{Body, FileId, Inventory, Policy, Toc};

fn plan_of(toc: &Arc<Toc>, inventory: &Inventory, policy: &Policy, files: &[FileId]) -> Plan {
    match decide_files(toc, inventory, policy, files) {
        Decision::Partial(plan) => plan,
        Decision::Whole(reason) => panic!("{reason}"),
    }
}

#[test]
fn a_twin_of_a_file_that_nobody_chose_is_fetched_where_it_lies() {
    let layer = layer(&[made("one", [&a()]), made("two", [&a()]), made("three", [&a()])], |_| {});
    let toc = Arc::new(layer.toc());
    let [one, two, three] = [0, 1, 2].map(FileId::new);
    let (nothing, policy) = (Inventory::new(), policy(0, u64::MAX));
    let frames = |file: FileId| {
        let Body::Frames(frames) = &toc.chunks(toc.file(file).unwrap())[0].body else { panic!("no frames") };
        frames.clone()
    };
    let plan = plan_of(&toc, &nothing, &policy, &[three, two]);
    assert_eq!(plan.requests().collect::<Vec<_>>(), [frames(two)]);
    assert_eq!(plan.files().len(), 2, "in the order of the tar, whatever order they are named in");
    assert!(matches!(plan.files()[1].source, Source::Twin { of, .. } if of == two));
    let (files, _) = pull(&layer.blob, &plan, &BTreeMap::new(), || 7).unwrap();
    assert!(files.len() == 2 && files.values().all(|content| *content == a()));
    let all = plan_of(&toc, &nothing, &policy, &[one, two, three]);
    let Decision::Partial(whole) = decide(&toc, &nothing, &policy) else { panic!("not by file") };
    assert_eq!((all.files(), all.summary()), (whole.files(), whole.summary()));
}

#[test]
fn who_chooses_nothing_asks_for_nothing() {
    let toc = Arc::new(layer(&[made("d/", []), made("d/x", [&b()])], |_| {}).toc());
    let (nothing, policy) = (Inventory::new(), Policy::default());
    for none in [&[][..], &[FileId::new(0)], &[FileId::new(9)]] {
        let plan = plan_of(&toc, &nothing, &policy, none);
        assert_eq!((plan.files().len(), plan.requests().len()), (0, 0), "{none:?}");
        plan.start().0.close().unwrap();
    }
    let old = layer(&[made("a", [&a()])], |toc| drop(toc.as_object_mut().unwrap().remove("tarSplitDigest")));
    let decision = decide_files(&Arc::new(old.toc()), &nothing, &policy, &[FileId::new(0)]);
    assert!(matches!(decision, Decision::Whole(Reason::NoTarSplit)), "no weaker than a pull");
}

#[test]
fn a_file_alone_costs_its_compressed_length() {
    let zoo = Arc::clone(Layer::zoo().agreed().toc());
    let mut holes = 0;
    for (file, entry) in zoo.files() {
        assert_eq!(zoo.file_at(file.index()), Some(file));
        let plan = plan_of(&zoo, &Inventory::new(), &policy(0, u64::MAX), &[file]);
        assert_eq!(zoo.compressed_len(entry), Some(plan.summary().request_bytes), "{}", entry.member().name);
        holes += u64::from(plan.summary().reused_bytes > 0);
    }
    assert!(holes > 0, "holes cost nothing");
    let others = zoo.entries().iter().enumerate().filter(|(_, entry)| !entry.is_file());
    assert!(others.clone().count() > 0 && others.clone().all(|(index, _)| zoo.file_at(index).is_none()));
    let stored = Toc::from_stored(&zoo.to_stored(), &Policy::default().limits).unwrap();
    let (_, entry) = stored.files().next().unwrap();
    assert_eq!(stored.compressed_len(entry), None, "nobody knows");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn some_files_cost_no_others_frames(
        picks in prop::collection::vec(any::<bool>(), 1..40),
        chosen in prop::collection::vec(any::<bool>(), 1..40),
        gap in prop_oneof![Just(0), 0..5_000_u64],
        request_len in prop_oneof![Just(1), Just(u64::MAX)],
    ) {
        let zoo = Layer::zoo();
        let toc = Arc::clone(zoo.agreed().toc());
        let contents = zoo.contents();
        let (inventory, objects) = some_held(&toc, &contents, &picks);
        let chosen: Vec<_> = toc.files().zip(chosen.iter().cycle()).filter(|(_, chosen)| **chosen)
            .map(|((file, _), _)| file).collect();
        let plan = plan_of(&toc, &inventory, &policy(gap, request_len), &chosen);
        prop_assert_eq!(plan.files().iter().map(|planned| planned.file).collect::<Vec<_>>(), &*chosen);
        let (files, _) = pull(&zoo.blob, &plan, &objects, || 9_999).unwrap();
        prop_assert_eq!(files.len(), chosen.len());
        for (file, content) in &files {
            prop_assert!(*content == contents[file]);
        }
        // Each part is a frame of a chosen file, and each request begins and ends with one.
        let own: BTreeSet<_> = chosen.iter().flat_map(|file| toc.chunks(toc.file(*file).unwrap()))
            .filter_map(|chunk| match &chunk.body {
                Body::Frames(frames) => Some((frames.start, frames.end)),
                Body::Unlocated | Body::Zeros => None,
            }).collect();
        prop_assert!(plan.parts.iter().all(|part| own.contains(&(part.frames.start, part.frames.end))));
        let summary = plan.summary();
        prop_assert!(gap > 0 || summary.bridged_bytes == 0);
    }
}
