//! The last stage: puts the frames in order, and what leads to them behind.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{boxed::Box, format};

use super::batch::{ChunkEnd, Frame, Item, Packed, Part};
use super::toc::{self, Content, Placed};
use super::{Format, TarEnd, Unchunkable, WriteError, WriteOptions};
use crate::locate::footer::{MAGIC, TYPE};
use crate::locate::{CHECKSUM, POSITION, TAR_SPLIT_POSITION};
use crate::zstd::{Effort, Encoder};
use crate::{Digest, Hasher, Limits, Member};

/// How hard the TOC and the tar-split are compressed.
///
/// Harder than the data, because an update downloads both and little else; but at the low levels, where it counts, in
/// no more than a quarter of what the data take, and to level 3, where people ask for speed, in a tenth. On a layer of
/// Debian and Python (240 MB, 18,617 entries), where podman at level 3 comes to 963 kB and 592 kB:
///
/// | level | TOC | tar-split |
/// |---|---|---|
/// | to 3 | 848 kB, 0.08 s | 375 kB, 0.06 s |
/// | to 5 | 800 kB, 0.31 s | 375 kB, 0.06 s |
/// | to 15 | 793 kB, 0.41 s | 352 kB, 0.69 s |
/// | 16 and up | 780 kB, 1.1 s | 347 kB, 1.3 s |
///
/// Most of the TOC is digests, at 488 kB however they are coded: there is not much to find, and short matches are none.
/// The tar-split is long runs that hardly differ.
const fn efforts(level: i32) -> (Effort, Effort) {
    let toc = Effort { strategy: 7, window_log: 23, table_log: 20, search_log: 1, min_match: 6, target: 128 };
    let tar_split =
        Effort { strategy: 5, window_log: 24, table_log: 20, search_log: 5, min_match: 6, target: 999 };
    match level {
        ..4 => (Effort { strategy: 5, search_log: 5, ..toc }, tar_split),
        4..6 => (toc, tar_split),
        6..16 => (
            Effort { search_log: 2, ..toc },
            Effort { strategy: 7, search_log: 4, min_match: 5, ..tar_split },
        ),
        16.. => (
            Effort { strategy: 8, table_log: 22, search_log: 6, min_match: 5, ..toc },
            Effort { strategy: 7, table_log: 22, search_log: 6, min_match: 5, ..tar_split },
        ),
    }
}

/// Text is compressed in pieces of this length, whatever the pieces in which it comes.
const PIECE: usize = 128 * 1024;

/// Takes compressed batches in order, and gives the blob.
#[derive(Debug)]
pub struct Assembler {
    format: Format,
    limits: Limits,
    /// The batch that is due.
    due: u64,
    blob: Hasher,
    blob_len: u64,
    /// What is written down of the members; `None` in a plain blob.
    index: Option<Box<Index>>,
    plain: Option<Unchunkable>,
}

#[derive(Debug)]
struct Index {
    toc: Text,
    tar_split: Text,
    /// The last member, until its content has ended.
    open: Option<Member>,
    chunks: Vec<Placed>,
    /// Where the open chunk begins.
    start: u64,
    /// Entries of the TOC.
    entries: usize,
}

/// Text that is compressed as it grows.
#[derive(Debug)]
struct Text {
    effort: Effort,
    plain: Vec<u8>,
    /// What was compressed of it.
    plain_len: u64,
    /// What compresses it, once there is more than a piece. (Less needs only small tables, which are quick to clear.)
    encoder: Option<Encoder>,
}

/// A layer that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenLayer {
    /// The digest of the tar.
    pub diff_id: Digest,
    /// The tar's length.
    pub tar_len: u64,
    /// The digest of the blob.
    pub blob: Digest,
    /// The blob's length.
    pub blob_len: u64,
    /// The form that was asked for; with [`plain`](Self::plain) it is [`Format::Zstd`] all the same.
    pub format: Format,
    /// What the layer's descriptor must say for the blob to be read by file; empty for a plain blob.
    pub annotations: BTreeMap<String, String>,
    /// The length of the TOC in the blob; 0 if there is none.
    pub toc_len: u64,
    /// The length of the tar-split in the blob; 0 if there is none.
    pub tar_split_len: u64,
    /// Why the layer could not be chunked, and is plain zstd.
    pub plain: Option<Unchunkable>,
}

