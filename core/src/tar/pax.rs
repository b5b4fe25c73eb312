//! PAX records: the text of `x` and `g` headers, which says what the fixed fields have no room for.

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use crate::limits::Limits;
use crate::member::{Timestamp, Xattrs};

use super::sparse::{PaxSparse, SparseError};

const XATTR: &[u8] = b"SCHILY.xattr.";

/// What the records of one header say; `None` where they say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pax {
    pub(crate) path: Option<Said<Box<[u8]>>>,
    pub(crate) link: Option<Said<Box<[u8]>>>,
    pub(crate) size: Option<Said<u64>>,
    pub(crate) uid: Option<Said<u64>>,
    pub(crate) gid: Option<Said<u64>>,
    pub(crate) mtime: Option<Said<Timestamp>>,
    pub(crate) atime: Option<Said<Timestamp>>,
    pub(crate) ctime: Option<Said<Timestamp>>,
    pub(crate) xattrs: Xattrs,
    pub(crate) sparse: PaxSparse,
    /// Whether Go refuses these records.
    pub(crate) odd: bool,
}

/// What one record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said<T> {
    /// An empty value: the fixed field holds, whatever a global header says.
    Field,
    /// This value holds.
    Value(T),
}

impl Pax {
    /// Reads all records; a NUL where a record would start ends them, as it does for GNU tar.
    pub(crate) fn parse(mut text: &[u8], limits: &Limits) -> Result<Self, PaxError> {
        let mut pax = Self::default();
        let mut record = 0;
        while text.first().is_some_and(|byte| *byte != 0) {
            let split = split_record(text);
            let Record { key, value, rest } =
                split.ok_or_else(|| PaxError::Malformed { record, text: excerpt(text) })?;
            pax.set(key, value, limits).map_err(|reason| reason.at(record, key, value))?;
            // Go takes no NUL in a key, nor in a name, and takes none for the end.
            let is_name = matches!(key, b"path" | b"linkpath" | b"uname" | b"gname");
            pax.odd |= if is_name { value.contains(&0) } else { key.contains(&0) };
            // No attribute has an empty name; what the reference does with one is its own business.
            pax.odd |= key == XATTR;
            text = rest;
            record = record.saturating_add(1);
        }
        pax.odd |= !text.is_empty();
        Ok(pax)
    }

    /// Lays these records, from an `x` header, over those of a `g` header.
    pub(crate) fn over(self, global: &Self) -> Self {
        let mut xattrs = global.xattrs.clone();
        xattrs.extend(self.xattrs);
        Self {
            path: self.path.or_else(|| global.path.clone()),
            link: self.link.or_else(|| global.link.clone()),
            size: self.size.or_else(|| global.size.clone()),
            uid: self.uid.or_else(|| global.uid.clone()),
            gid: self.gid.or_else(|| global.gid.clone()),
            mtime: self.mtime.or_else(|| global.mtime.clone()),
            atime: self.atime.or_else(|| global.atime.clone()),
            ctime: self.ctime.or_else(|| global.ctime.clone()),
            xattrs,
            // A map of holes describes one file, never all.
            sparse: self.sparse,
            odd: self.odd,
        }
    }

    fn set(&mut self, key: &[u8], value: &[u8], limits: &Limits) -> Result<(), Reason> {
        match key {
            b"path" => self.path = Some(said(value, name)?),
            b"linkpath" => self.link = Some(said(value, name)?),
            b"size" => self.size = Some(said(value, number)?),
            b"uid" => self.uid = Some(said(value, number)?),
            b"gid" => self.gid = Some(said(value, number)?),
            b"mtime" => self.mtime = Some(said(value, time)?),
            b"atime" => self.atime = Some(said(value, time)?),
            b"ctime" => self.ctime = Some(said(value, time)?),
            _ => {
                if let Some(xattr) = key.strip_prefix(XATTR) {
                    self.xattrs.insert(xattr.into(), value.into());
                } else if let Some(sparse) = key.strip_prefix(b"GNU.sparse.") {
                    self.sparse.set(sparse, value, limits).map_err(Reason::Sparse)?;
                }
            }
        }
        Ok(())
    }
}

