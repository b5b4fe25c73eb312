//! The TOC must say what the tar says: the same members in the same order, with the same metadata.
//!
//! The DiffID proves the tar; only this proves that the tree, which is built from the TOC, is the tar's.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::member::{Kind, Member, Name, Timestamp, Xattrs};
use crate::tar_split::{Members, TarSplit, TarSplitError};

/// Checks that the members of a TOC, chunk entries left out, are those of a tar-split, in order.
///
/// Equal are kind, name, link, mode, size, uid, gid, times, device numbers and extended attributes. A time that is
/// missing equals the epoch and Go's zero time, which writers have left out or put in at will; links and device
/// numbers count only where the kind has them. JSON cannot hold names that are not UTF-8: a TOC that has U+FFFD for
/// each bad byte agrees, and what the tar says instead is returned, to be put in its place.
///
/// Memory is bounded by the names, and only if the order differs.
///
/// # Errors
/// They differ, or the tar-split cannot be followed; see [`Disagreement::severity`].
pub fn check_agreement<'a>(
    toc: impl IntoIterator<Item = &'a Member>,
    tar: &TarSplit,
) -> Result<Vec<Adopted>, Disagreement> {
    let mut adopted = Vec::new();
    let mut members = tar.members();
    let mut toc = toc.into_iter();
    let mut entry = 0_usize;
    // A difference that proves no lie, kept in case that one follows.
    let mut harmless = None;
    loop {
        let (said, real) = match (toc.next(), members.next().transpose()?) {
            (None, None) => return harmless.map_or(Ok(adopted), Err),
            (Some(said), None) => {
                return Err(Disagreement::NotInTar { entry, name: said.name.clone() });
            }
            (None, Some(real)) => {
                return Err(Disagreement::NotInToc { entry, name: real.member.name });
            }
            (Some(said), Some(real)) => (said, real.member),
        };
        if !is_text_of(&said.name, &real.name) {
            return Err(names_differ(entry, said, toc, real, members));
        }
        if let Some(field) = compare(said, &real) {
            let (toc, tar) = (field.show(said), field.show(&real));
            let found = Disagreement::Field { entry, name: real.name.clone(), field, toc, tar };
            if found.severity() == Severity::Lie {
                return Err(found);
            }
            harmless.get_or_insert(found);
        }
        adopted.extend(Adopted::new(entry, said, real));
        entry = entry.saturating_add(1);
    }
}

/// What the tar says about one entry, where the TOC could not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adopted {
    /// Which entry of the TOC, chunk entries left out, counted from 0.
    pub entry: usize,
    /// The name.
    pub name: Name,
    /// The link.
    pub link: Name,
    /// The extended attributes.
    pub xattrs: Xattrs,
}

impl Adopted {
    fn new(entry: usize, said: &Member, real: Member) -> Option<Self> {
        let same = said.name == real.name && said.xattrs == real.xattrs;
        let same = same && (said.link == real.link || !has_link(real.kind));
        (!same).then_some(Self { entry, name: real.name, link: real.link, xattrs: real.xattrs })
    }

    /// Puts the tar's words in place of the TOC's.
    pub fn apply(self, member: &mut Member) {
        member.name = self.name;
        if has_link(member.kind) {
            member.link = self.link;
        }
        member.xattrs = self.xattrs;
    }
}

/// A field of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are those of the fields of Member")]
pub enum Field {
    Atime,
    Ctime,
    Device,
    Gid,
    Kind,
    Link,
    Mode,
    Mtime,
    Name,
    Size,
    Uid,
    Xattrs,
}

/// What a disagreement means for the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must decide about each")]
pub enum Severity {
    /// The TOC describes another tree than the tar: the layer is refused.
    Lie,
    /// The tree would be the same, or tools are known to disagree: the layer is pulled whole.
    Whole,
}

/// A TOC and a tar-split that do not say the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Disagreement {
    /// One field of a member differs.
    #[error("the TOC says that the {field} of {name} is {toc}, the tar says {tar}")]
    Field {
        /// Which entry, chunk entries left out, counted from 0.
        entry: usize,
        /// The member's name in the tar.
        name: Name,
        /// Which field.
        field: Field,
        /// What the TOC says.
        toc: String,
        /// What the tar says.
        tar: String,
    },
    /// The TOC has more entries than the tar has members.
    #[error("the TOC's entry {entry}, {name}, is not in the tar")]
    NotInTar {
        /// Which entry, chunk entries left out, counted from 0.
        entry: usize,
        /// Its name.
        name: Name,
    },
    /// The tar has more members than the TOC has entries.
    #[error("the tar's member {entry}, {name}, is not in the TOC")]
    NotInToc {
        /// Which member, counted from 0.
        entry: usize,
        /// Its name.
        name: Name,
    },
    /// The same names, but in another order.
    #[error("the TOC's entry {entry} is {toc}, the tar's is {tar}: the order differs")]
    Order {
        /// Which entry, chunk entries left out, counted from 0.
        entry: usize,
        /// The name in the TOC.
        toc: Name,
        /// The name in the tar.
        tar: Name,
    },
    /// The tar-split cannot be read.
    #[error(transparent)]
    Split(#[from] TarSplitError),
}

impl Disagreement {
    /// Tells a lie from what may be honest.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Field { field: Field::Atime | Field::Ctime, .. } | Self::Order { .. } => Severity::Whole,
            // GNU tar makes a directory of a regular file whose name ends in a slash; the reference does not.
            Self::Field { field: Field::Kind, name, toc, tar, .. }
                if name.as_bytes().ends_with(b"/")
                    && toc == Kind::Regular.as_str()
                    && tar == Kind::Directory.as_str() =>
            {
                Severity::Whole
            }
            Self::Split(TarSplitError::Sparse { .. }) => Severity::Whole,
            Self::Field { .. } | Self::NotInTar { .. } | Self::NotInToc { .. } | Self::Split(_) => {
                Severity::Lie
            }
        }
    }
}

