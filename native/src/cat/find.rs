//! Which file a path means, from as few tables of contents as it takes.

use shingle_core::{Kind, LastLink, Name, Node, Origin, PathError};

use super::{CatError, Spent};
use crate::contents::{Came, ContentsError, Described, LayerContents, ReadOptions, Watcher, read_layers};
use crate::root::Layers;
use crate::transport::Source;

/// A regular file of an image.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FoundFile {
    /// Its path without any link in it, relative to the root.
    pub path: Name,
    /// The layer that it is in, from 0 at the bottom.
    pub index: usize,
    /// What is known of that layer.
    pub layer: LayerContents,
    /// The index of its entry in the layer's table of contents.
    pub entry: usize,
    /// How many layers the image has.
    pub layers: usize,
    /// How many of them were looked into.
    pub layers_read: usize,
    /// What was read of blobs to find it.
    pub spent: Spent,
}

impl FoundFile {
    /// Returns how much of the blob is read at most to fetch it, gaps that are bridged left out.
    pub fn most_bytes(&self) -> u64 {
        let toc = &self.layer.toc;
        let entry = toc.entries().get(self.entry).filter(|_| self.layer.came == Came::ByToc);
        entry.and_then(|entry| toc.compressed_len(entry)).unwrap_or(self.layer.blob_bytes)
    }
}

/// Finds the regular file that a path leads to, links followed inside the image. `name` is what messages call the image.
///
/// One layer is read first, the topmost, then two below it, then four: what an upper layer has decides, and layers that are
/// never reached are not read.
///
/// # Errors
/// There is no such file, or a layer that might have it cannot be read.
pub fn find(
    name: &str,
    source: &dyn Source,
    path: &[u8],
    options: &ReadOptions<'_>,
    watcher: &dyn Watcher,
) -> Result<FoundFile, CatError> {
    let image = Described::find(source, &options.platform)
        .map_err(|source| ContentsError::Transfer { image: 0, source })?;
    let count = image.layers.len();
    let mut read: Vec<Option<LayerContents>> = vec![None; count];
    let mut layers = Layers::new(count);
    let (mut left, mut batch, mut spent) = (count, 1_usize, Spent::default());
    loop {
        let from = left.saturating_sub(batch);
        let next: Vec<_> = image.layers.get(from..left).unwrap_or_default().iter().collect();
        let contents = read_layers(&[(name, source)], &[next], options, watcher)
            .map_err(|error| at_place(error, from))?;
        for (index, contents) in (from..).zip(contents.into_iter().flatten()) {
            spent += Spent { bytes: contents.read_bytes, requests: contents.read_requests };
            layers.add(index, &contents, &options.policy.limits)?;
            if let Some(slot) = read.get_mut(index) {
                *slot = Some(contents);
            }
        }
        (left, batch) = (from, batch.saturating_mul(2));
        let root = layers.stack();
        let found = match root.resolve(path, LastLink::Follow) {
            // A layer below may have it.
            Err(PathError::Missing { .. }) if left > 0 => continue,
            found => found?,
        };
        if matches!(root.tree().inode(found.id).map(|inode| &inode.node), Some(Node::Directory(_))) {
            return Err(CatError::Directory { path: found.path });
        }
        let (origin, kind) = match root.entry(found.id) {
            Some((origin, entry)) => (origin, entry.member().kind),
            None => return Err(CatError::NoFile),
        };
        if kind != Kind::Regular {
            return Err(CatError::Special { path: found.path, kind });
        }
        let place =
            |Origin { layer, entry, .. }| Some((usize::try_from(layer).ok()?, usize::try_from(entry).ok()?));
        let layer =
            place(origin).and_then(|(index, entry)| Some((index, read.get_mut(index)?.take()?, entry)));
        let Some((index, layer, entry)) = layer else { return Err(CatError::NoFile) };
        return Ok(FoundFile {
            path: found.path,
            index,
            layer,
            entry,
            layers: count,
            layers_read: count - left,
            spent,
        });
    }
}

/// A layer's number counts from the bottom of the image, not of what was read.
fn at_place(error: ContentsError, from: usize) -> ContentsError {
    match error {
        ContentsError::Layer { image, index, blob, source } => {
            ContentsError::Layer { image, index: index + from, blob, source }
        }
        other => other,
    }
}
