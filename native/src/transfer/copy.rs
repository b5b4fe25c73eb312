//! Images from one place to another, as they are.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::carry::Carrier;
use super::in_parallel;
use super::report::{BlobOutcome, BlobReport, BlobStart, CopyReport, Watcher};
use super::tree::{Tree, Which};
use crate::registry::Platform;
use crate::transport::{Destination, Source, TransferError};

/// How to copy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CopyOptions {
    /// Which images of an index.
    pub which: Which,
    /// How many blobs are on their way at once.
    pub parallel_blobs: usize,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self { which: Which::One(Platform::host()), parallel_blobs: 6 }
    }
}

/// Copies an image, or an index with all its images.
///
/// Blobs stay byte for byte, and so do manifests where the place can hold them; an OCI layout holds OCI's alone, so
/// that Docker's get other media types there, and so another digest. Each blob is brought over once at most.
///
/// # Errors
/// [`TransferError::is_refusal`] tells what was refused from everything else. Nobody sees any of the copy then.
pub fn copy(
    source: &dyn Source,
    destination: Box<dyn Destination>,
    options: &CopyOptions,
    watcher: &dyn Watcher,
) -> Result<CopyReport, TransferError> {
    let start = Instant::now();
    let mut tree = Tree::read(source, &options.which)?;
    let original = tree.digest();
    tree.fit(destination.holds())?;
    let blobs = tree.blobs();
    let starts = blobs.iter().map(|(blob, _)| BlobStart { digest: blob.digest, size: blob.size });
    watcher.begin(&starts.collect::<Vec<_>>());
    let stop = AtomicBool::new(false);
    let carrier = Carrier { source, destination: &*destination, watcher, stop: &stop };
    let reports: Mutex<Vec<(usize, BlobReport)>> = Mutex::default();
    in_parallel(options.parallel_blobs, blobs.len(), &stop, |number| {
        let Some((blob, role)) = blobs.get(number) else { return Ok(()) };
        let outcome = carrier.carry(number, blob, *role)?;
        let report = BlobReport { digest: blob.digest, size: blob.size, outcome };
        watcher.done(number, &report);
        reports.lock().unwrap_or_else(PoisonError::into_inner).push((number, report));
        Ok::<_, TransferError>(())
    })?;
    let top = tree.put(&*destination)?;
    destination.commit()?;
    let mut reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    reports.sort_by_key(|(number, _)| *number);
    let blobs: Vec<_> = reports.into_iter().map(|(_, report)| report).collect();
    let copied = blobs.iter().filter(|blob| blob.outcome == BlobOutcome::Copied);
    Ok(CopyReport {
        digest: top.digest,
        changed_from: original.filter(|digest| *digest != top.digest),
        media_type: top.media_type,
        images: tree.images.len(),
        copied_bytes: copied.map(|blob| blob.size).sum(),
        blobs,
        seconds: start.elapsed().as_secs_f64(),
    })
}
