//! One header: 512 bytes of fixed fields, in one of five dialects.
//!
//! ```text
//! 0    100  108 116 124  136   148    156  157  257   263     265  297  329    337    345         500 512
//! name mode uid gid size mtime chksum type link magic version user group major minor prefix       -
//!                                                             GNU: 345 atime 357 ctime 386 sparse 482 more 483 size
//!                                                            star: 345 prefix 476 atime 488 ctime 508 "tar\0"
//! ```

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use crate::member::Timestamp;

use super::number;

/// The length of a header, and what payloads are padded to.
pub(crate) const BLOCK: usize = 512;

/// A header whose checksum holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'a> {
    block: &'a [u8; BLOCK],
    dialect: Dialect,
}

/// Who wrote the fields after the first 257 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Gnu,
    Star,
    Ustar,
    V7,
}

/// The times that only some dialects have a place for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MoreTimes {
    pub(crate) atime: Option<Timestamp>,
    pub(crate) ctime: Option<Timestamp>,
}

impl<'a> Header<'a> {
    /// Checks the sum and tells the dialect.
    pub(crate) fn parse(block: &'a [u8; BLOCK]) -> Result<Self, HeaderError> {
        let (unsigned, signed) = checksums(block);
        let expected = number::octal(field(block, 148..156));
        if expected != Some(unsigned) && expected != Some(signed) {
            return Err(HeaderError::Checksum { expected: expected.unwrap_or(-1), actual: unsigned });
        }
        let dialect = match (field(block, 257..265), field(block, 508..512)) {
            (b"ustar  \0", _) => Dialect::Gnu,
            (magic, b"tar\0") if magic.starts_with(b"ustar\0") => Dialect::Star,
            (magic, _) if magic.starts_with(b"ustar\0") => Dialect::Ustar,
            _ => Dialect::V7,
        };
        Ok(Self { block, dialect })
    }

    /// Returns the letter that says what this header is for.
    pub(crate) fn flag(&self) -> u8 {
        self.field(156..157).first().copied().unwrap_or_default()
    }

    /// Returns the length of the payload.
    pub(crate) fn size(&self) -> Result<u64, HeaderError> {
        self.unsigned("size", 124..136)
    }

    /// Returns the name, joined to the prefix where the dialect has one.
    pub(crate) fn name(&self) -> Vec<u8> {
        let name = text(self.field(0..100));
        let prefix = match self.dialect {
            // Go before 1.8 wrote a ustar prefix under the GNU magic; it shows in times that are no numbers.
            Dialect::Gnu if self.gnu_times().is_none() => {
                Some(text(self.field(345..500))).filter(|prefix| prefix.is_ascii()).unwrap_or_default()
            }
            Dialect::Gnu | Dialect::V7 => &[],
            Dialect::Star => text(self.field(345..476)),
            Dialect::Ustar => text(self.field(345..500)),
        };
        if prefix.is_empty() { name.into() } else { [prefix, name].join(&b'/') }
    }

