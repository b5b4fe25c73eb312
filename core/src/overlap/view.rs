//! One image as flat lists, for a treemap or an icicle.

use alloc::vec::Vec;

use super::bytes::{UNLOCATED, index};
use super::census::Census;
use super::image::Image;
use super::nodes::Sight;
use super::{ImageId, Overlap};
use crate::Kind;

/// Which bytes a [`View`] sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third measure")]
pub enum Measure {
    /// Bytes of frames in the blobs. What is not known counts as nothing, see [`View::unlocated`].
    Compressed,
    /// Uncompressed bytes, holes left out.
    Logical,
}

/// Every path of an image with the bytes at and below it, by what other images share of them.
///
/// Lists of one length, by [`NodeId`](super::NodeId): directories before what they hold. A directory's figures are the
/// sums over all that it holds. A file counts as often as it occurs, but once for all its hard links, at the first in the
/// order of the walk. `shared + unique + partly + wasted` is all.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct View {
    /// The directory that holds it; the root's is the root.
    pub parents: Vec<u32>,
    /// The first path that is not below it.
    pub ends: Vec<u32>,
    /// All names, one after the other; bytes, not necessarily UTF-8.
    #[serde(skip)]
    pub names: Vec<u8>,
    /// Where each name ends in `names`; it begins where the one before ends.
    #[serde(skip)]
    pub name_ends: Vec<u32>,
    /// What it is; for a path that only lower layers have, what it was.
    #[serde(serialize_with = "kinds")]
    pub kinds: Vec<Kind>,
    /// Whether only lower layers have the path.
    pub gone: Vec<bool>,
    /// How many regular files with content are at and below it, hidden ones too.
    pub files: Vec<u32>,
    /// Bytes of files that some other image has as files.
    pub shared: Vec<u64>,
    /// Bytes of files of which no other image has anything.
    pub unique: Vec<u64>,
    /// Bytes of files of which other images have chunks.
    pub partly: Vec<u64>,
    /// Of `partly`, bytes of the chunks that other images have.
    pub partly_shared: Vec<u64>,
    /// Bytes of files that no name leads to in the end.
    pub wasted: Vec<u64>,
    /// Uncompressed bytes of the image whose compressed length is not known, and so is in no list; 0 where uncompressed
    /// bytes are summed.
    pub unlocated: u64,
}

/// What other images have of a file: bytes that are theirs too, and whether that is all, some or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Shared,
    Partly,
    Unique,
}

impl Overlap {
    /// Returns the paths of an image, their bytes sorted by what the other images share; `None` for no image of this
    /// overlap.
    pub fn view(&self, image: ImageId, measure: Measure) -> Option<View> {
        let census = self.census();
        let image = self.get(image)?;
        let nodes = &image.nodes;
        let zeros = || alloc::vec![0_u64; nodes.len()];
        let mut view = View {
            parents: nodes.rows.iter().map(|row| row.parent).collect(),
            ends: nodes.ends(),
            names: nodes.names().to_vec(),
            name_ends: nodes.name_ends().collect(),
            kinds: nodes.rows.iter().map(|row| row.kind).collect(),
            gone: nodes.rows.iter().map(|row| row.sight == Sight::Gone).collect(),
            files: alloc::vec![0; nodes.len()],
            shared: zeros(),
            unique: zeros(),
            partly: zeros(),
            partly_shared: zeros(),
            wasted: zeros(),
            unlocated: 0,
        };
        for (node, row) in nodes.iter() {
            if row.kind == Kind::Regular && row.sight == Sight::Seen {
                view.add(node, image, row.what, measure, &census);
            }
        }
        for wasted in &nodes.wasted {
            let Some(file) = image.file(wasted.file) else { continue };
            let bytes = view.measured(measure, file.data, file.compressed);
            more(&mut view.wasted, wasted.node, bytes);
            if let Some(count) = view.files.get_mut(index(wasted.node)) {
                *count = count.saturating_add(1);
            }
        }
        view.roll_up();
        Some(view)
    }
}

impl View {
    fn add(&mut self, node: u32, image: &Image, file: u32, measure: Measure, census: &Census) {
        let Some(row) = image.file(file) else { return };
        let bytes = self.measured(measure, row.data, row.compressed);
        let standing = standing(image, file, census);
        let list = match standing {
            Standing::Shared => &mut self.shared,
            Standing::Unique => &mut self.unique,
            Standing::Partly => &mut self.partly,
        };
        more(list, node, bytes);
        if let Some(count) = self.files.get_mut(index(node)) {
            *count = count.saturating_add(1);
        }
        if standing == Standing::Partly {
            for atom in image.atoms(file).filter(|atom| census.as_any(atom.content) > 1) {
                let bytes = match (measure, atom.compressed) {
                    (Measure::Logical, _) => atom.len,
                    (Measure::Compressed, UNLOCATED) => 0,
                    (Measure::Compressed, compressed) => compressed,
                };
                more(&mut self.partly_shared, node, bytes);
            }
        }
    }

    fn measured(&mut self, measure: Measure, data: u64, compressed: u64) -> u64 {
        match (measure, compressed) {
            (Measure::Logical, _) => data,
            (Measure::Compressed, UNLOCATED) => {
                self.unlocated = self.unlocated.saturating_add(data);
                0
            }
            (Measure::Compressed, compressed) => compressed,
        }
    }

    /// Adds what is below each path to it: backwards, so that all of a directory is there before it is added.
    fn roll_up(&mut self) {
        let Self { parents, files, shared, unique, partly, partly_shared, wasted, .. } = self;
        for (node, parent) in parents.iter().enumerate().skip(1).rev() {
            for list in [&mut *shared, unique, partly, partly_shared, wasted] {
                let bytes = list.get(node).copied().unwrap_or(0);
                more(list, *parent, bytes);
            }
            let count = files.get(node).copied().unwrap_or(0);
            if let Some(sum) = files.get_mut(index(*parent)) {
                *sum = sum.saturating_add(count);
            }
        }
    }
}

/// Returns what other images have of a file.
pub(super) fn standing(image: &Image, file: u32, census: &Census) -> Standing {
    let shared = |row: &super::image::File| census.as_file(row.content) > 1;
    if image.file(file).is_some_and(shared) {
        return Standing::Shared;
    }
    if image.atoms(file).any(|atom| census.as_any(atom.content) > 1) {
        return Standing::Partly;
    }
    Standing::Unique
}

fn more(list: &mut [u64], node: u32, bytes: u64) {
    if let Some(sum) = list.get_mut(index(node)) {
        *sum = sum.saturating_add(bytes);
    }
}

fn kinds<S: serde::Serializer>(kinds: &[Kind], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(kinds.iter().map(|kind| kind.as_str()))
}
