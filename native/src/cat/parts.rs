//! The frames of one file.

use std::io::Read as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use shingle_core::{Fetch, Ledger, Plan};

use super::{CatError, Job, Spent};
use crate::look::span;
use crate::transport::TransferError;

/// How much is read at once, in bytes.
const PIECE: usize = 64 << 10;
/// How many requests run at once: each holds a window of the decoder.
const FETCHERS: usize = 4;

/// Fetches what a plan asks for into the space of the job's file.
///
/// The pull has a loop like this one; there a thread completes files and wakes the proof, here it only writes. What is hard
/// is in neither: chunks are proven by [`Fetch`], and broken transfers go on in the registry's reader.
pub(super) fn fetch(job: &Job<'_>, plan: &Plan) -> Result<Spent, CatError> {
    let (ledger, fetches) = plan.start();
    let workers = fetches.len().min(FETCHERS);
    let (ledger, fetches) = (Mutex::new(ledger), Mutex::new(fetches));
    let (bytes, requests, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let work = || {
            let worked = || {
                while !stop.load(Ordering::Relaxed) {
                    let next = fetches.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(fetch) = next else { break };
                    requests.fetch_add(1, Ordering::Relaxed);
                    one(job, fetch, &bytes, &ledger)?;
                }
                Ok(())
            };
            worked().inspect_err(|_: &CatError| stop.store(true, Ordering::Relaxed))
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(worked) => worked,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    ledger.into_inner().unwrap_or_else(PoisonError::into_inner).close()?;
    Ok(Spent { bytes: bytes.into_inner(), requests: requests.into_inner() })
}

fn one(job: &Job<'_>, mut fetch: Fetch, total: &AtomicU64, ledger: &Mutex<Ledger>) -> Result<(), CatError> {
    let (blob, range) = (job.wanted.blob, fetch.remaining());
    let reading = |error| TransferError::reading(format!("blob {blob} at {range:?}"), error);
    let mut reader = job.source.open_range(blob, job.wanted.size, range.clone())?;
    let (mut buffer, mut left) = (vec![0; PIECE], span(&range));
    while left > 0 {
        let count = reader.read(&mut buffer).map_err(reading)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        let received = crate::length(bytes);
        left = left.saturating_sub(received);
        total.fetch_add(received, Ordering::Relaxed);
        (job.received)(received);
        let mut chunks = fetch.receive(bytes);
        while let Some(lent) = chunks.next_chunk()? {
            job.space.write(lent.bytes, lent.offset)?;
        }
    }
    ledger.lock().unwrap_or_else(PoisonError::into_inner).credit(fetch.finish()?);
    Ok(())
}
