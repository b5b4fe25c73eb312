//! A blob front to back, as flat arrays.

use js_sys::{Float64Array, Uint8Array, Uint32Array};
use shingle_core::forecast as core_forecast;
use shingle_core::forecast::State;

use crate::browser::record::{number, record};

record! {
    /// A blob front to back: arrays of one length, which cover it from 0 to `blobBytes` without gap or overlap.
    StripParts as ForecastStrip {
        /// Where each stretch begins.
        starts: Float64Array = "starts: Float64Array",
        /// Where it ends.
        ends: Float64Array = "ends: Float64Array",
        /// The entry whose content the frames hold, the first of several; 0xffffffff where there is none.
        entries: Uint32Array = "entries: Uint32Array",
        /// Which of the entry's chunks; 0xffffffff where there is none.
        chunks: Uint32Array = "chunks: Uint32Array",
        /// 0 fetched, 1 fetched to save a request and dropped, 2 not fetched because it is here, 3 not fetched because
        /// nothing needs it, 4 TOC, 5 tar-split, 6 footer.
        states: Uint8Array = "states: Uint8Array",
        /// The length of the blob.
        blob_bytes: u64 = "blobBytes: number",
    }
}

pub(super) fn strip(strip: &core_forecast::Strip) -> StripParts {
    let rows = || strip.stretches.iter();
    let offsets = |of: fn(&core_forecast::Stretch) -> u64| -> Float64Array {
        rows().map(|row| number(of(row))).collect::<Vec<_>>().as_slice().into()
    };
    let indices = |of: fn(&core_forecast::Stretch) -> Option<u32>| -> Uint32Array {
        rows().map(|row| of(row).unwrap_or(u32::MAX)).collect::<Vec<_>>().as_slice().into()
    };
    StripParts {
        starts: offsets(|row| row.start),
        ends: offsets(|row| row.end),
        entries: indices(|row| row.chunk.map(|(entry, _)| entry)),
        chunks: indices(|row| row.chunk.map(|(_, chunk)| chunk)),
        states: rows().map(|row| state(row.state)).collect::<Vec<_>>().as_slice().into(),
        blob_bytes: strip.blob_bytes,
    }
}

const fn state(state: State) -> u8 {
    match state {
        State::Fetched => 0,
        State::Bridged => 1,
        State::Reused => 2,
        State::Skipped => 3,
        State::Toc => 4,
        State::TarSplit => 5,
        State::Footer => 6,
    }
}
