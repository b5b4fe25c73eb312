//! Footers of gzip, and TOCs that the end of a blob leads to.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::locate::footer::MAGIC;
use crate::testing::stargz::{FOOTERS, Footer, Stargz, empty_member, stargz, trusting};
use crate::testing::{OLD_BLOB, fixture_bytes, made, noise};
use crate::{Cost, ExternalToc, Located, Policy, TailFetch, TailFound, VouchedToc};

const ZOO: &[u8] = fixture_bytes!("zoo/zoo.estargz");
const ZOO_DIGEST: &str = "sha256:bd5800ce15760a09d962b8c4a664d3c5f90dd8a4f8cf416b586098d88fc28551";
const ZOO_ZSTD: &[u8] = fixture_bytes!("zoo/zoo.stargz-zstd");
const ZOO_ZSTD_DIGEST: &str = "sha256:f55996efdc74c96d9ea1fde26ef15b2202729d4b7de6c4bcdf5219fa8ced538b";
const OLD_DIGEST: &str = "sha256:45abde6c759ab7799b953e088378176070fdf1e4923052291b8dbb484e810a27";

fn tail_of(pairs: &[(&str, &str)], blob_len: usize, policy: &Policy) -> TailFetch {
    let annotations = pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let located = Located::from_annotations(&annotations, blob_len as u64, policy).unwrap().unwrap();
    assert!(!located.may_have_tar_split());
    assert_eq!(located.vouched().unwrap().to_string(), pairs[0].1);
    match located {
        Located::Tail(tail) => tail,
        Located::Annotated(locator) => panic!("{locator:?}"),
    }
}

fn finish(mut tail: TailFetch, blob: &[u8]) -> Result<TailFound, LocateError> {
    let owed = tail.remaining();
    // Byte by byte, and more than is owed.
    for byte in &blob[owed.start as usize..] {
        tail.receive(core::slice::from_ref(byte));
    }
    tail.receive(b"more");
    tail.finish()
}

fn read(tail: TailFetch, blob: &[u8]) -> (VouchedToc, bool) {
    let Ok(TailFound::Here(mut fetch)) = finish(tail, blob) else { panic!() };
    let owed = fetch.remaining();
    fetch.receive(&blob[owed.start as usize..owed.end as usize]);
    assert!(fetch.remaining().is_empty());
    (VouchedToc::new(fetch.finish().unwrap().toc).unwrap(), owed.is_empty())
}

/// A policy under which the tail that is asked for first is so long.
fn asking(bytes: u64) -> Policy {
    Policy { cost: Cost { round_trip_us: 1_000_000, bytes_per_second: bytes, in_flight: 8 }, ..trusting() }
}

#[test]
fn the_footers_of_stargz() {
    let limits = Limits::default();
    let footer = |tail: &[u8], blob_len| Locator::from_footer(tail, blob_len, &limits);
    let locator = footer(ZOO, ZOO.len() as u64).unwrap().unwrap();
    assert_eq!(
        (locator.form(), locator.range(), locator.data_end()),
        (Form::EStargz, 244_406..246_646, 244_406)
    );
    assert_eq!(locator.vouched(), None);
    for (named, len) in [(true, 51), (false, 47)] {
        let end = |field: &[u8]| empty_member(field, named);
        assert_eq!(end(b"0000000000000064STARGZ").len(), len);
        let locator = footer(&end(b"0000000000000064STARGZ"), 1000).unwrap().unwrap();
        assert_eq!((locator.form(), locator.range()), (Form::EStargz, 100..1000 - len as u64));
        // At the footer, after it, nowhere.
        for digits in [
            "00000000000003e7",
            "00000000000003e8",
            "ffffffffffffffff",
            "000000000000000x",
            "+000000000000064",
        ] {
            let error = footer(&end(&[digits.as_bytes(), b"STARGZ"].concat()), 1000);
            assert!(matches!(error, Err(LocateError::FooterPosition { .. })), "{digits}: {error:?}");
        }
        for none in [&b"0000000000000064STARGX"[..], b"0000000000000064STARG", b"064STARGZ"] {
            assert_eq!(footer(&end(none), 1000), Ok(None));
        }
        // Each byte that says that it is a footer at all; time, level and system say nothing.
        let whole = end(b"0000000000000064STARGZ");
        for at in (0..len).filter(|at| !(4..10).contains(at) && !(len - 35..len - 19).contains(at)) {
            let mut wrong = whole.clone();
            wrong[at] ^= 1;
            assert_eq!(footer(&wrong, 1000), Ok(None), "{at}");
        }
        let long = Limits { toc_compressed: 800, ..limits };
        assert!(matches!(Locator::from_footer(&whole, 1000, &long), Err(LocateError::TooLarge { .. })));
    }
    assert_eq!(empty_member(b"STARGZEXTERNALTOC", true).len(), 46);
    assert_eq!(footer(&empty_member(b"STARGZEXTERNALTOC", true), 1000), Ok(None), "it is not in this blob");
}