    /// Returns the name of what a link leads to.
    pub(crate) fn link(&self) -> &'a [u8] {
        text(self.field(157..257))
    }

    /// Returns the mode as it is written.
    pub(crate) fn mode(&self) -> Result<u32, HeaderError> {
        let mode = self.unsigned("mode", 100..108)?;
        u32::try_from(mode).map_err(|_too_large| self.bad_number("mode", 100..108))
    }

    /// Returns the owner's number.
    pub(crate) fn uid(&self) -> Result<u64, HeaderError> {
        self.unsigned("uid", 108..116)
    }

    /// Returns the group's number.
    pub(crate) fn gid(&self) -> Result<u64, HeaderError> {
        self.unsigned("gid", 116..124)
    }

    /// Returns when the content last changed.
    pub(crate) fn mtime(&self) -> Result<Timestamp, HeaderError> {
        let seconds =
            number::parse(self.field(136..148)).ok_or_else(|| self.bad_number("mtime", 136..148))?;
        Ok(Timestamp { seconds, nanoseconds: 0 })
    }

    /// Returns the two times of the GNU and star dialects, by the rules of Go's reader.
    ///
    /// GNU tar reads them only from incremental dumps; the TOC holds what Go saw.
    pub(crate) fn more_times(&self) -> Result<MoreTimes, HeaderError> {
        let star = |name, range: Range<usize>| match number::parse(self.field(range.clone())) {
            Some(seconds) => Ok(Some(Timestamp { seconds, nanoseconds: 0 })),
            None => Err(self.bad_number(name, range)),
        };
        match self.dialect {
            Dialect::Gnu => Ok(self.gnu_times().unwrap_or_default()),
            Dialect::Star => {
                Ok(MoreTimes { atime: star("atime", 476..488)?, ctime: star("ctime", 488..500)? })
            }
            Dialect::Ustar | Dialect::V7 => Ok(MoreTimes::default()),
        }
    }

    /// Returns a device's two numbers; v7 had no place for them.
    pub(crate) fn device(&self) -> Result<(u64, u64), HeaderError> {
        match self.dialect {
            Dialect::V7 => Ok((0, 0)),
            _ => Ok((self.unsigned("devmajor", 329..337)?, self.unsigned("devminor", 337..345)?)),
        }
    }

    /// Whether there are device numbers, whatever kind of file this is.
    pub(crate) fn has_device(&self) -> bool {
        self.device() != Ok((0, 0))
    }

    /// Whether Go reads the same numbers: it refuses what has something else behind a number's end, and what is none.
    pub(crate) fn numbers_are_go(&self) -> bool {
        let all = [100..108, 108..116, 116..124, 124..136, 136..148, 148..156, 329..337, 337..345];
        let len = if self.dialect == Dialect::V7 { 6 } else { all.len() };
        let times = match self.dialect {
            // These are not refused: with one that is no number, Go takes neither.
            Dialect::Gnu if self.gnu_times().is_some() => {
                let set = |range: &Range<usize>| !self.field(range.clone()).starts_with(&[0]);
                [345..357, 357..369].map(|range| Some(range).filter(set))
            }
            Dialect::Star => [476..488, 488..500].map(Some),
            Dialect::Gnu | Dialect::Ustar | Dialect::V7 => [None, None],
        };
        let all = all.into_iter().take(len).chain(times.into_iter().flatten());
        all.map(|range| self.field(range)).all(number::is_go)
    }

    /// Returns the length that an old GNU sparse file has when its holes are counted.
    pub(crate) fn sparse_size(&self) -> Result<u64, HeaderError> {
        self.unsigned("realsize", 483..495)
    }

    /// Returns the first four places of an old GNU sparse map, and whether more blocks of them follow.
    pub(crate) fn sparse_places(&self) -> (&'a [u8], bool) {
        (self.field(386..482), self.field(482..483) != [0])
    }

    /// Returns the GNU times that are set, or `None` when one is no number.
    fn gnu_times(&self) -> Option<MoreTimes> {
        let time = |range: Range<usize>| match self.field(range) {
            [0, ..] => Some(None),
            digits => number::parse(digits).map(|seconds| Some(Timestamp { seconds, nanoseconds: 0 })),
        };
        Some(MoreTimes { atime: time(345..357)?, ctime: time(357..369)? })
    }

    fn unsigned(&self, name: &'static str, range: Range<usize>) -> Result<u64, HeaderError> {
        let value = number::parse(self.field(range.clone())).and_then(|value| u64::try_from(value).ok());
        value.ok_or_else(|| self.bad_number(name, range))
    }

    fn bad_number(&self, name: &'static str, range: Range<usize>) -> HeaderError {
        HeaderError::Number { field: name, value: self.field(range).escape_ascii().to_string() }
    }

    fn field(&self, range: Range<usize>) -> &'a [u8] {
        field(self.block, range)
    }
}

/// A block that is no header, or one that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum HeaderError {
    /// The sum of the bytes is not the one written down: this is no tar, or a damaged one.
    #[error("header checksum is {actual}, but {expected} is written there")]
    Checksum {
        /// The sum that is written in the header, −1 if it is no number.
        expected: i64,
        /// The sum of the header's bytes.
        actual: i64,
    },
    /// A field holds no number, or one that cannot be.
    #[error("{field} is {value:?}, which is not a number that fits")]
    Number {
        /// The field's name.
        field: &'static str,
        /// The field's bytes, escaped.
        value: String,
    },
}

fn field(block: &[u8; BLOCK], range: Range<usize>) -> &[u8] {
    block.get(range).unwrap_or_default()
}

/// Cuts a field at its first NUL.
pub(crate) fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Sums the block with its own sum as spaces: of unsigned bytes as POSIX says, and of signed ones as Sun's tar did.
fn checksums(block: &[u8; BLOCK]) -> (i64, i64) {
    let (all, high) = sums(block);
    let (own, own_high) = sums(field(block, 148..156));
    let unsigned = all.saturating_sub(own).saturating_add(8 * 0x20);
    // A byte from 0x80 up counts 0x100 less when it is signed.
    let signed = unsigned.saturating_sub(high.saturating_sub(own_high).saturating_mul(0x100));
    (i64::from(unsigned), i64::from(signed))
}

/// Returns the sum of the bytes and how many of them are 0x80 or more.
fn sums(bytes: &[u8]) -> (i32, i32) {
    bytes.iter().fold((0, 0), |(sum, high), byte| {
        (i32::wrapping_add(sum, i32::from(*byte)), i32::wrapping_add(high, i32::from(byte >> 7)))
    })
}
