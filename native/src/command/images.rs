//! `shingle images`

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use shingle::registry::Reference;
use shingle::store::{ImageRecord, LayerRef, Store};
use shingle_core::Digest;

use super::existing_store;
use crate::cli::Global;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress::short;
use crate::words::{Bytes, ago, columns, total};

/// An image, for programs.
#[derive(Serialize)]
struct Image<'a> {
    image: &'a str,
    digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<Digest>,
    id: Digest,
    /// Of all blobs.
    size: u64,
    /// In seconds since 1970.
    pulled: u64,
    layers: Vec<Layer<'a>>,
}

#[derive(Serialize)]
struct Layer<'a> {
    #[serde(flatten)]
    layer: &'a LayerRef,
    tree: PathBuf,
}

pub(super) fn run(global: &Global, printer: &Printer) -> Result<(), Failure> {
    let store = existing_store(global)?;
    let records = match &store {
        Some(store) => store.images()?,
        None => Vec::new(),
    };
    if printer.json() {
        let images: Vec<_> =
            store.iter().flat_map(|store| records.iter().map(|record| Image::new(store, record))).collect();
        return Ok(printer.object(&images)?);
    }
    let head = ["REPOSITORY", "TAG", "IMAGE ID", "LAYERS", "SIZE", "PULLED"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(records.iter().map(row)).collect();
    for line in columns(&rows) {
        printer.result(line)?;
    }
    Ok(())
}

impl<'a> Image<'a> {
    fn new(store: &Store, record: &'a ImageRecord) -> Self {
        let layer = |layer: &'a LayerRef| Layer { layer, tree: store.tree_path(&layer.id()) };
        Self {
            image: &record.reference,
            digest: record.manifest,
            index: record.index,
            id: record.config,
            size: size(record),
            pulled: record.pulled,
            layers: record.layers.iter().map(layer).collect(),
        }
    }
}

fn row(record: &ImageRecord) -> [String; 6] {
    let (repository, tag) = match record.reference.parse::<Reference>() {
        Ok(name) => (
            format!("{}/{}", name.host(), name.repository()),
            name.tag().map_or_else(|| "<none>".to_owned(), str::to_owned),
        ),
        Err(_other) => (record.reference.clone(), "<none>".to_owned()),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    [
        repository,
        tag,
        short(&record.config),
        record.layers.len().to_string(),
        Bytes(size(record)).to_string(),
        ago(now.saturating_sub(record.pulled)),
    ]
}

fn size(record: &ImageRecord) -> u64 {
    total(record.layers.iter().map(|layer| layer.size))
}
