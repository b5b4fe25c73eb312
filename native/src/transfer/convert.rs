//! Images whose layers are written anew.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use shingle_core::Digest;
use shingle_core::writer::WriteOptions;

use super::carry::Carrier;
use super::error::{ConvertError, LayerFault};
use super::good::Goodness;
use super::in_parallel;
use super::memory::{Became, Memory};
use super::report::{
    BlobOutcome, BlobReport, BlobStart, ConvertReport, LayerOutcome, RewrittenLayer, Watcher,
};
use super::tars::{BlobTars, Layer, Tars};
use super::tree::{Image, Tree, Which};
use crate::pack::PackOptions;
use crate::registry::ManifestError;
use crate::transport::{CONFIG_LIMIT, Descriptor, Destination, Holds, Role, Source, TransferError};

/// More layers at once cost memory and temporary space, and each keeps all cores busy.
const LAYERS: usize = 2;
const BLOBS: usize = 4;
/// What a pusher who writes a layer anew must not leave on it: each describes the old blob.
const STALE: [&str; 4] = [
    "io.github.containers.zstd-chunked.",
    "io.containers.zstd-chunked.",
    "containerd.io/snapshot/stargz/",
    "io.containers.estargz.",
];
/// By which an attestation says of which image it speaks.
const SPEAKS_OF: &str = "vnd.docker.reference.digest";

/// How to convert.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConvertOptions {
    /// Which images of an index.
    pub which: Which,
    /// The form of the layers, and how hard to compress.
    pub write: WriteOptions,
    /// How many threads compress each layer.
    pub jobs: NonZero<usize>,
    /// Whether to write layers anew that are what they should be.
    pub force: bool,
    /// The directory that keeps what layers became, so that a layer which the destination has as that is not read again.
    /// `None` for none; then nothing is kept either.
    pub memory: Option<PathBuf>,
}

impl Default for ConvertOptions {
    fn default() -> Self {
        let PackOptions { write, jobs, .. } = PackOptions::default();
        Self { which: Which::All, write, jobs, force: false, memory: None }
    }
}

/// Brings an image, or an index with all its images, to another place with its layers written anew.
///
/// Configs and DiffIDs stay: each layer's tar is proven to be the one that the config names. Layers that are what they
/// should be stay, too, and so does whatever in an index is no image.
///
/// # Errors
/// [`ConvertError::is_refusal`] tells input that was refused from everything else. Nobody sees any of it then.
pub fn convert(
    source: &dyn Source,
    destination: Box<dyn Destination>,
    options: &ConvertOptions,
    watcher: &dyn Watcher,
) -> Result<ConvertReport, ConvertError> {
    let stop = AtomicBool::new(false);
    let tars = BlobTars { source, limits: options.write.limits, stop: &stop };
    convert_from(source, &tars, destination, options, watcher, &stop)
}

