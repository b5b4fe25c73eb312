//! What images share, from their TOCs alone: set algebra over contents, nothing fetched, nothing unpacked.
//!
//! # What is compared
//!
//! | word | meaning |
//! |---|---|
//! | content | bytes with one digest and one length; a file's, or a chunk's. One digest with two lengths is two contents, as it is to [`decide`](crate::decide) |
//! | file | a regular file with content that some layer of the image holds, hidden ones too: a pull takes them all. A hard link is one more name, not a file; empty files have no content and share nothing |
//! | image | the set of contents of its layers. A layer listed twice (the same DiffID, or the same blob) counts once, because a pull takes it once |
//! | shared, at file granularity | of two images, when both hold a *file* with this content, at whatever path, with whatever metadata |
//! | shared, at chunk granularity | of a chunk of A and an image B: B holds its content as a file or as a chunk, or holds a file of A that it is in. A file in one piece is one chunk |
//! | logical bytes | uncompressed, holes (chunks of zeros) left out: they cost nothing |
//! | compressed bytes | of the frames in the blob of the image that is spoken of, the first occurrence in it; frames that hold several chunks are shared out between them by length. [`Bytes::unlocated`] says of how many logical bytes that is not known, because the layer was read whole |
//! | wasted | of a file: no name leads to it in the end. An upper layer replaced it, removed it (`.wh.`), hid it (`.wh..wh..opq`), or a later member of its own layer replaced it. By the rules of [`Tree`] |
//!
//! What a TOC claims is compared, not proven: two images share what a pull would find that they share.
//!
//! # Cost
//!
//! [`add_image`](Overlap::add_image) sorts an image's digests, and looks up each of them; afterwards all is integers, and
//! every question is a pass or a few over the files, the matrix one for each pair of images. No TOC is kept.
//! Everything is deterministic: the same images in the same order give the same answers, on any machine.

mod bytes;
mod census;
mod contents;
mod diff;
mod error;
mod image;
mod matrix;
mod nodes;
mod order;
mod search;
mod summary;
mod texts;
mod view;
mod who;

use alloc::string::String;
use alloc::vec::Vec;

pub use bytes::{Amount, Bytes};
pub use diff::{Change, Changed, Diff, DiffSummary, Fields};
pub use error::OverlapError;
pub use image::{Layer, Pulled};
pub use matrix::Matrix;
pub use order::{PullOrder, PullStep};
pub use summary::{ImageSummary, LayerSummary, SharedBy, Summary};
pub use view::{Measure, View};
pub use who::{Duplicate, Holding, NodeDetails, PieceDetails, SharedContent, State};

use bytes::{index, number};
use contents::{Contents, NONE};
use image::{Gathered, Image, LayerRow};
use nodes::Sources;
use texts::Texts;

use crate::{Digest, Inventory, Limits, Name, Tree};

/// Any number of images, compared by content.
///
/// ```
/// use shingle_core::overlap::{Layer, Overlap, Pulled};
/// use shingle_core::{Digest, Limits, Toc};
///
/// let limits = Limits::default();
/// let (tool, old, new) = (Digest::of(b"tool"), Digest::of(b"1"), Digest::of(b"2"));
/// let toc = |version: Digest| {
///     let json = format!(
///         r#"{{"version": 1, "entries": [
///             {{"type": "reg", "name": "bin/tool", "mode": 493, "size": 4, "digest": "{tool}"}},
///             {{"type": "reg", "name": "etc/version", "mode": 420, "size": 1, "digest": "{version}"}}
///         ]}}"#
///     );
///     Toc::from_stored(json.as_bytes(), &limits).unwrap()
/// };
///
/// let mut overlap = Overlap::new();
/// for (label, version) in [("app:1", old), ("app:2", new)] {
///     let toc = toc(version);
///     let layer = Layer { toc: &toc, blob: None, diff_id: None, blob_len: 100, pulled: Pulled::Whole };
///     overlap.add_image(label, &[layer], &limits).unwrap();
/// }
///
/// let matrix = overlap.matrix();
/// assert_eq!(matrix.files[0][1].logical, 4, "bytes of app:1 that are in app:2");
/// assert_eq!(overlap.summary().images[0].unique.bytes.logical, 1);
///
/// let [one, two] = [0, 1].map(|number| overlap.image(number).unwrap());
/// let diff = overlap.diff(one, two).unwrap();
/// assert_eq!(diff.summary.changed.count, 1);
/// assert_eq!(overlap.path(two, diff.changes[0].new.unwrap()).unwrap().as_bytes(), b"etc/version");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Overlap {
    images: Vec<Image>,
    contents: Contents,
    texts: Texts,
    /// Every layer of every image: its blob, its DiffID, and the number that all have that are the same.
    identities: Vec<(Option<Digest>, Option<Digest>, u32)>,
}

