//! What `shingle plan --json` prints, byte for byte.

use serde::Serialize;

use crate::bindings::exports::shingle::core::pull::{self, Summary};
use crate::image::{Image, Layer};

/// The plan of an image.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The reference as it was given.
    pub image: String,
    /// The manifest's digest.
    pub digest: String,
    /// The layers, the lowest one first.
    pub layers: Vec<LayerReport>,
    /// The sums of all layers.
    pub total: Total,
}

/// The plan of a layer.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct LayerReport {
    /// The blob's digest.
    pub blob: String,
    /// The tar's digest.
    pub diff_id: String,
    /// How it is compressed.
    pub media_type: String,
    /// The blob's length.
    pub blob_bytes: u64,
    /// `partial`, `present` or `whole`.
    pub mode: &'static str,
    /// Why it is whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What is read to find and get the TOC.
    pub toc_bytes: u64,
    /// All that is read.
    pub fetched_bytes: u64,
    /// All requests.
    pub requests: u64,
    /// More, of a partial one.
    #[serde(flatten)]
    pub partial: Option<Partial>,
}

/// What only a partial layer has.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Partial {
    /// Bytes between wanted ones, fetched because that is cheaper than another request.
    pub bridged_bytes: u64,
    /// The lengths of all files.
    pub content_bytes: u64,
    /// Of these, what need not be fetched.
    pub reused_bytes: u64,
    /// The files.
    pub files: Files,
    /// All of it.
    #[serde(flatten)]
    pub full: Option<Full>,
}

/// Numbers of files.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Files {
    /// Regular files with content.
    pub total: u64,
    /// Taken whole from what is held.
    pub held: u64,
    /// The same as an earlier file of the layer.
    pub twins: u64,
    /// Put together from what is held.
    pub assembled: u64,
    /// Fetched in whole or in part.
    pub fetched: u64,
}

/// The plan itself.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Full {
    /// What to ask for: first byte, and the one behind the last.
    pub ranges: Vec<(u64, u64)>,
    /// Where each file comes from.
    pub sources: Vec<Planned>,
}

/// Where a file comes from.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Planned {
    /// The index of its entry.
    pub file: u32,
    /// Where from.
    #[serde(flatten)]
    pub source: Source,
}

/// Where a file comes from.
#[derive(Debug, Serialize)]
#[serde(tag = "from", rename_all = "lowercase")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the component's")]
pub enum Source {
    /// A file that is held.
    Held { digest: String, same_class: bool },
    /// An earlier file.
    Twin { of: u32, same_class: bool },
    /// Pieces.
    Assembled { fetched: bool, donated: Vec<Donated> },
}

/// A piece of a file that is held.
#[derive(Debug, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the component's")]
pub struct Donated {
    pub offset: u64,
    pub object: String,
    pub object_offset: u64,
    pub len: u64,
    pub digest: String,
}

/// Sums over all layers.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the sum of the layers' field of its name")]
pub struct Total {
    pub blob_bytes: u64,
    pub toc_bytes: u64,
    pub fetched_bytes: u64,
    pub requests: u64,
    pub bridged_bytes: u64,
    pub content_bytes: u64,
    pub reused_bytes: u64,
}

impl Report {
    pub(crate) fn new(image: &Image, layers: Vec<LayerReport>) -> Self {
        let mut total = Total::default();
        for layer in &layers {
            total.blob_bytes += layer.blob_bytes;
            total.toc_bytes += layer.toc_bytes;
            total.fetched_bytes += layer.fetched_bytes;
            total.requests += layer.requests;
            if let Some(partial) = &layer.partial {
                total.bridged_bytes += partial.bridged_bytes;
                total.content_bytes += partial.content_bytes;
                total.reused_bytes += partial.reused_bytes;
            }
        }
        Self { image: image.name.clone(), digest: image.digest.clone(), layers, total }
    }
}

impl LayerReport {
    pub(crate) fn present(layer: &Layer) -> Self {
        Self {
            blob: layer.blob.clone(),
            diff_id: layer.diff_id.clone(),
            media_type: layer.media_type.clone(),
            blob_bytes: layer.size,
            mode: "present",
            why: None,
            toc_bytes: 0,
            fetched_bytes: 0,
            requests: 0,
            partial: None,
        }
    }

    pub(crate) fn whole(layer: &Layer, why: String, toc_bytes: u64, requests: u64) -> Self {
        let fetched_bytes = toc_bytes.saturating_add(layer.size);
        let requests = requests.saturating_add(1);
        Self { mode: "whole", why: Some(why), toc_bytes, fetched_bytes, requests, ..Self::present(layer) }
    }

    pub(crate) fn partial(
        layer: &Layer,
        toc_bytes: u64,
        requests: u64,
        summary: &Summary,
        full: Option<Full>,
    ) -> Self {
        let partial = Partial {
            bridged_bytes: summary.bridged_bytes,
            content_bytes: summary.content_bytes,
            reused_bytes: summary.reused_bytes,
            files: Files {
                total: summary.files,
                held: summary.held,
                twins: summary.twins,
                assembled: summary.assembled,
                fetched: summary.fetched,
            },
            full,
        };
        Self {
            mode: "partial",
            toc_bytes,
            fetched_bytes: toc_bytes.saturating_add(summary.request_bytes),
            requests: requests.saturating_add(summary.requests),
            partial: Some(partial),
            ..Self::present(layer)
        }
    }
}

impl From<pull::PlannedFile> for Planned {
    fn from(planned: pull::PlannedFile) -> Self {
        let source = match planned.source {
            pull::Source::Held(held) => Source::Held { digest: held.digest, same_class: held.same_class },
            pull::Source::Twin(twin) => Source::Twin { of: twin.of, same_class: twin.same_class },
            pull::Source::Assembled(assembled) => Source::Assembled {
                fetched: assembled.fetched,
                donated: assembled.donated.into_iter().map(Donated::from).collect(),
            },
        };
        Self { file: planned.file, source }
    }
}

impl From<pull::Donated> for Donated {
    fn from(donated: pull::Donated) -> Self {
        let pull::Donated { offset, object, object_offset, len, digest } = donated;
        Self { offset, object, object_offset, len, digest }
    }
}
