//! The rolling sum over many bytes at once.
//!
//! Byte by byte, each sum waits for the one before. So a stretch is read as 32 lanes side by side, each of which begins
//! with the window before it; one step takes the next byte of every lane, and is a few wide instructions. It only says
//! in which lane the first chunk ends. That costs half of what the plain loop does.

use super::roll::{MARK, WINDOW};

const LANES: usize = 32;
/// A lane's greatest length: so long that its window at the front counts little, so short that 32 stay in the cache.
const LONGEST: usize = 256;
/// A lane shorter than this takes longer than the plain loop.
const SHORTEST: usize = 128;

/// One byte of every lane.
type Row = [u8; LANES];
/// One sum of every lane.
type Sums = [u16; LANES];

/// Bytes that are looked at at once, with the window before them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch<'a> {
    /// `WINDOW + LANES × lane` bytes.
    bytes: &'a [u8],
    /// A lane's length, a multiple of 8.
    lane: usize,
}

impl<'a> Stretch<'a> {
    /// Takes the longest stretch at the front of `bytes`, which begin with a window; `None` if there are too few.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let lane = (bytes.len().checked_sub(WINDOW)? / LANES).min(LONGEST) & !7;
        let len = lane.checked_mul(LANES)?.checked_add(WINDOW)?;
        (lane >= SHORTEST).then_some(Self { bytes: bytes.get(..len)?, lane })
    }

    /// Returns how many bytes it holds, without the window.
    pub(super) const fn len(&self) -> usize {
        self.lane.saturating_mul(LANES)
    }

    /// Returns how many of them come before the lane in which the first chunk ends; all if none does.
    pub(super) fn clear(&self) -> usize {
        // The last 64 rows, of which each step takes eight out and puts eight in.
        let mut window = [[[0; LANES]; 8]; WINDOW / 8];
        let (mut bytes, mut places, mut marks) = ([0; LANES], [0; LANES], [0; LANES]);
        let mut new = [[0; LANES]; 8];
        let mut at = 0_usize;
        while at < self.lane.saturating_add(WINDOW) {
            for old in &mut window {
                self.rows(at, &mut new);
                steps(&new, old, &mut bytes, &mut places, &mut marks);
                *old = new;
                at = at.saturating_add(8);
                if at == WINDOW {
                    // That was the window, in which nothing ends.
                    marks = [0; LANES];
                }
                if at >= self.lane.saturating_add(WINDOW) {
                    break;
                }
            }
        }
        let lane = marks.iter().position(|mark| *mark != 0).unwrap_or(LANES);
        lane.saturating_mul(self.lane)
    }

    /// Reads the eight rows at a place of each lane.
    fn rows(&self, at: usize, rows: &mut [Row; 8]) {
        let mut lanes = self.bytes.get(at..).unwrap_or_default().chunks(self.lane);
        let mut word = || {
            let word = lanes.next().and_then(|lane| lane.first_chunk::<8>());
            word.map_or(0, |word| u64::from_le_bytes(*word))
        };
        for group in 0..LANES / 8 {
            let words = transposed([word(), word(), word(), word(), word(), word(), word(), word()]);
            for (row, word) in rows.iter_mut().zip(words) {
                if let Some(eight) = row.as_chunks_mut::<8>().0.get_mut(group) {
                    *eight = word.to_le_bytes();
                }
            }
        }
    }
}

/// Moves every lane's window by eight bytes, and marks the lanes in which a chunk ends.
///
/// Not inlined, so that the compiler sees plain loops over arrays, of which it makes wide instructions.
#[inline(never)]
fn steps(new: &[Row; 8], old: &[Row; 8], bytes: &mut Sums, places: &mut Sums, marks: &mut Sums) {
    for (new, old) in new.iter().zip(old) {
        let lanes = new.iter().zip(old).zip(bytes.iter_mut()).zip(places.iter_mut()).zip(marks.iter_mut());
        for ((((new, old), bytes), places), mark) in lanes {
            let (new, old) = (u16::from(*new), u16::from(*old));
            *bytes = bytes.wrapping_add(new).wrapping_sub(old);
            *places = places.wrapping_add(*bytes).wrapping_sub(old << 6);
            *mark |= if *places == MARK { u16::MAX } else { 0 };
        }
    }
}

/// Turns eight words of one lane each into eight words of one byte of each lane.
const fn transposed(words: [u64; 8]) -> [u64; 8] {
    let [a, b, c, d, e, f, g, h] = words;
    // First halves of words change places, then quarters, then eighths.
    let ([a, e], [b, f]) = (swapped(a, e, 32), swapped(b, f, 32));
    let ([c, g], [d, h]) = (swapped(c, g, 32), swapped(d, h, 32));
    let ([a, c], [b, d]) = (swapped(a, c, 16), swapped(b, d, 16));
    let ([e, g], [f, h]) = (swapped(e, g, 16), swapped(f, h, 16));
    let ([a, b], [c, d]) = (swapped(a, b, 8), swapped(c, d, 8));
    let ([e, f], [g, h]) = (swapped(e, f, 8), swapped(g, h, 8));
    [a, b, c, d, e, f, g, h]
}

/// Exchanges the odd stretches of `bits` bits in `a` with the even ones in `b`.
const fn swapped(a: u64, b: u64, bits: u32) -> [u64; 2] {
    let mask = match bits {
        8 => 0x00ff_00ff_00ff_00ff,
        16 => 0x0000_ffff_0000_ffff,
        _ => 0x0000_0000_ffff_ffff,
    };
    let both = (a.wrapping_shr(bits) ^ b) & mask;
    [a ^ both.wrapping_shl(bits), b ^ both]
}
