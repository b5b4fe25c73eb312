//! What is fetched, chunk by chunk, and where each goes.

use alloc::vec::Vec;
use core::ops::{Deref, Range};

use crate::Digest;
use crate::toc::{Chunk, FileId};

/// The parts of a plan.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    parts: Vec<Part>,
    /// Ascending by part.
    targets: Vec<Target>,
}

/// A stretch of the blob that decodes to one chunk, perhaps with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) frames: Range<u64>,
    /// How many plain bytes of the frames come before the chunk.
    pub(crate) skip: u64,
    pub(crate) len: u64,
    pub(crate) digest: Digest,
    /// Where its targets end among all.
    targets_end: u32,
}

/// A place that a chunk goes: a file, and an offset in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    part: u32,
    pub(crate) file: FileId,
    pub(crate) offset: u64,
}

impl Part {
    pub(super) const fn new(chunk: &Chunk, frames: Range<u64>) -> Self {
        let Chunk { skip, len, digest, .. } = *chunk;
        Self { frames, skip, len, digest, targets_end: 0 }
    }

    /// Whether this lies in the same frames as `before`, after it: what was decoded for that need not be again.
    pub(crate) fn continues(&self, before: &Self) -> bool {
        self.frames == before.frames && self.skip >= before.skip.saturating_add(before.len)
    }
}

impl Target {
    pub(super) const fn new(part: u32, file: FileId, offset: u64) -> Self {
        Self { part, file, offset }
    }

    /// Returns which part brings it.
    pub(super) fn part(&self) -> usize {
        usize::try_from(self.part).unwrap_or(usize::MAX)
    }
}

impl Parts {
    /// Takes the parts, and their targets in any order; those of one part stay in theirs.
    pub(super) fn new(mut parts: Vec<Part>, mut targets: Vec<Target>) -> Self {
        if !targets.is_sorted_by_key(|target| target.part) {
            targets.sort_by_key(|target| target.part);
        }
        let mut end = 0;
        let mut rest = targets.iter().peekable();
        for (index, part) in parts.iter_mut().enumerate() {
            while rest.next_if(|target| target.part() == index).is_some() {
                end = u32::saturating_add(end, 1);
            }
            part.targets_end = end;
        }
        Self { parts, targets }
    }

    /// Returns where one part goes, in the order of the tar.
    pub(crate) fn targets(&self, part: usize) -> &[Target] {
        let end = |part: &Part| usize::try_from(part.targets_end).unwrap_or(usize::MAX);
        let start = part.checked_sub(1).and_then(|before| self.parts.get(before)).map_or(0, end);
        self.parts.get(part).and_then(|part| self.targets.get(start..end(part))).unwrap_or_default()
    }

    /// Returns where all parts go.
    pub(super) fn all_targets(&self) -> &[Target] {
        &self.targets
    }
}

impl Deref for Parts {
    type Target = [Part];

    fn deref(&self) -> &[Part] {
        &self.parts
    }
}
