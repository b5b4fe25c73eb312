//! A host of the component `shingle:core`: it reads manifests and byte ranges and keeps files, the component decides,
//! decodes and proves.
//!
//! The component imports nothing, so all that it can do is compute. [`Core`] bounds that too: how long a call may
//! take, how long all of them, how much memory they may use. Whatever a registry serves, a command ends with a result,
//! with an error value of the component, or with a [`Stopped`].
//!
//! ```text
//! Source (layout, registry) ── bytes ──► Core (the component) ── plans, chunks ──► Objects (files by digest)
//! ```

mod bench;
pub mod bindings;
mod engine;
mod image;
pub mod json;
mod layout;
mod look;
mod plan;
mod pull;
mod registry;
mod store;

pub use bench::{Times, bench};
pub use engine::{Bounds, Cage, Core, Guest, Spent, Stopped};
pub use image::{Answer, Image, Layer, Named, Source, open};
pub use look::policy;
pub use plan::plan;
pub use pull::pull;
pub use store::Objects;

pub use bindings::exports::shingle::core::types::{Policy, Trust};
