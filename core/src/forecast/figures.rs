//! A forecast in figures.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Known, Strip};
use crate::plan::{Source, Summary};
use crate::{Cost, LinkMode, Method, Plan};

/// What a pull of an image would do.
#[derive(Clone, Debug)]
pub struct ImageForecast {
    layers: Vec<Planned>,
    total: Total,
    cost: Cost,
}

/// A layer, and what becomes of it.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) known: Known,
    pub(super) forecast: LayerForecast,
    /// Of a layer that is pulled by file.
    pub(super) plan: Option<Plan>,
}

/// What would become of one layer; as of `shingle plan`, whose report has the same figures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerForecast {
    /// How it would be pulled.
    pub mode: Mode,
    /// The blob's length.
    pub blob_bytes: u64,
    /// Everything read before the pull decides: TOC, tar-split, the end of a blob that says where they lie.
    pub toc_bytes: u64,
    /// Everything read from the blob: `toc_bytes`, and the requests for data or the whole blob.
    pub fetched_bytes: u64,
    /// Requests for the blob, those for the TOC included.
    pub requests: u64,
    /// Of `fetched_bytes`, those in gaps that are cheaper to fetch than to skip.
    pub bridged_bytes: u64,
    /// Uncompressed bytes of all files; 0 unless it is pulled by file.
    pub content_bytes: u64,
    /// Of these, what is here already, holes and files that the layer holds twice included.
    pub reused_bytes: u64,
    /// Where its files would come from; nothing unless it is pulled by file.
    pub files: FileMethods,
}

/// How a layer would be pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the words of a pull's report")]
pub enum Mode {
    /// By file.
    Partial,
    /// Not at all: it is here, or below.
    Present,
    /// Front to back, for this reason.
    Whole(String),
}

/// Where regular files with content would come from. What is held whole is counted by the way that would be tried first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileMethods {
    /// All of them.
    pub total: u64,
    /// One more name of a file that is here.
    pub hardlinked: u64,
    /// A file that shares the extents of one that is here.
    pub cloned: u64,
    /// A copy of a file that is here.
    pub copied: u64,
    /// The same as an earlier file of the layer.
    pub twins: u64,
    /// Put together from parts that are here and holes.
    pub assembled: u64,
    /// Fetched in whole or in part.
    pub fetched: u64,
}

/// All layers together. What only layers that are pulled by file have is counted of those alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// Where files come from.
    pub files: FileMethods,
}

impl ImageForecast {
    pub(super) fn new(layers: Vec<Planned>, cost: Cost) -> Self {
        let mut total = Total::default();
        layers.iter().for_each(|layer| total.add(&layer.forecast));
        Self { layers, total, cost }
    }

    /// Returns what would become of each layer, the lowest one first.
    pub fn layers(&self) -> impl ExactSizeIterator<Item = &LayerForecast> {
        self.layers.iter().map(|layer| &layer.forecast)
    }

    /// Returns the figures of all layers together.
    pub const fn total(&self) -> &Total {
        &self.total
    }

    /// Returns how long the link is busy, in microseconds: [`Cost::microseconds`] of all bytes and requests.
    pub fn microseconds(&self) -> u64 {
        self.cost.microseconds(self.total.fetched_bytes, self.total.requests)
    }

    /// Returns the blob of a layer front to back, with what becomes of each byte; `None` for no such layer.
    pub fn strip(&self, layer: usize) -> Option<Strip> {
        let Planned { known, forecast, plan } = self.layers.get(layer)?;
        Some(Strip::new(known, &forecast.mode, plan.as_ref()))
    }
}

impl LayerForecast {
    pub(super) fn present(known: &Known) -> Self {
        Self {
            mode: Mode::Present,
            blob_bytes: known.layer().blob_len,
            toc_bytes: 0,
            fetched_bytes: 0,
            requests: 0,
            bridged_bytes: 0,
            content_bytes: 0,
            reused_bytes: 0,
            files: FileMethods::default(),
        }
    }

    pub(super) fn whole(known: &Known, why: String, toc_bytes: u64, toc_requests: u64) -> Self {
        Self {
            mode: Mode::Whole(why),
            toc_bytes,
            fetched_bytes: toc_bytes.saturating_add(known.layer().blob_len),
            requests: toc_requests.saturating_add(1),
            ..Self::present(known)
        }
    }

    pub(super) fn partial(known: &Known, plan: &Plan, link: LinkMode) -> Self {
        let summary = plan.summary();
        Self {
            mode: Mode::Partial,
            blob_bytes: known.layer().blob_len,
            toc_bytes: known.toc_bytes(),
            fetched_bytes: known.toc_bytes().saturating_add(summary.request_bytes),
            requests: known.toc_requests().saturating_add(summary.requests),
            bridged_bytes: summary.bridged_bytes,
            content_bytes: summary.content_bytes,
            reused_bytes: summary.reused_bytes,
            files: FileMethods::of(plan, &summary, link),
        }
    }
}

impl FileMethods {
    fn of(plan: &Plan, summary: &Summary, link: LinkMode) -> Self {
        let Summary { files: total, twins, assembled, fetched, .. } = *summary;
        let mut files = Self { total, twins, assembled, fetched, ..Self::default() };
        for planned in plan.files() {
            let Source::Held { same_class, .. } = planned.source else { continue };
            let count = match link.first(same_class) {
                Method::Hardlink => &mut files.hardlinked,
                Method::Reflink => &mut files.cloned,
                Method::Copy => &mut files.copied,
            };
            *count = count.saturating_add(1);
        }
        files
    }

    fn add(&mut self, other: &Self) {
        let Self { total, hardlinked, cloned, copied, twins, assembled, fetched } = *other;
        for (to, value) in [
            (&mut self.total, total),
            (&mut self.hardlinked, hardlinked),
            (&mut self.cloned, cloned),
            (&mut self.copied, copied),
            (&mut self.twins, twins),
            (&mut self.assembled, assembled),
            (&mut self.fetched, fetched),
        ] {
            *to = to.saturating_add(value);
        }
    }
}

impl Total {
    fn add(&mut self, layer: &LayerForecast) {
        for (to, value) in [
            (&mut self.blob_bytes, layer.blob_bytes),
            (&mut self.toc_bytes, layer.toc_bytes),
            (&mut self.fetched_bytes, layer.fetched_bytes),
            (&mut self.requests, layer.requests),
            (&mut self.bridged_bytes, layer.bridged_bytes),
            (&mut self.content_bytes, layer.content_bytes),
            (&mut self.reused_bytes, layer.reused_bytes),
        ] {
            *to = to.saturating_add(value);
        }
        self.files.add(&layer.files);
    }
}
