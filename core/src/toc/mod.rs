//! The table of contents: every member of a layer, and where each regular file's chunks lie in the blob.
//!
//! # What is accepted
//!
//! | case | rule |
//! |---|---|
//! | keys in another case, unknown keys, `null` values | accepted, as the reference does |
//! | the same key twice in one object | the last one counts |
//! | text after the object, bad base64, bad digest, bad time, unknown `type` or `chunkType`, negative number | [`TocError::Json`] or [`TocError::Field`]: the TOC is unusable, the layer is pulled whole |
//! | `version` other than 1 | [`TocError::Version`]: pulled whole |
//! | a chunk entry with no regular file before it, or of another name | [`TocError::OrphanChunk`]: pulled whole |
//! | a non-empty regular file without `digest`, one of several chunks without `chunkDigest` or `offset` | [`TocError::Field`]: pulled whole |
//! | several payloads in one frame (`innerOffset`) | [`TocError::InnerOffset`]: pulled whole |
//! | zeros chunk | accepted; its frame is never fetched |
//! | empty file | accepted with and without the digest of nothing |
//! | missing end offset | the next data offset, for the last one the end of the data |
//! | names: `./x`, `/x`, `x/`, `a//b`, `..`, a file where another has a directory | kept as written; [`crate::Tree`] decides |
//! | a name that is empty, holds a NUL or is longer than the limit | [`TocError::Name`]: refused |
//! | names that are not UTF-8 (U+FFFD in the TOC) | the tar-split's name is adopted, see [`crate::agree`] |
//! | the same path twice | accepted; the later entry wins, as in a tar |
//! | offsets out of order, overlapping, or past the data | [`TocError::Offset`]: refused |
//! | chunk offsets or sizes that do not add up to `size` | [`TocError::Sizes`]: refused |
//! | one chunk whose `chunkDigest` is not the file's `digest` | [`TocError::OneChunk`]: refused |
//! | a size, or a count, over [`Limits`] | refused |
//!
//! "Refused" means that the TOC contradicts itself: somebody lies, and the pull ends. "Pulled whole" means that it is
//! not understood, and not needed: the tar alone says it all.

mod error;
mod fetch;
mod json;
mod store;
pub(crate) mod time;

use alloc::vec::Vec;
use core::ops::Range;

pub use error::TocError;
pub use fetch::{BadTarSplit, CompressedTarSplit, Fetched, TocFetch};

use self::json::{RawEntry, RawKind};
use crate::{Digest, Kind, Limits, Member, Name};

/// A checked TOC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toc {
    entries: Vec<Entry>,
    chunks: Vec<Chunk>,
    tar_split_digest: Option<Digest>,
}

/// One member with, for a regular file, its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    member: Member,
    digest: Option<Digest>,
    chunks: Range<usize>,
}

/// One chunk of a regular file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, read by the planner and by the chunk view")]
pub struct Chunk {
    /// Where the chunk begins in the file.
    pub offset: u64,
    /// Its uncompressed length, never 0.
    pub len: u64,
    /// The digest of its uncompressed bytes.
    pub digest: Digest,
    /// What it is made of.
    pub body: Body,
}

/// Where a chunk's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a chunk is data, zeros, or not in the blob we know")]
pub enum Body {
    /// Compressed frames at this range of the blob; bytes after the chunk's length may follow in it.
    Frames(Range<u64>),
    /// Nowhere in a blob: the layer was read as a whole, only its content is known.
    Unlocated,
    /// All NUL; never fetched.
    Zeros,
}

/// A regular, non-empty file of a TOC: the index of its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

impl FileId {
    pub(crate) fn new(entry: usize) -> Self {
        // `Limits::entries` keeps every index far below this.
        Self(u32::try_from(entry).unwrap_or(u32::MAX))
    }

    /// Returns the index of the file's entry.
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Where the chunks' offsets must lie.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// In a blob whose data frames end here.
    Blob { data_end: u64 },
    /// In no blob: our own stored form.
    Store,
}

impl Toc {
    /// Reads and checks a TOC's JSON.
    pub(crate) fn parse(json: &[u8], place: Place, limits: &Limits) -> Result<Self, TocError> {
        let raw = json::parse(json, limits.entries).map_err(|error| TocError::json(&error))?;
        if raw.version != 1 {
            return Err(TocError::Version { actual: raw.version });
        }
        let mut builder = Builder { toc: Self::default(), place, limits, at: 0, unended: None, content: 0 };
        builder.toc.tar_split_digest = raw.tar_split_digest;
        builder.toc.entries.reserve(raw.entries.len());
        let mut entries = raw.entries.into_iter().enumerate().peekable();
        while let Some((index, entry)) = entries.next() {
            let RawKind::Member(kind) = entry.kind else {
                return Err(match entry.kind {
                    RawKind::Chunk => TocError::OrphanChunk { entry: index, name: entry.name },
                    _ => TocError::Field {
                        entry: index,
                        name: entry.name,
                        field: "type",
                        value: "none".into(),
                    },
                });
            };
            let mut more = Vec::new();
            while let Some((_, chunk)) = entries.next_if(|(_, next)| next.kind == RawKind::Chunk) {
                more.push(chunk);
            }
            builder.entry(index, kind, entry, &more)?;
        }
        builder.finish()
    }

