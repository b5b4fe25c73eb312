//! Fetching TOC and tar-split: one range, two proofs.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::ops::Range;

use super::{BlobMap, Place, Toc, TocError, gzip};
use crate::codec::Codec;
use crate::locate::{Locator, Span};
use crate::tar_split::{TarSplit, TarSplitReadError, TarSplitReader};
use crate::zstd::{Bounded, Decoder, bounded, reserve_towards};
use crate::{Digest, Limits};

/// Takes the bytes of TOC and tar-split and proves them.
#[derive(Debug)]
pub struct TocFetch {
    locator: Locator,
    limits: Limits,
    range: Range<u64>,
    bytes: Vec<u8>,
    /// The last bytes of the range, where they came before.
    end: Vec<u8>,
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
        Self::with_end(locator, limits, Vec::new())
    }

    /// Starts fetching what `locator` found, of which these last bytes are here.
    pub(crate) fn with_end(locator: Locator, limits: Limits, end: Vec<u8>) -> Self {
        let range = locator.range();
        Self { locator, limits, range, bytes: Vec::new(), end }
    }

    /// Returns the digest that the manifest names the TOC by; `None` for what a footer said.
    pub fn vouched(&self) -> Option<&Digest> {
        self.locator.vouched()
    }

    /// Returns the bytes of the blob that are still owed; empty when all came.
    pub fn remaining(&self) -> Range<u64> {
        let len = |bytes: &Vec<u8>| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let end = self.range.end.saturating_sub(len(&self.end));
        self.range.start.saturating_add(len(&self.bytes)).min(end)..end
    }

    /// Takes the next bytes; what is not owed is ignored.
    pub fn receive(&mut self, bytes: &[u8]) {
        let Range { start, end } = self.remaining();
        let owed = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
        let bytes = bytes.get(..owed.min(bytes.len())).unwrap_or_default();
        let whole = self.range.end.saturating_sub(self.range.start);
        reserve_towards(&mut self.bytes, bytes.len(), usize::try_from(whole).unwrap_or(usize::MAX));
        self.bytes.extend_from_slice(bytes);
    }

    /// Checks the digests, decompresses and checks the TOC.
    ///
    /// # Errors
    /// See [`TocError::is_lie`] for what each means.
    pub fn finish(self) -> Result<Fetched, TocError> {
        let (toc, tar_split) = self.split()?;
        let toc = toc.read()?;
        let tar_split = tar_split.map(|tar_split| tar_split.prove(&toc)).transpose()?.flatten();
        Ok(Fetched { toc, tar_split })
    }

    /// Parts the bytes of the TOC from those of the tar-split, so that each can be read on a thread of its own.
    ///
    /// # Errors
    /// Not all bytes came.
    pub fn split(self) -> Result<(TocBytes, Option<TarSplitBytes>), TocError> {
        let Range { start, end } = self.remaining();
        if start != end {
            let expected = end.saturating_sub(self.range.start);
            let actual = start.saturating_sub(self.range.start);
            return Err(TocError::Truncated { expected, actual });
        }
        let Self { locator, limits, range, mut bytes, end } = self;
        bytes.extend(end);
        let within = |span: &Span| {
            let at = |offset: u64| usize::try_from(offset.saturating_sub(range.start)).unwrap_or(usize::MAX);
            at(span.range.start)..at(span.range.end)
        };
        let at = within(locator.toc());
        let tar_split = locator.tar_split().map(|span| {
            let at_split = within(span);
            // It comes last, as a rule: then nothing is held twice.
            let split = if at.end <= at_split.start && bytes.get(at_split.clone()).is_some() {
                bytes.truncate(at_split.end);
                bytes.split_off(at_split.start)
            } else {
                bytes.get(at_split).unwrap_or_default().to_vec()
            };
            TarSplitBytes(CompressedTarSplit { bytes: split, plain_len: span.plain_len })
        });
        bytes.shrink_to_fit();
        Ok((TocBytes { locator, limits, bytes, at }, tar_split))
    }
}

/// All bytes of a TOC, as they lay in the blob.
#[derive(Debug)]
pub struct TocBytes {
    locator: Locator,
    limits: Limits,
    bytes: Vec<u8>,
    /// Which of them are the TOC.
    at: Range<usize>,
}

