//! Why a conversion or a push ended without an image.

use shingle_core::{Digest, Name, UnwrapError};

use crate::pack::PackError;
use crate::store::StoreError;
use crate::transport::{TransferError, aside};

/// A conversion or a push that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// In one of the layers.
    #[error("layer {blob}")]
    Layer {
        /// The digest of its blob, as the image names it.
        blob: Digest,
        /// What went wrong.
        source: Box<LayerFault>,
    },
    /// At one of the ends.
    #[error(transparent)]
    Transfer(#[from] TransferError),
}

/// A layer that could not be written anew.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerFault {
    /// A file of the store that is gone or was changed.
    #[error("{path}: the store's content {digest} is gone or was changed")]
    Changed {
        /// The file.
        path: Name,
        /// The digest of its content.
        digest: Digest,
    },
    /// The tar is another one than the image's config says.
    #[error("its tar is {actual}, the image's config says {expected} (DiffID)")]
    DiffId {
        /// The digest in the config.
        expected: Digest,
        /// The digest of the tar.
        actual: Digest,
    },
    /// The store does not hold what the tar is made of.
    #[error("its tar cannot be made again: {why}")]
    NotKept {
        /// What is missing.
        why: &'static str,
    },
    /// The tar cannot be written as a layer.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The store makes another tar than the one it was given, though each file is what it was.
    #[error(
        "the store makes the tar {actual} of it, not {expected}: what it keeps of the headers was changed"
    )]
    Rotten {
        /// The digest of the tar it was given.
        expected: Digest,
        /// The digest of the tar it makes.
        actual: Digest,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Reading or bringing over its bytes.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The blob is not what the manifest says.
    #[error(transparent)]
    Unwrap(#[from] UnwrapError),
}

impl ConvertError {
    pub(super) fn layer(blob: Digest, source: impl Into<LayerFault>) -> Self {
        match source.into() {
            // Another one failed, and that one is told.
            LayerFault::Transfer(TransferError::Stopped) => Self::Transfer(TransferError::Stopped),
            source => Self::Layer { blob, source: Box::new(source) },
        }
    }

    /// Whether a check refused what was there; otherwise something on this machine or on the way failed.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Transfer(error) => error.is_refusal(),
            Self::Layer { source, .. } => match &**source {
                LayerFault::Transfer(error) => error.is_refusal(),
                LayerFault::DiffId { .. } | LayerFault::Pack(PackError::Tar(_)) | LayerFault::Unwrap(_) => {
                    true
                }
                LayerFault::Changed { .. }
                | LayerFault::Rotten { .. }
                | LayerFault::NotKept { .. }
                | LayerFault::Pack(_)
                | LayerFault::Store(_) => false,
            },
        }
    }

    /// Returns what the user can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Transfer(error) => return error.hint(),
            Self::Layer { source, .. } => match &**source {
                LayerFault::Transfer(error) => return error.hint(),
                LayerFault::Store(error) => error.hint(),
                LayerFault::Changed { .. } | LayerFault::Rotten { .. } => {
                    Some("remove the image with `shingle rmi`, run `shingle gc`, and pull it again")
                }
                LayerFault::DiffId { .. } => {
                    Some("the layer is not the one that the image's config names: have it pushed again")
                }
                LayerFault::NotKept { .. } => {
                    Some("bring the image from where it came from: `shingle convert SRC DST`")
                }
                LayerFault::Pack(PackError::Write { .. }) => return Some(aside()),
                LayerFault::Unwrap(_) => {
                    Some("the registry or something on the way altered the blob, or it was pushed broken")
                }
                LayerFault::Pack(_) => None,
            },
        };
        hint.map(str::to_owned)
    }
}
