//! The core of Shingle for wasm hosts and browsers: conversions only, two faces over one core.
//!
//! Feature `component` makes the WIT component `shingle:core` (`wit/`), feature `browser` JavaScript classes for the npm
//! package (`npm/`); `cargo xtask wasm` builds both.

#[cfg(feature = "browser")]
mod browser;
#[cfg(feature = "component")]
mod component;
