//! One layer: from the cache, by its TOC, from the store, or read whole.

use std::sync::Arc;

use shingle_core::{Identity, LayerSaid, Look, Policy, Reason, Toc, Trust};

use super::cache::{Kept, Known};
use super::image::Layer;
use super::reading::Reading;
use super::whole::read_whole;
use super::{Came, LayerContents, LayerFault, PulledAs, ReadOptions, Watcher};
use crate::look::{Looked, look};
use crate::transport::Source;

/// Reads layers that have one blob and one DiffID: what was read of one is not read again for the next.
pub(super) struct Reader<'a> {
    pub(super) source: &'a dyn Source,
    /// What the image is called.
    pub(super) name: &'a str,
    pub(super) options: &'a ReadOptions<'a>,
    pub(super) watcher: &'a dyn Watcher,
    /// The TOC of the layer that was read whole.
    pub(super) whole: Option<Arc<Toc>>,
}

impl Reader<'_> {
    /// Finds out what a layer holds.
    pub(super) fn read(&mut self, layer: &Layer) -> Result<LayerContents, LayerFault> {
        let policy = self.looking();
        let said = layer.said();
        let leads = |policy: &Policy| !matches!(Look::new(&said, policy), Look::Whole(_));
        let kept = Known::by_toc(policy.trust).iter().filter(|_| leads(&policy)).find_map(|known| {
            let kept = self.options.cache?.get(layer, *known, &policy.limits)?;
            Some((*known, kept))
        });
        if let Some((known, kept)) = kept {
            let found = Found { toc: Arc::new(kept.toc), trust: known.trust(), from_cache: true };
            let mut contents = self.by_toc(layer, found, kept.toc_bytes, kept.toc_requests);
            (contents.read_bytes, contents.read_requests) = (0, 0);
            return Ok(contents);
        }
        let mut reading = Reading::new(self.source, layer.digest, layer.size);
        match look(&mut reading, &said, &policy, |_| false)? {
            Looked::Found(basis) => {
                let found = Found { toc: Arc::clone(basis.toc()), trust: basis.trust(), from_cache: false };
                Ok(self.by_toc(layer, found, reading.bytes, reading.requests))
            }
            Looked::Whole(reason, _) => self.whole(layer, reason, &reading),
            // Nothing was said to be here.
            Looked::Present(_) => self.whole(layer, Reason::NoRanges, &reading),
        }
    }

    /// The policy to look with: further down the ladder than a pull, if a look is all that is wanted.
    fn looking(&self) -> Policy {
        let mut policy = self.options.policy;
        if self.options.vouched_is_enough {
            policy.trust = Trust::Toc;
        }
        policy
    }

    fn by_toc(&self, layer: &Layer, found: Found, bytes: u64, requests: u64) -> LayerContents {
        let said: LayerSaid<'_> = layer.said();
        let policy = self.looking();
        let as_pulled = Look::new(&said, &self.options.policy);
        // A pull that needs a tar-split reads nothing where there can be none.
        let pull_looks = !matches!(as_pulled, Look::Whole(_));
        let pulled = match (self.options.policy.trust, found.trust) {
            (Trust::DiffId, Trust::Toc) => PulledAs::Whole(Reason::NoTarSplit),
            _ => PulledAs::ByFile,
        };
        LayerContents {
            trust: found.trust,
            vouched: Look::new(&said, &policy).vouched().copied(),
            pulled,
            came: Came::ByToc,
            from_cache: found.from_cache,
            toc_bytes: if pull_looks { bytes } else { 0 },
            toc_requests: if pull_looks { requests } else { 0 },
            read_bytes: bytes,
            read_requests: requests,
            ..LayerContents::new(layer, found.toc)
        }
    }

    /// Knows a layer without a usable TOC.
    fn whole(
        &mut self,
        layer: &Layer,
        reason: Reason,
        reading: &Reading<'_>,
    ) -> Result<LayerContents, LayerFault> {
        let limits = &self.options.policy.limits;
        // What a pull that needs more than this look finds out from the annotations alone, it says, and reads nothing for it.
        let (reason, toc_bytes, toc_requests) = match Look::new(&layer.said(), &self.options.policy) {
            Look::Whole(reason) => (reason, 0, 0),
            _ => (reason, reading.bytes, reading.requests),
        };
        let contents = |came, from_cache, toc: Arc<Toc>, reason: Reason| LayerContents {
            pulled: PulledAs::Whole(reason),
            came,
            from_cache,
            toc_bytes,
            toc_requests,
            read_bytes: reading.bytes,
            read_requests: reading.requests,
            ..LayerContents::new(layer, toc)
        };
        if let Some(toc) = &self.whole {
            return Ok(contents(Came::Whole, false, Arc::clone(toc), reason));
        }
        let kept = self.options.cache.and_then(|cache| cache.get(layer, Known::Whole, limits));
        if let Some(kept) = kept {
            let toc = Arc::clone(self.whole.insert(Arc::new(kept.toc)));
            return Ok(contents(Came::Whole, true, toc, reason));
        }
        let identity = Identity::DiffId(layer.diff_id);
        if let Some(store) = self.options.store.filter(|store| store.has_layer(&identity)) {
            let toc = Arc::clone(self.whole.insert(store.layer(&identity.id())?.toc));
            return Ok(contents(Came::Store, false, toc, reason));
        }
        self.watcher.whole(self.name, &layer.digest, layer.size, &reason);
        let received = |bytes| self.watcher.received(&layer.digest, bytes);
        let toc = read_whole(self.source, layer, limits, &received)?;
        self.watcher.done(&layer.digest);
        if let Some(cache) = self.options.cache {
            let kept = Kept { toc: Toc::clone(&toc), toc_bytes: 0, toc_requests: 0 };
            cache.put(layer, Known::Whole, &kept, limits);
        }
        let toc = Arc::clone(self.whole.insert(toc));
        let mut contents = contents(Came::Whole, false, toc, reason);
        contents.read_bytes = contents.read_bytes.saturating_add(layer.size);
        contents.read_requests = contents.read_requests.saturating_add(1);
        Ok(contents)
    }
}

/// A layer known by its TOC.
struct Found {
    toc: Arc<Toc>,
    trust: Trust,
    from_cache: bool,
}
