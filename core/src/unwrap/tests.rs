//! Blobs of every compression, cut anywhere.

use alloc::string::ToString;
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use super::{Unwrap, UnwrapError, WholeBlob};
use crate::testing::{GZIP_BLOB, OLD_BLOB, ZOO_BLOB, ZOO_TAR, fixture_bytes, noise};
use crate::{Digest, Limits, compress};

/// Decompresses a blob in pieces.
fn unwrap_in(
    blob: &[u8],
    mut cut: impl FnMut() -> usize,
) -> Result<(Vec<u8>, Result<WholeBlob, UnwrapError>), UnwrapError> {
    let mut unwrap = Unwrap::new(&Limits::default());
    let (mut plain, mut rest) = (Vec::new(), blob);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(cut().min(rest.len()));
        rest = later;
        let mut pieces = unwrap.receive(now);
        while let Some(piece) = pieces.next_piece()? {
            assert!(!piece.is_empty());
            plain.extend_from_slice(piece);
        }
    }
    Ok((plain, unwrap.finish(&Digest::of(blob))))
}

fn unwrap(blob: &[u8]) -> Result<Vec<u8>, UnwrapError> {
    let (plain, end) = unwrap_in(blob, || usize::MAX)?;
    end.map(|_| plain)
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    // Deflate's stored form, so that no encoder is needed.
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks = plain.chunks(60_000);
    let count = blocks.len();
    for (at, block) in blocks.enumerate() {
        let len = u16::try_from(block.len()).unwrap();
        member.push(u8::from(at + 1 == count));
        member.extend(len.to_le_bytes());
        member.extend((!len).to_le_bytes());
        member.extend_from_slice(block);
    }
    if plain.is_empty() {
        member.extend([1, 0, 0, 255, 255]);
    }
    let crc = plain.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    });
    member.extend((!crc).to_le_bytes());
    member.extend(u32::try_from(plain.len()).unwrap().to_le_bytes());
    member
}

fn skippable(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    [&[0x5a, 0x2a, 0x4d, 0x18], &len[..], bytes].concat()
}

#[test]
fn the_zoo_in_every_compression() {
    assert!(unwrap(GZIP_BLOB).unwrap() == ZOO_TAR);
    assert!(unwrap(ZOO_BLOB).unwrap() == ZOO_TAR);
    assert!(unwrap(ZOO_TAR).unwrap() == ZOO_TAR);
    // Podman 4.3 dropped the padding after the end of the archive.
    let old = unwrap(OLD_BLOB).unwrap();
    assert!(old.len() < ZOO_TAR.len() && ZOO_TAR.starts_with(&old));
    for stargz in [fixture_bytes!("zoo/zoo.estargz"), fixture_bytes!("zoo/zoo.stargz-zstd")] {
        assert_eq!(unwrap(stargz).unwrap().len() % 512, 0);
    }
}

#[test]
fn several_members_and_frames_are_one_stream() {
    let (a, b) = (noise(1, 1000), noise(2, 100_000));
    let both = [&a[..], &b].concat();
    let gzips = [gzip(&a), gzip(b""), gzip(&b)].concat();
    assert!(unwrap(&gzips).unwrap() == both);
    assert!(unwrap(&[&gzips[..], &[0; 700]].concat()).unwrap() == both, "padded with zeros");
    let frames = [skippable(b""), compress(&a), compress(b""), skippable(&noise(3, 70_000)), compress(&b)];
    assert!(unwrap(&frames.concat()).unwrap() == both);
    assert!(unwrap(&skippable(b"nothing else")).unwrap().is_empty());
    assert!(unwrap(&[compress(b""), skippable(b"x")].concat()).unwrap().is_empty());
}

#[test]
fn blobs_of_nothing_or_next_to_nothing() {
    assert!(unwrap(b"").unwrap().is_empty());
    for len in 1..6 {
        assert_eq!(unwrap(&ZOO_TAR[..len]).unwrap_err(), UnwrapError::Truncated { len: len as u64 });
    }
    assert_eq!(unwrap(&[0; 6]).unwrap(), [0; 6]);
}

#[test]
fn what_ends_early() {
    let a = noise(1, 1000);
    for whole in
        [gzip(&a), compress(&a), [gzip(&a), gzip(b"b")].concat(), [compress(&a), compress(b"b")].concat()]
    {
        let ends = [gzip(&a).len(), compress(&a).len()];
        for len in 1..whole.len() {
            match unwrap(&whole[..len]) {
                Ok(plain) => assert!(ends.contains(&len) && plain == a, "{len}"),
                Err(error) => assert_eq!(error, UnwrapError::Truncated { len: len as u64 }),
            }
        }
    }
    let cut = skippable(&[1; 100]);
    assert!(matches!(unwrap(&cut[..50]), Err(UnwrapError::Truncated { len: 50 })));
}

#[test]
fn what_follows_and_is_neither() {
    let a = noise(1, 1000);
    for garbage in [&b"garbage"[..], b"g", b"\x1f\x8bgarbage"] {
        let blob = [&gzip(&a)[..], garbage].concat();
        assert!(unwrap(&blob).is_err(), "{garbage:?}");
    }
    assert!(matches!(unwrap(&[&gzip(&a)[..], b"\0\0x"].concat()), Err(UnwrapError::Gzip { .. })));
    assert!(matches!(unwrap(&[&compress(&a)[..], b"garbage"].concat()), Err(UnwrapError::Zstd { .. })));
}

#[test]
fn a_flipped_bit_is_found_by_the_blobs_digest_at_the_latest() {
    for blob in [GZIP_BLOB, ZOO_BLOB] {
        for at in (0..blob.len()).step_by(blob.len() / 50) {
            let mut wrong = blob.to_vec();
            wrong[at] ^= 1 << (at % 8);
            let mut unwrap = Unwrap::new(&Limits::default());
            let mut pieces = unwrap.receive(&wrong);
            while let Ok(Some(_)) = pieces.next_piece() {}
            let error = unwrap.finish(&Digest::of(blob)).unwrap_err();
            let (expected, actual) = (Digest::of(blob), Digest::of(&wrong));
            assert_eq!(error, UnwrapError::Digest { expected, actual, len: blob.len() as u64 });
        }
    }
}

#[test]
fn other_compressions_are_named() {
    for (blob, what) in [(b"BZh91AY&SY", "bzip2"), (b"\xfd7zXZ\0\0\0\0\0", "xz")] {
        let error = unwrap(blob).unwrap_err();
        assert_eq!(error, UnwrapError::Unsupported { what });
        let text = format!(
            "the blob is compressed with {what}, which is not supported; push it again with gzip or zstd"
        );
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_window_over_the_limit_is_refused() {
    // A frame that claims a window of 2^31 bytes.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x04, 21 << 3, 1, 0, 0, 0, 0, 0, 0];
    assert!(matches!(unwrap(&frame), Err(UnwrapError::Zstd { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn any_split_gives_the_same(
        cuts in prop::collection::vec(prop_oneof![1..9_usize, 1..40_000_usize], 1..30)
    ) {
        for blob in [GZIP_BLOB, ZOO_BLOB, ZOO_TAR] {
            let mut next = cuts.iter().cycle();
            let (plain, end) = unwrap_in(blob, || *next.next().unwrap()).unwrap();
            prop_assert!(plain == ZOO_TAR);
            prop_assert!(end.is_ok());
        }
    }

    #[test]
    fn any_bytes_are_no_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300), magic in 0..4_usize) {
        let magics: [&[u8]; 4] = [b"", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18"];
        bytes.splice(..0, magics[magic].iter().copied());
        drop(unwrap_in(&bytes, || 7));
    }
}
