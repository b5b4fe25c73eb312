//! Sans-IO core of Shingle: what to fetch, what to reuse, and what is proven.
//!
//! Bytes go in, decisions and proofs come out. Nothing here opens a file or a socket, reads a clock, starts a
//! thread or draws a random number; the crate builds for `wasm32-unknown-unknown` and imports nothing.

#![no_std]
#![forbid(unsafe_code)]
#![warn(
    clippy::alloc_instead_of_core,
    clippy::arithmetic_side_effects,
    clippy::exhaustive_enums,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core
)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        reason = "a test that goes wrong should panic"
    )
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod digest;
pub mod http;
mod limits;
mod member;

pub use digest::{Digest, DigestError, Hasher};
pub use limits::Limits;
pub use member::{Kind, Member, Name, Timestamp, Xattrs};
