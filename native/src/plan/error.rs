//! Why there is no forecast.

use shingle_core::{Digest, OpenError, TocError, TreeError, UnwrapError, WholeError};

use crate::store::StoreError;
use crate::transport::TransferError;

/// An image whose pull cannot be forecast.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// In one of its layers.
    #[error("layer {} ({blob})", index + 1)]
    Layer {
        /// Its place in the image, from 0 at the bottom.
        index: usize,
        /// The digest of its blob.
        blob: Digest,
        /// What went wrong.
        source: Box<LayerFault>,
    },
    /// With its documents.
    #[error(transparent)]
    Transfer(#[from] TransferError),
}

/// A layer that cannot be looked at, or that a pull would refuse.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerFault {
    /// A TOC or tar-split that lies.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blob is not there, or cannot be read.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// A member that has no place in a tree.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A blob, read whole, that is not what the manifest says.
    #[error(transparent)]
    Unwrap(#[from] UnwrapError),
    /// A tar, read whole, that is not the one the image names.
    #[error(transparent)]
    Whole(#[from] WholeError),
}

impl PlanError {
    /// Whether a check refused what was read, as a pull would; otherwise something on this machine or on the way failed.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Transfer(error) => error.is_refusal(),
            Self::Layer { source, .. } => match &**source {
                LayerFault::Transfer(error) => error.is_refusal(),
                LayerFault::Store(_) => false,
                LayerFault::Open(_) | LayerFault::Tree(_) | LayerFault::Unwrap(_) | LayerFault::Whole(_) => {
                    true
                }
            },
        }
    }

    /// Returns what the user can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Transfer(error) => return error.hint(),
            Self::Layer { source, .. } => match &**source {
                LayerFault::Transfer(error) => return error.hint(),
                LayerFault::Store(error) => return error.hint().map(str::to_owned),
                LayerFault::Open(OpenError::Toc(
                    TocError::Digest { .. } | TocError::TarSplitDigest { .. },
                ))
                | LayerFault::Unwrap(_) => {
                    "the registry or something on the way altered the blob, or it was pushed broken"
                }
                LayerFault::Open(_) => {
                    "the layer's table of contents does not describe its tar: have it pushed again"
                }
                LayerFault::Tree(_) => "GNU tar could not extract this layer either: have it built again",
                LayerFault::Whole(_) => {
                    "the layer is not the one that the image's config names: have it pushed again"
                }
            },
        };
        Some(hint.to_owned())
    }
}
