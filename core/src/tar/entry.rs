//! One member, put together from its header and the extension headers before it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::limits::Limits;
use crate::member::{Kind, Member};

use super::header::{Header, HeaderError};
use super::oddity::{Oddity, Records};
use super::pax::{Pax, PaxError, Said};
use super::sparse::{Fragment, PaxForm, SparseError, SparseMap};

/// One member of a tar, with what only its reader needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The metadata.
    pub member: Member,
    /// How many bytes of the stream are content: less than `member.size` for a sparse file, 0 for what has none.
    pub stored: u64,
    /// A sparse file's parts that are not holes, ascending and disjoint; `None` for a file that is stored whole.
    ///
    /// Neither tar-split nor zstd:chunked can hold a sparse file.
    pub fragments: Option<Arc<[Fragment]>>,
}

impl Entry {
    /// Whether the content is stored without its holes.
    pub const fn is_sparse(&self) -> bool {
        self.fragments.is_some()
    }
}

/// What the extension headers before a member said.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    pub(crate) pax: Option<Pax>,
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    /// Bytes of all extension headers together, the replaced ones too.
    pub(crate) bytes: usize,
}

impl Extensions {
    /// Whether none is waiting for its member.
    pub(crate) const fn is_empty(&self) -> bool {
        self.pax.is_none() && self.name.is_none() && self.link.is_none()
    }
}

/// A member whose map of holes may still be to come.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) member: Member,
    /// The payload's length in the stream, which may start with a map.
    pub(crate) payload: u64,
    pub(crate) content: Content,
    /// What the reference sees otherwise.
    pub(crate) oddity: Option<Oddity>,
}

/// What the payload of a member holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// The file.
    File,
    /// Nothing of use: GNU tar passes over it.
    Ignored,
    /// The fragments of a sparse file; more blocks of the map follow the header when `more` is set.
    Fragments { map: SparseMap, more: bool },
    /// A map in text, then the fragments.
    MapThenFragments,
}

impl Draft {
    /// Puts a member together.
    ///
    /// A GNU long name goes before a PAX path, and that before the fixed fields, as Go does it: the TOC says what Go
    /// saw. (GNU tar puts PAX first; no writer makes both.)
    pub(crate) fn new(
        header: &Header<'_>,
        extensions: Extensions,
        global: &Pax,
        limits: &Limits,
    ) -> Result<Self, EntryError> {
        let records = extensions.pax.as_ref().map(Records::of).unwrap_or_default();
        let records = records.with_link(extensions.link.is_some());
        let pax = extensions.pax.unwrap_or_default().over(global);
        let name = extensions.name.map(Into::into).or_else(|| value(pax.path));
        let mut name = name.unwrap_or_else(|| header.name().into());
        let link = extensions.link.map(Into::into).or_else(|| value(pax.link));
        let mut size = value(pax.size).map_or_else(|| header.size(), Ok)?;
        let times = header.more_times()?;
        let (kind, payload) = kind(header.flag(), &name)?;
        let payload_len = if payload == Payload::None { 0 } else { size };
        within("payload", limits.file, payload_len)?;

        let mut content = if payload == Payload::File { Content::File } else { Content::Ignored };
        if header.flag() == b'S' {
            let (places, more) = header.sparse_places();
            let mut map = SparseMap::default();
            map.push_places(places, limits)?;
            content = Content::Fragments { map, more };
            size = header.sparse_size()?;
        } else if payload == Payload::File
            && let Some(sparse) = pax.sparse.form()
        {
            name = sparse.name.unwrap_or(name);
            size = sparse.size.unwrap_or(size);
            content = match sparse.form {
                PaxForm::Here(map) => Content::Fragments { map, more: false },
                PaxForm::InPayload => Content::MapThenFragments,
            };
        }
        let link = match kind {
            Kind::Hardlink | Kind::Symlink => link.unwrap_or_else(|| header.link().into()),
            _ => Box::default(),
        };
        let (dev_major, dev_minor) = match kind {
            Kind::Block | Kind::Char => header.device()?,
            _ => (0, 0),
        };
        within("name", u64::try_from(limits.path).unwrap_or(u64::MAX), length(&name))?;
        within("link", u64::try_from(limits.path).unwrap_or(u64::MAX), length(&link))?;
        if kind == Kind::Regular {
            within("size", limits.file, size)?;
        }
        let member = Member {
            kind,
            name: name.into_vec().into(),
            link: link.into_vec().into(),
            mode: header.mode()?,
            size,
            uid: value(pax.uid).map_or_else(|| header.uid(), Ok)?,
            gid: value(pax.gid).map_or_else(|| header.gid(), Ok)?,
            mtime: Some(value(pax.mtime).map_or_else(|| header.mtime(), Ok)?),
            atime: value(pax.atime).or(times.atime),
            ctime: value(pax.ctime).or(times.ctime),
            dev_major,
            dev_minor,
            xattrs: pax.xattrs,
        };
        let oddity = Oddity::of(header, records, &member);
        Ok(Self { member, payload: payload_len, content, oddity })
    }

