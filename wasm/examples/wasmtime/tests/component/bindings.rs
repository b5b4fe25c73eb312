//! All of the world `shingle`, the writer included.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::as_conversions,
    clippy::or_fun_call,
    reason = "generated"
)]
#![allow(clippy::use_self, clippy::semicolon_if_nothing_returned, reason = "generated")]

wasmtime::component::bindgen!({ path: "../../wit", world: "shingle" });

pub(crate) use exports::shingle::core::{http, overlap, pull, types, whole, write};