    /// Makes a TOC of members whose content is known but lies in no blob.
    pub(crate) fn from_members(members: Vec<(Member, Option<Digest>)>) -> Self {
        let mut toc = Self::default();
        for (member, digest) in members {
            toc.push_unlocated(member, digest);
        }
        toc
    }

    fn push_unlocated(&mut self, member: Member, digest: Option<Digest>) {
        let start = self.chunks.len();
        if let (Some(digest), Kind::Regular, 1..) = (digest, member.kind, member.size) {
            self.chunks.push(Chunk { offset: 0, len: member.size, digest, body: Body::Unlocated });
        }
        self.entries.push(Entry { member, digest, chunks: start..self.chunks.len() });
    }

    /// Returns every member, in the order of the tar.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the digest of the compressed tar-split, which the TOC alone vouches for.
    pub const fn tar_split_digest(&self) -> Option<&Digest> {
        self.tar_split_digest.as_ref()
    }

    /// Returns the regular files with content, in the order of the tar.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &Entry)> {
        let files = self.entries.iter().enumerate().filter(|(_, entry)| entry.is_file());
        files.map(|(index, entry)| (FileId::new(index), entry))
    }

    /// Returns one file's entry.
    pub fn file(&self, file: FileId) -> Option<&Entry> {
        self.entries.get(file.index())
    }

    /// Returns the chunks of an entry in the order of the file; one for a file written in one piece.
    pub fn chunks(&self, entry: &Entry) -> &[Chunk] {
        self.chunks.get(entry.chunks.clone()).unwrap_or_default()
    }

    /// Returns every digest that a donor could serve: of whole files and of chunks, sorted, each once.
    pub fn wanted(&self) -> Vec<Digest> {
        let files = self.files().filter_map(|(_, entry)| entry.digest);
        let chunks = self.chunks.iter().filter(|chunk| chunk.body != Body::Zeros).map(|chunk| chunk.digest);
        let mut wanted: Vec<_> = files.chain(chunks).collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    pub(crate) fn member_mut(&mut self, entry: usize) -> Option<&mut Member> {
        self.entries.get_mut(entry).map(|entry| &mut entry.member)
    }
}

impl Entry {
    /// Returns what the entry says about its path.
    pub const fn member(&self) -> &Member {
        &self.member
    }

    /// Returns the digest of a regular file's content, [`Digest::EMPTY`] for an empty one; `None` for other kinds.
    pub const fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Whether this is a regular file with content.
    pub fn is_file(&self) -> bool {
        self.member.kind == Kind::Regular && self.member.size > 0
    }
}

/// Merges chunk entries into their files and holds every offset against the one before.
struct Builder<'a> {
    toc: Toc,
    place: Place,
    limits: &'a Limits,
    /// End of the last frames seen, or their start while their end is not known yet.
    at: u64,
    /// The index of the chunk whose end was not said: it ends where the next frames begin.
    unended: Option<usize>,
    /// Bytes of all files so far.
    content: u64,
}

