//! What a verification finds: data, not errors, because one is no reason to stop.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::Name;

/// How much of a value is kept, in characters.
const VALUE: usize = 300;
/// How many findings of one code are kept; the rest are counted.
const KEPT_WRONG: usize = 100;
/// Notes say something about the writer, so that the first of a kind says it all.
const KEPT_NOTES: usize = 1;

/// What a finding means for whoever reads the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "a caller must decide about each")]
pub enum Weight {
    /// Two statements contradict each other: readers fail, or build something else than was meant.
    Wrong,
    /// Unusual, but no reader is misled.
    Note,
}

macro_rules! codes {
    ($($name:ident $weight:ident $code:literal $problem:literal $says:literal $is:literal;)+) => {
        /// What kind of finding it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $problem] $name,)+
        }

        impl Code {
            /// Every code, in the order of a report.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns the word for it, which does not change from version to version.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// Returns what it means unless the finding itself says otherwise.
            const fn weight(self) -> Weight {
                match self { $(Self::$name => Weight::$weight,)+ }
            }

            /// Returns the problem, who made the claim, and who contradicts it.
            const fn words(self) -> [&'static str; 3] {
                match self { $(Self::$name => [$problem, $says, $is],)+ }
            }
        }
    };
}

codes! {
    BlobSize Wrong "blob.size" "the blob has another length" "the manifest says" "it has";
    BlobDigest Wrong "blob.digest" "the blob is another one" "the manifest says" "it is";
    BlobTruncated Wrong "blob.truncated" "the blob ends inside a frame" "" "";
    BlobTooLarge Wrong "blob.too_large" "the blob decompresses to more than the limit" "the limit is" "it is at least";
    BlobChanged Wrong "blob.changed" "the source gave other bytes by range than front to back" "by range" "front to back";
    BlobTail Note "blob.tail" "the end of the blob could not be read before the rest, so that it was compared with nothing" "" "";
    MediaType Wrong "media_type" "the media type is that of another compression" "the manifest says" "the blob is";
    MediaTypeUnknown Note "media_type.unknown" "the media type is none that layers have" "" "the manifest says";
    Annotation Wrong "annotation" "the annotations lead to no table of contents" "" "";
    AnnotationNone Note "annotation.none" "no annotation vouches for the table of contents that the footer places" "" "it lies at";
    AnnotationTarSplit Wrong "annotation.tar_split" "no annotation says where the tar-split lies that the TOC vouches for" "the TOC says" "";
    AnnotationTarSplitDigest Wrong "annotation.tar_split_digest" "the tar-split is not the one that its annotation names" "the manifest says" "it is";
    AnnotationPlainSize Wrong "annotation.uncompressed_size" "the annotated length of the tar is wrong" "the manifest says" "it has";
    Footer Wrong "footer" "the footer leads nowhere" "" "";
    FooterMissing Wrong "footer.missing" "the blob ends in no footer" "" "it ends in";
    FooterField Wrong "footer.field" "footer and annotations disagree" "the manifest says" "the footer says";
    FooterFilled Note "footer.half_filled" "the footer is of a writer of 2023 that left the tar-split's place out" "" "";
    SkippableFrame Wrong "frame.position" "a part of the blob's end is not the content of one skippable frame" "the manifest says" "the frames there";
    SkippableOther Note "frame.skippable" "a skippable frame that nothing speaks of" "" "it has";
    FrameDecode Wrong "frame.decode" "a frame cannot be decoded by itself" "" "";
    FrameLost Wrong "frame.lost" "what should be the next frame is none, so the rest of the blob cannot be read" "" "";
    FrameDictionary Wrong "frame.dictionary" "a frame takes a dictionary that is nowhere" "" "it names";
    SkippableMagic Note "frame.magic" "a skippable frame with another magic number than readers expect" "0x184D2A50 is expected" "it is";
    FrameEmpty Note "frame.empty" "frames that hold nothing" "" "";
    FrameNoChecksum Note "frame.no_checksum" "frames without a checksum of their content" "" "";
    FrameAfterToc Note "frame.after_toc" "a data frame after the table of contents" "the data should end at" "it begins at";
    TocElsewhere Note "toc.elsewhere" "the table of contents is in another image, and was not compared" "" "";
    TocDigest Wrong "toc.digest" "the TOC is not the one that the manifest vouches for" "the manifest says" "it is";
    TocLength Wrong "toc.length" "the TOC has another length once decompressed" "its position says" "it has";
    TocCompression Wrong "toc.compression" "the TOC cannot be decompressed" "" "";
    TocJson Wrong "toc.json" "the TOC is no JSON of a table of contents" "" "";
    TocVersion Wrong "toc.version" "the TOC is of another version" "only 1 is known" "it says";
    TocEntry Wrong "toc.entry" "the entry cannot be read" "" "";
    TocField Wrong "toc.field" "the entry lacks a field or has an impossible value" "" "it says";
    TocOrphan Wrong "toc.orphan_chunk" "a chunk entry that continues no regular file" "the regular file before it is" "it says";
    TocOffset Wrong "toc.offset" "the place of the frames cannot be" "it must lie in" "it says";
    TocChunks Wrong "toc.chunks" "the chunks do not make up the file" "due is" "it says";
    TocOneChunk Wrong "toc.one_chunk" "the only chunk of a file has another digest than the file" "the file's is" "the chunk's is";
    TocEmptyDigest Wrong "toc.empty_digest" "an empty file has the digest of something" "that of nothing is" "it says";
    TocZone Note "toc.zone" "times are in a local time zone, so that the TOC's digest depends on where it was written" "" "for example";
    TocTooLarge Wrong "toc.too_large" "the TOC goes over a limit" "the limit is" "";
    TocRefused Wrong "toc.refused" "Shingle refuses the TOC" "" "";
    SplitNone Note "tar_split.none" "there is no tar-split, so nothing but the whole tar proves the layer" "" "";
    SplitUnvouched Note "tar_split.unvouched" "the TOC does not vouch for the tar-split, so readers must not use it" "" "";
    SplitDigest Wrong "tar_split.digest" "the tar-split is not the one that the TOC vouches for" "the TOC says" "it is";
    SplitLength Wrong "tar_split.length" "the tar-split has another length once decompressed" "its position says" "it has";
    SplitZstd Wrong "tar_split.compression" "the tar-split cannot be decompressed" "" "";
    SplitRecord Wrong "tar_split.record" "a record of the tar-split cannot be used" "" "";
    SplitBytes Wrong "tar_split.bytes" "tar-split and tar differ outside of contents" "the tar-split has" "the tar has";
    SplitName Wrong "tar_split.name" "the tar-split has no record of a member where it should be" "the tar-split says" "the tar says";
    SplitExtra Wrong "tar_split.extra" "the tar-split has a record of a file that is not in the tar" "" "";
    SplitSize Wrong "tar_split.size" "the tar-split has another length of the content" "the tar-split says" "the tar has";
    SplitCrc Wrong "tar_split.crc" "the content has another checksum (CRC-64)" "the tar-split says" "the content has";
    SplitCut Note "tar_split.cut" "a record of the tar's end is cut where podman does not read on, so that it refuses the layer" "" "the record has";
    SplitSparse Wrong "tar_split.sparse" "the member is sparse, which a tar-split cannot hold" "" "";
    SplitRefused Wrong "tar_split.refused" "Shingle refuses the tar-split" "" "";
    EntryMissing Wrong "entry.missing" "the member of the tar is not in the TOC" "" "";
    EntryExtra Wrong "entry.extra" "the entry of the TOC is not in the tar" "" "";
    EntryOrder Wrong "entry.order" "the entry has another place in the tar than in the TOC" "in the TOC it follows" "in the tar it follows";
    EntryDuplicate Wrong "entry.duplicate" "the name comes more than once" "first in entry" "again in entry";
    EntryNotUtf8 Wrong "entry.not_utf8" "JSON cannot hold the name" "the TOC says" "the tar says";
    EntryField Wrong "entry.field" "TOC and tar disagree" "the TOC says" "the tar says";
    EntryWholeSeconds Note "entry.whole_seconds" "the TOC has whole seconds only, as its form does" "the TOC says" "the tar says";
    FileDigest Wrong "file.digest" "the file's content is another one" "the TOC says" "it is";
    ChunkDigest Wrong "chunk.digest" "the chunk's content is another one" "the TOC says" "it is";
    ChunkZeros Wrong "chunk.zeros" "the chunk is said to be all zeros, but is not" "" "first other byte at";
    ChunkOffset Wrong "chunk.offset" "the chunk's frames begin elsewhere" "the TOC says" "they begin at";
    ChunkEnd Wrong "chunk.end" "the file's frames end elsewhere" "the TOC says" "they end at";
    ChunkBoundaries Note "chunk.boundaries" "the file is cut elsewhere than the rolling sum of zstd:chunked would" "the rolling sum says" "the TOC says";
    Tar Wrong "tar" "the tar cannot be read" "" "";
    DiffId Wrong "diff_id" "the tar is not the one that the image's config names" "the config says" "it is";
    DiffIdPadding Wrong "diff_id.padding" "the tar lacks the zeros at its end that its DiffID counts, as podman 4.3 wrote it" "the config says" "it is";
    DiffIdUnknown Note "diff_id.unknown" "the config names no DiffID" "" "the tar is";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where something was found; what is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data")]
pub struct Place {
    /// Which element of the TOC's `entries`, counted from 0, chunk entries included.
    pub entry: Option<usize>,
    /// The name of entry or member.
    pub name: Option<Name>,
    /// Which record of the tar-split, counted from 0.
    pub record: Option<u64>,
    /// Which field of TOC entry, footer or annotations.
    pub field: Option<&'static str>,
    /// Where in the file: which of its chunks.
    pub within: Option<u64>,
    /// Where in the blob.
    pub offset: Option<u64>,
    /// Where in the tar.
    pub tar_offset: Option<u64>,
}

/// One thing that is wrong, or worth a note.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What kind.
    pub code: Code,
    /// What it means.
    pub weight: Weight,
    /// Where.
    pub place: Place,
    /// What was claimed; empty where there is nothing to compare.
    pub expected: String,
    /// What is there instead.
    pub actual: String,
}

