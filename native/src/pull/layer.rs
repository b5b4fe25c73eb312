//! One layer: present, partial or whole.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use shingle_core::{
    Agreed, CompressedTarSplit, Decision, Digest, Form, Limits, Locator, ProvenTarSplit, Reason, Severity,
    Toc, TocError, TocFetch, decide,
};

use super::error::LayerError;
use super::report::{LayerMode, LayerReport, Phase};
use super::{Context, partial, whole};
use crate::length;
use crate::registry::{Blob, BlobReader, Coverage, LayerDescriptor, OnWhole};
use crate::store::{LayerRecord, Placed, Store, StoreError, Withheld};

/// How often a layer is begun anew because donors turned out bad, before everything is fetched.
const ATTEMPTS: usize = 3;

/// A layer that is in the store now.
#[derive(Debug)]
pub(super) struct Pulled {
    pub(super) report: LayerReport,
    pub(super) bytes_added: u64,
    pub(super) owners_noted: u64,
    pub(super) devices_noted: u64,
    pub(super) xattrs_noted: u64,
}

/// One layer's pull: what its steps share.
pub(super) struct Job<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) index: usize,
    pub(super) descriptor: &'a LayerDescriptor,
    pub(super) blob: Blob,
    pub(super) stop: &'a AtomicBool,
    /// Length of TOC and tar-split in the blob.
    pub(super) toc_bytes: u64,
}

/// What a way of pulling came to, besides the proof.
pub(super) struct Made {
    pub(super) files: Placed,
    pub(super) reused_bytes: u64,
    pub(super) bytes_added: u64,
}

/// How looking for a usable TOC ended.
enum Looked {
    /// A TOC that says what the tar says.
    Agreed(Agreed, CompressedTarSplit),
    /// None; the blob may already be on its way.
    Whole(Reason, Option<Box<BlobReader>>),
}

/// Pulls a layer that may be present.
pub(super) fn pull(
    context: &Context<'_>,
    index: usize,
    descriptor: &LayerDescriptor,
    stop: &AtomicBool,
) -> Result<Pulled, LayerError> {
    if context.store.has_layer(&descriptor.diff_id) {
        let mut present = present(context.store, descriptor)?;
        if context.options.convert {
            context.reporter.phase(index, Phase::Indexing);
            present.report.chunks_indexed =
                context.store.index_chunks(&descriptor.diff_id, || stop.load(Ordering::Relaxed))?;
        }
        context.reporter.done(index, &present.report);
        return Ok(present);
    }
    let blob = context.client.blob(context.reference, descriptor.digest, descriptor.size);
    let mut job = Job { context, index, descriptor, blob, stop, toc_bytes: 0 };
    let (reason, reader) = match job.look()? {
        Looked::Whole(reason, reader) => (reason, reader),
        Looked::Agreed(agreed, tar_split) => match job.by_file(&agreed, &tar_split)? {
            Ok(pulled) => return Ok(pulled),
            Err(reason) => (reason, None),
        },
    };
    job.toc_bytes = 0;
    whole::pull(&job, &reason, reader)
}

/// Reports a layer that was there before.
pub(super) fn present(store: &Store, descriptor: &LayerDescriptor) -> Result<Pulled, StoreError> {
    let record = store.layer_record(&descriptor.diff_id)?;
    let report = LayerReport {
        blob: descriptor.digest,
        diff_id: descriptor.diff_id,
        media_type: descriptor.media_type.clone(),
        blob_bytes: descriptor.size,
        toc_bytes: 0,
        fetched_bytes: 0,
        reused_bytes: record.content_bytes,
        requests: 0,
        mode: LayerMode::Present,
        why: None,
        files: Placed { total: record.files.total, ..Placed::default() },
        chunks_indexed: None,
    };
    // What was only noted then is only noted now, whoever pulls.
    Ok(Pulled {
        report,
        bytes_added: 0,
        owners_noted: record.owners_noted,
        devices_noted: record.devices_noted,
        xattrs_noted: record.xattrs_noted,
    })
}

