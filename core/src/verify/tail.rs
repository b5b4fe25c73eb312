//! The end of a blob, read before the blob: footer, TOC, tar-split, and what vouches for them.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use crate::locate::{Form, Locator, Span};
use crate::toc::Place as TocPlace;
use crate::toc::said::{Rules, Said, toc_of_tar};
use crate::zstd::{Bounded, bounded};
use crate::{Digest, Hasher, Limits, Toc, TocError};

use super::footer::{Footer, LONGEST};
use super::split::SplitCheck;
use super::stream::{Dialect, Ended, Stream};
use super::{Claims, Code, Compression, Findings, LayerForm, Place, length};

const ESTARGZ_DIGEST: &str = "containerd.io/snapshot/stargz/toc.digest";
/// How the footer ends, before the empty member's own end, of a blob whose TOC is in another image.
const EXTERNAL_END: &[u8] = b"STARGZEXTERNALTOC\x01\0\0\xff\xff\0\0\0\0\0\0\0\0";
const SPLIT_DIGEST: &str = "io.github.containers.zstd-chunked.tarsplit-checksum";

/// Reads the end of a blob.
#[derive(Debug)]
pub(super) struct Tail {
    limits: Limits,
    size: u64,
    annotations: BTreeMap<String, String>,
    step: Step,
    /// From the annotations, or else from the footer.
    locator: Option<Locator>,
    /// What was read ahead, to be compared with what comes front to back.
    ahead: Vec<Ahead>,
    /// Whether the TOC could be compared with anything.
    toc_read: bool,
    split_read: bool,
    /// Whether the footer says that the TOC is in another image.
    external: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Footer(Range<u64>),
    Toc(Range<u64>),
    Done,
}

/// A stretch that was read ahead.
#[derive(Debug)]
struct Ahead {
    range: Range<u64>,
    expected: Digest,
    actual: Hasher,
}

/// What the end of the blob claims about the rest.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) said: Option<Said>,
    pub(super) split: Option<SplitCheck>,
    /// Whose rules the TOC follows.
    pub(super) dialect: Dialect,
    pub(super) data_end: u64,
}

impl Tail {
    pub(super) fn new(claims: &Claims, len: u64, limits: &Limits, findings: &mut Findings) -> Self {
        let located = Locator::from_annotations(&claims.annotations, len, limits);
        let locator = located.unwrap_or_else(|error| {
            findings.add(Code::Annotation, Place::default(), "", error);
            None
        });
        let footer = len.saturating_sub(LONGEST)..len;
        Self {
            limits: *limits,
            size: len,
            annotations: claims.annotations.clone(),
            step: if footer.is_empty() { Step::Done } else { Step::Footer(footer) },
            locator,
            ahead: Vec::new(),
            toc_read: false,
            split_read: false,
            external: false,
        }
    }

    pub(super) fn wants(&self) -> Option<Range<u64>> {
        match &self.step {
            Step::Footer(range) | Step::Toc(range) => Some(range.clone()),
            Step::Done => None,
        }
    }

    pub(super) fn withhold(&mut self) {
        self.step = Step::Done;
    }

    /// Takes the bytes wanted; returns what they claim once they are all there.
    pub(super) fn offer(&mut self, bytes: &[u8], findings: &mut Findings) -> Option<Claimed> {
        let step = core::mem::replace(&mut self.step, Step::Done);
        let (Step::Footer(range) | Step::Toc(range)) = &step else { return None };
        let expected = Digest::of(bytes);
        self.ahead.push(Ahead { range: range.clone(), expected, actual: Hasher::new() });
        if length(bytes) != range.end.saturating_sub(range.start) {
            let wanted = alloc::format!("{} bytes", range.end.saturating_sub(range.start));
            findings.add(Code::BlobChanged, Place::at(range.start), wanted, length(bytes));
            self.ahead.clear();
            return None;
        }
        match step {
            Step::Footer(_) => {
                self.footer(bytes, findings);
                None
            }
            Step::Toc(range) => self.toc(&range, bytes, findings),
            Step::Done => None,
        }
    }

    fn footer(&mut self, tail: &[u8], findings: &mut Findings) {
        let footer = Footer::read(tail);
        match &self.locator {
            Some(locator) => Footer::check(footer.as_ref(), tail, locator, findings),
            None => self.look_at_footer(tail, findings),
        }
        if let Some(locator) = &self.locator {
            self.step = Step::Toc(locator.range());
        }
    }

