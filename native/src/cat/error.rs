//! Why a file's content is not to be had.

use shingle_core::{Digest, FetchError, Kind, Name, PathError, Unfinished, UnwrapError, WholeError};

use crate::contents::ContentsError;
use crate::store::StoreError;
use crate::transport::TransferError;

/// A file of an image that could not be fetched. No byte of it was handed out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatError {
    /// All chunks are what the table of contents says, and the file is not; or a table that was kept is not this layer's.
    #[error("{name}: the content is {actual}, the table of contents says {expected}")]
    Content {
        /// The file.
        name: Name,
        /// What the table says.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// What the image holds cannot be found out.
    #[error(transparent)]
    Contents(#[from] ContentsError),
    /// The path leads to a directory.
    #[error("{} is a directory", named(path))]
    Directory {
        /// Where it leads.
        path: Name,
    },
    /// A chunk that is not what the table of contents says.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The table of contents has no such file with content.
    #[error("the layer has no such file")]
    NoFile,
    /// The path leads to nothing.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The path leads to something that has no content.
    #[error("{path} is no regular file: {}", kind_words(*kind))]
    Special {
        /// Where it leads.
        path: Name,
        /// What it is.
        kind: Kind,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blob is not there, or cannot be read.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// Requests were not carried out, which is a mistake in this crate.
    #[error(transparent)]
    Unfinished(#[from] Unfinished),
    /// A blob, read whole, that is not what the manifest says.
    #[error(transparent)]
    Unwrap(#[from] UnwrapError),
    /// A tar, read whole, that is not the one the image names.
    #[error(transparent)]
    Whole(#[from] WholeError),
}

impl CatError {
    /// Whether a check refused what came; otherwise something on this machine or on the way failed.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Content { .. } | Self::Unwrap(_) | Self::Whole(_) => true,
            Self::Fetch(error) => error.is_lie(),
            Self::Transfer(error) => error.is_refusal(),
            Self::Contents(error) => error.is_refusal(),
            Self::Directory { .. }
            | Self::NoFile
            | Self::Path(_)
            | Self::Special { .. }
            | Self::Store(_)
            | Self::Unfinished(_) => false,
        }
    }

    /// Returns what the user can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Fetch(FetchError::Truncated { .. }) => {
                "try again: the registry closed the connection early"
            }
            Self::Fetch(_) | Self::Unwrap(_) => {
                "the registry or something on the way altered the blob, or it was pushed broken"
            }
            Self::Content { .. } => "the layer's table of contents contradicts itself: have it pushed again",
            Self::Whole(_) => "the layer is not the one that the image's config names: have it pushed again",
            Self::Transfer(error) => return error.hint(),
            Self::Store(error) => return error.hint().map(str::to_owned),
            Self::Contents(error) => return error.hint(),
            Self::Path(error) => return path_hint(error),
            Self::Directory { .. } => "`shingle ls` lists what is in it",
            Self::Special { .. } => "only regular files have content",
            Self::NoFile | Self::Unfinished(_) => return None,
        };
        Some(hint.to_owned())
    }
}

/// Returns what the user can do about a path that leads to nothing.
pub(crate) fn path_hint(error: &PathError) -> Option<String> {
    match error {
        PathError::Missing { nearest, similar, .. } => {
            let names: Vec<_> = similar.iter().map(ToString::to_string).collect();
            let place = named(nearest);
            Some(match &names[..] {
                [] => format!("{place} is there, `shingle ls` lists what is in it"),
                names => format!("in {place} there is {}", names.join(", ")),
            })
        }
        PathError::TooManyLinks { .. } => Some("`shingle ls` shows where each link leads".to_owned()),
        _ => None,
    }
}

fn named(path: &Name) -> String {
    if path.is_empty() { "the root directory".to_owned() } else { path.to_string() }
}

const fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Block => "a block device",
        Kind::Char => "a character device",
        Kind::Directory => "a directory",
        Kind::Fifo => "a named pipe",
        Kind::Hardlink => "a hard link",
        Kind::Regular => "a regular file",
        Kind::Symlink => "a symbolic link",
    }
}