impl Job<'_> {
    pub(super) const fn limits(&self) -> &Limits {
        &self.context.options.policy.limits
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Finds, fetches and checks TOC and tar-split.
    fn look(&mut self) -> Result<Looked, LayerError> {
        let descriptor = self.descriptor;
        let limits = *self.limits();
        let locator = match Locator::from_annotations(&descriptor.annotations, descriptor.size, &limits) {
            Ok(Some(locator)) => locator,
            Ok(None) => {
                return Ok(Looked::Whole(Reason::NoToc { media_type: descriptor.media_type.clone() }, None));
            }
            Err(error) => return Ok(Looked::Whole(Reason::Locate(error), None)),
        };
        // Nothing ties an old TOC to the tar: it would be fetched for nothing.
        if locator.form() == Form::Old || locator.tar_split().is_none() {
            return Ok(Looked::Whole(Reason::NoTarSplit, None));
        }
        self.context.reporter.phase(self.index, Phase::Toc);
        let range = locator.range();
        self.toc_bytes = range.end.saturating_sub(range.start);
        let mut fetch = TocFetch::new(locator, limits);
        let mut reader = match self.blob.read_range(fetch.remaining(), OnWhole::Keep) {
            Ok(reader) if reader.coverage() == Coverage::Whole => {
                return Ok(Looked::Whole(Reason::NoRanges, Some(Box::new(reader))));
            }
            Ok(reader) => reader,
            Err(error) if error.leaves_whole() => return Ok(Looked::Whole(Reason::NoRanges, None)),
            Err(error) => return Err(error.into()),
        };
        while let Some(bytes) = reader.next_bytes()? {
            self.context.reporter.received(self.index, length(&bytes));
            fetch.receive(&bytes);
        }
        let (toc, tar_split) = match read(fetch, &limits) {
            Ok((toc, Some(tar_split))) => (toc, tar_split),
            Ok((_, None)) => return Ok(Looked::Whole(Reason::NoTarSplit, None)),
            Err(error) if error.is_lie() => return Err(error.into()),
            Err(error) => return Ok(Looked::Whole(Reason::Toc(error), None)),
        };
        let ProvenTarSplit { compressed, records, .. } = tar_split;
        let records = match records {
            Ok(records) => records,
            Err(error) if error.is_lie() => return Err(error.into()),
            Err(error) => return Ok(Looked::Whole(Reason::TarSplit(error), None)),
        };
        match Agreed::new(toc, records) {
            Ok(agreed) => Ok(Looked::Agreed(agreed, compressed)),
            Err(error) if error.severity() == Severity::Lie => Err(error.into()),
            Err(error) => Ok(Looked::Whole(Reason::Disagreement(error), None)),
        }
    }

    /// Decides and pulls by file; begins anew when donors are not what the index says.
    fn by_file(
        &self,
        agreed: &Agreed,
        tar_split: &CompressedTarSplit,
    ) -> Result<Result<Pulled, Reason>, LayerError> {
        let tree = shingle_core::Tree::build(agreed.toc(), self.limits())?;
        let layout = crate::store::Layout::new(&tree, &[Arc::clone(agreed.toc())]);
        drop(tree);
        let mut donors = self.context.store.donors(agreed.toc())?;
        let mut struck: Vec<Digest> = Vec::new();
        let mut kept = Vec::new();
        for attempt in 1.. {
            if attempt > ATTEMPTS {
                // Whatever is wrong with this store, the network is not: take nothing from here any more.
                donors = crate::store::Donors::default();
            }
            struck.iter().for_each(|digest| donors.inventory.strike(digest));
            // What an earlier attempt fetched and proved need not be fetched again.
            kept.iter().for_each(|row| donors.add(*row));
            let plan = match decide(agreed.toc(), &donors.inventory, &self.context.options.policy) {
                Decision::Partial(plan) => plan,
                Decision::Whole(reason) => return Ok(Err(reason)),
            };
            match partial::pull(self, agreed, tar_split, &layout, &donors, &plan, &kept)? {
                partial::Outcome::Pulled(pulled) => return Ok(Ok(*pulled)),
                partial::Outcome::BadDonors { bad, fetched } => {
                    struck.extend(bad);
                    kept.extend(fetched);
                }
            }
        }
        Err(LayerError::Stopped)
    }

    /// Makes the record that the store keeps of this layer.
    pub(super) fn record(
        &self,
        mode: LayerMode,
        why: Option<String>,
        made: &Made,
        withheld: &Withheld,
    ) -> LayerRecord {
        let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        LayerRecord {
            diff_id: self.descriptor.diff_id,
            blob: self.descriptor.digest,
            blob_bytes: self.descriptor.size,
            media_type: self.descriptor.media_type.clone(),
            mode: mode.as_str().to_owned(),
            why,
            fetched_bytes: self.blob.traffic().bytes,
            reused_bytes: made.reused_bytes,
            content_bytes: 0,
            files: made.files,
            tar_split_bytes: 0,
            privileged: self.context.store.is_privileged(),
            owners_noted: load(&withheld.owners),
            devices_noted: load(&withheld.devices),
            xattrs_noted: load(&withheld.xattrs),
            chunks_indexed: None,
        }
    }

    /// Reports a layer that was published.
    pub(super) fn pulled(&self, mode: LayerMode, record: &LayerRecord, made: &Made) -> Pulled {
        let traffic = self.blob.traffic();
        let report = LayerReport {
            blob: record.blob,
            diff_id: record.diff_id,
            media_type: record.media_type.clone(),
            blob_bytes: record.blob_bytes,
            toc_bytes: self.toc_bytes,
            fetched_bytes: traffic.bytes,
            reused_bytes: made.reused_bytes,
            requests: traffic.requests,
            mode,
            why: record.why.clone(),
            files: made.files,
            chunks_indexed: record.chunks_indexed,
        };
        self.context.reporter.done(self.index, &report);
        Pulled {
            report,
            bytes_added: made.bytes_added,
            owners_noted: record.owners_noted,
            devices_noted: record.devices_noted,
            xattrs_noted: record.xattrs_noted,
        }
    }
}

/// Reads TOC and tar-split side by side: each takes tens of milliseconds in a layer of ten thousand files.
fn read(fetch: TocFetch, limits: &Limits) -> Result<(Toc, Option<ProvenTarSplit>), TocError> {
    let (toc, tar_split) = fetch.split()?;
    let (toc, tar_split) = thread::scope(|scope| {
        let tar_split = tar_split.map(|bytes| scope.spawn(move || bytes.read(limits)));
        let toc = toc.read();
        let tar_split = tar_split.map(|reader| reader.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (toc, tar_split)
    });
    let toc = toc?;
    let tar_split = tar_split.map(|tar_split| tar_split.prove(&toc)).transpose()?.flatten();
    Ok((toc, tar_split))
}
