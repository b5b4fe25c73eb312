//! The component itself: what both decoders of zstd say, how much memory a large TOC takes, and that no call whatever
//! breaks it.

#[path = "../support/mod.rs"]
mod support;

mod bindings;
mod corpus;
mod decoders;
mod fuzz;
mod machine;
mod memory;
mod random;
