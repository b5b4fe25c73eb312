//! One request's answer, taken apart into chunks that are proven before they are lent.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::codec::Decoder;
use crate::plan::{Part, Parts, Request};
use crate::toc::{FileId, Toc};
use crate::{Digest, Hasher, Limits, Name};

/// How much of a chunk too long to hold back is lent at once, in bytes.
const PIECE: usize = 256 * 1024;

/// Takes the bytes of one range, in order, however they are cut.
///
/// A chunk up to [`Limits::held_chunk`] is lent only once its digest matched. A longer one is lent as it decodes and
/// settled at its end; the error then comes before the fetch can be finished, so nothing that was written is kept.
/// Memory: one compressed window and one plain buffer, whatever the blob claims. Frames that hold several chunks are
/// decoded once, and what lies in them before a chunk is decoded and dropped.
pub struct Fetch {
    index: usize,
    request: Request,
    parts: Arc<Parts>,
    toc: Arc<Toc>,
    /// Made with the first bytes: a plan may start a great many fetches, of which few run at once.
    decoder: Option<Decoder>,
    window_log: u32,
    held_chunk: u64,
    /// Offset in the blob of the next byte owed.
    at: u64,
    /// The part being decoded.
    part: usize,
    /// How many plain bytes of its frames have been decoded, those before the chunk included.
    plain: u64,
    /// How much of it has been decoded.
    decoded: u64,
    /// How much of it has been lent; for a long chunk, where the buffer's content begins.
    settled: u64,
    hasher: Hasher,
    buffer: Vec<u8>,
    /// What is in `buffer` and goes to this target next.
    lending: Option<usize>,
    failed: Option<Box<FetchError>>,
}

/// Proof that every chunk of one request was decoded, had its digest and was lent.
#[derive(Debug)]
pub struct Receipt {
    pub(crate) index: usize,
    pub(crate) parts: Arc<Parts>,
}

/// Bytes that belong in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lent<'a> {
    /// The file.
    pub file: FileId,
    /// Where in it.
    pub offset: u64,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Whether they end a chunk, so that the file has one arrival less to wait for ([`crate::Plan::arrivals`]).
    pub ends_chunk: bool,
}

impl Fetch {
    pub(crate) fn new(
        index: usize,
        request: Request,
        parts: Arc<Parts>,
        toc: Arc<Toc>,
        limits: &Limits,
    ) -> Self {
        Self {
            index,
            at: request.range.start,
            part: request.parts.start,
            request,
            parts,
            plain: 0,
            decoder: None,
            window_log: limits.window_log,
            toc,
            held_chunk: limits.held_chunk,
            decoded: 0,
            settled: 0,
            hasher: Hasher::new(),
            buffer: Vec::new(),
            lending: None,
            failed: None,
        }
    }

    /// Returns the range of the blob that is still owed. This is all of resume.
    ///
    /// Empty once every byte was taken, though chunks may still have to be lent: [`finish`](Self::finish) tells.
    pub fn remaining(&self) -> Range<u64> {
        if self.part >= self.request.parts.end && self.lending.is_none() {
            return self.request.range.end..self.request.range.end;
        }
        self.at..self.request.range.end
    }

    /// Takes the next bytes of the range and lends the chunks that they complete.
    ///
    /// What the guard has not used when it is dropped is not taken: `remaining` names it, and it must come again.
    pub fn receive<'a>(&'a mut self, bytes: &'a [u8]) -> Chunks<'a> {
        Chunks { fetch: self, bytes }
    }

    /// Ends the fetch.
    ///
    /// # Errors
    /// The first error again, or bytes are missing.
    pub fn finish(self) -> Result<Receipt, FetchError> {
        if let Some(error) = self.failed {
            return Err(*error);
        }
        let Range { start, end } = self.remaining();
        if self.part < self.request.parts.end || self.lending.is_some() {
            return Err(FetchError::Truncated { at: start, missing: end.saturating_sub(start) });
        }
        Ok(Receipt { index: self.index, parts: self.parts })
    }