/// One sentence without its full stop: place, problem, both values.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { entry, name, record, field, within, offset, tar_offset } = &self.place;
        let mut separator = "";
        let mut part = |f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>| {
            let result = write!(f, "{separator}{text}");
            separator = ", ";
            result
        };
        match (entry, name) {
            (Some(entry), Some(name)) => part(f, format_args!("entry {entry} {name}"))?,
            (Some(entry), None) => part(f, format_args!("entry {entry}"))?,
            (None, Some(name)) => part(f, format_args!("{name}"))?,
            (None, None) => {}
        }
        if let Some(record) = record {
            part(f, format_args!("record {record}"))?;
        }
        if let Some(field) = field {
            part(f, format_args!("{field}"))?;
        }
        if let Some(offset) = within {
            part(f, format_args!("chunk at {offset}"))?;
        }
        if let Some(offset) = offset {
            part(f, format_args!("byte {offset} of the blob"))?;
        }
        if let Some(offset) = tar_offset {
            part(f, format_args!("byte {offset} of the tar"))?;
        }
        let colon = if separator.is_empty() { "" } else { ": " };
        let [problem, says, is] = self.code.words();
        write!(f, "{colon}{problem}")?;
        let mut separator = ": ";
        for (who, value) in [(says, &self.expected), (is, &self.actual)] {
            // A parser's own words may begin with the same.
            let value = value.strip_prefix(problem).map_or(&**value, |rest| rest.trim_start_matches(": "));
            if !value.is_empty() {
                let space = if who.is_empty() { "" } else { " " };
                write!(f, "{separator}{who}{space}{value}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// All findings of one layer, at most so many of each code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    list: Vec<Finding>,
    seen: BTreeMap<(Code, Weight), usize>,
}

impl Findings {
    /// Returns what was kept, what is wrong first, in the order of the codes and then of the blob.
    pub fn list(&self) -> &[Finding] {
        &self.list
    }

    /// Returns how many findings of each code were counted but not kept.
    pub fn more(&self) -> impl Iterator<Item = (Code, Weight, usize)> {
        self.seen.iter().filter_map(|((code, weight), seen)| {
            let more = seen.saturating_sub(kept(*weight));
            (more > 0).then_some((*code, *weight, more))
        })
    }

    /// Returns how many things are wrong, those not kept included.
    pub fn wrong(&self) -> usize {
        let wrong = self.seen.iter().filter(|((_, weight), _)| *weight == Weight::Wrong);
        wrong.fold(0, |sum, (_, seen)| sum.saturating_add(*seen))
    }

    /// Whether something of this code was found.
    pub fn has(&self, code: Code) -> bool {
        self.seen.keys().any(|(seen, _)| *seen == code)
    }

    pub(crate) fn add(&mut self, code: Code, place: Place, expected: impl ToString, actual: impl ToString) {
        self.add_as(code.weight(), code, place, expected, actual);
    }

    #[expect(clippy::needless_pass_by_value, reason = "texts and numbers, made for the call")]
    pub(crate) fn add_as(
        &mut self,
        weight: Weight,
        code: Code,
        place: Place,
        expected: impl ToString,
        actual: impl ToString,
    ) {
        let seen = self.seen.entry((code, weight)).or_default();
        *seen = seen.saturating_add(1);
        if *seen <= kept(weight) {
            let cut = |text: String| match text.char_indices().nth(VALUE) {
                Some((end, _)) => alloc::format!("{}…", text.get(..end).unwrap_or_default()),
                None => text,
            };
            let (expected, actual) = (cut(expected.to_string()), cut(actual.to_string()));
            self.list.push(Finding { code, weight, place, expected, actual });
        }
    }

    /// Takes over what was found elsewhere.
    pub(crate) fn absorb(&mut self, other: Self) {
        for finding in other.list {
            let seen = self.seen.get(&(finding.code, finding.weight)).copied().unwrap_or_default();
            if seen < kept(finding.weight) {
                self.list.push(finding);
            }
        }
        for (key, count) in other.seen {
            let seen = self.seen.entry(key).or_default();
            *seen = seen.saturating_add(count);
        }
    }

    /// Puts what is wrong before notes, and each in the order of the codes.
    pub(crate) fn sort(&mut self) {
        self.list.sort_by_key(|finding| (finding.weight, finding.code));
    }
}

impl Place {
    pub(crate) fn entry(entry: usize, name: &Name) -> Self {
        Self { entry: Some(entry), name: Some(name.clone()), ..Self::default() }
    }

    pub(crate) fn name(name: &Name) -> Self {
        Self { name: Some(name.clone()), ..Self::default() }
    }

    pub(crate) fn at(offset: u64) -> Self {
        Self { offset: Some(offset), ..Self::default() }
    }

    pub(crate) fn field(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }

    pub(crate) fn of_tar(self, offset: u64) -> Self {
        Self { tar_offset: Some(offset), ..self }
    }
}

const fn kept(weight: Weight) -> usize {
    match weight {
        Weight::Wrong => KEPT_WRONG,
        Weight::Note => KEPT_NOTES,
    }
}