/// An image of an [`Overlap`]: images are numbered from 0 as they are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct ImageId(u32);

/// A path of an image, those that upper layers hide too. Numbers are dense from 0, the root, in the order of a walk:
/// directories before what they hold, names in the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct NodeId(u32);

impl Overlap {
    /// No images.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an image, its layers lowest first, and returns its number.
    ///
    /// The label is for people; nothing is looked up by it, and two images may have the same. An image without layers
    /// has nothing.
    ///
    /// # Errors
    /// A layer that has no tree, as in a pull, or more contents or names than can be numbered. Nothing is added then.
    pub fn add_image(
        &mut self,
        label: impl Into<String>,
        layers: &[Layer<'_>],
        limits: &Limits,
    ) -> Result<ImageId, OverlapError> {
        let id = u32::try_from(self.images.len()).map_err(|_many| OverlapError::TooMany)?;
        let identities = self.identities.len();
        let added = self.image_of(label.into(), layers, limits);
        let image = added.inspect_err(|_refused| self.identities.truncate(identities))?;
        self.images.push(image);
        Ok(ImageId(id))
    }

    /// Adds what a store holds, as an image that has files and chunks and no path but the root, and returns its number.
    /// `diff_ids` are of the layers that the store has, each of which costs nothing where it is.
    ///
    /// What is held has no frames, so all of it is [`unlocated`](Bytes::unlocated), and holes in files are not known. As a
    /// column of a [`Matrix`] it says what of each image is there; in an order of pulls it costs nothing.
    ///
    /// # Errors
    /// More contents than can be numbered. Nothing is added then.
    pub fn add_inventory(
        &mut self,
        label: impl Into<String>,
        inventory: &Inventory,
        diff_ids: &[Digest],
    ) -> Result<ImageId, OverlapError> {
        let id = u32::try_from(self.images.len()).map_err(|_many| OverlapError::TooMany)?;
        let mut gathered = Gathered::held(inventory);
        self.room_for(&gathered)?;
        let mut image = self.image_of(label.into(), &[], &Limits::default())?;
        for diff_id in diff_ids {
            let (blob, diff_id) = (None, Some(*diff_id));
            let identity = self.identity(blob, diff_id);
            let (repeats, files) = (None, 0..0);
            image.layers.push(LayerRow {
                blob,
                diff_id,
                blob_len: 0,
                whole: false,
                identity,
                repeats,
                files,
            });
        }
        gathered.number(&mut self.contents);
        (image.files, image.pieces) = (gathered.files, gathered.pieces);
        self.images.push(image);
        Ok(ImageId(id))
    }

    /// Returns how many images there are.
    pub const fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Returns an image by its number.
    pub fn image(&self, number: usize) -> Option<ImageId> {
        (number < self.images.len()).then_some(ImageId(bytes::number(number)))
    }

    /// Returns what an image was called.
    pub fn label(&self, image: ImageId) -> Option<&str> {
        self.get(image).map(|image| image.label.as_str())
    }

    /// Returns how many paths an image has, the root and those that upper layers hide included.
    pub fn nodes(&self, image: ImageId) -> usize {
        self.get(image).map_or(0, |image| image.nodes.len())
    }

    /// Returns a path by its number.
    pub fn node(&self, image: ImageId, number: usize) -> Option<NodeId> {
        (number < self.nodes(image)).then_some(NodeId(bytes::number(number)))
    }

    /// Returns a whole path, relative to the root, without a slash before it; the root's is empty.
    pub fn path(&self, image: ImageId, node: NodeId) -> Option<Name> {
        let nodes = &self.get(image)?.nodes;
        let mut parts = Vec::new();
        let mut at = node.0;
        nodes.get(at)?;
        // Parents come before what they hold, so this ends.
        while at != 0 {
            parts.push(nodes.name(at));
            at = nodes.get(at)?.parent;
        }
        parts.reverse();
        Some(parts.join(&b'/').into())
    }

    /// Returns the path with these bytes, as [`path`](Self::path) writes it.
    pub fn find(&self, image: ImageId, path: &[u8]) -> Option<NodeId> {
        let nodes = &self.get(image)?.nodes;
        let ends = nodes.ends();
        let mut at = 0_u32;
        for part in path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
            let end = ends.get(index(at)).copied()?;
            let mut child = at.saturating_add(1);
            while child < end && nodes.name(child) != part {
                child = ends.get(index(child)).copied()?;
            }
            at = (child < end).then_some(child)?;
        }
        nodes.get(at).map(|_| NodeId(at))
    }

