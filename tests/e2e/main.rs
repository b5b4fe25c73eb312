//! The end-to-end suites, in one binary. What a machine lacks for a test is said, and under `CI=true` fails it.

#![allow(
    clippy::as_conversions,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that goes wrong should panic, and says what it does"
)]

mod copy;
mod demo;
mod gc;
mod hostile;
mod plan;
mod ranges;
mod reference;
mod scene;
mod tars;
mod zoo;
