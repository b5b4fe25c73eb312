//! Cutting the files of a layer that was read whole before, from their contents read back.

use alloc::sync::Arc;

use super::content::Content;
use super::cuts::Cuts;
use crate::Limits;
use crate::toc::{Body, Chunk, Entry, FileId, Toc};

/// Finds the chunks of a layer's files, as a [`WholeFetch`](crate::WholeFetch) that was asked for them would have.
#[derive(Debug)]
pub struct Recut {
    toc: Arc<Toc>,
    /// The next entry to look at.
    next: usize,
    cuts: Cuts,
    /// The file being received, and how far it came.
    open: Option<(FileId, Content, u64)>,
}

impl Recut {
    /// Starts at the first file.
    pub fn new(toc: Arc<Toc>, limits: &Limits) -> Self {
        Self { toc, next: 0, cuts: Cuts::new(limits), open: None }
    }

    /// Returns the file whose content is needed next, from its beginning; `None` when there is none any more.
    ///
    /// Files of which chunks are known already are left alone. One that is not [settled](Self::settle) is left as it
    /// is.
    pub fn wants(&mut self) -> Option<FileId> {
        self.open = None;
        while let Some(entry) = self.toc.entries().get(self.next) {
            let file = FileId::new(self.next);
            self.next = self.next.saturating_add(1);
            let uncut = matches!(self.toc.chunks(entry), [Chunk { body: Body::Unlocated, .. }]);
            if uncut && entry.is_file() && self.cuts.budget.enter(&entry.member().name) {
                self.open = Some((file, Content::new(true), 0));
                return Some(file);
            }
        }
        None
    }

    /// Takes the next bytes of the file wanted last.
    pub fn receive(&mut self, bytes: &[u8]) {
        if let Some((_, content, reached)) = &mut self.open {
            content.receive(*reached, bytes, &mut self.cuts.budget);
            *reached = reached.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        }
    }

    /// Ends the file wanted last; returns whether it was the content that the TOC names. If not, it stays uncut.
    pub fn settle(&mut self) -> bool {
        let Some((file, content, reached)) = self.open.take() else { return false };
        let (digest, chunks) = content.finish(reached, &mut self.cuts.budget);
        if self.toc.file(file).and_then(Entry::digest) != Some(&digest) {
            return false;
        }
        if let Some(chunks) = chunks {
            self.cuts.add(file, chunks);
        }
        true
    }

    /// Returns the TOC with the chunks in it; without any where it would outgrow what a store reads back.
    pub fn finish(self) -> Toc {
        self.cuts.apply(Arc::unwrap_or_clone(self.toc))
    }
}
