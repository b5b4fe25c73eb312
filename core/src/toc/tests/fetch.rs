//! What the bytes of TOC and tar-split may not be.

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;
use alloc::{format, vec};

use crate::testing::{Layer, layer, made, noise};
use crate::{
    BadTarSplit, CompressedTarSplit, Digest, Fetched, Limits, Locator, ProvenTarSplit, TocError, TocFetch,
    compress,
};

fn small() -> Layer {
    layer(&[made("a", [&noise(1, 100)])], |_| {})
}

/// Puts a compressed TOC after eight bytes and asks for it.
fn offered(compressed: &[u8], plain_len: usize) -> Result<Fetched, TocError> {
    let blob = [&[0; 8], compressed].concat();
    let key = |end: &str| format!("io.github.containers.zstd-chunked.manifest-{end}");
    let position = format!("8:{}:{plain_len}:1", compressed.len());
    let annotations =
        BTreeMap::from([(key("checksum"), Digest::of(compressed).to_string()), (key("position"), position)]);
    let locator = Locator::from_annotations(&annotations, blob.len() as u64, &Limits::default());
    let mut fetch = TocFetch::new(locator.unwrap().unwrap(), Limits::default());
    fetch.receive(&blob[8..]);
    fetch.finish()
}

#[test]
fn a_toc_with_another_digest() {
    let mut layer = small();
    let toc = layer.locator().toc().range.clone();
    let expected = Digest::of(&layer.blob[toc.start as usize..toc.end as usize]);
    layer.blob[toc.start as usize + 9] ^= 1;
    let actual = Digest::of(&layer.blob[toc.start as usize..toc.end as usize]);
    let error = layer.fetched().unwrap_err();
    assert_eq!(error, TocError::Digest { expected, actual });
    assert_eq!(error.to_string(), format!("the TOC is {actual}, the manifest says {expected}"));
    assert!(error.is_lie());
}

#[test]
fn every_flipped_bit_of_toc_and_tar_split_is_found() {
    let mut layer = small();
    let spans = [layer.locator().toc().range.clone(), layer.locator().tar_split().unwrap().range.clone()];
    for at in spans.into_iter().flatten() {
        for bit in 0..8 {
            layer.blob[at as usize] ^= 1 << bit;
            assert!(layer.fetched().unwrap_err().is_lie());
            layer.blob[at as usize] ^= 1 << bit;
        }
    }
    assert!(layer.fetched().is_ok());
}

#[test]
fn a_range_cut_short() {
    let layer = small();
    let mut fetch = TocFetch::new(layer.locator(), Limits::default());
    let range = fetch.remaining();
    fetch.receive(&layer.blob[range.start as usize..range.end as usize - 1]);
    assert_eq!(fetch.remaining(), range.end - 1..range.end);
    let expected = range.end - range.start;
    assert_eq!(fetch.finish().unwrap_err(), TocError::Truncated { expected, actual: expected - 1 });
}

#[test]
fn a_toc_that_is_a_bomb() {
    let json = br#"{"version":1,"entries":[]}"#;
    assert!(offered(&compress(json), json.len()).is_ok());
    // A claim that is too large is no harm.
    assert!(offered(&compress(json), json.len() + 1000).is_ok());
    let error = offered(&compress(json), json.len() - 1).unwrap_err();
    assert_eq!(error, TocError::PlainLen { expected: 25 });
    assert!(error.is_lie() && error.to_string().contains("25 bytes"));

    let zeros = compress(&vec![b' '; 64 << 20]);
    assert!(zeros.len() < 16 << 10);
    assert_eq!(offered(&zeros, 1000).unwrap_err(), TocError::PlainLen { expected: 1000 });
    // Many frames are no way round it.
    let many = compress(&vec![b' '; 1 << 20]).repeat(64);
    assert_eq!(offered(&many, 1000).unwrap_err(), TocError::PlainLen { expected: 1000 });
    assert!(matches!(offered(b"no zstd at all", 100).unwrap_err(), TocError::Zstd { .. }));
    let half = compress(json);
    assert!(matches!(offered(&half[..half.len() - 5], 100).unwrap_err(), TocError::Zstd { .. }));
}

