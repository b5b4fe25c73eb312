//! A file's content as it is read back off the disk: what the proofs of both rungs have in common.

use alloc::boxed::Box;

use crate::diff_id::DiffIdError;
use crate::toc::{Entry, FileId, Toc};
use crate::{Digest, Hasher, Name};

/// Takes the contents of files one after the other, each all of it and nothing else.
#[derive(Debug, Default)]
pub(crate) struct ReadBack {
    file: Option<FileId>,
    /// What is missing of the file.
    owed: u64,
    /// Its own digest, if nothing else proves it.
    content: Option<Hasher>,
    failed: Option<Box<DiffIdError>>,
}

impl ReadBack {
    /// Starts with a file of `size` bytes, which is held against its digest if `hashed`.
    pub(crate) fn begin(&mut self, file: FileId, size: u64, hashed: bool) {
        self.file = Some(file);
        self.owed = size;
        self.content = hashed.then(Hasher::new);
    }

    /// Takes the next bytes of the file.
    ///
    /// # Errors
    /// There are more than the TOC says. The error repeats from then on.
    pub(crate) fn receive(&mut self, bytes: &[u8], toc: &Toc) -> Result<(), DiffIdError> {
        self.alive()?;
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if len > self.owed {
            let difference = len.saturating_sub(self.owed);
            return self.fail(DiffIdError::Length { name: self.name(toc), difference, more: true });
        }
        self.owed = self.owed.saturating_sub(len);
        if let Some(content) = &mut self.content {
            content.update(bytes);
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// It is not what the TOC says. The error repeats from then on.
    pub(crate) fn settle(&mut self, toc: &Toc) -> Result<(), DiffIdError> {
        self.alive()?;
        if self.owed > 0 {
            return self.fail(self.missing(toc));
        }
        let (Some(content), Some(file)) = (self.content.take(), self.file) else { return Ok(()) };
        let expected = toc.file(file).and_then(Entry::digest).copied();
        let actual = content.finish();
        match expected {
            Some(expected) if expected == actual => Ok(()),
            expected => {
                let expected = expected.unwrap_or(Digest::EMPTY);
                self.fail(DiffIdError::Content { file, name: self.name(toc), expected, actual })
            }
        }
    }

    /// Returns what to say when the file ends here.
    pub(crate) fn missing(&self, toc: &Toc) -> DiffIdError {
        DiffIdError::Length { name: self.name(toc), difference: self.owed, more: false }
    }

    fn alive(&self) -> Result<(), DiffIdError> {
        self.failed.as_ref().map_or(Ok(()), |error| Err((**error).clone()))
    }

    fn fail(&mut self, error: DiffIdError) -> Result<(), DiffIdError> {
        self.failed = Some(Box::new(error.clone()));
        Err(error)
    }

    fn name(&self, toc: &Toc) -> Name {
        let entry = self.file.and_then(|file| toc.file(file));
        entry.map(|entry| entry.member().name.clone()).unwrap_or_default()
    }
}
