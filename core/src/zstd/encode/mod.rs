//! The half of the seam that writes.

#[cfg(feature = "c-zstd")]
mod c;
#[cfg(all(feature = "ruzstd", not(feature = "c-zstd")))]
mod rust;

use alloc::vec::Vec;

#[cfg(feature = "c-zstd")]
pub(crate) use c::{Encoder, FrameEncoder};
#[cfg(all(feature = "ruzstd", not(feature = "c-zstd")))]
pub(crate) use rust::{Encoder, FrameEncoder};

/// How hard to look for matches, in zstd's own terms.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "c-zstd"), allow(dead_code, reason = "ruzstd has one level"))]
pub(crate) struct Effort {
    /// 5 looks for long matches (lazy2), 7 and 8 for the cheapest sequence of them (btopt, btultra).
    pub(crate) strategy: u32,
    pub(crate) window_log: u32,
    /// Of both tables.
    pub(crate) table_log: u32,
    pub(crate) search_log: u32,
    pub(crate) min_match: u32,
    /// A match of this length is taken without looking further.
    pub(crate) target: u32,
}

/// Compresses one of our own files into one frame, at a level that costs little.
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(3);
    encoder.write(bytes);
    encoder.finish()
}
