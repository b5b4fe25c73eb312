//! The bytes of a tar that are no content, kept as what differs from those before.
//!
//! One header differs from the one before it in its name, size, time and checksum: of 512 bytes some 50 are kept. What
//! comes out is what went in, whatever it was; bytes that resemble nothing cost a thousandth more than their length.
//!
//! ```text
//! piece  length, then runs until it is filled
//! run    how many bytes are as before, how many are not, and these
//! ```
//!
//! Numbers are LEB128. "Before" is a window of 4096 bytes: a piece of at least a block is held against the end of it, and
//! then stands there. A shorter one, which is padding, is held against zeros and leaves the window alone.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// The longest piece.
const WINDOW: usize = 4096;
/// The shortest piece that may hold a header.
const BLOCK: usize = 512;
/// So many equal bytes in a row cost less as a run of their own.
const WORTH: usize = 4;
const ZEROS: [u8; BLOCK] = [0; BLOCK];

/// Raw bytes, packed.
#[derive(Clone, Debug, Default)]
pub(super) struct Raw {
    packed: Vec<u8>,
    /// The length of what is packed.
    len: usize,
    window: Window,
}

impl Raw {
    /// Appends bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(WINDOW) {
            number(piece.len(), &mut self.packed);
            if piece.len() < BLOCK {
                runs(piece, &ZEROS, &mut self.packed);
            } else {
                let before = self.window.end(piece.len());
                runs(piece, before, &mut self.packed);
                before.copy_from_slice(piece);
            }
            self.len = self.len.saturating_add(piece.len());
        }
    }

    /// Returns how many bytes were pushed.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Gives back what was allocated ahead.
    pub(super) fn shrink(&mut self) {
        self.packed.shrink_to_fit();
        self.window = Window(None);
    }

    /// Returns all bytes, joined.
    pub(super) fn joined(&self) -> Vec<u8> {
        let (mut cursor, mut joined) = (RawCursor::default(), Vec::new());
        while let Some(bytes) = cursor.next(self, self.len) {
            joined.extend_from_slice(bytes);
        }
        joined
    }
}

/// A place in raw bytes, up to which they were unpacked.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawCursor {
    /// Where in the packed bytes the next piece begins.
    packed: usize,
    /// How many bytes were given.
    given: usize,
    /// The last piece, and how much of it was given.
    piece: usize,
    used: usize,
    window: Window,
    /// The last piece, where it was short.
    short: Vec<u8>,
}

impl RawCursor {
    /// Returns the next bytes before the offset `end`; `None` once it is reached.
    pub(super) fn next(&mut self, raw: &Raw, end: usize) -> Option<&[u8]> {
        let wanted = end.min(raw.len).checked_sub(self.given).filter(|wanted| *wanted > 0)?;
        if self.used == self.piece {
            self.unpack(raw)?;
        }
        let start = self.used;
        let len = wanted.min(self.piece.saturating_sub(start));
        self.used = start.saturating_add(len);
        self.given = self.given.saturating_add(len);
        let piece = if self.piece < BLOCK { self.short.as_slice() } else { self.window.end(self.piece) };
        piece.get(start..self.used)
    }

    /// Unpacks the next piece; what [`Raw::push`] packed is never cut short.
    fn unpack(&mut self, raw: &Raw) -> Option<()> {
        let packed = raw.packed.get(self.packed..)?;
        let mut rest = packed;
        self.piece = take_number(&mut rest)?;
        self.used = 0;
        let piece = if self.piece < BLOCK {
            self.short.clear();
            self.short.resize(self.piece, 0);
            self.short.as_mut_slice()
        } else {
            self.window.end(self.piece)
        };
        let mut at = 0_usize;
        while at < self.piece {
            at = at.saturating_add(take_number(&mut rest)?);
            let len = take_number(&mut rest)?;
            let (bytes, more) = rest.split_at_checked(len)?;
            let stop = at.saturating_add(len);
            piece.get_mut(at..stop)?.copy_from_slice(bytes);
            (at, rest) = (stop, more);
        }
        self.packed = self.packed.saturating_add(packed.len().saturating_sub(rest.len()));
        Some(())
    }
}

/// The last bytes; zeros at the start.
#[derive(Clone, Debug, Default)]
struct Window(Option<Box<[u8; WINDOW]>>);

