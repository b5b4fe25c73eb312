//! What has no place in a tree.

use super::build::MAX_LINKS;
use crate::{Kind, Name};

/// A member that has no place in a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("entry {entry} {name}: {problem}")]
#[non_exhaustive]
pub struct TreeError {
    /// The entry's index in the TOC.
    pub entry: usize,
    /// Its name.
    pub name: Name,
    /// What is wrong.
    pub problem: TreeProblem,
}

/// Why a member has no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum TreeProblem {
    /// A hard link to nothing.
    #[error("its hard link target {target} is not in the layer")]
    LinkTarget {
        /// The target as written.
        target: Name,
    },
    /// A hard link to a directory, which no file system allows.
    #[error("its hard link target {target} is a directory")]
    LinkToDirectory {
        /// The target as written.
        target: Name,
    },
    /// A device number that Linux cannot hold.
    #[error("its device number {major}:{minor} is over 4095:1048575")]
    Device {
        /// The major number.
        major: u64,
        /// The minor number.
        minor: u64,
    },
    /// A symbolic link's text that Linux cannot hold.
    #[error("its link text is {len} bytes, between 1 and 4095 are possible")]
    LinkText {
        /// The text's length.
        len: usize,
    },
    /// An owner that Linux cannot hold.
    #[error("its owner {uid}:{gid} is over 4294967294")]
    Owner {
        /// The owner's number.
        uid: u64,
        /// The group's number.
        gid: u64,
    },
    /// A parent that is a file.
    #[error("{component} in its path is not a directory")]
    NoDirectory {
        /// The component.
        component: Name,
    },
    /// The root is said to be something else than a directory.
    #[error("the root is said to be a {kind}, expected a directory")]
    RootNoDirectory {
        /// The kind claimed.
        kind: Kind,
    },
    /// More directories inside one another than allowed.
    #[error("its path is more than {limit} directories deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// More directories that were never listed than the layer may have entries.
    #[error("its path makes more than {limit} files and directories")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// A loop of symbolic links, or more than Linux follows.
    #[error("{component} in its path leads through more than {MAX_LINKS} symbolic links")]
    TooManyLinks {
        /// The component.
        component: Name,
    },
}
