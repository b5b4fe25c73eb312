//! What a layer fetches: range, decode, write.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use shingle_core::{Fetch, Ledger};

use super::{Stop, Work};
use crate::length;
use crate::registry::OnWhole;
use crate::store::WriteCache;

/// After so many content bytes a fetch thread sees to it that they reach the disk, while the others go on: the `syncfs`
/// before the layer becomes visible then finds little left to wait for.
const WRITE_BACK: u64 = 48 << 20;

impl Work<'_> {
    /// Fetches, one request after another, until none is left.
    pub(super) fn fetch(
        &self,
        fetches: &Mutex<impl Iterator<Item = Fetch>>,
        ledger: &Mutex<Ledger>,
    ) -> Result<(), Stop> {
        let mut cache = WriteCache::default();
        loop {
            let next = fetches.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(mut fetch) = next else { return Ok(()) };
            let mut written = 0;
            let mut reader = self.job.blob.read_range(fetch.remaining(), OnWhole::Cut)?;
            while let Some(bytes) = reader.next_bytes()? {
                if self.stopped() {
                    return Err(Stop::GivenUp);
                }
                self.job.context.reporter.received(self.job.index, length(&bytes));
                let mut chunks = fetch.receive(&bytes);
                while let Some(lent) = chunks.next_chunk()? {
                    let shared = self.files.is_shared(lent.file);
                    self.contents.write(&mut cache, lent.file, shared, lent.bytes, lent.offset)?;
                    written += length(lent.bytes);
                    if lent.ends_chunk && self.files.arrived(lent.file) {
                        self.complete(&mut cache, lent.file, shared)?;
                    }
                }
            }
            cache.close();
            ledger.lock().unwrap_or_else(PoisonError::into_inner).credit(fetch.finish()?);
            let before = self.written.fetch_add(written, Ordering::Relaxed);
            if before / WRITE_BACK != (before + written) / WRITE_BACK {
                self.job.context.store.sync()?;
            }
        }
    }
}
