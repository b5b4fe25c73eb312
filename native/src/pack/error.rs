//! Why a layer was not written.

use std::io;

use shingle_core::writer::WriteError;

/// A layer that was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The tar cannot be read.
    #[error("cannot read the layer's tar")]
    Read {
        /// Why.
        source: io::Error,
    },
    /// A thread is gone, which only a panic does; that is passed on.
    #[error("stopped, because a thread is gone")]
    Stopped,
    /// The tar cannot be written as a layer.
    #[error(transparent)]
    Tar(#[from] WriteError),
    /// The blob cannot be written.
    #[error("cannot write the layer's blob")]
    Write {
        /// Why.
        source: io::Error,
    },
}
