//! The blob as it goes by: frames, the tar in them, and what TOC and tar-split say of both.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::tar::{Entry, TarEvent, TarReader};
use crate::toc::said::Said;
use crate::{Digest, Hasher, Kind, Limits, Name};

use super::compare::compare;
use super::content::ContentCheck;
use super::frames::{Compression, Frame, Sink};
use super::marks::Marks;
use super::order::Order;
use super::split::SplitCheck;
use super::{Code, Findings, Place};

/// How much of a frame that is broken is made up, so that the rest of the tar can still be compared.
const MADE_UP: u64 = 1 << 30;
/// How many skippable frames, the last ones, are kept to be compared with positions; there should be three.
const SKIPPABLES: usize = 64;
static ZEROS: [u8; 4096] = [0; 4096];

/// Takes what the blob turns out to be.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) findings: Findings,
    /// About contents, until the frame that they came from is known to be whole.
    fresh: Findings,
    pub(super) compression: Option<Compression>,
    limits: Limits,
    pub(super) said: Option<Said>,
    split: Option<SplitCheck>,
    /// Whose rules the TOC follows.
    dialect: Dialect,
    /// Where the data frames end, if something says so.
    data_end: Option<u64>,
    diff_id: Hasher,
    /// How many plain bytes came.
    pub(super) plain_len: u64,
    /// `None` once it cannot be followed.
    tar: Option<TarReader>,
    tar_ended: bool,
    members: usize,
    /// How much of the tar was read.
    tar_at: u64,
    member: Option<Current>,
    order: Order,
    /// Entries whose content was met, ascending as the tar has them, and where in the tar it begins.
    starts: Vec<(usize, u64)>,
    marks: Marks,
    /// The frame that is being read, and how many plain bytes came before it.
    frame: Option<(Frame, u64)>,
    frames: u64,
    /// How many chunks of the TOC lie before the last broken frame.
    passed: usize,
    /// Whether a frame could not be decoded, so that the tar is not the blob's.
    pub(super) damaged: bool,
    /// From where on the blob could not be read.
    lost_at: Option<u64>,
    /// Where each begins, and how long its content is.
    skippables: Vec<(u64, u32)>,
    too_large: bool,
}

/// Whose rules a TOC follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Files are cut by the rolling sum; times are exact.
    Podman,
    /// stargz-snapshotter's: files are cut as it likes; one time, in whole seconds.
    Stargz,
}

/// The member that is being read.
#[derive(Debug)]
struct Current {
    name: Name,
    content: Option<ContentCheck>,
    /// Whether part of it was made up.
    damaged: bool,
}

/// What came of the tar.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// The digest of the tar; `None` when not all of it was there.
    pub(super) diff_id: Option<Digest>,
    /// The digest that it has with the zeros that podman 4.3 left out.
    pub(super) padded: Option<Digest>,
    pub(super) tar_read: bool,
    pub(super) frames: u64,
    pub(super) members: usize,
}