#[test]
fn annotations_that_say_what_but_not_where() {
    let policy = Policy::default();
    let (zoo, in_one) = read(tail_of(&[(ESTARGZ_DIGEST, ZOO_DIGEST)], ZOO.len(), &policy), ZOO);
    assert!(in_one, "the TOC of a small layer comes with the footer");
    assert_eq!(zoo.toc().vouched().unwrap().to_string(), ZOO_DIGEST);
    // Stargz-snapshotter's zstd:chunked, of which a registry kept one annotation.
    let tail = tail_of(&[(ESTARGZ_DIGEST, ZOO_ZSTD_DIGEST)], ZOO_ZSTD.len(), &policy);
    let (zstd, _) = read(tail, ZOO_ZSTD);
    let names = |toc: &VouchedToc| {
        toc.toc().entries().iter().map(|entry| entry.member().name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&zoo), names(&zstd));
    assert!(names(&zoo).iter().all(|name| !name.contains("landmark")));
    // Podman 4.3's, without the position.
    let (old, _) = read(tail_of(&[(OLD_CHECKSUM, OLD_DIGEST)], OLD_BLOB.len(), &policy), OLD_BLOB);
    assert_eq!(names(&old), names(&zoo));
    // Digests of something else, and blobs that end in nothing.
    let other = finish(tail_of(&[(ESTARGZ_DIGEST, SUM)], ZOO.len(), &policy), ZOO).unwrap();
    let TailFound::Here(fetch) = other else { panic!() };
    assert!(fetch.finish().unwrap_err().is_lie());
    let none = finish(tail_of(&[(ESTARGZ_DIGEST, SUM)], 500, &policy), &[7; 500]);
    assert_eq!(none.unwrap_err(), LocateError::NoFooter);
    let cut = tail_of(&[(ESTARGZ_DIGEST, SUM)], 500, &policy).finish();
    assert_eq!(cut.unwrap_err(), LocateError::TailCut { at: 0, blob_len: 500 });
    let bad = [(ESTARGZ_DIGEST.to_string(), "sha256:x".to_string())].into();
    assert!(matches!(Located::from_annotations(&bad, 9, &policy), Err(LocateError::Malformed { .. })));
    assert!(Located::from_annotations(&BTreeMap::new(), 9, &policy).unwrap().is_none());
}

#[test]
fn todays_annotations_win_over_all_others() {
    let key = |key: &str, value: &str| (key.to_string(), value.to_string());
    let today = [key(CHECKSUM, SUM), key(POSITION, "100:10:20:1"), key(OLD_CHECKSUM, OLD_DIGEST)];
    let located = Located::from_annotations(&today.clone().into(), 999, &trusting()).unwrap().unwrap();
    let Located::Annotated(locator) = located else { panic!("{located:?}") };
    assert_eq!((locator.form(), locator.vouched()), (Form::Today, Some(&SUM.parse().unwrap())));
    let two = today.into_iter().chain([key(ESTARGZ_DIGEST, SUM)]).collect();
    assert_eq!(Located::from_annotations(&two, 999, &trusting()).unwrap_err(), LocateError::TwoTocs);
}

/// One digest names one tree, whatever footer leads to the TOC.
#[test]
fn what_stargzs_digest_names_is_read_as_stargzs() {
    let today =
        crate::testing::layer(&[made(".prefetch.landmark", [b"\x0f"]), made("a", [&noise(1, 100)])], |_| {});
    let (locator, mut blob) = (today.locator(), today.blob);
    let span = |span: &Span| [span.range.start, span.range.end - span.range.start, span.plain_len];
    let (toc, split) = (span(locator.toc()), span(locator.tar_split().unwrap()));
    let json = crate::decompress(&blob[toc[0] as usize..][..toc[1] as usize], toc[2]).unwrap();
    blob.extend([&toc[..], &[1], &split[..]].concat().into_iter().flat_map(u64::to_le_bytes));
    blob.extend(MAGIC);
    assert_eq!(
        Locator::from_footer(&blob, blob.len() as u64, &Limits::default()).unwrap().unwrap().range(),
        locator.range()
    );
    let digest = Digest::of(&json).to_string();
    let tail = tail_of(&[(ESTARGZ_DIGEST, &digest)], blob.len(), &trusting());
    let Ok(TailFound::Here(fetch)) = finish(tail, &blob) else { panic!() };
    let fetched = fetch.finish().unwrap();
    let names = fetched.toc.entries().iter().map(|entry| entry.member().name.to_string());
    assert_eq!(names.collect::<Vec<_>>(), ["\"a\""]);
    assert!(fetched.tar_split.is_none());
}

