//! Every name of an image, those that upper layers hide too, in the order of a walk.

use alloc::boxed::Box;
use alloc::collections::btree_map;
use alloc::vec::Vec;
use core::iter::Peekable;

use super::bytes::{Bits, index, number};
use super::contents::NONE;
use super::image::{Gathered, LayerRow};
use super::texts::Texts;
use super::{Layer, OverlapError};
use crate::{InodeId, Kind, Member, Node as TreeNode, Origin, Tree};

/// Names before what they hold, each directory's in order; the root is the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    pub(super) rows: Vec<Node>,
    names: Vec<u8>,
    /// What nobody sees: files that an upper layer replaces or removes, or a later member of the same layer, at the
    /// name that they had. Ascending by node.
    pub(super) wasted: Vec<Wasted>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) parent: u32,
    /// Where its name ends; it begins where the one before ends.
    name_end: u32,
    /// A regular file's number, another file's text; [`NONE`] where there is none.
    pub(super) what: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) nanoseconds: u32,
    pub(super) xattrs: u32,
    /// The index in its layer's TOC of the entry that it is made of; [`NONE`] for a directory that no layer lists.
    pub(super) entry: u32,
    pub(super) seconds: i64,
    pub(super) layer: u16,
    pub(super) mode: u16,
    pub(super) kind: Kind,
    pub(super) sight: Sight,
}

/// Whether a name is there in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It is.
    Seen,
    /// It is one more name of a file that was met before.
    Again,
    /// Only lower layers have it.
    Gone,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Wasted {
    pub(super) node: u32,
    pub(super) file: u32,
}

impl Nodes {
    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn get(&self, node: u32) -> Option<&Node> {
        self.rows.get(index(node))
    }

    /// Returns the rows, numbered.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Node)> {
        (0_u32..).zip(&self.rows)
    }

    pub(super) fn name(&self, node: u32) -> &[u8] {
        let end = |node: u32| self.get(node).map_or(0, |row| index(row.name_end));
        let start = node.checked_sub(1).map_or(0, end);
        self.names.get(start..end(node)).unwrap_or_default()
    }

    /// Returns all names, one after the other, without anything between them.
    pub(super) fn names(&self) -> &[u8] {
        &self.names
    }

    pub(super) fn name_ends(&self) -> impl Iterator<Item = u32> {
        self.rows.iter().map(|row| row.name_end)
    }

    /// Returns for each node the first one that does not lie below it.
    pub(super) fn ends(&self) -> Vec<u32> {
        let mut ends: Vec<u32> = (1..).take(self.rows.len()).collect();
        for (node, row) in self.rows.iter().enumerate().skip(1).rev() {
            let end = ends.get(node).copied().unwrap_or(0);
            if let Some(parent) = ends.get_mut(index(row.parent)) {
                *parent = end.max(*parent);
            }
        }
        ends
    }

    /// Returns the files that nobody sees and that had this name.
    pub(super) fn wasted_at(&self, node: u32) -> impl Iterator<Item = u32> {
        let start = self.wasted.partition_point(|row| row.node < node);
        let rows = self.wasted.iter().skip(start);
        rows.take_while(move |row| row.node == node).map(|row| row.file)
    }

    fn push(&mut self, name: &[u8], row: Node) -> Result<u32, OverlapError> {
        self.names.extend_from_slice(name);
        let name_end = u32::try_from(self.names.len()).map_err(|_many| OverlapError::TooMany)?;
        let node = u32::try_from(self.rows.len()).ok().filter(|node| *node < NONE);
        self.rows.push(Node { name_end, ..row });
        node.ok_or(OverlapError::TooMany)
    }
}

/// What is needed to tell what a name stands for.
pub(super) struct Sources<'a> {
    pub(super) layers: &'a [Layer<'a>],
    pub(super) rows: &'a [LayerRow],
    pub(super) gathered: &'a Gathered,
    /// One for each layer that repeats none, with its number.
    pub(super) trees: &'a [(usize, Tree)],
    /// All of them, stacked.
    pub(super) stack: &'a Tree,
}

/// A directory of one tree, being read.
struct Reading<'a> {
    tree: usize,
    names: Peekable<btree_map::Iter<'a, Box<[u8]>, InodeId>>,
}