#[test]
fn many_small_entries_are_stopped_at_the_limit() {
    let entry = r#"{"type":"fifo","name":"a"}"#;
    let json = format!(r#"{{"version":1,"entries":[{}{entry}]}}"#, format!("{entry},").repeat(1000));
    let limits = Limits { entries: 1000, ..Limits::default() };
    assert_eq!(super::parse_within(&json, &limits).unwrap_err(), TocError::TooMany { limit: 1000 });
}

#[test]
fn many_small_xattrs_are_stopped_at_the_limit() {
    let xattrs: Vec<_> = (0..600).map(|number| format!("\"user.{number}\":\"\"")).collect();
    let entry = format!(r#"{{"type":"fifo","name":"a","xattrs":{{{}}}}}"#, xattrs.join(","));
    let json = format!(r#"{{"version":1,"entries":[{entry},{entry}]}}"#);
    let limits = Limits { entries: 1000, ..Limits::default() };
    assert_eq!(super::parse_within(&json, &limits).unwrap_err(), TocError::TooMany { limit: 1000 });
    assert!(super::parse_within(&json, &Limits { entries: 1200, ..Limits::default() }).is_ok());
}

#[test]
fn a_tar_split_with_another_digest() {
    let layer = layer(&[made("a", [&noise(1, 100)])], |toc| {
        toc["tarSplitDigest"] = Digest::EMPTY.to_string().into();
    });
    let error = layer.fetched().unwrap_err();
    assert!(matches!(error, TocError::TarSplitDigest { expected: Digest::EMPTY, .. }) && error.is_lie());
    assert_eq!(side_by_side(&layer).unwrap_err(), error);
}

#[test]
fn a_tar_split_that_nothing_vouches_for_is_not_kept() {
    let layer = layer(&[made("a", [&noise(1, 100)])], |toc| {
        drop(toc.as_object_mut().unwrap().remove("tarSplitDigest"));
    });
    assert_eq!(layer.fetched().unwrap().tar_split, None);
    assert!(side_by_side(&layer).unwrap().1.is_none());
}

/// Reads TOC and tar-split without waiting for either, on two threads.
fn side_by_side(layer: &Layer) -> Result<(crate::Toc, Option<ProvenTarSplit>), TocError> {
    let (toc, tar_split) = layer.fetch().split()?;
    let tar_split = std::thread::spawn(move || tar_split.map(|bytes| bytes.read(&Limits::default())));
    let toc = std::thread::spawn(|| toc.read()).join().unwrap()?;
    let tar_split = tar_split.join().unwrap().map(|tar_split| tar_split.prove(&toc)).transpose()?;
    Ok((toc, tar_split.flatten()))
}

#[test]
fn side_by_side_comes_to_the_same() {
    for layer in [Layer::zoo(), small()] {
        let Fetched { toc, tar_split } = layer.fetched().unwrap();
        let (other, proven) = side_by_side(&layer).unwrap();
        let ProvenTarSplit { compressed, records } = proven.unwrap();
        assert!(toc == other && tar_split.as_ref() == Some(&compressed));
        assert_eq!(records, compressed.read(&Limits::default()));
        assert!(records.is_ok());
    }
}

#[test]
fn what_is_wrong_with_a_tar_split_is_told_only_if_the_toc_vouches_for_it() {
    let mut layer = small();
    let span = layer.locator().tar_split().unwrap().range.clone();
    let bytes = &mut layer.blob[span.start as usize..span.end as usize];
    bytes.fill(b'x');
    let actual = Digest::of(bytes);
    let error = side_by_side(&layer).unwrap_err();
    assert!(matches!(error, TocError::TarSplitDigest { actual: found, .. } if found == actual));

    let wrong = layer.fetch().split().unwrap().1.unwrap().read(&Limits::default());
    let json = format!(r#"{{"version":1,"tarSplitDigest":"{actual}"}}"#);
    let proven = wrong.prove(&super::parse(&json).unwrap()).unwrap().unwrap();
    assert!(matches!(proven.records, Err(BadTarSplit::Zstd { .. })));
}

#[test]
fn a_tar_split_that_is_a_bomb() {
    let limits = Limits::default();
    let lines = vec![b'\n'; 32 << 20];
    let bomb = CompressedTarSplit::from_store(compress(&lines), 1000);
    let error = bomb.read(&limits).unwrap_err();
    assert_eq!(error, BadTarSplit::PlainLen { expected: 1000 });
    assert!(error.is_lie() && error.to_string().contains("1000 bytes"));
    // One that says how long it is goes over the limit instead.
    let mut limits = limits;
    limits.tar_split = 1 << 20;
    let bomb = CompressedTarSplit::from_store(compress(&lines), 32 << 20);
    assert!(matches!(bomb.read(&limits).unwrap_err(), BadTarSplit::Records(_)));
    let cut: Vec<u8> = compress(b"{}");
    let cut = CompressedTarSplit::from_store(cut[..cut.len() - 1].to_vec(), 100);
    assert!(matches!(cut.read(&limits).unwrap_err(), BadTarSplit::Zstd { .. }));
}
