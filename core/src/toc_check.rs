//! The rung below the DiffID: every file is what the TOC says, and the manifest vouches for the TOC.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::Digest;
use crate::diff_id::DiffIdError;
use crate::ledger::Complete;
use crate::plan::{Parts, Plan, Source};
use crate::read_back::ReadBack;
use crate::toc::{FileId, Toc};
use crate::verified::VerifiedLayer;

/// A TOC that has the digest which the image's manifest names.
#[derive(Clone, Debug)]
pub struct VouchedToc {
    toc: Arc<Toc>,
    digest: Digest,
}

impl VouchedToc {
    /// Takes a TOC as it came; `None` for one that nothing but a footer led to, or that is of no blob.
    pub fn new(toc: Toc) -> Option<Self> {
        let digest = *toc.vouched()?;
        Some(Self { toc: Arc::new(toc), digest })
    }

    /// Returns the TOC.
    pub const fn toc(&self) -> &Arc<Toc> {
        &self.toc
    }
}

/// Holds every content against the digest in a TOC that the manifest vouches for.
///
/// It is [`DiffIdCheck`](crate::DiffIdCheck) for layers whose TOC no tar-split ties to the tar, and is driven the same
/// way. What it yields says so: [`Identity::Toc`](crate::Identity::Toc).
#[derive(Debug)]
pub struct TocCheck {
    vouched: VouchedToc,
    /// The next entry.
    entry: usize,
    /// The content being received.
    content: ReadBack,
    /// By entry: whether the plan's own fetches proved the content.
    proven: Vec<bool>,
    parts: Arc<Parts>,
}

impl TocCheck {
    /// Starts before the first file.
    ///
    /// What fetches prove on the way is not read back: a file that is fetched as one chunk, which has the file's own
    /// digest, and one that repeats an earlier file. All others are, those from donors too: no digest of the whole
    /// comes after this one.
    pub fn new(vouched: VouchedToc, plan: &Plan) -> Self {
        let toc = plan.toc();
        // A plan of another TOC proves nothing of this one.
        let of_this_toc = Arc::ptr_eq(toc, &vouched.toc) || *toc == vouched.toc;
        let mut proven = alloc::vec![false; vouched.toc.entries().len()];
        for planned in plan.files() {
            let by_plan = match &planned.source {
                Source::Twin { .. } => true,
                Source::Held { .. } => false,
                Source::Assembled { .. } => planned.is_one_fetch(toc),
            };
            if let Some(proven) = proven.get_mut(planned.file.index()) {
                *proven = of_this_toc && by_plan;
            }
        }
        let parts = Arc::clone(plan.parts());
        Self { vouched, entry: 0, content: ReadBack::default(), proven, parts }
    }

    /// Returns the file whose content is needed next, from its beginning and all of it; `None` when no more is needed.
    ///
    /// # Errors
    /// The content before it is not what the TOC says. The error repeats from then on.
    pub fn wants(&mut self) -> Result<Option<FileId>, DiffIdError> {
        self.content.settle(&self.vouched.toc)?;
        while let Some(entry) = self.vouched.toc.entries().get(self.entry) {
            let index = self.entry;
            self.entry = self.entry.saturating_add(1);
            if !entry.is_file() || self.proven.get(index).is_some_and(|proven| *proven) {
                continue;
            }
            let file = FileId::new(index);
            self.content.begin(file, entry.member().size, true);
            return Ok(Some(file));
        }
        Ok(None)
    }

    /// Takes the next bytes of the file wanted; what it does not owe is an error.
    ///
    /// # Errors
    /// The file on disk is longer than the TOC says. The error repeats from then on.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), DiffIdError> {
        self.content.receive(bytes, &self.vouched.toc)
    }

    /// Ends the check.
    ///
    /// # Errors
    /// Not all was received, or `complete` is not of the plan that the check relies on.
    #[expect(clippy::needless_pass_by_value, reason = "the proof is spent")]
    pub fn finish(mut self, complete: Complete) -> Result<VerifiedLayer, DiffIdError> {
        if !complete.is_of(&self.parts) {
            return Err(DiffIdError::OtherPlan);
        }
        if self.wants()?.is_some() {
            return Err(self.content.missing(&self.vouched.toc));
        }
        let VouchedToc { toc, digest } = self.vouched;
        Ok(VerifiedLayer::by_toc(digest, toc))
    }
}

#[cfg(test)]
mod tests;