impl Stream {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            findings: Findings::default(),
            fresh: Findings::default(),
            compression: None,
            limits: *limits,
            said: None,
            split: None,
            dialect: Dialect::Podman,
            data_end: None,
            diff_id: Hasher::new(),
            plain_len: 0,
            tar: Some(TarReader::new(limits)),
            tar_ended: false,
            members: 0,
            tar_at: 0,
            member: None,
            order: Order::default(),
            starts: Vec::new(),
            marks: Marks::default(),
            frame: None,
            frames: 0,
            passed: 0,
            damaged: false,
            lost_at: None,
            skippables: Vec::new(),
            too_large: false,
        }
    }

    /// Takes the claims that the blob is held against.
    pub(super) fn claims(
        &mut self,
        said: Option<Said>,
        split: Option<SplitCheck>,
        dialect: Dialect,
        data_end: u64,
    ) {
        self.marks = Marks::new(said.as_ref().map(Said::offsets).unwrap_or_default());
        self.said = said;
        self.split = split;
        self.dialect = dialect;
        self.data_end = Some(data_end);
    }

    /// Returns the length of the skippable frame whose content begins at `offset`.
    pub(super) fn skippable_at(&self, offset: u64) -> Option<u32> {
        let at = offset.checked_sub(8)?;
        self.skippables.iter().find(|(start, _)| *start == at).map(|(_, len)| *len)
    }

    /// Whether the frames could be followed to this place.
    pub(super) fn reached(&self, offset: u64) -> bool {
        self.lost_at.is_none_or(|lost| offset < lost)
    }

    pub(super) fn skippables(&self) -> &[(u64, u32)] {
        &self.skippables
    }

    /// Ends the blob; everything that takes all of it is compared now.
    pub(super) fn finish(&mut self, record: u64) -> Ended {
        let tar = self.tar.take();
        let alive = tar.is_some() && !self.too_large;
        if let Some(tar) = tar.filter(|_| alive && self.lost_at.is_none()) {
            match tar.finish() {
                Ok(()) => self.tar_ended = true,
                Err(error) => {
                    self.findings.add(Code::Tar, Place::default().of_tar(self.tar_at), "", chain(&error));
                }
            }
        }
        if let Some(split) = self.split.take().filter(|_| self.tar_ended) {
            split.finish(self.tar_at, &mut self.findings);
        }
        if let Some(said) = self.said.take() {
            core::mem::take(&mut self.order).finish(&said, self.tar_ended, &mut self.findings);
            let lost = self.lost_at.unwrap_or(u64::MAX);
            core::mem::take(&mut self.marks).finish(
                &said,
                &self.starts,
                self.plain_len,
                lost,
                &mut self.findings,
            );
            self.said = Some(said);
        }
        let whole = !self.damaged && !self.too_large && self.lost_at.is_none();
        let missing = self.plain_len.next_multiple_of(record).saturating_sub(self.plain_len);
        let mut padded = self.diff_id.clone();
        for _ in 0..missing {
            padded.update(&[0]);
        }
        let diff_id = core::mem::take(&mut self.diff_id).finish();
        Ended {
            diff_id: whole.then_some(diff_id),
            padded: (whole && missing > 0).then(|| padded.finish()),
            tar_read: self.tar_ended,
            frames: self.frames,
            members: self.members,
        }
    }

    fn boundary(&mut self, offset: u64) {
        self.marks.set(offset, self.plain_len);
        let Some(said) = &self.said else { return };
        // Kept only where a chunk begins or a file's content ends, so never more than the TOC has.
        let content = self.member.as_ref().and_then(|member| member.content.as_ref());
        let begins = content.is_some_and(|content| content.beginning(said).is_some());
        let ends = self.member.is_none()
            && self.starts.last().is_some_and(|(index, start)| {
                let size = said.entries.get(*index).map_or(0, |entry| entry.member.size);
                start.saturating_add(size) == self.plain_len
            });
        if begins || ends {
            self.marks.found(offset, self.plain_len);
        }
    }

    /// Reads more of the tar.
    fn read_tar(&mut self, bytes: &[u8]) {
        let Some(mut tar) = self.tar.take() else { return };
        let mut events = tar.receive(bytes);
        let problem = loop {
            match events.next_event() {
                Ok(None) => break None,
                Ok(Some(event)) => self.tar_event(event),
                Err(error) => break Some(error),
            }
        };
        drop(events);
        match problem {
            None => self.tar = Some(tar),
            Some(error) => {
                let place = Place::default().of_tar(self.tar_at);
                self.findings.add(Code::Tar, place, "", chain(&error));
                self.member = None;
            }
        }
    }

    fn tar_event(&mut self, event: TarEvent<'_>) {
        match event {
            TarEvent::Raw(bytes) => {
                if let Some(split) = &mut self.split {
                    split.raw(bytes, self.tar_at);
                }
                self.tar_at = self.tar_at.saturating_add(length(bytes));
            }
            TarEvent::Data { bytes, .. } => {
                if let Some(split) = &mut self.split {
                    split.data(bytes);
                }
                let content = self.member.as_mut().and_then(|member| member.content.as_mut());
                if let (Some(content), Some(said)) = (content, &self.said) {
                    content.receive(bytes, said, &mut self.fresh);
                }
                self.tar_at = self.tar_at.saturating_add(length(bytes));
            }
            TarEvent::Member(entry) => self.begin_member(&entry),
            TarEvent::EndMember => {
                let Some(member) = self.member.take() else { return };
                if let Some(split) = &mut self.split {
                    split.end(&member.name, !member.damaged, &mut self.fresh);
                }
                if let (Some(content), Some(said), false) = (member.content, &self.said, member.damaged) {
                    content.finish(said, &mut self.fresh);
                }
            }
        }
    }

    fn begin_member(&mut self, entry: &Entry) {
        self.members = self.members.saturating_add(1);
        let member = &entry.member;
        if let Some(split) = &mut self.split {
            split.member(entry, self.tar_at, &mut self.findings);
        }
        let mut content = None;
        // eStargz's TOC is a file of the tar, which it does not list.
        let own = self.dialect == Dialect::Stargz && member.name.as_bytes() == b"stargz.index.json";
        if let Some(said) = self.said.as_ref().filter(|_| !own)
            && let Some(index) = self.order.find(&member.name, self.tar_at, said)
            && let Some(toc) = said.entries.get(index).filter(|toc| toc.readable)
        {
            compare(toc.index, &toc.member, member, self.dialect, &mut self.findings);
            // Where the lengths differ, nothing about the content can be the same.
            let same = toc.member.kind == Kind::Regular && toc.member.size == entry.stored;
            if same && entry.stored > 0 && !entry.is_sparse() {
                self.starts.push((index, self.tar_at));
                content = Some(ContentCheck::new(index, said, self.dialect == Dialect::Podman));
            }
        }
        self.member = Some(Current { name: member.name.clone(), content, damaged: false });
    }
}

