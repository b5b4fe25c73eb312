//! Pulls container images by file, not by layer; also copies, converts and verifies them.
//!
//! This is the library below the `shingle` command: everything that the command does, without its words. A program embeds
//! it to pull into a store of its own, to write zstd:chunked layers, or to test against a registry that misbehaves. What is
//! decided and proven is [`shingle_core`]'s, which is exported here too, so that one dependency is enough; what is in this
//! crate acts: it talks to registries, keeps the store, starts threads.
//!
//! # Pulling
//!
//! A [`Client`](registry::Client) talks to registries, a [`Store`](store::Store) is a directory, and
//! [`pull`](pull::pull) brings an image from one into the other. Of the second version of an image, only what is new is
//! fetched:
//!
//! ```
//! use shingle::loopback::{Content, Loopback};
//! use shingle::pull::{PullOptions, PullReport, Quiet, pull};
//! use shingle::registry::{Client, ClientOptions, Reference};
//! use shingle::store::Store;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let layout = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo");
//! # let home = tempfile::tempdir()?;
//! // Two versions of an image, in a registry inside this process.
//! let registry = Loopback::start(Content::from_layout(layout.as_ref())?)?;
//!
//! let mut options = ClientOptions::default();
//! options.tls_verify = false; // this registry speaks plain http
//! let client = Client::new(options)?;
//! let store = Store::open(home.path().join("store"))?;
//! let pull_tag = |tag: &str| -> Result<PullReport, Box<dyn std::error::Error>> {
//!     let reference: Reference = registry.reference(&format!("demo:{tag}")).parse()?;
//!     Ok(pull(&store, &client, &reference, &PullOptions::default(), &Quiet)?)
//! };
//!
//! let (old, new) = (pull_tag("v1")?, pull_tag("v2")?);
//! let fetched = |report: &PullReport| report.layers.iter().map(|layer| layer.fetched_bytes).sum::<u64>();
//! assert!(fetched(&new) < fetched(&old) / 2);
//! // Each layer is a directory, in overlay form.
//! for layer in &new.layers {
//!     assert!(store.tree_path(&layer.identity().id()).is_dir());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`unpack`](unpack::unpack) makes one plain directory of an image in the store, [`Store::remove_image`] and
//! [`Store::collect`] give room back.
//!
//! [`Store::remove_image`]: store::Store::remove_image
//! [`Store::collect`]: store::Store::collect
//!
//! # Forecasting a pull
//!
//! [`plan`](plan::plan) says what a pull would cost, reading tables of contents and nothing else: for a store, or for a
//! machine that has given images.
//!
//! ```
//! use shingle::plan::{Given, PlanOptions, plan};
//! # use shingle::loopback::{Content, Loopback};
//! use shingle::pull::{PullOptions, Quiet, pull};
//! # use shingle::registry::{Client, ClientOptions, Reference};
//! # use shingle::store::Store;
//! use shingle::transport::{Location, open_source};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let layout = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo");
//! # let home = tempfile::tempdir()?;
//! # let registry = Loopback::start(Content::from_layout(layout.as_ref())?)?;
//! # let mut options = ClientOptions::default();
//! # options.tls_verify = false;
//! # let client = Client::new(options)?;
//! # let store = Store::open(home.path().join("store"))?;
//! # let old: Reference = registry.reference("demo:v1").parse()?;
//! # let new: Reference = registry.reference("demo:v2").parse()?;
//! pull(&store, &client, &old, &PullOptions::default(), &Quiet)?;
//!
//! let source = open_source(&Location::Registry(new.clone()), &client)?;
//! let forecast = plan("version 2", &*source, &Given::store(&store), &PlanOptions::default())?;
//! assert!(forecast.total.fetched_bytes < forecast.total.blob_bytes);
//!
//! let report = pull(&store, &client, &new, &PullOptions::default(), &Quiet)?;
//! let fetched: u64 = report.layers.iter().map(|layer| layer.fetched_bytes).sum();
//! assert_eq!(fetched, forecast.total.fetched_bytes);
//! # Ok(())
//! # }
//! ```
//!
//! # Seeing what images share
//!
//! [`Overlap`](shingle_core::overlap::Overlap) compares images by their tables of contents, wherever those come from; here
//! they are those of a store:
//!
//! ```
//! use shingle::shingle_core::overlap::{Layer, Overlap, Pulled};
//! # use shingle::loopback::{Content, Loopback};
//! # use shingle::pull::{PullOptions, Quiet, pull};
//! # use shingle::registry::{Client, ClientOptions};
//! # use shingle::store::Store;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let layout = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo");
//! # let home = tempfile::tempdir()?;
//! # let registry = Loopback::start(Content::from_layout(layout.as_ref())?)?;
//! # let mut options = ClientOptions::default();
//! # options.tls_verify = false;
//! # let client = Client::new(options)?;
//! # let store = Store::open(home.path().join("store"))?;
//! # for tag in ["v1", "v2"] {
//! #     pull(&store, &client, &registry.reference(&format!("demo:{tag}")).parse()?, &PullOptions::default(), &Quiet)?;
//! # }
//! let mut overlap = Overlap::new();
//! for image in store.images()? {
//!     let stored = image.layers.iter().map(|layer| store.layer(&layer.id())).collect::<Result<Vec<_>, _>>()?;
//!     let layers = image.layers.iter().zip(&stored).map(|(layer, stored)| Layer {
//!         toc: &stored.toc,
//!         blob: Some(layer.blob),
//!         diff_id: Some(layer.diff_id),
//!         blob_len: layer.size,
//!         pulled: Pulled::ByFile,
//!     });
//!     overlap.add_image(image.reference, &layers.collect::<Vec<_>>(), store.limits())?;
//! }
//! let matrix = overlap.matrix();
//! let (all, shared) = (matrix.files[0][0].logical, matrix.files[0][1].logical);
//! assert!(shared > 0 && shared < all, "some of the first image is in the second");
//! # Ok(())
//! # }
//! ```
//!
//! # Converting
//!
//! A [`Location`](transport::Location) says where an image lies, in skopeo's words; [`convert`](transfer::convert) brings it
//! to another with its layers written anew, as zstd:chunked unless told otherwise:
//!
//! ```
//! use shingle::registry::{Client, ClientOptions};
//! use shingle::transfer::{ConvertOptions, LayerOutcome, Quiet, convert};
//! use shingle::transport::{Location, open_destination, open_source};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let home = tempfile::tempdir()?;
//! # let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo");
//! # let from: Location = format!("oci:{demo}:v1").parse()?;
//! # let to: Location = format!("oci:{}:v1", home.path().join("layout").display()).parse()?;
//! # /*
//! let from: Location = "oci:demo:v1".parse()?;
//! let to: Location = "oci:layout:v1".parse()?;
//! # */
//! let client = Client::new(ClientOptions::default())?; // used where a location is in a registry
//! let (source, destination) = (open_source(&from, &client)?, open_destination(&to, &client)?);
//!
//! let mut options = ConvertOptions::default();
//! options.force = true; // these layers are zstd:chunked already, and would be kept
//! let report = convert(&*source, destination, &options, &Quiet)?;
//! for layer in &report.layers {
//!     assert_eq!(layer.outcome, LayerOutcome::Rewritten);
//!     assert_eq!(layer.to_media_type, "application/vnd.oci.image.layer.v1.tar+zstd");
//!     assert!(layer.toc_bytes > 0);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! One tar, without an image around it, goes through [`pack`](pack::pack).
//!
//! # Modules
//!
//! | module | what a program uses it for |
//! |---|---|
//! | [`registry`] | manifests, byte ranges of blobs and uploads, with anonymous tokens, redirects and repetition seen to |
//! | [`store`] | the directory that pulled layers live in: images, trees, what is held, gc |
//! | [`pull`](mod@pull) | bringing an image into the store, with a [`Reporter`](pull::Reporter) that hears how it goes |
//! | [`plan`](mod@plan) | what such a pull would cost, before it is made |
//! | [`contents`] | what images hold, from their tables of contents, with a cache |
//! | [`unpack`](mod@unpack) | one plain directory from an image in the store |
//! | [`transport`] | images in registries, layouts, archives and directories, to read and to write |
//! | [`transfer`] | copying, converting and pushing images between those |
//! | [`pack`](mod@pack) | one layer's blob from its tar, on all cores |
//! | [`verify`] | every layer of an image held against everything that is said of it |
//! | `config` | what podman's storage.conf says about pulling |
//! | `loopback` | a registry inside the process that can be told to misbehave, for tests |
//! | `web` | the page that shows what images share, on a port of this machine |
//!
//! # Features
//!
//! | feature | what it adds | dependencies |
//! |---|---|---|
//! | `cli` (default; has the other three) | the `shingle` command, nothing in the library | anyhow, clap, clap_complete, clap_mangen, indicatif |
//! | `config` | the module `config` | toml |
//! | `loopback` | the module `loopback` | hyper-util, hyper's server |
//! | `web` | the module `web` | hyper-util, hyper's server |
//!
//! Embed it with `default-features = false`. The other modules have no features: they share the registry's client and add
//! no dependency, and what a program does not call, its linker drops.
//!
//! # What it promises
//!
//! - **Errors** are one enum or struct for each thing that can be tried, say what was tried on what, and have
//!   `is_refusal` where input that was refused is to be told from a machine or a network that failed, and `hint` where
//!   there is advice, in the words of the command line.
//! - **Units**: lengths and offsets are bytes; times are [`Duration`](std::time::Duration)s, but `seconds` in reports,
//!   which serialise with the names that `shingle --json` prints.
//! - **Threads**: all calls block, and those that talk to a registry panic inside an asynchronous runtime. Make them from a
//!   thread beside it, in tokio with `spawn_blocking`. Stores, clients, sources and destinations are shared by threads.
//! - **Processes**: any number may pull into one store at once; gc waits for them.
//! - **Panics**: only for mistakes in this crate, never for what a registry sends or a disk holds.
//! - **Platform**: Linux. Files are opened below directory handles and never through a link that a layer made.
//! - **Versions**: what may grow is `#[non_exhaustive]`: make an options struct with `default()`, then set fields. The
//!   surface is listed in `api.txt` beside this crate's manifest. Types of other crates in it are `bytes::Bytes`,
//!   serde's traits and `serde_json`'s `Value`, `Map` and `Error`, each at version 1, and [`shingle_core`]'s.

#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs, clippy::missing_errors_doc)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that goes wrong should panic"))]

pub use shingle_core;

pub mod cat;
#[cfg(feature = "config")]
pub mod config;
pub mod contents;
mod look;
#[cfg(feature = "loopback")]
pub mod loopback;
pub mod pack;
pub mod plan;
mod private;
pub mod pull;
pub mod registry;
pub mod root;
pub mod store;
pub mod transfer;
pub mod transport;
pub mod unpack;
pub mod verify;
#[cfg(feature = "web")]
pub mod web;

/// The length of bytes in memory, as formats and wires count.
pub(crate) fn length(bytes: &[u8]) -> u64 {
    count(bytes.len())
}

/// A count in memory, as formats have it. Lossless: no supported target has wider addresses.
pub(crate) fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
