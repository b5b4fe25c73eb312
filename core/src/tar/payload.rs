//! The payload of a member: content, whole or in fragments, then what belongs to nobody.

use alloc::sync::Arc;

use super::entry::length;
use super::reader::TarEvent;
use super::sparse::Fragment;

/// Where in its content a member is.
#[derive(Debug)]
pub(crate) struct Payload {
    fragments: Option<Arc<[Fragment]>>,
    /// Which fragment.
    index: usize,
    /// How far into the fragment, or into a file that is not sparse.
    within: u64,
    pub(crate) stored: u64,
    /// `left` ≤ `stored`.
    pub(crate) left: u64,
    pub(crate) skip: Skip,
}

/// Bytes that are passed over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Skip {
    pub(crate) payload: u64,
    pub(crate) padding: u64,
}

impl Payload {
    /// Starts before a payload of `len` bytes, of which the first `content` are the file, or else the fragments.
    pub(crate) fn new(content: u64, len: u64, fragments: Option<Arc<[Fragment]>>) -> Self {
        let stored = match &fragments {
            None => content,
            Some(fragments) => {
                fragments.iter().fold(0, |sum: u64, fragment| sum.saturating_add(fragment.length))
            }
        };
        let skip = Skip { payload: len.saturating_sub(stored), padding: padding(len) };
        Self { fragments, index: 0, within: 0, stored, left: stored, skip }
    }

    /// Returns the fragments of a sparse file.
    pub(crate) fn fragments(&self) -> Option<Arc<[Fragment]>> {
        self.fragments.clone()
    }

    /// Splits content off the front of `bytes`.
    pub(crate) fn take<'a>(&mut self, bytes: &mut &'a [u8], stream: &mut u64) -> Option<TarEvent<'a>> {
        let (start, most) = match &self.fragments {
            None => (0, self.left),
            Some(fragments) => {
                let fragment = fragments.get(self.index)?;
                (fragment.offset, fragment.length.saturating_sub(self.within))
            }
        };
        let piece = take(bytes, most, stream)?;
        let offset = start.saturating_add(self.within);
        let len = length(piece);
        self.left = self.left.saturating_sub(len);
        if self.fragments.is_some() && len == most {
            self.index = self.index.saturating_add(1);
            self.within = 0;
        } else {
            self.within = self.within.saturating_add(len);
        }
        Some(TarEvent::Data { offset, bytes: piece })
    }
}

/// Returns how many bytes fill the last block of `payload` bytes.
pub(crate) fn padding(payload: u64) -> u64 {
    payload.wrapping_neg() & 511
}

/// Splits at most `most` bytes off the front and counts them; `None` if there are none.
pub(crate) fn take<'a>(bytes: &mut &'a [u8], most: u64, offset: &mut u64) -> Option<&'a [u8]> {
    let most = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len());
    let (piece, rest) = bytes.split_at_checked(most).filter(|(piece, _)| !piece.is_empty())?;
    *bytes = rest;
    *offset = offset.saturating_add(length(piece));
    Some(piece)
}
