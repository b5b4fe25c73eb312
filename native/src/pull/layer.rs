//! One layer: present, partial or whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shingle_core::{Basis, Decision, Digest, Identity, Limits, Reason, Trust, decide};

use super::error::LayerError;
use super::report::{LayerMode, LayerReport, Phase};
use super::{Context, partial, whole};
use crate::look::Looked;
use crate::registry::{Blob, LayerDescriptor};
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
    /// The blob of another image that its TOC came from.
    pub(super) beside: Option<Blob>,
    pub(super) stop: &'a AtomicBool,
    /// Length of TOC and tar-split, and of what was read to find them.
    pub(super) toc_bytes: u64,
}

/// What a way of pulling came to, besides the proof.
pub(super) struct Made {
    pub(super) files: Placed,
    pub(super) reused_bytes: u64,
    pub(super) bytes_added: u64,
}

/// Pulls a layer that may be present.
pub(super) fn pull(
    context: &Context<'_>,
    index: usize,
    descriptor: &LayerDescriptor,
    stop: &AtomicBool,
) -> Result<Pulled, LayerError> {
    let present = |identity: &Identity| -> Result<Pulled, LayerError> {
        let mut present = present(context.store, descriptor, identity)?;
        if context.options.convert {
            context.reporter.phase(index, Phase::Indexing);
            present.report.chunks_indexed =
                context.store.index_chunks(&identity.id(), || stop.load(Ordering::Relaxed))?;
        }
        context.reporter.done(index, &present.report);
        Ok(present)
    };
    let proven = Identity::DiffId(descriptor.diff_id);
    if context.store.has_layer(&proven) {
        return present(&proven);
    }
    let blob = context.client.blob(context.reference, descriptor.digest, descriptor.size);
    let mut job = Job { context, index, descriptor, blob, beside: None, stop, toc_bytes: 0 };
    let (reason, reader) = match job.look()? {
        Looked::Whole(reason, reader) => (reason, reader),
        Looked::Present(identity) => return present(&identity),
        Looked::Found(basis) => match job.by_file(&basis)? {
            Ok(pulled) => return Ok(pulled),
            Err(reason) => (reason, None),
        },
    };
    job.toc_bytes = 0;
    whole::pull(&job, &reason, reader)
}

/// Reports a layer that was there before.
pub(super) fn present(
    store: &Store,
    descriptor: &LayerDescriptor,
    identity: &Identity,
) -> Result<Pulled, StoreError> {
    let record = store.layer_record(&identity.id())?;
    let report = LayerReport {
        blob: descriptor.digest,
        diff_id: descriptor.diff_id,
        trust: record.trust,
        toc_digest: record.toc_digest,
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

    /// Decides and pulls by file; begins anew when donors are not what the index says.
    fn by_file(&self, basis: &Basis) -> Result<Result<Pulled, Reason>, LayerError> {
        let toc = basis.toc();
        let tree = shingle_core::Tree::build(toc, self.limits())?;
        let layout = crate::store::Layout::new(&tree, &[Arc::clone(toc)]);
        drop(tree);
        let mut donors = self.context.store.donors(toc)?;
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
            let plan = match decide(toc, &donors.inventory, &self.context.options.policy) {
                Decision::Partial(plan) => plan,
                Decision::Whole(reason) => return Ok(Err(reason)),
            };
            match partial::pull(self, basis, &layout, &donors, &plan, &kept)? {
                partial::Outcome::Pulled(pulled) => return Ok(Ok(*pulled)),
                partial::Outcome::BadDonors { bad, fetched } => {
                    struck.extend(bad);
                    kept.extend(fetched);
                }
            }
        }
        Err(LayerError::Stopped)
    }

    /// Returns what the layer has cost so far.
    fn traffic(&self) -> (u64, u64) {
        let costs = self.beside.iter().chain([&self.blob]).map(Blob::traffic);
        costs.fold((0, 0), |(bytes, requests), cost| (bytes + cost.bytes, requests + cost.requests))
    }

    /// Makes the record that the store keeps of this layer, as one that is proven by its DiffID.
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
            trust: Trust::DiffId,
            toc_digest: None,
            blob: self.descriptor.digest,
            blob_bytes: self.descriptor.size,
            media_type: self.descriptor.media_type.clone(),
            mode: mode.as_str().to_owned(),
            why,
            fetched_bytes: self.traffic().0,
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
        let (fetched_bytes, requests) = self.traffic();
        let report = LayerReport {
            blob: record.blob,
            diff_id: record.diff_id,
            trust: record.trust,
            toc_digest: record.toc_digest,
            media_type: record.media_type.clone(),
            blob_bytes: record.blob_bytes,
            toc_bytes: self.toc_bytes,
            fetched_bytes,
            reused_bytes: made.reused_bytes,
            requests,
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
