//! Bytes that nobody would write: they end in findings, and what is passed is what a pull would take.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::{claims, lines, verify};
use crate::testing::{Layer, OLD_BLOB, ZOO_BLOB, zoo_annotations};
use crate::toc::said::{Rules, Said};
use crate::verify::{Claims, Code, Findings, Verified, Verify, Weight};
use crate::{Digest, Limits, Unwrap, WholeFetch, compress};

fn flipped(at: usize, bit: u8) -> (Vec<u8>, Verified) {
    let mut blob = ZOO_BLOB.to_vec();
    blob[at] ^= 1 << bit;
    let verified = verify(&blob, claims(&blob, zoo_annotations(), Layer::zoo().diff_id()), 10_000);
    (blob, verified)
}

/// Whether a pull takes the blob, by file and whole.
fn is_taken(blob: &[u8]) -> bool {
    let layer = Layer { blob: blob.to_vec(), ..Layer::zoo() };
    let limits = Limits::default();
    let (mut unwrap, mut fetch) = (Unwrap::new(&limits), WholeFetch::new(&limits));
    let mut plain = unwrap.receive(blob);
    loop {
        match plain.next_piece() {
            Ok(None) => break,
            Ok(Some(piece)) => {
                let mut pieces = fetch.receive(piece);
                while let Ok(Some(_)) = pieces.next_piece() {}
            }
            Err(_) => return false,
        }
    }
    drop(plain);
    let whole =
        unwrap.finish(&Digest::of(blob)).is_ok_and(|blob| fetch.finish(blob, &layer.diff_id()).is_ok());
    whole && layer.fetched().is_ok()
}

#[test]
fn a_flipped_bit_where_the_layer_describes_itself() {
    // TOC and tar-split with their headers, and the footer.
    for at in (224_648..ZOO_BLOB.len()).step_by(61) {
        let (blob, verified) = flipped(at, 3);
        let passed = verified.findings.wrong() == 0;
        assert!(!passed || (blob[at] >> 4 == 5 && is_taken(&blob)), "{at}: {:#?}", lines(&verified));
    }
}

#[test]
fn what_is_above_a_limit() {
    let found = |limits: &Limits| {
        let mut verify = Verify::new(claims(ZOO_BLOB, zoo_annotations(), Layer::zoo().diff_id()), limits);
        while let Some(range) = verify.wants() {
            verify.offer(&ZOO_BLOB[range.start as usize..range.end as usize]);
        }
        verify.receive(ZOO_BLOB);
        let verified = verify.finish();
        let wrong = verified.findings.list().iter().filter(|finding| finding.weight == Weight::Wrong);
        wrong.map(|finding| finding.code).collect::<Vec<_>>()
    };
    let limits = Limits::default();
    let content = Limits { content: 100_000, ..limits };
    assert!(found(&content).contains(&Code::BlobTooLarge));
    assert_eq!(found(&Limits { toc: 100, ..limits }), [Code::Annotation, Code::Footer]);
    assert!(found(&Limits { entries: 10, ..limits }).contains(&Code::TocTooLarge));
    assert!(found(&Limits { tar_split: 46_393, ..limits }).contains(&Code::SplitRecord));
}

#[test]
fn many_small_xattrs_are_not_kept() {
    let xattrs: Vec<_> = (0..600).map(|number| alloc::format!("\"user.{number}\":\"\"")).collect();
    let entry = alloc::format!(r#"{{"type":"fifo","name":"a","xattrs":{{{}}}}}"#, xattrs.join(","));
    let json = alloc::format!(r#"{{"version":1,"entries":[{entry},{entry},{entry}]}}"#);
    for (entries, kept) in [(1000, 600), (1200, 1200), (1800, 1800)] {
        let limits = Limits { entries, ..Limits::default() };
        let rules = Rules { data_end: 9, inner_offsets: false, unique_names: false, limits: &limits };
        let mut findings = Findings::default();
        let said = Said::read(json.as_bytes(), &rules, &mut findings).unwrap();
        assert_eq!(said.entries.iter().map(|entry| entry.member.xattrs.len()).sum::<usize>(), kept);
        assert_eq!(findings.has(Code::TocTooLarge), kept < 1800);
    }
}

#[test]
fn a_blob_that_never_ends_is_given_up() {
    let bomb = compress(&alloc::vec![0; 1 << 20]).repeat(50);
    let limits = Limits { content: 10 << 20, ..Limits::default() };
    let mut verify = Verify::new(claims(&bomb, [].into(), Digest::EMPTY), &limits);
    verify.offer(&bomb[bomb.len() - 72..]);
    assert_eq!(verify.wants(), None);
    verify.receive(&bomb);
    let verified = verify.finish();
    assert!(verified.findings.has(Code::BlobTooLarge) && verified.frames < 12, "{:#?}", lines(&verified));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_passed_is_what_a_pull_takes(at in 0..ZOO_BLOB.len(), bit in 0..8_u8) {
        let (blob, verified) = flipped(at, bit);
        prop_assert!(verified.findings.wrong() > 0 || is_taken(&blob), "{} {:#?}", at, lines(&verified));
    }

    #[test]
    fn any_split_finds_the_same(at in 0..ZOO_BLOB.len(), steps in prop::collection::vec(1..50_000_usize, 1..9)) {
        let (blob, expected) = flipped(at, 0);
        let mut verify = Verify::new(claims(&blob, zoo_annotations(), Layer::zoo().diff_id()), &Limits::default());
        while let Some(range) = verify.wants() {
            verify.offer(&blob[range.start as usize..range.end as usize]);
        }
        let (mut rest, mut steps) = (&blob[..], steps.into_iter().cycle());
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(steps.next().unwrap().min(rest.len()));
            verify.receive(piece);
            rest = more;
        }
        prop_assert_eq!(verify.finish(), expected);
    }

    #[test]
    fn any_bytes_and_any_claims_end_in_findings(
        mut blob in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            (0..ZOO_BLOB.len()).prop_map(|len| ZOO_BLOB[..len].to_vec()),
            (0..OLD_BLOB.len()).prop_map(|from| OLD_BLOB[from..].to_vec()),
        ],
        size: u64,
        offsets in any::<[u32; 6]>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        withheld: bool,
    ) {
        for (at, byte) in changes {
            if let Some(len) = core::num::NonZero::new(blob.len()) {
                blob[at.index(len.get())] = byte;
            }
        }
        let mut annotations = zoo_annotations();
        let len = blob.len().max(1) as u32;
        let [a, b, c, d, e, f] = offsets.map(|offset| offset % len);
        let key = |end: &str| alloc::format!("io.github.containers.zstd-chunked.{end}");
        annotations.insert(key("manifest-position"), alloc::format!("{a}:{b}:{c}:1"));
        annotations.insert(key("tarsplit-position"), alloc::format!("{d}:{e}:{f}"));
        let claims = Claims { size, ..claims(&blob, annotations, Digest::EMPTY) };
        let mut verify = Verify::of_len(claims, blob.len() as u64, &Limits::default());
        while let Some(range) = verify.wants() {
            if withheld {
                verify.withhold("no");
            } else {
                verify.offer(&blob[range.start as usize..range.end as usize]);
            }
        }
        blob.chunks(1000).for_each(|piece| verify.receive(piece));
        prop_assert!(verify.finish().findings.wrong() > 0);
    }
}
