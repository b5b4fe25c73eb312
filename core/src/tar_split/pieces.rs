//! A tar in parts, as a tar-split says them.

use super::{RawCursor, TarSplit};

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

/// Lends the parts of a tar in order: a file's headers and the file, for each member, then the end.
#[derive(Debug)]
pub struct TarPieces<'a> {
    split: &'a TarSplit,
    /// The next file.
    index: usize,
    raw: RawCursor,
}

impl<'a> TarPieces<'a> {
    pub(super) fn new(split: &'a TarSplit) -> Self {
        Self { split, index: 0, raw: RawCursor::default() }
    }

    /// Returns the next part; `None` after the last.
    pub fn next_piece(&mut self) -> Option<TarPiece<'_>> {
        let Self { split, index, raw } = self;
        if let Some(bytes) = split.raw_before(*index, raw) {
            return Some(TarPiece::Raw(bytes));
        }
        let file = split.file(*index)?;
        *index = index.saturating_add(1);
        Some(TarPiece::File(file))
    }
}
