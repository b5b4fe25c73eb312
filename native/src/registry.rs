//! Talks to registries: manifests, byte ranges of blobs, uploads.
//!
//! The face is blocking and may be used from many threads at once; inside, one small runtime does the waiting. Nothing
//! here judges a layer's content: documents are checked against their digests, blob bytes are handed on as they come.
//!
//! Access is anonymous: tokens are fetched where a registry gives them to everybody, and there is no login yet. Proxies are
//! those that the environment names.
//!
//! ```no_run
//! use shingle::registry::{Client, ClientOptions, OnWhole, Platform, Reference};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(ClientOptions::default())?;
//! let reference: Reference = "quay.io/fedora/fedora:latest".parse()?;
//! let image = client.fetch_manifest(&reference, &Platform::host())?;
//! for layer in &image.layers {
//!     let blob = client.blob(&reference, layer.digest, layer.size);
//!     let mut body = blob.open_range(layer.size.saturating_sub(64)..layer.size, OnWhole::Cut)?;
//!     while let Some(bytes) = body.next_bytes()? {
//!         // bytes lie at body.offset() - bytes.len()
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod ahead;
mod auth;
mod blob;
mod call;
mod challenge;
mod client;
mod error;
mod exchange;
mod image;
mod manifest;
mod platform;
mod push;
mod reader;
mod reference;
mod retry;
mod upload;

pub use blob::{Blob, BlobBody, Coverage, OnWhole, Traffic};
pub use client::{Client, ClientError, ClientOptions, Timeouts};
pub(crate) use error::shown;
pub use error::{Asked, Fault, RegistryError, TransportError};
pub use image::{BlobDescriptor, LayerDescriptor, ResolvedImage};
pub use manifest::ManifestError;
pub(crate) use manifest::{INDEXES, Parsed, choose, diff_ids};
pub use platform::{Platform, PlatformError};
pub use push::Session;
pub use reader::BlobReader;
pub use reference::{Reference, ReferenceError, ReferenceFault};
