//! The last rung: the tar that the layer stands for, rebuilt and hashed.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::agree::{Disagreement, check_agreement};
use crate::ledger::Complete;
use crate::plan::{Parts, Plan, Source};
use crate::read_back::ReadBack;
use crate::tar_split::{RawCursor, TarSplit};
use crate::toc::{Entry, FileId, Toc};
use crate::verified::VerifiedLayer;
use crate::{Digest, Hasher, Name};

/// A TOC and the tar-split that says the same of every member.
#[derive(Clone, Debug)]
pub struct Agreed {
    toc: Arc<Toc>,
    tar_split: Arc<TarSplit>,
}

impl Agreed {
    /// Holds the TOC against the tar's own headers, and takes over names that only the tar can say.
    ///
    /// # Errors
    /// They differ: see [`Disagreement::severity`].
    pub fn new(mut toc: Toc, tar_split: TarSplit) -> Result<Self, Disagreement> {
        let adopted = check_agreement(toc.entries().iter().map(Entry::member), &tar_split)?;
        for adopted in adopted {
            if let Some(member) = toc.member_mut(adopted.entry) {
                adopted.apply(member);
            }
        }
        Ok(Self { toc: Arc::new(toc), tar_split: Arc::new(tar_split) })
    }

    /// Returns the TOC.
    pub const fn toc(&self) -> &Arc<Toc> {
        &self.toc
    }
}

/// Rebuilds the tar from tar-split and file contents, and hashes it.
///
/// Contents are read back from where the layer really is, in the order of the tar, so fetched and reused files are
/// covered alike and the order of fetching is free. It may start before the last fetch is done: [`finish`] takes the
/// proof that all are.
///
/// [`finish`]: Self::finish
#[derive(Debug)]
pub struct DiffIdCheck {
    agreed: Agreed,
    /// The next member, in TOC and tar-split alike.
    member: usize,
    /// How far the tar's own bytes were hashed.
    raw: RawCursor,
    tar: Hasher,
    /// The content being received, which is hashed by itself if nothing else proves it.
    content: ReadBack,
    /// By entry: whether something else proves the file's digest.
    proven: Vec<bool>,
    /// The plan that proves them.
    parts: Option<Arc<Parts>>,
}

impl DiffIdCheck {
    /// Starts at the beginning of the tar.
    ///
    /// What the plan proves is not hashed again: a file that is fetched as one chunk, one that is held under its own
    /// digest, and one that repeats an earlier file. That is most of a layer. All others are held against the digest
    /// in the TOC too, because it names an object from then on: a file of several chunks, of zeros, or of a donor's
    /// chunk could else carry the name of another content into the store.
    pub fn new(agreed: Agreed, plan: &Plan) -> Self {
        let toc = plan.toc();
        // A plan of another TOC proves nothing of this one. Usually the two are one, which costs nothing to see.
        let of_this_toc = *toc == agreed.toc;
        let mut proven = alloc::vec![false; toc.entries().len()];
        for planned in plan.files() {
            let by_plan = match &planned.source {
                Source::Held { .. } | Source::Twin { .. } => true,
                Source::Assembled { .. } => planned.is_one_fetch(toc),
            };
            if let Some(proven) = proven.get_mut(planned.file.index()) {
                *proven = of_this_toc && by_plan;
            }
        }
        let parts = Some(Arc::clone(plan.parts()));
        Self { proven, parts, ..Self::thorough(agreed) }
    }

    /// Starts like [`new`](Self::new), but holds every content against the digest in the TOC: when a check started
    /// with `new` ends in another tar, this one finds the file.
    pub fn thorough(agreed: Agreed) -> Self {
        Self {
            agreed,
            member: 0,
            raw: RawCursor::default(),
            tar: Hasher::new(),
            content: ReadBack::default(),
            proven: Vec::new(),
            parts: None,
        }
    }

    /// Returns the file whose content is needed next, from its beginning and all of it; `None` at the end of the tar.
    ///
    /// # Errors
    /// The content before it is not what the TOC says. The error repeats from then on.
    pub fn wants(&mut self) -> Result<Option<FileId>, DiffIdError> {
        self.content.settle(&self.agreed.toc)?;
        let members = self.agreed.tar_split.len();
        while self.member <= members {
            let index = self.member;
            self.member = self.member.saturating_add(1);
            while let Some(bytes) = self.agreed.tar_split.raw_before(index, &mut self.raw) {
                self.tar.update(bytes);
            }
            let file = FileId::new(index);
            let size = self.agreed.tar_split.file(index).map_or(0, |split| split.size);
            if size == 0 || !self.agreed.toc.file(file).is_some_and(Entry::is_file) {
                continue;
            }
            let proven = self.proven.get(index).is_some_and(|proven| *proven);
            self.content.begin(file, size, !proven);
            return Ok(Some(file));
        }
        Ok(None)
    }

    /// Takes the next bytes of the file wanted; what it does not owe is an error.
    ///
    /// # Errors
    /// The file on disk is longer than the TOC says. The error repeats from then on.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), DiffIdError> {
        self.content.receive(bytes, &self.agreed.toc)?;
        self.tar.update(bytes);
        Ok(())
    }

    /// Compares the tar with the digest that the image's config names.
    ///
    /// # Errors
    /// It is another tar, not all of it was received, or `complete` is not of the plan the check relies on.
    #[expect(clippy::needless_pass_by_value, reason = "the proof is spent")]
    pub fn finish(mut self, complete: Complete, expected: &Digest) -> Result<VerifiedLayer, DiffIdError> {
        if self.parts.as_ref().is_some_and(|parts| !complete.is_of(parts)) {
            return Err(DiffIdError::OtherPlan);
        }
        if self.wants()?.is_some() {
            return Err(self.content.missing(&self.agreed.toc));
        }
        let actual = self.tar.finish();
        if actual != *expected {
            return Err(DiffIdError::Mismatch { expected: *expected, actual });
        }
        Ok(VerifiedLayer::new(actual, self.agreed.toc))
    }
}

/// A layer that is not what its image, or its TOC, says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum DiffIdError {
    /// A file's content is not what the TOC says.
    #[error("{name}: its content is {actual}, the TOC says {expected}")]
    Content {
        /// The file.
        file: FileId,
        /// Its name.
        name: Name,
        /// The digest in the TOC.
        expected: Digest,
        /// The digest of what is there.
        actual: Digest,
    },
    /// A file is longer or shorter than the tar, or the TOC, says.
    #[error("{name}: it is {difference} bytes {} than the layer says", if *.more { "longer" } else { "shorter" })]
    Length {
        /// Its name.
        name: Name,
        /// By how many bytes.
        difference: u64,
        /// Whether it is longer.
        more: bool,
    },
    /// The check relies on another plan than the one that was completed; never caused by data.
    #[error("the check was started for another plan")]
    OtherPlan,
    /// The whole tar is another one.
    #[error("the layer's tar is {actual}, the image says {expected} (DiffID)")]
    Mismatch {
        /// The DiffID in the image's config.
        expected: Digest,
        /// The digest of the tar.
        actual: Digest,
    },
}

impl DiffIdError {
    /// Whether the layer as a whole is another one than the image says.
    ///
    /// A single file that is not what it should be may have been a bad donor, or was changed under way.
    pub const fn is_lie(&self) -> bool {
        match self {
            Self::Mismatch { .. } => true,
            Self::Content { .. } | Self::Length { .. } | Self::OtherPlan => false,
        }
    }
}

#[cfg(test)]
mod tests;
