//! An image that the page may ask about.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::contents::{Described, Layer};
use crate::registry::Platform;
use crate::transport::{Source, TransferError};

/// An image: what it is called, where it lies, and what its documents say once somebody asked.
#[derive(Clone)]
pub(super) struct Image {
    pub(super) name: Arc<str>,
    pub(super) source: Arc<dyn Source>,
    described: Arc<Mutex<Option<Arc<Described>>>>,
}

impl Image {
    pub(super) fn new(name: String, source: Box<dyn Source>) -> Self {
        Self { name: name.into(), source: source.into(), described: Arc::default() }
    }

    /// Returns the image as its documents describe it; what they said first counts. Blocks.
    pub(super) fn described(&self, platform: &Platform) -> Result<Arc<Described>, TransferError> {
        let mut described = self.described.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(described) = &*described {
            return Ok(Arc::clone(described));
        }
        let found = Described::find(&*self.source, platform)?;
        Ok(Arc::clone(described.insert(Arc::new(found))))
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An image, for the page.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageSaid<'a> {
    r#ref: &'a str,
    digest: String,
    platform: Option<String>,
    layers: Vec<LayerSaid<'a>>,
    manifest_bytes: u64,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct LayerSaid<'a> {
    blob: String,
    diff_id: String,
    media_type: &'a str,
    size: u64,
    annotations: &'a std::collections::BTreeMap<String, String>,
}

impl<'a> ImageSaid<'a> {
    pub(super) fn new(name: &'a str, described: &'a Described) -> Self {
        Self {
            r#ref: name,
            digest: described.digest.to_string(),
            platform: described.platform.as_ref().map(ToString::to_string),
            layers: described.layers.iter().map(LayerSaid::new).collect(),
            manifest_bytes: described.manifest_bytes,
        }
    }
}

impl<'a> LayerSaid<'a> {
    fn new(layer: &'a Layer) -> Self {
        Self {
            blob: layer.digest.to_string(),
            diff_id: layer.diff_id.to_string(),
            media_type: &layer.media_type,
            size: layer.size,
            annotations: &layer.annotations,
        }
    }
}