impl Window {
    /// Returns the last `len` bytes of it.
    fn end(&mut self, len: usize) -> &mut [u8] {
        let bytes = self.0.get_or_insert_with(|| Box::new([0; WINDOW])).as_mut_slice();
        bytes.get_mut(WINDOW.saturating_sub(len)..).unwrap_or_default()
    }
}

/// Appends the runs of a piece that is not longer than what it is held against.
fn runs(piece: &[u8], before: &[u8], packed: &mut Vec<u8>) {
    let (mut piece, mut before) = (piece, before);
    while !piece.is_empty() {
        let equal = same(piece, before);
        (piece, before) = (rest(piece, equal), rest(before, equal));
        let mut differs = 0_usize;
        while differs < piece.len() {
            let equal = same(rest(piece, differs), rest(before, differs));
            let ends = differs.saturating_add(equal) == piece.len();
            if equal >= WORTH || (ends && equal > 0) {
                break;
            }
            differs = differs.saturating_add(equal).saturating_add(1);
        }
        number(equal, packed);
        number(differs, packed);
        let (literal, more) = piece.split_at_checked(differs).unwrap_or((piece, &[]));
        packed.extend_from_slice(literal);
        (piece, before) = (more, rest(before, differs));
    }
}

fn rest(bytes: &[u8], from: usize) -> &[u8] {
    bytes.get(from..).unwrap_or_default()
}

/// Returns how many bytes are the same at the start.
fn same(one: &[u8], other: &[u8]) -> usize {
    let words = one.as_chunks::<8>().0.iter().zip(other.as_chunks::<8>().0);
    let words = words.take_while(|(one, other)| one == other).count().saturating_mul(8);
    let bytes = rest(one, words).iter().zip(rest(other, words));
    bytes.take_while(|(one, other)| one == other).count().saturating_add(words)
}

fn number(value: usize, packed: &mut Vec<u8>) {
    let mut value = value;
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            packed.push(low & 0x7f);
            return;
        }
        packed.push(low | 0x80);
    }
}

fn take_number(packed: &mut &[u8]) -> Option<usize> {
    let (mut value, mut shift) = (0_usize, 0_u32);
    loop {
        let (byte, rest) = packed.split_first()?;
        *packed = rest;
        value |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
        shift = shift.saturating_add(7);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(pieces: &[Vec<u8>]) -> Raw {
        let mut raw = Raw::default();
        pieces.iter().for_each(|piece| raw.push(piece));
        raw
    }

    #[test]
    fn headers_that_resemble_each_other_cost_little() {
        let tar = include_bytes!("../../../tests/fixtures/tar/types.tar");
        let mut raw = Raw::default();
        for number in 0..1000_u16 {
            let mut header = tar[..512].to_vec();
            header[10..12].copy_from_slice(&number.to_be_bytes());
            raw.push(&[0; 77]);
            raw.push(&header);
        }
        assert_eq!(raw.len(), 589 * 1000);
        assert!(raw.packed.len() < 13 * 1000, "{}", raw.packed.len());
    }

    #[test]
    fn bytes_that_resemble_nothing_cost_little_more_than_themselves() {
        let noise: Vec<u8> =
            (0..100_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
        let raw = packed(core::slice::from_ref(&noise));
        assert!(raw.packed.len() < 102_000, "{}", raw.packed.len());
        assert_eq!(raw.joined(), noise);
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out(
            pieces in prop::collection::vec((0_usize..10_000, any::<u8>(), any::<u64>()), 0..20),
            step in 1_usize..3000,
        ) {
            let fill = |(len, byte, mask): &(usize, u8, u64)| {
                (0..*len).map(|at| if mask >> (at % 64) & 1 == 0 { 0 } else { *byte }).collect::<Vec<_>>()
            };
            let pieces: Vec<_> = pieces.iter().map(fill).collect();
            let raw = packed(&pieces);
            let plain = pieces.concat();
            prop_assert_eq!(raw.joined(), &plain[..]);
            // However it is cut.
            let (mut cursor, mut out) = (RawCursor::default(), Vec::new());
            for end in (0..plain.len() + step).step_by(step) {
                while let Some(bytes) = cursor.next(&raw, end) {
                    prop_assert!(!bytes.is_empty());
                    out.extend_from_slice(bytes);
                }
                prop_assert_eq!(out.len(), end.min(plain.len()));
            }
            prop_assert_eq!(out, plain);
        }
    }
}
