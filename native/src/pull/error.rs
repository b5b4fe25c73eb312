//! Why a pull ended without an image.

use shingle_core::{
    BadTarSplit, DiffIdError, Digest, Disagreement, FetchError, OpenError, TocError, TreeError, Unfinished,
    UnwrapError, WholeError,
};

use crate::registry::{LayerDescriptor, RegistryError};
use crate::store::StoreError;

/// A pull that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullError {
    /// In one of the layers.
    #[error("layer {} ({blob})", index + 1)]
    Layer {
        /// Its place in the image, from 0 at the bottom.
        index: usize,
        /// The digest of its blob.
        blob: Digest,
        /// What went wrong.
        source: Box<LayerError>,
    },
    /// With the registry, before the layers.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// With the store, before or after the layers.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A layer that could not be pulled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// TOC and tar disagree.
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
    /// The layer is another one than the image says.
    #[error(transparent)]
    DiffId(#[from] DiffIdError),
    /// Data that are not what the TOC says.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Another layer failed first.
    #[error("stopped, because another layer failed")]
    Stopped,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A tar-split that lies about its length.
    #[error(transparent)]
    TarSplit(#[from] BadTarSplit),
    /// A TOC that contradicts itself.
    #[error(transparent)]
    Toc(#[from] TocError),
    /// A member that has no place in a tree.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Requests that were not answered; a mistake in here.
    #[error(transparent)]
    Unfinished(#[from] Unfinished),
    /// A blob that is not what the manifest says.
    #[error(transparent)]
    Unwrap(#[from] UnwrapError),
    /// A tar that is not the one the image names.
    #[error(transparent)]
    Whole(#[from] WholeError),
}

impl From<OpenError> for LayerError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Disagreement(error) => Self::Disagreement(error),
            OpenError::TarSplit(error) => Self::TarSplit(error),
            OpenError::Toc(error) => Self::Toc(error),
        }
    }
}

impl PullError {
    pub(super) fn layer(index: usize, descriptor: &LayerDescriptor, source: LayerError) -> Self {
        Self::Layer { index, blob: descriptor.digest, source: Box::new(source) }
    }

    /// Whether a check refused what the registry sent; otherwise something on this machine or on the way failed.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Registry(error) => error.is_refusal(),
            Self::Store(_) => false,
            Self::Layer { source, .. } => match &**source {
                LayerError::Registry(error) => error.is_refusal(),
                LayerError::Store(_) | LayerError::Stopped | LayerError::Unfinished(_) => false,
                LayerError::Disagreement(_)
                | LayerError::DiffId(_)
                | LayerError::Fetch(_)
                | LayerError::TarSplit(_)
                | LayerError::Toc(_)
                | LayerError::Tree(_)
                | LayerError::Unwrap(_)
                | LayerError::Whole(_) => true,
            },
        }
    }

    /// Returns what the user can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Registry(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Layer { source, .. } => match &**source {
                LayerError::Registry(error) => error.hint(),
                LayerError::Store(error) => error.hint(),
                LayerError::Fetch(_)
                | LayerError::Unwrap(_)
                | LayerError::Toc(TocError::Digest { .. } | TocError::TarSplitDigest { .. }) => {
                    Some("the registry or something on the way altered the blob, or it was pushed broken")
                }
                LayerError::Disagreement(_) | LayerError::Toc(_) | LayerError::TarSplit(_) => {
                    Some("the layer's table of contents does not describe its tar: have it pushed again")
                }
                LayerError::DiffId(_) | LayerError::Whole(_) => {
                    Some("the layer is not the one that the image's config names: have it pushed again")
                }
                LayerError::Tree(_) => {
                    Some("GNU tar could not extract this layer either: have it built again")
                }
                LayerError::Stopped | LayerError::Unfinished(_) => None,
            },
        };
        hint.map(str::to_owned)
    }
}
