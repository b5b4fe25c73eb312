//! A layer read whole ends where a layer read by file does.

mod chunks;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec;

use proptest::prelude::*;

use super::{WholeError, WholeFetch, WholeLayer, WholePiece};
use crate::ledger::Ledger;
use crate::testing::{Files, GZIP_BLOB, Layer, ZOO_BLOB, ZOO_TAR, fixture_bytes};
use crate::{Agreed, DiffIdCheck, Digest, Kind, Limits, Toc, Unwrap, WholeBlob};

/// Pulls a blob whole; holes come out as zeros.
fn pull(
    blob: &[u8],
    diff_id: &Digest,
    limits: &Limits,
    cut: impl FnMut() -> usize,
) -> Result<(WholeLayer, Files), WholeError> {
    receive(blob, diff_id, WholeFetch::new(limits), cut)
}

fn receive(
    blob: &[u8],
    diff_id: &Digest,
    mut whole: WholeFetch,
    mut cut: impl FnMut() -> usize,
) -> Result<(WholeLayer, Files), WholeError> {
    let mut unwrap = Unwrap::new(&whole.limits);
    let (mut files, mut digests) = (Files::new(), BTreeMap::new());
    let (mut rest, mut current) = (blob, None);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(cut().min(rest.len()));
        rest = later;
        let mut plain = unwrap.receive(now);
        while let Some(piece) = plain.next_piece().unwrap() {
            let mut pieces = whole.receive(piece);
            while let Some(piece) = pieces.next_piece()? {
                match piece {
                    WholePiece::Begin { file, size } => {
                        assert_eq!(current, None);
                        current = Some(file);
                        files.insert(file, vec![0; size as usize]);
                    }
                    WholePiece::Data { offset, bytes } => {
                        let file = files.get_mut(&current.unwrap()).unwrap();
                        file[offset as usize..][..bytes.len()].copy_from_slice(bytes);
                    }
                    WholePiece::End { file, digest } => {
                        assert_eq!(current.take(), Some(file));
                        digests.insert(file, digest);
                    }
                }
            }
        }
    }
    let layer = whole.finish(unwrap.finish(&Digest::of(blob)).unwrap(), diff_id)?;
    for (file, content) in &files {
        let digest = Digest::of(content);
        assert_eq!(digests[file], digest);
        assert_eq!(layer.verified.toc().file(*file).unwrap().digest(), Some(&digest));
    }
    assert_eq!(files.len(), layer.verified.toc().files().count());
    Ok((layer, files))
}

fn pull_tar(tar: &[u8]) -> (WholeLayer, Files) {
    pull(tar, &Digest::of(tar), &Limits::default(), || 1000).unwrap()
}

/// Builds the tar again from what was kept.
fn assert_rebuilds(layer: &WholeLayer, files: &Files) {
    let split = layer.tar_split.as_ref().unwrap().read(&Limits::default()).unwrap();
    let toc = Toc::from_stored(&layer.verified.toc().to_stored(), &Limits::default()).unwrap();
    assert!(toc == **layer.verified.toc());
    let mut check = DiffIdCheck::thorough(Agreed::new(toc, split).unwrap());
    while let Some(file) = check.wants().unwrap() {
        check.receive(&files[&file]).unwrap();
    }
    let complete = Ledger::new(&Arc::default(), 0).close().unwrap();
    assert!(check.finish(complete, layer.verified.diff_id().unwrap()).is_ok());
}

#[test]
fn the_zoo_in_every_compression() {
    let zoo = Layer::zoo();
    let theirs = zoo.toc();
    for blob in [GZIP_BLOB, ZOO_BLOB, ZOO_TAR] {
        let (layer, files) = pull(blob, &zoo.diff_id(), &Limits::default(), || 10_000).unwrap();
        assert_eq!(layer.verified.diff_id(), Some(&zoo.diff_id()));
        assert!(files == zoo.contents());
        assert_rebuilds(&layer, &files);
        // Members and contents are those that podman wrote into its TOC.
        for (ours, theirs) in layer.verified.toc().entries().iter().zip(theirs.entries()) {
            assert_eq!((ours.member(), ours.digest()), (theirs.member(), theirs.digest()));
        }
        assert_eq!(layer.verified.toc().entries().len(), theirs.entries().len());
    }
}

