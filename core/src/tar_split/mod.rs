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
mod reader;
#[cfg(test)]
mod tests;
#[cfg(feature = "writer")]
mod writer;

#[cfg(feature = "writer")]
pub(crate) use lean::LeanSplitWriter;
pub use members::{Members, TarSplitError};
pub(crate) use reader::{Faulty, Tolerated};
pub use reader::{RecordError, TarSplitReadError, TarSplitReader};
#[cfg(feature = "writer")]
pub use writer::TarSplitWriter;

use alloc::vec::Vec;

use crate::limits::Limits;

/// A tar-split whose headers were read: one file for each member, by name and in order, with the content's length.
///
/// The same for the reference's form and for the trimmed one that our writer makes, in which members without content
/// have no record. Kept as three stretches of memory, whatever the number of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TarSplit {
    /// All bytes that are no content, joined.
    raw: Vec<u8>,
    /// All names, joined.
    names: Vec<u8>,
    rows: Vec<Row>,
    tar_len: u64,
    limits: Limits,
}

/// One file; `raw_end` and `name_end` never descend from row to row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    /// Where in `raw` the bytes before the content end.
    raw_end: usize,
    name_end: usize,
    size: u64,
    crc: u64,
}

/// The next part of the tar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever builds the tar must know them all")]
pub enum TarPiece<'a> {
    /// The content of a member; comes for every member, those without content too.
    File(SplitFile<'a>),
    /// These bytes; never none.
    Raw(&'a [u8]),
}

/// One member as the tar-split names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SplitFile<'a> {
    /// Which member, counted from 0.
    pub index: usize,
    /// The member's name as the tar holds it.
    pub name: &'a [u8],
    /// The length of its content; 0 for all that is not a file.
    pub size: u64,
    /// The CRC-64/ISO of its content.
    pub crc: u64,
}

impl TarSplit {
    /// Returns the parts of the tar in order: a file's headers and the file, for each member, then the end.
    pub fn pieces(&self) -> impl Iterator<Item = TarPiece<'_>> {
        let files = (0..self.rows.len()).flat_map(|index| {
            let raw = Some(self.raw_before(index)).filter(|raw| !raw.is_empty()).map(TarPiece::Raw);
            raw.into_iter().chain(self.file(index).map(TarPiece::File))
        });
        let tail = Some(self.raw_before(self.rows.len())).filter(|raw| !raw.is_empty());
        files.chain(tail.map(TarPiece::Raw))
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

    /// Returns all bytes that are no content, joined.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Returns where in [`raw`](Self::raw) the content of a file comes; the end for files that are not there.
    pub(crate) fn raw_end(&self, index: usize) -> usize {
        self.rows.get(index).map_or(self.raw.len(), |row| row.raw_end)
    }

    /// Returns the raw bytes between two files' contents: before that of `index`, or all to the end of the tar.
    pub(crate) fn raw_before(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).and_then(|last| self.rows.get(last)).map_or(0, |last| last.raw_end);
        let end = self.rows.get(index).map_or(self.raw.len(), |row| row.raw_end);
        self.raw.get(start..end).unwrap_or_default()
    }
}
