//! Images in figures.

use alloc::string::String;
use alloc::vec::Vec;

use super::bytes::{Amount, Bits};
use super::{ImageId, Overlap};
use crate::Digest;

/// All images, and what they share.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// One for each image, in the order in which they were added.
    pub images: Vec<ImageSummary>,
    /// One for each number of images, from 1 on.
    pub shared_by: Vec<SharedBy>,
    /// Every content of any image once, at file granularity: the sum over `shared_by`.
    pub distinct: Amount,
    /// The same at chunk granularity.
    pub distinct_chunks: Amount,
}

/// One image.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ImageSummary {
    /// What it was called.
    pub label: String,
    /// Its layers as listed, lowest first.
    pub layers: Vec<LayerSummary>,
    /// The lengths of its blobs, each layer once.
    pub blob_bytes: u64,
    /// Its files, each as often as it occurs.
    pub files: Amount,
    /// Its files, each content once: the sum of `unique` and `shared`.
    pub distinct: Amount,
    /// Of these, what no other image has as a file.
    pub unique: Amount,
    /// Of these, what some other image has as a file.
    pub shared: Amount,
    /// Its chunks, each content once: the sum of `unique_chunks` and `shared_chunks`.
    pub distinct_chunks: Amount,
    /// Of these, what no other image has.
    pub unique_chunks: Amount,
    /// Of these, what some other image has.
    pub shared_chunks: Amount,
    /// What its files come to beyond the first of each content.
    pub duplicates: Amount,
    /// Files that no name leads to in the end.
    pub wasted: Amount,
    /// Uncompressed bytes of holes, which are in no other figure.
    pub hole_bytes: u64,
}

/// One layer of one image.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct LayerSummary {
    /// The digest of its blob, if known.
    pub blob: Option<Digest>,
    /// Its DiffID, if known.
    pub diff_id: Option<Digest>,
    /// The length of its blob.
    pub blob_bytes: u64,
    /// Whether a pull takes all of it, whatever is held.
    pub whole: bool,
    /// The earlier layer of the same image that it repeats, from 0; its files are counted there.
    pub repeats: Option<u32>,
    /// The other images that have this layer.
    pub also_in: Vec<ImageId>,
    /// Its files, each as often as it occurs.
    pub files: Amount,
}

/// What exactly so many images have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct SharedBy {
    /// How many images.
    pub images: u32,
    /// Contents that so many images have as files. Compressed as in the first of them.
    pub files: Amount,
    /// Contents of chunks that so many images have, as chunks or as files or in files. Compressed as in the first image
    /// that has them as chunks.
    pub chunks: Amount,
}

impl Overlap {
    /// Counts what every image has and shares.
    pub fn summary(&self) -> Summary {
        let census = self.census();
        let mut summary = Summary::default();
        for number in (1..).take(self.images.len()) {
            summary.shared_by.push(SharedBy { images: number, ..SharedBy::default() });
        }
        let mut in_files = Bits::new(self.contents.len());
        let mut in_chunks = Bits::new(self.contents.len());
        for image in &self.images {
            let mut row = ImageSummary {
                label: image.label.clone(),
                layers: self.layers_of(image),
                hole_bytes: image.holes,
                ..ImageSummary::default()
            };
            for layer in image.own_layers() {
                row.blob_bytes = row.blob_bytes.saturating_add(layer.blob_len);
            }
            let mut first = Bits::new(self.contents.len());
            for file in &image.files {
                let add = |amount: &mut Amount| amount.add(file.data, file.compressed);
                add(&mut row.files);
                if !first.insert(file.content) {
                    add(&mut row.duplicates);
                    continue;
                }
                add(&mut row.distinct);
                let held_by = census.as_file(file.content);
                add(if held_by > 1 { &mut row.shared } else { &mut row.unique });
                if in_files.insert(file.content) {
                    add(&mut summary.distinct);
                    if let Some(shared_by) = summary.shared_by(held_by) {
                        add(&mut shared_by.files);
                    }
                }
            }
            for atom in image.distinct_atoms() {
                let add = |amount: &mut Amount| amount.add(atom.len, atom.compressed);
                add(&mut row.distinct_chunks);
                let held_by = census.as_any(atom.content);
                add(if held_by > 1 { &mut row.shared_chunks } else { &mut row.unique_chunks });
                if in_chunks.insert(atom.content) {
                    add(&mut summary.distinct_chunks);
                    if let Some(shared_by) = summary.shared_by(held_by) {
                        add(&mut shared_by.chunks);
                    }
                }
            }
            for file in image.nodes.wasted.iter().filter_map(|wasted| image.file(wasted.file)) {
                row.wasted.add(file.data, file.compressed);
            }
            summary.images.push(row);
        }
        summary
    }

    fn layers_of(&self, image: &super::Image) -> Vec<LayerSummary> {
        let layers = image.layers.iter().map(|layer| {
            let mut files = Amount::default();
            let range = super::index(layer.files.start)..super::index(layer.files.end);
            for file in image.files.get(range).unwrap_or_default() {
                files.add(file.data, file.compressed);
            }
            let others = (0..).map(ImageId).zip(&self.images);
            let others = others.filter(|(_, other)| !core::ptr::eq(*other, image));
            let same =
                others.filter(|(_, other)| other.own_layers().any(|own| own.identity == layer.identity));
            LayerSummary {
                blob: layer.blob,
                diff_id: layer.diff_id,
                blob_bytes: layer.blob_len,
                whole: layer.whole,
                repeats: layer.repeats,
                also_in: same.map(|(id, _)| id).collect(),
                files,
            }
        });
        layers.collect()
    }
}

impl Summary {
    fn shared_by(&mut self, images: u32) -> Option<&mut SharedBy> {
        self.shared_by.get_mut(super::index(images.checked_sub(1)?))
    }
}
