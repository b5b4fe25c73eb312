//! Holds everything that a layer says of itself against everything else: manifest, annotations, footer, TOC, tar-split,
//! frames, tar, DiffID.
//!
//! A pull stops at the first lie. A verification tells all of them, and what each contradicts:
//!
//! ```text
//! Verify::new(claims) ── wants() ⇄ offer(bytes) ── receive(bytes) … ── finish() ── Verified
//!   what the manifest      the end of the blob:      the blob, front      what was checked, what could
//!   and config say         footer, TOC, tar-split    to back, in pieces   not be, and every finding
//! ```
//!
//! The tail comes first, because what it says decides which bytes of the blob matter; with it, memory is bounded by
//! [`Limits`] whatever the blob's length. That both readings are of the same bytes is checked as well.
//!
//! Hostile input is what this is for: it ends in findings, never in a panic.

mod compare;
mod content;
mod finding;
mod footer;
mod frames;
mod marks;
mod order;
mod split;
mod stream;
mod tail;
#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

pub use finding::{Code, Finding, Findings, Place, Weight};
pub use frames::Compression;

use crate::{Digest, Hasher, Limits};
use frames::Frames;
use stream::{Ended, Stream};
use tail::Tail;

/// GNU tar writes in records of 20 blocks; podman 4.3 left the padding of the last one out.
const RECORD: u64 = 10_240;
const PLAIN_SIZE: &str = "io.containers.estargz.uncompressed-size";

/// What manifest and config say about a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, made by the shell")]
pub struct Claims {
    /// The blob's digest.
    pub blob: Digest,
    /// The blob's length.
    pub size: u64,
    /// The media type of its descriptor.
    pub media_type: String,
    /// The annotations of its descriptor.
    pub annotations: BTreeMap<String, String>,
    /// The digest of its tar, if the config has it.
    pub diff_id: Option<Digest>,
}

/// Which kind of layer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayerForm {
    /// A tar, compressed or not, with no table of contents.
    Plain(Compression),
    /// zstd:chunked as it is written today.
    ZstdChunked,
    /// zstd:chunked as podman 4.3 wrote it.
    OldZstdChunked,
    /// zstd:chunked as stargz-snapshotter writes it.
    StargzZstdChunked,
    /// eStargz.
    Estargz,
}

impl fmt::Display for LayerForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(Compression::None) => "tar",
            Self::Plain(compression) => compression.as_str(),
            Self::ZstdChunked => "zstd:chunked",
            Self::OldZstdChunked => "zstd:chunked (old form)",
            Self::StargzZstdChunked => "zstd:chunked (stargz-snapshotter's)",
            Self::Estargz => "eStargz",
        })
    }
}

/// What came of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Which kind of layer it is.
    pub form: LayerForm,
    /// What was held against something else, in words.
    pub checked: Vec<&'static str>,
    /// What could not be, and why.
    pub unchecked: Vec<(&'static str, &'static str)>,
    /// Everything that was found.
    pub findings: Findings,
    /// Frames (or gzip members) of data.
    pub frames: u64,
    /// Members of the tar.
    pub members: usize,
    /// The digest of the tar, where all of it could be read.
    pub diff_id: Option<Digest>,
}

/// Takes a layer apart and compares the parts.
#[derive(Debug)]
pub struct Verify {
    claims: Claims,
    tail: Tail,
    blob: Hasher,
    len: u64,
    frames: Frames,
    stream: Stream,
}

impl Verify {
    /// Starts with what manifest and config say.
    pub fn new(claims: Claims, limits: &Limits) -> Self {
        let len = claims.size;
        Self::of_len(claims, len, limits)
    }

    /// Starts with what manifest and config say of a blob that is known to be `len` bytes long, whatever they say.
    pub fn of_len(claims: Claims, len: u64, limits: &Limits) -> Self {
        let mut stream = Stream::new(limits);
        let tail = Tail::new(&claims, len, limits, &mut stream.findings);
        Self { claims, tail, blob: Hasher::new(), len: 0, frames: Frames::new(limits), stream }
    }

    /// Returns which bytes of the blob are wanted before all others; `None` when it can be read front to back.
    pub fn wants(&self) -> Option<Range<u64>> {
        self.tail.wants()
    }

    /// Takes the bytes that were [wanted](Self::wants).
    pub fn offer(&mut self, bytes: &[u8]) {
        if let Some(claimed) = self.tail.offer(bytes, &mut self.stream.findings) {
            let tail::Claimed { said, split, dialect, data_end } = claimed;
            self.stream.claims(said, split, dialect, data_end);
        }
    }

    /// Goes on without the bytes that were [wanted](Self::wants), which the source did not give.
    pub fn withhold(&mut self, why: &str) {
        self.stream.findings.add(Code::BlobTail, Place::default(), "", why);
        self.tail.withhold();
    }

    /// Takes the next bytes of the blob, front to back, however few.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.blob.update(bytes);
        self.tail.pass(self.len, bytes);
        self.len = self.len.saturating_add(length(bytes));
        self.frames.receive(bytes, &mut self.stream);
    }

    /// Ends the blob, and tells what was found.
    pub fn finish(mut self) -> Verified {
        self.frames.finish(&mut self.stream);
        let ended = self.stream.finish(RECORD);
        let findings = &mut self.stream.findings;
        if self.len != self.claims.size {
            findings.add(Code::BlobSize, Place::default(), self.claims.size, self.len);
        }
        let actual = self.blob.finish();
        if actual != self.claims.blob {
            findings.add(Code::BlobDigest, Place::default(), self.claims.blob, actual);
        }
        let compression = self.stream.compression.unwrap_or(Compression::None);
        media_type(&self.claims.media_type, compression, findings);
        if let Some(text) = self.claims.annotations.get(PLAIN_SIZE)
            && ended.diff_id.is_some()
            && text.parse() != Ok(self.stream.plain_len)
        {
            let place = Place::default().field(PLAIN_SIZE);
            findings.add(Code::AnnotationPlainSize, place, format!("{text:?}"), self.stream.plain_len);
        }
        self.tail.finish(&mut self.stream);
        let findings = &mut self.stream.findings;
        diff_id(&self.claims, &ended, findings);
        findings.sort();
        let form = self.tail.form(compression);
        let (checked, unchecked) = self.tail.scope(&self.claims, &ended);
        let Ended { frames, members, diff_id, .. } = ended;
        Verified { form, checked, unchecked, findings: self.stream.findings, frames, members, diff_id }
    }
}

fn media_type(said: &str, compression: Compression, findings: &mut Findings) {
    let expected = match said.rsplit_once('.').map_or(said, |(_, end)| end) {
        "tar+gzip" | "gzip" => Compression::Gzip,
        "tar+zstd" | "zstd" => Compression::Zstd,
        "tar" => Compression::None,
        _ => {
            findings.add(Code::MediaTypeUnknown, Place::default(), "", format!("{said:?}"));
            return;
        }
    };
    if expected != compression {
        findings.add(Code::MediaType, Place::default(), expected, compression);
    }
}

fn diff_id(claims: &Claims, ended: &Ended, findings: &mut Findings) {
    let Some(actual) = ended.diff_id else { return };
    match claims.diff_id {
        None => findings.add(Code::DiffIdUnknown, Place::default(), "", actual),
        Some(expected) if expected == actual => {}
        Some(expected) if ended.padded == Some(expected) => {
            findings.add(Code::DiffIdPadding, Place::default(), expected, actual);
        }
        Some(expected) => findings.add(Code::DiffId, Place::default(), expected, actual),
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