    /// Returns about how many bytes it takes to keep what the member says of itself.
    pub(crate) fn weight(&self) -> u64 {
        /// Two boxes and their places in the map.
        const XATTR: u64 = 64;
        let Member { name, link, xattrs, .. } = &self.member;
        let names = length(name.as_bytes()).saturating_add(length(link.as_bytes()));
        xattrs.iter().fold(names, |sum, (key, value)| {
            sum.saturating_add(XATTR).saturating_add(length(key)).saturating_add(length(value))
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payload {
    File,
    Ignored,
    None,
}

/// Tells the kind of file, and whether a payload of the header's size follows.
///
/// Links, devices, directories and fifos have none, whatever size they claim: so Go reads them, and with it all that
/// pulls images. (GNU tar passes over one behind symbolic links, devices and fifos; nothing writes such.)
fn kind(flag: u8, name: &[u8]) -> Result<(Kind, Payload), EntryError> {
    Ok(match flag {
        b'1' => (Kind::Hardlink, Payload::None),
        b'2' => (Kind::Symlink, Payload::None),
        b'3' => (Kind::Char, Payload::None),
        b'4' => (Kind::Block, Payload::None),
        b'5' => (Kind::Directory, Payload::None),
        b'6' => (Kind::Fifo, Payload::None),
        // A directory in an incremental dump; its payload lists the names it held.
        b'D' => (Kind::Directory, Payload::Ignored),
        b'M' => return Err(EntryError::Continued),
        // v7 had no letter for directories, and some later writers did not use the one they had.
        0 if name.ends_with(b"/") => (Kind::Directory, Payload::None),
        b'0' | b'7' if name.ends_with(b"/") => (Kind::Directory, Payload::Ignored),
        // POSIX: "If other values are encountered, the file shall be treated as a regular file."
        _ => (Kind::Regular, Payload::File),
    })
}

/// A member that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum EntryError {
    /// The rest of a file that began on another tape.
    #[error("the file begins in another volume")]
    Continued,
    /// The header's block cannot be read.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The PAX records cannot be read.
    #[error(transparent)]
    Pax(#[from] PaxError),
    /// The map of a sparse file makes no sense.
    #[error(transparent)]
    Sparse(#[from] SparseError),
    /// Something is longer than its limit.
    #[error("the {what} has {actual} bytes, the limit is {limit}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// The length.
        actual: u64,
    },
    /// More members than the limit.
    #[error("there are more than {limit} members")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

/// Refuses what is longer than its limit.
pub(crate) const fn within(what: &'static str, limit: u64, actual: u64) -> Result<(), EntryError> {
    if actual > limit { Err(EntryError::TooLong { what, limit, actual }) } else { Ok(()) }
}

/// Returns a length as sizes are written; usize is never wider than 64 bits.
pub(crate) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn value<T>(said: Option<Said<T>>) -> Option<T> {
    said.and_then(Said::value)
}
