//! The store's index as bytes: which contents are held, and which chunks lie where in them.
//!
//! A segment is immutable and sorted, and is searched where it lies, so that a shell can map it and a wasm host can
//! load it. Little-endian throughout:
//!
//! ```text
//! 0   8  magic "SHNGLIDX"
//! 8   8  version, 1
//! 16  8  number of files, f
//! 24  8  number of chunks, c
//! 32  64·f  files, ascending by digest, then class:  digest 32 │ class 16 │ size 8 │ flags 8
//! …   80·c  chunks, ascending by digest:              digest 32 │ content it lies in 32 │ offset 8 │ length 8
//! ```
//!
//! Flag bit 0 of a file: its object's name carries the class, because another class of the content came first.

use alloc::vec::Vec;

use crate::{Class, Digest};

const MAGIC: &[u8; 8] = b"SHNGLIDX";
const VERSION: u64 = 1;
const HEADER: usize = 32;
const FILE: usize = 64;
const CHUNK: usize = 80;
const CLASSED: u64 = 1;

/// A held content under one metadata class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a row")]
pub struct FileRow {
    /// The digest of the content.
    pub digest: Digest,
    /// The metadata that the object's inode has.
    pub class: Class,
    /// The content's length in bytes.
    pub size: u64,
    /// Whether the object's name carries the class.
    pub classed: bool,
}

/// A chunk inside a held content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a row")]
pub struct ChunkRow {
    /// The digest of the chunk.
    pub digest: Digest,
    /// The digest of the content it lies in.
    pub object: Digest,
    /// Where it begins.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
}

/// A segment, searched where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    files: &'a [[u8; FILE]],
    chunks: &'a [[u8; CHUNK]],
}

impl<'a> Segment<'a> {
    /// Takes the bytes of a segment.
    ///
    /// # Errors
    /// They are none, or have another length than they say.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SegmentError> {
        let word = |at: usize| {
            let end = at.checked_add(8)?;
            Some(u64::from_le_bytes(bytes.get(at..end)?.try_into().ok()?))
        };
        if !bytes.starts_with(MAGIC) {
            return Err(SegmentError::Magic);
        }
        let (Some(version), Some(files), Some(chunks)) = (word(8), word(16), word(24)) else {
            return Err(SegmentError::Length { expected: 32, actual: bytes.len() });
        };
        if version != VERSION {
            return Err(SegmentError::Version { actual: version });
        }
        let bad = |expected| SegmentError::Length { expected, actual: bytes.len() };
        let sized = |rows: u64, len: usize| usize::try_from(rows).ok()?.checked_mul(len);
        let (Some(files), Some(chunks)) = (sized(files, FILE), sized(chunks, CHUNK)) else {
            return Err(bad(usize::MAX));
        };
        let expected = HEADER.saturating_add(files).saturating_add(chunks);
        if expected != bytes.len() {
            return Err(bad(expected));
        }
        let (_, rows) = bytes.split_at_checked(HEADER).unwrap_or_default();
        let (files, chunks) = rows.split_at_checked(files).unwrap_or_default();
        Ok(Self { files: files.as_chunks().0, chunks: chunks.as_chunks().0 })
    }

    /// Writes a segment; the rows may come in any order and more than once.
    pub fn build(mut files: Vec<FileRow>, mut chunks: Vec<ChunkRow>) -> Vec<u8> {
        files.sort_unstable();
        files.dedup_by(|next, before| (next.digest, next.class) == (before.digest, before.class));
        chunks.sort_unstable();
        // One place for each chunk is enough to find it.
        chunks.dedup_by(|next, before| (next.digest, next.len) == (before.digest, before.len));
        let rows = files.len().saturating_mul(FILE).saturating_add(chunks.len().saturating_mul(CHUNK));
        let mut bytes = Vec::with_capacity(HEADER.saturating_add(rows));
        bytes.extend_from_slice(MAGIC);
        for word in [VERSION, count(files.len()), count(chunks.len())] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        for row in &files {
            bytes.extend_from_slice(row.digest.as_bytes());
            bytes.extend_from_slice(row.class.as_bytes());
            bytes.extend_from_slice(&row.size.to_le_bytes());
            bytes.extend_from_slice(&(if row.classed { CLASSED } else { 0 }).to_le_bytes());
        }
        for row in &chunks {
            bytes.extend_from_slice(row.digest.as_bytes());
            bytes.extend_from_slice(row.object.as_bytes());
            bytes.extend_from_slice(&row.offset.to_le_bytes());
            bytes.extend_from_slice(&row.len.to_le_bytes());
        }
        bytes
    }

    /// Returns the classes that a content is held under.
    pub fn file(&self, digest: &Digest) -> impl Iterator<Item = FileRow> + use<'a> {
        let start = self.files.partition_point(|row| starts_below(row, digest));
        let digest = *digest;
        self.files.iter().skip(start).map(file_row).take_while(move |row| row.digest == digest)
    }

    /// Returns where a chunk lies.
    pub fn chunk(&self, digest: &Digest) -> impl Iterator<Item = ChunkRow> + use<'a> {
        let start = self.chunks.partition_point(|row| starts_below(row, digest));
        let digest = *digest;
        self.chunks.iter().skip(start).map(chunk_row).take_while(move |row| row.digest == digest)
    }

    /// Looks up many digests at once, which must ascend; calls back for every row found.
    ///
    /// Each search begins where the last one ended, so that the whole costs about one pass.
    pub fn find(&self, digests: &[Digest], mut file: impl FnMut(FileRow), mut chunk: impl FnMut(ChunkRow)) {
        let (mut files, mut chunks) = (self.files, self.chunks);
        for digest in digests {
            files = skip_below(files, digest);
            chunks = skip_below(chunks, digest);
            files.iter().map(file_row).take_while(|row| row.digest == *digest).for_each(&mut file);
            chunks.iter().map(chunk_row).take_while(|row| row.digest == *digest).for_each(&mut chunk);
        }
    }

    /// Returns every file.
    pub fn files(&self) -> impl ExactSizeIterator<Item = FileRow> + use<'a> {
        self.files.iter().map(file_row)
    }

    /// Returns every chunk.
    pub fn chunks(&self) -> impl ExactSizeIterator<Item = ChunkRow> + use<'a> {
        self.chunks.iter().map(chunk_row)
    }
}

