//! Where a layer's TOC lies, and which digest vouches for it.
//!
//! Annotations on the layer's descriptor say both. A footer at the end of the blob
//! says only where: no digest is in it, so what it leads to is unproven.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::ops::Range;

use crate::{Digest, Limits};

/// Length of today's footer, in bytes.
pub const FOOTER_LEN: usize = 64;
/// Length of the footer of podman 4.3 and of stargz-snapshotter's zstd:chunked, in bytes.
pub const OLD_FOOTER_LEN: usize = 40;
/// Length of a skippable frame's header, in bytes.
pub(crate) const SKIPPABLE_HEADER_LEN: u64 = 8;

pub(crate) const CHECKSUM: &str = "io.github.containers.zstd-chunked.manifest-checksum";
pub(crate) const POSITION: &str = "io.github.containers.zstd-chunked.manifest-position";
pub(crate) const TAR_SPLIT_POSITION: &str = "io.github.containers.zstd-chunked.tarsplit-position";
const OLD_CHECKSUM: &str = "io.containers.zstd-chunked.manifest-checksum";
const OLD_POSITION: &str = "io.containers.zstd-chunked.manifest-position";
const ESTARGZ_DIGEST: &str = "containerd.io/snapshot/stargz/toc.digest";

pub(crate) const MAGIC: &[u8; 8] = b"GNUlInUx";
const OLD_MAGIC: &[u8; 8] = b"GnUlInUx";
/// The only manifest type there is ("CRFS").
pub(crate) const TYPE: u64 = 1;

/// Where the TOC (and the tar-split) of one blob lie, and what vouches for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locator {
    form: Form,
    toc: Span,
    tar_split: Option<Span>,
    vouched: Option<Digest>,
}

/// A compressed stretch of the blob.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a range and a length")]
pub struct Span {
    /// Its bytes in the blob, without the skippable frame's header.
    pub range: Range<u64>,
    /// Its length once decompressed, as claimed.
    pub plain_len: u64,
}

/// Which writer's form a blob has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// Podman 4.3's and stargz-snapshotter's zstd:chunked: no tar-split.
    Old,
    /// Today's zstd:chunked.
    Today,
}

impl Locator {
    /// Reads the annotations of a layer whose blob is `blob_len` bytes long.
    ///
    /// `Ok(None)` means that no annotation speaks of a zstd:chunked TOC. Today's keys win over the old ones.
    ///
    /// # Errors
    /// The annotations are there but cannot be meant: half of a pair, not numbers, outside the blob, over a limit.
    pub fn from_annotations(
        annotations: &BTreeMap<String, String>,
        blob_len: u64,
        limits: &Limits,
    ) -> Result<Option<Self>, LocateError> {
        let value = |key: &str| annotations.get(key).map(String::as_str);
        let (form, checksum_key, position_key) = match (value(CHECKSUM), value(OLD_CHECKSUM)) {
            (Some(_), _) => (Form::Today, CHECKSUM, POSITION),
            (None, Some(_)) => (Form::Old, OLD_CHECKSUM, OLD_POSITION),
            (None, None) => return Ok(None),
        };
        if form == Form::Today && value(ESTARGZ_DIGEST).is_some() {
            return Err(LocateError::TwoTocs);
        }
        let checksum = value(checksum_key).unwrap_or_default();
        let vouched = checksum.parse().map_err(|_bad| malformed(checksum_key, checksum))?;
        let position = value(position_key).ok_or(LocateError::Missing { key: position_key })?;
        let toc = match numbers::<4>(position) {
            Some([offset, len, plain_len, TYPE]) => Span::new(offset, len, plain_len),
            _ => None,
        };
        let toc = toc.ok_or_else(|| malformed(position_key, position))?;
        let tar_split = match value(TAR_SPLIT_POSITION).filter(|_| form == Form::Today) {
            None => None,
            Some(text) => match numbers::<3>(text) {
                // A zero offset is how the reference says "none".
                Some([0, _, _]) => None,
                Some([offset, len, plain_len]) => Some(
                    Span::new(offset, len, plain_len).ok_or_else(|| malformed(TAR_SPLIT_POSITION, text))?,
                ),
                None => return Err(malformed(TAR_SPLIT_POSITION, text)),
            },
        };
        Self { form, toc, tar_split, vouched: Some(vouched) }.checked(blob_len, limits).map(Some)
    }