    fn get(&self, image: ImageId) -> Option<&Image> {
        self.images.get(index(image.0))
    }

    fn image_of(
        &mut self,
        label: String,
        layers: &[Layer<'_>],
        limits: &Limits,
    ) -> Result<Image, OverlapError> {
        let (mut gathered, mut rows) = (Gathered::default(), Vec::<LayerRow>::new());
        let (mut trees, mut stack) = (Vec::<(usize, Tree)>::new(), Tree::empty());
        for (position, layer) in layers.iter().enumerate() {
            let short = u16::try_from(position).map_err(|_many| OverlapError::TooMany)?;
            let identity = self.identity(layer.blob, layer.diff_id);
            let same = |row: &LayerRow| row.identity == identity && row.repeats.is_none();
            let repeats = rows.iter().position(same);
            let mut row = LayerRow {
                blob: layer.blob,
                diff_id: layer.diff_id,
                blob_len: layer.blob_len,
                whole: layer.pulled == Pulled::Whole,
                identity,
                repeats: repeats.map(number),
                files: 0..0,
            };
            match repeats.and_then(|first| trees.iter().find(|(position, _)| *position == first)) {
                Some((first, tree)) => stack.stack(tree, number(*first)),
                None => {
                    let refused = |error| OverlapError::Tree { layer: position, error };
                    let tree = Tree::build(layer.toc, limits).map_err(refused)?;
                    let (files, located) = gathered.add(short, layer.toc);
                    stack.stack(&tree, number(position));
                    trees.push((position, tree));
                    (row.files, row.whole) = (files, row.whole || !located);
                }
            }
            rows.push(row);
        }
        self.room_for(&gathered)?;
        let sources = Sources { layers, rows: &rows, gathered: &gathered, trees: &trees, stack: &stack };
        let nodes = sources.nodes(&mut self.texts)?;
        drop((trees, stack));
        gathered.number(&mut self.contents);
        let Gathered { mut files, mut pieces, holes, .. } = gathered;
        // These stay for as long as the overlap does.
        files.shrink_to_fit();
        pieces.shrink_to_fit();
        Ok(Image { label, layers: rows, files, pieces, nodes, holes })
    }

    /// Whether all contents can be numbered.
    fn room_for(&self, gathered: &Gathered) -> Result<(), OverlapError> {
        let room = usize::try_from(NONE).unwrap_or(usize::MAX);
        let len = self.contents.len().saturating_add(gathered.len());
        if len < room { Ok(()) } else { Err(OverlapError::TooMany) }
    }

    /// Returns the number of a layer: the same DiffID, or the same blob, is the same layer.
    fn identity(&mut self, blob: Option<Digest>, diff_id: Option<Digest>) -> u32 {
        let equal = |a: Option<Digest>, b: Option<Digest>| a.is_some() && a == b;
        let same = |(other, other_id, _): &&(Option<Digest>, Option<Digest>, u32)| {
            equal(*other, blob) || equal(*other_id, diff_id)
        };
        let known = self.identities.iter().find(same).map(|(_, _, identity)| *identity);
        let identity = known.unwrap_or_else(|| number(self.identities.len()));
        self.identities.push((blob, diff_id, identity));
        identity
    }
}

impl ImageId {
    /// Returns the number, from 0 in the order in which images were added.
    pub fn index(self) -> usize {
        index(self.0)
    }
}

impl NodeId {
    /// The root directory.
    pub const ROOT: Self = Self(0);

    /// Returns the number.
    pub fn index(self) -> usize {
        index(self.0)
    }
}

#[cfg(test)]
mod tests;