#[test]
fn every_tar_that_can_be_read_is_kept() {
    for tar in [
        fixture_bytes!("tar/base256.tar"),
        fixture_bytes!("tar/global.tar"),
        fixture_bytes!("tar/gnu.tar"),
        fixture_bytes!("tar/gnu-times.tar"),
        fixture_bytes!("tar/link-size.tar"),
        fixture_bytes!("tar/lone-zero.tar"),
        fixture_bytes!("tar/long.tar"),
        fixture_bytes!("tar/no-end.tar"),
        fixture_bytes!("tar/not-utf8.tar"),
        fixture_bytes!("tar/oldgnu.tar"),
        fixture_bytes!("tar/pax-x.tar"),
        fixture_bytes!("tar/pax.tar"),
        fixture_bytes!("tar/signed.tar"),
        fixture_bytes!("tar/star.tar"),
        fixture_bytes!("tar/trailing.tar"),
        fixture_bytes!("tar/types.tar"),
        fixture_bytes!("tar/ustar.tar"),
        fixture_bytes!("tar/v7.tar"),
        b"",
        &[0; 1024],
    ] {
        let (layer, files) = pull_tar(tar);
        assert_rebuilds(&layer, &files);
    }
}

#[test]
fn sparse_files_have_the_digest_of_what_is_read_from_them() {
    for tar in [
        fixture_bytes!("tar/sparse-oldgnu.tar"),
        fixture_bytes!("tar/sparse-0.0.tar"),
        fixture_bytes!("tar/sparse-0.1.tar"),
        fixture_bytes!("tar/sparse-1.0.tar"),
    ] {
        // `pull` compares each digest with that of the content, holes filled.
        let (layer, files) = pull_tar(tar);
        assert!(layer.tar_split.is_none());
        assert!(files.values().any(|content| content.windows(4096).any(|window| window == [0; 4096])));
        assert!(!files.is_empty());
        // As a donor it is as good as any other.
        let toc = layer.verified.toc();
        assert!(Toc::from_stored(&toc.to_stored(), &Limits::default()).unwrap() == **toc);
    }
}

#[test]
fn another_tar_is_refused() {
    let error = pull(ZOO_TAR, &Digest::EMPTY, &Limits::default(), || 1 << 20).unwrap_err();
    assert_eq!(error, WholeError::DiffId { expected: Digest::EMPTY, actual: Digest::of(ZOO_TAR) });
    let cut = &ZOO_TAR[..100_000];
    let error = pull(cut, &Digest::of(cut), &Limits::default(), || 1 << 20).unwrap_err();
    assert!(matches!(error, WholeError::Tar(_)));
    let damaged = fixture_bytes!("tar/damaged.tar");
    assert!(pull(damaged, &Digest::of(damaged), &Limits::default(), || 1 << 20).is_err());
}

#[test]
fn padding_that_podman_4_3_dropped_is_put_back() {
    let blob = fixture_bytes!(
        "zoo/podman-4.3/blobs/sha256/b8474a99c8061bb57c1195fb1e0fdf79bf37278f593d24c08c1277fb1e3b1387"
    );
    let (layer, files) = pull(blob, &Digest::of(ZOO_TAR), &Limits::default(), || 4096).unwrap();
    assert_eq!(layer.padding, 4608);
    assert_rebuilds(&layer, &files);
    // Only zeros, and only to the end of the record.
    let mut other = ZOO_TAR.to_vec();
    *other.last_mut().unwrap() = 1;
    assert!(pull(blob, &Digest::of(&other), &Limits::default(), || 4096).is_err());
    let longer = [ZOO_TAR, &[0; 10_240]].concat();
    assert!(pull(blob, &Digest::of(&longer), &Limits::default(), || 4096).is_err());
}

#[test]
fn stargz_blobs_are_read_whole_and_their_tables_parse() {
    // DiffIDs from the README beside the blobs.
    let estargz = "sha256:976037823d3953a5150030024281243885d66a28746ebf2701ed9254b7d7ec61";
    let zstd = "sha256:d82d70a08358ef43d54d74ba052f251752cdf080303c25ba9ee622f75282481d";
    for (blob, diff_id) in
        [(fixture_bytes!("zoo/zoo.estargz"), estargz), (fixture_bytes!("zoo/zoo.stargz-zstd"), zstd)]
    {
        let (layer, files) = pull(blob, &diff_id.parse().unwrap(), &Limits::default(), || 7777).unwrap();
        assert_rebuilds(&layer, &files);
        let toc = layer.verified.toc();
        let plain = |name: &[u8]| name.strip_prefix(b"./").unwrap_or(name).to_vec();
        let named =
            |name: &[u8]| toc.files().find(|(_, entry)| plain(entry.member().name.as_bytes()) == plain(name));
        let tool = named(b"usr/bin/tool").expect("the zoo's largest file").0;
        assert_eq!(files[&tool].len(), 300_000);
        // eStargz keeps its table in the tar; what it says of every file is what the tar holds.
        let Some((table, _)) = named(b"stargz.index.json") else { continue };
        let theirs = Toc::from_stored(&files[&table], &Limits::default()).unwrap();
        assert_eq!(theirs.files().count() + 1, toc.files().count());
        for (_, entry) in theirs.files() {
            let ours = named(entry.member().name.as_bytes()).expect("a file of the tar").1;
            assert_eq!((ours.digest(), ours.member().size), (entry.digest(), entry.member().size));
        }
    }
}

