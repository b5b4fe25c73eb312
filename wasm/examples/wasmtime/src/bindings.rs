//! What `wasmtime` makes of `wasm/wit`: one function for each of the component's, its records as structs, its resources
//! as handles.
#![expect(missing_docs, reason = "generated; the documentation is in the WIT")]
#![allow(
    unreachable_pub,
    clippy::as_conversions,
    clippy::or_fun_call,
    clippy::use_self,
    clippy::semicolon_if_nothing_returned
)]

wasmtime::component::bindgen!({ path: "../../wit", world: "reader" });
