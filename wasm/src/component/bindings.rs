//! What wit-bindgen makes of `wit/`.

#![allow(
    clippy::all,
    clippy::as_conversions,
    clippy::map_err_ignore,
    clippy::needless_pass_by_value,
    clippy::semicolon_if_nothing_returned,
    clippy::unwrap_used,
    clippy::use_self,
    dead_code,
    elided_lifetimes_in_paths,
    missing_debug_implementations,
    missing_docs,
    trivial_numeric_casts,
    unnameable_types,
    unreachable_pub,
    unsafe_code,
    unused_qualifications,
    reason = "generated"
)]

#[cfg(not(feature = "overlap"))]
wit_bindgen::generate!({ world: "reader", path: "wit" });
#[cfg(all(feature = "overlap", not(feature = "writer")))]
wit_bindgen::generate!({ world: "inspector", path: "wit" });
#[cfg(feature = "writer")]
wit_bindgen::generate!({ world: "shingle", path: "wit" });

#[cfg(feature = "overlap")]
pub(super) use exports::shingle::core::overlap;
#[cfg(feature = "writer")]
pub(super) use exports::shingle::core::write;
pub(super) use exports::shingle::core::{errors, http, pull, tar_errors, toc_errors, types, whole};

use super::Component;

export!(Component);