impl<T> Said<T> {
    /// Returns the value, if there is one.
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Field => None,
            Self::Value(value) => Some(value),
        }
    }
}

/// PAX records that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum PaxError {
    /// The text is not a length, a space, a key, `=`, a value and a line feed.
    #[error("extended header record {record} is malformed: {text:?}")]
    Malformed {
        /// Which record, counted from 0.
        record: usize,
        /// The start of the record, escaped.
        text: String,
    },
    /// A record about the holes of a sparse file makes no sense.
    #[error("extended header record {record} is malformed")]
    Sparse {
        /// Which record, counted from 0.
        record: usize,
        /// What is wrong with it.
        source: SparseError,
    },
    /// A value is not of the kind that its key asks for.
    #[error("extended header record {record} says that {key} is {value:?}, which it cannot be")]
    Value {
        /// Which record, counted from 0.
        record: usize,
        /// The record's key, escaped.
        key: String,
        /// The record's value, escaped and cut to 100 bytes.
        value: String,
    },
}

struct Record<'a> {
    key: &'a [u8],
    value: &'a [u8],
    rest: &'a [u8],
}

enum Reason {
    Sparse(SparseError),
    Value,
}

impl Reason {
    fn at(self, record: usize, key: &[u8], value: &[u8]) -> PaxError {
        match self {
            Self::Sparse(source) => PaxError::Sparse { record, source },
            Self::Value => PaxError::Value { record, key: excerpt(key), value: excerpt(value) },
        }
    }
}

/// Splits `len key=value\n` off the front; `len` counts the whole record, its own digits included.
fn split_record(text: &[u8]) -> Option<Record<'_>> {
    let space = text.iter().take(20).position(|byte| *byte == b' ')?;
    let len = usize::try_from(decimal(text.get(..space)?)?).ok()?;
    let (line, rest) = text.split_at_checked(len)?;
    let pair = line.get(space.checked_add(1)?..)?.strip_suffix(b"\n")?;
    let equals = pair.iter().position(|byte| *byte == b'=').filter(|equals| *equals > 0)?;
    let (key, value) = pair.split_at_checked(equals)?;
    Some(Record { key, value: value.strip_prefix(b"=")?, rest })
}

fn said<T>(value: &[u8], read: impl FnOnce(&[u8]) -> Result<T, Reason>) -> Result<Said<T>, Reason> {
    if value.is_empty() { Ok(Said::Field) } else { read(value).map(Said::Value) }
}

/// Takes a path as it is; a NUL would cut it short for everyone who reads it through C.
fn name(value: &[u8]) -> Result<Box<[u8]>, Reason> {
    if value.contains(&0) { Err(Reason::Value) } else { Ok(value.into()) }
}

fn number(value: &[u8]) -> Result<u64, Reason> {
    decimal(value).ok_or(Reason::Value)
}

/// Reads decimal digits and nothing else.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    let (first, _) = digits.split_first()?;
    first.is_ascii_digit().then_some(())?;
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// Reads seconds with a sign and a fraction, of which nanoseconds are kept.
///
/// The sign is of the whole number: −1.5 is half a second after −2. (GNU tar 1.34 takes −0.25 for 0.25.)
fn time(value: &[u8]) -> Result<Timestamp, Reason> {
    let read = || {
        let text = core::str::from_utf8(value).ok()?;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let seconds = whole.parse::<i64>().ok()?;
        fraction.bytes().all(|digit| digit.is_ascii_digit()).then_some(())?;
        let digits = fraction.bytes().chain(core::iter::repeat(b'0')).take(9);
        let nanoseconds =
            digits.fold(0_u32, |sum, digit| sum.wrapping_mul(10).wrapping_add(u32::from(digit & 15)));
        if nanoseconds == 0 || !whole.starts_with('-') {
            return Some(Timestamp { seconds, nanoseconds });
        }
        Some(Timestamp {
            seconds: seconds.checked_sub(1)?,
            nanoseconds: 1_000_000_000_u32.checked_sub(nanoseconds)?,
        })
    };
    read().ok_or(Reason::Value)
}

fn excerpt(bytes: &[u8]) -> String {
    bytes.get(..100).unwrap_or(bytes).escape_ascii().to_string()
}

