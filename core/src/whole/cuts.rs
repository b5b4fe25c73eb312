//! The chunks that a layer's files are cut into here, as far as a stored TOC can hold them.

use alloc::vec::Vec;

use crate::toc::{Chunk, FileId, Toc};
use crate::{Limits, Name};

/// A chunk's line in the stored TOC, in bytes, without the name in it: five keys, two numbers and a digest.
const LINE: u64 = 208;

/// What more may still be said of chunks.
///
/// Chunks have no least length, so a file can be made to hold millions: they are counted as they come.
#[derive(Debug)]
pub(super) struct Budget {
    /// Lines.
    lines: usize,
    /// Their bytes together.
    bytes: u64,
    /// What a line of the current file costs.
    line: u64,
    spent: bool,
}

/// The chunks of many files.
#[derive(Debug)]
pub(super) struct Cuts {
    pub(super) budget: Budget,
    /// Ascending.
    files: Vec<(FileId, Vec<Chunk>)>,
    limits: Limits,
}

impl Budget {
    fn new(limits: &Limits) -> Self {
        Self { lines: limits.entries, bytes: limits.toc, line: 0, spent: false }
    }

    /// Takes note of the file whose chunks come next; `false` when there is nothing left for them.
    pub(super) fn enter(&mut self, name: &Name) -> bool {
        self.line = LINE.saturating_add(text_len(name));
        !self.spent
    }

    /// Pays for one chunk; once there is nothing left, there never is again.
    pub(super) fn spend(&mut self) -> bool {
        match (self.lines.checked_sub(1), self.bytes.checked_sub(self.line)) {
            (Some(lines), Some(bytes)) if !self.spent => (self.lines, self.bytes) = (lines, bytes),
            _ => self.spent = true,
        }
        !self.spent
    }
}

impl Cuts {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { budget: Budget::new(limits), files: Vec::new(), limits: *limits }
    }

    /// For a layer whose chunks nobody wants.
    pub(super) fn none(limits: &Limits) -> Self {
        let mut cuts = Self::new(limits);
        cuts.budget.spent = true;
        cuts
    }

    /// Takes the chunks of the next file.
    pub(super) fn add(&mut self, file: FileId, chunks: Vec<Chunk>) {
        self.files.push((file, chunks));
    }

    /// Writes them into a TOC, all or none: none where the budget is spent or the TOC would outgrow what our store
    /// reads back.
    pub(super) fn apply(self, toc: Toc) -> Toc {
        let Self { budget, files, limits } = self;
        if budget.spent || files.is_empty() {
            return toc;
        }
        let cut = toc.cut(files);
        let fits = cut.lines() <= limits.entries
            && u64::try_from(cut.to_stored().len()).is_ok_and(|len| len <= limits.toc);
        if fits { cut } else { toc }
    }
}

/// Returns how many bytes of JSON a name takes at most.
fn text_len(name: &Name) -> u64 {
    let bytes = name.as_bytes();
    let len = if core::str::from_utf8(bytes).is_ok() {
        bytes.iter().fold(0_usize, |len, byte| {
            len.saturating_add(match byte {
                0..=0x1f => 6,
                b'"' | b'\\' => 2,
                _ => 1,
            })
        })
    } else {
        bytes.len().saturating_mul(2)
    };
    u64::try_from(len).unwrap_or(u64::MAX)
}
