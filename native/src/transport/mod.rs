//! Where images lie: registries, OCI image layouts, archives, directories; the names are skopeo's.
//!
//! A [`Source`] gives out documents that were checked against the digest that led to them, and blobs that were not:
//! whoever reads a blob to its end checks it. A [`Destination`] takes blobs, then manifests, and shows nothing to anybody
//! before [`commit`](Destination::commit).

mod ahead;
mod archive;
mod destination;
mod directory;
mod directory_write;
mod docker_archive;
mod docker_write;
mod document;
mod error;
mod file;
mod location;
mod oci;
mod oci_write;
mod pending;
mod registry;
mod section;
mod spool;
mod store;
mod tar_write;

use std::io::{Cursor, Read};
use std::ops::Range;

use shingle_core::Digest;

use crate::registry::Client;

pub use crate::look::NotBeside;
pub use ahead::Ahead;
pub use destination::{Destination, Holds, Place, Role, open_destination};
pub(crate) use document::write;
pub use document::{Descriptor, Document, Index, Manifest};
pub use error::TransferError;
pub(crate) use error::aside;
pub use location::{Location, LocationError};
pub(crate) use pending::replace_file;
pub use section::{Section, SectionReader};
pub(crate) use spool::Spool;
pub(crate) use store::StoreSource;

/// The most that a manifest or an index may measure; the distribution specification lets registries refuse longer ones.
pub(crate) const MANIFEST_LIMIT: u64 = 4 << 20;
/// A config grows with its history; a megabyte is already absurd.
pub(crate) const CONFIG_LIMIT: u64 = 8 << 20;

/// An image, or an index of images, that can be read.
pub trait Source: Send + Sync {
    /// Returns the document that the location names: a manifest or an index.
    ///
    /// # Errors
    /// It is not there, is no such document, or is not what the digest in the name says.
    fn top(&self) -> Result<Document, TransferError>;

    /// Returns a manifest that an index names, checked against its digest and size.
    ///
    /// # Errors
    /// It is not there, is no such document, or is another one.
    fn manifest(&self, wanted: &Descriptor) -> Result<Document, TransferError>;

    /// Opens a blob front to back. Its digest is not checked; a network that breaks is asked for the rest.
    ///
    /// # Errors
    /// It is not there, or is known to have another size.
    fn open_blob(&self, blob: Digest, size: u64) -> Result<Box<dyn Read + Send>, TransferError>;

    /// Reads a part of a blob, exactly the bytes asked for, unchecked.
    ///
    /// # Errors
    /// It is not there, has no such bytes, or its source cannot give parts.
    fn read_range(&self, blob: Digest, size: u64, range: Range<u64>) -> Result<Vec<u8>, TransferError>;

    /// Opens a part of a blob front to back, unchecked, for one who takes it in pieces: a part may be long. A network that
    /// breaks is asked for the rest.
    ///
    /// # Errors
    /// It is not there, has no such bytes, or its source cannot give parts.
    fn open_range(
        &self,
        blob: Digest,
        size: u64,
        range: Range<u64>,
    ) -> Result<Box<dyn Read + Send>, TransferError> {
        let within = range.start <= range.end && range.end <= size;
        Ok(match self.local(blob, size)?.filter(|_| within) {
            Some(section) => Box::new(section.part(range.start, crate::look::span(&range)).reader()),
            None => Box::new(Cursor::new(self.read_range(blob, size, range)?)),
        })
    }

    /// Opens a part of a blob for one who wants the part or nothing, front to back, unchecked; `None` from a source that
    /// gives no parts of it.
    ///
    /// # Errors
    /// It is not there, or has no such bytes.
    fn open_part(
        &self,
        blob: Digest,
        size: u64,
        range: Range<u64>,
    ) -> Result<Option<Box<dyn Read + Send>>, TransferError> {
        self.open_range(blob, size, range).map(Some)
    }

    /// Reads a part of a blob for one who wants the part or nothing. A source that cannot give parts says so, and sends
    /// no more than it takes to say it.
    ///
    /// # Errors
    /// It is not there, or has no such bytes.
    fn read_part(&self, blob: Digest, size: u64, range: Range<u64>) -> Result<Part, TransferError> {
        self.read_range(blob, size, range).map(Part::Bytes)
    }

    /// Finds the blob that holds a layer's TOC in another image: digest and length. Only registries have such images.
    ///
    /// # Errors
    /// Whether there is one cannot be found out.
    fn toc_beside(&self, layer: Digest) -> Result<Result<(Digest, u64), NotBeside>, TransferError> {
        let image = format!("TAG{}", shingle_core::ExternalToc::TAG_SUFFIX);
        let _ = layer;
        Ok(Err(NotBeside { image, problem: "is looked for in registries only" }))
    }

    /// Returns where a blob lies, if that is in a file on this machine.
    ///
    /// # Errors
    /// It should be on this machine and is not.
    fn local(&self, blob: Digest, size: u64) -> Result<Option<Section>, TransferError> {
        let _ = (blob, size);
        Ok(None)
    }

    /// Returns the repository that blobs come from, if they come from a registry.
    fn repository(&self) -> Option<&crate::registry::Reference> {
        None
    }
}

/// What a source gives where a part of a blob was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever misses one would read a blob for nothing")]
pub enum Part {
    /// Exactly the part.
    Bytes(Vec<u8>),
    /// Nothing.
    Refused,
    /// All of the blob, which was not read.
    Whole,
}

impl dyn Source + '_ {
    /// Reads a small blob whole, such as a config, and checks it.
    ///
    /// # Errors
    /// It is longer than `limit`, not there, or not what its descriptor says.
    pub fn small_blob(&self, wanted: &Descriptor, limit: u64) -> Result<Vec<u8>, TransferError> {
        let what = || format!("blob {}", wanted.digest);
        if wanted.size > limit {
            return Err(TransferError::TooLarge { what: what(), size: wanted.size, limit });
        }
        let mut bytes = Vec::new();
        let reader = self.open_blob(wanted.digest, wanted.size)?;
        let read = reader.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|source| TransferError::reading(what(), source))?;
        document::check(&bytes, wanted, what)?;
        Ok(bytes)
    }
}

/// Opens an image to read it. `client` is used where the location is a registry.
///
/// # Errors
/// Nothing is there, or it is not what the location says it is.
pub fn open_source(location: &Location, client: &Client) -> Result<Box<dyn Source>, TransferError> {
    Ok(match location {
        Location::Registry(reference) => {
            Box::new(registry::RegistrySource::new(client.clone(), reference.clone()))
        }
        Location::Oci { dir, tag } => Box::new(oci::OciSource::open(dir, tag.as_deref())?),
        Location::OciArchive { file, tag } => {
            Box::new(oci::OciSource::new(archive::Archive::open(file)?, tag.as_deref())?)
        }
        Location::DockerArchive { file, reference } => {
            Box::new(docker_archive::DockerArchiveSource::open(file, reference.as_ref())?)
        }
        Location::Dir { dir } => Box::new(directory::DirSource::open(dir)?),
    })
}
