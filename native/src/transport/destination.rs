//! Where images are brought to.

use super::{Ahead, Descriptor, Document, Location, Section, TransferError};
use crate::registry::{Client, Reference};

/// A place that takes an image: blobs first, then manifests, an index last. Nobody sees any of it before
/// [`commit`](Self::commit), except that a registry shows a manifest once it has it; dropped before, the place is as it
/// was, but for blobs that nothing names.
pub trait Destination: Send + Sync {
    /// Returns what documents it can hold.
    fn holds(&self) -> Holds;

    /// Whether a blob is there already.
    ///
    /// # Errors
    /// Nobody can tell.
    fn has_blob(&self, blob: &Descriptor) -> Result<bool, TransferError>;

    /// Takes a blob from where it lies in another repository, without its bytes passing through here; returns whether it
    /// did.
    ///
    /// # Errors
    /// The registry takes nothing.
    fn mount_blob(&self, blob: &Descriptor, from: &Reference) -> Result<bool, TransferError> {
        let _ = (blob, from);
        Ok(false)
    }

    /// Returns the repository that blobs are brought to, if it is a registry's.
    fn repository(&self) -> Option<&Reference> {
        None
    }

    /// Makes ready to take the first bytes of a blob whose last are not there yet; `None` where that spares no time.
    fn ahead(&self) -> Option<Ahead<'_>> {
        None
    }

    /// Takes a blob's bytes. `progress` hears of those that were taken.
    ///
    /// # Errors
    /// They are not what the descriptor says, or cannot be put there.
    fn put_blob(
        &self,
        blob: &Descriptor,
        role: Role,
        content: &Section,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), TransferError>;

    /// Takes a manifest of an index, or the one document that is to have the name.
    ///
    /// # Errors
    /// It cannot be put there.
    fn put_document(&self, document: &Document, place: Place) -> Result<(), TransferError>;

    /// Makes visible what was taken.
    ///
    /// # Errors
    /// It cannot be made visible; the place is as it was.
    fn commit(self: Box<Self>) -> Result<(), TransferError>;
}

/// What documents a place can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever brings documents must handle each")]
pub enum Holds {
    /// OCI's and Docker's, manifests and indexes.
    Any,
    /// OCI's, manifests and indexes.
    Oci,
    /// One image, whose manifest is not kept.
    OneImage,
}

/// What a blob is to its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "a manifest names nothing else")]
pub enum Role {
    /// The image's config.
    Config,
    /// A layer, or whatever an artifact holds in a layer's place.
    Layer,
}

/// What a document is to the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing between")]
pub enum Place {
    /// A manifest that an index names.
    Below,
    /// What the name will lead to.
    Top,
}

/// Opens a place to bring an image to. `client` is used where it is a registry.
///
/// # Errors
/// It is not what the location says, or holds something that would be lost.
pub fn open_destination(location: &Location, client: &Client) -> Result<Box<dyn Destination>, TransferError> {
    Ok(match location {
        Location::Registry(reference) => {
            Box::new(super::registry::RegistryDestination::new(client.clone(), reference.clone()))
        }
        Location::Oci { dir, tag } => Box::new(super::oci_write::OciDestination::open(dir, tag.clone())?),
        Location::OciArchive { file, tag } => {
            Box::new(super::oci_write::OciArchiveDestination::open(file, tag.clone())?)
        }
        Location::DockerArchive { file, reference } => {
            Box::new(super::docker_write::DockerArchiveDestination::open(file, reference.clone())?)
        }
        Location::Dir { dir } => Box::new(super::directory_write::DirDestination::open(dir)?),
    })
}

/// Copies a section's bytes, in pieces, sure that they are what a descriptor says.
pub(super) fn copy_checked(
    blob: &Descriptor,
    content: &Section,
    progress: &(dyn Fn(u64) + Sync),
    mut write: impl FnMut(&[u8]) -> Result<(), TransferError>,
) -> Result<(), TransferError> {
    use std::io::Read as _;
    let what = || format!("blob {}", blob.digest);
    if content.len() != blob.size {
        return Err(TransferError::Size { what: what(), stated: blob.size, actual: content.len() });
    }
    let mut hasher = (!content.is_proven(&blob.digest)).then(shingle_core::Hasher::new);
    let (mut reader, mut buffer) = (content.reader(), vec![0; 256 << 10]);
    loop {
        let count = reader.read(&mut buffer).map_err(|source| TransferError::reading(what(), source))?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        if let Some(hasher) = &mut hasher {
            hasher.update(bytes);
        }
        write(bytes)?;
        progress(crate::length(bytes));
    }
    match hasher.map(shingle_core::Hasher::finish) {
        Some(actual) if actual != blob.digest => {
            Err(TransferError::Digest { what: what(), expected: blob.digest, actual })
        }
        _ => Ok(()),
    }
}
