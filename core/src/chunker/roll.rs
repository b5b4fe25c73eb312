//! The rolling sum of rsync and bup, as the reference uses it.

use super::lanes;

/// How many bytes the sum sees.
pub(super) const WINDOW: usize = 64;

/// What the sum is where a chunk ends.
///
/// The reference keeps two sums of 32 bits, `s1` of the window's bytes and `s2` of the `s1`s, each byte raised by 31, and
/// ends a chunk where the low 16 bits of `s2` are all ones. Those depend on nothing above 16 bits, and the constants
/// add up to the same number at every byte: left out of the sums, they can be taken from what is compared.
/// `s2` starts at 64 × 63 × 31, so 0xffff − 64 × 63 × 31, to 16 bits.
pub(super) const MARK: u16 = 0x17bf;

/// A sum over the last 64 bytes of a file that says where its chunks end: on average once in 64 KiB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollSum {
    /// The last bytes, the oldest first; zeros before the file's beginning.
    window: [u8; WINDOW],
}

/// The two sums, to 16 bits: of the window's bytes, and of those times their places, 1 for the newest.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    bytes: u16,
    places: u16,
}

impl Sums {
    fn of(window: &[u8]) -> Self {
        let mut sums = Self::default();
        for byte in window {
            sums.roll(*byte, 0);
        }
        sums
    }

    /// Moves the window by one byte, and says whether a chunk ends there.
    const fn roll(&mut self, new: u8, old: u8) -> bool {
        let (new, old) = (u16_of(new), u16_of(old));
        self.bytes = self.bytes.wrapping_add(new).wrapping_sub(old);
        self.places = self.places.wrapping_add(self.bytes).wrapping_sub(old << 6);
        self.places == MARK
    }
}

impl RollSum {
    /// Starts before the first byte of a file.
    pub const fn new() -> Self {
        Self { window: [0; WINDOW] }
    }

    /// Takes bytes up to the first after which a chunk ends, and returns how many; `None` if no chunk ends in them:
    /// then all were taken.
    pub fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = self.end(bytes);
        let taken = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or(bytes);
        if let Some(window) = taken.last_chunk::<WINDOW>() {
            self.window = *window;
        } else {
            self.window.rotate_left(taken.len());
            let kept = WINDOW.saturating_sub(taken.len());
            for (to, from) in self.window.iter_mut().skip(kept).zip(taken) {
                *to = *from;
            }
        }
        end
    }

    fn end(&self, bytes: &[u8]) -> Option<usize> {
        let mut sums = Sums::of(&self.window);
        let first = bytes.iter().zip(&self.window).position(|(new, old)| sums.roll(*new, *old));
        if let Some(first) = first {
            return Some(first.saturating_add(1));
        }
        // From here on, the byte that leaves the window is in `bytes` too, at the start of what is looked at.
        let (mut at, mut rest) = (WINDOW, bytes);
        while let Some(stretch) = lanes::Stretch::of(rest) {
            let passed = stretch.clear();
            rest = rest.get(passed..).unwrap_or_default();
            at = at.saturating_add(passed);
            if passed < stretch.len() {
                // In the next few bytes, which one by one are quicker found than by lanes.
                break;
            }
        }
        let (window, new) = rest.split_at_checked(WINDOW)?;
        let mut sums = Sums::of(window);
        let next = new.iter().zip(rest).position(|(new, old)| sums.roll(*new, *old))?;
        Some(at.saturating_add(next).saturating_add(1))
    }
}

impl Default for RollSum {
    fn default() -> Self {
        Self::new()
    }
}

/// `u16::from` is not const yet.
#[expect(clippy::as_conversions, reason = "widens")]
const fn u16_of(byte: u8) -> u16 {
    byte as u16
}
