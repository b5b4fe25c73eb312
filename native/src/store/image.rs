//! Images: names, manifests and configs. What gc starts from.

use std::io::Write;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use shingle_core::{Digest, Identity};

use super::error::io_at;
use super::staging::random_name;
use super::{Store, StoreError};

const DOCUMENT_LIMIT: u64 = 16 << 20;

/// An image under one name: `images/refs/ID.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImageRecord {
    /// The full name: `host/repository:tag` or `host/repository@digest`.
    pub reference: String,
    /// The digest of its manifest, whose bytes are in `images/blobs`.
    pub manifest: Digest,
    /// The manifest's media type.
    pub media_type: String,
    /// The digest of the index that led to it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<Digest>,
    /// The digest of its config, which is the image's id.
    pub config: Digest,
    /// When it was pulled, in seconds since 1970.
    pub pulled: u64,
    /// Its layers, the lowest one first.
    pub layers: Vec<LayerRef>,
}

/// A layer of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LayerRef {
    /// The digest of the tar, which names the layer here; only the image's word for it if there is a `toc_digest`.
    pub diff_id: Digest,
    /// The digest of the TOC that the layer rests on, if that was all that could be proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toc_digest: Option<Digest>,
    /// The digest of the blob.
    pub blob: Digest,
    /// The blob's length in bytes.
    pub size: u64,
    /// The blob's media type.
    pub media_type: String,
}

impl LayerRef {
    /// Returns what the layer is known by here.
    pub fn identity(&self) -> Identity {
        self.toc_digest.map_or(Identity::DiffId(self.diff_id), Identity::Toc)
    }

    /// Returns the digest that names the layer's tree and record.
    pub fn id(&self) -> Digest {
        self.identity().id()
    }
}

impl ImageRecord {
    /// Makes the record of an image pulled now, whose layers are known by `identities`.
    pub(crate) fn new(image: &crate::registry::ResolvedImage, identities: &[Identity], pulled: u64) -> Self {
        let layer = |(layer, identity): (&crate::registry::LayerDescriptor, &Identity)| LayerRef {
            diff_id: layer.diff_id,
            toc_digest: match identity {
                Identity::DiffId(_) => None,
                Identity::Toc(toc) => Some(*toc),
            },
            blob: layer.digest,
            size: layer.size,
            media_type: layer.media_type.clone(),
        };
        Self {
            reference: image.reference.to_string(),
            manifest: image.manifest_digest,
            media_type: image.media_type.clone(),
            index: image.index_digest,
            config: image.config_digest,
            pulled,
            layers: image.layers.iter().zip(identities).map(layer).collect(),
        }
    }
}

impl Store {
    /// Returns every image, in the order of their names.
    ///
    /// # Errors
    /// A record cannot be read.
    pub fn images(&self) -> Result<Vec<ImageRecord>, StoreError> {
        let mut images = Vec::new();
        for name in self.names("images/refs")?.iter().filter(|name| name.ends_with(".json")) {
            let path = format!("images/refs/{name}");
            let json = match self.read(&path, DOCUMENT_LIMIT) {
                Ok(json) => json,
                // Removed since the names were listed.
                Err(error) if error.errno() == Some(Errno::NOENT) => continue,
                Err(error) => return Err(error),
            };
            let image: ImageRecord =
                serde_json::from_slice(&json).map_err(|error| StoreError::broken(&path, error))?;
            images.push(image);
        }
        images.sort_by(|a, b| a.reference.cmp(&b.reference));
        Ok(images)
    }

    /// Returns the image with exactly this full name.
    ///
    /// # Errors
    /// Its record cannot be read.
    pub fn image(&self, reference: &str) -> Result<Option<ImageRecord>, StoreError> {
        let path = record_path(reference);
        if !self.dir().exists(&path) {
            return Ok(None);
        }
        let json = self.read(&path, DOCUMENT_LIMIT)?;
        serde_json::from_slice(&json).map(Some).map_err(|error| StoreError::broken(path, error))
    }

    /// Returns an image's manifest or config.
    ///
    /// # Errors
    /// It is not here, or was changed.
    pub fn document(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let path = format!("images/blobs/{}", digest.to_hex());
        let bytes = self.read(&path, DOCUMENT_LIMIT)?;
        let actual = Digest::of(&bytes);
        if actual != *digest {
            return Err(StoreError::broken(path, format_args!("it is {actual}")));
        }
        Ok(bytes)
    }

    /// Makes an image visible under its name, whose layers must all be here. The last step of a pull.
    pub(crate) fn put_image(
        &self,
        image: &ImageRecord,
        manifest: &[u8],
        config: &[u8],
    ) -> Result<(), StoreError> {
        let json = serde_json::to_vec_pretty(image).map_err(|error| StoreError::broken("record", error))?;
        self.put_all(&[
            (&format!("images/blobs/{}", image.manifest.to_hex()), manifest),
            (&format!("images/blobs/{}", image.config.to_hex()), config),
            (&record_path(&image.reference), &json),
        ])
    }

    /// Removes an image's name; its layers stay until gc. Returns whether it was there.
    ///
    /// # Errors
    /// The store cannot be changed.
    pub fn remove_image(&self, reference: &str) -> Result<bool, StoreError> {
        let path = record_path(reference);
        match self.dir().remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(io_at("remove", path)(error)),
        }
    }

    /// Puts a small file in place whole.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.put_all(&[(path, bytes)])
    }

    /// Puts small files in place whole, in this order: beside their places, to disk, then under their names.
    pub(super) fn put_all(&self, files: &[(&str, &[u8])]) -> Result<(), StoreError> {
        let random = random_name()?;
        let beside = |path: &str| format!("{path}.{random}.tmp");
        for (path, bytes) in files {
            let path = beside(path);
            let mut file = self.dir().create(&path).map_err(io_at("create", &path))?;
            file.write_all(bytes).map_err(io_at("write", &path))?;
        }
        self.sync()?;
        for (path, _) in files {
            self.dir().rename(beside(path), self.dir(), path).map_err(io_at("rename", path))?;
        }
        Ok(())
    }
}

fn record_path(reference: &str) -> String {
    format!("images/refs/{}.json", Digest::of(reference.as_bytes()).to_hex())
}
