//! Layers: what is known of each, beside its tree.

use std::io::Read;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shingle_core::{CompressedTarSplit, Digest, Identity, Toc, Trust};

use super::error::io_at;
use super::{Placed, Store, StoreError};
use crate::length;

/// How a layer came here: `layers/ID/record.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LayerRecord {
    /// The digest of its tar; the image's word for it where `trust` is [`Trust::Toc`].
    pub diff_id: Digest,
    /// The rung of the trust ladder that it was proven on.
    #[serde(default)]
    pub trust: Trust,
    /// The digest of its TOC, if it rests on that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toc_digest: Option<Digest>,
    /// The digest of the blob it was pulled from; on a partial pull the manifest's word for it, not proven.
    pub blob: Digest,
    /// The blob's length in bytes.
    pub blob_bytes: u64,
    /// The blob's media type.
    pub media_type: String,
    /// `partial` or `whole`.
    pub mode: String,
    /// Why it was pulled whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Blob bytes read for it.
    pub fetched_bytes: u64,
    /// Content bytes that were here already.
    pub reused_bytes: u64,
    /// Bytes of all its files, uncompressed.
    pub content_bytes: u64,
    /// How its files came into the tree.
    pub files: Placed,
    /// Uncompressed length of its tar-split, 0 without one.
    pub tar_split_bytes: u64,
    /// Whether root made it; otherwise owners and devices are only noted.
    pub privileged: bool,
    /// Inodes whose owner or mode is only noted, in `user.containers.override_stat` and in the TOC.
    pub owners_noted: u64,
    /// Devices that an empty file stands in for.
    pub devices_noted: u64,
    /// Xattrs that the file system or the privilege did not allow.
    pub xattrs_noted: u64,
    /// Chunks that its files were cut into here and that later layers can take, if anybody asked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks_indexed: Option<u64>,
}

impl LayerRecord {
    /// Returns what the layer is known by.
    pub fn identity(&self) -> Identity {
        match (self.trust, self.toc_digest) {
            (Trust::Toc, Some(toc)) => Identity::Toc(toc),
            _ => Identity::DiffId(self.diff_id),
        }
    }
}

/// A layer in the store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredLayer {
    /// How it came here.
    pub record: LayerRecord,
    /// Its members.
    pub toc: Arc<Toc>,
    /// Its tar without contents, if the form can hold it.
    pub tar_split: Option<CompressedTarSplit>,
}

impl Store {
    /// Whether a layer is here, complete, and proven on that very rung.
    ///
    /// An image's config may claim any DiffID, also the id of a layer that rests on its TOC: the record decides. One that
    /// cannot be read is an error for whoever reads it.
    pub fn has_layer(&self, identity: &Identity) -> bool {
        let id = identity.id();
        self.dir().exists(format!("layers/{}", id.to_hex()))
            && self.layer_record(&id).map_or(true, |record| record.identity() == *identity)
    }

    /// Reads how a layer came here; `id` is its identity's.
    ///
    /// # Errors
    /// It is not here, or its record was changed.
    pub fn layer_record(&self, id: &Digest) -> Result<LayerRecord, StoreError> {
        let path = format!("layers/{}/record.json", id.to_hex());
        let json = self.read(&path, 1 << 20)?;
        let record: LayerRecord =
            serde_json::from_slice(&json).map_err(|error| StoreError::broken(&path, error))?;
        if record.identity().id() != *id {
            return Err(StoreError::broken(path, "it is another layer's"));
        }
        Ok(record)
    }

    /// Reads all that is known of a layer; `id` is its identity's.
    ///
    /// # Errors
    /// It is not here, or its files were changed.
    pub fn layer(&self, id: &Digest) -> Result<StoredLayer, StoreError> {
        let record = self.layer_record(id)?;
        let hex = id.to_hex();
        let path = format!("layers/{hex}/toc.zst");
        let limits = self.limits();
        let compressed = self.read(&path, limits.toc_compressed)?;
        let json = shingle_core::decompress(&compressed, limits.toc)
            .map_err(|error| StoreError::broken(&path, error))?;
        let toc = Toc::from_stored(&json, limits).map_err(|error| StoreError::broken(&path, error))?;
        let path = format!("layers/{hex}/tar-split.zst");
        let tar_split = match self.dir().exists(&path) {
            false => None,
            true => {
                let bytes = self.read(&path, limits.tar_split_compressed)?;
                Some(CompressedTarSplit::from_store(bytes, record.tar_split_bytes))
            }
        };
        Ok(StoredLayer { record, toc: Arc::new(toc), tar_split })
    }

    /// Returns the ids of all layers, in no order: DiffIDs, and what stands for TOCs.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn layers(&self) -> Result<Vec<Digest>, StoreError> {
        let names = self.names("layers")?;
        Ok(names.iter().filter_map(|name| Digest::from_hex(name)).collect())
    }

    /// Lists a directory of the store; names that are not UTF-8 are not ours.
    pub(crate) fn names(&self, path: &str) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        for entry in self.dir().read_dir(path).map_err(io_at("list", path))? {
            let entry = entry.map_err(io_at("list", path))?;
            names.extend(entry.file_name().into_string());
        }
        Ok(names)
    }

    /// Reads a file of the store that is at most `limit` bytes long.
    pub(crate) fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, StoreError> {
        let file = self.dir().open(path).map_err(io_at("open", path))?;
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(io_at("read", path))?;
        if length(&bytes) > limit {
            return Err(StoreError::broken(path, format_args!("it is longer than {limit} bytes")));
        }
        Ok(bytes)
    }
}
