//! From one image to another, path by path.

use alloc::vec::Vec;

use super::bytes::{Amount, Bits, Bytes, UNLOCATED, index, number};
use super::contents::NONE;
use super::image::Image;
use super::nodes::{Node, Sight};
use super::{ImageId, NodeId, Overlap};
use crate::Kind;

/// What differs between two images, as a container sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diff {
    /// In the order of a walk over both images.
    pub changes: Vec<Change>,
    /// What they come to.
    pub summary: DiffSummary,
}

/// One path that differs, or two for a file that was renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Change {
    /// In what.
    pub changed: Changed,
    /// The path in the old image; `None` where it was added.
    pub old: Option<NodeId>,
    /// The path in the new image; `None` where it was removed.
    pub new: Option<NodeId>,
    /// Which metadata differ; nothing for what was added or removed.
    pub fields: Fields,
    /// The file in the new image, in the old one where it was removed; nothing for what is no file with content, and for
    /// further names of one that was met before.
    pub bytes: Bytes,
    /// Of `bytes`, what is in chunks that the old image lacks, hidden files included in what it has.
    pub fresh: Bytes,
}

/// In what a path differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "every match should name them all")]
pub enum Changed {
    /// Only the new image has it.
    Added,
    /// The kind of file, a regular file's content, a symbolic link's text or a device's number; perhaps metadata too.
    Content,
    /// Nothing but owner, mode, times or extended attributes.
    Metadata,
    /// Only the old image has it.
    Removed,
    /// A regular file with content that only the old image has here, and one with the same content that only the new one
    /// has there; perhaps other metadata. Of several, the first goes with the first, in the order of their paths.
    Renamed,
}

/// Which metadata differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Fields {
    /// The permission bits, setuid, setgid and sticky.
    pub mode: bool,
    /// The owner's or the group's number.
    pub owner: bool,
    /// The time of the last change; a missing one is 1970.
    pub mtime: bool,
    /// The extended attributes.
    pub xattrs: bool,
}

/// A [`Diff`] in figures: how many paths, with the bytes of the new ones, of the old ones where they were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct DiffSummary {
    /// Paths that only the new image has.
    pub added: Amount,
    /// Paths that only the old image has.
    pub removed: Amount,
    /// Paths with another content.
    pub changed: Amount,
    /// Paths with other metadata only.
    pub metadata: Amount,
    /// Files at another path.
    pub renamed: Amount,
    /// Paths that are the same in all.
    pub same: Amount,
    /// All that the new image has and the old one lacks, each content once, hidden files included in both: files.
    pub new_files: Bytes,
    /// The same at chunk granularity.
    pub new_chunks: Bytes,
}

impl Fields {
    /// Whether any of them differs.
    pub const fn any(self) -> bool {
        self.mode || self.owner || self.mtime || self.xattrs
    }

    const fn of(old: &Node, new: &Node) -> Self {
        Self {
            mode: old.mode != new.mode,
            owner: old.uid != new.uid || old.gid != new.gid,
            mtime: old.seconds != new.seconds || old.nanoseconds != new.nanoseconds,
            xattrs: old.xattrs != new.xattrs,
        }
    }
}

impl Overlap {
    /// Compares two images path by path; `None` for no images of this overlap.
    ///
    /// Directories are compared too, by their metadata. The times of directories often differ between builds, see
    /// [`Change::fields`].
    pub fn diff(&self, old: ImageId, new: ImageId) -> Option<Diff> {
        let (_, held) = self.held(old);
        let (all_files, all_chunks) = self.pair(new, new)?;
        let (old_files, old_chunks) = self.pair(new, old)?;
        let (old, new) = (self.get(old)?, self.get(new)?);
        let mut walk = Walk { old, new, held: &held, changes: Vec::new(), same: Amount::default() };
        walk.all();
        walk.pair_renamed();
        let changes = walk.changes;
        let mut summary = DiffSummary {
            same: walk.same,
            new_files: all_files.less(old_files),
            new_chunks: all_chunks.less(old_chunks),
            ..DiffSummary::default()
        };
        for change in &changes {
            let amount = match change.changed {
                Changed::Added => &mut summary.added,
                Changed::Content => &mut summary.changed,
                Changed::Metadata => &mut summary.metadata,
                Changed::Removed => &mut summary.removed,
                Changed::Renamed => &mut summary.renamed,
            };
            amount.add_bytes(change.bytes);
        }
        Some(Diff { changes, summary })
    }
}