impl TocBytes {
    /// Checks the digest, if there is one, decompresses and checks the TOC.
    ///
    /// # Errors
    /// See [`TocError::is_lie`] for what each means.
    pub fn read(self) -> Result<Toc, TocError> {
        let Self { locator, limits, bytes, at } = self;
        let compressed = bytes.get(at).unwrap_or_default();
        prove(locator.compressed(), compressed)?;
        let (claimed, form) = (locator.toc().plain_len, locator.form());
        let json = match form.codec() {
            Codec::Gzip => gzip::first_file(compressed, claimed, &limits)?,
            Codec::Zstd => bounded(compressed, claimed, limits.window_log).map_err(|why| match why {
                Bounded::TooLong => TocError::PlainLen { expected: claimed },
                Bounded::Truncated => TocError::Zstd { message: "it ends inside a frame".into() },
                Bounded::Zstd(error) => TocError::Zstd { message: error.to_string() },
            })?,
        };
        drop(bytes);
        prove(locator.plain(), &json)?;
        let place = Place::Blob { data_end: locator.data_end(), stargz: form.is_stargz() };
        let mut toc = Toc::parse(&json, place, &limits)?;
        (toc.codec, toc.vouched) = (form.codec(), locator.vouched().copied());
        toc.map = Some(BlobMap::of(&locator));
        Ok(toc)
    }
}

/// Holds bytes against the digest that the manifest names, if it does.
fn prove(expected: Option<&Digest>, bytes: &[u8]) -> Result<(), TocError> {
    let Some(expected) = expected.copied() else { return Ok(()) };
    let actual = Digest::of(bytes);
    if actual == expected { Ok(()) } else { Err(TocError::Digest { expected, actual }) }
}

/// All bytes of a tar-split as they lay in the blob: nothing vouches for what it wraps yet.
#[derive(Debug)]
pub struct TarSplitBytes(CompressedTarSplit);

impl TarSplitBytes {
    /// Decompresses and reads the records before anything vouches for them, to save the wait for the TOC.
    ///
    /// Costs as much as [`CompressedTarSplit::read`], within the same limits. What came of it, be it an error, is
    /// told only once it is [proven](UnprovenTarSplit::prove).
    pub fn read(self, limits: &Limits) -> UnprovenTarSplit {
        UnprovenTarSplit { digest: Digest::of(&self.0.bytes), records: self.0.read(limits), bytes: self.0 }
    }

    /// Holds the bytes against the TOC's word; `None` when it has none.
    ///
    /// # Errors
    /// The TOC vouches for another tar-split.
    pub fn prove(self, toc: &Toc) -> Result<Option<CompressedTarSplit>, TocError> {
        let proven = proves(toc, || Digest::of(&self.0.bytes))?;
        Ok(proven.then_some(self.0))
    }
}

/// A tar-split that was read though nothing vouches for it yet.
#[derive(Debug)]
pub struct UnprovenTarSplit {
    bytes: CompressedTarSplit,
    digest: Digest,
    records: Result<TarSplit, BadTarSplit>,
}

impl UnprovenTarSplit {
    /// Holds the digest of the bytes against the TOC's word; `None` when it has none.
    ///
    /// # Errors
    /// The TOC vouches for another tar-split.
    pub fn prove(self, toc: &Toc) -> Result<Option<ProvenTarSplit>, TocError> {
        let proven = proves(toc, || self.digest)?;
        Ok(proven.then_some(ProvenTarSplit { compressed: self.bytes, records: self.records }))
    }
}

/// A tar-split that the TOC vouches for, and what came of reading it.
#[derive(Debug)]
#[non_exhaustive]
pub struct ProvenTarSplit {
    /// The tar-split as it lay in the blob.
    pub compressed: CompressedTarSplit,
    /// Its records, or why they cannot be used.
    pub records: Result<TarSplit, BadTarSplit>,
}

/// Whether `toc` vouches for a tar-split at all.
///
/// A tar-split that it does not vouch for is not believed, so it is not even kept (containers/storage 1.47 to 1.53).
fn proves(toc: &Toc, actual: impl FnOnce() -> Digest) -> Result<bool, TocError> {
    let Some(expected) = toc.tar_split_digest().copied() else { return Ok(false) };
    let actual = actual();
    if actual != expected {
        return Err(TocError::TarSplitDigest { expected, actual });
    }
    Ok(true)
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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
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