    /// Decodes until there is something to lend or nothing left to decode; returns how much of `bytes` it used.
    fn advance(&mut self, bytes: &[u8]) -> Result<usize, FetchError> {
        let mut used = 0_usize;
        while self.part < self.request.parts.end && self.lending.is_none() {
            let Some(Part { frames, skip, len, digest, .. }) = self.parts.get(self.part) else { break };
            let rest = bytes.get(used..).unwrap_or_default();
            if self.at < frames.start {
                let skipped = count(frames.start.saturating_sub(self.at), rest.len());
                if skipped == 0 {
                    break;
                }
                self.took(&mut used, skipped);
                continue;
            }
            let before = skip.saturating_sub(self.plain);
            let hold = *len <= self.held_chunk;
            let want = match (before, hold) {
                // Something else lies in the frames before the chunk: decoded, and dropped.
                (1.., _) => before.min(bound(PIECE)),
                (0, true) => *len,
                (0, false) => len.saturating_sub(self.settled).min(bound(PIECE)),
            };
            let want = usize::try_from(want).unwrap_or(PIECE);
            let filled = usize::try_from(self.decoded.saturating_sub(self.settled)).unwrap_or(want);
            self.buffer.resize(want, 0);
            let room = self.buffer.get_mut(filled..).unwrap_or_default();
            let input = rest.get(..count(frames.end.saturating_sub(self.at), rest.len())).unwrap_or_default();
            let decoder = self.decoder.get_or_insert_with(|| Decoder::new(self.toc.codec(), self.window_log));
            let progress = match decoder.decode(input, room) {
                Ok(progress) => progress,
                Err(message) => {
                    let frames = frames.clone();
                    return Err(FetchError::Undecodable { name: self.name(), at: self.at, frames, message });
                }
            };
            self.plain = self.plain.saturating_add(bound(progress.written));
            let stuck = progress.written == 0 && progress.read == 0;
            let (skip, len, digest, end) = (*skip, *len, *digest, frames.end);
            if before == 0 {
                if let Some(plain) = room.get(..progress.written) {
                    self.hasher.update(plain);
                }
                self.decoded = self.decoded.saturating_add(bound(progress.written));
            }
            self.took(&mut used, progress.read);
            if self.decoded == len {
                let actual = core::mem::take(&mut self.hasher).finish();
                if actual != digest {
                    let (name, offset) = (self.name(), self.target_offset());
                    return Err(FetchError::ChunkDigest { name, offset, len, expected: digest, actual });
                }
                self.lending = Some(0);
            } else if before == 0 && !hold && filled.saturating_add(progress.written) == want {
                self.lending = Some(0);
            } else if self.at >= end && stuck {
                let (expected, actual) = (skip.saturating_add(len), self.plain);
                return Err(FetchError::Short { name: self.name(), frames: self.frames(), expected, actual });
            } else if stuck {
                break;
            }
        }
        Ok(used)
    }

    /// Goes on after the last target of what was lent.
    fn settle(&mut self) {
        self.lending = None;
        let Some(part) = self.parts.get(self.part) else { return };
        self.settled = self.decoded;
        if self.decoded == part.len {
            let next = self.part.saturating_add(1);
            let continues = next < self.request.parts.end
                && self.parts.get(next).is_some_and(|next| next.continues(part));
            self.part = next;
            (self.decoded, self.settled) = (0, 0);
            if next >= self.request.parts.end {
                (self.decoder, self.buffer) = (None, Vec::new());
            } else if !continues {
                if let Some(decoder) = &mut self.decoder {
                    decoder.reset();
                }
                self.plain = 0;
            }
        }
    }

    fn took(&mut self, used: &mut usize, more: usize) {
        *used = used.saturating_add(more);
        self.at = self.at.saturating_add(bound(more));
    }

    fn frames(&self) -> Range<u64> {
        self.parts.get(self.part).map_or(0..0, |part| part.frames.clone())
    }

    fn target_offset(&self) -> u64 {
        self.parts.targets(self.part).first().map_or(0, |target| target.offset)
    }

    fn name(&self) -> Name {
        let target = self.parts.targets(self.part).first();
        let entry = target.and_then(|target| self.toc.file(target.file));
        entry.map(|entry| entry.member().name.clone()).unwrap_or_default()
    }
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch").field("request", &self.request).field("at", &self.at).finish_non_exhaustive()
    }
}

