//! The entries of a TOC, each held against the rules and against those before it.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Deserialize;

use super::super::json::{RawChunk, RawEntry, RawKind};
use super::{Rules, Said, SaidChunk, SaidEntry};
use crate::verify::{Code, Findings, Place};
use crate::{Digest, Kind, Member, Name};

/// Takes the entries one by one.
pub(super) struct Reader<'a> {
    said: Said,
    rules: &'a Rules<'a>,
    pub(super) findings: &'a mut Findings,
    /// The regular file whose chunks are being gathered, with the end that it says.
    open: Option<Open>,
    /// End of the last frames seen, or their start while their end is not known yet.
    at: u64,
    /// Whether the end of the last frames was not said.
    unended: bool,
    /// Where in the plain bytes of the last frames the last content in them ends.
    inner: u64,
    /// Bytes of all files so far.
    content: u64,
    /// Extended attributes of all members so far.
    xattrs: usize,
}

/// A regular file of which more chunks may come.
struct Open {
    /// With the index of the entry of each.
    chunks: Vec<(usize, RawChunk)>,
    end: Option<i64>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(rules: &'a Rules<'a>, findings: &'a mut Findings) -> Self {
        Self {
            said: Said::default(),
            rules,
            findings,
            open: None,
            at: 0,
            unended: false,
            inner: 0,
            content: 0,
            xattrs: 0,
        }
    }

    /// Ends the list.
    pub(super) fn finish(mut self) -> Said {
        self.settle();
        self.said
    }

    /// Takes an entry as it stands in the JSON.
    pub(super) fn entry(&mut self, index: usize, text: &str) {
        let raw = match serde_json::from_str::<RawEntry>(text) {
            Ok(raw) => raw,
            Err(error) => {
                let name = serde_json::from_str::<Named<'_>>(text).ok().and_then(|named| named.name);
                let name = name.map(|name| Name::from(name.as_ref())).unwrap_or_default();
                let place = Place::entry(index, &name);
                self.findings.add(Code::TocEntry, place, "", without_place(&error));
                self.unreadable(index, name);
                return;
            }
        };
        match raw.kind {
            RawKind::Chunk => self.chunk(index, raw),
            RawKind::Missing => {
                self.field(index, &raw.name, "type", "nothing");
                self.unreadable(index, raw.name);
            }
            RawKind::Member(kind) => {
                self.settle();
                self.zone(index, &raw.name, text);
                self.member(index, kind, raw);
            }
        }
    }

    /// Keeps the place of an entry that cannot be compared.
    fn unreadable(&mut self, index: usize, name: Name) {
        self.settle();
        let member = member_of(Kind::Regular, RawEntry { name, ..RawEntry::default() });
        let chunks = self.said.chunks.len();
        self.said.entries.push(SaidEntry {
            index,
            member,
            readable: false,
            digest: None,
            end: None,
            chunks: chunks..chunks,
        });
    }

    fn member(&mut self, index: usize, kind: Kind, raw: RawEntry) {
        let mut readable = true;
        let numbers = [
            ("size", raw.size),
            ("uid", raw.uid),
            ("gid", raw.gid),
            ("devMajor", raw.dev_major),
            ("devMinor", raw.dev_minor),
            ("mode", raw.mode),
        ];
        for (field, value) in numbers {
            if value < 0 || (field == "mode" && u32::try_from(value).is_err()) {
                self.field(index, &raw.name, field, value);
                readable = false;
            }
        }
        let limit = self.rules.limits.path;
        for (field, name) in [("name", &raw.name), ("linkName", &raw.link)] {
            let problem = match name.as_bytes() {
                [] if field == "name" => "nothing",
                bytes if bytes.contains(&0) => "a NUL byte",
                bytes if bytes.len() > limit => "more than the limit of a path",
                _ => continue,
            };
            self.field(index, &raw.name, field, problem);
        }
        let size = u64::try_from(raw.size).unwrap_or(0);
        let mut digest = raw.digest;
        let (end, chunk) = (raw.end_offset, raw.chunk_of());
        let mut member = member_of(kind, raw);
        // What an entry holds beside its name costs as much as an entry.
        self.xattrs = self.xattrs.saturating_add(member.xattrs.len());
        let limit = self.rules.limits.entries;
        if self.xattrs > limit {
            let limit = format!("{limit} extended attributes");
            self.findings.add(Code::TocTooLarge, Place::entry(index, &member.name), limit, self.xattrs);
            member.xattrs.clear();
            readable = false;
        }
        if kind == Kind::Regular {
            self.content = self.content.saturating_add(size);
            let limit = self.rules.limits.content;
            if size > self.rules.limits.file || self.content > limit {
                self.findings.add(
                    Code::TocTooLarge,
                    Place::entry(index, &member.name),
                    format!("{limit} bytes"),
                    "",
                );
                readable = false;
            }
            match digest {
                None if size > 0 => self.field(index, &member.name, "digest", "nothing"),
                Some(actual) if size == 0 && actual != Digest::EMPTY => {
                    self.findings.add(
                        Code::TocEmptyDigest,
                        Place::entry(index, &member.name),
                        Digest::EMPTY,
                        actual,
                    );
                }
                _ => {}
            }
            self.open = Some(Open { chunks: Vec::from([(index, chunk)]), end });
        } else {
            digest = None;
        }
        let chunks = self.said.chunks.len();
        self.said.entries.push(SaidEntry {
            index,
            member,
            readable,
            digest,
            end: None,
            chunks: chunks..chunks,
        });
    }

