//! From the entries as they stand in the JSON to a TOC that holds together.

use alloc::vec::Vec;
use core::ops::Range;

use super::json::{self, RawChunk, RawEntry, RawKind};
use super::{Body, Chunk, Entry, Place, Toc, TocError};
use crate::{Digest, Kind, Limits, Member, Name};

/// The length of a short entry's JSON.
const SHORT: usize = 128;

impl Toc {
    /// Reads and checks a TOC's JSON.
    pub(crate) fn parse(json: &[u8], place: Place, limits: &Limits) -> Result<Self, TocError> {
        let mut builder = Builder::new(place, limits);
        // An entry is an object, and seldom shorter than this; where it is, the list grows on.
        let objects = memchr::memchr_iter(b'{', json).count().min(json.len() / SHORT).min(limits.entries);
        builder.toc.entries.reserve_exact(objects);
        builder.toc.chunks.reserve_exact(objects);
        let head = json::parse(json, &mut builder)?;
        let mut toc = builder.finish()?;
        toc.tar_split_digest = head.tar_split_digest;
        Ok(toc)
    }
}

/// Takes the entries one by one, merges chunk entries into their files and holds every offset against the one before.
///
/// Nothing waits but the last chunk, of which only the next entry shows whether it ends its file.
pub(super) struct Builder<'a> {
    toc: Toc,
    place: Place,
    limits: &'a Limits,
    /// Entries so far, chunk entries included.
    count: usize,
    /// The index of the last member, with chunk entries counted.
    index: usize,
    /// The last member, if it is a regular file: more chunks of it may come.
    open: Option<Open>,
    /// End of the last frames seen, or their start while their end is not known yet.
    at: u64,
    /// The index of the first chunk whose end was not said: it ends where the next frames begin.
    unended: Option<usize>,
    /// The last frames, where every chunk says where its own begin and end.
    frames: Range<u64>,
    /// Where in the plain bytes of the last frames the last payload in them ends.
    inner: u64,
    /// Bytes of all files so far.
    content: u64,
    /// Extended attributes of all members so far.
    xattrs: usize,
}

/// A regular file whose last chunk is still to be checked.
struct Open {
    size: u64,
    digest: Digest,
    end_offset: Option<i64>,
    /// Where in the file the waiting chunk must begin.
    offset: u64,
    chunk: RawChunk,
}

impl<'a> Builder<'a> {
    fn new(place: Place, limits: &'a Limits) -> Self {
        let toc = Toc::default();
        Self {
            toc,
            place,
            limits,
            count: 0,
            index: 0,
            open: None,
            at: 0,
            unended: None,
            frames: 0..0,
            inner: 0,
            content: 0,
            xattrs: 0,
        }
    }

    /// Forgets all entries: the document has another list of them, and the last one counts.
    pub(super) fn restart(&mut self) {
        let Toc { mut entries, mut chunks, .. } = core::mem::take(&mut self.toc);
        entries.clear();
        chunks.clear();
        *self = Self::new(self.place, self.limits);
        (self.toc.entries, self.toc.chunks) = (entries, chunks);
    }

    /// Takes the next entry.
    pub(super) fn add(&mut self, raw: RawEntry) -> Result<(), TocError> {
        let index = self.count;
        if index >= self.limits.entries {
            return Err(TocError::TooMany { limit: self.limits.entries });
        }
        self.count = index.saturating_add(1);
        match raw.kind {
            RawKind::Chunk => self.add_chunk(raw),
            RawKind::Member(kind) => {
                self.settle(true)?;
                self.index = index;
                self.add_member(kind, raw)
            }
            RawKind::Missing => Err(missing(index, &raw.name, "type")),
        }
    }

    fn finish(mut self) -> Result<Toc, TocError> {
        self.settle(true)?;
        if let Place::Blob { data_end, stargz } = self.place {
            self.end_at(data_end);
            if stargz {
                self.toc.leave_out(is_stargzs_own);
            }
        }
        self.toc.entries.shrink_to_fit();
        self.toc.chunks.shrink_to_fit();
        Ok(self.toc)
    }

