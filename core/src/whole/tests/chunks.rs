//! The chunks of a layer read whole are those that a zstd:chunked writer would have cut.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::*;
use crate::testing::noise;
use crate::{Body, Chunk, Recut};

fn pull_cut(blob: &[u8], diff_id: &Digest, cut: impl FnMut() -> usize) -> (WholeLayer, Files) {
    receive(blob, diff_id, WholeFetch::with_chunks(&Limits::default()), cut).unwrap()
}

/// The chunks of every file by its name, without places in a blob.
fn chunks(toc: &Toc) -> BTreeMap<String, Vec<Chunk>> {
    let unlocated = |chunk: &Chunk| Chunk {
        body: if chunk.body == Body::Zeros { Body::Zeros } else { Body::Unlocated },
        ..chunk.clone()
    };
    let of = |entry| toc.chunks(entry).iter().map(unlocated).collect();
    toc.files().map(|(_, entry)| (entry.member().name.to_string(), of(entry))).collect()
}

/// A tar of one file in the form of `core/src/testing.rs`.
fn tar_of(content: &[u8]) -> Vec<u8> {
    crate::testing::layer(&[crate::testing::made("f", [content])], |_| {}).tar
}

fn only(toc: &Toc) -> Vec<Chunk> {
    let [chunks] = <[_; 1]>::try_from(chunks(toc).into_values().collect::<Vec<_>>()).unwrap();
    chunks
}

#[test]
fn the_zoos_are_podmans() {
    let zoo = Layer::zoo();
    let theirs = chunks(&zoo.toc());
    assert!(theirs.values().any(|chunks| chunks.len() > 2));
    assert!(theirs.values().flatten().any(|chunk| chunk.body == Body::Zeros));
    for blob in [GZIP_BLOB, ZOO_BLOB, ZOO_TAR] {
        let (layer, files) = pull_cut(blob, &zoo.diff_id(), || 10_000);
        assert_eq!(chunks(layer.verified.toc()), theirs);
        assert!(files == zoo.contents());
        assert_rebuilds(&layer, &files);
    }
}

#[test]
fn who_did_not_ask_gets_none() {
    let (layer, _) = pull_tar(ZOO_TAR);
    let toc = layer.verified.toc();
    for (_, entry) in toc.files() {
        let [Chunk { offset: 0, len, digest, body: Body::Unlocated, .. }] = toc.chunks(entry) else {
            panic!("{}", entry.member().name)
        };
        assert_eq!((len, Some(digest)), (&entry.member().size, entry.digest()));
    }
}

#[test]
fn a_sparse_file_is_cut_as_it_reads() {
    for tar in [
        fixture_bytes!("tar/sparse-oldgnu.tar"),
        fixture_bytes!("tar/sparse-0.0.tar"),
        fixture_bytes!("tar/sparse-0.1.tar"),
        fixture_bytes!("tar/sparse-1.0.tar"),
    ] {
        let (layer, files) = pull_cut(tar, &Digest::of(tar), || 1000);
        let toc = layer.verified.toc();
        for (file, content) in &files {
            let filled = tar_of(content);
            let (plain, _) = pull_cut(&filled, &Digest::of(&filled), || 1000);
            assert_eq!(toc.chunks(toc.file(*file).unwrap()), only(plain.verified.toc()));
        }
        assert!(chunks(toc).values().flatten().any(|chunk| chunk.body == Body::Zeros));
        assert!(Toc::from_stored(&toc.to_stored(), &Limits::default()).unwrap() == **toc);
    }
}

#[test]
fn files_read_back_are_cut_alike() {
    let (uncut, files) = pull_tar(ZOO_TAR);
    let (cut, _) = pull_cut(ZOO_TAR, &Digest::of(ZOO_TAR), || 1000);
    for piece in [1, 700, 1 << 20] {
        let mut recut = Recut::new(Arc::clone(uncut.verified.toc()), &Limits::default());
        let mut seen = 0;
        while let Some(file) = recut.wants() {
            files[&file].chunks(piece).for_each(|bytes| recut.receive(bytes));
            assert!(recut.settle());
            assert!(!recut.settle(), "once");
            seen += 1;
        }
        assert_eq!(seen, files.len());
        assert!(recut.finish() == **cut.verified.toc());
    }
    // Those that are cut are not read again.
    let mut again = Recut::new(Arc::clone(cut.verified.toc()), &Limits::default());
    let mut left = 0;
    while let Some(file) = again.wants() {
        assert_eq!(cut.verified.toc().chunks(cut.verified.toc().file(file).unwrap()).len(), 1);
        left += 1;
    }
    assert!((1..files.len()).contains(&left));
    assert!(again.finish() == **cut.verified.toc());
}

