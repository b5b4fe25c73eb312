//! `shingle inspect --web`: what the command serves, to whom, and how it ends.

#![allow(clippy::disallowed_methods, reason = "a test reads the fixtures it names")]
#![allow(clippy::unwrap_used, reason = "a test that goes wrong should panic")]

mod api;
mod gate;
mod page;
mod served;