impl Sink for Stream {
    fn compression(&mut self, compression: Compression) {
        self.compression = Some(compression);
    }

    fn begin(&mut self, frame: Frame) {
        self.frames = self.frames.saturating_add(1);
        if frame.dictionary != 0 {
            self.findings.add(Code::FrameDictionary, Place::at(frame.at), "", frame.dictionary);
        }
        if !frame.checksum {
            self.findings.add(Code::FrameNoChecksum, Place::at(frame.at), "", "");
        }
        let zstd = self.compression == Some(Compression::Zstd);
        if let Some(data_end) = self.data_end.filter(|data_end| zstd && frame.at >= *data_end) {
            self.findings.add(Code::FrameAfterToc, Place::default(), data_end, frame.at);
        }
        self.boundary(frame.at);
        self.frame = Some((frame, self.plain_len));
    }

    fn plain(&mut self, bytes: &[u8]) {
        self.plain_len = self.plain_len.saturating_add(length(bytes));
        if self.plain_len > self.limits.content {
            self.too_large = true;
            self.findings.add(Code::BlobTooLarge, Place::default(), self.limits.content, self.plain_len);
            return;
        }
        self.diff_id.update(bytes);
        self.read_tar(bytes);
    }

    fn end(&mut self, at: u64) {
        self.findings.absorb(core::mem::take(&mut self.fresh));
        if let Some((frame, start)) = self.frame.take()
            && start == self.plain_len
            && frame.content.is_none_or(|len| len == 0)
            && self.compression == Some(Compression::Zstd)
        {
            self.findings.add(Code::FrameEmpty, Place::at(frame.at), "", "");
        }
        self.boundary(at);
    }

    fn broken(&mut self, at: u64, why: String) {
        self.damaged = true;
        // What is wrong with the content is wrong with the frame.
        self.fresh = Findings::default();
        let named = self.member.as_ref().filter(|member| member.content.is_some());
        let place = Place { name: named.map(|member| member.name.clone()), ..Place::at(at) };
        self.findings.add(Code::FrameDecode, place, "", why);
        let Some((frame, start)) = self.frame.take() else { return };
        let given = self.plain_len.saturating_sub(start);
        // What the frame should hold: it says so itself, or the TOC does.
        let chunks = self.said.as_ref().map(|said| said.chunks.as_slice()).unwrap_or_default();
        // They lie in the blob one after the other, as the frames come: what was passed once never matters again.
        let passed =
            chunks.iter().skip(self.passed).take_while(|chunk| chunk.frames.is_none_or(|from| from < at));
        self.passed = self.passed.saturating_add(passed.count());
        let chunk = chunks.get(self.passed).filter(|chunk| chunk.frames == Some(at));
        let len = frame.content.or_else(|| chunk.map(|chunk| chunk.len));
        let missing = len.and_then(|len| len.checked_sub(given)).filter(|missing| *missing <= MADE_UP);
        match (&mut self.member, missing) {
            // Zeros in place of content do no harm: it is not compared.
            (Some(member), Some(missing)) if member.content.is_some() || missing == 0 => {
                member.damaged = true;
                let mut left = missing;
                while left > 0 {
                    let now = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
                    self.plain(ZEROS.get(..now).unwrap_or_default());
                    left = left.saturating_sub(u64::try_from(now).unwrap_or(left));
                }
            }
            (None, Some(0)) => {}
            _ => {
                self.tar = None;
                self.member = None;
            }
        }
    }

    fn skippable(&mut self, at: u64, magic: u8, len: u32) {
        if magic != 0 {
            self.findings.add(Code::SkippableMagic, Place::at(at), "", format!("0x184D2A5{magic:X}"));
        }
        self.boundary(at);
        if self.skippables.len() >= SKIPPABLES {
            self.skippables.remove(0);
        }
        self.skippables.push((at, len));
    }

    fn lost(&mut self, at: u64, why: String) {
        self.lost_at = Some(at);
        self.damaged = true;
        self.findings.add(Code::FrameLost, Place::at(at), "", why);
    }

    fn truncated(&mut self, at: u64) {
        self.lost_at.get_or_insert(at);
        self.damaged = true;
        self.findings.add(Code::BlobTruncated, Place::at(at), "", "");
    }

    fn is_done(&self) -> bool {
        self.too_large
    }
}

/// Joins an error with its causes.
fn chain(error: &dyn core::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
