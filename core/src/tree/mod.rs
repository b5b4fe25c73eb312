//! The directory tree that a layer's members make, resolved before a single file is written.
//!
//! Members come in the order of the tar and may replace one another, pass through symbolic links, climb with `..`
//! and name parents that were never listed. All of that is settled here, on plain data, so that what reaches a file
//! system is a list of directories and names with no path left to resolve, and nothing can lead out of the root.
//!
//! The rules are GNU tar's, seen from inside the root: leading `/` and `..` stop at the root; the last component is
//! never followed; a later member replaces an earlier one, except that a directory keeps its children; parents that
//! were never listed are directories of mode 0755, owned by root, dated 1970. Whiteouts are the OCI layer
//! specification's (`.wh.NAME`, `.wh..wh..opq`) and reach only layers below, never a member of the same layer.

mod build;
mod error;
mod merge;
mod resolve;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, btree_map};
use alloc::vec::Vec;

pub use error::{TreeError, TreeProblem};
pub use resolve::{LastLink, PathError, Resolved};

/// A layer, or a stack of layers, as directories, files and links.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Index 0 is the root, always a directory.
    inodes: Vec<Inode>,
}

/// A file of any kind: the index of an [`Inode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InodeId(u32);

/// Which member gave an inode its metadata and content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a pair of indices")]
pub struct Origin {
    /// The layer, from 0 at the bottom of the stack.
    pub layer: u32,
    /// The index of the entry in that layer's TOC.
    pub entry: u32,
}

/// One file of any kind; its names are in the directories that hold it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inode {
    /// What it is.
    pub node: Node,
    /// The member it was made of; `None` for a directory that was never listed.
    pub origin: Option<Origin>,
}

/// The kinds of inode.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "every match should name them all")]
pub enum Node {
    /// A directory.
    Directory(Directory),
    /// A regular file, symbolic link, device or named pipe, as its member says.
    File,
    /// No file: the name is removed from the layers below.
    Whiteout,
}

/// A directory's names.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Directory {
    /// What it holds, by name.
    pub children: BTreeMap<Box<[u8]>, InodeId>,
    /// Whether it hides everything that the layers below hold in it.
    pub opaque: bool,
    parent: Option<InodeId>,
}

impl Tree {
    /// The root directory.
    pub const ROOT: InodeId = InodeId(0);

    /// Returns an inode.
    pub fn inode(&self, id: InodeId) -> Option<&Inode> {
        self.inodes.get(id.index())
    }

    /// Calls `visit` for every name below the root: directories before what they hold, each directory's names in
    /// order. `path` is relative to the root, without a leading slash.
    ///
    /// # Errors
    /// What `visit` returns.
    pub fn walk<E>(&self, mut visit: impl FnMut(Visit<'_>) -> Result<(), E>) -> Result<(), E> {
        // Depth first without recursion: depth is the input's to choose.
        let mut path: Vec<u8> = Vec::new();
        let mut stack: Vec<Open<'_>> = Vec::new();
        if let Some(Node::Directory(root)) = self.inode(Self::ROOT).map(|inode| &inode.node) {
            stack.push((Self::ROOT, 0, root.children.iter()));
        }
        while let Some((parent, len, names)) = stack.last_mut() {
            path.truncate(*len);
            let Some((name, id)) = names.next() else {
                stack.pop();
                continue;
            };
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name);
            let Some(inode) = self.inode(*id) else { continue };
            visit(Visit { id: *id, inode, parent: *parent, name, path: &path })?;
            if let Node::Directory(directory) = &inode.node {
                stack.push((*id, path.len(), directory.children.iter()));
            }
        }
        Ok(())
    }

    /// Returns how many inodes there are, numbered from 0; some may have no name any more.
    pub(crate) const fn len(&self) -> usize {
        self.inodes.len()
    }

    fn directory(&self, id: InodeId) -> Option<&Directory> {
        match &self.inode(id)?.node {
            Node::Directory(directory) => Some(directory),
            Node::File | Node::Whiteout => None,
        }
    }

    fn directory_mut(&mut self, id: InodeId) -> Option<&mut Directory> {
        match &mut self.inodes.get_mut(id.index())?.node {
            Node::Directory(directory) => Some(directory),
            Node::File | Node::Whiteout => None,
        }
    }

    fn child(&self, parent: InodeId, name: &[u8]) -> Option<InodeId> {
        self.directory(parent)?.children.get(name).copied()
    }

    fn push(&mut self, inode: Inode) -> InodeId {
        let id = InodeId(u32::try_from(self.inodes.len()).unwrap_or(u32::MAX));
        self.inodes.push(inode);
        id
    }

    /// Gives `id` a name, over whatever had it.
    fn link(&mut self, parent: InodeId, name: &[u8], id: InodeId) {
        if let Some(directory) = self.directory_mut(parent) {
            directory.children.insert(name.into(), id);
        }
        if let Some(directory) = self.directory_mut(id) {
            directory.parent = Some(parent);
        }
    }
}

/// A directory being walked: itself, its path's length, and the names not met yet.
type Open<'a> = (InodeId, usize, btree_map::Iter<'a, Box<[u8]>, InodeId>);

/// One name of a tree, as [`Tree::walk`] meets it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Visit<'a> {
    /// The inode that has the name; met once for each of its names.
    pub id: InodeId,
    /// The same inode.
    pub inode: &'a Inode,
    /// The directory that holds the name.
    pub parent: InodeId,
    /// The name.
    pub name: &'a [u8],
    /// The whole path, relative to the root.
    pub path: &'a [u8],
}

impl InodeId {
    /// Returns the number of the inode; numbers are dense from 0.
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Origin {
    fn new(layer: u32, entry: usize) -> Self {
        Self { layer, entry: u32::try_from(entry).unwrap_or(u32::MAX) }
    }
}

#[cfg(test)]
mod tests;
