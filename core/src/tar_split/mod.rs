//! Tar-split: all of a tar but the contents of its files, from which the exact tar is built again.

#[cfg(test)]
pub(crate) mod fixture;
mod headers;
#[cfg(feature = "writer")]
pub(crate) mod json;
#[cfg(feature = "writer")]
mod lean;
mod line;
mod members;
mod pieces;
mod raw;
mod reader;
#[cfg(test)]
mod tests;
#[cfg(feature = "writer")]
mod writer;

#[cfg(feature = "writer")]
pub(crate) use lean::LeanSplitWriter;
pub use members::{Members, TarSplitError};
pub use pieces::{SplitFile, TarPiece, TarPieces};
pub(crate) use raw::RawCursor;
pub(crate) use reader::{Faulty, Tolerated};
pub use reader::{RecordError, TarSplitReadError, TarSplitReader};
#[cfg(feature = "writer")]
pub use writer::TarSplitWriter;

use alloc::vec::Vec;

use crate::limits::Limits;
use raw::Raw;

/// A tar-split whose headers were read: one file for each member, by name and in order, with the content's length.
///
/// The same for the reference's form and for the trimmed one that our writer makes, in which members without content
/// have no record. Kept as three stretches of memory, whatever the number of records.
#[derive(Clone, Debug)]
pub struct TarSplit {
    /// All bytes that are no content.
    raw: Raw,
    /// All names, joined.
    names: Vec<u8>,
    rows: Vec<Row>,
    tar_len: u64,
    limits: Limits,
}

/// One file; `raw_end` and `name_end` never descend from row to row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    /// How many raw bytes come before the content.
    raw_end: usize,
    name_end: usize,
    size: u64,
    crc: u64,
}

/// Two are equal if they build the same tar of the same files.
impl PartialEq for TarSplit {
    fn eq(&self, other: &Self) -> bool {
        let Self { raw, names, rows, tar_len, limits } = self;
        // The same bytes are packed in another way where they were cut in another way.
        let same = *names == other.names && *rows == other.rows && *tar_len == other.tar_len;
        same && *limits == other.limits && raw.joined() == other.raw.joined()
    }
}

impl Eq for TarSplit {}

impl TarSplit {
    /// Starts before the first part of the tar.
    pub fn pieces(&self) -> TarPieces<'_> {
        TarPieces::new(self)
    }

    /// Returns one member's record.
    pub fn file(&self, index: usize) -> Option<SplitFile<'_>> {
        let row = self.rows.get(index)?;
        let start = index.checked_sub(1).and_then(|last| self.rows.get(last)).map_or(0, |last| last.name_end);
        let name = self.names.get(start..row.name_end)?;
        Some(SplitFile { index, name, size: row.size, crc: row.crc })
    }

    /// Returns how many members there are.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no members.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the length of the whole tar, contents included.
    pub const fn tar_len(&self) -> u64 {
        self.tar_len
    }

    /// Reads the members' headers.
    pub fn members(&self) -> Members<'_> {
        Members::new(self)
    }

    /// Returns the next bytes before the content of the file `index`, or before the end for a file that is not there;
    /// `None` once all were given.
    pub(crate) fn raw_before<'a>(&self, index: usize, cursor: &'a mut RawCursor) -> Option<&'a [u8]> {
        cursor.next(&self.raw, self.raw_end(index))
    }

    /// Returns where in the raw bytes the content of a file comes; the end for files that are not there.
    pub(crate) fn raw_end(&self, index: usize) -> usize {
        self.rows.get(index).map_or(self.raw.len(), |row| row.raw_end)
    }
}
