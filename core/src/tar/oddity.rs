//! What Go's reader, and with it every tool of the reference, reads in another way than this one, or refuses.
//!
//! A pull does not mind: the tar's bytes are what they are. A writer must, for it promises that the reference sees in
//! the tar what the TOC says.

use core::fmt;

use crate::member::{Kind, Member};

use super::header::Header;
use super::pax::{Pax, Said};
use super::sparse::PaxSparse;

/// The first thing in a tar that the reference sees otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Oddity {
    /// Links and what has no content are said to have some.
    ClaimedSize,
    /// Only devices have device numbers.
    Device,
    /// A PAX global header: an entry of its own for Go, which the reference does not know.
    GlobalHeader,
    /// Only links lead somewhere.
    Link,
    /// A number with something behind it, or one that Go's integers cannot hold.
    Number,
    /// PAX records that end at a NUL.
    PaxText,
    /// A regular file whose name ends in a slash: a directory for GNU tar.
    SlashedFile,
    /// Records about holes.
    Sparse,
    /// A type that the reference does not know.
    Type {
        /// The type's letter.
        flag: u8,
    },
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClaimedSize => f.write_str("it has a size but can have no content"),
            Self::Device => f.write_str("it has device numbers but is no device"),
            Self::GlobalHeader => f.write_str("a PAX global header comes before it"),
            Self::Link => f.write_str("it leads somewhere but is no link"),
            Self::Number => f.write_str("a number in its header is written in a way that Go refuses"),
            Self::PaxText => f.write_str("its PAX records are written in a way that Go refuses"),
            Self::SlashedFile => f.write_str("it is a regular file whose name ends in a slash"),
            Self::Sparse => f.write_str("it is sparse"),
            Self::Type { flag } => write!(f, "it is of type \"{}\"", flag.escape_ascii()),
        }
    }
}

/// What matters of a member's own extension headers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Records {
    odd: bool,
    sparse: bool,
    link: bool,
}

impl Records {
    pub(super) fn of(pax: &Pax) -> Self {
        let link = matches!(pax.link, Some(Said::Value(_)));
        Self { odd: pax.odd, sparse: pax.sparse != PaxSparse::default(), link }
    }

    /// Adds that there is a GNU long link, or not.
    pub(super) const fn with_link(self, link: bool) -> Self {
        Self { link: self.link || link, ..self }
    }
}

impl Oddity {
    /// Looks at a member that was read, beside what it was read from.
    pub(super) fn of(header: &Header<'_>, records: Records, member: &Member) -> Option<Self> {
        let flag = header.flag();
        let is_device = matches!(member.kind, Kind::Block | Kind::Char);
        let is_link = matches!(member.kind, Kind::Hardlink | Kind::Symlink);
        let too_large = |value: u64| i64::try_from(value).is_err();
        Some(if flag == b'S' || records.sparse {
            Self::Sparse
        } else if !matches!(flag, 0 | b'0'..=b'6') {
            Self::Type { flag }
        } else if flag == b'0' && member.kind != Kind::Regular {
            Self::SlashedFile
        } else if member.kind != Kind::Regular && member.size > 0 {
            Self::ClaimedSize
        } else if !is_device && header.has_device() {
            Self::Device
        } else if !is_link && (records.link || !header.link().is_empty()) {
            Self::Link
        } else if !header.numbers_are_go() || too_large(member.uid) || too_large(member.gid) {
            Self::Number
        } else if records.odd {
            Self::PaxText
        } else {
            return None;
        })
    }
}
