//! What can go wrong between two places.

use std::io;
use std::path::{Path, PathBuf};

use shingle_core::{Digest, UnwrapError};

use crate::registry::{ManifestError, RegistryError};
use crate::store::StoreError;

/// An image that could not be read from where it lies, or not be brought where it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// Not the bytes that the digest names.
    #[error("{what}: the content has digest {actual}, expected {expected}")]
    Digest {
        /// What was read, and where.
        what: String,
        /// What was asked for.
        expected: Digest,
        /// What is there.
        actual: Digest,
    },
    /// A document that leads nowhere.
    #[error("{what}")]
    Document {
        /// Which document, and where.
        what: String,
        /// What is wrong with it.
        source: ManifestError,
    },
    /// Something that would be lost.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file operation.
    #[error("cannot {operation} {}", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A place that is not in the form it should be in.
    #[error("{} is not {expected}: {problem}", path.display())]
    Form {
        /// The directory or file.
        path: PathBuf,
        /// What it should be: `an OCI image layout`.
        expected: &'static str,
        /// What gives it away.
        problem: String,
    },
    /// Something that is listed but not there.
    #[error("{what} is not in {}", path.display())]
    Missing {
        /// The place.
        path: PathBuf,
        /// What is not in it.
        what: String,
    },
    /// No image of that name, or no name and several images.
    #[error("{problem} in {}", path.display())]
    Name {
        /// The place.
        path: PathBuf,
        /// What is there instead.
        problem: String,
        /// The names of the images there.
        offered: String,
    },
    /// A stream that broke off.
    #[error("cannot read {what}")]
    Read {
        /// What was being read.
        what: String,
        /// The complaint; of a registry, if one broke off.
        source: io::Error,
    },
    /// More than one image, for a place that holds one.
    #[error("this place holds one image, and no index of several")]
    OneImage,
    /// A place whose layers are plain tars, for layers that are to be written in a certain form.
    #[error("an archive of docker save holds plain tars, and no compressed layers")]
    PlainOnly,
    /// A registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Content of another size than its descriptor states.
    #[error("{what}: the content is {actual} bytes long, its descriptor states {stated}")]
    Size {
        /// What was read, and where.
        what: String,
        /// The size in the descriptor.
        stated: u64,
        /// The size of what is there.
        actual: u64,
    },
    /// Another blob broke off first.
    #[error("stopped, because something else failed")]
    Stopped,
    /// A blob that cannot be decompressed, or is not the one its digest names.
    #[error("{what}")]
    Unpack {
        /// Which blob.
        what: String,
        /// What is wrong with it.
        source: UnwrapError,
    },
    /// A document longer than any honest one.
    #[error("{what} is {size} bytes long; the limit is {limit}")]
    TooLarge {
        /// Which document.
        what: String,
        /// Its length, or what is known of it.
        size: u64,
        /// The limit.
        limit: u64,
    },
}

/// Returns advice where the directory for temporary files is the trouble.
pub(crate) fn aside() -> String {
    let path = std::env::temp_dir();
    format!(
        "layers are put aside in a temporary file, in {}; set TMPDIR to a directory with more room",
        path.display()
    )
}

impl From<StoreError> for TransferError {
    fn from(error: StoreError) -> Self {
        Self::File { operation: error.operation, path: error.path, source: error.source }
    }
}

impl TransferError {
    /// Makes an error of a stream's complaint; a registry's is taken out of it again.
    pub(crate) fn reading(what: impl Into<String>, source: io::Error) -> Self {
        match source.downcast::<RegistryError>() {
            Ok(error) => Self::Registry(error),
            Err(source) => Self::Read { what: what.into(), source },
        }
    }

    /// Makes an error of a file's complaint: `.map_err(TransferError::file("open", path))`.
    pub(crate) fn file<E: Into<io::Error>>(
        operation: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::File { operation, path: path.as_ref().to_owned(), source: source.into() }
    }

    /// Makes an error of a document's: `.map_err(TransferError::document(what))`.
    pub(crate) fn document(what: impl Into<String>) -> impl FnOnce(ManifestError) -> Self {
        move |source| Self::Document { what: what.into(), source }
    }

    /// Whether a check refused what was there, as opposed to it not being there at all. A place of another form is as
    /// good as none: most often a wrong name was typed.
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Digest { .. }
            | Self::Document { .. }
            | Self::Size { .. }
            | Self::TooLarge { .. }
            | Self::Unpack { .. } => true,
            Self::Registry(error) => error.is_refusal(),
            Self::Exists { .. }
            | Self::File { .. }
            | Self::Form { .. }
            | Self::Missing { .. }
            | Self::Name { .. }
            | Self::OneImage
            | Self::PlainOnly
            | Self::Read { .. }
            | Self::Stopped => false,
        }
    }

    /// Returns advice on what to do about it, if there is any.
    pub fn hint(&self) -> Option<String> {
        match self {
            // Its advice is about registries, whose documents fail elsewhere.
            Self::Document { source: ManifestError::Malformed { .. }, .. } => None,
            Self::Document { source, .. } => source.hint().map(str::to_owned),
            Self::Name { offered, .. } if !offered.is_empty() => Some(format!("name one of: {offered}")),
            Self::Registry(error) => error.hint().map(str::to_owned),
            Self::Digest { what, .. } if !what.starts_with("blob") => None,
            Self::Digest { .. } | Self::Size { .. } | Self::Unpack { .. } => Some(
                "it was altered there or on the way, or pushed broken; `shingle verify` says more".to_owned(),
            ),
            Self::File { path, .. } if *path == std::env::temp_dir() => Some(aside()),
            Self::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some space there, or name another place".to_owned())
            }
            Self::Form { .. } => Some(
                "is it of another form? oci:DIR, oci-archive:FILE, docker-archive:FILE and dir:DIR differ"
                    .to_owned(),
            ),
            Self::Exists { .. } => {
                Some("an archive of docker save cannot be added to; remove it, or name another".to_owned())
            }
            Self::OneImage => Some("leave out --all; --platform says which image".to_owned()),
            Self::PlainOnly => {
                Some("use `shingle copy`, or another destination such as oci-archive:FILE".to_owned())
            }
            _ => None,
        }
    }
}
