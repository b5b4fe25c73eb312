//! What images hold, from their tables of contents, without pulling.
//!
//! [`read`] reads manifest, config and tables of contents of one image, [`read_all`] those of several, each layer once. A
//! layer without a usable table of contents is read to its end, once: a [`Cache`] keeps what is in it, and that of the
//! others, too. Nothing else is fetched, and nothing is stored.
//!
//! ```
//! use shingle::contents::{Quiet, ReadOptions, read};
//! use shingle::registry::{Client, ClientOptions};
//! use shingle::transport::open_source;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = concat!("oci:", env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo:v1");
//! let client = Client::new(ClientOptions::default())?;
//! let source = open_source(&name.parse()?, &client)?;
//! let contents = read(name, &*source, &ReadOptions::default(), &Quiet)?;
//! let files: usize = contents.layers.iter().map(|layer| layer.toc.files().count()).sum();
//! assert!(files > 0 && contents.spent().bytes < contents.blob_bytes() / 2);
//! # Ok(())
//! # }
//! ```

mod cache;
mod error;
mod export;
mod image;
mod known;
mod layer;
mod read;
mod reading;
mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;

use shingle_core::overlap::Pulled;
use shingle_core::{Digest, Identity, Policy, Reason, Toc, Trust};

pub use cache::Cache;
pub use error::{ContentsError, LayerFault};
pub use export::{ExportError, Exported, export, export_to};
pub use image::{Described, Layer};
pub(crate) use read::read_layers;
pub use read::{read, read_all};
pub(crate) use reading::Reading;

use crate::registry::Platform;
use crate::store::Store;

/// How to read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadOptions<'a> {
    /// Which image of an index.
    pub platform: Platform,
    /// How a pull would be made: which layers it takes by file depends on how far they must be proven.
    pub policy: Policy,
    /// How many layers are read at once.
    pub parallel_layers: usize,
    /// Whether a TOC that nothing but the manifest vouches for is good enough to look at, also where a pull would take the
    /// layer whole because it must be proven further: it is not read whole then.
    pub vouched_is_enough: bool,
    /// What is kept for the next reading, and from the one before.
    pub cache: Option<&'a Cache>,
    /// A store that may hold layers which would have to be read whole.
    pub store: Option<&'a Store>,
}

/// What an image holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Contents {
    /// The image, as it was called.
    pub name: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The machine that it is for, by its config's word.
    pub platform: Option<Platform>,
    /// Its layers as listed, the lowest one first.
    pub layers: Vec<LayerContents>,
}

/// What a layer holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LayerContents {
    /// The digest of the blob.
    pub blob: Digest,
    /// The digest of the tar, by the image's word.
    pub diff_id: Digest,
    /// The blob's media type.
    pub media_type: String,
    /// The blob's length in bytes.
    pub blob_bytes: u64,
    /// What the manifest notes about it.
    pub annotations: BTreeMap<String, String>,
    /// Its members. Where their chunks lie in the blob is known of what came [by its TOC](Came::ByToc) only.
    pub toc: Arc<Toc>,
    /// What vouches for the TOC: the DiffID, or nothing but the manifest.
    pub trust: Trust,
    /// The digest that the manifest names the TOC by, if the layer came by it.
    pub vouched: Option<Digest>,
    /// How a pull would take it.
    pub pulled: PulledAs,
    /// How its contents came to be known.
    pub came: Came,
    /// Whether the cache had them.
    pub from_cache: bool,
    /// What a pull reads of the blob before it decides, in bytes.
    pub toc_bytes: u64,
    /// The same in requests.
    pub toc_requests: u64,
    /// What was read of the blob now; of a layer that several images have, at the first.
    pub read_bytes: u64,
    /// The same in requests.
    pub read_requests: u64,
}

/// How a pull would take a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum PulledAs {
    /// By file.
    ByFile,
    /// Front to back, for this reason.
    Whole(Reason),
}