#[test]
fn a_file_that_is_another_or_not_read_stays_as_it_is() {
    let (uncut, files) = pull_tar(ZOO_TAR);
    let toc = uncut.verified.toc();
    let mut recut = Recut::new(Arc::clone(toc), &Limits::default());
    let mut number = 0;
    while let Some(file) = recut.wants() {
        let mut content = files[&file].clone();
        number += 1;
        match number % 3 {
            // Not read to its end, with and without noticing.
            0 => recut.receive(&content[..content.len() / 2]),
            1 => {
                recut.receive(&content[..content.len() / 2]);
                assert!(!recut.settle());
            }
            _ => {
                *content.last_mut().unwrap() ^= 1;
                recut.receive(&content);
                assert!(!recut.settle());
            }
        }
    }
    assert!(number > 3);
    assert!(recut.finish() == **toc);
}

/// A file may hold a chunk for each of its bytes; what a TOC may hold is limited.
#[test]
fn chunks_over_the_limit_are_none_and_nothing_else_changes() {
    // Ends among zeros that the chunker holds back, and in a hole.
    let ends: [&[u8]; 3] = [&[0; 1000], &[0; 5000], b"end"];
    for end in ends {
        let content = [&noise(5, 400_000)[..], &[0; 700], &noise(6, 300_000), end].concat();
        let tar = tar_of(&content);
        let whole = |limits: &Limits| {
            let (layer, files) =
                receive(&tar, &Digest::of(&tar), WholeFetch::with_chunks(limits), || 999).unwrap();
            assert!(files.into_values().next().unwrap() == content);
            only(layer.verified.toc())
        };
        let all = whole(&Limits::default());
        assert!(all.len() > 3);
        // One member, and the chunks after its first: as many lines as chunks.
        assert_eq!(whole(&Limits { entries: all.len(), ..Limits::default() }), all);
        for entries in 1..all.len() {
            assert_eq!(whole(&Limits { entries, ..Limits::default() }).len(), 1, "{entries}");
        }
        let (uncut, _) = pull_tar(&tar);
        for bytes in [10, 1000] {
            let toc = u64::try_from(uncut.verified.toc().to_stored().len()).unwrap() + bytes;
            assert_eq!(whole(&Limits { toc, ..Limits::default() }).len(), 1);
        }
    }
}

#[test]
fn a_small_limit_for_the_text_counts_names_as_they_are_written() {
    let long = alloc::boxed::Box::leak("\u{1}\"\\".repeat(30).into_boxed_str());
    let layer = crate::testing::layer(&[crate::testing::made(long, [&noise(5, 400_000)])], |_| {});
    let tar = layer.tar;
    let whole = |toc| {
        let limits = Limits { toc, ..Limits::default() };
        let (layer, _) = receive(&tar, &Digest::of(&tar), WholeFetch::with_chunks(&limits), || 999).unwrap();
        let toc = layer.verified.toc();
        (only(toc).len(), u64::try_from(toc.to_stored().len()).unwrap())
    };
    let (cut, needed) = whole(Limits::default().toc);
    assert!(cut > 3);
    for limit in (0..needed).step_by(50).chain([needed - 1]) {
        assert_eq!(whole(limit).0, 1, "{limit}");
    }
    assert_eq!(whole(2 * needed).0, cut);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn any_split_gives_the_same_chunks(
        cuts in prop::collection::vec(prop_oneof![1..600_usize, 1..40_000_usize], 1..30)
    ) {
        let zoo = Layer::zoo();
        let mut next = cuts.iter().cycle();
        let (layer, _) = pull_cut(ZOO_TAR, &zoo.diff_id(), || *next.next().unwrap());
        prop_assert_eq!(chunks(layer.verified.toc()), chunks(&zoo.toc()));
    }

    /// Runs of zeros of any length, so that chunks end among zeros that were held back.
    #[test]
    fn chunks_are_all_of_the_file(
        runs in prop::collection::vec((any::<bool>(), prop_oneof![0..3000_usize, 0..90_000_usize]), 1..12)
    ) {
        let content: Vec<u8> = runs.iter().enumerate().flat_map(|(seed, (zeros, len))| {
            if *zeros { vec![0; *len] } else { noise(u32::try_from(seed).unwrap(), *len) }
        }).collect();
        let tar = tar_of(&content);
        let (layer, files) = pull_cut(&tar, &Digest::of(&tar), || 777);
        prop_assume!(!content.is_empty());
        let mut reached = 0;
        for chunk in only(layer.verified.toc()) {
            prop_assert_eq!(chunk.offset, reached);
            reached += chunk.len;
            let bytes = &content[chunk.offset as usize..reached as usize];
            prop_assert_eq!(chunk.digest, Digest::of(bytes));
            let hole = bytes.len() >= 1024 && bytes.iter().all(|byte| *byte == 0);
            // A file of one chunk is not cut.
            prop_assert_eq!(chunk.body == Body::Zeros, hole && bytes.len() < content.len());
        }
        prop_assert_eq!(reached, content.len() as u64);
        assert_rebuilds(&layer, &files);
    }
}
