//! The core of Shingle for wasm hosts and browsers: conversions only, two faces over one core.
//!
//! Feature `component` makes the WIT component `shingle:core` (`wit/`), built by `cargo xtask wasm`.

#[cfg(feature = "component")]
mod component;
