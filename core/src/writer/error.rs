//! What can be wrong with a tar, and what merely keeps it from being chunked.

use crate::Name;
use crate::tar::{Oddity, TarError};

/// Why a layer is plain zstd: the reference would refuse it, or see another layer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Unchunkable {
    /// The archive's end is cut in a way that the reference refuses in a tar-split.
    #[error("the end of the archive is cut short")]
    CutEnd,
    /// A path that the layer has twice, removes and has, or has through something that is no directory.
    #[error(
        "{name} stands for the same path as an earlier member, or leads through one that is no directory"
    )]
    Duplicate {
        /// The member that came later.
        name: Name,
    },
    /// A hard link that the reference cannot make.
    #[error("{name} is a hard link to {link}, which is no file before it")]
    Link {
        /// The link.
        name: Name,
        /// Where it leads.
        link: Name,
    },
    /// No name at all.
    #[error("a member has no name")]
    Nameless,
    /// The reference reads something else.
    #[error("{name}: {oddity}")]
    Odd {
        /// The member.
        name: Name,
        /// What the reference reads otherwise.
        oddity: Oddity,
    },
    /// Not a tar that can be read; it is passed on as it is.
    #[error("{0}")]
    Tar(TarError),
    /// JSON has no place for it.
    #[error("{name}: its {what} is not UTF-8")]
    Text {
        /// The member.
        name: Name,
        /// What is not UTF-8.
        what: &'static str,
    },
    /// RFC 3339 has no year for it.
    #[error("{name}: a time before year 0 or after year 9999")]
    Time {
        /// The member.
        name: Name,
    },
    /// More than the format's readers take.
    #[error("the {what} comes to more than {limit} {unit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// Something follows the end of the archive.
    #[error("there is something behind the end of the archive, at {offset}")]
    Trailing {
        /// Where in the tar.
        offset: u64,
    },
}

/// A layer that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum WriteError {
    /// Batches came in another order than they were cut; never caused by data.
    #[error("batch {actual} came where batch {expected} was due")]
    Order {
        /// The batch due.
        expected: u64,
        /// The batch that came.
        actual: u64,
    },
    /// The tar ends where it must not.
    #[error("{0}")]
    Tar(TarError),
}
