//! The core of Shingle for wasm hosts: conversions only.
