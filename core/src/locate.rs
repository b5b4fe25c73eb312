//! Where a layer's TOC lies, and which digest vouches for it.
//!
//! Annotations on the layer's descriptor say both, or only which. A footer at the end of the blob says only where: no
//! digest is in it, so what it leads to is unproven until it has the one in the annotations.

pub(crate) mod footer;
mod tail;

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::ops::Range;

pub use tail::{ExternalToc, Located, TailFetch, TailFound};

use crate::codec::Codec;
use crate::{Digest, Limits};
use footer::{Footer, TYPE};

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

/// Where the TOC (and the tar-split) of one blob lie, and what vouches for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locator {
    form: Form,
    toc: Span,
    tar_split: Option<Span>,
    /// The digest that the compressed TOC must have.
    compressed: Option<Digest>,
    /// The digest that the TOC's JSON must have.
    plain: Option<Digest>,
    data_end: u64,
    led: Led,
}

/// What leads to a TOC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Led {
    /// The annotations.
    Annotations,
    /// The end of the blob, to another blob.
    Beside,
    /// The end of the blob.
    Footer,
}

/// A compressed stretch of the blob.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a range and a length")]
pub struct Span {
    /// Its bytes in the blob, without the skippable frame's header.
    pub range: Range<u64>,
    /// Its length once decompressed, as claimed; the limit, where the form claims none.
    pub plain_len: u64,
}

/// Which writer's form a blob has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// Stargz-snapshotter's gzip: the TOC is a file of the tar, or a blob of its own; no tar-split.
    EStargz,
    /// Podman 4.3's zstd:chunked: no tar-split.
    Old,
    /// Stargz-snapshotter's zstd:chunked: no tar-split.
    StargzZstd,
    /// Today's zstd:chunked.
    Today,
}

impl Form {
    /// What the frames are compressed with.
    pub(crate) const fn codec(self) -> Codec {
        match self {
            Self::EStargz => Codec::Gzip,
            Self::Old | Self::StargzZstd | Self::Today => Codec::Zstd,
        }
    }

    /// Whether stargz-snapshotter wrote it, which keeps files of its own in the tar.
    pub(crate) const fn is_stargz(self) -> bool {
        matches!(self, Self::EStargz | Self::StargzZstd)
    }
}

impl Locator {
    /// Reads the annotations of a layer whose blob is `blob_len` bytes long.
    ///
    /// `Ok(None)` means that no annotation says where a TOC lies; [`Located`] knows more places to look. Today's keys win
    /// over the old ones.
    ///
    /// # Errors
    /// The annotations are there but cannot be meant: half of a pair, not numbers, outside the blob, over a limit.
    pub fn from_annotations(
        annotations: &BTreeMap<String, String>,
        blob_len: u64,
        limits: &Limits,
    ) -> Result<Option<Self>, LocateError> {
        let value = |key: &str| annotations.get(key).map(String::as_str);
        let plain = value(ESTARGZ_DIGEST);
        let (form, checksum_key, position_key) = match (value(CHECKSUM), value(OLD_CHECKSUM)) {
            (Some(_), _) => (Form::Today, CHECKSUM, POSITION),
            (None, Some(_)) if plain.is_some() => (Form::StargzZstd, OLD_CHECKSUM, OLD_POSITION),
            (None, Some(_)) => (Form::Old, OLD_CHECKSUM, OLD_POSITION),
            (None, None) => return Ok(None),
        };
        if form == Form::Today && plain.is_some() {
            return Err(LocateError::TwoTocs);
        }
        let compressed = Some(parse(checksum_key, value(checksum_key).unwrap_or_default())?);
        let plain = plain.map(|text| parse(ESTARGZ_DIGEST, text)).transpose()?;
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
        let data_end = toc.frame_start();
        let led = Led::Annotations;
        let locator = Self { form, toc, tar_split, compressed, plain, data_end, led };
        locator.checked(blob_len, limits).map(Some)
    }