fn blob_proof(blob: &[u8]) -> WholeBlob {
    let mut unwrap = Unwrap::new(&Limits::default());
    let mut plain = unwrap.receive(blob);
    while plain.next_piece().unwrap().is_some() {}
    unwrap.finish(&Digest::of(blob)).unwrap()
}

#[test]
fn an_error_repeats_and_a_guard_dropped_early_is_one() {
    let limits = Limits { content: 100_000, ..Limits::default() };
    let mut whole = WholeFetch::new(&limits);
    let mut pieces = whole.receive(ZOO_TAR);
    let error = loop {
        if let Err(error) = pieces.next_piece() {
            break error;
        }
    };
    assert!(matches!(error, WholeError::TooLarge { limit: 100_000, .. }));
    assert_eq!(pieces.next_piece().unwrap_err(), error);
    drop(pieces);
    assert_eq!(whole.finish(blob_proof(ZOO_TAR), &Digest::of(ZOO_TAR)).unwrap_err(), error);

    let mut whole = WholeFetch::new(&Limits::default());
    let mut pieces = whole.receive(ZOO_TAR);
    assert!(pieces.next_piece().unwrap().is_some());
    drop(pieces);
    let error = whole.finish(blob_proof(ZOO_TAR), &Digest::of(ZOO_TAR)).unwrap_err();
    assert!(matches!(error, WholeError::Tar(_)));
}

#[test]
fn devices_links_and_empty_files_bring_no_pieces() {
    let (layer, files) = pull_tar(ZOO_TAR);
    for (index, entry) in layer.verified.toc().entries().iter().enumerate() {
        let member = entry.member();
        let file = crate::toc::FileId::new(index);
        assert_eq!(files.contains_key(&file), entry.is_file(), "{}", member.name);
        if member.kind == Kind::Regular && member.size == 0 {
            assert_eq!(entry.digest(), Some(&Digest::EMPTY));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn any_split_gives_the_same(
        cuts in prop::collection::vec(prop_oneof![1..600_usize, 1..40_000_usize], 1..30)
    ) {
        let zoo = Layer::zoo();
        let (expected, _) = pull_tar(ZOO_TAR);
        for blob in [GZIP_BLOB, ZOO_BLOB, ZOO_TAR] {
            let mut next = cuts.iter().cycle();
            let cut = || *next.next().unwrap();
            let (layer, files) = pull(blob, &zoo.diff_id(), &Limits::default(), cut).unwrap();
            prop_assert!(files == zoo.contents());
            prop_assert!(layer.verified.toc() == expected.verified.toc());
            let lines = |layer: &WholeLayer| layer.tar_split.as_ref().unwrap().read(&Limits::default());
            prop_assert!(lines(&layer) == lines(&expected));
        }
    }
}

#[test]
fn zeros_without_end_are_given_up_and_not_kept() {
    let bomb = crate::compress(&vec![0; 1 << 20]).repeat(20);
    let limits = Limits { content: 10 << 20, ..Limits::default() };
    let mut whole = WholeFetch::new(&limits);
    let mut unwrap = Unwrap::new(&limits);
    let mut plain = unwrap.receive(&bomb);
    let mut len = 0;
    let error = loop {
        let piece = plain.next_piece().unwrap().unwrap();
        len += piece.len() as u64;
        if let Err(error) = whole.receive(piece).next_piece() {
            break error;
        }
    };
    assert_eq!(error, WholeError::TooLarge { len, limit: 10 << 20 });
    assert!(len < 11 << 20);
    // What can be read but not written down as a tar-split is proven all the same.
    let tar = [ZOO_TAR, &vec![0; 100_000]].concat();
    for limits in [
        Limits { tar_split: 100_000, ..Limits::default() },
        Limits { tar_split_compressed: 1000, ..Limits::default() },
    ] {
        let (layer, _) = pull(&tar, &Digest::of(&tar), &limits, || 1000).unwrap();
        assert!(layer.tar_split.is_none());
    }
    let (layer, files) = pull_tar(&tar);
    assert_rebuilds(&layer, &files);
}
