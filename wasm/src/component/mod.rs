//! The WIT component `shingle:core`: conversions only, one file for each interface of `wit/`.

#![allow(clippy::new_ret_no_self, reason = "what wit-bindgen hands out is a handle to the type")]

mod answer;
mod bindings;
mod errors;
mod http;
#[cfg(feature = "overlap")]
mod overlap;
mod pull;
mod tar_errors;
mod toc_errors;
mod types;
mod whole;
#[cfg(feature = "writer")]
mod write;
#[cfg(feature = "writer")]
mod write_errors;

/// What implements the worlds of `wit/world.wit`.
#[derive(Debug)]
struct Component;