impl Assembler {
    pub(super) fn new(options: &WriteOptions) -> Self {
        let chunked = options.format == Format::ZstdChunked;
        Self {
            format: options.format,
            limits: options.limits,
            due: 0,
            blob: Hasher::new(),
            blob_len: 0,
            index: chunked.then(|| Box::new(Index::new(efforts(options.clamped())))),
            plain: None,
        }
    }

    /// Takes the next batch, and returns the next bytes of the blob.
    ///
    /// # Errors
    /// Another batch is due.
    pub fn accept(&mut self, packed: Packed) -> Result<Vec<u8>, WriteError> {
        if packed.number != self.due {
            return Err(WriteError::Order { expected: self.due, actual: packed.number });
        }
        self.due = self.due.saturating_add(1);
        for item in packed.items {
            self.item(item);
        }
        if let Some(index) = &mut self.index {
            index.tar_split.push(&packed.lines);
            if let Some(reason) = index.over(&self.limits) {
                self.give_up(reason);
            }
        }
        self.blob.update(&packed.blob);
        Ok(packed.blob)
    }

    /// Ends the blob: returns its last bytes, and what is to be known about it.
    ///
    /// # Errors
    /// Batches are missing.
    pub fn finish(mut self, end: TarEnd) -> Result<(Vec<u8>, WrittenLayer), WriteError> {
        let TarEnd { diff_id, tar_len, batches, plain } = end;
        if self.due != batches {
            return Err(WriteError::Order { expected: self.due, actual: batches });
        }
        if let Some(reason) = plain {
            self.give_up(reason);
        }
        let mut tail = Vec::new();
        let (mut annotations, mut lens) = (BTreeMap::new(), (0, 0));
        if let Some(index) = self.index.take() {
            match index.finish(self.blob_len, &self.limits, &mut tail) {
                Ok(written) => (annotations, lens) = written,
                Err(reason) => self.give_up(reason),
            }
        }
        self.blob.update(&tail);
        let blob_len = self.blob_len.saturating_add(length(&tail));
        let layer = WrittenLayer {
            diff_id,
            tar_len,
            blob: self.blob.finish(),
            blob_len,
            format: if self.plain.is_some() { Format::Zstd } else { self.format },
            annotations,
            toc_len: lens.0,
            tar_split_len: lens.1,
            plain: self.plain,
        };
        Ok((tail, layer))
    }

    fn item(&mut self, item: Item) {
        match item {
            Item::GiveUp => self.index = None,
            Item::Member(member) => {
                if let Some(index) = &mut self.index {
                    index.member(*member);
                }
            }
            Item::EndFile(digest) => {
                if let Some(index) = &mut self.index {
                    index.end_file(digest, self.blob_len);
                }
            }
            Item::Frame(Frame { len, part }) => {
                if let (Some(index), Part::Chunk { first, end }) = (&mut self.index, part) {
                    index.frame(first, end.as_ref(), self.blob_len);
                }
                self.blob_len = self.blob_len.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
            }
        }
    }

    fn give_up(&mut self, reason: Unchunkable) {
        self.index = None;
        self.plain.get_or_insert(reason);
    }
}

impl Index {
    fn new((toc, tar_split): (Effort, Effort)) -> Self {
        let (mut toc, tar_split) = (Text::new(toc), Text::new(tar_split));
        toc.push(toc::HEAD);
        Self { toc, tar_split, open: None, chunks: Vec::new(), start: 0, entries: 0 }
    }

    /// Takes a member whose headers ended; if it has content, that comes now.
    fn member(&mut self, member: Member) {
        self.close(None);
        self.open = Some(member);
    }

    /// Takes a frame that begins at `offset`.
    fn frame(&mut self, first: bool, end: Option<&ChunkEnd>, offset: u64) {
        if first {
            self.start = offset;
        }
        if let Some(&ChunkEnd { cut, digest: Some(digest) }) = end {
            self.chunks.push(Placed { cut, digest, offset: self.start });
        }
    }

    fn end_file(&mut self, digest: Option<Digest>, end: u64) {
        let chunks = core::mem::take(&mut self.chunks);
        let only = chunks.first().map(|chunk| chunk.digest);
        if let Some(digest) = digest.or(only) {
            self.close(Some(&Content { digest, chunks: &chunks, end }));
        }
    }

    /// Writes the open member down.
    fn close(&mut self, content: Option<&Content<'_>>) {
        let Some(member) = self.open.take() else { return };
        if self.entries > 0 {
            self.toc.plain.push(b',');
        }
        let chunks = content.map_or(1, |content| content.chunks.len());
        self.entries = self.entries.saturating_add(chunks);
        toc::entry(&member, content, &mut self.toc.plain);
        self.toc.drain();
    }

