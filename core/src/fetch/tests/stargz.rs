//! The same of gzip members, and of members that hold several contents.

use alloc::sync::Arc;

use super::*;
use crate::testing::Made;
use crate::testing::stargz::{FOOTERS, Footer, Stargz, gzip, stargz, trusting};
use crate::{Body, Toc, TocError};

fn members() -> Vec<Made> {
    let (a, b, c) = (noise(1, 300), noise(2, 700), noise(3, 90));
    Vec::from([
        made("one", [&a]),
        made("dir/", []),
        made("several", [&b, &a, &c]),
        made("twin", [&a]),
        made("empty", []),
        made("last", [&c, &b]),
    ])
}

fn small(footer: Footer, min_chunk: usize) -> Stargz {
    stargz(&members(), footer, min_chunk, |_| {})
}

fn planned(layer: &Stargz, held_chunk: u64) -> Plan {
    let mut policy = trusting();
    policy.limits.held_chunk = held_chunk;
    plan_with(layer.vouched().toc(), &Inventory::new(), &policy)
}

fn assert_whole(layer: &Stargz, toc: &Toc, files: &Files) {
    assert_eq!(files.len(), 4);
    for (file, content) in files {
        assert!(layer.contents[toc.file(*file).unwrap().digest().unwrap()] == *content);
    }
}

#[test]
fn contents_share_members() {
    let starts = |layer: &Stargz| {
        let toc = layer.read().unwrap();
        let starts = toc.files().flat_map(|(_, entry)| toc.chunks(entry).to_vec()).map(|chunk| {
            let Body::Frames(frames) = chunk.body else { panic!() };
            (frames.start, frames.end, chunk.skip > 0)
        });
        starts.collect::<alloc::collections::BTreeSet<_>>()
    };
    for footer in FOOTERS {
        let alone = small(footer, 0);
        assert_eq!(starts(&alone).len(), 7, "{footer:?}");
        assert!(starts(&alone).iter().all(|(_, _, inside)| !inside));
        // The first member holds headers and contents: its offset is 0, and left out.
        let shared = small(footer, 1500);
        assert!(
            starts(&shared).len() < 7
                && starts(&shared).contains(&(0, starts(&shared).first().unwrap().1, true))
        );
        let all = small(footer, usize::MAX);
        assert_eq!(starts(&all).into_iter().collect::<Vec<_>>(), [(0, all.data_end as u64, true)]);
        assert_eq!(planned(&all, 1 << 20).requests().len(), 1);
    }
}

