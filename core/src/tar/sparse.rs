//! Sparse files: which parts of the file the payload holds; the rest are holes.
//!
//! GNU tar has written the map in four ways: in the header and blocks after it (type `S`), in PAX records (0.0 and
//! 0.1), and in text before the payload (1.0).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::limits::Limits;

use super::number;
use super::pax::decimal;

/// One part of a sparse file that is not a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a pair of numbers")]
pub struct Fragment {
    /// Where in the file it starts.
    pub offset: u64,
    /// How many bytes it has; never 0.
    pub length: u64,
}

/// A map that is being read: offsets and lengths in turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SparseMap(Vec<u64>);

impl SparseMap {
    /// Takes the next offset or length.
    pub(crate) fn push(&mut self, value: u64, limits: &Limits) -> Result<(), SparseError> {
        if self.0.len() >= limits.sparse_fragments.saturating_mul(2) {
            return Err(SparseError::TooMany { limit: limits.sparse_fragments });
        }
        self.0.push(value);
        Ok(())
    }

    /// Takes places of 24 bytes from an old GNU header or from a block after one, up to the first that is empty.
    pub(crate) fn push_places(&mut self, places: &[u8], limits: &Limits) -> Result<(), SparseError> {
        for place in places.chunks_exact(24) {
            let (offset, length) = place.split_at_checked(12).unwrap_or_default();
            if offset.first() == Some(&0) || length.first() == Some(&0) {
                break;
            }
            for field in [offset, length] {
                let value = number::parse(field).and_then(|value| u64::try_from(value).ok());
                self.push(value.ok_or(SparseError::Number)?, limits)?;
            }
        }
        Ok(())
    }

    /// Checks the map against the lengths of the file and of its payload.
    ///
    /// Fragments ascend, do not overlap and lie in the file; empty ones, which mark the end, are dropped.
    pub(crate) fn finish(&self, size: u64, stored: u64) -> Result<Arc<[Fragment]>, SparseError> {
        let (pairs, rest) = self.0.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(SparseError::Odd);
        }
        let (mut end, mut held) = (0_u64, 0_u64);
        let mut fragments = Vec::new();
        for [offset, length] in pairs.iter().copied() {
            let next = offset.checked_add(length).filter(|next| offset >= end && *next <= size);
            end = next.ok_or(SparseError::Place { offset, length, after: end, size })?;
            // Disjoint parts of the file: the sum is at most `size`.
            held = held.saturating_add(length);
            if length > 0 {
                fragments.push(Fragment { offset, length });
            }
        }
        if held > stored {
            return Err(SparseError::Payload { expected: held, actual: stored });
        }
        Ok(fragments.into())
    }
}

/// The `GNU.sparse.*` records of one header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PaxSparse {
    name: Option<Box<[u8]>>,
    size: Option<u64>,
    version: (Option<u64>, Option<u64>),
    map: Option<SparseMap>,
}

/// A sparse file described by PAX records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaxFile {
    pub(crate) form: PaxForm,
    /// The file's name; the one in the header says that the file is sparse.
    pub(crate) name: Option<Box<[u8]>>,
    /// The file's length, holes included.
    pub(crate) size: Option<u64>,
}

/// Where the map of a file described by PAX records lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PaxForm {
    /// In the records themselves.
    Here(SparseMap),
    /// In text before the payload.
    InPayload,
}

impl PaxSparse {
    /// Takes one record, its key without `GNU.sparse.`.
    pub(crate) fn set(&mut self, key: &[u8], value: &[u8], limits: &Limits) -> Result<(), SparseError> {
        let number = || decimal(value).ok_or(SparseError::Number);
        match key {
            b"major" => self.version.0 = Some(number()?),
            b"minor" => self.version.1 = Some(number()?),
            b"name" => {
                let name = Some(value).filter(|name| !name.is_empty() && !name.contains(&0));
                self.name = name.map(Into::into);
            }
            b"size" | b"realsize" => self.size = Some(number()?),
            // 0.0 repeats this pair of keys, once for each fragment.
            b"offset" | b"numbytes" => {
                let map = self.map.get_or_insert_default();
                let turn: &[u8] = if map.0.len().is_multiple_of(2) { b"offset" } else { b"numbytes" };
                if key != turn {
                    return Err(SparseError::Odd);
                }
                map.push(number()?, limits)?;
            }
            b"map" => {
                let mut map = SparseMap::default();
                for value in value.split(|byte| *byte == b',').filter(|_| !value.is_empty()) {
                    map.push(decimal(value).ok_or(SparseError::Number)?, limits)?;
                }
                self.map = Some(map);
            }
            // `numblocks` counts what the map holds anyway.
            _ => {}
        }
        Ok(())
    }

    /// Returns where the map is, and the file's own name and size, which the fixed fields do not hold.
    ///
    /// `None` when the file is not sparse, or of a version that nobody knows: then it is a file like any other.
    pub(crate) fn form(self) -> Option<PaxFile> {
        let form = match (self.version, self.map) {
            ((Some(1), Some(0)), _) => PaxForm::InPayload,
            ((Some(0), Some(0 | 1)), map) => PaxForm::Here(map.unwrap_or_default()),
            ((None, None), Some(map)) => PaxForm::Here(map),
            ((None, None), None) if self.size.is_some() => PaxForm::Here(SparseMap::default()),
            _ => return None,
        };
        Some(PaxFile { form, name: self.name, size: self.size })
    }
}

