//! An image as its documents describe it.

use std::collections::BTreeMap;

use shingle_core::{Digest, LayerSaid};

use crate::registry::Platform;
use crate::transport::{Source, TransferError};
use crate::verify::images;

/// An image: the digest of its manifest, which machine it is for, and its layers, the lowest one first.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    pub(crate) digest: Digest,
    pub(crate) platform: Option<Platform>,
    pub(crate) layers: Vec<Layer>,
}

/// A layer as manifest and config describe it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Layer {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) media_type: String,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) diff_id: Digest,
}

impl Described {
    /// Finds the one image that is meant.
    pub(crate) fn find(source: &dyn Source, platform: &Platform) -> Result<Self, TransferError> {
        let found = images(source, Some(platform))?.into_iter().next();
        let Some(image) = found else {
            return Ok(Self { digest: source.top()?.digest, platform: None, layers: Vec::new() });
        };
        let layers = image.layers.into_iter().filter_map(|claims| {
            Some(Layer {
                digest: claims.blob,
                size: claims.size,
                media_type: claims.media_type,
                annotations: claims.annotations,
                diff_id: claims.diff_id?,
            })
        });
        Ok(Self { digest: image.manifest, platform: image.machine, layers: layers.collect() })
    }
}

impl Layer {
    pub(crate) const fn said(&self) -> LayerSaid<'_> {
        LayerSaid { media_type: self.media_type.as_str(), size: self.size, annotations: &self.annotations }
    }
}
