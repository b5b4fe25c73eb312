//! Shingle: pulls container images by file, not by layer.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that goes wrong should panic"))]

pub mod loopback;
pub mod pull;
pub mod registry;
pub mod store;
pub mod unpack;