    /// Looks for the TOC where the footer says: eStargz leaves that to it, and whatever is wrong with annotations, the
    /// TOC may still be worth a look.
    fn look_at_footer(&mut self, tail: &[u8], findings: &mut Findings) {
        let located = match Locator::from_footer(tail, self.size, &self.limits) {
            Ok(located) => located,
            Err(error) => {
                findings.add(Code::Footer, Place::default(), "", error);
                return;
            }
        };
        let vouched = self.annotations.contains_key(ESTARGZ_DIGEST);
        self.external = located.is_none() && tail.ends_with(EXTERNAL_END);
        match &located {
            None if self.external => findings.add(Code::TocElsewhere, Place::default(), "", ""),
            None if vouched => Footer::missing(tail, findings),
            Some(locator) if !vouched => {
                findings.add(Code::AnnotationNone, Place::default(), "", locator.toc().range.start);
            }
            _ => {}
        }
        self.locator = if vouched { located.map(Locator::of_stargz) } else { located };
    }

    fn toc(&mut self, range: &Range<u64>, bytes: &[u8], findings: &mut Findings) -> Option<Claimed> {
        let locator = self.locator.clone()?;
        let data_end = locator.data_end();
        let dialect = if locator.form().is_stargz() { Dialect::Stargz } else { Dialect::Podman };
        let said = self.said(&locator, part(bytes, range, locator.toc()), findings);
        let vouched = said.as_ref().and_then(|said| said.tar_split_digest);
        let mut split = None;
        match (locator.tar_split(), vouched) {
            (None, None) => findings.add(Code::SplitNone, Place::default(), "", ""),
            (None, Some(digest)) => findings.add(Code::AnnotationTarSplit, Place::default(), digest, ""),
            (Some(span), vouched) => {
                let compressed = part(bytes, range, span);
                let actual = Digest::of(compressed);
                match vouched {
                    None if said.is_some() => findings.add(Code::SplitUnvouched, Place::default(), "", ""),
                    Some(expected) if expected != actual => {
                        findings.add(Code::SplitDigest, Place::default(), expected, actual);
                    }
                    _ => {}
                }
                if let Some(text) =
                    self.annotations.get(SPLIT_DIGEST).filter(|text| **text != actual.to_string())
                {
                    let place = Place::default().field(SPLIT_DIGEST);
                    findings.add(Code::AnnotationTarSplitDigest, place, text, actual);
                }
                split = SplitCheck::read(compressed, span.plain_len, &self.limits, findings);
            }
        }
        self.toc_read = said.is_some();
        self.split_read = split.is_some();
        Some(Claimed { said, split, dialect, data_end })
    }

    fn said(&self, locator: &Locator, compressed: &[u8], findings: &mut Findings) -> Option<Said> {
        let actual = Digest::of(compressed);
        if let Some(expected) = locator.compressed().filter(|expected| **expected != actual) {
            findings.add(Code::TocDigest, Place::default(), expected, actual);
        }
        let stargz = locator.form().is_stargz();
        let json = match self.json(locator, compressed) {
            Ok(json) => json,
            Err(TocError::TooLarge { .. } | TocError::PlainLen { .. }) => {
                let limit = alloc::format!("{} bytes", self.limits.toc);
                findings.add(Code::TocTooLarge, Place::default(), limit, "");
                return None;
            }
            Err(error) => {
                findings.add(Code::TocCompression, Place::default(), "", error);
                return None;
            }
        };
        // eStargz says it nowhere.
        if locator.form() != Form::EStargz && length(&json) != locator.toc().plain_len {
            findings.add(Code::TocLength, Place::default(), locator.toc().plain_len, length(&json));
        }
        if let Some(text) = self.annotations.get(ESTARGZ_DIGEST) {
            let actual = Digest::of(&json);
            if *text != actual.to_string() {
                findings.add(Code::TocDigest, Place::default().field(ESTARGZ_DIGEST), text, actual);
            }
        }
        let (limits, data_end) = (&self.limits, locator.data_end());
        let unique_names = locator.tar_split().is_some();
        let rules = Rules { data_end, inner_offsets: stargz, unique_names, limits };
        let before = findings.wrong();
        let said = Said::read(&json, &rules, findings);
        // Both readers hold the same rules; should they ever differ, that must not pass for agreement.
        if findings.wrong() == before
            && let Err(error) = Toc::parse(&json, TocPlace::Blob { data_end, stargz }, limits)
        {
            findings.add(Code::TocRefused, Place::default(), "", error);
        }
        said
    }

    /// Decompresses the TOC, to at most the limit whatever is claimed.
    fn json(&self, locator: &Locator, compressed: &[u8]) -> Result<Vec<u8>, TocError> {
        if locator.form() == Form::EStargz {
            return toc_of_tar(compressed, &self.limits);
        }
        bounded(compressed, self.limits.toc, self.limits.window_log).map_err(|why| match why {
            Bounded::TooLong => TocError::PlainLen { expected: self.limits.toc },
            Bounded::Truncated => TocError::Zstd { message: "it ends inside a frame".into() },
            Bounded::Zstd(error) => TocError::Zstd { message: error.to_string() },
        })
    }

