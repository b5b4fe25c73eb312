//! Sums of bytes, before and after compression.

/// Stands for a compressed length that is not known.
pub(super) const UNLOCATED: u64 = u64::MAX;

/// What some contents come to. All sums saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[expect(clippy::exhaustive_structs, reason = "three numbers")]
pub struct Bytes {
    /// Uncompressed bytes, holes left out.
    pub logical: u64,
    /// Bytes of the frames in the blob, of those contents whose frames are known.
    pub compressed: u64,
    /// Uncompressed bytes of those contents whose frames are not known: their layer was read whole. Unless this is 0,
    /// `compressed` is not all.
    pub unlocated: u64,
}

impl Bytes {
    /// Returns the compressed length of all of it; `None` where a part of it is not known.
    pub const fn all_compressed(&self) -> Option<u64> {
        if self.unlocated == 0 { Some(self.compressed) } else { None }
    }

    /// Adds a content; `compressed` may be [`UNLOCATED`].
    pub(super) const fn add(&mut self, logical: u64, compressed: u64) {
        self.logical = self.logical.saturating_add(logical);
        if compressed == UNLOCATED {
            self.unlocated = self.unlocated.saturating_add(logical);
        } else {
            self.compressed = self.compressed.saturating_add(compressed);
        }
    }
}

/// How many contents, and what they come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a count and its sums")]
pub struct Amount {
    /// How many.
    pub count: u64,
    /// What they come to.
    #[serde(flatten)]
    pub bytes: Bytes,
}

impl Amount {
    pub(super) const fn add(&mut self, logical: u64, compressed: u64) {
        self.count = self.count.saturating_add(1);
        self.bytes.add(logical, compressed);
    }
}

/// A set of small numbers.
#[derive(Clone, Debug)]
pub(super) struct Bits(alloc::vec::Vec<u64>);

impl Bits {
    /// An empty set of numbers below `len`.
    pub(super) fn new(len: usize) -> Self {
        Self(alloc::vec![0; len.div_ceil(64)])
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        let (word, bit) = Self::place(number);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Returns whether the number was not in the set before. Numbers that have no room are not taken.
    pub(super) fn insert(&mut self, number: u32) -> bool {
        let (word, bit) = Self::place(number);
        let Some(word) = self.0.get_mut(word) else { return false };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(0);
    }

    fn place(number: u32) -> (usize, u64) {
        (usize::try_from(number >> 6).unwrap_or(usize::MAX), 1_u64 << (number & 63))
    }
}

/// Returns a number as an index.
pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Returns an index as a number; all of ours were counted before.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