#[test]
fn one_byte_at_a_time_in_members() {
    for footer in FOOTERS {
        for min_chunk in [0, 1500, usize::MAX] {
            for held_chunk in [0, 100, 1 << 20] {
                let layer = small(footer, min_chunk);
                let plan = planned(&layer, held_chunk);
                let (files, _) = pull(&layer.blob, &plan, &NONE, || 1).unwrap();
                assert_whole(&layer, plan.toc(), &files);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_split_of_members_gives_the_same(
        cuts in prop::collection::vec(prop_oneof![1..40_usize, 1..2_000_usize], 1..30),
        held_chunk in prop_oneof![Just(0), Just(400), Just(1_u64 << 20)],
        min_chunk in prop_oneof![Just(0), 1..6_000_usize],
        footer in 0..4_usize,
    ) {
        let layer = small(FOOTERS[footer], min_chunk);
        let plan = planned(&layer, held_chunk);
        let mut next = cuts.iter().cycle();
        let (files, _) = pull(&layer.blob, &plan, &NONE, || *next.next().unwrap()).unwrap();
        assert_whole(&layer, plan.toc(), &files);
    }

    #[test]
    fn a_guard_dropped_early_loses_nothing_of_a_member(
        cuts in prop::collection::vec((1..400_usize, 1..4_usize), 1..40),
        held_chunk in prop_oneof![Just(0), Just(400), Just(1_u64 << 20)],
        min_chunk in prop_oneof![Just(0), 1..6_000_usize],
        footer in 0..4_usize,
    ) {
        let layer = small(FOOTERS[footer], min_chunk);
        let plan = planned(&layer, held_chunk);
        let mut files = blank(&plan, &NONE);
        let (mut ledger, fetches) = plan.start();
        let mut next = cuts.iter().cycle();
        for mut fetch in fetches {
            let mut idle = 0;
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
            ledger.credit(fetch.finish().unwrap());
        }
        twins(&plan, &mut files);
        assert_whole(&layer, plan.toc(), &files);
        prop_assert!(ledger.close().is_ok());
    }

    #[test]
    fn whatever_is_held_the_rest_of_a_member_comes_out_right(
        picks in prop::collection::vec(any::<bool>(), 7),
        gap in prop_oneof![Just(0), Just(1_u64 << 40)],
        request_len in prop_oneof![Just(1), Just(u64::MAX)],
        min_chunk in prop_oneof![Just(0), 1..6_000_usize],
    ) {
        let layer = small(Footer::EStargz, min_chunk);
        let toc = Arc::clone(layer.vouched().toc());
        let (mut inventory, mut objects) = (Inventory::new(), BTreeMap::new());
        let chunks = toc.files().flat_map(|(file, entry)| {
            let content = &layer.contents[entry.digest().unwrap()];
            toc.chunks(entry).iter().map(move |chunk| (file, content, chunk.clone()))
        });
        for ((_, content, chunk), pick) in chunks.zip(&picks) {
            if *pick {
                let held = crate::HeldChunk { object: Digest::of(content), offset: chunk.offset, len: chunk.len };
                inventory.add_chunk(chunk.digest, held);
                objects.insert(held.object, content.to_vec());
            }
        }
        let cost = crate::Cost { round_trip_us: 1_000_000, bytes_per_second: gap, in_flight: 1 };
        let plan = plan_with(&toc, &inventory, &Policy { cost, request_len, ..trusting() });
        // Parts in the same frames are in the same request, and each byte is asked for once.
        let mut at = 0;
        for range in plan.requests() {
            prop_assert!(range.start >= at && range.start < range.end);
            at = range.end;
        }
        let summary = plan.summary();
        let asked = plan.requests().map(|range| range.end - range.start).sum::<u64>();
        let frames = plan.parts().iter().map(|part| (part.frames.start, part.frames.end));
        let frames = frames.collect::<alloc::collections::BTreeSet<_>>();
        let wanted = frames.iter().map(|(start, end)| end - start).sum::<u64>();
        prop_assert_eq!((summary.request_bytes, summary.bridged_bytes), (asked, asked - wanted));
        prop_assert!(gap > 0 || asked == wanted);
        let (files, _) = pull(&layer.blob, &plan, &objects, || 97).unwrap();
        assert_whole(&layer, &toc, &files);
    }
}

proptest! {
    /// Whatever numbers a TOC claims: what comes out has the digests that it names, or nothing does.
    #[test]
    fn no_numbers_in_a_toc_let_anything_else_out(
        numbers in prop::collection::vec((0..8_usize, 0..5_usize, -5..3_000_i64), 1..4),
        min_chunk in prop_oneof![Just(0), 1..6_000_usize],
        held_chunk in prop_oneof![Just(0), Just(1_u64 << 20)],
    ) {
        let layer = stargz(&members(), Footer::EStargz, min_chunk, |toc| {
            for (entry, key, value) in numbers {
                let key = ["offset", "innerOffset", "size", "chunkSize", "chunkOffset"][key];
                toc["entries"][entry][key] = value.into();
            }
        });
        let Ok(toc) = layer.read() else { return Ok(()) };
        let mut policy = trusting();
        policy.limits.held_chunk = held_chunk;
        let toc = Arc::new(toc);
        let plan = plan_with(&toc, &Inventory::new(), &policy);
        if let Ok((files, _)) = pull(&layer.blob, &plan, &NONE, || 53) {
            for (file, content) in files {
                for chunk in toc.chunks(toc.file(file).unwrap()) {
                    let bytes = &content[chunk.offset as usize..][..chunk.len as usize];
                    prop_assert_eq!(Digest::of(bytes), chunk.digest);
                }
            }
        }
    }
}

#[test]
fn a_body_cut_at_any_byte_of_a_member_is_resumed_there() {
    let layer = small(Footer::EStargz, usize::MAX);
    for held_chunk in [0, 1 << 20] {
        let plan = planned(&layer, held_chunk);
        let range = plan.requests().next().unwrap();
        for cut in range.clone() {
            let mut files = blank(&plan, &NONE);
            let mut fetch = plan.start().1.next().unwrap();
            drain(fetch.receive(&layer.blob[range.start as usize..cut as usize]), &mut files).unwrap();
            let rest = fetch.remaining();
            assert!(rest == (cut..range.end) || rest.is_empty(), "{rest:?}");
            drain(fetch.receive(&layer.blob[rest.start as usize..rest.end as usize]), &mut files).unwrap();
            fetch.finish().unwrap();
            twins(&plan, &mut files);
            assert_whole(&layer, plan.toc(), &files);
        }
    }
}

#[test]
fn no_flipped_bit_of_a_member_gets_out() {
    for (footer, min_chunk) in [(Footer::EStargz, 0), (Footer::EStargz, 1500), (Footer::Zstd, 1500)] {
        let layer = small(footer, min_chunk);
        for held_chunk in [0, 1 << 20] {
            let plan = planned(&layer, held_chunk);
            let (original, _) = pull(&layer.blob, &plan, &NONE, || usize::MAX >> 1).unwrap();
            let mut blob = layer.blob.clone();
            let mut refused = 0;
            for bit in 0..layer.data_end * 8 {
                blob[bit / 8] ^= 1 << (bit % 8);
                match feed(&plan, &blob, (held_chunk > 0).then_some(&original)) {
                    Ok(files) => assert!(files == original, "bit {bit}"),
                    Err(_) => refused += 1,
                }
                blob[bit / 8] ^= 1 << (bit % 8);
            }
            assert!(refused > 5_000, "{refused}");
        }
    }
}

fn fail(layer: &Stargz) -> FetchError {
    feed(&planned(layer, 1 << 20), &layer.blob, None).unwrap_err()
}

#[test]
fn members_that_hold_something_else() {
    let (a, b) = (noise(5, 400), noise(6, 500));
    for min_chunk in [0, usize::MAX] {
        let mut file = made("file", [&a, &b]);
        file.instead.insert(1, noise(9, 500));
        let layer = stargz(&[file], Footer::EStargz, min_chunk, |_| {});
        assert!(matches!(fail(&layer), FetchError::ChunkDigest { offset: 400, len: 500, .. }));
    }
    // Beyond the member's end, by a little and by all that a TOC may claim.
    for beyond in [100_u64, 1 << 39] {
        let layer = stargz(&[made("file", [&a])], Footer::EStargz, usize::MAX, |toc| {
            toc["entries"][0]["innerOffset"] = beyond.into();
        });
        let error = fail(&layer);
        let is_it = match &error {
            FetchError::ChunkDigest { .. } => beyond == 100,
            FetchError::Short { expected, actual, .. } => *expected == beyond + 400 && *actual == 1024,
            _ => false,
        };
        assert!(is_it, "{error}");
    }
    // Frames of the other kind.
    let layer = small(Footer::Zstd, 0);
    let mut other = small(Footer::EStargz, 0);
    other.blob[..layer.data_end.min(other.data_end)]
        .copy_from_slice(&layer.blob[..layer.data_end.min(other.data_end)]);
    assert!(matches!(fail(&other), FetchError::Undecodable { .. }));
}

#[test]
fn a_bomb_before_a_chunk_takes_no_memory() {
    let bomb = std::vec![0; 64 << 20];
    let a = noise(5, 400);
    let layer = stargz(&[made("bomb", [&bomb]), made("after", [&a])], Footer::EStargz, usize::MAX, |_| {});
    let mut inventory = Inventory::new();
    inventory.add_file(Digest::of(&bomb), bomb.len() as u64, crate::Class::from_bytes([1; 16]));
    let plan = plan_with(layer.vouched().toc(), &inventory, &trusting());
    let mut fetch = plan.start().1.next().unwrap();
    let range = fetch.remaining();
    let mut chunks = fetch.receive(&layer.blob[range.start as usize..range.end as usize]);
    assert_eq!(chunks.next_chunk().unwrap().unwrap().bytes, a);
    drop(chunks);
    assert!(fetch.buffer.capacity() <= super::super::PIECE);
    assert!(fetch.finish().is_ok());
}

#[test]
fn members_one_after_the_other_are_one_chunk() {
    let a = noise(5, 400);
    let layer = stargz(&[made("file", [&a])], Footer::EStargz, 0, |_| {});
    let at = gzip(&crate::testing::header("file", 400)).len();
    let parts = [gzip(b""), gzip(&a[..100]), gzip(&a[100..])].concat();
    let mut blob = layer.blob[..at].to_vec();
    blob.extend(parts);
    let toc = std::format!(
        r#"{{"version":1,"entries":[{{"type":"reg","name":"file","size":400,"offset":{at},"digest":"{}"}}]}}"#,
        Digest::of(&a)
    );
    let data_end = blob.len();
    blob.extend(gzip(&crate::testing::stargz::toc_tar(toc.as_bytes())));
    blob.extend(crate::testing::stargz::empty_member(std::format!("{data_end:016x}STARGZ").as_bytes(), true));
    let mut layer = Stargz { blob, data_end, ..layer };
    let key = layer.annotations.keys().next().unwrap().clone();
    layer.annotations.insert(key, Digest::of(toc.as_bytes()).to_string());
    let (files, _) = pull(&layer.blob, &planned(&layer, 1 << 20), &NONE, || 7).unwrap();
    assert!(files.values().all(|content| *content == a));
}

#[test]
fn a_toc_of_stargz_that_is_another_is_refused() {
    for footer in FOOTERS {
        let mut layer = small(footer, 0);
        let key = "containerd.io/snapshot/stargz/toc.digest";
        layer.annotations.insert(key.into(), Digest::EMPTY.to_string());
        let error = layer.read().unwrap_err();
        assert!(
            matches!(error, TocError::Digest { expected: Digest::EMPTY, .. }) && error.is_lie(),
            "{footer:?}"
        );
    }
}
