//! What the machine that is to pull is taken to have.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::sync::Arc;

use shingle_core::{Digest, Identity, Inventory, Limits, Reason, Toc, Trust, Unwrap, WholeFetch};

use super::error::{LayerFault, PlanError};
use super::reading::Reading;
use super::{Layer, PlanOptions, layers_of};
use crate::look::{Looked, look};
use crate::store::{Store, StoreError};
use crate::transport::{Source, TransferError};

/// How much is read at once of a layer that is read whole.
const PIECE: usize = 256 << 10;

/// What a machine has: nothing, what a store holds, images, or a store and images.
#[derive(Debug)]
pub struct Given<'a> {
    store: Option<&'a Store>,
    /// Of the images.
    inventory: Inventory,
    layers: BTreeSet<Identity>,
    /// The layers that were read, by blob and DiffID: images share some.
    read: BTreeSet<(Digest, Digest)>,
}

/// What reading the layers of an image that is given took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spent {
    /// Bytes of blobs.
    pub bytes: u64,
    /// Requests for them.
    pub requests: u64,
}

impl<'a> Given<'a> {
    /// A machine that has nothing.
    pub fn nothing() -> Self {
        let (layers, read) = (BTreeSet::new(), BTreeSet::new());
        Self { store: None, inventory: Inventory::new(), layers, read }
    }

    /// A machine that has what is in a store.
    pub fn store(store: &'a Store) -> Self {
        Self { store: Some(store), ..Self::nothing() }
    }

    /// Adds an image whose layers the machine has pulled: all files of each, and the chunks that its TOC names.
    ///
    /// A layer without a usable TOC is read to its end, which costs its bytes; `whole` hears of it first, with the digest
    /// and the length of its blob. Nothing of it is kept but its table of contents, which has no chunks then.
    ///
    /// # Errors
    /// A layer cannot be read, or is not what the image says.
    pub fn add_image(
        &mut self,
        source: &dyn Source,
        options: &PlanOptions,
        whole: &dyn Fn(&Digest, u64, &Reason),
    ) -> Result<Spent, PlanError> {
        let mut spent = Spent::default();
        for (index, layer) in layers_of(source, options)?.1.iter().enumerate() {
            if !self.read.insert((layer.digest, layer.diff_id)) {
                continue;
            }
            self.add_layer(source, layer, options, whole, &mut spent).map_err(|fault| PlanError::Layer {
                index,
                blob: layer.digest,
                source: Box::new(fault),
            })?;
        }
        Ok(spent)
    }

    fn add_layer(
        &mut self,
        source: &dyn Source,
        layer: &Layer,
        options: &PlanOptions,
        whole: &dyn Fn(&Digest, u64, &Reason),
        spent: &mut Spent,
    ) -> Result<(), LayerFault> {
        let policy = &options.policy;
        let mut reading = Reading::new(source, layer.digest, layer.size);
        let looked = look(&mut reading, &layer.said(), policy, |_| false)?;
        let mut identity = Identity::DiffId(layer.diff_id);
        let toc = match looked {
            Looked::Found(basis) => {
                if let (Trust::Toc, Some(toc)) = (basis.trust(), basis.toc().vouched()) {
                    identity = Identity::Toc(*toc);
                }
                Arc::clone(basis.toc())
            }
            Looked::Whole(reason, _) => {
                whole(&layer.digest, layer.size, &reason);
                reading.bytes = reading.bytes.saturating_add(layer.size);
                reading.requests = reading.requests.saturating_add(1);
                read_whole(source, layer, &policy.limits)?
            }
            // Nothing was said to be here.
            Looked::Present(_) => return Ok(()),
        };
        spent.bytes = spent.bytes.saturating_add(reading.bytes);
        spent.requests = spent.requests.saturating_add(reading.requests);
        self.inventory.add_toc(&toc);
        self.layers.insert(identity);
        Ok(())
    }

    /// Whether the machine has a layer, proven so far.
    pub(super) fn has(&self, identity: &Identity) -> bool {
        self.layers.contains(identity) || self.store.is_some_and(|store| store.has_layer(identity))
    }

    /// Returns what the machine has of what a layer wants; perhaps more.
    pub(super) fn inventory(&self, toc: &Toc) -> Result<Cow<'_, Inventory>, StoreError> {
        let Some(store) = self.store else { return Ok(Cow::Borrowed(&self.inventory)) };
        let mut held = store.donors(toc)?.inventory;
        held.add_all(&self.inventory);
        Ok(Cow::Owned(held))
    }
}

/// Reads a layer to its end for what is in it.
fn read_whole(source: &dyn Source, layer: &Layer, limits: &Limits) -> Result<Arc<Toc>, LayerFault> {
    let mut reader = source.open_blob(layer.digest, layer.size)?;
    let (mut unwrap, mut fetch) = (Unwrap::new(limits), WholeFetch::new(limits));
    let mut buffer = vec![0; PIECE];
    loop {
        let count = reader
            .read(&mut buffer)
            .map_err(|error| TransferError::reading(format!("blob {}", layer.digest), error))?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        let mut plain = unwrap.receive(bytes);
        while let Some(tar) = plain.next_piece()? {
            let mut pieces = fetch.receive(tar);
            while pieces.next_piece()?.is_some() {}
        }
    }
    let whole = fetch.finish(unwrap.finish(&layer.digest)?, &layer.diff_id)?;
    Ok(Arc::clone(whole.verified.toc()))
}
