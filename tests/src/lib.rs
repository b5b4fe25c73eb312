//! What the end-to-end tests share: a comparer of trees, writers of layers and images, and ways to run `shingle`.
//!
//! Nothing here reads a layer with Shingle's own reader: the comparer is the oracle.

#![allow(
    clippy::as_conversions,
    clippy::unwrap_used,
    reason = "a test that goes wrong should panic, and numbers here are small"
)]

pub mod chunked;
pub mod cli;
pub mod compare;
pub mod layout;
pub mod need;
pub mod peers;
pub mod stargz;
pub mod tree;

use std::path::PathBuf;

/// Returns a file or directory below `tests/`.
pub fn here(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}
