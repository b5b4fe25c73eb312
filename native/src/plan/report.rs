//! A forecast, for programs: serialised, these are what `plan --json` prints, key for key in this order.

use serde::Serialize;
use shingle_core::{Cost, Digest, Plan, Source};

use super::Price;
use crate::contents::Reading;

/// What a pull of an image would cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanReport {
    /// The image, as it was called.
    pub image: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// Its layers, the lowest one first. Each is planned against what is given alone, not against those below it.
    pub layers: Vec<LayerPlan>,
    /// All layers together.
    pub total: Total,
    /// What the same pull would cost over each of [`PlanOptions::compare`](super::PlanOptions::compare).
    #[serde(skip)]
    pub compared: Vec<Compared>,
}

/// What would become of one layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LayerPlan {
    /// The digest of the blob.
    pub blob: Digest,
    /// The digest of the tar, by the image's word.
    pub diff_id: Digest,
    /// The blob's media type.
    pub media_type: String,
    /// The blob's length.
    pub blob_bytes: u64,
    /// How it would be pulled, and for what.
    #[serde(flatten)]
    pub forecast: Forecast,
}

/// How a layer would be pulled; `mode` in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "the words of a pull's report")]
pub enum Forecast {
    /// By file.
    Partial(Partial),
    /// Front to back.
    Whole(Whole),
    /// Not at all: it is here, or below.
    Present(Present),
}

/// A layer that would be pulled by file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Partial {
    /// Everything read for the TOC: itself, the tar-split, the end of a blob that says where it lies.
    pub toc_bytes: u64,
    /// Everything read from the blob: `toc_bytes` and the requests for data.
    pub fetched_bytes: u64,
    /// Requests for the blob, those for the TOC included.
    pub requests: u64,
    /// Of `fetched_bytes`, those in gaps that are cheaper to fetch than to skip.
    pub bridged_bytes: u64,
    /// Uncompressed bytes of all files.
    pub content_bytes: u64,
    /// Of these, what is here already, holes and files that the layer holds twice included.
    pub reused_bytes: u64,
    /// Where its files would come from.
    pub files: Files,
    /// The ranges of the requests for data, each from its first byte to behind its last: ascending, disjoint. Only with
    /// [`PlanOptions::full`](super::PlanOptions::full).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranges: Option<Vec<[u64; 2]>>,
    /// Where each regular file with content would come from, in the order of the tar. Only with
    /// [`PlanOptions::full`](super::PlanOptions::full).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<PlannedSource>>,
}

/// A layer that would be pulled whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Whole {
    /// Why.
    pub why: String,
    /// What is read to find that out.
    pub toc_bytes: u64,
    /// `toc_bytes` and the blob.
    pub fetched_bytes: u64,
    /// Requests for the blob, those for the TOC included.
    pub requests: u64,
}

/// A layer that costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Present {
    /// Always 0.
    pub toc_bytes: u64,
    /// Always 0.
    pub fetched_bytes: u64,
    /// Always 0.
    pub requests: u64,
}

/// Where a layer's regular files with content would come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Files {
    /// All of them.
    pub total: u64,
    /// Taken as they are from what is here.
    pub held: u64,
    /// The same as an earlier file of the layer.
    pub twins: u64,
    /// Put together from parts that are here and holes.
    pub assembled: u64,
    /// Fetched in whole or in part.
    pub fetched: u64,
}

/// Where one file would come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedSource {
    /// The index of its entry in the TOC.
    pub file: usize,
    /// Where it would come from.
    #[serde(flatten)]
    pub from: SourceOf,
}

/// Where a file would come from; `from` in JSON. See [`Source`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "as exhaustive as what is planned")]
pub enum SourceOf {
    /// A file with the same content is here.
    Held {
        /// The content's digest.
        digest: Digest,
        /// Whether it is held under the same metadata.
        same_class: bool,
    },
    /// An earlier file of the layer has the same content.
    Twin {
        /// The index of its entry.
        of: usize,
        /// Whether their metadata agree.
        same_class: bool,
    },
    /// Put together.
    Assembled {
        /// Whether anything is fetched for it.
        fetched: bool,
        /// What is here.
        donated: Vec<DonatedPiece>,
    },
}

/// A piece of a file that is here as a part of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DonatedPiece {
    /// Where it goes in the file.
    pub offset: u64,
    /// The content that it is in.
    pub object: Digest,
    /// Where in that.
    pub object_offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// The digest it must have.
    pub digest: Digest,
}

