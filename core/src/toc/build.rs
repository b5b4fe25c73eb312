//! From the entries as they stand in the JSON to a TOC that holds together.

use alloc::vec::Vec;

use super::json::{self, RawEntry, RawKind};
use super::{Body, Chunk, Entry, Place, Toc, TocError};
use crate::{Digest, Kind, Limits, Member, Name};

impl Toc {
    /// Reads and checks a TOC's JSON.
    pub(crate) fn parse(json: &[u8], place: Place, limits: &Limits) -> Result<Self, TocError> {
        let raw = json::parse(json, limits.entries)?;
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
        Ok(builder.finish())
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
        self.check_link(index, &raw)?;
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

    fn check_link(&self, index: usize, raw: &RawEntry) -> Result<(), TocError> {
        let problem = if raw.link.as_bytes().contains(&0) {
            "links to a name with a NUL byte"
        } else if raw.link.as_bytes().len() > self.limits.path {
            "links to a name over the limit"
        } else {
            return Ok(());
        };
        Err(TocError::Name { entry: index, name: raw.name.clone(), problem, limit: self.limits.path })
    }

    fn finish(mut self) -> Toc {
        if let Place::Blob { data_end } = self.place {
            self.end_at(data_end);
        }
        self.toc
    }
}

fn missing(entry: usize, name: &Name, field: &'static str) -> TocError {
    TocError::Field { entry, name: name.clone(), field, value: "none".into() }
}
