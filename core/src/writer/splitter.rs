//! The sequential half: reads the tar, and says where frames end.

use alloc::vec::Vec;

use super::cutter::{Cutter, LONGEST_FRAME, PLAIN_FRAME};
use super::paths::Paths;
use super::{Batch, Format, Unchunkable, WriteError, WriteOptions};
use crate::chunker::{ChunkPiece, ChunkPieces, Chunker};
use crate::tar::{Entry, TarEvent, TarReader};
use crate::tar_split::LeanSplitWriter;
use crate::{Crc64, Digest, Hasher, Kind, Member, Name, Timestamp};

/// The headers of one member, extensions and all, that are held for their record: more than any reader takes.
const HEADERS: usize = 4 << 20;

/// Takes the tar, and hands out batches.
#[derive(Debug)]
pub struct Splitter {
    diff_id: Hasher,
    tar_len: u64,
    /// What reads the tar; `None` if nobody asks what is in it, or once nobody can tell.
    reader: Option<TarReader>,
    parts: Parts,
}

/// All of a splitter but the reader, which is borrowed while its events are taken.
#[derive(Debug)]
struct Parts {
    cutter: Cutter,
    split: LeanSplitWriter,
    chunker: Chunker,
    paths: Paths,
    /// The file whose content is being read.
    file: Option<File>,
    /// Where in the tar the last event ended.
    at: u64,
    plain: Option<Unchunkable>,
}

#[derive(Debug)]
struct File {
    name: Name,
    size: u64,
    crc: Crc64,
    /// The digest of all of it, once it is known that its only chunk's will not do.
    whole: Option<Hasher>,
    /// The digest of the open chunk, if that has several frames and is not the first.
    chunk: Option<Hasher>,
}

/// What is known at the end of a tar.
#[derive(Debug)]
pub struct TarEnd {
    pub(super) diff_id: Digest,
    pub(super) tar_len: u64,
    pub(super) batches: u64,
    pub(super) plain: Option<Unchunkable>,
}

impl Splitter {
    pub(super) fn new(options: &WriteOptions) -> Self {
        let chunked = options.format == Format::ZstdChunked;
        Self {
            diff_id: Hasher::new(),
            tar_len: 0,
            reader: chunked.then(|| TarReader::new(&options.limits)),
            parts: Parts {
                cutter: Cutter::new(if chunked { LONGEST_FRAME } else { PLAIN_FRAME }),
                split: LeanSplitWriter::default(),
                chunker: Chunker::new(),
                paths: Paths::default(),
                file: None,
                at: 0,
                plain: None,
            },
        }
    }

    /// Takes the next bytes of the tar, however few; then take the batches that they complete.
    ///
    /// Holds what it is given until then, so give it not much more than a batch at once.
    pub fn receive(&mut self, tar: &[u8]) {
        self.diff_id.update(tar);
        self.tar_len = self.tar_len.saturating_add(length(tar));
        let Self { reader: Some(reader), parts, .. } = self else {
            self.parts.cutter.put_meta(tar);
            return;
        };
        let before = parts.at;
        let mut events = reader.receive(tar);
        let error = loop {
            match events.next_event() {
                Ok(None) => break None,
                Ok(Some(event)) => {
                    let oddity = events.oddity();
                    if let (Some(oddity), None, TarEvent::Member(entry)) = (oddity, &parts.plain, &event) {
                        parts.give_up(Unchunkable::Odd { name: entry.member.name.clone(), oddity });
                    }
                    parts.take(event, events.is_tail());
                }
                Err(error) => break Some(error),
            }
        };
        drop(events);
        if let Some(error) = error {
            // All that was read of these bytes came as an event.
            let read = usize::try_from(parts.at.saturating_sub(before)).unwrap_or(usize::MAX);
            parts.give_up(Unchunkable::Tar(error));
            parts.cutter.put_meta(tar.get(read..).unwrap_or_default());
            self.reader = None;
        }
    }

