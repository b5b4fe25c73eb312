//! Room for one file's content while it is proven.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::io::Errno;
use shingle_core::{Digest, Hasher};

use super::CatError;
use crate::count;
use crate::length;
use crate::transport::{Section, TransferError};

/// How much is moved at once, in bytes.
const BUFFER: usize = 256 << 10;

/// A file without a name, as long as the content will be, in the directory for temporary files (`TMPDIR`). It goes when
/// nobody holds it any more, however the program ends; what is never written in it reads as zeros, and takes no room.
#[derive(Debug)]
pub(super) struct Space {
    file: Arc<OwnedFd>,
    len: u64,
}

impl Space {
    pub(super) fn new(len: u64) -> Result<Self, CatError> {
        let dir = std::env::temp_dir;
        let file = tempfile::tempfile().map_err(TransferError::file("make a temporary file in", dir()))?;
        let long = || TransferError::file("make a temporary file of that length in", dir());
        rustix::fs::ftruncate(&file, len).map_err(long())?;
        Ok(Self { file: Arc::new(file.into()), len })
    }

    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn section(&self) -> Section {
        Section::new(Arc::clone(&self.file), 0, self.len)
    }

    /// Puts bytes where they belong; behind the end nothing does.
    pub(super) fn write(&self, mut bytes: &[u8], mut offset: u64) -> Result<(), CatError> {
        if offset.saturating_add(length(bytes)) > self.len {
            return Err(CatError::NoFile);
        }
        while !bytes.is_empty() {
            match rustix::io::pwrite(&*self.file, bytes, offset) {
                Err(Errno::INTR) => {}
                written => {
                    let written = written
                        .map_err(TransferError::file("write a temporary file in", std::env::temp_dir()))?;
                    bytes = bytes.get(written..).unwrap_or_default();
                    offset = offset.saturating_add(count(written));
                }
            }
        }
        Ok(())
    }

    /// Copies bytes of another file; `false` where it has no such bytes.
    pub(super) fn copy(&self, from: &OwnedFd, start: u64, len: u64, to: u64) -> Result<bool, CatError> {
        let (mut buffer, mut done) = (vec![0; BUFFER], 0);
        while done < len {
            let room = usize::try_from(len - done).unwrap_or(BUFFER).min(BUFFER);
            let read = rustix::io::pread(from, buffer.get_mut(..room).unwrap_or_default(), start + done);
            match read {
                Err(Errno::INTR) => {}
                // A donor on a bad block, perhaps; or shorter than it was.
                Err(_) | Ok(0) => return Ok(false),
                Ok(read) => {
                    self.write(buffer.get(..read).unwrap_or_default(), to + done)?;
                    done += count(read);
                }
            }
        }
        Ok(true)
    }

    /// Hashes a part of it.
    pub(super) fn hash(&self, offset: u64, len: u64) -> Result<Digest, CatError> {
        let (section, mut hasher) = (self.section(), Hasher::new());
        let (mut buffer, mut done) = (vec![0; BUFFER], 0);
        while done < len {
            let room = usize::try_from(len - done).unwrap_or(BUFFER).min(BUFFER);
            let piece = buffer.get_mut(..room).unwrap_or_default();
            section
                .read_exact_at(piece, offset + done)
                .map_err(TransferError::file("read a temporary file in", std::env::temp_dir()))?;
            hasher.update(piece);
            done += count(room);
        }
        Ok(hasher.finish())
    }
}