impl Builder<'_> {
    fn entry(&mut self, index: usize, kind: Kind, raw: RawEntry, more: &[RawEntry]) -> Result<(), TocError> {
        self.check_name(index, &raw.name)?;
        if let Some(chunk) = more.iter().find(|chunk| kind != Kind::Regular || chunk.name != raw.name) {
            return Err(TocError::OrphanChunk { entry: index, name: chunk.name.clone() });
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
        if kind == Kind::Regular {
            self.content = self.content.saturating_add(size);
        }
        if size > self.limits.file || self.content > self.limits.content {
            let limit = self.limits.file.min(self.limits.content);
            return Err(TocError::TooLarge { what: "layer's content", len: self.content.max(size), limit });
        }
        let start = self.toc.chunks.len();
        let mut digest = None;
        if kind == Kind::Regular {
            digest = raw.digest.or_else(|| (size == 0).then_some(Digest::EMPTY));
            let Some(digest) = digest else {
                return Err(missing(index, &raw.name, "digest"));
            };
            if size > 0 {
                self.chunks(index, size, digest, &raw, more)?;
            } else if digest != Digest::EMPTY {
                return Err(TocError::EmptyDigest { entry: index, name: raw.name, actual: digest });
            }
        }
        let member = Member {
            kind,
            mode,
            size,
            uid: number("uid", raw.uid)?,
            gid: number("gid", raw.gid)?,
            mtime: raw.mtime,
            atime: raw.atime,
            ctime: raw.ctime,
            dev_major: number("devMajor", raw.dev_major)?,
            dev_minor: number("devMinor", raw.dev_minor)?,
            xattrs: raw.xattrs,
            name: raw.name,
            link: raw.link,
        };
        self.toc.entries.push(Entry { member, digest, chunks: start..self.toc.chunks.len() });
        Ok(())
    }

    /// Adds the chunks of one file, which the `reg` entry opens and `chunk` entries continue.
    fn chunks(
        &mut self,
        index: usize,
        size: u64,
        digest: Digest,
        raw: &RawEntry,
        more: &[RawEntry],
    ) -> Result<(), TocError> {
        let mut offset = 0_u64;
        let count = more.len().saturating_add(1);
        for (at, chunk) in core::iter::once(raw).chain(more).enumerate() {
            let last = at.saturating_add(1) == count;
            if chunk.inner_offset != 0 {
                return Err(TocError::InnerOffset { entry: index, name: raw.name.clone() });
            }
            let left = size.saturating_sub(offset);
            let len = match u64::try_from(chunk.chunk_size) {
                // The writer leaves the size out where the chunk goes to the end of the file.
                Ok(0) if last => left,
                Ok(len) => len,
                Err(_negative) => 0,
            };
            let fits = len > 0 && len <= left && (!last || len == left);
            if !fits || u64::try_from(chunk.chunk_offset) != Ok(offset) {
                let (chunk_offset, chunk_size) = (chunk.chunk_offset, chunk.chunk_size);
                let name = raw.name.clone();
                return Err(TocError::Sizes {
                    entry: index,
                    name,
                    size,
                    expected: offset,
                    chunk_offset,
                    chunk_size,
                });
            }
            let chunk_digest = match chunk.chunk_digest {
                None if count == 1 => digest,
                None => return Err(missing(index, &raw.name, "chunkDigest")),
                Some(chunk_digest) if count == 1 && chunk_digest != digest => {
                    let name = raw.name.clone();
                    return Err(TocError::OneChunk {
                        entry: index,
                        name,
                        expected: digest,
                        actual: chunk_digest,
                    });
                }
                Some(chunk_digest) => chunk_digest,
            };
            let end_offset = if last { raw.end_offset } else { None };
            let body = self.body(index, raw, chunk.offset, end_offset, chunk.zeros)?;
            self.toc.chunks.push(Chunk { offset, len, digest: chunk_digest, body });
            offset = offset.saturating_add(len);
        }
        Ok(())
    }

    fn body(
        &mut self,
        index: usize,
        raw: &RawEntry,
        offset: Option<i64>,
        end: Option<i64>,
        zeros: bool,
    ) -> Result<Body, TocError> {
        let Place::Blob { data_end } = self.place else {
            return Ok(if zeros { Body::Zeros } else { Body::Unlocated });
        };
        let Some(offset) = offset else {
            return if zeros { Ok(Body::Zeros) } else { Err(missing(index, &raw.name, "offset")) };
        };
        let bad = |after, offset| TocError::Offset {
            entry: index,
            name: raw.name.clone(),
            offset,
            after,
            data_end,
        };
        let start = u64::try_from(offset).map_err(|_negative| bad(self.at, offset))?;
        // Frames follow one another; a chunk whose end was not said ends here.
        if start < self.at || start >= data_end || (self.unended.is_some() && start == self.at) {
            return Err(bad(self.at, offset));
        }
        self.end_at(start);
        self.at = start;
        let end = match end {
            None | Some(0) => None,
            Some(end) => {
                let stop = u64::try_from(end).ok().filter(|stop| *stop > start && *stop <= data_end);
                Some(stop.ok_or_else(|| bad(start, end))?)
            }
        };
        if let Some(end) = end {
            self.at = end;
        }
        if zeros {
            return Ok(Body::Zeros);
        }
        if end.is_none() {
            // The caller is about to push this chunk.
            self.unended = Some(self.toc.chunks.len());
        }
        Ok(Body::Frames(start..end.unwrap_or(start)))
    }

    /// Closes the chunk whose end was not said.
    fn end_at(&mut self, end: u64) {
        if let Some(chunk) = self.unended.take()
            && let Some(Chunk { body: Body::Frames(frames), .. }) = self.toc.chunks.get_mut(chunk)
        {
            frames.end = end;
        }
    }

    fn check_name(&self, index: usize, name: &Name) -> Result<(), TocError> {
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
        Err(TocError::Name { entry: index, name: name.clone(), problem, limit: self.limits.path })
    }

    fn finish(mut self) -> Result<Toc, TocError> {
        if let Place::Blob { data_end } = self.place {
            self.end_at(data_end);
        }
        Ok(self.toc)
    }
}

fn missing(entry: usize, name: &Name, field: &'static str) -> TocError {
    TocError::Field { entry, name: name.clone(), field, value: "none".into() }
}