/// All layers together. What only layers that are pulled by file have is counted of those alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Total {
    /// Lengths of the blobs.
    pub blob_bytes: u64,
    /// What is read for TOCs.
    pub toc_bytes: u64,
    /// Everything read from blobs.
    pub fetched_bytes: u64,
    /// Requests for blobs.
    pub requests: u64,
    /// Bytes in gaps.
    pub bridged_bytes: u64,
    /// Uncompressed bytes of files.
    pub content_bytes: u64,
    /// Of these, what is here.
    pub reused_bytes: u64,
}

/// What a pull would cost over another link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compared {
    /// The link.
    pub cost: Cost,
    /// Everything read from blobs.
    pub fetched_bytes: u64,
    /// Requests for blobs.
    pub requests: u64,
}

impl PlanReport {
    pub(super) fn new(
        name: &str,
        digest: Digest,
        layers: Vec<LayerPlan>,
        costs: &[Cost],
        prices: &[Vec<Price>],
    ) -> Self {
        let mut total = Total::default();
        layers.iter().for_each(|layer| total.add(layer));
        let compared = costs.iter().enumerate().map(|(number, cost)| {
            // Layers that are here have no prices.
            let of_layers = prices.iter().filter_map(|prices| prices.get(number));
            let (fetched_bytes, requests) = of_layers.fold((0_u64, 0_u64), |(bytes, requests), price| {
                (bytes.saturating_add(price.0), requests.saturating_add(price.1))
            });
            Compared { cost: *cost, fetched_bytes, requests }
        });
        Self { image: name.to_owned(), digest, compared: compared.collect(), layers, total }
    }
}

impl Forecast {
    /// Returns the word for it in reports.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Partial(_) => "partial",
            Self::Whole(_) => "whole",
            Self::Present(_) => "present",
        }
    }

    /// Returns everything that would be read of the layer's blob, in bytes, and in how many requests.
    pub const fn price(&self) -> (u64, u64) {
        match self {
            Self::Partial(partial) => (partial.fetched_bytes, partial.requests),
            Self::Whole(whole) => (whole.fetched_bytes, whole.requests),
            Self::Present(_) => (0, 0),
        }
    }

    pub(super) fn partial(plan: &Plan, reading: &Reading<'_>, full: bool) -> Self {
        let summary = plan.summary();
        let files = Files {
            total: summary.files,
            held: summary.held,
            twins: summary.twins,
            assembled: summary.assembled,
            fetched: summary.fetched,
        };
        let ranges = || plan.requests().map(|range| [range.start, range.end]).collect();
        let sources = || {
            let planned = plan.files().iter();
            planned
                .map(|planned| PlannedSource {
                    file: planned.file.index(),
                    from: SourceOf::new(&planned.source),
                })
                .collect()
        };
        Self::Partial(Partial {
            toc_bytes: reading.bytes,
            fetched_bytes: reading.bytes.saturating_add(summary.request_bytes),
            requests: reading.requests.saturating_add(summary.requests),
            bridged_bytes: summary.bridged_bytes,
            content_bytes: summary.content_bytes,
            reused_bytes: summary.reused_bytes,
            files,
            ranges: full.then(ranges),
            sources: full.then(sources),
        })
    }
}

impl SourceOf {
    fn new(source: &Source) -> Self {
        match source {
            Source::Held { digest, same_class } => Self::Held { digest: *digest, same_class: *same_class },
            Source::Twin { of, same_class } => Self::Twin { of: of.index(), same_class: *same_class },
            Source::Assembled { donated, fetched } => {
                let donated = donated.iter().map(|piece| DonatedPiece {
                    offset: piece.offset,
                    object: piece.chunk.object,
                    object_offset: piece.chunk.offset,
                    len: piece.chunk.len,
                    digest: piece.digest,
                });
                Self::Assembled { fetched: *fetched, donated: donated.collect() }
            }
        }
    }
}

impl Total {
    fn add(&mut self, layer: &LayerPlan) {
        let add = |to: &mut u64, value: u64| *to = to.saturating_add(value);
        let (fetched_bytes, requests) = layer.forecast.price();
        add(&mut self.blob_bytes, layer.blob_bytes);
        add(&mut self.fetched_bytes, fetched_bytes);
        add(&mut self.requests, requests);
        match &layer.forecast {
            Forecast::Partial(partial) => {
                add(&mut self.toc_bytes, partial.toc_bytes);
                add(&mut self.bridged_bytes, partial.bridged_bytes);
                add(&mut self.content_bytes, partial.content_bytes);
                add(&mut self.reused_bytes, partial.reused_bytes);
            }
            Forecast::Whole(whole) => add(&mut self.toc_bytes, whole.toc_bytes),
            Forecast::Present(_) => {}
        }
    }
}
