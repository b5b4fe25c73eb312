use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::tar::{TarEvent, TarReader};
use crate::testing::{Layer, ZOO_TAR};
use crate::toc::Body;
use crate::{Digest, Limits};

/// The vectors' generator.
fn lcg(seed: u32, len: usize) -> Vec<u8> {
    let mut x = seed;
    let mut step = || {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (x >> 24) as u8
    };
    (0..len).map(|_| step()).collect()
}

/// The definition, with the reference's numbers, a byte at a time: every place where the sum ends a chunk.
fn marks(bytes: &[u8]) -> BTreeSet<usize> {
    let (mut s1, mut s2) = (64_u32 * 31, 64_u32 * 63 * 31);
    let mut marks = BTreeSet::new();
    for (at, byte) in bytes.iter().enumerate() {
        let old = at.checked_sub(64).map_or(0, |old| u32::from(bytes[old]));
        s1 = s1.wrapping_add(u32::from(*byte)).wrapping_sub(old);
        s2 = s2.wrapping_add(s1).wrapping_sub(64 * (old + 31));
        if s2 & 0xffff == 0xffff {
            marks.insert(at + 1);
        }
    }
    marks
}

/// The definition of chunks.
fn slow(bytes: &[u8]) -> Vec<(usize, bool)> {
    let mut ends = marks(bytes);
    let mut holes = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let run = bytes[start..].iter().take_while(|byte| **byte == 0).count();
        if run >= 1024 {
            holes.push(start..start + run);
        }
        start += run.max(1);
    }
    for hole in &holes {
        ends.retain(|end| !(hole.start < *end && *end <= hole.end));
        ends.extend([hole.start, hole.end]);
    }
    ends.insert(bytes.len());
    ends.remove(&0);
    let mut start = 0;
    let chunk = |end| {
        let zeros = holes.iter().any(|hole| hole.start == start && hole.end == end);
        let len = end - start;
        start = end;
        (len, zeros)
    };
    ends.into_iter().map(chunk).collect()
}

/// Cuts a file given in these pieces; checks that the bytes lent are the file, and the cuts gapless.
fn cut<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<(usize, bool)> {
    let (mut chunker, mut cuts) = (Chunker::new(), Vec::new());
    let (mut sent, mut lent) = (Vec::new(), Vec::new());
    let mut start = 0;
    let mut take = |pieces: &mut ChunkPieces<'_>| {
        while let Some(piece) = pieces.next_piece() {
            match piece {
                ChunkPiece::Bytes { bytes, zeros } => {
                    assert!(!bytes.is_empty() && (!zeros || bytes.iter().all(|byte| *byte == 0)));
                    lent.extend_from_slice(bytes);
                }
                ChunkPiece::End(Cut { offset, len, zeros }) => {
                    assert_eq!((offset as usize, len as usize), (start, lent.len() - start));
                    assert!(!zeros || lent[start..].iter().all(|byte| *byte == 0));
                    start = lent.len();
                    cuts.push((len as usize, zeros));
                }
            }
        }
    };
    for piece in pieces {
        sent.extend_from_slice(piece);
        take(&mut chunker.receive(piece));
    }
    take(&mut chunker.finish());
    assert_eq!(lent, sent);
    cuts
}

#[test]
fn the_vectors_of_the_specification() {
    let lens = |bytes: &[u8]| cut([bytes]).into_iter().map(|(len, _)| len).collect::<Vec<_>>();
    assert_eq!(lens(&lcg(7, 300_000)), [119_436, 91_376, 10_112, 24_027, 16_987, 38_062]);
    assert_eq!(
        lens(&lcg(12345, 1_000_000)),
        [
            120_380, 14_366, 19_888, 8426, 16_603, 10_001, 77_090, 12_927, 90_015, 174_292, 12_979, 27_019,
            36_338, 4261, 63_539, 55_851, 6557, 24_689, 17_482, 76_451, 6914, 51_229, 72_703
        ]
    );
    let holes =
        [lcg(1, 90_000), vec![0; 3000], lcg(2, 70_000), vec![0; 1023], lcg(3, 200_000), vec![0; 1024]];
    assert_eq!(
        cut([&holes.concat()[..]]),
        [(90_000, false), (3000, true), (224_654, false), (5828, false), (40_541, false), (1024, true)]
    );
}

