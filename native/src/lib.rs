//! Shingle: pulls container images by file, not by layer.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that goes wrong should panic"))]

pub mod config;
mod look;
pub mod loopback;
pub mod pack;
pub mod plan;
pub mod pull;
pub mod registry;
pub mod store;
pub mod transfer;
pub mod transport;
pub mod unpack;
pub mod verify;

/// The length of bytes in memory, as formats and wires count.
pub(crate) fn length(bytes: &[u8]) -> u64 {
    count(bytes.len())
}

/// A count in memory, as formats have it. Lossless: no supported target has wider addresses.
pub(crate) fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
