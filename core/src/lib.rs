//! Sans-IO core of Shingle: what to fetch, what to reuse, and what is proven.
//!
//! Bytes go in, decisions and proofs come out. Nothing here opens a file or a socket, reads a clock, starts a
//! thread or draws a random number; the crate builds for `wasm32-unknown-unknown` and imports nothing. A program that has
//! its own way of fetching and storing embeds this; one that wants to pull into a directory embeds `shingle`.
//!
//! # The chain
//!
//! Plans for decisions; a small machine wherever bytes arrive in pieces. Each stage consumes the last, and what it
//! yields is the proof that it passed:
//!
//! ```text
//! Look ── TocFetch ── Basis ─┬─ decide ── Plan ─┬─ Fetch … Receipt ── Ledger ── Complete ─┐
//!  where    bytes     TOC =  │  (Inventory,     │                                         │
//!          arrive   digest,  │   Policy)        └─ donors (the shell links or copies)     │
//!                 tar-split  └─────────────────────────────────── LayerCheck ──── VerifiedLayer
//! ```
//!
//! [`Look`] follows a descriptor's annotations, or the end of a blob that must be read first ([`TailFetch`]). [`Basis`] is
//! a TOC with what ties the layer to its image: [`Agreed`], where the tar-split says the same as the TOC, so that
//! [`DiffIdCheck`] can rebuild the tar; or, where the user trusts TOCs, [`VouchedToc`], which [`TocCheck`] holds the files
//! against, and then the [`VerifiedLayer`] says so. A layer with no usable TOC goes [`Unwrap`] → [`WholeFetch`] →
//! [`WholeLayer`] and ends in the same proof.
//!
//! # All of it, without a file or a socket
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::ops::Range;
//!
//! use shingle_core::writer::{BatchEncoder, WriteOptions, start};
//! use shingle_core::{Decision, Identity, Inventory, LayerSaid, Look, Opened, Policy, Source, decide};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let tar = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/zoo/zoo.tar"));
//! // Somebody writes a layer from a tar …
//! let options = WriteOptions::default();
//! let (mut splitter, mut assembler) = start(&options);
//! splitter.receive(tar);
//! let (batches, end) = splitter.finish()?;
//! let (mut blob, mut encoder) = (Vec::new(), BatchEncoder::new(&options));
//! for batch in batches {
//!     blob.extend(assembler.accept(batch.compress(&mut encoder))?);
//! }
//! let (rest, written) = assembler.finish(end)?;
//! blob.extend(rest);
//! // … and serves it. This stands for a request with a `Range` header.
//! let get = |range: Range<u64>| &blob[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
//!
//! // Where to begin? The annotations say where the table of contents lies, and what its digest is.
//! let policy = Policy::default();
//! let media_type = "application/vnd.oci.image.layer.v1.tar+zstd";
//! let said = LayerSaid { media_type, size: written.blob_len, annotations: &written.annotations };
//! let Look::Toc(mut toc) = Look::new(&said, &policy) else { panic!("no table of contents") };
//! toc.receive(get(toc.remaining()));
//! let Opened::Found(basis) = toc.open(&policy)? else { panic!("a table of contents that proves nothing") };
//!
//! // Where does each file come from? Nothing is held yet, so all of them are fetched, each content once.
//! let nothing = Inventory::new();
//! let Decision::Partial(plan) = decide(basis.toc(), &nothing, &policy) else { panic!("not by file") };
//! assert!(plan.summary().fetched > 0);
//!
//! // The files, in memory; a shell has a directory.
//! let mut files = BTreeMap::new();
//! for planned in plan.files() {
//!     let size = basis.toc().file(planned.file).map_or(0, |entry| entry.member().size);
//!     files.insert(planned.file, vec![0; usize::try_from(size)?]);
//! }
//! // Fetches are independent: each may run on its own thread.
//! let (mut ledger, fetches) = plan.start();
//! for mut fetch in fetches {
//!     let body = get(fetch.remaining());
//!     for piece in body.chunks(1000) {
//!         let mut chunks = fetch.receive(piece);
//!         while let Some(chunk) = chunks.next_chunk()? {
//!             let file = files.get_mut(&chunk.file).expect("a planned file");
//!             file[usize::try_from(chunk.offset)?..][..chunk.bytes.len()].copy_from_slice(chunk.bytes);
//!         }
//!     }
//!     ledger.credit(fetch.finish()?);
//! }
//! for planned in plan.files() {
//!     if let Source::Twin { of, .. } = planned.source {
//!         files.insert(planned.file, files[&of].clone());
//!     }
//! }
//!
//! // The proof: the tar is rebuilt from what is there, and has the digest that the image's config names.
//! let mut check = basis.check(&plan);
//! while let Some(file) = check.wants()? {
//!     check.receive(&files[&file])?;
//! }
//! let layer = check.finish(ledger.close()?, &written.diff_id)?;
//! assert_eq!(*layer.identity(), Identity::DiffId(written.diff_id));
//!
//! // Whoever has this layer fetches nothing of the next one with the same files.
//! let mut held = Inventory::new();
//! held.add_toc(basis.toc());
//! let Decision::Partial(again) = decide(basis.toc(), &held, &policy) else { panic!("not by file") };
//! assert_eq!(again.requests().len(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! # What else is here
//!
//! | | |
//! |---|---|
//! | [`forecast`] | what a pull to a machine that is only thought of would do |
//! | [`overlap`] | what any number of images share, from their TOCs alone |
//! | [`writer`] | tars into zstd:chunked layers |
//! | [`verify`] | everything that is wrong with a blob, not only the first lie |
//! | [`tar`] | members and contents of a tar, and what in it readers disagree on |
//! | [`http`] | what an answer to a range request means, and when to ask again |
//! | [`Tree`] | the layers of an image as one tree: what hides what |
//! | [`Segment`] | a sorted index of contents and chunks, as bytes that can be mapped |
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `c-zstd` (default) | zstd by the C library; needs a C compiler to build, for wasm one that knows wasm |
//! | `ruzstd` | zstd in pure Rust, slower; what is taken where `c-zstd` is off |
//! | `writer` (default) | [`writer`], [`compress`], [`TarSplitWriter`], and [`WholeLayer::tar_split`] |
//!
//! One of the first two is needed. A reader without `writer` has no zstd encoder in it; everything
//! else is there always: what a program does not call, its linker drops.
//!
//! # What it promises
//!
//! - **Hostile input**: every length that a blob claims is held against [`Limits`] before anything is allocated for it; no
//!   input panics. Bytes are lent to the shell only once their digest matched; of chunks that are too long to hold back,
//!   the error comes before the proof.
//! - **Units**: offsets and lengths are bytes, of the blob where a range is asked for, of the file else; times are seconds
//!   and nanoseconds since 1970, in UTC. What costs time in [`Cost`] says its unit in its name.
//! - **Errors** are one enum for each stage. They are plain values, and tell lies from what is only not understood, after
//!   which a layer can still be pulled whole.
//! - **Determinism**: the same input gives the same plan and the same written bytes on every machine.
//! - **Versions**: what may grow is `#[non_exhaustive]`. Enums that are not are those that a shell must follow in full. The
//!   surface is listed in `api.txt` beside this crate's manifest; foreign types in it are `serde`'s traits.

