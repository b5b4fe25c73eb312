//! Reads a range to its end, over as many answers as it takes.

use bytes::Bytes;

use super::retry::jitter;
use super::{BlobBody, Coverage, Fault, OnWhole, RegistryError};

/// Progress that earns a broken transfer a fresh set of tries; less could go on for ever.
const PROGRESS: u64 = 64 << 10;

/// A [`BlobBody`] that asks for the rest where it is cut short.
#[derive(Debug)]
pub struct BlobReader {
    body: BlobBody,
    failed: u32,
    /// Where the last body ended; at most `offset`.
    failed_at: u64,
    offset: u64,
    end: u64,
    coverage: Coverage,
}

impl BlobReader {
    pub(super) fn new(body: BlobBody) -> Self {
        let (offset, end, coverage) = (body.offset(), body.end(), body.coverage());
        Self { body, failed: 0, failed_at: offset, offset, end, coverage }
    }

    /// Returns the next bytes, which lie at [`offset`](Self::offset), or `None` at [`end`](Self::end).
    ///
    /// Waits and asks again for what is missing where the body was cut.
    ///
    /// # Errors
    /// That failed too often in a row, or what failed is not worth trying again.
    pub fn next_bytes(&mut self) -> Result<Option<Bytes>, RegistryError> {
        loop {
            match self.body.next_bytes() {
                Ok(bytes) => {
                    self.offset = self.body.offset();
                    return Ok(bytes);
                }
                Err(error) if error.is_transient() => self.resume(error)?,
                Err(error) => return Err(error),
            }
        }
    }

    fn resume(&mut self, error: RegistryError) -> Result<(), RegistryError> {
        let moved = self.offset - self.failed_at >= PROGRESS;
        self.failed_at = self.offset;
        let in_order = matches!(&*error.fault, Fault::BodyCut { source: None, .. });
        if moved {
            self.failed = 0;
        }
        // A server that sends ranges in slices of its own is not in trouble, and needs no rest.
        if !(moved && in_order) {
            self.failed += 1;
            let backoff = self.body.blob().client().shared.options.backoff;
            let Some(delay) = backoff.delay(self.failed, jitter(), None) else { return Err(error) };
            std::thread::sleep(delay);
        }
        // The answer may be the whole blob again: what is already handed on must not come twice.
        self.body = self.body.blob().open_range(self.offset..self.end, OnWhole::Cut)?;
        Ok(())
    }

    /// Returns the offset in the blob of the next byte.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns where in the blob the bytes end.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// Returns what the server sent at first; with [`OnWhole::Keep`], whether the bytes are the whole blob's.
    pub const fn coverage(&self) -> Coverage {
        self.coverage
    }
}
