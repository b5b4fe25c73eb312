//! What the store has of each image.

use std::collections::BTreeSet;

use serde::Serialize;
use shingle::contents::{Contents, LayerContents};
use shingle::store::Store;
use shingle_core::overlap::{Bytes, ImageId, PullOrder};
use shingle_core::{Identity, Inventory, Trust};

use super::super::looking::{compare, ids};
use super::super::{existing_store, looking_policy, root};
use crate::cli::{Global, OverlapArgs};
use crate::failure::Failure;

/// What of an image is here.
#[derive(Serialize)]
pub(super) struct Held {
    pub(super) image: ImageId,
    /// How many of its layers, each as often as it has it.
    pub(super) layers: u64,
    /// Of its contents, those that are whole files here.
    pub(super) files: Bytes,
    /// Of its contents, what a pull finds: files, and chunks of files.
    pub(super) chunks: Bytes,
}

/// Compares images with the store, and says in which order they are pulled into it best.
pub(super) fn held(
    global: &Global,
    args: &OverlapArgs,
    images: &[Contents],
) -> Result<(Vec<Held>, PullOrder), Failure> {
    let store = existing_store(global)?.ok_or_else(|| {
        let missing = anyhow::anyhow!("there is no store {}", root(global).display());
        Failure::new(missing).hint("--root names another")
    })?;
    let trust = looking_policy(&args.look)?.trust;
    let mut inventory = Inventory::new();
    let (mut seen, mut here) = (BTreeSet::new(), BTreeSet::new());
    for layer in images.iter().flat_map(|image| &image.layers) {
        if seen.insert((layer.blob, layer.diff_id)) {
            inventory.add_all(&store.held(&layer.toc)?);
        }
        if is_here(&store, layer, trust) {
            here.insert(layer.diff_id);
        }
    }
    let mut overlap = compare(images)?;
    let ids: Vec<_> = ids(&overlap).collect();
    let diff_ids: Vec<_> = here.into_iter().collect();
    let column = overlap.add_inventory("store", &inventory, &diff_ids).map_err(Failure::new)?;
    let matrix = overlap.matrix();
    let cell = |rows: &[Vec<Bytes>], image: ImageId| {
        rows.get(image.index()).and_then(|row| row.get(column.index())).copied().unwrap_or_default()
    };
    let held = ids.iter().zip(images).map(|(image, contents)| Held {
        image: *image,
        layers: contents.layers.iter().map(|layer| u64::from(is_here(&store, layer, trust))).sum(),
        files: cell(&matrix.files, *image),
        chunks: cell(&matrix.chunks, *image),
    });
    let held = held.collect();
    let mut order = overlap.pull_order();
    // What is here is not pulled.
    order.steps.retain(|step| step.image != column);
    Ok((held, order))
}

/// Whether a pull would find the layer here.
fn is_here(store: &Store, layer: &LayerContents, trust: Trust) -> bool {
    let by_toc = layer.vouched.map(Identity::Toc).filter(|_| trust == Trust::Toc);
    let mut names = [Some(Identity::DiffId(layer.diff_id)), by_toc].into_iter().flatten();
    names.any(|name| store.has_layer(&name))
}
