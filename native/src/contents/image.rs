//! An image as its documents describe it.

use std::collections::BTreeMap;

use shingle_core::{Digest, LayerSaid};

use crate::length;
use crate::registry::Platform;
use crate::transport::{Source, TransferError};
use crate::verify::Documents;

/// An image as its documents describe it, each of which is what the digest that led to it says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Described {
    /// The digest of its manifest.
    pub digest: Digest,
    /// The manifest's media type.
    pub media_type: String,
    /// The manifest's length in bytes.
    pub manifest_bytes: u64,
    /// The digest of the index that led to it, if one did.
    pub index: Option<Digest>,
    /// The digest of its config, which is the image's id.
    pub id: Digest,
    /// Its config.
    pub config: Vec<u8>,
    /// The machine that it is for, by its config's word.
    pub platform: Option<Platform>,
    /// Its layers, the lowest one first.
    pub layers: Vec<Layer>,
}

/// A layer as manifest and config describe it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Layer {
    /// The digest of the blob.
    pub digest: Digest,
    /// The blob's length in bytes.
    pub size: u64,
    /// The blob's media type.
    pub media_type: String,
    /// What the manifest notes about it: where the TOC lies, among other things.
    pub annotations: BTreeMap<String, String>,
    /// The digest of the tar.
    pub diff_id: Digest,
}

impl Described {
    /// Finds the one image that is meant, of an index that for `platform`. Reads its documents and nothing else.
    ///
    /// # Errors
    /// A document is not there, is none, or is not what the digest that led to it says; none suits the platform.
    pub fn find(source: &dyn Source, platform: &Platform) -> Result<Self, TransferError> {
        let found = Documents::find(source, platform)?;
        let layers = found.layers.into_iter().map(|(layer, diff_id)| Layer {
            digest: layer.digest,
            size: layer.size,
            media_type: layer.media_type,
            annotations: layer.annotations.unwrap_or_default(),
            diff_id,
        });
        Ok(Self {
            digest: found.manifest.digest,
            manifest_bytes: length(&found.manifest.bytes),
            media_type: found.manifest.media_type,
            index: found.index,
            id: found.config_digest,
            config: found.config,
            platform: found.machine,
            layers: layers.collect(),
        })
    }
}

impl Layer {
    pub(crate) const fn said(&self) -> LayerSaid<'_> {
        LayerSaid { media_type: self.media_type.as_str(), size: self.size, annotations: &self.annotations }
    }
}
