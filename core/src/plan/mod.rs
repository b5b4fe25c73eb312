//! A plan: where every byte of a layer will come from, settled before anything is fetched.

mod decide;
mod merge;
mod parts;
mod same;
mod summary;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

pub(crate) use decide::decide_trusting;
pub use decide::{Decision, Reason, decide, decide_files};
pub(crate) use parts::{Part, Parts, Target};
pub use summary::Summary;

use crate::fetch::Fetch;
use crate::ledger::Ledger;
use crate::toc::{Body, Chunk, FileId, Toc};
use crate::{Digest, HeldChunk, Limits};

/// What to take from donors and what to fetch.
#[derive(Clone, Debug)]
pub struct Plan {
    toc: Arc<Toc>,
    files: Vec<PlannedFile>,
    parts: Arc<Parts>,
    requests: Vec<Request>,
    limits: Limits,
}

/// One regular file with content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedFile {
    /// Which one.
    pub file: FileId,
    /// Where its content comes from.
    pub source: Source,
}

impl PlannedFile {
    /// Whether it is fetched as one chunk, which was held against the file's own digest then.
    pub(crate) fn is_one_fetch(&self, toc: &Toc) -> bool {
        let chunks = toc.file(self.file).map(|entry| toc.chunks(entry)).unwrap_or_default();
        matches!(&self.source, Source::Assembled { donated, .. } if donated.is_empty())
            && matches!(chunks, [Chunk { body: Body::Frames(_), .. }])
    }
}

/// Where a file's content comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a shell that misses one would lose a file")]
pub enum Source {
    /// Put together: from fetched chunks, from donors' chunks and from holes. A file that is fetched as a whole is
    /// this too, with no pieces from donors.
    Assembled {
        /// What donors give; the rest is fetched or a hole.
        donated: Vec<Donated>,
        /// Whether anything is fetched for it.
        fetched: bool,
    },
    /// The machine holds a file with the same content.
    Held {
        /// The donor's digest.
        digest: Digest,
        /// Whether it is held under the same metadata, so that it may be the same inode.
        same_class: bool,
    },
    /// An earlier file of the same layer has the same content.
    Twin {
        /// The earlier file.
        of: FileId,
        /// Whether their metadata agree.
        same_class: bool,
    },
}

/// A piece of a file that a donor holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Donated {
    /// Where it goes in the file.
    pub offset: u64,
    /// Where it is.
    pub chunk: HeldChunk,
    /// What it must be. A donor's word for it is no proof: whoever takes it should hash it, so that a bad donor is
    /// struck out at once instead of failing the layer.
    pub digest: Digest,
}

/// One range to ask for, and the parts in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) range: Range<u64>,
    pub(crate) parts: Range<usize>,
}

impl Plan {
    /// Returns every regular file with content, in the order of the tar.
    pub fn files(&self) -> &[PlannedFile] {
        &self.files
    }

    /// Returns the byte ranges to ask for: ascending, disjoint, none empty.
    pub fn requests(&self) -> impl ExactSizeIterator<Item = Range<u64>> {
        self.requests.iter().map(|request| request.range.clone())
    }

    /// Returns the TOC that was planned for.
    pub const fn toc(&self) -> &Arc<Toc> {
        &self.toc
    }

    pub(crate) const fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }

    /// Returns how often each file is written to by fetches: once per chunk that goes there.
    pub fn arrivals(&self) -> impl Iterator<Item = FileId> {
        self.parts.all_targets().iter().map(|target| target.file)
    }

    /// Returns how many bytes of content fetches will write, each chunk counted for every place that it goes to.
    pub fn written_bytes(&self) -> u64 {
        let len = |target: &Target| self.parts.get(target.part()).map_or(0, |part| part.len);
        self.parts.all_targets().iter().map(len).fold(0, u64::saturating_add)
    }

    /// Starts: one fetch for each request, and the ledger that waits for all of them.
    pub fn start(&self) -> (Ledger, impl ExactSizeIterator<Item = Fetch>) {
        let ledger = Ledger::new(&self.parts, self.requests.len());
        let fetches = self.requests.iter().enumerate().map(|(index, request)| {
            Fetch::new(index, request.clone(), Arc::clone(&self.parts), Arc::clone(&self.toc), &self.limits)
        });
        (ledger, fetches)
    }
}

#[cfg(test)]
mod tests;
