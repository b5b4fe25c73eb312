//! A stretch of a file on this machine.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use shingle_core::Digest;

use crate::length;

/// Bytes of a file that is open, which can be read from any place any number of times; clones share the file.
#[derive(Clone, Debug)]
pub struct Section {
    file: Arc<OwnedFd>,
    start: u64,
    len: u64,
    /// Its digest, where it was computed from these very bytes.
    proven: Option<Digest>,
}

impl Section {
    /// Takes `len` bytes of a file from `start` on.
    pub(crate) const fn new(file: Arc<OwnedFd>, start: u64, len: u64) -> Self {
        Self { file, start, len, proven: None }
    }

    /// Takes a whole file that is open for reading.
    ///
    /// # Errors
    /// Its length cannot be had.
    pub fn of_file(file: OwnedFd) -> io::Result<Self> {
        let len = rustix::fs::fstat(&file)?.st_size;
        Ok(Self::new(Arc::new(file), 0, u64::try_from(len).unwrap_or(0)))
    }

    /// Returns a part of this, which must lie within it.
    pub(crate) fn part(&self, start: u64, len: u64) -> Self {
        debug_assert!(start.saturating_add(len) <= self.len, "a part lies within the whole");
        Self { file: Arc::clone(&self.file), start: self.start.saturating_add(start), len, proven: None }
    }

    /// Takes a file that nobody else can change, with the digest of its bytes.
    pub(crate) const fn proven(file: Arc<OwnedFd>, len: u64, digest: Digest) -> Self {
        Self { file, start: 0, len, proven: Some(digest) }
    }

    /// Whether these bytes are known to have this digest.
    pub(crate) fn is_proven(&self, digest: &Digest) -> bool {
        self.proven.as_ref() == Some(digest)
    }

    /// Returns how many bytes there are.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// The file is shorter by now, or cannot be read.
    pub fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        let end = offset.saturating_add(length(buffer));
        if end > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        while !buffer.is_empty() {
            let count = match rustix::io::pread(&*self.file, &mut *buffer, self.start.saturating_add(offset))
            {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(rustix::io::Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            };
            buffer = buffer.get_mut(count..).unwrap_or_default();
            offset = offset.saturating_add(crate::count(count));
        }
        Ok(())
    }

    /// Starts reading at the first byte.
    pub fn reader(&self) -> SectionReader {
        SectionReader { section: self.clone(), at: 0 }
    }
}

/// Reads a [`Section`] from front to back.
#[derive(Debug)]
pub struct SectionReader {
    section: Section,
    /// At most the section's length.
    at: u64,
}

impl Read for SectionReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.section.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let len = buffer.len().min(left);
        let piece = buffer.get_mut(..len).unwrap_or_default();
        self.section.read_exact_at(piece, self.at)?;
        self.at = self.at.saturating_add(crate::count(len));
        Ok(len)
    }
}
