//! C zstd and ruzstd must say the same of the same bytes.

#![cfg(all(feature = "c-zstd", feature = "ruzstd"))]

use alloc::vec::Vec;

use super::{Encoder, Progress, ZstdError, c, rust};

/// What both decoders can do, so that one driver serves them.
trait Decode {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, ZstdError>;
    fn at_frame_end(&self) -> bool;
}

impl Decode for c::Raw {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, ZstdError> {
        self.decode(input, output)
    }
    fn at_frame_end(&self) -> bool {
        self.at_frame_end()
    }
}

impl Decode for rust::Raw {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, ZstdError> {
        self.decode(input, output)
    }
    fn at_frame_end(&self) -> bool {
        self.at_frame_end()
    }
}

/// Feeds pieces of `step` bytes into rooms of `room` bytes; `None` when the decoder refuses.
fn drive(decoder: &mut dyn Decode, input: &[u8], step: usize, room: usize) -> Option<(Vec<u8>, bool)> {
    let mut plain = Vec::new();
    let mut output = alloc::vec![0; room];
    for piece in input.chunks(step).chain([&[][..]]) {
        let mut rest = piece;
        loop {
            let progress = decoder.decode(rest, &mut output).ok()?;
            rest = &rest[progress.read..];
            plain.extend_from_slice(&output[..progress.written]);
            if progress.read == 0 && progress.written == 0 {
                assert!(rest.is_empty(), "a decoder with room takes everything");
                break;
            }
        }
    }
    Some((plain, decoder.at_frame_end()))
}

fn both(input: &[u8], step: usize, room: usize) -> [Option<(Vec<u8>, bool)>; 2] {
    [drive(&mut c::Raw::new(27), input, step, room), drive(&mut rust::Raw::new(27), input, step, room)]
}

fn blob() -> &'static [u8] {
    include_bytes!(
        "../../../tests/fixtures/zoo/podman-5.8/blobs/sha256/0306b1830c52cf89dc10748a1d15ecdc00138069de068da02b97c5e7e9abe9b7"
    )
}

#[test]
fn a_real_blob_in_any_pieces() {
    let tar: &[u8] = include_bytes!("../../../tests/fixtures/zoo/zoo.tar");
    for (step, room) in [(228_888, 1 << 20), (4096, 1000), (777, 131_072), (1, 65_536)] {
        for (decoder, answer) in both(blob(), step, room).into_iter().enumerate() {
            let (plain, ended) = answer.expect("a good blob");
            assert!(ended);
            assert_eq!(plain.len(), tar.len(), "decoder {decoder}, pieces of {step}, rooms of {room}");
            assert!(plain == tar);
        }
    }
}

#[test]
fn a_flipped_bit_never_changes_what_comes_out_of_either() {
    // The frames of one small file: every bit, header and checksum included.
    let frame = &blob()[..1500];
    let end = {
        let mut decoder = c::Raw::new(27);
        let mut output = alloc::vec![0; 1 << 20];
        let mut used = 0;
        while !(used > 0 && decoder.at_frame_end()) {
            used += decoder.decode(&frame[used..=used], &mut output).expect("a good frame").read;
        }
        used
    };
    let good = both(&frame[..end], end, 1 << 20);
    assert_eq!(good[0], good[1]);
    let mut differing = 0;
    for bit in 0..end * 8 {
        let mut damaged = frame[..end].to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let [c, rust] = both(&damaged, end, 1 << 20);
        match (c, rust) {
            (None, None) => {}
            (Some(c), Some(rust)) => assert_eq!(c, rust, "bit {bit}"),
            // One may wait for more where the other refuses at once, and C zstd looks at padding bits of a bit stream
            // that ruzstd passes over. Neither gives other bytes: that is what the checksum is for.
            (one @ Some((_, ended)), None) | (None, one @ Some((_, ended))) => {
                assert!(!ended || one == good[0], "bit {bit}: one decoder accepts changed content");
                differing += 1;
            }
        }
    }
    assert!(differing < end * 8 / 20, "the decoders disagree on {differing} of {} bits", end * 8);
}

proptest::proptest! {
    #[test]
    fn anything_compressed(bytes in proptest::collection::vec(0_u8..4, 0..5000), level in 1..19, cut in 1_usize..600) {
        let mut encoder = Encoder::new(level);
        encoder.write(&bytes);
        let frame = encoder.finish();
        for answer in both(&frame, cut, cut) {
            proptest::prop_assert_eq!(answer, Some((bytes.clone(), true)));
        }
    }

    #[test]
    fn garbage(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let mut input = alloc::vec![0x28, 0xb5, 0x2f, 0xfd];
        input.extend(bytes);
        // What counts: neither panics, and no frame ends well for one and not for the other.
        let [c, rust] = both(&input, 64, 4096);
        let ended = |answer: &Option<(Vec<u8>, bool)>| answer.as_ref().is_some_and(|(_, ended)| *ended);
        proptest::prop_assert_eq!(ended(&c), ended(&rust));
    }
}
