//! Fetching TOC and tar-split: one range, two proofs.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::ops::Range;

use super::{Place, Toc, TocError};
use crate::locate::{Locator, Span};
use crate::tar_split::{TarSplit, TarSplitReadError, TarSplitReader};
use crate::zstd::{Bounded, Decoder, bounded};
use crate::{Digest, Limits};

/// Takes the bytes of TOC and tar-split and proves them.
#[derive(Debug)]
pub struct TocFetch {
    locator: Locator,
    limits: Limits,
    range: Range<u64>,
    bytes: Vec<u8>,
}

/// A TOC that its digest, if there is one, vouches for, and the tar-split that the TOC vouches for.
#[derive(Debug)]
#[non_exhaustive]
pub struct Fetched {
    /// The checked TOC.
    pub toc: Toc,
    /// The tar-split as it lay in the blob; `None` when the blob has none or the TOC does not vouch for it.
    pub tar_split: Option<CompressedTarSplit>,
}

/// A tar-split whose compressed bytes have the digest that the TOC names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressedTarSplit {
    bytes: Vec<u8>,
    plain_len: u64,
}

impl TocFetch {
    /// Starts fetching what `locator` found.
    pub fn new(locator: Locator, limits: Limits) -> Self {
        let range = locator.range();
        Self { locator, limits, range, bytes: Vec::new() }
    }

    /// Returns the bytes of the blob that are still owed; empty when all came.
    pub fn remaining(&self) -> Range<u64> {
        let got = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
        self.range.start.saturating_add(got).min(self.range.end)..self.range.end
    }

    /// Takes the next bytes; what is not owed is ignored.
    pub fn receive(&mut self, bytes: &[u8]) {
        let Range { start, end } = self.remaining();
        let owed = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
        self.bytes.extend_from_slice(bytes.get(..owed.min(bytes.len())).unwrap_or_default());
    }

    /// Checks the digests, decompresses and checks the TOC.
    ///
    /// # Errors
    /// See [`TocError::is_lie`] for what each means.
    pub fn finish(self) -> Result<Fetched, TocError> {
        let Range { start, end } = self.remaining();
        if start != end {
            let expected = end.saturating_sub(self.range.start);
            let actual = start.saturating_sub(self.range.start);
            return Err(TocError::Truncated { expected, actual });
        }
        let compressed = self.slice(self.locator.toc());
        if let Some(expected) = self.locator.vouched().copied() {
            let actual = Digest::of(compressed);
            if actual != expected {
                return Err(TocError::Digest { expected, actual });
            }
        }
        let claimed = self.locator.toc().plain_len;
        let json = bounded(compressed, claimed, self.limits.window_log).map_err(|why| match why {
            Bounded::TooLong => TocError::PlainLen { expected: claimed },
            Bounded::Truncated => TocError::Zstd { message: "it ends inside a frame".into() },
            Bounded::Zstd(error) => TocError::Zstd { message: error.to_string() },
        })?;
        let toc = Toc::parse(&json, Place::Blob { data_end: self.locator.data_end() }, &self.limits)?;
        // A tar-split that the TOC does not vouch for is not believed, so it is not even kept (1.47 to 1.53).
        let tar_split = match (self.locator.tar_split(), toc.tar_split_digest()) {
            (Some(span), Some(expected)) => {
                let bytes = self.slice(span);
                let actual = Digest::of(bytes);
                if actual != *expected {
                    return Err(TocError::TarSplitDigest { expected: *expected, actual });
                }
                Some(CompressedTarSplit { bytes: bytes.to_vec(), plain_len: span.plain_len })
            }
            _ => None,
        };
        Ok(Fetched { toc, tar_split })
    }

    fn slice(&self, span: &Span) -> &[u8] {
        let at = |offset: u64| usize::try_from(offset.saturating_sub(self.range.start)).unwrap_or(usize::MAX);
        self.bytes.get(at(span.range.start)..at(span.range.end)).unwrap_or_default()
    }
}

impl CompressedTarSplit {
    /// Takes bytes from our own store, where they were proven before.
    pub const fn from_store(bytes: Vec<u8>, plain_len: u64) -> Self {
        Self { bytes, plain_len }
    }

    /// Returns the bytes as they lay in the blob.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the length of the JSON lines, as claimed.
    pub const fn plain_len(&self) -> u64 {
        self.plain_len
    }

    /// Decompresses and reads the records.
    ///
    /// # Errors
    /// The bytes are no zstd, hold more than they claim, or records that are none.
    pub fn read(&self, limits: &Limits) -> Result<TarSplit, BadTarSplit> {
        let mut decoder = Decoder::new(limits.window_log);
        let mut reader = TarSplitReader::new(limits);
        let mut plain = alloc::vec![0; 128 * 1024];
        let mut rest = self.bytes.as_slice();
        let mut total = 0_u64;
        loop {
            let progress = decoder
                .decode(rest, &mut plain)
                .map_err(|error| BadTarSplit::Zstd { message: error.to_string() })?;
            rest = rest.get(progress.read..).unwrap_or_default();
            if progress.read == 0 && progress.written == 0 {
                break;
            }
            total = total.saturating_add(u64::try_from(progress.written).unwrap_or(u64::MAX));
            if total > self.plain_len {
                return Err(BadTarSplit::PlainLen { expected: self.plain_len });
            }
            let plain = plain.get(..progress.written).unwrap_or_default();
            reader.receive(plain).map_err(TarSplitReadError::from).map_err(BadTarSplit::Records)?;
        }
        if !decoder.at_frame_end() || !rest.is_empty() {
            return Err(BadTarSplit::Zstd { message: "it ends inside a frame".into() });
        }
        reader.finish().map_err(BadTarSplit::Records)
    }
}

/// A tar-split that cannot be used, though its compressed bytes have the right digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadTarSplit {
    /// It decompresses to more than its position says.
    #[error("the tar-split decompresses to more than the {expected} bytes that its position says")]
    PlainLen {
        /// The length claimed.
        expected: u64,
    },
    /// Its records, or the headers in them, cannot be read.
    #[error("the tar-split: {0}")]
    Records(TarSplitReadError),
    /// It is no zstd.
    #[error("the tar-split cannot be decompressed: {message}")]
    Zstd {
        /// What the decoder says.
        message: alloc::string::String,
    },
}

impl BadTarSplit {
    /// Whether the tar-split is a bomb, so that the pull must end.
    ///
    /// Records that are not understood are no lie: the layer can be pulled whole.
    pub const fn is_lie(&self) -> bool {
        matches!(self, Self::PlainLen { .. })
    }
}