/// How a layer's contents came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "every match should name them all")]
pub enum Came {
    /// By its TOC.
    ByToc,
    /// A store holds it.
    Store,
    /// All of it was read, now or before.
    Whole,
}

/// What was read of blobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spent {
    /// Bytes of blobs.
    pub bytes: u64,
    /// Requests for them.
    pub requests: u64,
    /// How many layers the cache had.
    pub cached_layers: u64,
}

/// Hears of layers that are read whole, which takes time. Called from several threads.
pub trait Watcher: Sync {
    /// A layer of an image is about to be read whole: the digest and the length of its blob, and why.
    fn whole(&self, image: &str, blob: &Digest, size: u64, why: &Reason) {
        let _ = (image, blob, size, why);
    }

    /// So many bytes more of a blob came.
    fn received(&self, blob: &Digest, bytes: u64) {
        let _ = (blob, bytes);
    }

    /// A blob was read to its end.
    fn done(&self, blob: &Digest) {
        let _ = blob;
    }
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it")]
pub struct Quiet;

impl Watcher for Quiet {}

impl Default for ReadOptions<'_> {
    fn default() -> Self {
        Self {
            platform: Platform::host(),
            policy: Policy::default(),
            parallel_layers: 4,
            vouched_is_enough: true,
            cache: None,
            store: None,
        }
    }
}

impl Contents {
    /// Returns what was read of the image's blobs.
    pub fn spent(&self) -> Spent {
        Spent::of(&self.layers)
    }

    /// Returns what the blobs of its layers measure, each layer once.
    pub fn blob_bytes(&self) -> u64 {
        let blobs: BTreeMap<_, _> = self.layers.iter().map(|layer| (layer.blob, layer.blob_bytes)).collect();
        blobs.into_values().fold(0, u64::saturating_add)
    }

    /// Returns the layers as what an overlap compares.
    pub fn overlap_layers(&self) -> Vec<shingle_core::overlap::Layer<'_>> {
        self.layers.iter().map(Into::into).collect()
    }
}

impl LayerContents {
    fn new(layer: &Layer, toc: Arc<Toc>) -> Self {
        Self {
            blob: layer.digest,
            diff_id: layer.diff_id,
            media_type: layer.media_type.clone(),
            blob_bytes: layer.size,
            annotations: layer.annotations.clone(),
            toc,
            trust: Trust::DiffId,
            vouched: None,
            pulled: PulledAs::ByFile,
            came: Came::ByToc,
            from_cache: false,
            toc_bytes: 0,
            toc_requests: 0,
            read_bytes: 0,
            read_requests: 0,
        }
    }

    /// Returns what a store would know the layer by, pulled as far as its TOC is vouched for.
    pub const fn identity(&self) -> Identity {
        match (self.trust, self.vouched) {
            (Trust::Toc, Some(toc)) => Identity::Toc(toc),
            _ => Identity::DiffId(self.diff_id),
        }
    }
}

impl<'a> From<&'a LayerContents> for shingle_core::overlap::Layer<'a> {
    fn from(layer: &'a LayerContents) -> Self {
        Self {
            toc: &layer.toc,
            blob: Some(layer.blob),
            diff_id: Some(layer.diff_id),
            blob_len: layer.blob_bytes,
            pulled: match layer.pulled {
                PulledAs::ByFile => Pulled::ByFile,
                PulledAs::Whole(_) => Pulled::Whole,
            },
        }
    }
}

impl Spent {
    pub(crate) fn of(layers: &[LayerContents]) -> Self {
        let sum = |of: fn(&LayerContents) -> u64| layers.iter().map(of).fold(0, u64::saturating_add);
        Self {
            bytes: sum(|layer| layer.read_bytes),
            requests: sum(|layer| layer.read_requests),
            cached_layers: sum(|layer| u64::from(layer.from_cache)),
        }
    }
}