    /// Returns the next batch that is complete. Batches are for the [`Assembler`](super::Assembler), in this order.
    pub fn next_batch(&mut self) -> Option<Batch> {
        self.parts.cutter.next_batch()
    }

    /// Takes the end of the tar, and returns the batches that were not taken yet.
    ///
    /// # Errors
    /// The tar is cut short: it ends inside a header or a file.
    pub fn finish(self) -> Result<(Vec<Batch>, TarEnd), WriteError> {
        let Self { diff_id, tar_len, reader, mut parts } = self;
        if let Some(reader) = reader {
            if let (Some(oddity), None) = (reader.oddity(), &parts.plain) {
                parts.give_up(Unchunkable::Odd { name: Name::default(), oddity });
            }
            reader.finish().map_err(WriteError::Tar)?;
            if parts.plain.is_none() {
                let split = core::mem::take(&mut parts.split);
                if !split.finish(parts.cutter.lines()) {
                    parts.give_up(Unchunkable::CutEnd);
                }
            }
            if parts.plain.is_none() && tar_len == 0 {
                // A blob of nothing but a table of contents that lists nothing.
                let (batches, count) = parts.cutter.finish();
                return Ok((
                    batches,
                    TarEnd { diff_id: diff_id.finish(), tar_len, batches: count, plain: None },
                ));
            }
        }
        parts.cutter.end_meta();
        if !parts.cutter.any() {
            parts.cutter.end_empty();
        }
        let (batches, count) = parts.cutter.finish();
        Ok((batches, TarEnd { diff_id: diff_id.finish(), tar_len, batches: count, plain: parts.plain }))
    }
}

impl Parts {
    fn take(&mut self, event: TarEvent<'_>, is_tail: bool) {
        match event {
            TarEvent::Raw(bytes) => self.raw(bytes, is_tail),
            TarEvent::Data { bytes, .. } => self.data(bytes),
            TarEvent::Member(entry) => self.member(entry),
            TarEvent::EndMember => self.end_member(),
        }
    }

    fn raw(&mut self, bytes: &[u8], is_tail: bool) {
        let (mut known, mut rest) = (bytes, &[][..]);
        if self.plain.is_none() {
            // Where it ends must not depend on where the pieces do.
            let room = HEADERS.saturating_sub(self.split.held());
            let end = if is_tail { bytes.iter().position(|byte| *byte != 0) } else { Some(room) };
            (known, rest) = end.and_then(|end| bytes.split_at_checked(end)).unwrap_or((bytes, &[]));
            self.split.raw(known, is_tail, self.cutter.lines());
        }
        self.at = self.at.saturating_add(length(known));
        self.cutter.put_meta(known);
        if !rest.is_empty() {
            let limit = u64::try_from(HEADERS).unwrap_or(u64::MAX);
            let what = "headers of one member";
            let too_large = Unchunkable::TooLarge { what, limit, unit: "bytes" };
            self.give_up(if is_tail { Unchunkable::Trailing { offset: self.at } } else { too_large });
            self.at = self.at.saturating_add(length(rest));
            self.cutter.put_meta(rest);
        }
    }

    fn member(&mut self, entry: Entry) {
        if self.plain.is_some() {
            return;
        }
        let member = entry.member;
        if let Some(reason) = unfit(&member) {
            return self.give_up(reason);
        }
        if member.kind == Kind::Hardlink && !self.paths.has_file(member.link.as_bytes()) {
            return self.give_up(Unchunkable::Link { name: member.name, link: member.link });
        }
        if !self.paths.add(member.name.as_bytes(), member.kind) {
            return self.give_up(Unchunkable::Duplicate { name: member.name });
        }
        self.split.member(self.cutter.lines());
        if entry.stored > 0 {
            let (name, size, crc) = (member.name.clone(), entry.stored, Crc64::new());
            self.file = Some(File { name, size, crc, whole: None, chunk: None });
            self.cutter.end_meta();
        }
        self.cutter.member(member);
    }

