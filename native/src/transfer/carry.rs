//! One blob from one place to another, by the cheapest way there is.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use super::report::{BlobOutcome, Watcher};
use crate::length;
use crate::transport::{Descriptor, Destination, Role, Section, Source, Spool, TransferError};

/// Brings blobs over as they are.
#[derive(Clone, Copy)]
pub(super) struct Carrier<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) destination: &'a dyn Destination,
    pub(super) watcher: &'a dyn Watcher,
    pub(super) stop: &'a AtomicBool,
}

impl Carrier<'_> {
    pub(super) fn carry(
        &self,
        number: usize,
        blob: &Descriptor,
        role: Role,
    ) -> Result<BlobOutcome, TransferError> {
        if self.destination.has_blob(blob)? {
            return Ok(BlobOutcome::Present);
        }
        if let Some(from) = self.source.repository()
            && self.destination.mount_blob(blob, from)?
        {
            return Ok(BlobOutcome::Mounted);
        }
        let content = match self.source.local(blob.digest, blob.size)? {
            Some(content) => content,
            None => self.fetch(number, blob)?,
        };
        let sent = |bytes| self.watcher.sent(number, bytes);
        self.destination.put_blob(blob, role, &content, &sent)?;
        Ok(BlobOutcome::Copied)
    }

    /// Brings a blob here first: an upload that breaks needs its bytes again, and nothing is sent that is not what it
    /// should be.
    fn fetch(&self, number: usize, blob: &Descriptor) -> Result<Section, TransferError> {
        let what = || format!("blob {}", blob.digest);
        let mut spool = Spool::new()?;
        let mut reader = self.source.open_blob(blob.digest, blob.size)?;
        let mut buffer = vec![0; 256 << 10];
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(TransferError::Stopped);
            }
            let count = reader.read(&mut buffer).map_err(|source| TransferError::reading(what(), source))?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            spool.write_all(bytes).map_err(TransferError::file("write to", std::env::temp_dir()))?;
            self.watcher.fetched(number, length(bytes));
        }
        let (content, actual) = spool.finish();
        if actual != blob.digest {
            return Err(TransferError::Digest { what: what(), expected: blob.digest, actual });
        }
        Ok(content)
    }
}