    fn add_member(&mut self, kind: Kind, raw: RawEntry) -> Result<(), TocError> {
        let index = self.index;
        self.check_name(&raw.name)?;
        self.check_link(&raw)?;
        // What an entry holds beside its name costs as much as an entry. Our own store was proven before.
        self.xattrs = self.xattrs.saturating_add(raw.xattrs.len());
        if self.xattrs > self.limits.entries && !matches!(self.place, Place::Store) {
            return Err(TocError::TooMany { limit: self.limits.entries });
        }
        let number = |field, value: i64| {
            u64::try_from(value).map_err(|_negative| TocError::Field {
                entry: index,
                name: raw.name.clone(),
                field,
                value: alloc::format!("{value}"),
            })
        };
        let mode = u32::try_from(raw.mode).map_err(|_wide| TocError::Field {
            entry: index,
            name: raw.name.clone(),
            field: "mode",
            value: alloc::format!("{}", raw.mode),
        })?;
        let size = number("size", raw.size)?;
        let uid = number("uid", raw.uid)?;
        let gid = number("gid", raw.gid)?;
        let dev_major = number("devMajor", raw.dev_major)?;
        let dev_minor = number("devMinor", raw.dev_minor)?;
        if kind == Kind::Regular {
            self.content = self.content.saturating_add(size);
        }
        if size > self.limits.file || self.content > self.limits.content {
            let limit = self.limits.file.min(self.limits.content);
            return Err(TocError::TooLarge { what: "layer's content", len: self.content.max(size), limit });
        }
        let mut digest = None;
        if kind == Kind::Regular {
            digest = raw.digest.or_else(|| (size == 0).then_some(Digest::EMPTY));
            let Some(digest) = digest else {
                return Err(missing(index, &raw.name, "digest"));
            };
            if size == 0 && digest != Digest::EMPTY {
                return Err(TocError::EmptyDigest { entry: index, name: raw.name, actual: digest });
            }
            let RawEntry { end_offset, chunk, .. } = raw;
            self.open = Some(Open { size, digest, end_offset, offset: 0, chunk });
        }
        let RawEntry { name, link, mtime, atime, ctime, xattrs, .. } = raw;
        let member = Member {
            kind,
            name,
            link,
            mode,
            size,
            uid,
            gid,
            mtime,
            atime,
            ctime,
            dev_major,
            dev_minor,
            xattrs,
        };
        let chunks = self.toc.chunks.len();
        self.toc.entries.push(Entry { member, digest, chunks: chunks..chunks });
        Ok(())
    }

    fn add_chunk(&mut self, raw: RawEntry) -> Result<(), TocError> {
        let file = self.toc.entries.last().filter(|_| self.open.is_some());
        if file.is_none_or(|file| file.member.name != raw.name) {
            return Err(TocError::OrphanChunk { entry: self.index, name: raw.name });
        }
        self.settle(false)?;
        if let Some(open) = &mut self.open {
            open.chunk = raw.chunk;
        }
        Ok(())
    }

