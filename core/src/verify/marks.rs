//! Where the TOC places frames, and where they are.

use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use crate::toc::said::Said;

use super::content::chunk_place;
use super::{Code, Findings, Place};

/// The offsets that the TOC names, and how far into the tar the frames there begin.
#[derive(Debug, Default)]
pub(super) struct Marks {
    offsets: Vec<u64>,
    plain: Vec<Option<u64>>,
    /// Where the frames of a chunk really begin, and of what follows a file's content: what the TOC should say.
    real: Vec<(u64, u64)>,
}

impl Marks {
    pub(super) fn new(offsets: Vec<u64>) -> Self {
        let plain = alloc::vec![None; offsets.len()];
        Self { offsets, plain, real: Vec::new() }
    }

    /// Hears that a frame begins or ends at `offset`, `plain` bytes into the tar.
    pub(super) fn set(&mut self, offset: u64, plain: u64) {
        if let Ok(at) = self.offsets.binary_search(&offset)
            && let Some(place) = self.plain.get_mut(at)
        {
            *place = Some(plain);
        }
    }

    /// Hears that this is where the TOC should place a chunk or the end of a file.
    pub(super) fn found(&mut self, offset: u64, plain: u64) {
        match self.real.last_mut() {
            // Frames that hold nothing come before the chunk's own; after a file they belong to it.
            Some((last, place)) if *last == plain => *place = offset,
            _ => self.real.push((plain, offset)),
        }
    }

    fn plain_at(&self, offset: u64) -> Option<u64> {
        let at = self.offsets.binary_search(&offset).ok()?;
        self.plain.get(at).copied().flatten()
    }

    /// Returns where the frames of the tar's byte `plain` begin.
    fn real(&self, plain: u64) -> Option<u64> {
        let at = self.real.binary_search_by_key(&plain, |(plain, _)| *plain).ok()?;
        self.real.get(at).map(|(_, offset)| *offset)
    }

    /// Compares where the TOC places chunks with where their frames are.
    ///
    /// `starts` says of which entries the content was met, and where in the tar; nothing is known from `lost` on.
    pub(super) fn finish(
        mut self,
        said: &Said,
        starts: &[(usize, u64)],
        plain_len: u64,
        lost: u64,
        findings: &mut Findings,
    ) {
        self.real.sort_unstable();
        let mut starts = starts.to_vec();
        starts.sort_unstable();
        for (index, entry) in said.entries.iter().enumerate() {
            let start = starts.binary_search_by_key(&index, |(entry, _)| *entry).ok();
            let start = start.and_then(|at| starts.get(at)).map(|(_, start)| *start);
            for (at, chunk) in said.chunks_of(entry).iter().enumerate() {
                let Some(offset) = chunk.frames.filter(|offset| *offset < lost) else { continue };
                let due = start.map(|start| start.saturating_add(chunk.offset));
                let real = self.plain_at(offset);
                if real.is_some()
                    && (due.is_none() || real.map(|real| real.saturating_add(chunk.inner)) == due)
                {
                    continue;
                }
                let known = due.and_then(|due| self.real(due)).filter(|known| *known != offset);
                let place = chunk_place(entry, at, chunk);
                let (place, said, actual) = match (known, real, due) {
                    (Some(known), ..) => (place, offset, known.to_string()),
                    // The right frame, perhaps, but not the right place in it.
                    (None, Some(real), Some(due)) if due >= real => {
                        (place.field("innerOffset"), chunk.inner, due.saturating_sub(real).to_string())
                    }
                    (None, Some(real), _) => {
                        (place, offset, format!("none; byte {real} of the tar is there"))
                    }
                    (None, None, _) => (place, offset, "no frame's first byte".into()),
                };
                findings.add(Code::ChunkOffset, place, said, actual);
            }
            let Some(end) = entry.end.filter(|end| *end <= lost) else { continue };
            let due = start.map(|start| start.saturating_add(entry.member.size));
            let real = self.plain_at(end);
            let beyond = due.is_some_and(|due| due > plain_len);
            if beyond || (real.is_some() && (due.is_none() || real == due)) {
                continue;
            }
            let actual = due.and_then(|due| self.real(due));
            let actual = actual.map_or_else(|| "no frame's end".into(), |end| end.to_string());
            let place = Place::entry(entry.index, &entry.member.name).field("endOffset");
            findings.add(Code::ChunkEnd, place, end, actual);
        }
    }
}
