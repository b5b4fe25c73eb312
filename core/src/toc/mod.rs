//! The table of contents: every member of a layer, and where each regular file's chunks lie in the blob.
//!
//! # What is accepted
//!
//! | case | rule |
//! |---|---|
//! | keys in another case, unknown keys, `null` values | accepted, as the reference does |
//! | the same key twice in one object | the last one counts; of two lists of entries, both must be without fault |
//! | text after the object, bad base64, bad digest, bad time, unknown `type` or `chunkType`, negative number | [`TocError::Json`] or [`TocError::Field`]: the TOC is unusable, the layer is pulled whole |
//! | `version` other than 1 | [`TocError::Version`]: pulled whole |
//! | a chunk entry with no regular file before it, or of another name | [`TocError::OrphanChunk`]: pulled whole |
//! | a non-empty regular file without `digest` or `offset`, one of several chunks without `chunkDigest` | [`TocError::Field`]: pulled whole |
//! | several payloads in one frame (`innerOffset`) | accepted; negative, or before the end of the payload before it, [`TocError::InnerOffset`]: refused |
//! | no `offset` beside an `innerOffset` | 0: Go leaves out what is 0 |
//! | `stargz.index.json`, `.prefetch.landmark`, `.no.prefetch.landmark` in the root | left out where stargz-snapshotter wrote the TOC: they are its own, not the image's |
//! | `userName`, `groupName` | skipped: only numbers count |
//! | a TOC of gzip that holds no tar with a file in it | [`TocError::Gzip`], [`TocError::Tar`]: refused |
//! | zeros chunk | accepted; its frame is never fetched |
//! | empty file | accepted with and without the digest of nothing; with another, [`TocError::EmptyDigest`]: refused |
//! | missing end offset | the next data offset, for the last one the end of the data |
//! | names: `./x`, `/x`, `x/`, `a//b`, `..`, a file where another has a directory | kept as written; [`crate::Tree`] decides |
//! | a name that is empty, a name or link that holds a NUL or is longer than the limit | [`TocError::Name`]: refused |
//! | names that are not UTF-8 (U+FFFD in the TOC) | the tar-split's name is adopted, see [`crate::agree`] |
//! | the same path twice | accepted; the later entry wins, as in a tar |
//! | offsets out of order, overlapping, or past the data | [`TocError::Offset`]: refused |
//! | chunk offsets or sizes that do not add up to `size` | [`TocError::Sizes`]: refused |
//! | one chunk whose `chunkDigest` is not the file's `digest` | [`TocError::OneChunk`]: refused |
//! | a size, or a count, over [`crate::Limits`] | refused |
//!
//! "Refused" means that the TOC contradicts itself: somebody lies, and the pull ends. "Pulled whole" means that it is
//! not understood, and not needed: the tar alone says it all.
//!
//! Each entry is checked as it is read, and the first that is wrong ends the reading: nothing is kept of the JSON but
//! what becomes part of the [`Toc`].

mod build;
mod error;
mod export;
mod fetch;
mod gzip;
mod json;
mod map;
pub(crate) mod said;
mod store;
pub(crate) mod time;

use alloc::vec::Vec;
use core::ops::Range;

pub use error::TocError;
pub use fetch::{
    BadTarSplit, CompressedTarSplit, Fetched, ProvenTarSplit, TarSplitBytes, TocBytes, TocFetch,
    UnprovenTarSplit,
};
pub(crate) use map::BlobMap;
pub(crate) use store::Written;

use crate::codec::Codec;
use crate::{Digest, Kind, Member};

/// A checked TOC.
#[derive(Clone, Debug, Default)]
pub struct Toc {
    entries: Vec<Entry>,
    chunks: Vec<Chunk>,
    tar_split_digest: Option<Digest>,
    codec: Codec,
    /// The manifest's digest of it, once it was found to have it.
    vouched: Option<Digest>,
    /// Where the rest of its blob lies; of one that is of a blob.
    map: Option<BlobMap>,
}

/// Two are equal if they say the same, whoever vouches for it and wherever they lay.
impl PartialEq for Toc {
    fn eq(&self, other: &Self) -> bool {
        let Self { entries, chunks, tar_split_digest, codec, vouched: _, map: _ } = self;
        *entries == other.entries
            && *chunks == other.chunks
            && *tar_split_digest == other.tar_split_digest
            && *codec == other.codec
    }
}

