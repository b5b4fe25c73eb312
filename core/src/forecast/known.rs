//! A layer whose contents are known.

use alloc::string::{String, ToString as _};
use alloc::sync::Arc;

use crate::toc::BlobMap;
use crate::{Basis, Digest, Identity, Policy, Reason, Toc, TocError, Trust};

/// What manifest and config say of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, filled in by every shell")]
pub struct KnownLayer {
    /// The digest of its blob.
    pub blob: Digest,
    /// The length of its blob in bytes.
    pub blob_len: u64,
    /// The digest of its tar, by the image's word.
    pub diff_id: Digest,
    /// The media type of its blob.
    pub media_type: String,
}

/// A layer whose contents are known, and how a pull takes it. Cheap to clone but for the texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub(super) layer: KnownLayer,
    pub(super) toc: Arc<Toc>,
    pub(super) trust: Trust,
    pub(super) vouched: Option<Digest>,
    /// Why a pull takes it whole.
    pub(super) why: Option<String>,
    pub(super) toc_bytes: u64,
    pub(super) toc_requests: u64,
}

impl Known {
    /// Knows a layer by the TOC that looking for one brought; `policy` is that of the pulls that are spoken of.
    /// `toc_bytes` and `toc_requests` are what was read for it.
    ///
    /// # Errors
    /// The blob is shorter than the TOC says.
    pub fn from_basis(
        layer: KnownLayer,
        basis: &Basis,
        toc_bytes: u64,
        toc_requests: u64,
        policy: &Policy,
    ) -> Result<Self, KnownError> {
        Self::from_toc(layer, Arc::clone(basis.toc()), basis.trust(), toc_bytes, toc_requests, policy)
    }

    /// Like [`from_basis`](Self::from_basis), of which this is the TOC and the [trust](Basis::trust).
    ///
    /// # Errors
    /// The TOC is of no blob, or of a longer one.
    pub fn from_toc(
        layer: KnownLayer,
        toc: Arc<Toc>,
        trust: Trust,
        toc_bytes: u64,
        toc_requests: u64,
        policy: &Policy,
    ) -> Result<Self, KnownError> {
        let map = toc.map().ok_or(KnownError::Unlocated)?;
        let vouched = toc.vouched().copied();
        let wanted = (policy.trust, trust, vouched.is_some());
        let why = too_little(wanted, &toc, map).map(|reason| reason.to_string());
        Self { layer, trust, vouched, why, toc_bytes, toc_requests, toc }.fitting()
    }

    /// Knows a layer that was read front to back, because a pull takes it whole; `why` says the reason in words.
    /// `toc_bytes` and `toc_requests` are what a pull reads before it knows that.
    pub fn from_whole(
        layer: KnownLayer,
        toc: Arc<Toc>,
        why: impl Into<String>,
        toc_bytes: u64,
        toc_requests: u64,
    ) -> Self {
        let why = Some(why.into());
        Self { layer, toc, trust: Trust::DiffId, vouched: None, why, toc_bytes, toc_requests }
    }

    /// Returns what manifest and config say of it.
    pub const fn layer(&self) -> &KnownLayer {
        &self.layer
    }

    /// Returns its members.
    pub const fn toc(&self) -> &Arc<Toc> {
        &self.toc
    }

    /// Returns what ties the TOC to the layer.
    pub const fn trust(&self) -> Trust {
        self.trust
    }

    /// Returns the digest that the manifest names the TOC by.
    pub const fn vouched(&self) -> Option<&Digest> {
        self.vouched.as_ref()
    }

    /// Returns why a pull takes it whole; `None` if it takes it by file.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// Returns how many bytes are read before a pull decides.
    pub const fn toc_bytes(&self) -> u64 {
        self.toc_bytes
    }

    /// Returns how many requests that takes.
    pub const fn toc_requests(&self) -> u64 {
        self.toc_requests
    }

    /// Returns the layer as what an overlap compares.
    pub fn overlap_layer(&self) -> crate::overlap::Layer<'_> {
        crate::overlap::Layer {
            toc: &self.toc,
            blob: Some(self.layer.blob),
            diff_id: Some(self.layer.diff_id),
            blob_len: self.layer.blob_len,
            pulled: match self.why {
                None => crate::overlap::Pulled::ByFile,
                Some(_) => crate::overlap::Pulled::Whole,
            },
        }
    }

    /// Returns what a pull that took the layer leaves it known by.
    pub(super) fn identity(&self) -> Identity {
        match (&self.why, self.trust, self.vouched) {
            (None, Trust::Toc, Some(toc)) => Identity::Toc(toc),
            _ => Identity::DiffId(self.layer.diff_id),
        }
    }

    /// Returns why a pull that wants this much takes the layer whole, and what it reads before it knows.
    pub(super) fn whole(&self, wants: Trust) -> Option<(String, u64, u64)> {
        let read = (self.toc_bytes, self.toc_requests);
        let Some(map) = self.toc.map() else {
            // It was read whole; whoever did so said why.
            return Some((self.why.clone().unwrap_or_default(), read.0, read.1));
        };
        let reason = too_little((wants, self.trust, self.vouched.is_some()), &self.toc, map)?;
        // Where there can be no tar-split, nothing is read of the blob.
        let looks = wants == Trust::Toc || map.tied;
        Some((reason.to_string(), if looks { read.0 } else { 0 }, if looks { read.1 } else { 0 }))
    }

    /// Holds what the TOC says of its blob against the blob's length.
    pub(super) fn fitting(self) -> Result<Self, KnownError> {
        let blob_len = self.layer.blob_len;
        match self.toc.map().map(BlobMap::end).filter(|end| *end > blob_len) {
            Some(end) => Err(KnownError::PastEnd { end, blob_len }),
            None => Ok(self),
        }
    }
}

/// What a pull wants, what there is, and whether the manifest vouches for the TOC.
type Wanted = (Trust, Trust, bool);

/// Returns why a TOC is not enough.
fn too_little(wanted: Wanted, toc: &Toc, map: &BlobMap) -> Option<Reason> {
    match wanted {
        (Trust::DiffId, Trust::DiffId, _) if map.tied && toc.tar_split_digest().is_some() => None,
        (Trust::DiffId, ..) => Some(Reason::NoTarSplit),
        (Trust::Toc, Trust::Toc, false) => Some(Reason::Unvouched),
        (Trust::Toc, ..) => None,
    }
}

/// Something that is not known of the layer that it is said to be of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum KnownError {
    /// A line that cannot be read.
    #[error("column {column}: {message}")]
    Line {
        /// Where in the line, from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// The blob is said to hold more than it is long.
    #[error("its table of contents places something up to {end}, the blob ends at {blob_len}")]
    PastEnd {
        /// Where the last of it ends.
        end: u64,
        /// The blob's length.
        blob_len: u64,
    },
    /// The TOC cannot be used.
    #[error("{0}")]
    Toc(TocError),
    /// The TOC is of no blob, so a pull by file cannot be spoken of.
    #[error("its table of contents does not say where anything lies in the blob")]
    Unlocated,
}

impl KnownError {
    /// Whether it contradicts itself; else it is only not understood.
    pub const fn is_lie(&self) -> bool {
        match self {
            Self::PastEnd { .. } => true,
            Self::Toc(error) => error.is_lie(),
            Self::Line { .. } | Self::Unlocated => false,
        }
    }
}
