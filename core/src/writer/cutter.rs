//! Cuts the tar into frames, and frames into batches, always at the same places.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::batch::{Batch, ChunkEnd, Frame, Item, Part};
use crate::{Digest, Member};

/// The most plain bytes in one frame; what is longer becomes several.
pub const LONGEST_FRAME: usize = 16 << 20;

/// The length of frames that are not to be found one by one: long enough to lose nothing, short enough for many cores.
pub(super) const PLAIN_FRAME: usize = 4 << 20;

/// A batch is closed at the end of the frame with which it reaches this.
const BATCH: usize = 1 << 20;

/// Holds the open batch; < `BATCH` bytes of ended frames, and one open frame.
#[derive(Debug)]
pub(super) struct Cutter {
    /// The number of the open batch.
    number: u64,
    plain: Vec<u8>,
    items: Vec<Item>,
    lines: Vec<u8>,
    /// Where in `plain` the open frame begins.
    frame: usize,
    /// The longest frame.
    longest: usize,
    /// Whether the frame before the open one is of the same chunk.
    continued: bool,
    ready: VecDeque<Batch>,
    any: bool,
}

impl Cutter {
    pub(super) fn new(longest: usize) -> Self {
        Self {
            number: 0,
            plain: Vec::new(),
            items: Vec::new(),
            lines: Vec::new(),
            frame: 0,
            longest,
            continued: false,
            ready: VecDeque::new(),
            any: false,
        }
    }

    /// Takes bytes that belong to no chunk.
    pub(super) fn put_meta(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (piece, rest) = self.fit(bytes);
            if piece.is_empty() {
                self.end_meta();
                continue;
            }
            self.plain.extend_from_slice(piece);
            bytes = rest;
        }
    }

    /// Takes bytes of the open chunk, as many as fit into the open frame, and returns the rest.
    ///
    /// If that is all of them, the frame is full: see [`split`](Self::split).
    pub(super) fn put_chunk<'a>(&mut self, bytes: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let (piece, rest) = self.fit(bytes);
        self.plain.extend_from_slice(piece);
        (piece, rest)
    }

    /// Returns the plain bytes of the open frame.
    pub(super) fn open(&self) -> &[u8] {
        self.plain.get(self.frame..).unwrap_or_default()
    }

    /// Whether the open chunk has frames before the open one.
    pub(super) const fn continued(&self) -> bool {
        self.continued
    }

    /// Ends the frame, but not the chunk.
    pub(super) fn split(&mut self) {
        let first = !self.continued;
        self.end(Part::Chunk { first, end: None });
        self.continued = true;
    }

    /// Ends the frame and the chunk with it; `digest` is given if the chunk has more frames than this.
    pub(super) fn end_chunk(&mut self, cut: crate::Cut, digest: Option<Digest>) {
        let first = !self.continued;
        self.continued = false;
        self.end(Part::Chunk { first, end: Some(ChunkEnd { cut, digest }) });
    }

    /// Ends the frame of bytes that belong to no chunk, if it holds any.
    pub(super) fn end_meta(&mut self) {
        if !self.open().is_empty() {
            self.end(Part::Meta);
        }
    }

    /// Puts an empty frame, so that there is one.
    pub(super) fn end_empty(&mut self) {
        self.end(Part::Meta);
    }

    /// Whether any frame was ended.
    pub(super) const fn any(&self) -> bool {
        self.any
    }

    /// Takes a member; frames of its content follow.
    pub(super) fn member(&mut self, member: Member) {
        self.items.push(Item::Member(Box::new(member)));
    }

    /// Ends the content of the last member; `digest` is given if it has more than one chunk.
    pub(super) fn end_file(&mut self, digest: Option<Digest>) {
        self.items.push(Item::EndFile(digest));
    }

    /// Where to append lines of the tar-split.
    pub(super) const fn lines(&mut self) -> &mut Vec<u8> {
        &mut self.lines
    }

    /// From here on, frames are not to be found one by one, and nothing is written down.
    pub(super) fn give_up(&mut self) {
        self.end_meta();
        self.longest = PLAIN_FRAME;
        self.lines = Vec::new();
        self.items.push(Item::GiveUp);
    }

    /// Returns the next batch that is complete.
    pub(super) fn next_batch(&mut self) -> Option<Batch> {
        self.ready.pop_front()
    }

    /// Closes the last batch, and returns all that were not taken.
    pub(super) fn finish(mut self) -> (Vec<Batch>, u64) {
        self.end_meta();
        if !self.items.is_empty() || !self.lines.is_empty() {
            self.seal();
        }
        (self.ready.into(), self.number)
    }

    /// Splits off what fits into the open frame.
    fn fit<'a>(&self, bytes: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let room = self.longest.saturating_sub(self.open().len());
        bytes.split_at_checked(room).unwrap_or((bytes, &[]))
    }

    fn end(&mut self, part: Part) {
        self.items.push(Item::Frame(Frame { len: self.open().len(), part }));
        self.frame = self.plain.len();
        self.any = true;
        if self.plain.len() >= BATCH {
            self.seal();
        }
    }

    fn seal(&mut self) {
        // The next will be about as long: frames end where they do.
        let plain = core::mem::replace(&mut self.plain, Vec::with_capacity(BATCH));
        let items = core::mem::take(&mut self.items);
        let lines = core::mem::take(&mut self.lines);
        self.ready.push_back(Batch::new(self.number, plain, items, lines));
        self.number = self.number.saturating_add(1);
        self.frame = 0;
    }
}
