//! Why there is no forecast.

use shingle_core::Digest;

use crate::contents::LayerFault;
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

impl PlanError {
    /// Whether a check refused what was read, as a pull would; otherwise something on this machine or on the way failed.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Transfer(error) => error.is_refusal(),
            Self::Layer { source, .. } => source.is_refusal(),
        }
    }

    /// Returns what the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Transfer(error) => error.hint(),
            Self::Layer { source, .. } => source.hint(),
        }
    }
}