    /// Tells what has grown too large for readers.
    fn over(&self, limits: &Limits) -> Option<Unchunkable> {
        let too_large = |what, limit, unit| Some(Unchunkable::TooLarge { what, limit, unit });
        if self.entries > limits.entries {
            return too_large(
                "table of contents",
                u64::try_from(limits.entries).unwrap_or(u64::MAX),
                "entries",
            );
        }
        if self.toc.len() > limits.toc {
            return too_large("table of contents", limits.toc, "bytes");
        }
        (self.tar_split.len() > limits.tar_split).then_some(Unchunkable::TooLarge {
            what: "tar-split",
            limit: limits.tar_split,
            unit: "bytes",
        })
    }

    /// Appends TOC, tar-split and footer to a blob of `at` bytes.
    #[expect(clippy::type_complexity, reason = "annotations and two lengths, for one caller")]
    fn finish(
        mut self: Box<Self>,
        at: u64,
        limits: &Limits,
        out: &mut Vec<u8>,
    ) -> Result<(BTreeMap<String, String>, (u64, u64)), Unchunkable> {
        self.close(None);
        let over = self.over(limits);
        let Self { mut toc, tar_split, .. } = *self;
        if let Some(reason) = over {
            return Err(reason);
        }
        let split_plain = tar_split.len();
        let split = tar_split.finish();
        toc::tail(&Digest::of(&split), &mut toc.plain);
        let toc_plain = toc.len();
        if toc_plain > limits.toc {
            let what = "table of contents";
            return Err(Unchunkable::TooLarge { what, limit: limits.toc, unit: "bytes" });
        }
        let toc = toc.finish();
        for (what, bytes, limit) in [
            ("compressed table of contents", &toc, limits.toc_compressed),
            ("compressed tar-split", &split, limits.tar_split_compressed),
        ] {
            if length(bytes) > limit {
                return Err(Unchunkable::TooLarge { what, limit, unit: "bytes" });
            }
        }
        let toc_at = at.saturating_add(8);
        skippable(&toc, out);
        let split_at = at.saturating_add(length(out)).saturating_add(8);
        skippable(&split, out);
        let (toc_len, split_len) = (length(&toc), length(&split));
        let mut footer = Vec::new();
        for field in [toc_at, toc_len, toc_plain, TYPE, split_at, split_len, split_plain] {
            footer.extend_from_slice(&field.to_le_bytes());
        }
        footer.extend_from_slice(MAGIC);
        skippable(&footer, out);
        let annotations = [
            (CHECKSUM, Digest::of(&toc).to_string()),
            (POSITION, format!("{toc_at}:{toc_len}:{toc_plain}:{TYPE}")),
            (TAR_SPLIT_POSITION, format!("{split_at}:{split_len}:{split_plain}")),
        ];
        let annotations = annotations.map(|(key, value)| (key.to_string(), value));
        Ok((annotations.into(), (toc_len, split_len)))
    }
}

impl Text {
    fn new(effort: Effort) -> Self {
        Self { effort, plain: Vec::new(), plain_len: 0, encoder: None }
    }

    fn push(&mut self, text: &[u8]) {
        self.plain.extend_from_slice(text);
        self.drain();
    }

    /// Compresses all whole pieces.
    fn drain(&mut self) {
        let whole = self.plain.len() / PIECE;
        if whole > 0 {
            let len = whole.saturating_mul(PIECE);
            let encoder = self.encoder.get_or_insert_with(|| Encoder::with_effort(self.effort, None));
            for piece in self.plain.chunks_exact(PIECE) {
                encoder.write(piece);
            }
            self.plain_len = self.plain_len.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
            self.plain.drain(..len);
        }
    }

    /// Returns the length of the text so far.
    fn len(&self) -> u64 {
        self.plain_len.saturating_add(length(&self.plain))
    }

    fn finish(mut self) -> Vec<u8> {
        self.drain();
        let all = Some(self.len());
        let mut encoder = self.encoder.unwrap_or_else(|| Encoder::with_effort(self.effort, all));
        encoder.write(&self.plain);
        encoder.finish()
    }
}

/// Appends a frame that zstd passes over.
fn skippable(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x50, 0x2a, 0x4d, 0x18]);
    // The limits keep it far below 4 GiB.
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