struct Walk<'a> {
    old: &'a Image,
    new: &'a Image,
    /// What the old image has, of files and chunks.
    held: &'a Bits,
    changes: Vec<Change>,
    same: Amount,
}

impl Walk<'_> {
    /// Walks both images at once: directories hold their names in one order.
    fn all(&mut self) {
        let (old_ends, new_ends) = (self.old.nodes.ends(), self.new.nodes.ends());
        let end = |ends: &[u32], node: u32| ends.get(index(node)).copied().unwrap_or(u32::MAX);
        self.both(0, 0);
        // Siblings still to come, of the old image and of the new one.
        let mut open = alloc::vec![(1, end(&old_ends, 0), 1, end(&new_ends, 0))];
        while let Some((old, old_end, new, new_end)) = open.last_mut() {
            let old_left = *old < *old_end;
            let new_left = *new < *new_end;
            let (a, b) = (*old, *new);
            let order = match (old_left, new_left) {
                (false, false) => {
                    open.pop();
                    continue;
                }
                (true, false) => core::cmp::Ordering::Less,
                (false, true) => core::cmp::Ordering::Greater,
                (true, true) => self.old.nodes.name(a).cmp(self.new.nodes.name(b)),
            };
            let (a_end, b_end) = (end(&old_ends, a), end(&new_ends, b));
            if order.is_le() {
                *old = a_end;
            }
            if order.is_ge() {
                *new = b_end;
            }
            let below = match order {
                core::cmp::Ordering::Less => {
                    self.only_old(a);
                    (a.saturating_add(1), a_end, b, b)
                }
                core::cmp::Ordering::Greater => {
                    self.only_new(b);
                    (a, a, b.saturating_add(1), b_end)
                }
                core::cmp::Ordering::Equal => {
                    self.both(a, b);
                    (a.saturating_add(1), a_end, b.saturating_add(1), b_end)
                }
            };
            if below.0 < below.1 || below.2 < below.3 {
                open.push(below);
            }
        }
    }

    fn both(&mut self, old: u32, new: u32) {
        let (Some(a), Some(b)) = (self.old.nodes.get(old), self.new.nodes.get(new)) else { return };
        match (a.sight == Sight::Gone, b.sight == Sight::Gone) {
            (true, true) => return,
            (true, false) => return self.only_new(new),
            (false, true) => return self.only_old(old),
            (false, false) => {}
        }
        let fields = Fields::of(a, b);
        let same = a.kind == b.kind && what(self.old, a) == what(self.new, b);
        let changed = match (same, fields.any()) {
            (true, false) => {
                self.same.add_bytes(bytes(self.new, b));
                return;
            }
            (true, true) => Changed::Metadata,
            (false, _) => Changed::Content,
        };
        let fresh = self.fresh(b);
        let (old, new) = (Some(NodeId(old)), Some(NodeId(new)));
        self.changes.push(Change { changed, old, new, fields, bytes: bytes(self.new, b), fresh });
    }

    fn only_old(&mut self, node: u32) {
        let Some(row) = self.old.nodes.get(node).filter(|row| row.sight != Sight::Gone) else { return };
        self.changes.push(Change {
            changed: Changed::Removed,
            old: Some(NodeId(node)),
            new: None,
            fields: Fields::default(),
            bytes: bytes(self.old, row),
            fresh: Bytes::default(),
        });
    }

    fn only_new(&mut self, node: u32) {
        let Some(row) = self.new.nodes.get(node).filter(|row| row.sight != Sight::Gone) else { return };
        self.changes.push(Change {
            changed: Changed::Added,
            old: None,
            new: Some(NodeId(node)),
            fields: Fields::default(),
            bytes: bytes(self.new, row),
            fresh: self.fresh(row),
        });
    }

    /// Returns what of a file of the new image is in no file or chunk of the old one.
    fn fresh(&self, row: &Node) -> Bytes {
        let mut fresh = Bytes::default();
        let file = file(self.new, row).filter(|_| row.sight == Sight::Seen);
        let Some((number, _)) = file.filter(|(_, file)| !self.held.contains(file.content)) else {
            return fresh;
        };
        for atom in self.new.atoms(number).filter(|atom| !self.held.contains(atom.content)) {
            fresh.add(atom.len, atom.compressed);
        }
        fresh
    }

    /// Makes one change of a file removed and a file added, where their contents are the same.
    fn pair_renamed(&mut self) {
        let list = |changed: Changed| {
            let of = |change: &Change| match changed {
                Changed::Removed => content(self.old, change.old?),
                _ => content(self.new, change.new?),
            };
            let all = self.changes.iter().enumerate().filter(|(_, change)| change.changed == changed);
            let mut list: Vec<(u32, u32)> =
                all.filter_map(|(at, change)| Some((of(change)?, number(at)))).collect();
            list.sort_unstable();
            list
        };
        let (removed, added) = (list(Changed::Removed), list(Changed::Added));
        let mut gone = Bits::new(self.changes.len());
        let mut removed = removed.into_iter().peekable();
        for (content, at) in added {
            while removed.next_if(|(other, _)| *other < content).is_some() {}
            let Some((_, from)) = removed.next_if(|(other, _)| *other == content) else { continue };
            let old = self.changes.get(index(from)).and_then(|change| change.old);
            let Some(change) = self.changes.get_mut(index(at)) else { continue };
            (change.changed, change.old) = (Changed::Renamed, old);
            if let (Some(old), Some(new)) = (old, change.new)
                && let (Some(old), Some(new)) = (self.old.nodes.get(old.0), self.new.nodes.get(new.0))
            {
                change.fields = Fields::of(old, new);
            }
            gone.insert(from);
        }
        let mut at = 0_u32;
        self.changes.retain(|_| {
            let keep = !gone.contains(at);
            at = at.saturating_add(1);
            keep
        });
    }
}

