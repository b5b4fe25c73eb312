//! Any split gives the same files, and no altered byte gets out.

mod stargz;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use proptest::prelude::*;

use crate::testing::{Files, Layer, blank, layer, made, noise, plan, plan_with, pull, twins};
use crate::{
    Chunks, Complete, DiffIdCheck, DiffIdError, Digest, Fetch, FetchError, Inventory, Limits, Plan, Policy,
    VerifiedLayer, compress,
};

const NONE: BTreeMap<Digest, Vec<u8>> = BTreeMap::new();

fn small() -> Layer {
    let (a, b, c) = (noise(1, 300), noise(2, 700), noise(3, 90));
    layer(
        &[
            made("dir/", []),
            made("one", [&a]),
            made("several", [&b, &a, &c]),
            made("twin", [&a]),
            made("empty", []),
            made("last", [&c, &b]),
        ],
        |_| {},
    )
}

fn planned(layer: &Layer, held_chunk: u64) -> Plan {
    let mut policy = Policy::default();
    policy.limits.held_chunk = held_chunk;
    plan_with(layer.agreed().toc(), &Inventory::new(), &policy)
}

fn check(layer: &Layer, files: &Files, complete: Complete) -> Result<VerifiedLayer, DiffIdError> {
    let mut check = DiffIdCheck::thorough(layer.agreed());
    while let Some(file) = check.wants()? {
        check.receive(&files[&file])?;
    }
    check.finish(complete, &layer.diff_id())
}

fn assert_whole(layer: &Layer, files: &Files, complete: Complete) {
    assert!(*files == layer.contents());
    assert_eq!(check(layer, files, complete).unwrap().diff_id(), Some(&layer.diff_id()));
}

#[test]
fn the_zoo_comes_out_as_it_went_in() {
    let zoo = Layer::zoo();
    for held_chunk in [0, 1000, 1 << 20] {
        let (files, complete) =
            pull(&zoo.blob, &planned(&zoo, held_chunk), &NONE, || usize::MAX >> 1).unwrap();
        assert_whole(&zoo, &files, complete);
    }
}