/// Reads the map of version 1.0: decimal numbers, each with a line feed: how many fragments, then their places.
#[derive(Clone, Debug, Default)]
pub(crate) struct MapText {
    map: SparseMap,
    /// Numbers still to come; `None` before the count was read.
    left: Option<u64>,
    number: u64,
    digits: u8,
}

impl MapText {
    /// Takes one block and returns the map once it is complete; what follows it in its last block is padding.
    pub(crate) fn push(&mut self, block: &[u8], limits: &Limits) -> Result<Option<SparseMap>, SparseError> {
        for byte in block {
            if byte.is_ascii_digit() {
                let number = self.number.checked_mul(10);
                let number = number.and_then(|number| number.checked_add(u64::from(byte & 15)));
                self.number = number.ok_or(SparseError::Number)?;
                self.digits = self.digits.checked_add(1).filter(|n| *n <= 20).ok_or(SparseError::Number)?;
            } else if *byte == b'\n' && self.digits > 0 {
                if self.take_number(limits)? == 0 {
                    return Ok(Some(core::mem::take(&mut self.map)));
                }
            } else {
                return Err(SparseError::Number);
            }
        }
        Ok(None)
    }

    /// Ends a number and returns how many are still to come.
    fn take_number(&mut self, limits: &Limits) -> Result<u64, SparseError> {
        let number = core::mem::take(&mut self.number);
        self.digits = 0;
        let left = match self.left {
            None => number.checked_mul(2).ok_or(SparseError::TooMany { limit: limits.sparse_fragments })?,
            Some(left) => {
                self.map.push(number, limits)?;
                left.saturating_sub(1)
            }
        };
        self.left = Some(left);
        Ok(left)
    }
}

/// A map of holes that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum SparseError {
    /// The payload ended before the map did.
    #[error("the map of holes goes on after the payload's {stored} bytes")]
    Cut {
        /// The payload's length.
        stored: u64,
    },
    /// A place is no number.
    #[error("the map of holes has a place that is not a number")]
    Number,
    /// An offset has no length, or the two are not in turn.
    #[error("the map of holes has an offset without a length")]
    Odd,
    /// The fragments hold more bytes than the payload has.
    #[error("the map of holes needs {expected} bytes of payload, but there are {actual}")]
    Payload {
        /// The sum of all fragments.
        expected: u64,
        /// The payload's length.
        actual: u64,
    },
    /// A fragment overlaps the one before it, or ends after the file does.
    #[error("the map of holes has {length} bytes at {offset}, which must lie between {after} and {size}")]
    Place {
        /// Where the fragment starts.
        offset: u64,
        /// How long it is.
        length: u64,
        /// Where the one before it ends.
        after: u64,
        /// Where the file ends.
        size: u64,
    },
    /// More fragments than the limit.
    #[error("the map of holes has more than {limit} fragments")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(numbers: &[u64], size: u64, stored: u64) -> Result<Vec<(u64, u64)>, SparseError> {
        let map = SparseMap(numbers.to_vec()).finish(size, stored)?;
        Ok(map.iter().map(|fragment| (fragment.offset, fragment.length)).collect())
    }

    #[test]
    fn takes_fragments_in_order_and_drops_empty_ones() {
        assert_eq!(finish(&[0, 5, 5, 0, 100, 7, 200, 0], 200, 12), Ok(std::vec![(0, 5), (100, 7)]));
        assert_eq!(finish(&[], 200, 0), Ok(std::vec![]));
    }

    #[test]
    fn refuses_maps_that_make_no_sense() {
        assert_eq!(finish(&[0, 5, 7], 10, 5), Err(SparseError::Odd));
        assert_eq!(finish(&[0, 5], 10, 4), Err(SparseError::Payload { expected: 5, actual: 4 }));
        for numbers in [[0, 5, 4, 2], [5, 2, 0, 1], [0, 1, 9, 2], [0, 1, u64::MAX, 2]] {
            assert!(matches!(finish(&numbers, 10, 10), Err(SparseError::Place { .. })), "{numbers:?}");
        }
    }

    #[test]
    fn the_text_of_a_map_ends_with_its_last_number() {
        let limits = Limits::default();
        let mut text = MapText::default();
        assert_eq!(text.push(b"2\n0\n1", &limits), Ok(None));
        assert_eq!(text.push(b"0\n30\n5\n\0\0\0", &limits), Ok(Some(SparseMap(std::vec![0, 10, 30, 5]))));
        assert_eq!(MapText::default().push(b"0\n\0", &limits), Ok(Some(SparseMap::default())));
    }

    #[test]
    fn refuses_text_that_is_no_map() {
        let mut limits = Limits::default();
        for text in [&b"\n"[..], b"1\n\0", b"-1\n", b"x", b"99999999999999999999", b"000000000000000000001\n"]
        {
            assert_eq!(MapText::default().push(text, &limits), Err(SparseError::Number), "{text:?}");
        }
        limits.sparse_fragments = 1;
        let too_many = Err(SparseError::TooMany { limit: 1 });
        assert_eq!(MapText::default().push(b"2\n0\n1\n2\n1\n", &limits), too_many);
        assert_eq!(MapText::default().push(b"18446744073709551615\n", &limits), too_many);
    }
}