    fn chunk(&mut self, index: usize, raw: RawEntry) {
        let file = self.said.entries.last().map(|file| file.member.name.clone());
        match &mut self.open {
            Some(Open { chunks, .. }) if file.as_ref() == Some(&raw.name) => chunks.push((index, raw.chunk)),
            open => {
                let file = file.filter(|_| open.is_some());
                let expected = file.map_or_else(|| "none".to_string(), |name| name.to_string());
                self.findings.add(Code::TocOrphan, Place::entry(index, &raw.name), expected, &raw.name);
            }
        }
    }

    /// Checks the chunks of the file before, now that all of them are there.
    fn settle(&mut self) {
        let Some(Open { chunks: raw, end }) = self.open.take() else { return };
        let Some(mut file) = self.said.entries.pop() else { return };
        if file.member.size > 0 && file.readable {
            let start = self.said.chunks.len();
            match self.chunks(&file, raw) {
                Some(chunks) => {
                    self.said.chunks.extend(chunks);
                    file.chunks = start..self.said.chunks.len();
                }
                None => file.readable = false,
            }
            file.end = self.end(&file, end);
        }
        self.said.entries.push(file);
    }

    fn chunks(&mut self, file: &SaidEntry, raw: Vec<(usize, RawChunk)>) -> Option<Vec<SaidChunk>> {
        let name = &file.member.name;
        let (mut chunks, mut due) = (Vec::with_capacity(raw.len()), 0_u64);
        let count = raw.len();
        for (at, (index, chunk)) in raw.into_iter().enumerate() {
            let (last, only) = (at.saturating_add(1) == count, count == 1);
            let left = file.member.size.saturating_sub(due);
            let len = match u64::try_from(chunk.size) {
                // The writer leaves the size out where the chunk goes to the end of the file.
                Ok(0) if last => left,
                Ok(len) => len,
                Err(_negative) => 0,
            };
            let fits = len > 0 && len <= left && (!last || len == left);
            if !fits || u64::try_from(chunk.offset) != Ok(due) {
                let expected = format!(
                    "{} {left} bytes at {due}",
                    if last { "a chunk of" } else { "a chunk of at most" }
                );
                let actual = format!("{} bytes at {}", chunk.size, chunk.offset);
                self.findings.add(Code::TocChunks, Place::entry(index, name), expected, actual);
                return None;
            }
            let digest = match (chunk.digest, file.digest) {
                (None, file) if only => file,
                (None, _) => {
                    self.field(index, name, "chunkDigest", "nothing");
                    None
                }
                (Some(actual), Some(expected)) if only && actual != expected => {
                    self.findings.add(Code::TocOneChunk, Place::entry(index, name), expected, actual);
                    None
                }
                (digest, _) => digest,
            };
            let inner = u64::try_from(chunk.inner_offset).ok();
            let inner = inner.filter(|inner| *inner == 0 || self.rules.inner_offsets);
            if inner.is_none() {
                self.field(index, name, "innerOffset", chunk.inner_offset);
            }
            let same_frame = inner.is_some_and(|inner| inner > 0);
            let before = Some(self.at).filter(|_| self.unended);
            let frames = self.frames(index, name, &chunk, same_frame);
            self.inner(index, name, frames.is_some() && frames == before, inner.unwrap_or(0), len);
            chunks.push(SaidChunk {
                frames,
                inner: inner.unwrap_or(0),
                offset: due,
                len,
                digest,
                zeros: chunk.zeros,
            });
            due = due.saturating_add(len);
        }
        Some(chunks)
    }

