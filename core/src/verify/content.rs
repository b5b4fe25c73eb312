//! One file's content, held against what the TOC says of it.

use crate::chunker::{ChunkPiece, Chunker, Cut};
use crate::toc::said::{Said, SaidChunk, SaidEntry};
use crate::{Digest, Hasher};

use super::{Code, Findings, Place};

/// Takes the content of one regular file.
#[derive(Debug)]
pub(super) struct ContentCheck {
    /// Which entry of the TOC, chunk entries left out.
    pub(super) entry: usize,
    file: Hasher,
    /// Of the chunk being read, where a file has several.
    chunk: Option<Hasher>,
    /// Which of the file's chunks.
    at: usize,
    /// How much of the file was taken.
    reached: u64,
    /// Where the first byte is that should be zero.
    not_zero: Option<u64>,
    /// Cuts the file as zstd:chunked would; `None` where others may cut as they like.
    chunker: Option<Chunker>,
    /// How many cuts were the same so far.
    cuts: usize,
    /// The first that is not.
    other: Option<Cut>,
}

impl ContentCheck {
    /// Starts before the first byte; `rolling` says whether the chunks should be those of the rolling sum.
    pub(super) fn new(entry: usize, said: &Said, rolling: bool) -> Self {
        let several = said.entries.get(entry).is_some_and(|entry| entry.chunks.len() > 1);
        Self {
            entry,
            file: Hasher::new(),
            chunk: several.then(Hasher::new),
            at: 0,
            reached: 0,
            not_zero: None,
            chunker: rolling.then(Chunker::new),
            cuts: 0,
            other: None,
        }
    }

    /// Returns the chunk that begins where the content is now.
    pub(super) fn beginning(&self, said: &Said) -> Option<usize> {
        let entry = said.entries.get(self.entry)?;
        let index = entry.chunks.start.checked_add(self.at).filter(|index| *index < entry.chunks.end)?;
        said.chunks.get(index).filter(|chunk| chunk.offset == self.reached).map(|_| index)
    }

    pub(super) fn receive(&mut self, bytes: &[u8], said: &Said, findings: &mut Findings) {
        self.file.update(bytes);
        let Some(entry) = said.entries.get(self.entry) else { return };
        let chunks = said.chunks_of(entry);
        if let Some(chunker) = &mut self.chunker {
            let mut pieces = chunker.receive(bytes);
            while let Some(piece) = pieces.next_piece() {
                compare_cut(piece, chunks, &mut self.cuts, &mut self.other);
            }
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some(chunk) = chunks.get(self.at) else {
                self.reached = self.reached.saturating_add(length(rest));
                return;
            };
            let left = chunk.offset.saturating_add(chunk.len).saturating_sub(self.reached);
            let (now, more) = rest.split_at(usize::try_from(left).unwrap_or(usize::MAX).min(rest.len()));
            rest = more;
            if let Some(hasher) = &mut self.chunk {
                hasher.update(now);
            }
            if chunk.zeros && self.not_zero.is_none() {
                let at = now.iter().position(|byte| *byte != 0).and_then(|at| u64::try_from(at).ok());
                self.not_zero = at.map(|at| self.reached.saturating_add(at));
            }
            self.reached = self.reached.saturating_add(length(now));
            if self.reached >= chunk.offset.saturating_add(chunk.len) {
                self.settle(entry, chunk, findings);
            }
        }
    }

    /// Ends a chunk.
    fn settle(&mut self, entry: &SaidEntry, chunk: &SaidChunk, findings: &mut Findings) {
        let place = || chunk_place(entry, self.at, chunk);
        if let Some(at) = self.not_zero {
            findings.add(Code::ChunkZeros, place(), "", at);
        }
        if let Some(hasher) = &mut self.chunk {
            let actual = core::mem::take(hasher).finish();
            if let Some(expected) = chunk.digest.filter(|expected| *expected != actual) {
                findings.add(Code::ChunkDigest, place(), expected, actual);
            }
        }
        self.not_zero = None;
        self.at = self.at.saturating_add(1);
    }

    /// Ends the file.
    pub(super) fn finish(mut self, said: &Said, findings: &mut Findings) {
        let Some(entry) = said.entries.get(self.entry) else { return };
        let chunks = said.chunks_of(entry);
        let actual: Digest = self.file.finish();
        let place = Place::entry(entry.index, &entry.member.name);
        if let Some(expected) = entry.digest.filter(|expected| *expected != actual) {
            findings.add(Code::FileDigest, place.clone(), expected, actual);
        }
        if let Some(chunker) = &mut self.chunker {
            let mut pieces = chunker.finish();
            while let Some(piece) = pieces.next_piece() {
                compare_cut(piece, chunks, &mut self.cuts, &mut self.other);
            }
        }
        if let Some(cut) = self.other {
            let range = |offset: u64, len: u64| alloc::format!("{offset}..{}", offset.saturating_add(len));
            let said = chunks.get(self.cuts);
            let said = said.map_or_else(|| "no more".into(), |chunk| range(chunk.offset, chunk.len));
            findings.add(Code::ChunkBoundaries, place, range(cut.offset, cut.len), said);
        }
    }
}

/// Chunk entries stand one after the other, behind their file's.
pub(super) fn chunk_place(entry: &SaidEntry, at: usize, chunk: &SaidChunk) -> Place {
    let place = Place::entry(entry.index.saturating_add(at), &entry.member.name);
    if entry.chunks.len() > 1 { Place { within: Some(chunk.offset), ..place } } else { place }
}

fn compare_cut(piece: ChunkPiece<'_>, chunks: &[SaidChunk], same: &mut usize, other: &mut Option<Cut>) {
    let ChunkPiece::End(cut) = piece else { return };
    if other.is_some() {
        return;
    }
    match chunks.get(*same) {
        Some(chunk) if (chunk.offset, chunk.len) == (cut.offset, cut.len) => *same = same.saturating_add(1),
        _ => *other = Some(cut),
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