    fn data(&mut self, bytes: &[u8]) {
        self.at = self.at.saturating_add(length(bytes));
        let Self { file: Some(file), chunker, cutter, .. } = self else {
            self.cutter.put_meta(bytes);
            return;
        };
        file.crc.update(bytes);
        file.chunks(chunker.receive(bytes), cutter);
    }

    fn end_member(&mut self) {
        let Some(mut file) = self.file.take() else { return };
        file.chunks(self.chunker.finish(), &mut self.cutter);
        let File { name, size, crc, whole, .. } = file;
        self.split.content(name.as_bytes(), size, crc.finish(), self.cutter.lines());
        self.cutter.end_file(whole.map(Hasher::finish));
    }

    /// Goes on as plain zstd.
    fn give_up(&mut self, reason: Unchunkable) {
        if self.plain.is_none() {
            self.plain = Some(reason);
            self.cutter.give_up();
            self.split = LeanSplitWriter::default();
            self.paths = Paths::default();
        }
    }
}

impl File {
    /// Takes pieces of the content.
    fn chunks(&mut self, mut pieces: ChunkPieces<'_>, cutter: &mut Cutter) {
        while let Some(piece) = pieces.next_piece() {
            match piece {
                ChunkPiece::Bytes { bytes, .. } => self.put(bytes, cutter),
                ChunkPiece::End(cut) => {
                    let first = cut.offset == 0;
                    if self.whole.is_none() && cut.len < self.size {
                        self.whole = Some(hashed(cutter.open()));
                    }
                    let chunk = if first { self.whole.clone() } else { self.chunk.take() };
                    let digest = chunk.filter(|_| cutter.continued()).map(Hasher::finish);
                    if first && cut.len == self.size {
                        // The file's digest is that of its only chunk.
                        self.whole = None;
                    }
                    cutter.end_chunk(cut, digest);
                }
            }
        }
    }

    /// Takes bytes of the open chunk.
    fn put(&mut self, bytes: &[u8], cutter: &mut Cutter) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, more) = cutter.put_chunk(rest);
            if piece.is_empty() {
                // The frame is full, and the chunk goes on. What hashes it needs the bytes that leave.
                if self.whole.is_none() {
                    self.whole = Some(hashed(cutter.open()));
                } else if self.chunk.is_none() && !(cutter.continued()) {
                    self.chunk = Some(hashed(cutter.open()));
                }
                cutter.split();
                continue;
            }
            for hasher in [&mut self.whole, &mut self.chunk].into_iter().flatten() {
                hasher.update(piece);
            }
            rest = more;
        }
    }
}

/// Tells why a member cannot stand in a TOC that the reference reads.
fn unfit(member: &Member) -> Option<Unchunkable> {
    // RFC 3339 has years of four digits.
    const YEARS: core::ops::RangeInclusive<i64> = -62_167_219_200..=253_402_300_799;
    let text = |bytes: &[u8]| core::str::from_utf8(bytes).is_ok();
    let name = || member.name.clone();
    if member.name.is_empty() {
        return Some(Unchunkable::Nameless);
    }
    for (what, is_text) in [
        ("name", text(member.name.as_bytes())),
        ("link", text(member.link.as_bytes())),
        ("extended attributes' names", member.xattrs.keys().all(|key| text(key))),
    ] {
        if !is_text {
            return Some(Unchunkable::Text { name: name(), what });
        }
    }
    let in_years = |time: &Option<Timestamp>| time.is_none_or(|time| YEARS.contains(&time.seconds));
    let in_years = [member.mtime, member.atime, member.ctime].iter().all(in_years);
    (!in_years).then(|| Unchunkable::Time { name: name() })
}

fn hashed(bytes: &[u8]) -> Hasher {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
