//! Bytes put aside in a file that has no name.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use shingle_core::{Digest, Hasher};

use super::{Section, TransferError};
use crate::length;

/// Takes bytes front to back, hashes them unless somebody else does, and keeps them in a file without a name in the directory for temporary files
/// (`TMPDIR`): it goes when nobody holds it any more, however the program ends.
#[derive(Debug)]
pub(crate) struct Spool {
    file: Arc<OwnedFd>,
    hasher: Option<Hasher>,
    len: u64,
}

impl Spool {
    pub(crate) fn new() -> Result<Self, TransferError> {
        let file = tempfile::tempfile();
        let file = file.map_err(TransferError::file("make a temporary file in", std::env::temp_dir()))?;
        Ok(Self { file: Arc::new(file.into()), hasher: Some(Hasher::new()), len: 0 })
    }

    /// Makes one for bytes whose digest will be known at their end.
    pub(crate) fn unhashed() -> Result<Self, TransferError> {
        Ok(Self { hasher: None, ..Self::new()? })
    }

    /// Returns what was taken so far; those bytes change no more.
    pub(crate) fn so_far(&self) -> Section {
        Section::new(Arc::clone(&self.file), 0, self.len)
    }

    /// Returns what was taken, and its digest.
    pub(crate) fn finish(self) -> (Section, Digest) {
        let digest = self.hasher.unwrap_or_default().finish();
        (Section::proven(self.file, self.len, digest), digest)
    }

    /// Returns what was taken, which has this digest.
    pub(crate) fn finish_as(self, digest: Digest) -> Section {
        Section::proven(self.file, self.len, digest)
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = loop {
            match rustix::io::pwrite(&*self.file, bytes, self.len) {
                Err(rustix::io::Errno::INTR) => {}
                written => break written?,
            }
        };
        let written = bytes.get(..count).unwrap_or_default();
        if let Some(hasher) = &mut self.hasher {
            hasher.update(written);
        }
        self.len = self.len.saturating_add(length(written));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
