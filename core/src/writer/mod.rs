//! Writes layers: a tar goes in, a blob comes out, of which any file can be fetched alone.
//!
//! # The chain
//!
//! ```text
//! tar ─► Splitter ─► Batch ─► Packed ─► Assembler ─► blob
//!        in order     any thread         in order     └─ WrittenLayer: DiffID, digest, annotations
//! ```
//!
//! The [`Splitter`] reads the tar, cuts files into chunks and hands out [`Batch`]es: whole frames of about 1 MiB
//! together, always cut at the same places. Compressing one needs nothing else, so a shell may do that on all cores.
//! The [`Assembler`] takes the results in order, and puts the table of contents, the tar-split and the footer behind
//! them. The same tar and the same settings give the same bytes, however the tar arrives and whoever compresses.
//!
//! # The form
//!
//! That of today's reference, [`Form::Today`](crate::Form::Today), with these liberties, which all readers take:
//!
//! - times are in UTC, so that the TOC does not depend on where it was written;
//! - no frame is empty;
//! - what is longer than [`LONGEST_FRAME`] is several frames, one after the other, though one chunk in the TOC: so
//!   memory stays bounded, and the cores busy;
//! - the tar-split holds no more than readers need, and it and the TOC are compressed harder than the data.
//!
//! # What cannot be chunked
//!
//! The reference refuses some tars that others read, and some layers that it wrote itself. For such a tar the blob
//! becomes plain zstd, which everyone reads, and [`WrittenLayer::plain`] says why; see [`Unchunkable`].

mod assembler;
mod batch;
mod cutter;
mod error;
mod format;
mod paths;
mod splitter;
#[cfg(test)]
mod tests;
mod toc;

pub use assembler::{Assembler, WrittenLayer};
pub use batch::{Batch, BatchEncoder, Packed};
pub use cutter::LONGEST_FRAME;
pub use error::{Unchunkable, WriteError};
pub use format::{Format, FormatError};
pub use splitter::{Splitter, TarEnd};

use crate::Limits;

/// How to write a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteOptions {
    /// The form of the blob.
    pub format: Format,
    /// How hard to compress, in the numbers that podman takes; brought within [`Format::levels`].
    pub level: i32,
    /// What is refused, and what is too large to be chunked.
    pub limits: Limits,
}

impl WriteOptions {
    /// Writes `format` at its default level.
    pub fn new(format: Format) -> Self {
        Self { format, level: format.default_level(), limits: Limits::default() }
    }

    /// The level, brought within what the format has.
    fn clamped(&self) -> i32 {
        let levels = self.format.levels();
        self.level.clamp(*levels.start(), *levels.end())
    }
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self::new(Format::ZstdChunked)
    }
}

/// Starts a layer: the two ends of the chain, between which batches are compressed.
pub fn start(options: &WriteOptions) -> (Splitter, Assembler) {
    (Splitter::new(options), Assembler::new(options))
}
