//! Where the chunks of a file end: content-defined boundaries and holes, exactly where the reference puts them.
//!
//! A chunk ends after a byte at which the rolling sum of the last 64 says so, whatever came before: an insertion moves
//! boundaries only near it, and two versions of a file share most chunks. A run of 1,024 zero bytes or more is a chunk
//! of its own. Chunks have no least and no greatest length.

mod lanes;
mod roll;
#[cfg(test)]
mod tests;
mod zeros;

pub use roll::RollSum;
pub use zeros::HOLE;

/// Zeros to lend in place of those that were held back until it was known what they are.
static ZEROS: [u8; HOLE] = [0; HOLE];

/// Cuts one file, whose bytes arrive in pieces, into chunks.
///
/// The answer is the same however the pieces are cut. Nothing is kept of the bytes: fewer than 1,024 zeros at the end
/// of a piece are counted, and lent when it is known whether they begin a hole.
#[derive(Clone, Debug)]
pub struct Chunker {
    sum: RollSum,
    /// Where the open chunk begins in the file.
    offset: u64,
    /// How much of the open chunk was lent.
    len: u64,
    /// Whether the rolling sum ends the open chunk here.
    cut: bool,
    in_hole: bool,
    /// Zeros of which it is not known yet whether they begin a hole; < [`HOLE`], and 0 inside one.
    pending: usize,
    /// Zeros that turned out to be data and are still to be lent; < [`HOLE`].
    released: usize,
}

/// One chunk of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a range and a mark")]
pub struct Cut {
    /// Where it begins in the file.
    pub offset: u64,
    /// Its length, never 0.
    pub len: u64,
    /// Whether it is a hole: all zeros, and at least [`HOLE`] of them.
    pub zeros: bool,
}

/// One step of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller that misses one loses content")]
pub enum ChunkPiece<'a> {
    /// The next bytes of the open chunk, never none.
    Bytes {
        /// The bytes.
        bytes: &'a [u8],
        /// Whether the chunk is a hole.
        zeros: bool,
    },
    /// The open chunk is complete.
    End(Cut),
}

impl Chunker {
    /// Starts before the first byte of a file.
    pub const fn new() -> Self {
        let sum = RollSum::new();
        Self { sum, offset: 0, len: 0, cut: false, in_hole: false, pending: 0, released: 0 }
    }

    /// Takes the next bytes of the file, however few. The guard must be read to its end.
    pub const fn receive<'a>(&'a mut self, bytes: &'a [u8]) -> ChunkPieces<'a> {
        ChunkPieces { chunker: self, bytes, data: 0, last: false }
    }

    /// Takes the end of the file: the guard yields what was held back and the end of the last chunk.
    ///
    /// Then the chunker is where it started, ready for the next file.
    pub const fn finish(&mut self) -> ChunkPieces<'_> {
        ChunkPieces { chunker: self, bytes: &[], data: 0, last: true }
    }

    /// Ends the open chunk, if it holds anything.
    fn end(&mut self) -> Option<ChunkPiece<'static>> {
        let cut = Cut { offset: self.offset, len: self.len, zeros: self.in_hole };
        self.offset = self.offset.saturating_add(self.len);
        self.len = 0;
        self.cut = false;
        self.in_hole = false;
        (cut.len > 0).then_some(ChunkPiece::End(cut))
    }

    fn lend<'a>(&mut self, bytes: &'a [u8]) -> ChunkPiece<'a> {
        self.len = self.len.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        ChunkPiece::Bytes { bytes, zeros: self.in_hole }
    }

    /// Lends data up to the next boundary, if there is one in it, and returns what is left.
    fn roll<'a>(&mut self, data: &'a [u8]) -> (ChunkPiece<'a>, &'a [u8]) {
        let end = self.sum.find(data);
        self.cut = end.is_some();
        let (piece, rest) = data.split_at_checked(end.unwrap_or(data.len())).unwrap_or((data, &[]));
        (self.lend(piece), rest)
    }

    /// Opens a hole; the zeros held back are its first.
    fn open_hole(&mut self) {
        // As after rolling over the hole: it is longer than what the sum sees.
        self.sum = RollSum::new();
        self.in_hole = true;
    }
}

impl Default for Chunker {
    fn default() -> Self {
        Self::new()
    }
}

/// Lends the bytes of a file back, with the ends of its chunks between them.
#[derive(Debug)]
#[must_use = "what is not read here is lost"]
pub struct ChunkPieces<'a> {
    chunker: &'a mut Chunker,
    bytes: &'a [u8],
    /// How many of the bytes are known to be data.
    data: usize,
    /// Whether the file ends after the bytes.
    last: bool,
}

impl<'a> ChunkPieces<'a> {
    /// Returns the next step, or `None` when all bytes were used.
    pub fn next_piece(&mut self) -> Option<ChunkPiece<'a>> {
        loop {
            let chunker = &mut *self.chunker;
            if chunker.cut {
                return chunker.end();
            }
            if self.data > 0 {
                let (data, rest) = self.bytes.split_at_checked(self.data).unwrap_or((self.bytes, &[]));
                let (piece, left) = chunker.roll(data);
                self.bytes = self.bytes.get(data.len().saturating_sub(left.len())..).unwrap_or(rest);
                self.data = left.len();
                return Some(piece);
            }
            if chunker.released > 0 {
                let (piece, left) = chunker.roll(ZEROS.get(..chunker.released).unwrap_or_default());
                chunker.released = left.len();
                return Some(piece);
            }
            if chunker.in_hole {
                return self.hole();
            }
            if chunker.pending > 0 {
                let more = zeros::leading(self.bytes);
                let zeros = chunker.pending.saturating_add(more);
                if zeros >= HOLE {
                    if let Some(end) = chunker.end() {
                        return Some(end);
                    }
                    chunker.open_hole();
                    let held = core::mem::take(&mut chunker.pending);
                    return Some(chunker.lend(ZEROS.get(..held).unwrap_or_default()));
                }
                if more == self.bytes.len() && !self.last {
                    self.bytes = &[];
                    chunker.pending = zeros;
                    return None;
                }
                chunker.released = core::mem::take(&mut chunker.pending);
                continue;
            }
            if self.bytes.is_empty() {
                let end = if self.last { chunker.end() } else { None };
                if self.last {
                    *chunker = Chunker::new();
                }
                return end;
            }
            match zeros::hole(self.bytes) {
                Some(0) => {
                    if let Some(end) = chunker.end() {
                        return Some(end);
                    }
                    chunker.open_hole();
                }
                Some(start) => self.data = start,
                None => {
                    let zeros = zeros::trailing(self.bytes);
                    self.data = self.bytes.len().saturating_sub(zeros);
                    if self.data == 0 {
                        self.bytes = &[];
                        chunker.pending = zeros;
                    }
                }
            }
        }
    }

    /// Lends the zeros of a hole, or its end.
    fn hole(&mut self) -> Option<ChunkPiece<'a>> {
        let zeros = zeros::leading(self.bytes);
        let (hole, rest) = self.bytes.split_at_checked(zeros).unwrap_or((self.bytes, &[]));
        if !hole.is_empty() {
            self.bytes = rest;
            return Some(self.chunker.lend(hole));
        }
        if self.bytes.is_empty() && !self.last {
            return None;
        }
        self.chunker.end()
    }
}
