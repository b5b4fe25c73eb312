//! The component itself: what both decoders of zstd say, how much memory a large TOC takes, and that no call whatever
//! breaks it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it saw")]

#[path = "../support/mod.rs"]
mod support;

mod bindings;
mod corpus;
mod decoders;
mod fuzz;
mod layer;
mod machine;
mod memory;
mod random;