/// The same for tars from anywhere.
pub(super) fn convert_from(
    source: &dyn Source,
    tars: &dyn Tars,
    destination: Box<dyn Destination>,
    options: &ConvertOptions,
    watcher: &dyn Watcher,
    stop: &AtomicBool,
) -> Result<ConvertReport, ConvertError> {
    let start = Instant::now();
    if destination.holds() == Holds::OneImage {
        return Err(TransferError::PlainOnly.into());
    }
    let mut tree = Tree::read(source, &options.which)?;
    let original = tree.digest();
    let Sorted { layers, others: blobs } = sort(source, &tree)?;
    let starts = layers.iter().map(|layer| &layer.descriptor).chain(blobs.iter().map(|(blob, _)| blob));
    let starts: Vec<_> = starts.map(|blob| BlobStart { digest: blob.digest, size: blob.size }).collect();
    watcher.begin(&starts);

    let carrier = Carrier { source, destination: &*destination, watcher, stop };
    let taken = Mutex::default();
    let memory = options.memory.as_deref().and_then(Memory::open);
    let work = Work { tars, carrier, options, memory: memory.as_ref(), taken: &taken };
    let written: Mutex<BTreeMap<Digest, (RewrittenLayer, Option<Descriptor>)>> = Mutex::default();
    let carried: Mutex<BTreeMap<usize, BlobReport>> = Mutex::default();
    std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            in_parallel(BLOBS, blobs.len(), stop, |number| {
                let Some((blob, role)) = blobs.get(number) else { return Ok(()) };
                let report = work.carry(layers.len().saturating_add(number), blob, *role)?;
                carried.lock().unwrap_or_else(PoisonError::into_inner).insert(number, report);
                Ok::<_, ConvertError>(())
            })
        });
        let rewritten = in_parallel(LAYERS, layers.len(), stop, |number| {
            let Some(layer) = layers.get(number) else { return Ok(()) };
            let done = work
                .layer(number, layer)
                .map_err(|fault| ConvertError::layer(layer.descriptor.digest, fault))?;
            watcher.rewritten(number, &done.0);
            written.lock().unwrap_or_else(PoisonError::into_inner).insert(layer.descriptor.digest, done);
            Ok::<_, ConvertError>(())
        });
        let others = others.join().unwrap_or(Err(TransferError::Stopped.into()));
        // What only stopped explains nothing.
        match (rewritten, others) {
            (Err(ConvertError::Transfer(TransferError::Stopped)), Err(cause)) => Err(cause),
            (Err(error), _) | (Ok(()), Err(error)) => Err(error),
            (Ok(()), Ok(())) => Ok(()),
        }
    })?;
    let written = written.into_inner().unwrap_or_else(PoisonError::into_inner);
    renew(&mut tree, &written, &layers, destination.holds())?;
    let top = tree.put(&*destination)?;
    destination.commit().map_err(ConvertError::from)?;
    let carried = carried.into_inner().unwrap_or_else(PoisonError::into_inner);
    let in_order = |layer: &Layer| written.get(&layer.descriptor.digest).map(|(report, _)| report.clone());
    Ok(ConvertReport {
        digest: top.digest,
        media_type: top.media_type,
        changed_from: original.filter(|digest| *digest != top.digest),
        images: tree.images.len(),
        layers: layers.iter().filter_map(in_order).collect(),
        others: carried.into_values().collect(),
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// What is to be done.
struct Sorted {
    /// The layers of images, each once.
    layers: Vec<Layer>,
    /// The blobs that are brought over as they are, each once.
    others: Vec<(Descriptor, Role)>,
}

fn sort(source: &dyn Source, tree: &Tree) -> Result<Sorted, ConvertError> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut place: BTreeMap<Digest, usize> = BTreeMap::new();
    for image in &tree.images {
        let Some(diff_ids) = diff_ids(source, image, tree.index.is_some())? else { continue };
        for (descriptor, diff_id) in image.manifest.layers.iter().zip(diff_ids) {
            match place.get(&descriptor.digest).and_then(|place| layers.get_mut(*place)) {
                None => {
                    place.insert(descriptor.digest, layers.len());
                    layers.push(Layer { descriptor: descriptor.clone(), diff_id });
                }
                Some(known) if known.diff_id != diff_id => {
                    // One blob cannot be two tars, so one of the configs is wrong.
                    let (expected, actual) = (diff_id, known.diff_id);
                    let fault = LayerFault::DiffId { expected, actual };
                    return Err(ConvertError::layer(descriptor.digest, fault));
                }
                Some(known) if known.descriptor.annotations.is_none() => {
                    known.descriptor = descriptor.clone();
                }
                Some(_) => {}
            }
        }
    }
    let others = tree.blobs().into_iter().filter(|(blob, _)| !place.contains_key(&blob.digest)).collect();
    Ok(Sorted { layers, others })
}

/// Returns the digests of an image's tars; `None` for what is no image, and only comes along with others.
fn diff_ids(source: &dyn Source, image: &Image, in_index: bool) -> Result<Option<Vec<Digest>>, ConvertError> {
    if image.is_attestation() {
        return Ok(None);
    }
    let fail = |source: ManifestError| {
        ConvertError::Transfer(TransferError::Document {
            what: format!("manifest {}", image.document.digest),
            source,
        })
    };
    match image.document.check() {
        Err(ManifestError::NotAnImage { .. }) if in_index => return Ok(None),
        checked => checked.map_err(fail)?,
    }
    let config = source.small_blob(&image.manifest.config, CONFIG_LIMIT)?;
    image.document.diff_ids(&config).map(Some).map_err(fail)
}

/// Writes anew the manifests of images whose layers changed, and the index that names them.
fn renew(
    tree: &mut Tree,
    written: &BTreeMap<Digest, (RewrittenLayer, Option<Descriptor>)>,
    layers: &[Layer],
    holds: Holds,
) -> Result<(), TransferError> {
    let known: BTreeMap<Digest, &Layer> =
        layers.iter().map(|layer| (layer.descriptor.digest, layer)).collect();
    let mut changed = false;
    for image in &mut tree.images {
        let before = image.manifest.layers.clone();
        for layer in &mut image.manifest.layers {
            match written.get(&layer.digest) {
                Some((_, Some(new))) => replace(layer, new),
                // It stays, but another manifest may say more about it than this one.
                Some((_, None)) if layer.annotations.is_none() => {
                    let known =
                        known.get(&layer.digest).and_then(|known| known.descriptor.annotations.clone());
                    layer.annotations = known;
                }
                _ => {}
            }
        }
        if image.manifest.layers != before {
            changed = true;
            image.renew();
        }
    }
    if let Some((_, index)) = &mut tree.index
        && changed
    {
        let before: Vec<_> = index.manifests.iter().map(|entry| entry.digest).collect();
        let renewed: BTreeMap<_, _> = before
            .iter()
            .zip(&tree.images)
            .map(|(before, image)| (before.to_string(), image.document.digest.to_string()))
            .collect();
        for entry in &mut index.manifests {
            let speaks_of = entry.annotations.as_mut().and_then(|annotations| annotations.get_mut(SPEAKS_OF));
            if let Some(speaks_of) = speaks_of
                && let Some(now) = renewed.get(speaks_of)
            {
                speaks_of.clone_from(now);
            }
        }
    }
    if changed {
        tree.renew_index(true);
    }
    tree.fit(holds)
}

/// Describes the new blob in place of the old one; remarks that say nothing of the blob stay.
fn replace(layer: &mut Descriptor, new: &Descriptor) {
    let mut annotations = layer.annotations.take().unwrap_or_default();
    annotations.retain(|name, _| !STALE.iter().any(|stale| name.starts_with(stale)));
    annotations.extend(new.annotations.clone().unwrap_or_default());
    layer.lead_to(new.clone());
    layer.annotations = (!annotations.is_empty()).then_some(annotations);
}

/// What the threads share.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) tars: &'a dyn Tars,
    pub(super) carrier: Carrier<'a>,
    pub(super) options: &'a ConvertOptions,
    pub(super) memory: Option<&'a Memory>,
    /// Layers' blobs that somebody brings over: two old blobs may become one new one.
    taken: &'a Mutex<BTreeSet<Digest>>,
}

