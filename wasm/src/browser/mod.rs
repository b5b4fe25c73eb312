//! JavaScript classes over the core, with their TypeScript types: the WIT package in camel case.
//!
//! What WIT calls a resource is a class, a record is a plain object, a variant an object with a `tag` and mostly a `val`,
//! an enum a string. Numbers are JavaScript's: lengths and offsets are exact, because the limits keep them below 2^53, and
//! what a caller gives must be whole and below that too. Methods that end their object (`finish`, `close`) leave a handle
//! that throws when it is used again. Errors are thrown ([`error`]); none of them is a trap.

#![allow(
    unnameable_types,
    unreachable_pub,
    clippy::missing_errors_doc,
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen wants what it exports to be public and to take values; what is thrown is said in the types"
)]

mod basis;
mod error;
mod fetch;
#[cfg(feature = "overlap")]
mod forecast;
mod http;
mod locate;
#[cfg(feature = "overlap")]
mod overlap;
mod plan;
mod policy;
mod record;
mod sha;
#[cfg(feature = "overlap")]
mod shared;
mod toc;
mod whole;
#[cfg(feature = "writer")]
mod write;