    /// Checks where a chunk's frames begin; frames follow one another.
    fn frames(&mut self, index: usize, name: &Name, chunk: &RawChunk, same_frame: bool) -> Option<u64> {
        // Go leaves out what is 0: the first frame of a blob, where it holds headers and a payload.
        let Some(offset) = chunk.frames.or_else(|| same_frame.then_some(0)) else {
            if !chunk.zeros {
                self.field(index, name, "offset", "nothing");
            }
            return None;
        };
        let data_end = self.rules.data_end;
        let first = if self.unended && !same_frame { self.at.saturating_add(1) } else { self.at };
        let start = u64::try_from(offset).ok().filter(|start| *start >= first && *start < data_end);
        if start.is_none() {
            let place = Place::entry(index, name).field("offset");
            self.findings.add(Code::TocOffset, place, format!("{first}..{data_end}"), offset);
        }
        if let Some(start) = start {
            self.at = start;
            self.unended = true;
        }
        start
    }

    /// Checks that contents in one frame follow one another.
    fn inner(&mut self, index: usize, name: &Name, shares: bool, inner: u64, len: u64) {
        let after = if shares { self.inner } else { 0 };
        if inner < after {
            let place = Place::entry(index, name).field("innerOffset");
            self.findings.add(Code::TocOffset, place, format!("{after}.."), inner);
        }
        self.inner = inner.max(after).saturating_add(len);
    }

    fn end(&mut self, file: &SaidEntry, end: Option<i64>) -> Option<u64> {
        let end = end.filter(|end| *end != 0)?;
        let (first, data_end) = (self.at.saturating_add(1), self.rules.data_end);
        let stop = u64::try_from(end).ok().filter(|stop| *stop >= first && *stop <= data_end);
        match stop {
            None => {
                let place = Place::entry(file.index, &file.member.name).field("endOffset");
                self.findings.add(Code::TocOffset, place, format!("{first}..={data_end}"), end);
            }
            Some(stop) => {
                self.at = stop;
                self.unended = false;
            }
        }
        stop
    }

    /// Notes times that are not in UTC.
    fn zone(&mut self, index: usize, name: &Name, text: &str) {
        let Ok(times) = serde_json::from_str::<Times<'_>>(text) else { return };
        let times =
            [("modtime", times.modtime), ("accesstime", times.accesstime), ("changetime", times.changetime)];
        for (field, time) in times {
            if let Some(time) = time.filter(|time| !time.is_empty() && !time.ends_with('Z')) {
                self.findings.add(Code::TocZone, Place::entry(index, name).field(field), "", time);
            }
        }
    }

    fn field(&mut self, index: usize, name: &Name, field: &'static str, actual: impl ToString) {
        self.findings.add(Code::TocField, Place::entry(index, name).field(field), "", actual);
    }
}

impl RawEntry {
    fn chunk_of(&self) -> RawChunk {
        RawChunk { ..self.chunk }
    }
}

/// Takes numbers that cannot be for 0; they were told.
fn member_of(kind: Kind, raw: RawEntry) -> Member {
    let number = |value: i64| u64::try_from(value).unwrap_or(0);
    Member {
        kind,
        mode: u32::try_from(raw.mode).unwrap_or(0),
        size: number(raw.size),
        uid: number(raw.uid),
        gid: number(raw.gid),
        dev_major: number(raw.dev_major),
        dev_minor: number(raw.dev_minor),
        name: raw.name,
        link: raw.link,
        mtime: raw.mtime,
        atime: raw.atime,
        ctime: raw.ctime,
        xattrs: raw.xattrs,
    }
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Times<'a> {
    #[serde(borrow)]
    modtime: Option<Cow<'a, str>>,
    #[serde(borrow)]
    accesstime: Option<Cow<'a, str>>,
    #[serde(borrow)]
    changetime: Option<Cow<'a, str>>,
}

/// Takes the place off the message: it counts from the start of the entry, which nobody can look up.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_string()
}
