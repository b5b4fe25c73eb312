//! Why nobody can tell what an image holds.

use shingle_core::{Digest, OpenError, TocError, TreeError, UnwrapError, WholeError};

use crate::store::StoreError;
use crate::transport::TransferError;

/// An image whose contents cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentsError {
    /// In one of its layers.
    #[error("layer {} ({blob})", index + 1)]
    Layer {
        /// Which of the images, from 0 in the order in which they were named.
        image: usize,
        /// The layer's place in the image, from 0 at the bottom.
        index: usize,
        /// The digest of its blob.
        blob: Digest,
        /// What went wrong.
        source: Box<LayerFault>,
    },
    /// With its documents.
    #[error("{source}")]
    Transfer {
        /// Which of the images, from 0 in the order in which they were named.
        image: usize,
        /// What went wrong.
        source: TransferError,
    },
    /// Another image could not be read.
    #[error(transparent)]
    Stopped(#[from] TransferError),
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

impl ContentsError {
    /// Returns which of the images it is, from 0 in the order in which they were named.
    pub const fn image(&self) -> Option<usize> {
        match self {
            Self::Layer { image, .. } | Self::Transfer { image, .. } => Some(*image),
            Self::Stopped(_) => None,
        }
    }

    /// Whether a check refused what was read, as a pull would; otherwise something on this machine or on the way failed.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Layer { source, .. } => source.is_refusal(),
            Self::Transfer { source, .. } | Self::Stopped(source) => source.is_refusal(),
        }
    }

    /// Returns what the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Layer { source, .. } => source.hint(),
            Self::Transfer { source, .. } | Self::Stopped(source) => source.hint(),
        }
    }
}

impl LayerFault {
    /// Whether a check refused what was read, as a pull would; otherwise something on this machine or on the way failed.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Transfer(error) => error.is_refusal(),
            Self::Store(_) => false,
            Self::Open(_) | Self::Tree(_) | Self::Unwrap(_) | Self::Whole(_) => true,
        }
    }

    /// Returns what the user can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Transfer(error) => return error.hint(),
            Self::Store(error) => return error.hint().map(str::to_owned),
            Self::Open(OpenError::Toc(TocError::Digest { .. } | TocError::TarSplitDigest { .. }))
            | Self::Unwrap(_) => {
                "the registry or something on the way altered the blob, or it was pushed broken"
            }
            Self::Open(_) => "the layer's table of contents does not describe its tar: have it pushed again",
            Self::Tree(_) => "GNU tar could not extract this layer either: have it built again",
            Self::Whole(_) => "the layer is not the one that the image's config names: have it pushed again",
        };
        Some(hint.to_owned())
    }
}
