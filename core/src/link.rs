//! How a file's content gets from a donor into a tree.

use core::fmt;
use core::str::FromStr;

/// What the user asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the four modes of the command line")]
pub enum LinkMode {
    /// Hard link where all metadata agree, else reflink, else copy.
    #[default]
    Auto,
    /// Copy every byte.
    Copy,
    /// Hard link where all metadata agree; a file whose metadata differ gets an inode of its own, as in `Auto`.
    Hardlink,
    /// Reflink, else copy.
    Reflink,
}

/// One way to do it, from cheapest to dearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every match should name them all")]
pub enum Method {
    /// Another name for the donor's inode: shares disk and page cache.
    Hardlink,
    /// A new inode that shares the donor's extents: shares disk.
    Reflink,
    /// A new inode with its own bytes.
    Copy,
}

/// A file system's "not here", as opposed to "something is broken".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Donor and tree are on different file systems (`EXDEV`).
    CrossDevice,
    /// The operation is not known here (`EOPNOTSUPP`, `ENOTTY`, `EINVAL`, `ENOSYS`).
    NotSupported,
    /// Links are not allowed here (`EPERM` from `link`).
    NotPermitted,
    /// This inode has as many names as it can have (`EMLINK`): true for one file only.
    TooManyLinks,
}

impl LinkMode {
    /// Returns what to try first for a donor, given whether it is held under exactly the metadata wanted.
    pub const fn first(self, same_class: bool) -> Method {
        match self {
            Self::Auto | Self::Hardlink if same_class => Method::Hardlink,
            Self::Auto | Self::Hardlink | Self::Reflink => Method::Reflink,
            Self::Copy => Method::Copy,
        }
    }

    /// Returns what to try after the file system refused `method`; `None` when nothing weaker is allowed.
    ///
    /// `strict` forbids everything weaker than the mode names: a mode of `Hardlink` must link where metadata agree,
    /// one of `Reflink` must share extents. `Auto` names nothing, so there `strict` forbids only the copy.
    pub const fn after(self, method: Method, refusal: Refusal, strict: bool) -> Option<Method> {
        match (method, refusal) {
            // One inode is full: another of the same content starts, whatever the mode.
            (Method::Hardlink, Refusal::TooManyLinks) => Some(Method::Reflink),
            (Method::Hardlink, _) if strict && matches!(self, Self::Hardlink) => None,
            (Method::Hardlink, _) => Some(Method::Reflink),
            (Method::Reflink, _) if strict && matches!(self, Self::Auto | Self::Reflink) => None,
            (Method::Reflink, _) => Some(Method::Copy),
            (Method::Copy, _) => None,
        }
    }
}

impl fmt::Display for LinkMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Copy => "copy",
            Self::Hardlink => "hardlink",
            Self::Reflink => "reflink",
        })
    }
}

impl FromStr for LinkMode {
    type Err = LinkModeError;

    fn from_str(text: &str) -> Result<Self, LinkModeError> {
        match text {
            "auto" => Ok(Self::Auto),
            "copy" => Ok(Self::Copy),
            "hardlink" => Ok(Self::Hardlink),
            "reflink" => Ok(Self::Reflink),
            _ => Err(LinkModeError),
        }
    }
}

/// A word that is no link mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected auto, hardlink, reflink or copy")]
#[non_exhaustive]
pub struct LinkModeError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_and_in_which_order() {
        use LinkMode as M;
        let chain = |mode: M, same: bool, strict: bool| {
            let mut tried = alloc::vec![mode.first(same)];
            while let Some(next) = mode.after(tried[tried.len() - 1], Refusal::NotSupported, strict) {
                tried.push(next);
            }
            tried
        };
        use Method::{Copy, Hardlink, Reflink};
        assert_eq!(chain(M::Auto, true, false), [Hardlink, Reflink, Copy]);
        assert_eq!(chain(M::Auto, false, false), [Reflink, Copy]);
        assert_eq!(chain(M::Auto, false, true), [Reflink]);
        assert_eq!(chain(M::Hardlink, true, true), [Hardlink]);
        assert_eq!(chain(M::Hardlink, false, true), [Reflink, Copy]);
        assert_eq!(chain(M::Reflink, true, false), [Reflink, Copy]);
        assert_eq!(chain(M::Reflink, true, true), [Reflink]);
        assert_eq!(chain(M::Copy, true, true), [Copy]);
        assert_eq!(M::Hardlink.after(Hardlink, Refusal::TooManyLinks, true), Some(Reflink));
    }
}
