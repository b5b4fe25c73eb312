//! `overlap`: what images share.

mod error;
mod figures;

use std::cell::RefCell;
use std::sync::Arc;

use shingle_core::overlap::{ImageId, Layer, Measure, NodeId, Pulled};
use shingle_core::{Digest, Limits};

use super::Component;
use super::bindings::errors::Error;
use super::bindings::{overlap as wit, types};
use super::pull::Toc;
use super::types::{count, digest, index, kind, name};

use figures::{bytes, change, content, details, diff_summary, duplicate, holding, order, summary};

impl wit::Guest for Component {
    type Overlap = Overlap;
}

/// The resource `overlap`.
#[derive(Debug)]
pub(super) struct Overlap(RefCell<shingle_core::overlap::Overlap>);

impl Overlap {
    /// Asks about one image, if there is one of this number.
    fn of<T>(
        &self,
        image: u32,
        ask: impl FnOnce(&shingle_core::overlap::Overlap, ImageId) -> Option<T>,
    ) -> Option<T> {
        let overlap = self.0.borrow();
        let image = overlap.image(count(image))?;
        ask(&overlap, image)
    }

    /// Asks about one path of an image.
    fn at<T>(
        &self,
        image: u32,
        node: u32,
        ask: impl FnOnce(&shingle_core::overlap::Overlap, ImageId, NodeId) -> Option<T>,
    ) -> Option<T> {
        self.of(image, |overlap, image| ask(overlap, image, overlap.node(image, count(node))?))
    }
}

impl wit::GuestOverlap for Overlap {
    fn new() -> Self {
        Self(RefCell::default())
    }

    fn add_image(
        &self,
        label: String,
        layers: Vec<wit::Layer<'_>>,
        limits: types::Limits,
    ) -> Result<u32, Error> {
        let known = |text: &Option<String>| text.as_deref().map(digest).transpose();
        let layers: Vec<_> = layers
            .iter()
            .map(|layer| {
                let said = (known(&layer.blob)?, known(&layer.diff_id)?, layer.blob_len);
                Ok((Arc::clone(layer.toc.get::<Toc>().get()), said, layer.pulled))
            })
            .collect::<Result<_, Error>>()?;
        let layers: Vec<_> = layers
            .iter()
            .map(|(toc, (blob, diff_id, blob_len), pulled)| Layer {
                toc,
                blob: *blob,
                diff_id: *diff_id,
                blob_len: *blob_len,
                pulled: match pulled {
                    wit::Pulled::ByFile => Pulled::ByFile,
                    wit::Pulled::Whole => Pulled::Whole,
                },
            })
            .collect();
        let added = self.0.borrow_mut().add_image(label, &layers, &Limits::from(limits))?;
        Ok(index(added.index()))
    }

    fn len(&self) -> u32 {
        index(self.0.borrow().len())
    }

    fn summary(&self) -> wit::Summary {
        summary(self.0.borrow().summary())
    }

    fn matrix(&self) -> wit::Matrix {
        let matrix = self.0.borrow().matrix();
        let cells = |rows: Vec<Vec<_>>| rows.into_iter().flatten().map(bytes).collect();
        wit::Matrix { files: cells(matrix.files), chunks: cells(matrix.chunks) }
    }

    fn view(&self, image: u32, measure: wit::Measure) -> Option<wit::View> {
        let measure = match measure {
            wit::Measure::Compressed => Measure::Compressed,
            wit::Measure::Logical => Measure::Logical,
        };
        let view = self.of(image, |overlap, image| overlap.view(image, measure))?;
        Some(wit::View {
            parents: view.parents,
            ends: view.ends,
            names: view.names,
            name_ends: view.name_ends,
            kinds: view.kinds.into_iter().map(kind).collect(),
            gone: view.gone,
            files: view.files,
            shared: view.shared,
            unique: view.unique,
            partly: view.partly,
            partly_shared: view.partly_shared,
            wasted: view.wasted,
            unlocated: view.unlocated,
        })
    }

    fn path(&self, image: u32, node: u32) -> Option<Vec<u8>> {
        self.at(image, node, |overlap, image, node| overlap.path(image, node).as_ref().map(name))
    }

    fn find(&self, image: u32, path: Vec<u8>) -> Option<u32> {
        self.of(image, |overlap, image| overlap.find(image, &path)).map(|node| index(node.index()))
    }

    fn details(&self, image: u32, node: u32) -> Option<wit::NodeDetails> {
        self.at(image, node, |overlap, image, node| overlap.details(image, node)).map(details)
    }

    fn diff(&self, old: u32, new: u32) -> Option<wit::Diff> {
        let diff = self.of(old, |overlap, old| overlap.diff(old, overlap.image(count(new))?))?;
        Some(wit::Diff {
            changes: diff.changes.into_iter().map(change).collect(),
            summary: diff_summary(diff.summary),
        })
    }

    fn holders(&self, text: types::Digest) -> Result<Vec<wit::Holding>, Error> {
        let digest: Digest = digest(&text)?;
        Ok(self.0.borrow().holders(&digest).into_iter().map(holding).collect())
    }

    fn duplicates(&self, image: u32, limit: u32) -> Vec<wit::Duplicate> {
        let found = self.of(image, |overlap, image| Some(overlap.duplicates(image, count(limit))));
        found.unwrap_or_default().into_iter().map(duplicate).collect()
    }

    fn shared_contents(&self, limit: u32) -> Vec<wit::SharedContent> {
        self.0.borrow().shared_contents(count(limit)).into_iter().map(content).collect()
    }

    fn pull_order(&self) -> wit::PullOrder {
        order(self.0.borrow().pull_order())
    }

    fn pull_cost(&self, order_: Vec<u32>) -> Option<wit::PullOrder> {
        let overlap = self.0.borrow();
        let images: Vec<_> =
            order_.into_iter().map(|image| overlap.image(count(image))).collect::<Option<_>>()?;
        overlap.pull_cost(&images).map(order)
    }
}
