//! What a transfer says of itself.

use serde::Serialize;
use shingle_core::Digest;

/// What became of one blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BlobOutcome {
    /// It was brought there.
    Copied,
    /// The registry took it from another of its repositories.
    Mounted,
    /// It was there already.
    Present,
}

/// One blob, before it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlobStart {
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// One blob, after it was dealt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlobReport {
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// What became of it.
    pub outcome: BlobOutcome,
}

/// What a copy came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CopyReport {
    /// The digest of the manifest or index that the name leads to now.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// The digest of the manifest or index that was copied, where the place could not hold it as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_from: Option<Digest>,
    /// How many images were copied.
    pub images: usize,
    /// The blobs, each once.
    pub blobs: Vec<BlobReport>,
    /// Bytes of the blobs that were brought there.
    pub copied_bytes: u64,
    /// How long it took.
    pub seconds: f64,
}

/// What became of one layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RewrittenLayer {
    /// The digest of its tar, which is the same before and after.
    pub diff_id: Digest,
    /// The digest of its blob before.
    pub from: Digest,
    /// That blob's media type.
    pub from_media_type: String,
    /// That blob's length in bytes.
    pub from_size: u64,
    /// The digest of its blob now.
    pub to: Digest,
    /// That blob's media type.
    pub to_media_type: String,
    /// That blob's length in bytes.
    pub to_size: u64,
    /// The length of the table of contents in it, compressed.
    pub toc_bytes: u64,
    /// The length of the tar-split in it, compressed.
    pub tar_split_bytes: u64,
    /// Whether it was written anew.
    pub outcome: LayerOutcome,
    /// How the blob came to be there.
    pub sent: BlobOutcome,
    /// Why it was written anew, or was not.
    pub why: String,
    /// Why it is plain zstd, although zstd:chunked was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain: Option<String>,
}

/// Whether a layer was written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LayerOutcome {
    /// It stays as it was.
    Kept,
    /// It was written anew before; what it became then is there, and nothing was read.
    Recalled,
    /// It was written anew.
    Rewritten,
}

/// What a conversion or a push came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ConvertReport {
    /// The digest of the manifest or index that the name leads to now.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// The digest of the manifest or index that it was made from, if it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_from: Option<Digest>,
    /// How many manifests there are, attestations included.
    pub images: usize,
    /// The layers, each once.
    pub layers: Vec<RewrittenLayer>,
    /// All other blobs, each once.
    pub others: Vec<BlobReport>,
    /// How long it took.
    pub seconds: f64,
}

/// Is told how a transfer goes, from many threads.
pub trait Watcher: Sync {
    /// These blobs will be dealt with; they are numbered in this order.
    fn begin(&self, blobs: &[BlobStart]) {
        let _ = blobs;
    }

    /// Bytes of a blob have come here.
    fn fetched(&self, blob: usize, bytes: u64) {
        let _ = (blob, bytes);
    }

    /// Bytes of a blob have left, again where they had to leave again.
    fn sent(&self, blob: usize, bytes: u64) {
        let _ = (blob, bytes);
    }

    /// A blob is there.
    fn done(&self, blob: usize, report: &BlobReport) {
        let _ = (blob, report);
    }

    /// A layer is there, as it was or written anew.
    fn rewritten(&self, blob: usize, report: &RewrittenLayer) {
        let _ = (blob, report);
    }
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it")]
pub struct Quiet;

impl Watcher for Quiet {}
