//! One file's content while it passes: its digest and, where they are wanted, its chunks and theirs.

use alloc::vec::Vec;

use super::cuts::Budget;
use crate::chunker::{ChunkPiece, ChunkPieces, Chunker};
use crate::toc::{Body, Chunk};
use crate::{Digest, Hasher};

/// Holes are hashed, and cut, as the zeros they read as.
pub(super) const ZEROS: [u8; 4096] = [0; 4096];

/// Hashes a file as it is read, and cuts it.
#[derive(Debug)]
pub(super) struct Content {
    hasher: Hasher,
    /// How far it came, holes included.
    reached: u64,
    cutter: Option<Cutter>,
}

/// Cuts a file and hashes its chunks.
#[derive(Debug, Default)]
struct Cutter {
    chunker: Chunker,
    /// Hashes the open chunk. `None` in the first one: until it ends, it is the file. Most files have no other, and
    /// are hashed once.
    hasher: Option<Hasher>,
    chunks: Vec<Chunk>,
}

impl Content {
    /// Starts a file; `cut` says whether its chunks are wanted.
    pub(super) fn new(cut: bool) -> Self {
        Self { hasher: Hasher::new(), reached: 0, cutter: cut.then(Cutter::default) }
    }

    /// Takes bytes of the file that belong at `offset`; what was skipped before them is a hole.
    ///
    /// Where the budget does not allow the chunks, the file has none from then on.
    pub(super) fn receive(&mut self, offset: u64, bytes: &[u8], budget: &mut Budget) {
        self.zeros(offset, budget);
        self.take(bytes, budget);
    }

    /// Ends the file, which is `size` bytes long; returns its digest, and its chunks if there are several. Of a single
    /// one, a hole or not, nobody says anything: the file's digest does.
    pub(super) fn finish(mut self, size: u64, budget: &mut Budget) -> (Digest, Option<Vec<Chunk>>) {
        self.zeros(size, budget);
        let Self { mut hasher, mut cutter, .. } = self;
        if let Some(Cutter { chunker, hasher: chunk, chunks }) = &mut cutter
            && !pass(chunker.finish(), &mut hasher, chunk, chunks, budget)
        {
            cutter = None;
        }
        let chunks = cutter.map(|cutter| cutter.chunks);
        (hasher.finish(), chunks.filter(|chunks| chunks.len() > 1))
    }

    /// Fills up to an offset.
    fn zeros(&mut self, offset: u64, budget: &mut Budget) {
        while self.reached < offset {
            let left = usize::try_from(offset.saturating_sub(self.reached)).unwrap_or(usize::MAX);
            self.take(ZEROS.get(..left).unwrap_or(&ZEROS), budget);
        }
    }

    fn take(&mut self, bytes: &[u8], budget: &mut Budget) {
        let Self { hasher, reached, cutter } = self;
        *reached = reached.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let Some(Cutter { chunker, hasher: chunk, chunks }) = cutter else { return hasher.update(bytes) };
        if !pass(chunker.receive(bytes), hasher, chunk, chunks, budget) {
            // It may have held zeros back, which are the file's.
            pass(chunker.finish(), hasher, chunk, chunks, budget);
            *cutter = None;
        }
    }
}

/// Hashes what the chunker lends again; `false` when the budget is spent, though the file's digest goes on.
fn pass(
    mut pieces: ChunkPieces<'_>,
    file: &mut Hasher,
    chunk: &mut Option<Hasher>,
    chunks: &mut Vec<Chunk>,
    budget: &mut Budget,
) -> bool {
    let mut within = true;
    while let Some(piece) = pieces.next_piece() {
        match piece {
            ChunkPiece::Bytes { bytes, .. } => {
                file.update(bytes);
                if let Some(chunk) = chunk {
                    chunk.update(bytes);
                }
            }
            ChunkPiece::End(cut) => {
                within = within && budget.spend();
                if !within {
                    continue;
                }
                let hasher = chunk.replace(Hasher::new()).unwrap_or_else(|| file.clone());
                let body = if cut.zeros { Body::Zeros } else { Body::Unlocated };
                let (offset, len, digest) = (cut.offset, cut.len, hasher.finish());
                chunks.push(Chunk { offset, len, digest, body, skip: 0 });
            }
        }
    }
    within
}