/// Lends the chunks that some bytes complete, one at a time.
#[derive(Debug)]
#[must_use = "the bytes are decoded only as chunks are taken"]
pub struct Chunks<'a> {
    fetch: &'a mut Fetch,
    bytes: &'a [u8],
}

impl Chunks<'_> {
    /// Returns the next chunk, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// The bytes are not what the TOC promised. The error repeats from then on.
    pub fn next_chunk(&mut self) -> Result<Option<Lent<'_>>, FetchError> {
        if let Some(error) = &self.fetch.failed {
            return Err((**error).clone());
        }
        if let Some(target) = self.fetch.lending {
            let targets = self.fetch.parts.targets(self.fetch.part).len();
            if target >= targets {
                self.fetch.settle();
            }
        }
        if self.fetch.lending.is_none() {
            match self.fetch.advance(self.bytes) {
                Ok(used) => self.bytes = self.bytes.get(used..).unwrap_or_default(),
                Err(error) => {
                    self.fetch.failed = Some(Box::new(error.clone()));
                    return Err(error);
                }
            }
        }
        let fetch = &mut *self.fetch;
        let Some(index) = fetch.lending else { return Ok(None) };
        let Some(part) = fetch.parts.get(fetch.part) else { return Ok(None) };
        let Some(target) = fetch.parts.targets(fetch.part).get(index) else { return Ok(None) };
        fetch.lending = Some(index.saturating_add(1));
        let filled = usize::try_from(fetch.decoded.saturating_sub(fetch.settled)).unwrap_or(0);
        Ok(Some(Lent {
            file: target.file,
            offset: target.offset.saturating_add(fetch.settled),
            bytes: fetch.buffer.get(..filled).unwrap_or_default(),
            ends_chunk: fetch.decoded == part.len,
        }))
    }
}

/// A chunk that was lent to all its targets is settled when the guard goes, so that `finish` may follow.
impl Drop for Chunks<'_> {
    fn drop(&mut self) {
        let targets = self.fetch.parts.targets(self.fetch.part).len();
        if self.fetch.lending.is_some_and(|target| target >= targets) {
            self.fetch.settle();
        }
    }
}

/// Bytes that are not what the TOC promised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum FetchError {
    /// A chunk has another digest.
    #[error("{name}: the {len} bytes at {offset} are {actual}, the TOC says {expected}")]
    ChunkDigest {
        /// The file.
        name: Name,
        /// Where the chunk begins in it.
        offset: u64,
        /// The chunk's length.
        len: u64,
        /// The digest in the TOC.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },
    /// The frames hold less than the chunk.
    #[error("{name}: the frames at {frames:?} hold {actual} bytes, the TOC says {expected}")]
    Short {
        /// The file.
        name: Name,
        /// Where its frames lie in the blob.
        frames: Range<u64>,
        /// How much the TOC says there is, up to the end of the chunk.
        expected: u64,
        /// How much there is.
        actual: u64,
    },
    /// The body ended early; the rest can be asked for again.
    #[error("the answer ended at {at}, {missing} bytes are missing")]
    Truncated {
        /// The offset in the blob where it ended.
        at: u64,
        /// How many bytes are missing.
        missing: u64,
    },
    /// The frames are not what the blob's other frames are: no zstd, or no gzip.
    #[error("{name}: the frames at {frames:?} cannot be decoded at {at}: {message}")]
    Undecodable {
        /// The file.
        name: Name,
        /// The offset in the blob near which it went wrong.
        at: u64,
        /// Where its frames lie in the blob.
        frames: Range<u64>,
        /// What the decoder says.
        message: String,
    },
}

impl FetchError {
    /// Whether the blob contradicts the TOC; else the body was only cut short.
    pub const fn is_lie(&self) -> bool {
        match self {
            Self::ChunkDigest { .. } | Self::Short { .. } | Self::Undecodable { .. } => true,
            Self::Truncated { .. } => false,
        }
    }
}

/// The smaller of a distance in the blob and a length in memory.
fn count(distance: u64, len: usize) -> usize {
    usize::try_from(distance).map_or(len, |distance| distance.min(len))
}

fn bound(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
