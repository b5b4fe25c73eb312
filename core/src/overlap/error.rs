//! Why an image cannot be compared.

use crate::TreeError;

/// An image that has no place in an [`Overlap`](super::Overlap).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum OverlapError {
    /// More layers, contents or names than can be numbered.
    #[error("the images hold more layers, files or names than can be compared")]
    TooMany,
    /// A layer that could not be unpacked either.
    #[error("layer {}: {error}", layer.saturating_add(1))]
    Tree {
        /// Which one, from 0 at the bottom.
        layer: usize,
        /// What has no place in it.
        error: TreeError,
    },
}
