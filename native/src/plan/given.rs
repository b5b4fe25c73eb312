//! What the machine that is to pull is taken to have.

use std::borrow::Cow;
use std::collections::BTreeSet;

use shingle_core::{Digest, Identity, Inventory, Toc};

use super::{PlanError, PlanOptions};
use crate::contents::{Cache, ContentsError, Described, ReadOptions, Spent, Watcher, read_layers};
use crate::store::{Store, StoreError};
use crate::transport::Source;

/// What a machine has: nothing, what a store holds, images, or a store and images.
#[derive(Debug)]
pub struct Given<'a> {
    store: Option<&'a Store>,
    cache: Option<&'a Cache>,
    /// Of the images.
    inventory: Inventory,
    layers: BTreeSet<Identity>,
    /// The layers that were read, by blob and DiffID: images share some.
    read: BTreeSet<(Digest, Digest)>,
}

impl<'a> Given<'a> {
    /// A machine that has nothing.
    pub fn nothing() -> Self {
        let (layers, read) = (BTreeSet::new(), BTreeSet::new());
        Self { store: None, cache: None, inventory: Inventory::new(), layers, read }
    }

    /// A machine that has what is in a store.
    pub fn store(store: &'a Store) -> Self {
        Self { store: Some(store), ..Self::nothing() }
    }

    /// Looks into a cache before layers of images are read, and keeps there what they hold.
    #[must_use]
    pub const fn with_cache(mut self, cache: &'a Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Adds an image whose layers the machine has pulled: all files of each, and the chunks that its TOC names.
    ///
    /// A layer without a usable TOC is read to its end, which costs its bytes; `watcher` hears of it. Nothing of it is kept
    /// but its table of contents, which has no chunks then.
    ///
    /// # Errors
    /// A layer cannot be read, or is not what the image says.
    pub fn add_image(
        &mut self,
        name: &str,
        source: &dyn Source,
        options: &PlanOptions,
        watcher: &dyn Watcher,
    ) -> Result<Spent, PlanError> {
        let layers = Described::find(source, &options.platform)?.layers;
        let numbered: Vec<_> = layers
            .iter()
            .enumerate()
            .filter(|(_, layer)| self.read.insert((layer.digest, layer.diff_id)))
            .collect();
        let read = ReadOptions {
            platform: options.platform.clone(),
            policy: options.policy,
            parallel_layers: options.parallel_layers,
            // What a pull takes whole has no chunks afterwards, whatever its TOC says.
            vouched_is_enough: false,
            cache: self.cache,
            store: None,
        };
        let new = numbered.iter().map(|(_, layer)| *layer).collect();
        let contents =
            read_layers(&[(name, source)], &[new], &read, watcher).map_err(|error| match error {
                ContentsError::Layer { index, blob, source, .. } => PlanError::Layer {
                    index: numbered.get(index).map_or(index, |(index, _)| *index),
                    blob,
                    source,
                },
                ContentsError::Transfer { source, .. } | ContentsError::Stopped(source) => source.into(),
            })?;
        let contents = contents.into_iter().next().unwrap_or_default();
        for layer in &contents {
            self.inventory.add_toc(&layer.toc);
            self.layers.insert(layer.identity());
        }
        Ok(Spent::of(&contents))
    }

    /// Whether the machine has a layer, proven so far.
    pub(super) fn has(&self, identity: &Identity) -> bool {
        self.layers.contains(identity) || self.store.is_some_and(|store| store.has_layer(identity))
    }

    /// Returns what the machine has of what a layer wants; perhaps more.
    pub(super) fn inventory(&self, toc: &Toc) -> Result<Cow<'_, Inventory>, StoreError> {
        let Some(store) = self.store else { return Ok(Cow::Borrowed(&self.inventory)) };
        let mut held = store.held(toc)?;
        held.add_all(&self.inventory);
        Ok(Cow::Owned(held))
    }
}