/// Bytes that are no segment. The index can be built again from the layers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// Another length than the rows need.
    #[error("the index segment is {actual} bytes, expected {expected}")]
    Length {
        /// The length that its header calls for.
        expected: usize,
        /// Its length.
        actual: usize,
    },
    /// Another beginning.
    #[error("not an index segment")]
    Magic,
    /// Written by another version of Shingle.
    #[error("the index segment has version {actual}, expected {VERSION}")]
    Version {
        /// The version it has.
        actual: u64,
    },
}

/// Drops the rows whose digests are smaller: steps that double, then a search inside the last one.
fn skip_below<'a, const N: usize>(rows: &'a [[u8; N]], digest: &Digest) -> &'a [[u8; N]] {
    let mut step = 1_usize;
    while rows.get(step).is_some_and(|row| starts_below(row, digest)) {
        step = step.saturating_mul(2);
    }
    let window = rows.get(..step.saturating_add(1)).unwrap_or(rows);
    rows.get(window.partition_point(|row| starts_below(row, digest))..).unwrap_or_default()
}

fn starts_below<const N: usize>(row: &[u8; N], digest: &Digest) -> bool {
    row.get(..32).is_some_and(|key| key < digest.as_bytes().as_slice())
}

fn file_row(row: &[u8; FILE]) -> FileRow {
    FileRow {
        digest: Digest::from_bytes(part(row, 0)),
        class: Class::from_bytes(part(row, 32)),
        size: u64::from_le_bytes(part(row, 48)),
        classed: u64::from_le_bytes(part(row, 56)) & CLASSED != 0,
    }
}

fn chunk_row(row: &[u8; CHUNK]) -> ChunkRow {
    ChunkRow {
        digest: Digest::from_bytes(part(row, 0)),
        object: Digest::from_bytes(part(row, 32)),
        offset: u64::from_le_bytes(part(row, 64)),
        len: u64::from_le_bytes(part(row, 72)),
    }
}

fn part<const N: usize>(row: &[u8], at: usize) -> [u8; N] {
    row.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(content: &[u8], class: u8, classed: bool) -> FileRow {
        let class = Class::from_bytes([class; 16]);
        FileRow { digest: Digest::of(content), class, size: content.len() as u64, classed }
    }

    #[test]
    fn finds_what_was_put_in() {
        let files =
            alloc::vec![row(b"b", 2, true), row(b"a", 1, false), row(b"b", 1, false), row(b"a", 1, false)];
        let chunk = ChunkRow { digest: Digest::of(b"x"), object: Digest::of(b"b"), offset: 7, len: 9 };
        let bytes = Segment::build(files, alloc::vec![chunk, chunk]);
        let segment = Segment::parse(&bytes).unwrap();
        assert_eq!(segment.file(&Digest::of(b"a")).collect::<Vec<_>>(), [row(b"a", 1, false)]);
        assert_eq!(
            segment.file(&Digest::of(b"b")).collect::<Vec<_>>(),
            [row(b"b", 1, false), row(b"b", 2, true)]
        );
        assert_eq!(segment.file(&Digest::of(b"c")).count(), 0);
        assert_eq!(segment.chunk(&Digest::of(b"x")).collect::<Vec<_>>(), [chunk]);
        assert_eq!((segment.files().len(), segment.chunks().len()), (3, 1));
    }

    #[test]
    fn refuses_other_bytes() {
        let bytes = Segment::build(alloc::vec![row(b"a", 1, false)], Vec::new());
        assert_eq!(Segment::parse(b"").unwrap_err(), SegmentError::Magic);
        assert!(matches!(Segment::parse(&bytes[..20]), Err(SegmentError::Length { .. })));
        assert!(matches!(Segment::parse(&bytes[..bytes.len() - 1]), Err(SegmentError::Length { .. })));
        let mut newer = bytes.clone();
        newer[8] = 2;
        assert_eq!(Segment::parse(&newer).unwrap_err(), SegmentError::Version { actual: 2 });
        let mut many = bytes;
        many[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(matches!(Segment::parse(&many), Err(SegmentError::Length { .. })));
    }
}