#[test]
fn both_of_stargzs_digests_must_be_right() {
    for key in ["containerd.io/snapshot/stargz/toc.digest", OLD_CHECKSUM] {
        let mut layer = stargz(&[made("a", [&noise(1, 100)])], Footer::Zstd, 0, |_| {});
        assert_eq!(
            layer.read().unwrap().vouched(),
            Some(&layer.annotations[ESTARGZ_DIGEST].parse().unwrap())
        );
        layer.annotations.insert(key.into(), SUM.into());
        assert!(layer.read().unwrap_err().is_lie(), "{key}");
    }
}

/// What the annotations and these blobs lead to, if to anything.
fn followed(layer: &Stargz) -> Option<crate::Toc> {
    let located = Located::from_annotations(&layer.annotations, layer.blob.len() as u64, &trusting());
    let Located::Tail(mut tail) = located.unwrap().unwrap() else { panic!() };
    tail.receive(&layer.blob[tail.remaining().start as usize..]);
    let (mut fetch, blob) = match tail.finish().ok()? {
        TailFound::Here(fetch) => (fetch, &layer.blob),
        TailFound::External(toc) => (toc.fetch(layer.toc_blob.len() as u64).ok()?, &layer.toc_blob),
    };
    let owed = fetch.remaining();
    fetch.receive(&blob[owed.start as usize..owed.end as usize]);
    Some(fetch.finish().ok()?.toc)
}

#[test]
fn no_flipped_bit_of_a_toc_or_a_footer_is_believed() {
    for footer in [Footer::EStargz, Footer::External, Footer::Legacy] {
        let mut layer = stargz(&[made("a", [&noise(1, 100)])], footer, 0, |_| {});
        let expected = followed(&layer).unwrap();
        let mut refused = 0;
        let mut check = |toc: Option<crate::Toc>, bit: usize| match toc {
            // A bit of gzip's that means nothing, or one that moves where the data ends without moving a frame.
            Some(toc) => {
                assert!(toc.vouched() == expected.vouched() && toc.entries() == expected.entries(), "{bit}");
            }
            None => refused += 1,
        };
        for bit in layer.data_end * 8..layer.blob.len() * 8 {
            layer.blob[bit / 8] ^= 1 << (bit % 8);
            check(followed(&layer), bit);
            layer.blob[bit / 8] ^= 1 << (bit % 8);
        }
        for bit in 0..layer.toc_blob.len() * 8 {
            layer.toc_blob[bit / 8] ^= 1 << (bit % 8);
            check(followed(&layer), bit);
            layer.toc_blob[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(refused > 2_000, "{footer:?}: {refused}");
    }
}

#[test]
fn a_toc_in_another_image() {
    let layer = stargz(&[made("a", [&noise(1, 100)])], Footer::External, 0, |_| {});
    let tail =
        || tail_of(&[(ESTARGZ_DIGEST, &layer.annotations[ESTARGZ_DIGEST])], layer.blob.len(), &trusting());
    let external = || -> ExternalToc {
        match finish(tail(), &layer.blob).unwrap() {
            TailFound::External(toc) => toc,
            TailFound::Here(fetch) => panic!("{fetch:?}"),
        }
    };
    let fetch = external().fetch(layer.toc_blob.len() as u64).unwrap();
    assert_eq!(fetch.remaining(), 0..layer.toc_blob.len() as u64);
    assert!(matches!(external().fetch(0), Err(LocateError::FooterPosition { .. })));
    assert!(matches!(external().fetch(1 << 40), Err(LocateError::TooLarge { .. })));
    assert_eq!(layer.read().unwrap().files().count(), 1);
}

fn layer(footer: Footer) -> Stargz {
    stargz(&[made("a", [&noise(1, 300)]), made("b", [&noise(2, 700), &noise(3, 90)])], footer, 0, |_| {})
}

proptest! {
    #[test]
    fn however_long_the_tail_the_toc_is_the_same(bytes in 0..4_000_u64, footer in 0..4_usize) {
        let mut layer = layer(FOOTERS[footer]);
        let expected = layer.read().unwrap();
        layer.annotations.retain(|key, _| key == ESTARGZ_DIGEST);
        let policy = asking(bytes);
        let located = Located::from_annotations(&layer.annotations, layer.blob.len() as u64, &policy);
        let Located::Tail(tail) = located.unwrap().unwrap() else { panic!() };
        let asked = tail.remaining();
        prop_assert_eq!(asked.end, layer.blob.len() as u64);
        prop_assert_eq!(asked.end - asked.start, bytes.max(64).min(asked.end));
        prop_assert_eq!(layer.fetch(&policy).finish().unwrap().toc, expected);
    }

    #[test]
    fn any_tail_is_no_panic(mut tail in prop::collection::vec(any::<u8>(), 0..100), end in 0..4_usize) {
        let blob = layer(FOOTERS[end]).blob;
        tail.extend_from_slice(&blob[blob.len() - 51 + tail.len() % 51..]);
        drop(Locator::from_footer(&tail, tail.len() as u64, &Limits::default()));
    }
}
