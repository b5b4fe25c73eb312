//! Where in images' trees it is that they share.

use serde::Serialize;
use shingle_core::Kind;
use shingle_core::overlap::{ImageId, Measure, NodeId, Overlap, View};

use super::{ids, path};
use crate::failure::Failure;

/// A directory of an image, with all that is below it.
#[derive(Serialize)]
pub(super) struct Directory {
    pub(super) image: ImageId,
    pub(super) path: String,
    pub(super) files: u32,
    /// `compressed` or `logical`: which bytes the others are.
    pub(super) measure: &'static str,
    pub(super) shared: u64,
    pub(super) unique: u64,
    pub(super) partly: u64,
    pub(super) partly_shared: u64,
    pub(super) wasted: u64,
}

/// Returns the directories of all images that are below `top` by at most `depth` levels, those without files left out.
pub(super) fn directories(
    overlap: &Overlap,
    top: Option<&str>,
    depth: usize,
    measure: Measure,
) -> Result<Vec<Directory>, Failure> {
    let top = top.unwrap_or_default();
    let mut found = Vec::new();
    let mut anywhere = false;
    for image in ids(overlap) {
        let Some(start) = overlap.find(image, top.as_bytes()) else { continue };
        anywhere = true;
        let Some(view) = overlap.view(image, measure) else { continue };
        found.extend(below(overlap, image, &view, start, depth, measure));
    }
    if !anywhere {
        return Err(Failure::new(anyhow::anyhow!("no image has {top}")));
    }
    Ok(found)
}

fn below(
    overlap: &Overlap,
    image: ImageId,
    view: &View,
    start: NodeId,
    depth: usize,
    measure: Measure,
) -> Vec<Directory> {
    let at = |list: &[u64], node: usize| list.get(node).copied().unwrap_or(0);
    let end = |node: usize| view.ends.get(node).and_then(|end| usize::try_from(*end).ok()).unwrap_or(0);
    let mut found = Vec::new();
    // Where the directories end that the walk is in.
    let mut open: Vec<usize> = Vec::new();
    for node in start.index()..end(start.index()) {
        while open.last().is_some_and(|end| *end <= node) {
            open.pop();
        }
        let level = open.len();
        if view.kinds.get(node) != Some(&Kind::Directory) {
            continue;
        }
        open.push(end(node));
        let files = view.files.get(node).copied().unwrap_or(0);
        let id = overlap.node(image, node);
        let Some(path) = id.filter(|_| level <= depth && files > 0).and_then(|id| path(overlap, image, id))
        else {
            continue;
        };
        found.push(Directory {
            image,
            path: format!("{path}/"),
            files,
            measure: match measure {
                Measure::Compressed => "compressed",
                Measure::Logical => "logical",
            },
            shared: at(&view.shared, node),
            unique: at(&view.unique, node),
            partly: at(&view.partly, node),
            partly_shared: at(&view.partly_shared, node),
            wasted: at(&view.wasted, node),
        });
    }
    found
}

impl Directory {
    /// All that is in it.
    pub(super) fn total(&self) -> u64 {
        crate::words::total([self.shared, self.unique, self.partly, self.wasted].into_iter())
    }
}