#[test]
fn one_byte_at_a_time() {
    let layer = small();
    for held_chunk in [0, 100, 1 << 20] {
        let (files, complete) = pull(&layer.blob, &planned(&layer, held_chunk), &NONE, || 1).unwrap();
        assert_whole(&layer, &files, complete);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_split_of_the_zoo_gives_the_same(
        cuts in prop::collection::vec(prop_oneof![1..40_usize, 1..60_000_usize], 1..30),
        held_chunk in prop_oneof![Just(0), Just(70_000), Just(1_u64 << 20)],
    ) {
        let zoo = Layer::zoo();
        let mut next = cuts.iter().cycle();
        let (files, complete) =
            pull(&zoo.blob, &planned(&zoo, held_chunk), &NONE, || *next.next().unwrap()).unwrap();
        assert_whole(&zoo, &files, complete);
    }

    #[test]
    fn a_guard_dropped_early_loses_nothing(
        cuts in prop::collection::vec((0..400_usize, 0..4_usize), 1..40),
        held_chunk in prop_oneof![Just(0), Just(400), Just(1_u64 << 20)],
    ) {
        let layer = small();
        let plan = planned(&layer, held_chunk);
        let mut files = blank(&plan, &NONE);
        let (mut ledger, fetches) = plan.start();
        let mut next = cuts.iter().cycle();
        for mut fetch in fetches {
            let mut idle = 0;
            // A shell that drops guards cannot go by `remaining` alone: something may still be lent.
            while idle < cuts.len() + 1 {
                let (cut, takes) = *next.next().unwrap();
                let rest = fetch.remaining();
                let end = rest.end.min(rest.start + cut as u64);
                let mut chunks = fetch.receive(&layer.blob[rest.start as usize..end as usize]);
                let mut lent_any = false;
                for _ in 0..takes {
                    let Some(lent) = chunks.next_chunk().unwrap() else { break };
                    files.get_mut(&lent.file).unwrap()[lent.offset as usize..][..lent.bytes.len()]
                        .copy_from_slice(lent.bytes);
                    lent_any = true;
                }
                drop(chunks);
                idle = if lent_any || fetch.remaining() != rest { 0 } else { idle + 1 };
            }
            if takes_all_zero(&cuts) {
                return Ok(());
            }
            ledger.credit(fetch.finish().unwrap());
        }
        twins(&plan, &mut files);
        assert_whole(&layer, &files, ledger.close().unwrap());
    }
}

fn takes_all_zero(cuts: &[(usize, usize)]) -> bool {
    cuts.iter().all(|(cut, takes)| *cut == 0 || *takes == 0)
}

fn drain(mut chunks: Chunks<'_>, files: &mut Files) -> Result<(), FetchError> {
    while let Some(lent) = chunks.next_chunk()? {
        let at = lent.offset as usize;
        files.get_mut(&lent.file).unwrap()[at..at + lent.bytes.len()].copy_from_slice(lent.bytes);
    }
    Ok(())
}

#[test]
fn a_body_cut_at_any_byte_is_resumed_there() {
    let layer = small();
    for held_chunk in [0, 1 << 20] {
        let plan = planned(&layer, held_chunk);
        let range = plan.requests().next().unwrap();
        for cut in range.clone() {
            let mut files = blank(&plan, &NONE);
            let (mut ledger, mut fetches) = plan.start();
            let mut fetch = fetches.next().unwrap();
            drain(fetch.receive(&layer.blob[range.start as usize..cut as usize]), &mut files).unwrap();
            let rest = fetch.remaining();
            // A frame's checksum is not waited for once the chunk has its digest.
            assert!(rest == (cut..range.end) || (rest.is_empty() && cut + 4 >= range.end), "{rest:?}");
            drain(fetch.receive(&layer.blob[rest.start as usize..rest.end as usize]), &mut files).unwrap();
            ledger.credit(fetch.finish().unwrap());
            twins(&plan, &mut files);
            assert_whole(&layer, &files, ledger.close().unwrap());
        }
    }
}

#[test]
fn a_body_cut_short_is_no_receipt() {
    let layer = small();
    let plan = planned(&layer, 1 << 20);
    let range = plan.requests().next().unwrap();
    for cut in range.clone() {
        let mut fetch = plan.start().1.next().unwrap();
        drain(fetch.receive(&layer.blob[range.start as usize..cut as usize]), &mut blank(&plan, &NONE))
            .unwrap();
        let missing = range.end - cut;
        match fetch.finish() {
            Err(error) => assert_eq!(error, FetchError::Truncated { at: cut, missing }),
            // Only the checksum of the last frame is missing; the digest was better.
            Ok(_) => assert!(missing <= 4, "{missing}"),
        }
    }
}

#[test]
fn asking_often_without_bytes_is_no_error() {
    let layer = small();
    let plan = planned(&layer, 1 << 20);
    let range = plan.requests().next().unwrap();
    let (mut ledger, mut fetches) = plan.start();
    let mut fetch = fetches.next().unwrap();
    let mut files = blank(&plan, &NONE);
    for at in range {
        for _ in 0..20 {
            drain(fetch.receive(b""), &mut files).unwrap();
        }
        drain(fetch.receive(&layer.blob[at as usize..][..1]), &mut files).unwrap();
    }
    ledger.credit(fetch.finish().unwrap());
    twins(&plan, &mut files);
    assert_whole(&layer, &files, ledger.close().unwrap());
}

/// Feeds a whole body; returns the first error, or what `finish` says. Every lent chunk that was held back must be
/// the original one.
fn feed(plan: &Plan, blob: &[u8], original: Option<&Files>) -> Result<Files, FetchError> {
    let mut files = blank(plan, &NONE);
    for mut fetch in plan.start().1 {
        let range = fetch.remaining();
        let mut chunks = fetch.receive(&blob[range.start as usize..range.end as usize]);
        while let Some(lent) = chunks.next_chunk()? {
            let at = lent.offset as usize;
            if let Some(original) = original {
                assert!(original[&lent.file][at..at + lent.bytes.len()] == *lent.bytes);
            }
            files.get_mut(&lent.file).unwrap()[at..at + lent.bytes.len()].copy_from_slice(lent.bytes);
        }
        drop(chunks);
        fetch.finish()?;
    }
    twins(plan, &mut files);
    Ok(files)
}

#[test]
fn no_flipped_bit_gets_out() {
    let layer = small();
    let original = layer.contents();
    for held_chunk in [0, 1 << 20] {
        let plan = planned(&layer, held_chunk);
        let mut blob = layer.blob.clone();
        let mut refused = 0;
        for bit in 0..layer.data_end * 8 {
            blob[bit / 8] ^= 1 << (bit % 8);
            // A chunk that is too long to hold back may be lent; then the fetch must not be finished.
            match feed(&plan, &blob, (held_chunk > 0).then_some(&original)) {
                Ok(files) => {
                    assert!(files == original, "bit {bit}");
                }
                Err(_) => refused += 1,
            }
            blob[bit / 8] ^= 1 << (bit % 8);
        }
        // The rest are bits of frames that nobody wants, of checksums, and of unused header fields.
        assert!(refused > 5_000, "{refused}");
    }
}

fn fail(mut made_of: impl FnMut(&mut crate::testing::Made)) -> FetchError {
    let (a, b) = (noise(5, 400), noise(6, 500));
    let mut file = made("usr/file", [&a, &b]);
    made_of(&mut file);
    let layer = layer(&[file, made("other", [&noise(7, 100)])], |_| {});
    let plan = planned(&layer, 1 << 20);
    let error = feed(&plan, &layer.blob, None).unwrap_err();
    // It repeats, and there is no receipt.
    let mut fetch = plan.start().1.next().unwrap();
    let range = fetch.remaining();
    let mut chunks = fetch.receive(&layer.blob[range.start as usize..range.end as usize]);
    while let Ok(Some(_)) = chunks.next_chunk() {}
    assert_eq!(chunks.next_chunk().unwrap_err(), error);
    drop(chunks);
    assert_eq!(fetch.finish().unwrap_err(), error);
    error
}

#[test]
fn frames_that_hold_something_else() {
    let other = noise(9, 500);
    let error = fail(|file| drop(file.instead.insert(1, compress(&other))));
    let (expected, actual) = (Digest::of(&noise(6, 500)), Digest::of(&other));
    let name = "usr/file".into();
    assert_eq!(error, FetchError::ChunkDigest { name, offset: 400, len: 500, expected, actual });
    let text = error.to_string();
    assert!(text.contains("\"usr/file\"") && text.contains(&expected.to_hex()), "{text}");

    let error = fail(|file| drop(file.instead.insert(1, compress(&noise(6, 499)))));
    assert!(matches!(error, FetchError::Short { expected: 500, actual: 499, .. }), "{error}");

    let error = fail(|file| drop(file.instead.insert(0, noise(6, 99))));
    assert!(matches!(error, FetchError::Undecodable { .. }), "{error}");

    let half = compress(&noise(6, 500));
    let error = fail(|file| drop(file.instead.insert(1, half[..half.len() / 2].to_vec())));
    assert!(matches!(error, FetchError::Short { expected: 500, .. }), "{error}");
}

#[test]
fn bytes_after_a_chunk_in_its_frames_are_dropped() {
    let (a, b) = (noise(5, 400), noise(6, 500));
    let mut file = made("file", [&a, &b]);
    file.instead.insert(0, [compress(&a), compress(b"excess"), compress(b"")].concat());
    let more = [&b[..], b"excess in the same frame"].concat();
    file.instead.insert(1, compress(&more));
    let layer = layer(&[file, made("other", [&noise(7, 100)])], |_| {});
    for held_chunk in [0, 1 << 20] {
        let (files, complete) = pull(&layer.blob, &planned(&layer, held_chunk), &NONE, || 3).unwrap();
        assert_whole(&layer, &files, complete);
    }
}

#[test]
fn a_chunk_of_several_frames_is_one_chunk() {
    let a = noise(5, 400);
    let mut file = made("file", [&a]);
    file.instead.insert(0, [compress(b""), compress(&a[..100]), compress(&a[100..])].concat());
    let layer = layer(&[file], |_| {});
    let (files, complete) = pull(&layer.blob, &planned(&layer, 1 << 20), &NONE, || 7).unwrap();
    assert_whole(&layer, &files, complete);
}

#[test]
fn a_long_chunk_is_lent_in_pieces_and_settled_at_its_end() {
    let long = noise(4, 3_000_000);
    let layer = layer(&[made("long", [&long]), made("after", [b"after"])], |_| {});
    let plan = planned(&layer, Limits::default().held_chunk);
    let mut fetch = plan.start().1.next().unwrap();
    let range = fetch.remaining();
    let mut chunks = fetch.receive(&layer.blob[range.start as usize..range.end as usize]);
    let (mut at, mut ends) = (0, 0);
    while let Some(lent) = chunks.next_chunk().unwrap() {
        assert!(lent.bytes.len() <= super::PIECE);
        if ends == 0 {
            assert_eq!(lent.offset, at);
            at += lent.bytes.len() as u64;
        }
        ends += u32::from(lent.ends_chunk);
    }
    assert_eq!((at, ends), (3_000_000, 2));
    drop(chunks);
    assert!(fetch.finish().is_ok());
}

#[test]
fn arrivals_count_what_is_lent() {
    let layer = small();
    let plan = planned(&layer, 1 << 20);
    let mut owed = BTreeMap::new();
    plan.arrivals().for_each(|file| *owed.entry(file).or_insert(0) += 1);
    for mut fetch in plan.start().1 {
        let range = fetch.remaining();
        let mut chunks = fetch.receive(&layer.blob[range.start as usize..range.end as usize]);
        while let Some(lent) = chunks.next_chunk().unwrap() {
            *owed.get_mut(&lent.file).unwrap() -= i32::from(lent.ends_chunk);
        }
    }
    assert!(!owed.is_empty() && owed.values().all(|owed| *owed == 0), "{owed:?}");
}

#[test]
fn the_ledger_counts_only_its_own_receipts_once() {
    let zoo = Layer::zoo();
    let toc = Arc::clone(zoo.agreed().toc());
    let policy = Policy { request_len: 50_000, ..Policy::default() };
    let plan = plan_with(&toc, &Inventory::new(), &policy);
    let other = plan_with(&toc, &Inventory::new(), &policy);
    let receipts = |plan: &Plan| {
        let fetches: Vec<_> = plan.start().1.collect();
        let fetch = |mut fetch: Fetch| {
            let range = fetch.remaining();
            drain(
                fetch.receive(&zoo.blob[range.start as usize..range.end as usize]),
                &mut blank(plan, &NONE),
            )
            .unwrap();
            fetch.finish().unwrap()
        };
        fetches.into_iter().map(fetch).collect::<Vec<_>>()
    };
    let count = plan.requests().len();
    assert!(count > 2);

    let mut ledger = plan.start().0;
    receipts(&other).into_iter().for_each(|receipt| ledger.credit(receipt));
    let unfinished = ledger.close().unwrap_err();
    assert_eq!((unfinished.missing, unfinished.requests), (count, count));

    let mut ledger = plan.start().0;
    receipts(&plan).into_iter().skip(1).for_each(|receipt| ledger.credit(receipt));
    receipts(&plan).into_iter().skip(1).for_each(|receipt| ledger.credit(receipt));
    assert_eq!(
        ledger.close().unwrap_err().to_string(),
        std::format!("1 of {count} requests were not fetched")
    );

    let mut ledger = plan.start().0;
    receipts(&plan).into_iter().rev().for_each(|receipt| ledger.credit(receipt));
    assert!(ledger.close().is_ok());
}

#[test]
fn a_fetch_may_go_to_another_thread() {
    const fn send<T: Send>() {}
    send::<Fetch>();
    send::<Box<FetchError>>();
    let zoo = Layer::zoo();
    assert!(plan(zoo.agreed().toc(), &Inventory::new()).start().1.len() > 0);
}