/// Joins records, each with its length before it.
#[cfg(test)]
pub(crate) fn records(pairs: &[(&str, &[u8])]) -> alloc::vec::Vec<u8> {
    let mut text = alloc::vec::Vec::new();
    for (key, value) in pairs {
        let bare = key.len() + value.len() + 3;
        let digits = (1..).find(|digits| (bare + digits).to_string().len() == *digits).unwrap();
        text.extend_from_slice(alloc::format!("{} {key}=", bare + digits).as_bytes());
        text.extend_from_slice(value);
        text.push(b'\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &[u8])]) -> Result<Pax, PaxError> {
        Pax::parse(&records(pairs), &Limits::default())
    }

    fn mtime(text: &str) -> Option<(i64, u32)> {
        let said = parse(&[("mtime", text.as_bytes())]).ok()?.mtime?;
        said.value().map(|time| (time.seconds, time.nanoseconds))
    }

    #[test]
    fn reads_times_with_sign_and_fraction() {
        for (text, seconds, nanoseconds) in [
            ("0", 0, 0),
            ("1700000000.123456789", 1_700_000_000, 123_456_789),
            ("1.5", 1, 500_000_000),
            ("1.", 1, 0),
            ("1.0000000019", 1, 1),
            ("-1", -1, 0),
            ("-1.5", -2, 500_000_000),
            ("-0.25", -1, 750_000_000),
            ("-1.000", -1, 0),
        ] {
            assert_eq!(mtime(text), Some((seconds, nanoseconds)), "{text}");
        }
        for text in [".5", "-", "1.x", "1.-5", "1e3", " 1", "9223372036854775808", "-9223372036854775808.1"] {
            assert_eq!(mtime(text), None, "{text}");
        }
    }

    #[test]
    fn keeps_the_last_of_equal_keys_and_ignores_unknown_ones() {
        let pax = parse(&[("path", b"a"), ("LIBARCHIVE.xattr.user.x", b"eA"), ("path", b"b\xff")]).unwrap();
        assert_eq!(pax.path, Some(Said::Value((*b"b\xff").into())));
        assert!(pax.xattrs.is_empty());
    }

    #[test]
    fn an_empty_value_hides_the_global_one_but_an_empty_xattr_is_one() {
        let global = parse(&[("uid", b"5"), ("gid", b"6"), ("SCHILY.xattr.user.a", b"global")]).unwrap();
        let local =
            parse(&[("uid", b""), ("SCHILY.xattr.user.a", b""), ("SCHILY.xattr.user.b", b"x=\n\0")]).unwrap();
        let both = local.over(&global);
        assert_eq!((both.uid, both.gid), (Some(Said::Field), Some(Said::Value(6))));
        let xattrs = both.xattrs.into_iter().collect::<alloc::vec::Vec<_>>();
        assert_eq!(
            xattrs,
            [((*b"user.a").into(), (*b"").into()), ((*b"user.b").into(), (*b"x=\n\0").into())]
        );
    }

    #[test]
    fn a_nul_ends_the_records() {
        let text = [&records(&[("uid", b"5")])[..], b"\0\0 not a record"].concat();
        assert_eq!(Pax::parse(&text, &Limits::default()).unwrap().uid, Some(Said::Value(5)));
    }

    #[test]
    fn refuses_malformed_records() {
        for text in [
            &b"8 path=b\n"[..],
            b"99 path=b\n",
            b"11 path=b\n",
            b"path=b\n",
            b"7 path\n",
            b"5 =b\n",
            b"10path=bb\n",
            b"-1 path=b\n",
            b"0 path=b\n",
            b"184467440737095516160 a=b\n",
        ] {
            let error = Pax::parse(text, &Limits::default());
            assert!(matches!(error, Err(PaxError::Malformed { record: 0, .. })), "{text:?}: {error:?}");
        }
    }

    #[test]
    fn refuses_values_of_the_wrong_kind() {
        for (key, value) in
            [("uid", "zz"), ("gid", "-1"), ("size", "0x10"), ("path", "a\0b"), ("linkpath", "\0")]
        {
            let error = parse(&[("ctime", b"1"), (key, value.as_bytes())]);
            assert!(matches!(error, Err(PaxError::Value { record: 1, .. })), "{key}: {error:?}");
        }
    }
}