    /// Reads the footer at the end of a blob that is `blob_len` bytes long; `tail` is the blob's last bytes.
    ///
    /// `Ok(None)` means that the blob ends in no footer, or in one that says that the TOC is elsewhere. What a footer
    /// says is unproven: [`vouched`] is `None`, and nothing read through it may be believed before a digest from
    /// elsewhere agrees.
    ///
    /// # Errors
    /// The footer's magic is there but its positions cannot be meant.
    ///
    /// [`vouched`]: Self::vouched
    pub fn from_footer(tail: &[u8], blob_len: u64, limits: &Limits) -> Result<Option<Self>, LocateError> {
        match Footer::parse(tail, blob_len, limits.toc)? {
            None | Some(Footer::External { .. }) => Ok(None),
            Some(Footer::Here { form, toc, tar_split, data_end }) => {
                let (compressed, plain, led) = (None, None, Led::Footer);
                let locator = Self { form, toc, tar_split, compressed, plain, data_end, led };
                locator.checked(blob_len, limits).map(Some)
            }
        }
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

    /// Returns the digest that the manifest names the TOC by, of its JSON where stargz-snapshotter wrote it, of the
    /// compressed TOC else; `None` for what a footer said.
    pub fn vouched(&self) -> Option<&Digest> {
        self.plain.as_ref().or(self.compressed.as_ref())
    }

    /// Returns the digest that the compressed TOC must have, if the manifest says.
    pub(crate) const fn compressed(&self) -> Option<&Digest> {
        self.compressed.as_ref()
    }

    /// Returns the digest that the TOC's JSON must have, if the manifest says.
    pub(crate) const fn plain(&self) -> Option<&Digest> {
        self.plain.as_ref()
    }

    /// Returns what led here.
    pub(crate) const fn led(&self) -> Led {
        self.led
    }

    /// Returns where the data frames end: at the TOC's own frame, skippable header included, or at the footer.
    pub const fn data_end(&self) -> u64 {
        self.data_end
    }

    /// Returns the one range that holds TOC and tar-split; they lie 8 bytes apart.
    pub fn range(&self) -> Range<u64> {
        let toc = &self.toc.range;
        self.tar_split.as_ref().map_or_else(
            || toc.clone(),
            |split| toc.start.min(split.range.start)..toc.end.max(split.range.end),
        )
    }

    /// Takes a TOC of zstd for stargz-snapshotter's, whose annotation names it. It wrote no tar-split, and what its TOC
    /// means must not depend on which footer leads there.
    pub(crate) fn of_stargz(self) -> Self {
        match self.form {
            Form::Old | Form::Today => Self { form: Form::StargzZstd, tar_split: None, ..self },
            Form::EStargz | Form::StargzZstd => self,
        }
    }

    fn checked(self, blob_len: u64, limits: &Limits) -> Result<Self, LocateError> {
        let spans = [
            ("TOC", Some(&self.toc), limits.toc_compressed, limits.toc),
            ("tar-split", self.tar_split.as_ref(), limits.tar_split_compressed, limits.tar_split),
        ];
        for (what, span, len_limit, plain_limit) in spans {
            let Some(Span { range, plain_len }) = span else { continue };
            if range.is_empty() {
                return Err(LocateError::FooterPosition { offset: range.start, len: 0 });
            }
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

    /// Where the skippable frame around it begins.
    const fn frame_start(&self) -> u64 {
        self.range.start.saturating_sub(SKIPPABLE_HEADER_LEN)
    }
}

/// Annotations or a footer that lead nowhere. The layer can still be pulled whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
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
    /// The annotations leave it to the end of the blob to say where the TOC lies, and it does not.
    #[error("the blob ends in no footer that says where its table of contents lies")]
    NoFooter,
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
    /// The end of the blob did not come.
    #[error("the end of the blob is missing from {at} on, it ends at {blob_len}")]
    TailCut {
        /// The offset of the first byte missing.
        at: u64,
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

fn parse(key: &'static str, text: &str) -> Result<Digest, LocateError> {
    text.parse().map_err(|_bad| malformed(key, text))
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
