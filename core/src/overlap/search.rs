//! Paths by a part of them.

use alloc::vec::Vec;

use super::bytes::Bits;
use super::{ImageId, NodeId, Overlap};

impl Overlap {
    /// Returns the paths of an image that contain these bytes, at most `limit`, in the order of the walk, those that upper
    /// layers hide too. ASCII letters are the same in either case; a slash parts names as in [`path`](Self::path). Nothing
    /// is in every path, and finds none.
    ///
    /// Costs one pass over the names.
    pub fn search(&self, image: ImageId, needle: &[u8], limit: usize) -> Vec<NodeId> {
        let mut found = Vec::new();
        let Some(nodes) = self.get(image).map(|image| &image.nodes).filter(|_| !needle.is_empty()) else {
            return found;
        };
        let needle = needle.to_ascii_lowercase();
        let finder = memchr::memmem::Finder::new(&needle);
        // The path of the last node, and of each node that is open where it ends there.
        let mut path: Vec<u8> = Vec::new();
        let mut open: Vec<(u32, usize)> = Vec::new();
        // Whatever lies below a path that has it has it, too.
        let mut matched = Bits::new(nodes.len());
        for (node, row) in nodes.iter().skip(1) {
            if found.len() >= limit {
                break;
            }
            while open.pop_if(|(of, _)| *of != row.parent).is_some() {}
            path.truncate(open.last().map_or(0, |(_, end)| *end));
            let before = path.len();
            if before > 0 {
                path.push(b'/');
            }
            path.extend(nodes.name(node).iter().map(u8::to_ascii_lowercase));
            open.push((node, path.len()));
            let new = path.get(before.saturating_sub(needle.len())..).unwrap_or_default();
            if matched.contains(row.parent) || finder.find(new).is_some() {
                matched.insert(node);
                found.push(NodeId(node));
            }
        }
        found
    }
}