impl Work<'_> {
    fn carry(&self, number: usize, blob: &Descriptor, role: Role) -> Result<BlobReport, TransferError> {
        let outcome = self.carrier.carry(number, blob, role)?;
        let report = BlobReport { digest: blob.digest, size: blob.size, outcome };
        self.carrier.watcher.done(number, &report);
        Ok(report)
    }

    /// Whether it falls to this caller to bring a blob over.
    pub(super) fn take(&self, blob: &Digest) -> bool {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(*blob)
    }

    /// Brings one layer over; returns what it became, if that is something else.
    fn layer(
        &self,
        number: usize,
        layer: &Layer,
    ) -> Result<(RewrittenLayer, Option<Descriptor>), LayerFault> {
        let Carrier { destination, .. } = self.carrier;
        let (good, why) = match self.tars.judge(layer, self.options.write.format, destination)? {
            Goodness::Good(why) if self.options.force => {
                (false, format!("{why}, and is written anew as asked"))
            }
            Goodness::Good(why) => (true, why),
            Goodness::Bad(why) => (false, why),
        };
        let from = &layer.descriptor;
        let mut report = RewrittenLayer {
            diff_id: layer.diff_id,
            from: from.digest,
            from_media_type: from.media_type.clone(),
            from_size: from.size,
            to: from.digest,
            to_media_type: from.media_type.clone(),
            to_size: from.size,
            toc_bytes: 0,
            tar_split_bytes: 0,
            outcome: LayerOutcome::Kept,
            sent: BlobOutcome::Present,
            why,
            plain: None,
        };
        if good {
            if self.take(&from.digest) {
                report.sent = self.carrier.carry(number, from, Role::Layer)?;
            }
            return Ok((report, None));
        }
        let became = if let Some((became, sent)) = self.recall(layer)? {
            (report.outcome, report.sent) = (LayerOutcome::Recalled, sent);
            report.why.push_str("; it was converted before, and the destination has what it became");
            became
        } else {
            let done = self.rewrite_proven(number, layer, &mut report.why)?;
            let became = Became::new(&done.written);
            let to = became.descriptor(&self.options.write);
            (report.outcome, report.sent) = (LayerOutcome::Rewritten, self.deliver(number, &to, done)?);
            became
        };
        self.remember(layer, &became);
        let to = became.descriptor(&self.options.write);
        became.tell(&mut report, &to);
        Ok((report, Some(to)))
    }
}