#![no_std]
#![forbid(unsafe_code)]
#![warn(
    clippy::alloc_instead_of_core,
    clippy::arithmetic_side_effects,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
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

mod agree;
mod basis;
mod chunker;
mod class;
mod codec;
mod crc64;
mod diff_id;
mod digest;
mod fetch;
pub mod forecast;
mod gzip;
pub mod http;
mod index;
mod inventory;
mod ledger;
mod limits;
mod link;
mod locate;
mod look;
mod member;
pub mod overlap;
mod plan;
mod policy;
mod read_back;
pub mod tar;
mod tar_split;
#[cfg(test)]
mod testing;
mod toc;
mod toc_check;
mod tree;
mod unwrap;
#[cfg(test)]
mod vectors;
mod verified;
pub mod verify;
mod whole;
#[cfg(feature = "writer")]
pub mod writer;
mod zstd;

pub use agree::{Adopted, Disagreement, Field, Severity, check_agreement};
pub use basis::{Basis, LayerCheck, OpenError, Opened};
pub use chunker::{ChunkPiece, ChunkPieces, Chunker, Cut, HOLE, RollSum};
pub use class::Class;
pub use crc64::Crc64;
pub use diff_id::{Agreed, DiffIdCheck, DiffIdError};
pub use digest::{Digest, DigestError, Hasher};
pub use fetch::{Chunks, Fetch, FetchError, Lent, Receipt};
pub use index::{ChunkRow, FileRow, Segment, SegmentError};
pub use inventory::{HeldChunk, HeldFile, Inventory};
pub use ledger::{Complete, Ledger, Unfinished};
pub use limits::Limits;
pub use link::{LinkMode, LinkModeError, Method, Refusal};
pub use locate::{
    ExternalToc, FOOTER_LEN, Form, LocateError, Located, Locator, OLD_FOOTER_LEN, Span, TailFetch, TailFound,
};
pub use look::{Followed, LayerSaid, Look};
pub use member::{Kind, Member, Name, Timestamp, Xattrs};
pub use plan::{Decision, Donated, Plan, PlannedFile, Reason, Source, Summary, decide, decide_files};
pub use policy::{Cost, Policy, Trust, TrustError};
#[cfg(feature = "writer")]
pub use tar_split::TarSplitWriter;
pub use tar_split::{
    Members, RecordError, SplitFile, TarPiece, TarPieces, TarSplit, TarSplitError, TarSplitReadError,
    TarSplitReader,
};
pub use toc::{
    BadTarSplit, Body, Chunk, CompressedTarSplit, Entry, Fetched, FileId, ProvenTarSplit, TarSplitBytes, Toc,
    TocBytes, TocError, TocFetch, UnprovenTarSplit,
};
pub use toc_check::{TocCheck, VouchedToc};
pub use tree::{
    Directory, Inode, InodeId, LastLink, Node, Origin, PathError, Resolved, Tree, TreeError, TreeProblem,
    Visit,
};
pub use unwrap::{Plain, Unwrap, UnwrapError, WholeBlob};
pub use verified::{Identity, VerifiedLayer};
pub use whole::{Recut, WholeError, WholeFetch, WholeLayer, WholePiece, WholePieces};
#[cfg(feature = "writer")]
pub use zstd::compress;
pub use zstd::{ZstdError, decompress};

#[cfg(all(test, not(feature = "writer")))]
compile_error!("the tests write layers: turn on the feature `writer`");