    /// Adds the chunk that waits, now that it is known whether it is the last of its file.
    fn settle(&mut self, last: bool) -> Result<(), TocError> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        if open.size > 0 {
            self.push_chunk(&mut open, last)?;
        }
        if !last {
            self.open = Some(open);
        }
        Ok(())
    }

    fn push_chunk(&mut self, open: &mut Open, last: bool) -> Result<(), TocError> {
        let (index, chunk) = (self.index, &open.chunk);
        let only = last && open.offset == 0;
        let left = open.size.saturating_sub(open.offset);
        let len = match u64::try_from(chunk.size) {
            // The writer leaves the size out where the chunk goes to the end of the file.
            Ok(0) if last => left,
            Ok(len) => len,
            Err(_negative) => 0,
        };
        let fits = len > 0 && len <= left && (!last || len == left);
        if !fits || u64::try_from(chunk.offset) != Ok(open.offset) {
            return Err(TocError::Sizes {
                entry: index,
                name: self.name(),
                size: open.size,
                expected: open.offset,
                chunk_offset: chunk.offset,
                chunk_size: chunk.size,
            });
        }
        let digest = match chunk.digest {
            None if only => open.digest,
            None => return Err(missing(index, &self.name(), "chunkDigest")),
            Some(digest) if only && digest != open.digest => {
                let (expected, actual) = (open.digest, digest);
                return Err(TocError::OneChunk { entry: index, name: self.name(), expected, actual });
            }
            Some(digest) => digest,
        };
        let (body, skip) = self.body(chunk, len, open.end_offset.filter(|_| last))?;
        self.toc.chunks.push(Chunk { offset: open.offset, len, digest, body, skip });
        open.offset = open.offset.saturating_add(len);
        let end = self.toc.chunks.len();
        if let Some(file) = self.toc.entries.last_mut() {
            file.chunks.end = end;
        }
        Ok(())
    }

    /// Returns where a chunk's bytes are, and how many plain bytes of its frames come before it.
    fn body(&mut self, chunk: &RawChunk, len: u64, end: Option<i64>) -> Result<(Body, u64), TocError> {
        let data_end = match self.place {
            Place::Blob { data_end, .. } => data_end,
            Place::Exported { .. } if chunk.zeros => return Ok((Body::Zeros, 0)),
            Place::Exported { data_end } => return self.exported(chunk, len, data_end),
            Place::Store => return Ok((if chunk.zeros { Body::Zeros } else { Body::Unlocated }, 0)),
        };
        // Go leaves out what is 0: the first frame of a blob, where it holds headers and a payload.
        let Some(offset) = chunk.frames.or_else(|| (chunk.inner_offset > 0).then_some(0)) else {
            return if chunk.zeros {
                Ok((Body::Zeros, 0))
            } else {
                Err(missing(self.index, &self.name(), "offset"))
            };
        };
        let bad = |builder: &Self, after, offset| TocError::Offset {
            entry: builder.index,
            name: builder.name(),
            offset,
            after,
            data_end,
        };
        let start = u64::try_from(offset).map_err(|_negative| bad(self, self.at, offset))?;
        // Frames follow one another; chunks whose end was not said end here, unless this one is in the same frames.
        let shares = self.unended.is_some() && start == self.at;
        if start < self.at || start >= data_end || (shares && chunk.inner_offset == 0) {
            return Err(bad(self, self.at, offset));
        }
        let skip = self.skip(chunk, len, shares)?;
        if !shares {
            self.end_at(start);
        }
        self.at = start;
        let end = match end {
            None | Some(0) => None,
            Some(end) => {
                let stop = u64::try_from(end).ok().filter(|stop| *stop > start && *stop <= data_end);
                Some(stop.ok_or_else(|| bad(self, start, end))?)
            }
        };
        if let Some(end) = end {
            self.end_at(end);
            self.at = end;
        }
        if chunk.zeros {
            return Ok((Body::Zeros, 0));
        }
        if end.is_none() {
            // The caller is about to push this chunk.
            self.unended.get_or_insert(self.toc.chunks.len());
        }
        Ok((Body::Frames(start..end.unwrap_or(start)), skip))
    }

    /// Returns where the frames are that an exported chunk names, and how many plain bytes of them come before it.
    fn exported(&mut self, chunk: &RawChunk, len: u64, data_end: u64) -> Result<(Body, u64), TocError> {
        let Some((start, end)) = chunk.range else {
            return Err(missing(self.index, &self.name(), "framesRaw"));
        };
        // Those of the chunk before, or others behind them.
        let shares = self.frames == (start..end) && !self.frames.is_empty();
        if start >= end || end > data_end || (start < self.at && !shares) {
            let (entry, name, after) = (self.index, self.name(), self.at);
            let offset = i64::try_from(if start < self.at { start } else { end }).unwrap_or(i64::MAX);
            return Err(TocError::Offset { entry, name, offset, after, data_end });
        }
        let skip = self.skip(chunk, len, shares)?;
        self.frames = start..end;
        self.at = end;
        Ok((Body::Frames(start..end), skip))
    }

    /// Returns how many plain bytes of its frames come before a chunk, which lies behind what shares them with it.
    fn skip(&mut self, chunk: &RawChunk, len: u64, shares: bool) -> Result<u64, TocError> {
        let after = if shares { self.inner } else { 0 };
        let skip = u64::try_from(chunk.inner_offset).ok().filter(|skip| *skip >= after);
        let inner = skip.and_then(|skip| skip.checked_add(len)).filter(|end| *end <= self.limits.content);
        let (Some(skip), Some(inner)) = (skip, inner) else {
            let (entry, name, inner_offset) = (self.index, self.name(), chunk.inner_offset);
            return Err(TocError::InnerOffset { entry, name, inner_offset, after });
        };
        self.inner = inner;
        Ok(skip)
    }

    /// Closes the chunks whose end was not said; they are all in the same frames.
    fn end_at(&mut self, end: u64) {
        let Some(first) = self.unended.take() else { return };
        for chunk in self.toc.chunks.iter_mut().skip(first) {
            if let Body::Frames(frames) = &mut chunk.body {
                frames.end = end;
            }
        }
    }

    fn check_name(&self, name: &Name) -> Result<(), TocError> {
        let bytes = name.as_bytes();
        let problem = if bytes.is_empty() {
            "is empty"
        } else if bytes.contains(&0) {
            "holds a NUL byte"
        } else if bytes.len() > self.limits.path {
            "is longer than the limit"
        } else {
            return Ok(());
        };
        Err(TocError::Name { entry: self.index, name: name.clone(), problem, limit: self.limits.path })
    }

    fn check_link(&self, raw: &RawEntry) -> Result<(), TocError> {
        let problem = if raw.link.as_bytes().contains(&0) {
            "links to a name with a NUL byte"
        } else if raw.link.as_bytes().len() > self.limits.path {
            "links to a name over the limit"
        } else {
            return Ok(());
        };
        Err(TocError::Name { entry: self.index, name: raw.name.clone(), problem, limit: self.limits.path })
    }

    /// Returns the name of the last member.
    fn name(&self) -> Name {
        self.toc.entries.last().map(|entry| entry.member.name.clone()).unwrap_or_default()
    }
}