#[test]
fn runs_of_zeros_at_every_edge() {
    for before in [0, 1, 63, 511, 512, 700] {
        for zeros in [1, 64, 511, 512, 513, 1022, 1023, 1024, 1025, 1535, 1536, 5000] {
            for after in [0, 1, 64, 3000] {
                let file = [vec![7; before], vec![0; zeros], vec![9; after]].concat();
                assert_eq!(cut([&file[..]]), slow(&file), "{before} {zeros} {after}");
                assert_eq!(cut(file.chunks(1)), slow(&file), "{before} {zeros} {after}, byte by byte");
            }
        }
    }
    assert_eq!(cut([&[0; 100_000][..]]), [(100_000, true)]);
    assert_eq!(cut([]), []);
    assert_eq!(cut([&[][..], b"a", b""]), [(1, false)]);
}

#[test]
fn podmans_chunks_of_the_zoo_are_ours() {
    let layer = Layer::zoo();
    let toc = layer.toc();
    let contents = layer.contents();
    let mut chunks_seen = 0;
    for (file, entry) in toc.files() {
        let (content, chunks) = (&contents[&file], toc.chunks(entry));
        let cuts = cut([&content[..]]);
        // A file of one chunk has no chunk keys, so it does not say that it is a hole.
        let zeros = |chunk: &crate::Chunk| chunks.len() > 1 && chunk.body == Body::Zeros;
        let said = chunks.iter().map(|chunk| (chunk.len as usize, zeros(chunk))).collect::<Vec<_>>();
        let ours = cuts.iter().map(|(len, zeros)| (*len, *zeros && cuts.len() > 1)).collect::<Vec<_>>();
        assert_eq!(said, ours, "{}", entry.member().name);
        for chunk in chunks {
            let bytes = &content[chunk.offset as usize..][..chunk.len as usize];
            assert_eq!(chunk.digest, Digest::of(bytes));
        }
        chunks_seen += chunks.len();
    }
    assert_eq!(chunks_seen, 19);
}

#[test]
fn a_chunker_starts_anew_after_each_file() {
    let mut chunker = Chunker::new();
    let mut reader = TarReader::new(&Limits::default());
    let mut events = reader.receive(ZOO_TAR);
    while let Some(event) = events.next_event().unwrap() {
        match event {
            TarEvent::Data { bytes, .. } => {
                let mut pieces = chunker.receive(bytes);
                while pieces.next_piece().is_some() {}
            }
            TarEvent::EndMember => {
                let mut pieces = chunker.finish();
                while pieces.next_piece().is_some() {}
                assert_eq!((chunker.offset, chunker.len, chunker.pending), (0, 0, 0));
                assert_eq!(chunker.sum, RollSum::new());
            }
            _ => {}
        }
    }
}

/// Stretches of zeros, of one byte and of noise, with lengths about those that matter.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let len = prop_oneof![0..70_usize, 500..530_usize, 1000..1050_usize, 4000..4200_usize, 0..40_000_usize];
    let stretch = (0..4_u8, any::<u32>(), len).prop_map(|(kind, seed, len)| match kind {
        0 => vec![0; len],
        1 => vec![seed as u8; len],
        _ => lcg(seed, len),
    });
    prop::collection::vec(stretch, 0..8).prop_map(|stretches| stretches.concat())
}

proptest! {
    #[test]
    fn any_split_gives_the_chunks_by_definition(
        file in file(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        step in 1..3000_usize,
    ) {
        let expected = slow(&file);
        prop_assert_eq!(&cut([&file[..]]), &expected);
        prop_assert_eq!(&cut(file.chunks(step)), &expected);
        let mut ends = cuts.iter().map(|at| at.index(file.len() + 1)).collect::<Vec<_>>();
        ends.push(file.len());
        ends.sort_unstable();
        let starts = [0].into_iter().chain(ends.iter().copied());
        let pieces = starts.zip(&ends).map(|(start, end)| &file[start..*end]);
        prop_assert_eq!(&cut(pieces), &expected);
    }

    #[test]
    fn the_sum_ends_chunks_by_definition(seed: u32, len in 0..150_000_usize, modulus in 1..=256_u32) {
        let bytes = lcg(seed, len).iter().map(|byte| (u32::from(*byte) % modulus) as u8).collect::<Vec<_>>();
        let (mut sum, mut ends, mut at) = (RollSum::new(), BTreeSet::new(), 0);
        while let Some(taken) = sum.find(&bytes[at..]) {
            at += taken;
            ends.insert(at);
        }
        prop_assert_eq!(ends, marks(&bytes));
    }
}
