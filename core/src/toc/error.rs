//! What can be wrong with a TOC.

use alloc::string::{String, ToString};

use crate::{Digest, Name};

/// A TOC that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum TocError {
    /// The TOC is not the one that the manifest vouches for.
    #[error("the TOC is {actual}, the manifest says {expected}")]
    Digest {
        /// The digest that the manifest carries.
        expected: Digest,
        /// The digest of the bytes that came.
        actual: Digest,
    },
    /// An empty file has the digest of something else.
    #[error("entry {entry} {name} is empty, its digest is said to be {actual}")]
    EmptyDigest {
        /// The entry's index.
        entry: usize,
        /// Its name.
        name: Name,
        /// The digest claimed.
        actual: Digest,
    },
    /// A field holds what it must not, or is missing.
    #[error("entry {entry} {name}: {field} is {value}")]
    Field {
        /// The entry's index.
        entry: usize,
        /// Its name.
        name: Name,
        /// The JSON key.
        field: &'static str,
        /// What is there.
        value: String,
    },
    /// The TOC's gzip member cannot be decompressed.
    #[error("the TOC is no gzip: {message}")]
    Gzip {
        /// What the decoder says.
        message: String,
    },
    /// A payload that shares a frame begins before the frame does, or inside the payload before it.
    #[error("entry {entry} {name}: innerOffset is {inner_offset}, the payload before it ends at {after}")]
    InnerOffset {
        /// The entry's index.
        entry: usize,
        /// Its name.
        name: Name,
        /// Where in the frame it is said to begin, uncompressed.
        inner_offset: i64,
        /// Where in the frame the payload before it ends.
        after: u64,
    },
    /// The JSON cannot be read.
    #[error("the TOC's JSON, line {line} column {column}: {message}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// A name that can be no path.
    #[error("entry {entry}: the name {name} {problem} ({limit} bytes at most)")]
    Name {
        /// The entry's index.
        entry: usize,
        /// The name.
        name: Name,
        /// What is wrong with it.
        problem: &'static str,
        /// The longest name allowed, in bytes.
        limit: usize,
    },
    /// Frames lie before the end of the frames before them, or outside the data.
    #[error(
        "entry {entry} {name}: offset {offset} is not between {after} and the end of the data at {data_end}"
    )]
    Offset {
        /// The entry's index.
        entry: usize,
        /// Its name.
        name: Name,
        /// The offset claimed.
        offset: i64,
        /// Where the frames before it end (or, if that is not said, begin).
        after: u64,
        /// Where the data ends.
        data_end: u64,
    },
    /// The only chunk of a file has another digest than the file.
    #[error("entry {entry} {name}: its digest is {expected}, that of its only chunk {actual}")]
    OneChunk {
        /// The entry's index.
        entry: usize,
        /// Its name.
        name: Name,
        /// The file's digest.
        expected: Digest,
        /// The chunk's digest.
        actual: Digest,
    },
    /// A chunk entry that continues no regular file.
    #[error("the chunk entry {name} after entry {entry} belongs to no regular file before it")]
    OrphanChunk {
        /// The index of the entry before it.
        entry: usize,
        /// The chunk entry's name.
        name: Name,
    },
    /// Chunks that do not make up their file.
    #[error(
        "entry {entry} {name}: a chunk of {chunk_size} bytes at {chunk_offset} does not fit \
         a file of {size} bytes whose chunks reach {expected} so far"
    )]
    Sizes {
        /// The entry's index.
        entry: usize,
        /// Its name.
        name: Name,
        /// The file's size.
        size: u64,
        /// Where the chunk should begin.
        expected: u64,
        /// Where it is said to begin.
        chunk_offset: i64,
        /// How long it is said to be.
        chunk_size: i64,
    },
    /// The TOC decompresses to more than its position says.
    #[error("the TOC decompresses to more than the {expected} bytes that its position says")]
    PlainLen {
        /// The length claimed.
        expected: u64,
    },
    /// The TOC's gzip member holds no tar, or none with a file in it.
    #[error("the TOC is not the first file of a tar: {message}")]
    Tar {
        /// What is wrong.
        message: String,
    },
    /// The compressed tar-split is not the one that the TOC vouches for.
    #[error("the tar-split is {actual}, the TOC says {expected}")]
    TarSplitDigest {
        /// The digest that the TOC carries.
        expected: Digest,
        /// The digest of the bytes that came.
        actual: Digest,
    },
    /// Something is larger than [`crate::Limits`] allows.
    #[error("the {what} is {len} bytes or more, the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its length.
        len: u64,
        /// The limit.
        limit: u64,
    },
    /// More entries than [`crate::Limits`] allows.
    #[error("the TOC has more than {limit} entries, the limit")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The bytes ended early.
    #[error("the TOC's range ended after {actual} bytes, expected {expected}")]
    Truncated {
        /// How many bytes should have come.
        expected: u64,
        /// How many came.
        actual: u64,
    },
    /// A version other than 1.
    #[error("the TOC's version is {actual}, only 1 is known")]
    Version {
        /// The version claimed.
        actual: i64,
    },
    /// The compressed TOC cannot be decompressed.
    #[error("the TOC cannot be decompressed: {message}")]
    Zstd {
        /// What the decoder says.
        message: String,
    },
}

impl TocError {
    pub(super) fn json(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        // serde_json repeats the place at the end of its message.
        let message = message.split(" at line ").next().unwrap_or_default();
        Self::Json { line, column, message: message.chars().take(200).collect() }
    }

    /// Whether the TOC contradicts its digest or itself, so that somebody lies and the pull must end.
    ///
    /// Everything else is only not understood: the layer can be pulled whole, believing the tar alone.
    pub const fn is_lie(&self) -> bool {
        match self {
            Self::Digest { .. }
            | Self::EmptyDigest { .. }
            | Self::Gzip { .. }
            | Self::InnerOffset { .. }
            | Self::Name { .. }
            | Self::Offset { .. }
            | Self::OneChunk { .. }
            | Self::PlainLen { .. }
            | Self::Sizes { .. }
            | Self::Tar { .. }
            | Self::TarSplitDigest { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::Truncated { .. }
            | Self::Zstd { .. } => true,
            Self::Field { .. } | Self::Json { .. } | Self::OrphanChunk { .. } | Self::Version { .. } => false,
        }
    }
}
