//! What a TOC says, faults and all: read for its verification, where the first fault is not the last word.
//!
//! [`Toc::parse`](super::Toc::parse) stops at what it refuses, because a pull needs no more. The same rules are held
//! here, each fault is told, and what can still be compared is kept.

mod document;
mod reader;

use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::ops::Range;

use serde::de::DeserializeSeed as _;

use super::TocError;
use crate::verify::{Code, Findings, Place};
use crate::{Digest, Limits, Member};
use document::DocumentSeed;
use reader::Reader;

/// A TOC of which nothing is believed.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) entries: Vec<SaidEntry>,
    pub(crate) chunks: Vec<SaidChunk>,
    pub(crate) tar_split_digest: Option<Digest>,
}

/// One member, as the TOC has it.
#[derive(Debug)]
pub(crate) struct SaidEntry {
    /// Which element of `entries` it is, chunk entries included.
    pub(crate) index: usize,
    pub(crate) member: Member,
    /// Whether the member is what the entry says: it could be read, and no number is impossible.
    pub(crate) readable: bool,
    /// Of a regular file.
    pub(crate) digest: Option<Digest>,
    /// Where its frames end, if that is said.
    pub(crate) end: Option<u64>,
    /// Empty for what has no content, and for a file whose chunks do not make it up.
    pub(crate) chunks: Range<usize>,
}

/// One chunk, as the TOC has it: contiguous, and together the file.
#[derive(Debug)]
pub(crate) struct SaidChunk {
    /// Where its frames begin.
    pub(crate) frames: Option<u64>,
    /// How many plain bytes of the frames come before it.
    pub(crate) inner: u64,
    /// Where it begins in the file.
    pub(crate) offset: u64,
    pub(crate) len: u64,
    pub(crate) digest: Option<Digest>,
    pub(crate) zeros: bool,
}

/// How a TOC is to be read.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    /// Where the data frames end.
    pub(crate) data_end: u64,
    /// Whether several contents may lie in one frame.
    pub(crate) inner_offsets: bool,
    /// Whether one name may stand for one entry only, as for everybody who looks members up in a tar-split.
    pub(crate) unique_names: bool,
    pub(crate) limits: &'a Limits,
}

impl Said {
    /// Reads the JSON; `None` when it is none, or not of a TOC.
    pub(crate) fn read(json: &[u8], rules: &Rules<'_>, findings: &mut Findings) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let limit = rules.limits.entries;
        let document = DocumentSeed { limit }.deserialize(&mut deserializer);
        let document = match document.and_then(|document| deserializer.end().map(|()| document)) {
            Ok(document) => document,
            Err(error) => {
                findings.add(Code::TocJson, Place::default(), "", TocError::json(&error));
                return None;
            }
        };
        if document.version != Some(1) {
            let version = document.version.map_or_else(|| "none".to_string(), |version| version.to_string());
            findings.add(Code::TocVersion, Place::default().field("version"), "", version);
        }
        let mut reader = Reader::new(rules, findings);
        for (index, raw) in document.entries.iter().enumerate() {
            if index >= rules.limits.entries {
                let limit = format!("{} entries", rules.limits.entries);
                reader.findings.add(Code::TocTooLarge, Place::default(), limit, "");
                break;
            }
            reader.entry(index, raw.get());
        }
        let mut said = reader.finish();
        said.tar_split_digest = match document.tar_split_digest.as_deref() {
            None | Some("") => None,
            Some(text) => text
                .parse()
                .inspect_err(|error| {
                    findings.add(Code::TocField, Place::default().field("tarSplitDigest"), "", error);
                })
                .ok(),
        };
        said.duplicates(rules, findings);
        Some(said)
    }

    pub(crate) fn chunks_of(&self, entry: &SaidEntry) -> &[SaidChunk] {
        self.chunks.get(entry.chunks.clone()).unwrap_or_default()
    }

    /// Returns every offset that the TOC names, ascending, each once.
    pub(crate) fn offsets(&self) -> Vec<u64> {
        let ends = self.entries.iter().filter_map(|entry| entry.end);
        let mut offsets: Vec<_> = self.chunks.iter().filter_map(|chunk| chunk.frames).chain(ends).collect();
        offsets.sort_unstable();
        offsets.dedup();
        offsets
    }

    fn duplicates(&self, rules: &Rules<'_>, findings: &mut Findings) {
        let mut sorted: Vec<_> = self.entries.iter().filter(|entry| !entry.member.name.is_empty()).collect();
        sorted.sort_by(|a, b| a.member.name.cmp(&b.member.name).then(a.index.cmp(&b.index)));
        for pair in sorted.windows(2) {
            let [first, second] = pair else { continue };
            if first.member.name == second.member.name {
                let place = Place::entry(second.index, &second.member.name);
                let weight = if rules.unique_names {
                    crate::verify::Weight::Wrong
                } else {
                    crate::verify::Weight::Note
                };
                findings.add_as(weight, Code::EntryDuplicate, place, first.index, second.index);
            }
        }
    }
}

/// Returns the JSON of eStargz's TOC: the first file of a tar, in gzip members of its own.
pub(crate) fn toc_of_tar(compressed: &[u8], limits: &Limits) -> Result<Vec<u8>, TocError> {
    super::gzip::first_file(compressed, limits.toc, limits)
}