impl Eq for Toc {}

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
    /// How many plain bytes of its frames come before it; 0 but where stargz-snapshotter put several contents into one
    /// member (`innerOffset`).
    pub skip: u64,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
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
    /// In a blob whose data frames end here, written by stargz-snapshotter or not.
    Blob { data_end: u64, stargz: bool },
    /// In a blob whose data frames end here; each chunk says itself where its frames lie: an exported TOC.
    Exported { data_end: u64 },
    /// In no blob: our own stored form.
    Store,
}

impl Toc {
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
            self.chunks.push(Chunk { offset: 0, len: member.size, digest, body: Body::Unlocated, skip: 0 });
        }
        self.entries.push(Entry { member, digest, chunks: start..self.chunks.len() });
    }

    /// Cuts files into chunks, in place of the one that each of them was. The files ascend, and their chunks are all of
    /// their content.
    pub(crate) fn cut(&self, files: Vec<(FileId, Vec<Chunk>)>) -> Self {
        let mut files = files.into_iter().peekable();
        let mut toc = Self { tar_split_digest: self.tar_split_digest, ..Self::default() };
        for (index, entry) in self.entries.iter().enumerate() {
            let start = toc.chunks.len();
            match files.next_if(|(file, _)| file.index() == index) {
                Some((_, chunks)) => toc.chunks.extend(chunks),
                None => toc.chunks.extend_from_slice(self.chunks(entry)),
            }
            toc.entries.push(Entry { chunks: start..toc.chunks.len(), ..entry.clone() });
        }
        toc
    }

    /// Returns how many lines the TOC has in the form that our store keeps: each member one, each of its chunks after
    /// the first one more.
    pub(crate) fn lines(&self) -> usize {
        let more = |entry: &Entry| entry.chunks.len().saturating_sub(1);
        self.entries.iter().map(more).fold(self.entries.len(), usize::saturating_add)
    }

    /// Returns every member, in the order of the tar.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the digest of the compressed tar-split, which the TOC alone vouches for.
    pub const fn tar_split_digest(&self) -> Option<&Digest> {
        self.tar_split_digest.as_ref()
    }

    /// Returns the digest that the image's manifest names this TOC by; `None` for one that nothing but a footer led to,
    /// and for one of our own making.
    pub const fn vouched(&self) -> Option<&Digest> {
        self.vouched.as_ref()
    }

    /// Returns where the rest of its blob lies; `None` for one that is of no blob.
    pub(crate) const fn map(&self) -> Option<&BlobMap> {
        self.map.as_ref()
    }

    pub(crate) const fn codec(&self) -> Codec {
        self.codec
    }

    /// Returns the regular files with content, in the order of the tar.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &Entry)> {
        let files = self.entries.iter().enumerate().filter(|(_, entry)| entry.is_file());
        files.map(|(index, entry)| (FileId::new(index), entry))
    }

    /// Returns the file that an entry is, by the entry's index; `None` for all that is no regular file with content.
    pub fn file_at(&self, entry: usize) -> Option<FileId> {
        self.entries.get(entry).filter(|entry| entry.is_file()).map(|_| FileId::new(entry))
    }

    /// Returns one file's entry.
    pub fn file(&self, file: FileId) -> Option<&Entry> {
        self.entries.get(file.index())
    }

    /// Returns the chunks of an entry in the order of the file; one for a file written in one piece.
    pub fn chunks(&self, entry: &Entry) -> &[Chunk] {
        self.chunks.get(entry.chunks.clone()).unwrap_or_default()
    }

    /// Returns how many bytes of the blob an entry's content takes: its frames, each counted once; `None` where nobody knows
    /// where they lie. Frames that hold other files' chunks too are counted in full for each.
    pub fn compressed_len(&self, entry: &Entry) -> Option<u64> {
        let mut total = 0_u64;
        let mut before: Option<&Range<u64>> = None;
        for chunk in self.chunks(entry) {
            match &chunk.body {
                Body::Zeros => {}
                Body::Unlocated => return None,
                Body::Frames(frames) => {
                    if before.replace(frames) != Some(frames) {
                        total = total.saturating_add(frames.end.saturating_sub(frames.start));
                    }
                }
            }
        }
        Some(total)
    }

    /// Returns all chunks, and so those of an entry at the places that [`places`](Entry::places) says.
    pub(crate) fn all_chunks(&self) -> &[Chunk] {
        &self.chunks
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

    /// Returns where the chunks of the entry stand among those of the TOC.
    pub(crate) fn places(&self) -> Range<usize> {
        self.chunks.clone()
    }

    /// Whether this is a regular file with content.
    pub fn is_file(&self) -> bool {
        self.member.kind == Kind::Regular && self.member.size > 0
    }
}

#[cfg(test)]
mod tests;
