//! The core of Shingle for wasm hosts: conversions only.

#[cfg(feature = "browser")]
mod browser;
