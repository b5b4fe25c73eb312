//! What a pull did, and what it says while it does it.

use std::time::Duration;

use serde::{Serialize, Serializer};
use shingle_core::{Digest, Identity, Trust};

use super::layer::Pulled;
use crate::registry::ResolvedImage;
use crate::store::Placed;

/// What a pull did. Serialised, this is the object that `pull --json` prints.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PullReport {
    /// The full name of the image.
    pub image: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// Its layers, the lowest one first.
    pub layers: Vec<LayerReport>,
    /// Wall-clock seconds, from the manifest to the last rename.
    pub seconds: f64,
    /// Bytes of content that were written to disk; shared extents and links add nothing.
    pub store_bytes_added: u64,
    /// Files whose owner or mode is only noted, because root was not there to give it.
    #[serde(skip_serializing_if = "is_zero")]
    pub owners_noted: u64,
    /// Devices that an empty file stands in for, for the same reason.
    #[serde(skip_serializing_if = "is_zero")]
    pub devices_noted: u64,
    /// Xattrs that could not be set, for want of privilege or of a file system that has them.
    #[serde(skip_serializing_if = "is_zero")]
    pub xattrs_noted: u64,
}

/// What became of one layer.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct LayerReport {
    /// The digest of the blob.
    pub blob: Digest,
    /// The digest of the tar; the image's word for it where `trust` is [`Trust::Toc`].
    pub diff_id: Digest,
    /// The rung of the trust ladder that the layer was proven on.
    pub trust: Trust,
    /// The digest of the TOC, if the layer rests on that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toc_digest: Option<Digest>,
    /// The blob's media type.
    pub media_type: String,
    /// The blob's length.
    pub blob_bytes: u64,
    /// Everything read for the TOC: itself, the tar-split, the end of a blob that says where it lies; 0 without one.
    pub toc_bytes: u64,
    /// Everything read from the blob, TOC included, wherever that came from.
    pub fetched_bytes: u64,
    /// Content bytes that were here already, holes and files that the layer holds twice included.
    pub reused_bytes: u64,
    /// Requests for the blob.
    pub requests: u64,
    /// How it was pulled.
    pub mode: LayerMode,
    /// Why it was pulled whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How its files came into the tree.
    pub files: Placed,
    /// Chunks that its files were cut into by this pull, so that later layers can take them; see
    /// [`PullOptions::convert`](super::PullOptions::convert).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunks_indexed: Option<u64>,
}

impl LayerReport {
    /// Returns what the layer is known by in the store.
    pub fn identity(&self) -> Identity {
        self.toc_digest.map_or(Identity::DiffId(self.diff_id), Identity::Toc)
    }
}

/// How a layer was pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayerMode {
    /// By file.
    Partial,
    /// Not at all: it was here.
    Present,
    /// Front to back.
    Whole,
}

impl LayerMode {
    /// Returns the word for it in records and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::Present => "present",
            Self::Whole => "whole",
        }
    }
}

impl Serialize for LayerMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Hears how a pull goes on; called from several threads.
pub trait Reporter: Sync {
    /// The layers are known; they are numbered in this order from 0.
    fn begin(&self, layers: &[LayerStart]);
    /// A layer enters a phase.
    fn phase(&self, layer: usize, phase: Phase);
    /// It is decided how many bytes of a layer are fetched from now on, and how many of the blob never are.
    fn planned(&self, layer: usize, fetch_bytes: u64, skipped_bytes: u64);
    /// So many more bytes of a layer came.
    fn received(&self, layer: usize, bytes: u64);
    /// A layer is in the store.
    fn done(&self, layer: usize, report: &LayerReport);
}

/// A layer that is about to be pulled.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LayerStart {
    /// The digest of its blob.
    pub blob: Digest,
    /// The blob's length.
    pub size: u64,
}

/// What a layer is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Fetching data, and linking what is here.
    Fetching,
    /// Cutting the files of a layer that is here already into chunks.
    Indexing,
    /// Making it visible.
    Publishing,
    /// Fetching the table of contents.
    Toc,
    /// Waiting for the proof to catch up.
    Verifying,
    /// Waiting for its turn.
    Waiting,
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "nothing to add")]
pub struct Quiet;

impl Reporter for Quiet {
    fn begin(&self, _: &[LayerStart]) {}
    fn phase(&self, _: usize, _: Phase) {}
    fn planned(&self, _: usize, _: u64, _: u64) {}
    fn received(&self, _: usize, _: u64) {}
    fn done(&self, _: usize, _: &LayerReport) {}
}

impl PullReport {
    pub(super) fn new(image: &ResolvedImage, pulled: Vec<Pulled>, took: Duration) -> Self {
        let sum = |count: fn(&Pulled) -> u64| pulled.iter().map(count).sum();
        Self {
            image: image.reference.to_string(),
            digest: image.manifest_digest,
            seconds: took.as_secs_f64(),
            store_bytes_added: sum(|layer| layer.bytes_added),
            owners_noted: sum(|layer| layer.owners_noted),
            devices_noted: sum(|layer| layer.devices_noted),
            xattrs_noted: sum(|layer| layer.xattrs_noted),
            layers: pulled.into_iter().map(|layer| layer.report).collect(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}