fn file<'a>(image: &'a Image, row: &Node) -> Option<(u32, &'a super::image::File)> {
    let file = image.file(row.what).filter(|_| row.kind == Kind::Regular)?;
    Some((row.what, file))
}

/// Returns what makes the content of a path: the same number for the same content.
fn what(image: &Image, row: &Node) -> u32 {
    match row.kind {
        Kind::Regular => file(image, row).map_or(NONE, |(_, file)| file.content),
        _ => row.what,
    }
}

fn content(image: &Image, node: NodeId) -> Option<u32> {
    file(image, image.nodes.get(node.0)?).map(|(_, file)| file.content)
}

/// Returns a file's bytes, at the first of its names.
fn bytes(image: &Image, row: &Node) -> Bytes {
    let mut bytes = Bytes::default();
    if let Some((_, file)) = file(image, row).filter(|_| row.sight == Sight::Seen) {
        bytes.add(file.data, file.compressed);
    }
    bytes
}

impl Bytes {
    /// Returns this without a part of it.
    const fn less(self, part: Self) -> Self {
        Self {
            logical: self.logical.saturating_sub(part.logical),
            compressed: self.compressed.saturating_sub(part.compressed),
            unlocated: self.unlocated.saturating_sub(part.unlocated),
        }
    }
}

impl Amount {
    const fn add_bytes(&mut self, more: Bytes) {
        let located = more.logical.saturating_sub(more.unlocated);
        self.add(located, more.compressed);
        self.bytes.add(more.unlocated, UNLOCATED);
    }
}