impl<'a> Sources<'a> {
    /// Walks all trees at once: each name comes once, with what every layer has there.
    pub(super) fn nodes(&self, texts: &mut Texts) -> Result<Nodes, OverlapError> {
        let mut nodes = Nodes::default();
        // Files that some name leads to in the end, and those that no name leads to here.
        let mut seen = Bits::new(self.gathered.files.len());
        let mut hidden = Vec::new();
        let mut inodes = Bits::new(self.stack.len());
        let root = self.stack.inode(Tree::ROOT).and_then(|inode| inode.origin);
        nodes.push(b"", self.node(0, Kind::Directory, root, None, Sight::Seen, texts))?;
        let all = (0..=self.trees.len()).filter_map(|tree| self.read(tree, Tree::ROOT)).collect();
        let mut open: Vec<(u32, Vec<Reading<'a>>)> = alloc::vec![(0, all)];
        while let Some((parent, readings)) = open.last_mut() {
            let parent = *parent;
            let next = readings.iter_mut().filter_map(|reading| reading.names.peek().map(|(name, _)| *name));
            let Some(name) = next.min() else {
                open.pop();
                continue;
            };
            let mut top: Option<(Kind, Option<Origin>, InodeId, usize)> = None;
            let mut below = Vec::new();
            let node = number(nodes.len());
            for reading in readings {
                let Some((_, id)) = reading.names.next_if(|(other, _)| *other == name) else { continue };
                let tree = self.tree(reading.tree);
                let Some(inode) = tree.and_then(|tree| tree.inode(*id)) else { continue };
                match &inode.node {
                    TreeNode::Whiteout => continue,
                    TreeNode::Directory(_) => below.extend(self.read(reading.tree, *id)),
                    TreeNode::File => {
                        let file = self.layer_file(reading.tree, inode.origin);
                        hidden.extend(file.map(|file| Wasted { node, file }));
                    }
                }
                let kind = match &inode.node {
                    TreeNode::Directory(_) => Kind::Directory,
                    _ => self.member(reading.tree, inode.origin).map_or(Kind::Regular, |member| member.kind),
                };
                top = Some((kind, self.in_image(reading.tree, inode.origin), *id, reading.tree));
            }
            let Some((kind, origin, id, tree)) = top else { continue };
            let sight = match tree == self.trees.len() {
                false => Sight::Gone,
                true if kind != Kind::Directory && !inodes.insert(number(id.index())) => Sight::Again,
                true => Sight::Seen,
            };
            let file = origin.and_then(|origin| self.file(origin)).filter(|_| kind == Kind::Regular);
            let row = self.node(parent, kind, origin, file, sight, texts);
            if let Some(file) = file.filter(|_| sight != Sight::Gone) {
                seen.insert(file);
            }
            // Of most names all that the layers have is what is seen.
            while hidden.pop_if(|last: &mut Wasted| last.node == node && seen.contains(last.file)).is_some() {
            }
            let node = nodes.push(name, row)?;
            if !below.is_empty() {
                open.push((node, below));
            }
        }
        // A file that is hidden at one name may be seen at another, or have been hidden there already.
        let mut met = Bits::new(self.gathered.files.len());
        hidden.retain(|hidden| !seen.contains(hidden.file) && met.insert(hidden.file));
        nodes.wasted = self.replaced(&seen, &met);
        nodes.wasted.append(&mut hidden);
        nodes.rows.shrink_to_fit();
        nodes.names.shrink_to_fit();
        Ok(nodes)
    }

    /// Returns what later members of the same layer replaced. No tree has a name for it: it is the root's.
    fn replaced(&self, seen: &Bits, met: &Bits) -> Vec<Wasted> {
        let all = 0..number(self.gathered.files.len());
        let lost = all.filter(|file| !met.contains(*file) && !seen.contains(*file));
        lost.map(|file| Wasted { node: 0, file }).collect()
    }

    fn tree(&self, tree: usize) -> Option<&'a Tree> {
        self.trees
            .get(tree)
            .map_or_else(|| (tree == self.trees.len()).then_some(self.stack), |(_, tree)| Some(tree))
    }

    fn read(&self, tree: usize, id: InodeId) -> Option<Reading<'a>> {
        match &self.tree(tree)?.inode(id)?.node {
            TreeNode::Directory(directory) => {
                Some(Reading { tree, names: directory.children.iter().peekable() })
            }
            TreeNode::File | TreeNode::Whiteout => None,
        }
    }

    /// Returns an origin in one of the trees as one in the image.
    fn in_image(&self, tree: usize, origin: Option<Origin>) -> Option<Origin> {
        let origin = origin?;
        Some(match self.trees.get(tree) {
            Some((layer, _)) => Origin { layer: number(*layer), ..origin },
            None => origin,
        })
    }

    fn layer_file(&self, tree: usize, origin: Option<Origin>) -> Option<u32> {
        self.trees.get(tree)?;
        self.file(self.in_image(tree, origin)?)
    }

    fn file(&self, origin: Origin) -> Option<u32> {
        self.gathered.file_of(self.rows, origin.layer, origin.entry)
    }

    fn member(&self, tree: usize, origin: Option<Origin>) -> Option<&'a Member> {
        let Origin { layer, entry } = self.in_image(tree, origin)?;
        Some(self.layers.get(index(layer))?.toc.entries().get(index(entry))?.member())
    }

    fn node(
        &self,
        parent: u32,
        kind: Kind,
        origin: Option<Origin>,
        file: Option<u32>,
        sight: Sight,
        texts: &mut Texts,
    ) -> Node {
        let member = self.member(self.trees.len(), origin);
        let time = member.and_then(|member| member.mtime).unwrap_or(crate::Timestamp::EPOCH);
        let what = match (kind, member) {
            (Kind::Regular, _) => file.unwrap_or(NONE),
            (_, Some(member)) => texts.of(member),
            (_, None) => NONE,
        };
        // `Tree::build` refused what is larger.
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Node {
            parent,
            name_end: 0,
            what,
            uid: member.map_or(0, |member| small(member.uid)),
            gid: member.map_or(0, |member| small(member.gid)),
            nanoseconds: time.nanoseconds,
            xattrs: member.map_or(NONE, |member| texts.of_xattrs(&member.xattrs)),
            entry: origin.map_or(NONE, |origin| origin.entry),
            // An image with more layers was refused.
            layer: origin.map_or(0, |origin| u16::try_from(origin.layer).unwrap_or(u16::MAX)),
            seconds: time.seconds,
            // What a directory has that no layer lists.
            mode: member.map_or(0o755, |member| u16::try_from(member.mode & 0o7777).unwrap_or(0)),
            kind,
            sight,
        }
    }
}
