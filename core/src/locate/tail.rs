//! Layers whose annotations say what the TOC is, but not where: the end of the blob does.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::footer::Footer;
use super::{
    CHECKSUM, ESTARGZ_DIGEST, FOOTER_LEN, Form, Led, LocateError, Locator, OLD_CHECKSUM, OLD_POSITION, Span,
    parse,
};
use crate::policy::Policy;
use crate::toc::TocFetch;
use crate::{Digest, Limits};

/// Where to begin to look for a TOC, and what will vouch for it.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a shell must follow each")]
pub enum Located {
    /// The annotations say where it lies.
    Annotated(Locator),
    /// The end of the blob does.
    Tail(TailFetch),
}

impl Located {
    /// Reads the annotations of a layer whose blob is `blob_len` bytes long.
    ///
    /// `Ok(None)` means that no annotation speaks of a TOC.
    ///
    /// # Errors
    /// See [`Locator::from_annotations`].
    pub fn from_annotations(
        annotations: &BTreeMap<String, String>,
        blob_len: u64,
        policy: &Policy,
    ) -> Result<Option<Self>, LocateError> {
        let old = annotations.get(OLD_CHECKSUM);
        // Podman 4.3 looked at the footer where the position was missing. Today's keys win over its own.
        if annotations.contains_key(CHECKSUM) || annotations.contains_key(OLD_POSITION) || old.is_none() {
            let located = Locator::from_annotations(annotations, blob_len, &policy.limits)?;
            if let Some(locator) = located {
                return Ok(Some(Self::Annotated(locator)));
            }
        }
        let compressed = old.map(|text| parse(OLD_CHECKSUM, text)).transpose()?;
        let plain = annotations.get(ESTARGZ_DIGEST).map(|text| parse(ESTARGZ_DIGEST, text)).transpose()?;
        if compressed.is_none() && plain.is_none() {
            return Ok(None);
        }
        Ok(Some(Self::Tail(TailFetch::new(compressed, plain, blob_len, policy))))
    }

    /// Returns the digest that names the layer, if nothing but its TOC is proven.
    pub fn vouched(&self) -> Option<&Digest> {
        match self {
            Self::Annotated(locator) => locator.vouched(),
            Self::Tail(tail) => tail.vouched(),
        }
    }

    /// Whether the blob may hold a tar-split, which could tie the TOC to the DiffID.
    pub const fn may_have_tar_split(&self) -> bool {
        matches!(self, Self::Annotated(Locator { form: Form::Today, tar_split: Some(_), .. }))
    }
}

/// Takes the last bytes of a blob, in which a footer says where the TOC lies.
///
/// One request brings more than the footer: as many bytes as cost as much as a round trip. If the TOC is in them that
/// round trip is saved, and if it is not, or is much shorter, no more was lost than one. Nothing of what a footer says
/// is believed: the digest in the annotations decides about the TOC.
#[derive(Debug)]
pub struct TailFetch {
    compressed: Option<Digest>,
    plain: Option<Digest>,
    limits: Limits,
    range: Range<u64>,
    bytes: Vec<u8>,
}

/// Where a footer says that the TOC lies.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a shell must follow each")]
pub enum TailFound {
    /// In another image.
    External(ExternalToc),
    /// In the same blob; perhaps all of it has come already.
    Here(TocFetch),
}

impl TailFetch {
    fn new(compressed: Option<Digest>, plain: Option<Digest>, blob_len: u64, policy: &Policy) -> Self {
        let footer = u64::try_from(FOOTER_LEN).unwrap_or(u64::MAX);
        let len = policy.cost.round_trip().min(policy.limits.toc_compressed).max(footer);
        let range = blob_len.saturating_sub(len)..blob_len;
        Self { compressed, plain, limits: policy.limits, range, bytes: Vec::new() }
    }

    /// Returns the digest that the manifest names the TOC by.
    pub fn vouched(&self) -> Option<&Digest> {
        self.plain.as_ref().or(self.compressed.as_ref())
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

    /// Reads the footer.
    ///
    /// # Errors
    /// Not all bytes came, there is no footer, or it leads nowhere.
    pub fn finish(self) -> Result<TailFound, LocateError> {
        let blob_len = self.range.end;
        let missing = self.remaining();
        if missing.start < missing.end {
            return Err(LocateError::TailCut { at: missing.start, blob_len });
        }
        let (toc, tar_split, form, data_end) =
            match Footer::parse(&self.bytes, blob_len, self.limits.toc)?.ok_or(LocateError::NoFooter)? {
                Footer::Here { form, toc, tar_split, data_end } => (toc, tar_split, form, data_end),
                Footer::External { data_end } => {
                    let (compressed, plain, limits) = (self.compressed, self.plain, self.limits);
                    return Ok(TailFound::External(ExternalToc { compressed, plain, data_end, limits }));
                }
            };
        let Self { compressed, plain, limits, range, bytes } = self;
        let by_stargz = plain.is_some();
        let led = Led::Footer;
        let locator = Locator { form, toc, tar_split, compressed, plain, data_end, led };
        let locator = if by_stargz { locator.of_stargz() } else { locator };
        let locator = locator.checked(blob_len, &limits)?;
        // What of the TOC's range lies in the tail is its end.
        let owed = locator.range();
        let within = |offset: u64| usize::try_from(offset.saturating_sub(range.start)).unwrap_or(usize::MAX);
        let here = bytes.get(within(owed.start)..within(owed.end)).unwrap_or_default().to_vec();
        Ok(TailFound::Here(TocFetch::with_end(locator, limits, here)))
    }
}

/// A TOC that is a blob of another image: a layer of the one whose tag ends in [`TAG_SUFFIX`](Self::TAG_SUFFIX).
#[derive(Debug)]
pub struct ExternalToc {
    compressed: Option<Digest>,
    plain: Option<Digest>,
    data_end: u64,
    limits: Limits,
}

impl ExternalToc {
    /// What the other image's tag has behind the image's own.
    pub const TAG_SUFFIX: &str = "-esgztoc";
    /// The annotation of the other image's layers that names the layer each is for, by the digest of its blob.
    pub const LAYER_KEY: &str = "containerd.io/snapshot/stargz/layer.digest";

    /// Starts fetching the TOC: all of a blob of this length.
    ///
    /// # Errors
    /// It is empty, or over the limits.
    pub fn fetch(self, toc_blob_len: u64) -> Result<TocFetch, LocateError> {
        let Self { compressed, plain, data_end, limits } = self;
        let toc = Span { range: 0..toc_blob_len, plain_len: limits.toc };
        let (form, tar_split, led) = (Form::EStargz, None, Led::Beside);
        let locator = Locator { form, toc, tar_split, compressed, plain, data_end, led };
        Ok(TocFetch::new(locator.checked(toc_blob_len, &limits)?, limits))
    }
}
