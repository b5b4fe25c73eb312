//! The proof at the end of every pull, and the name that it gives a layer.

use alloc::format;
use alloc::sync::Arc;

use crate::{Digest, Toc, Trust};

/// What a layer is known by: the rung of the trust ladder that it was proven on, and the digest there.
///
/// The same tree proven on two rungs is two layers: what rests on a TOC alone is never taken for the layer that the
/// image's config names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "one for each rung; whoever misses one would mix them up")]
pub enum Identity {
    /// The digest of its tar.
    DiffId(Digest),
    /// The digest of its TOC, as the image's manifest has it: of the JSON for what stargz-snapshotter writes, of the
    /// compressed TOC else.
    Toc(Digest),
}

impl Identity {
    /// Returns the rung.
    pub const fn trust(&self) -> Trust {
        match self {
            Self::DiffId(_) => Trust::DiffId,
            Self::Toc(_) => Trust::Toc,
        }
    }

    /// Returns one digest that stands for the layer in a store.
    ///
    /// For a DiffID it is the DiffID. A TOC's digest goes through one more, so that no TOC can be made to fit a DiffID;
    /// it is what containers/storage does (without a parent).
    pub fn id(&self) -> Digest {
        match self {
            Self::DiffId(diff_id) => *diff_id,
            Self::Toc(toc) => Digest::of(format!("@TOC={}", toc.to_hex()).as_bytes()),
        }
    }
}

/// Proof that a layer is what it is known by.
///
/// On the rung of the DiffID: the tar, rebuilt or read, has the digest that the image's config names. On the rung of
/// the TOC: the manifest vouches for the TOC, and every file has the content that the TOC says; what the image's config
/// says of the tar was not looked at.
#[derive(Debug)]
pub struct VerifiedLayer {
    identity: Identity,
    toc: Arc<Toc>,
}

impl VerifiedLayer {
    pub(crate) const fn new(diff_id: Digest, toc: Arc<Toc>) -> Self {
        Self { identity: Identity::DiffId(diff_id), toc }
    }

    pub(crate) const fn by_toc(digest: Digest, toc: Arc<Toc>) -> Self {
        Self { identity: Identity::Toc(digest), toc }
    }

    /// Returns what is proven: which rung, and the digest on it.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns the digest of the layer's tar; `None` when only its TOC was proven.
    pub const fn diff_id(&self) -> Option<&Digest> {
        match &self.identity {
            Identity::DiffId(diff_id) => Some(diff_id),
            Identity::Toc(_) => None,
        }
    }

    /// Returns the members, their names and the digests of their contents, all proven.
    pub const fn toc(&self) -> &Arc<Toc> {
        &self.toc
    }
}
