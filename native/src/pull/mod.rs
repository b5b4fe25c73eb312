//! Pulling an image: layers in parallel, each by file where it can be, whole where not, proven either way.
//!
//! [`pull`] does all of it, blocking, with [`PullOptions`] for how and a [`Reporter`] (or [`Quiet`]) for progress; the
//! [`PullReport`] says what each layer cost and what it was proven by. [`Store::tree_path`] then leads to a layer's
//! directory, and [`unpack`](crate::unpack::unpack) makes one directory of all of them. To stop a pull, end the process or
//! let it run: whatever it had not finished is swept when the store is next opened.

mod error;
mod files;
mod layer;
mod look;
mod partial;
mod report;
mod whole;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use shingle_core::{Digest, Identity, LinkMode, Policy, Trust};

pub use error::{LayerError, PullError};
pub use report::{LayerMode, LayerReport, LayerStart, Phase, PullReport, Quiet, Reporter};

use crate::registry::{Client, LayerDescriptor, Platform, Reference};
use crate::store::{ImageRecord, Store};

/// How to pull.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PullOptions {
    /// How files that are held come into the tree.
    pub link_mode: LinkMode,
    /// Whether to fail rather than fall to a weaker way than `link_mode` names.
    pub strict: bool,
    /// Which image of an index.
    pub platform: Platform,
    /// What requests cost, and what a blob may claim.
    pub policy: Policy,
    /// How many layers are pulled at once.
    pub parallel_layers: usize,
    /// Whether files of layers that are pulled whole are cut into chunks too, so that later layers can take parts of
    /// them. Layers that were pulled whole before are cut when they are met again.
    pub convert: bool,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            link_mode: LinkMode::default(),
            strict: false,
            platform: Platform::host(),
            policy: Policy::default(),
            parallel_layers: 3,
            convert: false,
        }
    }
}

/// Pulls an image into the store.
///
/// Every layer that comes back in the report is in the store, proven at least as far as `options` ask: by its DiffID, or
/// where they trust TOCs and nothing better can be had, by its TOC. The image has its name only once all are.
///
/// # Errors
/// [`PullError::is_refusal`] tells input that was refused from everything else. The store is as it was, except that
/// layers which were finished before the error stay, each proven, until gc.
pub fn pull(
    store: &Store,
    client: &Client,
    reference: &Reference,
    options: &PullOptions,
    reporter: &dyn Reporter,
) -> Result<PullReport, PullError> {
    let start = Instant::now();
    let image = client.fetch_manifest(reference, &options.platform)?;
    let _no_gc = store.lock_shared()?;
    let starts: Vec<_> =
        image.layers.iter().map(|layer| LayerStart { blob: layer.digest, size: layer.size }).collect();
    reporter.begin(&starts);
    let pulled = pull_layers(&Context { store, client, reference, options, reporter }, &image.layers)?;
    let pulled_at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
    let identities: Vec<_> = pulled.iter().map(|layer| layer.report.identity()).collect();
    let record = ImageRecord::new(&image, &identities, pulled_at);
    store.put_image(&record, &image.manifest, &image.config)?;
    store.merge_index()?;
    Ok(PullReport::new(&image, pulled, start.elapsed()))
}

/// What all layers of a pull share.
#[derive(Clone, Copy)]
struct Context<'a> {
    store: &'a Store,
    client: &'a Client,
    reference: &'a Reference,
    options: &'a PullOptions,
    reporter: &'a dyn Reporter,
}

/// Pulls the layers, several at once; the first error stops all.
fn pull_layers(context: &Context<'_>, layers: &[LayerDescriptor]) -> Result<Vec<layer::Pulled>, PullError> {
    // An image may hold a layer twice (an empty one often): the first place pulls it, the others find it present.
    // Two blobs that claim one DiffID are the same only if that is proven.
    let mut first: BTreeMap<(Digest, Digest), usize> = BTreeMap::new();
    let mut work = Vec::new();
    let blob = |layer: &LayerDescriptor| match context.options.policy.trust {
        Trust::DiffId => Digest::EMPTY,
        Trust::Toc => layer.digest,
    };
    let mut first_of = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        first_of.push(*first.entry((layer.diff_id, blob(layer))).or_insert_with(|| {
            work.push(index);
            index
        }));
    }
    let results: Vec<Mutex<Option<layer::Pulled>>> = layers.iter().map(|_| Mutex::new(None)).collect();
    let failure: Mutex<Option<PullError>> = Mutex::new(None);
    let stop = AtomicBool::new(false);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..context.options.parallel_layers.clamp(1, work.len().max(1)) {
            scope.spawn(|| {
                while let Some(index) = work.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                    let Some(descriptor) = layers.get(index) else { break };
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    match layer::pull(context, index, descriptor, &stop) {
                        Ok(pulled) => put(&results, index, pulled),
                        Err(source) => {
                            stop.store(true, Ordering::Relaxed);
                            let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                            if !matches!(source, LayerError::Stopped) {
                                failure.get_or_insert_with(|| PullError::layer(index, descriptor, source));
                            }
                            break;
                        }
                    }
                }
            });
        }
    });
    if let Some(failure) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(failure);
    }
    let mut pulled: Vec<layer::Pulled> = Vec::new();
    for (index, result) in results.into_iter().enumerate() {
        let descriptor = layers.get(index);
        match (result.into_inner().unwrap_or_else(PoisonError::into_inner), descriptor) {
            (Some(layer), _) => pulled.push(layer),
            // A thread broke off without saying why.
            (None, Some(descriptor)) if stop.load(Ordering::Relaxed) => {
                return Err(PullError::layer(index, descriptor, LayerError::Stopped));
            }
            (None, Some(descriptor)) => {
                let first = first_of.get(index).and_then(|first| pulled.get(*first));
                let identity =
                    first.map_or(Identity::DiffId(descriptor.diff_id), |first| first.report.identity());
                let present = layer::present(context.store, descriptor, &identity)?;
                context.reporter.done(index, &present.report);
                pulled.push(present);
            }
            (None, None) => {}
        }
    }
    Ok(pulled)
}

fn put(results: &[Mutex<Option<layer::Pulled>>], index: usize, pulled: layer::Pulled) {
    if let Some(result) = results.get(index) {
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(pulled);
    }
}
