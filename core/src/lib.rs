//! Sans-IO core of Shingle: what to fetch, what to reuse, and what is proven.
//!
//! Bytes go in, decisions and proofs come out. Nothing here opens a file or a socket, reads a clock, starts a
//! thread or draws a random number; the crate builds for `wasm32-unknown-unknown` and imports nothing.
//!
//! # The chain
//!
//! Plans for decisions; a small machine wherever bytes arrive in pieces. Each stage consumes the last, and what it
//! yields is the proof that it passed:
//!
//! ```text
//! Look ── TocFetch ── Basis ─┬─ decide ── Plan ─┬─ Fetch … Receipt ── Ledger ── Complete ─┐
//! where     bytes      TOC = │                  │                                         │
//!          arrive     digest,│                  └─ donors (the shell links or copies)     │
//!                   tar-split└──────────────────────────────── LayerCheck ─────── VerifiedLayer
//! ```
//!
//! A layer with no usable TOC goes [`Unwrap`] → [`WholeFetch`] → [`WholeLayer`] and ends in the same proof. Where the
//! user trusts TOCs, one that no tar-split ties to the DiffID is proven as far as its TOC, and the [`VerifiedLayer`]
//! says so.

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

mod agree;
mod basis;
mod chunker;
mod class;
mod codec;
mod crc64;
mod diff_id;
mod digest;
mod fetch;
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
pub use plan::{Decision, Donated, Plan, PlannedFile, Reason, Source, Summary, decide};
pub use policy::{Cost, Policy, Trust, TrustError};
pub use tar_split::{
    Members, RecordError, SplitFile, TarPiece, TarSplit, TarSplitError, TarSplitReadError, TarSplitReader,
    TarSplitWriter,
};
pub use toc::{
    BadTarSplit, Body, Chunk, CompressedTarSplit, Entry, Fetched, FileId, ProvenTarSplit, TarSplitBytes, Toc,
    TocBytes, TocError, TocFetch, UnprovenTarSplit,
};
pub use toc_check::{TocCheck, VouchedToc};
pub use tree::{Directory, Inode, InodeId, Node, Origin, Tree, TreeError, TreeProblem, Visit};
pub use unwrap::{Plain, Unwrap, UnwrapError, WholeBlob};
pub use verified::{Identity, VerifiedLayer};
pub use whole::{Recut, WholeError, WholeFetch, WholeLayer, WholePiece, WholePieces};
pub use zstd::{ZstdError, compress, decompress};