impl Field {
    /// Writes the field's value, cut to what fits a message.
    pub(crate) fn show(self, member: &Member) -> String {
        match self {
            Self::Atime => show_time(member.atime),
            Self::Ctime => show_time(member.ctime),
            Self::Device => format!("{}:{}", member.dev_major, member.dev_minor),
            Self::Gid => member.gid.to_string(),
            Self::Kind => member.kind.to_string(),
            Self::Link => member.link.to_string(),
            Self::Mode => format!("{:04o}", member.mode),
            Self::Mtime => show_time(member.mtime),
            Self::Name => member.name.to_string(),
            Self::Size => member.size.to_string(),
            Self::Uid => member.uid.to_string(),
            Self::Xattrs => show_xattrs(&member.xattrs),
        }
    }
}

impl Field {
    /// Returns the words for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Atime => "access time",
            Self::Ctime => "change time",
            Self::Device => "device number",
            Self::Gid => "group",
            Self::Kind => "kind",
            Self::Link => "link",
            Self::Mode => "mode",
            Self::Mtime => "modification time",
            Self::Name => "name",
            Self::Size => "size",
            Self::Uid => "owner",
            Self::Xattrs => "extended attributes",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Returns the first field that differs, names apart; those that may be honest come last, so that they hide no lie.
fn compare(said: &Member, real: &Member) -> Option<Field> {
    differences(said, real).next()
}

/// Returns every field that differs, names apart.
pub(crate) fn differences(said: &Member, real: &Member) -> impl Iterator<Item = Field> + use<> {
    let device = |member: &Member| (member.dev_major, member.dev_minor);
    let is_device = matches!(real.kind, Kind::Block | Kind::Char);
    let checks = [
        (Field::Link, !has_link(real.kind) || is_text_of(&said.link, &real.link)),
        (Field::Mode, said.mode == real.mode),
        (Field::Size, said.size == real.size),
        (Field::Uid, said.uid == real.uid),
        (Field::Gid, said.gid == real.gid),
        (Field::Mtime, time(said.mtime) == time(real.mtime)),
        (Field::Device, !is_device || device(said) == device(real)),
        (Field::Xattrs, same_xattrs(&said.xattrs, &real.xattrs)),
        (Field::Kind, said.kind == real.kind),
        (Field::Atime, time(said.atime) == time(real.atime)),
        (Field::Ctime, time(said.ctime) == time(real.ctime)),
    ];
    checks.into_iter().filter(|(_, same)| !same).map(|(field, _)| field)
}

/// Tells another order, in which all names that are left are the same on both sides, from another name.
fn names_differ<'a>(
    entry: usize,
    said: &'a Member,
    toc: impl Iterator<Item = &'a Member>,
    real: Member,
    tar: Members<'_>,
) -> Disagreement {
    let mut tar_names = Vec::from([text_of(&real.name)]);
    for entry in tar {
        match entry {
            Ok(entry) => tar_names.push(text_of(&entry.member.name)),
            Err(error) => return error.into(),
        }
    }
    let mut toc_names = [said].into_iter().chain(toc).map(|member| text_of(&member.name)).collect::<Vec<_>>();
    toc_names.sort_unstable();
    tar_names.sort_unstable();
    if toc_names == tar_names {
        return Disagreement::Order { entry, toc: said.name.clone(), tar: real.name };
    }
    let (toc, tar) = (said.name.to_string(), real.name.to_string());
    Disagreement::Field { entry, name: real.name, field: Field::Name, toc, tar }
}

const fn has_link(kind: Kind) -> bool {
    matches!(kind, Kind::Hardlink | Kind::Symlink)
}

/// Returns the time, without those that stand for none.
fn time(time: Option<Timestamp>) -> Option<Timestamp> {
    const YEAR_1: Timestamp = Timestamp { seconds: -62_135_596_800, nanoseconds: 0 };
    time.filter(|time| *time != Timestamp::EPOCH && *time != YEAR_1)
}

/// Whether `said` is what Go's JSON makes of `real`.
pub(crate) fn is_text_of(said: &Name, real: &Name) -> bool {
    said == real || (core::str::from_utf8(real.as_bytes()).is_err() && *said == text_of(real))
}

/// Returns the name as Go's `encoding/json` writes it: U+FFFD for each byte that is not UTF-8.
///
/// Rust's own conversion differs: it writes one for several bytes that begin a character.
pub(crate) fn text_of(name: &Name) -> Name {
    Name::from(go_text(name.as_bytes()))
}

fn go_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

fn same_xattrs(said: &Xattrs, real: &Xattrs) -> bool {
    if said == real {
        return true;
    }
    let text = real.iter().map(|(name, value)| (go_text(name).into_bytes().into(), value.clone()));
    // Names that become the same text cannot be told apart again: the count then differs.
    real.len() == said.len() && text.collect::<Xattrs>() == *said
}

fn show_time(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "none".into(), |time| format!("{}.{:09}", time.seconds, time.nanoseconds))
}

fn show_xattrs(xattrs: &Xattrs) -> String {
    let shown = xattrs.iter().take(8).map(|(name, value)| {
        let (value, more) = value.split_at_checked(40).map_or((&value[..], ""), |(value, _)| (value, "…"));
        format!("{}=\"{}\"{more}", Name::from(&name[..]), value.escape_ascii())
    });
    let more = if xattrs.len() > 8 { ", …" } else { "" };
    format!("[{}{more}]", shown.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests;