    /// Looks on as the blob goes by: `bytes` lie at `offset`.
    pub(super) fn pass(&mut self, offset: u64, bytes: &[u8]) {
        for ahead in &mut self.ahead {
            let at = |place: u64| {
                usize::try_from(place.saturating_sub(offset)).unwrap_or(usize::MAX).min(bytes.len())
            };
            let (start, end) = (at(ahead.range.start), at(ahead.range.end));
            ahead.actual.update(bytes.get(start..end).unwrap_or_default());
        }
    }

    /// Compares what was read ahead, and the frames that hold it.
    pub(super) fn finish(&mut self, stream: &mut Stream) {
        for Ahead { range, expected, actual } in core::mem::take(&mut self.ahead) {
            let actual = actual.finish();
            if actual != expected {
                stream.findings.add(Code::BlobChanged, Place::at(range.start), expected, actual);
            }
        }
        let Some(locator) = &self.locator else { return };
        if stream.compression != Some(Compression::Zstd) {
            return;
        }
        let parts = [("TOC", Some(locator.toc())), ("tar-split", locator.tar_split())];
        let mut known = Vec::new();
        for (what, span) in parts {
            let Some(Span { range, .. }) = span else { continue };
            let len = range.end.saturating_sub(range.start);
            known.push(range.start.saturating_sub(8));
            match stream.skippable_at(range.start) {
                Some(actual) if u64::from(actual) == len => {}
                None if !stream.reached(range.start) => {}
                actual => {
                    let actual = actual
                        .map_or_else(|| "none begins there".into(), |len| alloc::format!("{len} bytes"));
                    let expected = alloc::format!("{len} bytes from {}", range.start);
                    stream.findings.add(Code::SkippableFrame, Place::default().field(what), expected, actual);
                }
            }
        }
        let footer = Some(self.size);
        for (at, len) in stream.skippables().to_vec() {
            let end = at.checked_add(8).and_then(|start| start.checked_add(u64::from(len)));
            if !known.contains(&at) && end != footer {
                stream.findings.add(Code::SkippableOther, Place::at(at), "", alloc::format!("{len} bytes"));
            }
        }
    }

    pub(super) fn form(&self, compression: Compression) -> LayerForm {
        match &self.locator {
            None if self.external => LayerForm::Estargz,
            None => LayerForm::Plain(compression),
            Some(locator) => match locator.form() {
                Form::EStargz => LayerForm::Estargz,
                Form::Old => LayerForm::OldZstdChunked,
                Form::StargzZstd => LayerForm::StargzZstdChunked,
                Form::Today => LayerForm::ZstdChunked,
            },
        }
    }

    /// Says what was compared, and what could not be.
    pub(super) fn scope(
        &self,
        claims: &Claims,
        ended: &Ended,
    ) -> (Vec<&'static str>, Vec<(&'static str, &'static str)>) {
        let mut checked = Vec::from(["blob digest and size", "media type", "frames"]);
        let mut unchecked = Vec::new();
        let mut sort = |what: &'static str, done: Result<(), &'static str>| match done {
            Ok(()) => checked.push(what),
            Err(why) => unchecked.push((what, why)),
        };
        let located = self.locator.as_ref();
        let no_toc = match self.external {
            true => "the table of contents is in another image",
            false => "the layer has no table of contents",
        };
        let annotated = self.annotations.contains_key(ESTARGZ_DIGEST);
        let digest = match located {
            None => Err(no_toc),
            Some(locator) if locator.vouched().is_none() && !annotated => Err("nothing vouches for the TOC"),
            Some(_) => Ok(()),
        };
        sort("TOC digest", digest);
        let toc = match located {
            None => Err(no_toc),
            Some(_) if !self.toc_read => Err("the TOC cannot be read"),
            Some(_) => Ok(()),
        };
        sort("footer", located.map(|_| ()).ok_or(no_toc));
        sort("TOC", toc);
        let tar = if ended.tar_read { Ok(()) } else { Err("the tar cannot be read to its end") };
        for what in ["TOC = tar", "contents and chunks"] {
            sort(what, toc.and(tar));
        }
        let split = match located {
            None => Err(no_toc),
            Some(locator) if locator.tar_split().is_none() => Err("the layer has no tar-split"),
            Some(_) if !self.split_read => Err("the tar-split cannot be read"),
            Some(_) => tar,
        };
        sort("tar-split = tar", split);
        let diff_id = match (claims.diff_id, ended.diff_id) {
            (None, _) => Err("the config names none"),
            (_, None) => Err("not all of the tar could be read"),
            (Some(_), Some(_)) => Ok(()),
        };
        sort("DiffID", diff_id);
        (checked, unchecked)
    }
}

/// Returns the bytes of a span within a range.
fn part<'a>(bytes: &'a [u8], range: &Range<u64>, span: &Span) -> &'a [u8] {
    let at = |offset: u64| usize::try_from(offset.saturating_sub(range.start)).unwrap_or(usize::MAX);
    bytes.get(at(span.range.start)..at(span.range.end)).unwrap_or_default()
}
