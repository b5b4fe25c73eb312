//! Pulls into a store, and what becomes of the store: against a registry in this process.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test looks at what was made")]
#![allow(clippy::unwrap_used, reason = "a test that goes wrong should panic")]

mod chunks;
mod scene;
mod trees;
mod upkeep;

use scene::{
    Layer, Scene, chunked, compressed, cut, device, dir, file, mistaken, plain, spoilt, zstd_chunked,
};
use shingle_core::LinkMode;

/// Bytes that do not compress to nothing, different for each seed.
fn noise(mut seed: u32, len: usize) -> Vec<u8> {
    let step = |_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    };
    (0..len).map(step).collect()
}