impl Toc {
    /// Leaves out some members, and the chunks of theirs.
    fn leave_out(&mut self, is_out: impl Fn(&Member) -> bool) {
        if !self.entries.iter().any(|entry| is_out(&entry.member)) {
            return;
        }
        let mut chunks = Vec::with_capacity(self.chunks.len());
        self.entries.retain_mut(|entry| {
            if is_out(&entry.member) {
                return false;
            }
            let start = chunks.len();
            chunks.extend_from_slice(self.chunks.get(entry.chunks.clone()).unwrap_or_default());
            entry.chunks = start..chunks.len();
            true
        });
        self.chunks = chunks;
    }
}

/// Whether a member is one that stargz-snapshotter adds to a tar for its own use.
fn is_stargzs_own(member: &Member) -> bool {
    const OWN: [&[u8]; 3] = [b".no.prefetch.landmark", b".prefetch.landmark", b"stargz.index.json"];
    let parts = member.name.as_bytes().split(|byte| *byte == b'/');
    let mut parts = parts.filter(|part| !part.is_empty() && *part != b".");
    let (only, more) = (parts.next(), parts.next());
    member.kind == Kind::Regular && more.is_none() && only.is_some_and(|only| OWN.contains(&only))
}

fn missing(entry: usize, name: &Name, field: &'static str) -> TocError {
    TocError::Field { entry, name: name.clone(), field, value: "none".into() }
}
