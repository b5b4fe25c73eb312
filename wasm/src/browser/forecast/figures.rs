//! The figures of a forecast, as plain objects.

use js_sys::Array;
use shingle_core::forecast as core_forecast;
use shingle_core::forecast::Mode;

use crate::browser::record::{array, number, record};

record! {
    /// Where regular files with content would come from. What is held whole is counted by the way that is tried first.
    FilesParts as ForecastFiles {
        /// All of them.
        total: u64 = "total: number",
        /// One more name of a file that is here.
        hardlinked: u64 = "hardlinked: number",
        /// A file that shares the extents of one that is here.
        cloned: u64 = "cloned: number",
        /// A copy of a file that is here.
        copied: u64 = "copied: number",
        /// The same as an earlier file of the layer.
        twins: u64 = "twins: number",
        /// Put together from parts that are here and holes.
        assembled: u64 = "assembled: number",
        /// Fetched in whole or in part.
        fetched: u64 = "fetched: number",
    }
}

record! {
    /// What would become of one layer.
    LayerParts as LayerForecast {
        /// Whether it is here, taken whole, or by file.
        mode: &'static str = "mode: \"present\" | \"whole\" | \"partial\"",
        /// Why it is taken whole.
        why: Option<String> = "why: string | undefined",
        /// The length of its blob.
        blob_bytes: u64 = "blobBytes: number",
        /// What is read before the pull decides.
        toc_bytes: u64 = "tocBytes: number",
        /// Everything read from the blob, `tocBytes` included.
        fetched_bytes: u64 = "fetchedBytes: number",
        /// Requests for the blob.
        requests: u64 = "requests: number",
        /// Of `fetchedBytes`, those in gaps that are cheaper to fetch than to skip.
        bridged_bytes: u64 = "bridgedBytes: number",
        /// Uncompressed bytes of all files, if it is taken by file.
        content_bytes: u64 = "contentBytes: number",
        /// Of these, what is here already.
        reused_bytes: u64 = "reusedBytes: number",
        /// Where its files come from, if it is taken by file.
        files: FilesParts = "files: ForecastFiles",
    }
}

record! {
    /// All layers together; what only layers taken by file have is counted of those alone.
    TotalParts as ForecastTotal {
        /// Lengths of blobs.
        blob_bytes: u64 = "blobBytes: number",
        /// What is read before the pull decides.
        toc_bytes: u64 = "tocBytes: number",
        /// Everything read from blobs.
        fetched_bytes: u64 = "fetchedBytes: number",
        /// Requests for blobs.
        requests: u64 = "requests: number",
        /// Bytes in gaps.
        bridged_bytes: u64 = "bridgedBytes: number",
        /// Uncompressed bytes of files.
        content_bytes: u64 = "contentBytes: number",
        /// Of these, what is here.
        reused_bytes: u64 = "reusedBytes: number",
        /// Where files come from.
        files: FilesParts = "files: ForecastFiles",
    }
}

record! {
    /// What a pull of an image would do.
    FiguresParts as ForecastFigures {
        /// Its layers, lowest first.
        layers: Array = "layers: LayerForecast[]",
        /// All layers together.
        total: TotalParts = "total: ForecastTotal",
        /// How long the link is busy: `fetchedBytes` at the policy's bandwidth, and a round trip for each `inFlight` requests.
        seconds: f64 = "seconds: number",
    }
}

pub(super) fn figures(forecast: &core_forecast::ImageForecast) -> FiguresParts {
    let total = forecast.total();
    FiguresParts {
        layers: array(forecast.layers().map(layer)),
        total: TotalParts {
            blob_bytes: total.blob_bytes,
            toc_bytes: total.toc_bytes,
            fetched_bytes: total.fetched_bytes,
            requests: total.requests,
            bridged_bytes: total.bridged_bytes,
            content_bytes: total.content_bytes,
            reused_bytes: total.reused_bytes,
            files: files(total.files),
        },
        seconds: number(forecast.microseconds()) / 1e6,
    }
}

fn layer(layer: &core_forecast::LayerForecast) -> LayerParts {
    let (mode, why) = match &layer.mode {
        Mode::Partial => ("partial", None),
        Mode::Present => ("present", None),
        Mode::Whole(why) => ("whole", Some(why.clone())),
    };
    LayerParts {
        mode,
        why,
        blob_bytes: layer.blob_bytes,
        toc_bytes: layer.toc_bytes,
        fetched_bytes: layer.fetched_bytes,
        requests: layer.requests,
        bridged_bytes: layer.bridged_bytes,
        content_bytes: layer.content_bytes,
        reused_bytes: layer.reused_bytes,
        files: files(layer.files),
    }
}

const fn files(files: core_forecast::FileMethods) -> FilesParts {
    FilesParts {
        total: files.total,
        hardlinked: files.hardlinked,
        cloned: files.cloned,
        copied: files.copied,
        twins: files.twins,
        assembled: files.assembled,
        fetched: files.fetched,
    }
}
