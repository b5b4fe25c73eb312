//! The proof on whichever rung there is: one face for the thread that reads back.

use shingle_core::{Complete, DiffIdCheck, DiffIdError, Digest, FileId, Plan, TocCheck, VerifiedLayer};

use crate::pull::look::Basis;

/// The check of what a layer can be proven by.
pub(super) enum Check {
    /// Against the image's DiffID.
    Tar(DiffIdCheck),
    /// Against the TOC alone.
    Toc(TocCheck),
}

impl Check {
    pub(super) fn new(basis: &Basis, plan: &Plan) -> Self {
        match basis {
            Basis::Tar(agreed, _) => Self::Tar(DiffIdCheck::new(agreed.clone(), plan)),
            Basis::Toc(vouched) => Self::Toc(TocCheck::new(vouched.clone(), plan)),
        }
    }

    pub(super) fn wants(&mut self) -> Result<Option<FileId>, DiffIdError> {
        match self {
            Self::Tar(check) => check.wants(),
            Self::Toc(check) => check.wants(),
        }
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) -> Result<(), DiffIdError> {
        match self {
            Self::Tar(check) => check.receive(bytes),
            Self::Toc(check) => check.receive(bytes),
        }
    }

    pub(super) fn finish(self, complete: Complete, diff_id: &Digest) -> Result<VerifiedLayer, DiffIdError> {
        match self {
            Self::Tar(check) => check.finish(complete, diff_id),
            Self::Toc(check) => check.finish(complete),
        }
    }
}
