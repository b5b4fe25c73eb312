//! An image's files as a container sees them: its layers stacked, from their tables of contents alone.
//!
//! ```
//! use shingle::contents::{Quiet, ReadOptions, read};
//! use shingle::registry::{Client, ClientOptions};
//! use shingle::root::Root;
//! use shingle::shingle_core::{LastLink, Limits};
//! use shingle::transport::open_source;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = concat!("oci:", env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo:v2");
//! let client = Client::new(ClientOptions::default())?;
//! let contents = read(name, &*open_source(&name.parse()?, &client)?, &ReadOptions::default(), &Quiet)?;
//! let root = Root::new(&contents.layers, &Limits::default())?;
//! let found = root.resolve(b"opt/tiler/CHANGES", LastLink::Follow)?;
//! assert_eq!(found.path.as_bytes(), b"opt/tiler-1.2/CHANGES", "opt/tiler is a link");
//! let (origin, entry) = root.entry(found.id).expect("a file that a layer lists");
//! assert_eq!((origin.layer, entry.is_file()), (1, true));
//! # Ok(())
//! # }
//! ```

use std::sync::Arc;

use shingle_core::{Entry, InodeId, LastLink, Limits, Origin, PathError, Resolved, Toc, Tree};

use crate::contents::{ContentsError, LayerContents};

/// The stacked layers of an image, or the upper ones of them.
#[derive(Clone, Debug)]
pub struct Root {
    tree: Tree,
    /// By layer; those that were not read hold nothing.
    tocs: Vec<Arc<Toc>>,
}

/// The trees of an image's layers, before they are stacked.
#[derive(Debug)]
pub(crate) struct Layers {
    /// By layer, from the bottom; `None` for those that were not read yet.
    layers: Vec<Option<(Arc<Toc>, Tree)>>,
}

impl Layers {
    pub(crate) fn new(count: usize) -> Self {
        Self { layers: std::iter::repeat_with(|| None).take(count).collect() }
    }

    /// Adds a layer at its place in the image.
    pub(crate) fn add(
        &mut self,
        index: usize,
        layer: &LayerContents,
        limits: &Limits,
    ) -> Result<(), ContentsError> {
        let tree = Tree::build(&layer.toc, limits).map_err(|error| ContentsError::Layer {
            image: 0,
            index,
            blob: layer.blob,
            source: Box::new(error.into()),
        })?;
        if let Some(slot) = self.layers.get_mut(index) {
            *slot = Some((Arc::clone(&layer.toc), tree));
        }
        Ok(())
    }

    /// Stacks those that are there.
    pub(crate) fn stack(&self) -> Root {
        let mut root = Root { tree: Tree::empty(), tocs: Vec::new() };
        for (number, layer) in (0..).zip(&self.layers) {
            root.tocs.push(layer.as_ref().map(|(toc, _)| Arc::clone(toc)).unwrap_or_default());
            if let Some((_, tree)) = layer {
                root.tree.stack(tree, number);
            }
        }
        root
    }
}

impl Root {
    /// Stacks layers, the lowest one first.
    ///
    /// # Errors
    /// A layer has a member with no place in a tree; a pull would refuse it, too.
    pub fn new(layers: &[LayerContents], limits: &Limits) -> Result<Self, ContentsError> {
        let mut all = Layers::new(layers.len());
        for (index, layer) in layers.iter().enumerate() {
            all.add(index, layer, limits)?;
        }
        Ok(all.stack())
    }

    /// Returns the tree; the layers of its origins are numbered from 0 at the bottom.
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Finds what a path leads to, see [`Tree::resolve`].
    ///
    /// # Errors
    /// It leads to nothing.
    pub fn resolve(&self, path: &[u8], last: LastLink) -> Result<Resolved, PathError> {
        self.tree.resolve(&self.tocs, path, last)
    }

    /// Returns what an inode was made of: where that is, and what it says. `None` for a directory that no layer lists.
    pub fn entry(&self, id: InodeId) -> Option<(Origin, &Entry)> {
        let origin = self.tree.inode(id)?.origin?;
        let toc = self.toc(origin.layer)?;
        Some((origin, toc.entries().get(usize::try_from(origin.entry).ok()?)?))
    }

    /// Returns a layer's table of contents, by its number from 0 at the bottom.
    pub fn toc(&self, layer: u32) -> Option<&Arc<Toc>> {
        self.tocs.get(usize::try_from(layer).ok()?)
    }
}
