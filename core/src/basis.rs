//! What a layer that is pulled by file can be proven by.

use alloc::sync::Arc;

use crate::Digest;
use crate::agree::{Disagreement, Severity};
use crate::diff_id::{Agreed, DiffIdCheck, DiffIdError};
use crate::ledger::Complete;
use crate::plan::{Plan, Reason};
use crate::policy::{Policy, Trust};
use crate::toc::{BadTarSplit, CompressedTarSplit, FileId, ProvenTarSplit, Toc, TocError, TocFetch};
use crate::toc_check::{TocCheck, VouchedToc};
use crate::verified::VerifiedLayer;

/// A TOC, and what ties a layer made from it to its image.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "one for each rung of the trust ladder")]
pub enum Basis {
    /// The tar's own headers, which say what the TOC says: in the end, the DiffID.
    Tar(Agreed, CompressedTarSplit),
    /// The manifest's word for the TOC, and nothing more.
    Toc(VouchedToc),
}

/// What came of a TOC that is no lie.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Opened {
    /// The layer can be pulled by file.
    Found(Basis),
    /// It cannot be proven from this TOC, or the TOC is not understood.
    Whole(Reason),
}

/// A TOC that lies: the layer must not be pulled at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "there are two documents, and what they say together")]
pub enum OpenError {
    /// It describes another tree than the tar.
    #[error(transparent)]
    Disagreement(Disagreement),
    /// The tar-split is a bomb.
    #[error(transparent)]
    TarSplit(BadTarSplit),
    /// It is another TOC than the manifest says, or contradicts itself.
    #[error(transparent)]
    Toc(TocError),
}

impl TocFetch {
    /// Checks what was fetched, and settles what the layer can be proven by.
    ///
    /// A shell with threads reads TOC and tar-split side by side instead: [`split`](Self::split), [`Basis::read`].
    ///
    /// # Errors
    /// Somebody lies.
    pub fn open(self, policy: &Policy) -> Result<Opened, OpenError> {
        let read = self.split().and_then(|(toc, tar_split)| {
            let toc = toc.read()?;
            let tar_split = tar_split.map(|bytes| bytes.read(&policy.limits));
            let tar_split = tar_split.map(|unproven| unproven.prove(&toc)).transpose()?.flatten();
            Ok((toc, tar_split))
        });
        Basis::read(read, policy.trust)
    }
}

impl Basis {
    /// Judges what reading a TOC and its tar-split came to, and holds the two against each other.
    ///
    /// # Errors
    /// Somebody lies.
    pub fn read(
        read: Result<(Toc, Option<ProvenTarSplit>), TocError>,
        trust: Trust,
    ) -> Result<Opened, OpenError> {
        let (toc, tar_split) = match read {
            Ok(read) => read,
            Err(error) if error.is_lie() => return Err(OpenError::Toc(error)),
            Err(error) => return Ok(Opened::Whole(Reason::Toc(error))),
        };
        let Some(ProvenTarSplit { compressed, records, .. }) = tar_split else {
            return Ok(match (trust, VouchedToc::new(toc)) {
                (Trust::DiffId, _) => Opened::Whole(Reason::NoTarSplit),
                (Trust::Toc, Some(vouched)) => Opened::Found(Self::Toc(vouched)),
                (Trust::Toc, None) => Opened::Whole(Reason::Unvouched),
            });
        };
        let records = match records {
            Ok(records) => records,
            Err(error) if error.is_lie() => return Err(OpenError::TarSplit(error)),
            Err(error) => return Ok(Opened::Whole(Reason::TarSplit(error))),
        };
        match Agreed::new(toc, records) {
            Ok(agreed) => Ok(Opened::Found(Self::Tar(agreed, compressed))),
            Err(error) if error.severity() == Severity::Lie => Err(OpenError::Disagreement(error)),
            Err(error) => Ok(Opened::Whole(Reason::Disagreement(error))),
        }
    }

    /// Returns the TOC.
    pub const fn toc(&self) -> &Arc<Toc> {
        match self {
            Self::Tar(agreed, _) => agreed.toc(),
            Self::Toc(vouched) => vouched.toc(),
        }
    }

    /// Returns the tar-split as it lay in the blob; `None` where nothing but the TOC is proven.
    pub const fn tar_split(&self) -> Option<&CompressedTarSplit> {
        match self {
            Self::Tar(_, tar_split) => Some(tar_split),
            Self::Toc(_) => None,
        }
    }

    /// Returns how far the layer will be proven.
    pub const fn trust(&self) -> Trust {
        match self {
            Self::Tar(..) => Trust::DiffId,
            Self::Toc(_) => Trust::Toc,
        }
    }

    /// Starts the proof of a layer that is made as `plan` says.
    pub fn check(&self, plan: &Plan) -> LayerCheck {
        match self {
            Self::Tar(agreed, _) => LayerCheck::DiffId(DiffIdCheck::new(agreed.clone(), plan)),
            Self::Toc(vouched) => LayerCheck::Toc(TocCheck::new(vouched.clone(), plan)),
        }
    }
}

/// The proof on whichever rung there is, driven the same way on each.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "one for each rung of the trust ladder")]
pub enum LayerCheck {
    /// Against the image's DiffID.
    DiffId(DiffIdCheck),
    /// Against the TOC alone.
    Toc(TocCheck),
}

impl LayerCheck {
    /// Returns the file whose content is needed next, from its beginning and all of it; `None` when no more is needed.
    ///
    /// # Errors
    /// The content before it is not what the TOC says. The error repeats from then on.
    pub fn wants(&mut self) -> Result<Option<FileId>, DiffIdError> {
        match self {
            Self::DiffId(check) => check.wants(),
            Self::Toc(check) => check.wants(),
        }
    }

    /// Takes the next bytes of the file wanted; what it does not owe is an error.
    ///
    /// # Errors
    /// The file is longer than the TOC says. The error repeats from then on.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), DiffIdError> {
        match self {
            Self::DiffId(check) => check.receive(bytes),
            Self::Toc(check) => check.receive(bytes),
        }
    }

    /// Compares with the DiffID that the image's config names, where that can be.
    ///
    /// # Errors
    /// It is another layer, not all of it was received, or `complete` is not of the plan that the check relies on.
    pub fn finish(self, complete: Complete, diff_id: &Digest) -> Result<VerifiedLayer, DiffIdError> {
        match self {
            Self::DiffId(check) => check.finish(complete, diff_id),
            Self::Toc(check) => check.finish(complete),
        }
    }
}