    /// Reads the footer at the end of a blob that is `blob_len` bytes long; `tail` is the blob's last bytes.
    ///
    /// `Ok(None)` means that the blob ends in no footer of ours. What a footer says is unproven: [`vouched`] is
    /// `None`, and nothing read through it may be believed before a digest from elsewhere agrees.
    ///
    /// # Errors
    /// The footer's magic is there but its positions cannot be meant.
    ///
    /// [`vouched`]: Self::vouched
    pub fn from_footer(tail: &[u8], blob_len: u64, limits: &Limits) -> Result<Option<Self>, LocateError> {
        let (form, footer) = match (tail.last_chunk::<FOOTER_LEN>(), tail.last_chunk::<OLD_FOOTER_LEN>()) {
            (Some(footer), _) if footer.ends_with(MAGIC) => (Form::Today, footer.as_slice()),
            (_, Some(footer)) if footer.ends_with(OLD_MAGIC) => (Form::Old, footer.as_slice()),
            _ => return Ok(None),
        };
        let field = |at: usize| {
            let bytes = footer.chunks_exact(8).nth(at).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u64::from_le_bytes).unwrap_or_default()
        };
        if field(3) != TYPE {
            return Err(LocateError::FooterType { actual: field(3) });
        }
        let bad = || LocateError::FooterPosition { offset: field(0), len: field(1) };
        let toc = Span::new(field(0), field(1), field(2)).ok_or_else(bad)?;
        let tar_split = match form {
            Form::Today if field(4) != 0 => Some(Span::new(field(4), field(5), field(6)).ok_or_else(bad)?),
            Form::Today | Form::Old => None,
        };
        Self { form, toc, tar_split, vouched: None }.checked(blob_len, limits).map(Some)
    }

    /// Returns which writer's form the blob has.
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Returns where the TOC lies.
    pub const fn toc(&self) -> &Span {
        &self.toc
    }

    /// Returns where the tar-split lies, if the blob has one.
    pub const fn tar_split(&self) -> Option<&Span> {
        self.tar_split.as_ref()
    }

    /// Returns the digest of the compressed TOC, from the manifest; `None` for what a footer said.
    pub const fn vouched(&self) -> Option<&Digest> {
        self.vouched.as_ref()
    }

    /// Returns where the data frames end: at the header of the TOC's own frame.
    pub const fn data_end(&self) -> u64 {
        self.toc.range.start.saturating_sub(SKIPPABLE_HEADER_LEN)
    }

    /// Returns the one range that holds TOC and tar-split; they lie 8 bytes apart.
    pub fn range(&self) -> Range<u64> {
        let toc = &self.toc.range;
        self.tar_split.as_ref().map_or_else(
            || toc.clone(),
            |split| toc.start.min(split.range.start)..toc.end.max(split.range.end),
        )
    }

    fn checked(self, blob_len: u64, limits: &Limits) -> Result<Self, LocateError> {
        let spans = [
            ("TOC", Some(&self.toc), limits.toc_compressed, limits.toc),
            ("tar-split", self.tar_split.as_ref(), limits.tar_split_compressed, limits.tar_split),
        ];
        for (what, span, len_limit, plain_limit) in spans {
            let Some(Span { range, plain_len }) = span else { continue };
            if range.end > blob_len {
                return Err(LocateError::PastEnd { what, end: range.end, blob_len });
            }
            let len = range.end.saturating_sub(range.start);
            if len > len_limit {
                return Err(LocateError::TooLarge { what, len, limit: len_limit });
            }
            if *plain_len > plain_limit {
                return Err(LocateError::TooLarge { what, len: *plain_len, limit: plain_limit });
            }
        }
        let range = self.range();
        let len = range.end.saturating_sub(range.start);
        let limit = limits.toc_compressed.saturating_add(limits.tar_split_compressed);
        if len > limit {
            return Err(LocateError::TooLarge { what: "range of TOC and tar-split", len, limit });
        }
        if let Some(split) = &self.tar_split
            && split.range.start < self.toc.range.end
            && self.toc.range.start < split.range.end
        {
            return Err(LocateError::Overlap { toc: self.toc.range.clone(), tar_split: split.range.clone() });
        }
        Ok(self)
    }
}

impl Span {
    fn new(offset: u64, len: u64, plain_len: u64) -> Option<Self> {
        // The TOC lies in a skippable frame after at least nothing: 8 bytes of header come before it.
        let end = offset.checked_add(len)?;
        (offset >= SKIPPABLE_HEADER_LEN && len > 0).then_some(Self { range: offset..end, plain_len })
    }
}

/// Annotations or a footer that lead nowhere. The layer can still be pulled whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocateError {
    /// The footer's offset and length cannot be a stretch of a blob.
    #[error("the footer places the TOC at {offset}, {len} bytes long, which no blob can hold")]
    FooterPosition {
        /// The offset claimed.
        offset: u64,
        /// The length claimed.
        len: u64,
    },
    /// The footer's manifest type is not 1.
    #[error("the footer's manifest type is {actual}, expected 1")]
    FooterType {
        /// The type claimed.
        actual: u64,
    },
    /// An annotation's value cannot be read.
    #[error("annotation {key} cannot be read: {value:?}")]
    Malformed {
        /// The annotation's key.
        key: &'static str,
        /// Its value, cut to 100 characters.
        value: String,
    },
    /// A checksum is there, but not the position that belongs to it.
    #[error("annotation {key} is missing")]
    Missing {
        /// The annotation's key.
        key: &'static str,
    },
    /// TOC and tar-split claim the same bytes.
    #[error("TOC at {toc:?} and tar-split at {tar_split:?} overlap")]
    Overlap {
        /// Where the TOC is said to lie.
        toc: Range<u64>,
        /// Where the tar-split is said to lie.
        tar_split: Range<u64>,
    },
    /// A stretch ends after the blob does.
    #[error("the {what} is said to end at {end}, the blob ends at {blob_len}")]
    PastEnd {
        /// TOC or tar-split.
        what: &'static str,
        /// The end claimed.
        end: u64,
        /// The blob's length.
        blob_len: u64,
    },
    /// A stretch is longer than the limits allow.
    #[error("the {what} is said to be {len} bytes, the limit is {limit}")]
    TooLarge {
        /// TOC or tar-split.
        what: &'static str,
        /// The length claimed.
        len: u64,
        /// The limit.
        limit: u64,
    },
    /// The layer claims to be zstd:chunked and eStargz at once; the reference refuses this too.
    #[error("the layer has a zstd:chunked and an eStargz TOC annotation")]
    TwoTocs,
}

fn malformed(key: &'static str, value: &str) -> LocateError {
    LocateError::Malformed { key, value: value.chars().take(100).collect() }
}

/// Reads exactly `N` decimal numbers with colons between them.
fn numbers<const N: usize>(text: &str) -> Option<[u64; N]> {
    let mut parts = text.split(':');
    let mut numbers = [0; N];
    for number in &mut numbers {
        let digits = parts.next()?;
        // `u64::from_str` takes a leading plus sign.
        if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        *number = digits.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests;
