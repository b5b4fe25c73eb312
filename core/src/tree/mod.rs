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

mod merge;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, btree_map};
use alloc::vec::Vec;

use crate::toc::Toc;
use crate::{Kind, Limits, Member, Name};

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
const AUFS: &[u8] = b".wh..wh.";
/// How many symbolic links one path may pass, as in Linux.
const MAX_LINKS: u32 = 40;

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

    /// Builds the tree of one layer.
    ///
    /// # Errors
    /// A member that GNU tar could not extract either, or a path over the limits.
    pub fn build(toc: &Toc, limits: &Limits) -> Result<Self, TreeError> {
        let root = Inode { node: Node::Directory(Directory::default()), origin: None };
        let mut builder = Builder { tree: Self { inodes: alloc::vec![root] }, toc, limits };
        for (index, entry) in toc.entries().iter().enumerate() {
            builder.add(index, entry.member())?;
        }
        Ok(builder.tree)
    }

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

struct Builder<'a> {
    tree: Tree,
    toc: &'a Toc,
    limits: &'a Limits,
}

impl Builder<'_> {
    fn add(&mut self, index: usize, member: &Member) -> Result<(), TreeError> {
        let fail = |problem| TreeError { entry: index, name: member.name.clone(), problem };
        let origin = Some(Origin::new(0, index));
        let mut components = clean(member.name.as_bytes());
        if components.len() > self.limits.depth {
            return Err(fail(TreeProblem::TooDeep { limit: self.limits.depth }));
        }
        let Some(name) = components.pop() else {
            return match (member.kind, self.tree.inodes.first_mut()) {
                (Kind::Directory, Some(root)) => {
                    root.origin = origin;
                    Ok(())
                }
                _ => Err(fail(TreeProblem::RootNoDirectory { kind: member.kind })),
            };
        };
        let target = match member.kind {
            Kind::Hardlink => Some(self.target(&member.link).map_err(fail)?),
            _ => None,
        };
        let parent = self.resolve(&components, Missing::Create).map_err(fail)?;
        let whiteout = name.strip_prefix(WHITEOUT).filter(|_| member.kind != Kind::Directory);
        match whiteout {
            Some(_) if name == OPAQUE => {
                if let Some(directory) = self.tree.directory_mut(parent) {
                    directory.opaque = true;
                }
                return Ok(());
            }
            // Bookkeeping of aufs, and names that would remove nothing or a parent.
            Some(_) if name.starts_with(AUFS) => return Ok(()),
            Some(b"" | b"." | b"..") => return Ok(()),
            Some(hidden) => {
                self.whiteout(parent, hidden, origin);
                return Ok(());
            }
            None => {}
        }
        let before = self.tree.child(parent, name);
        if let Some(target) = target {
            self.tree.link(parent, name, target);
            return Ok(());
        }
        let over_whiteout = before
            .and_then(|id| self.tree.inode(id))
            .is_some_and(|inode| matches!(inode.node, Node::Whiteout));
        if member.kind == Kind::Directory {
            if let Some(id) = before
                && self.tree.directory(id).is_some()
            {
                if let Some(inode) = self.tree.inodes.get_mut(id.index()) {
                    inode.origin = origin;
                }
                return Ok(());
            }
            // Removed below and made anew here: nothing of what was below shows through.
            let directory = Directory { opaque: over_whiteout, ..Directory::default() };
            let id = self.tree.push(Inode { node: Node::Directory(directory), origin });
            self.tree.link(parent, name, id);
        } else {
            let id = self.tree.push(Inode { node: Node::File, origin });
            self.tree.link(parent, name, id);
        }
        Ok(())
    }

    fn whiteout(&mut self, parent: InodeId, hidden: &[u8], origin: Option<Origin>) {
        match self.tree.child(parent, hidden) {
            // The same layer's own member stays; a directory hides what was below it.
            Some(id) => {
                if let Some(directory) = self.tree.directory_mut(id) {
                    directory.opaque = true;
                }
            }
            None => {
                let id = self.tree.push(Inode { node: Node::Whiteout, origin });
                self.tree.link(parent, hidden, id);
            }
        }
    }

    /// Finds the inode that a hard link names.
    fn target(&mut self, link: &Name) -> Result<InodeId, TreeProblem> {
        let missing = || TreeProblem::LinkTarget { target: link.clone() };
        let mut components = clean(link.as_bytes());
        let name = components.pop().ok_or_else(missing)?;
        let parent = self.resolve(&components, Missing::Refuse).map_err(|problem| match problem {
            TreeProblem::NoDirectory { .. } => missing(),
            other => other,
        })?;
        let id = self.tree.child(parent, name).ok_or_else(missing)?;
        match self.tree.inode(id).map(|inode| &inode.node) {
            Some(Node::File) => Ok(id),
            Some(Node::Directory(_)) => Err(TreeProblem::LinkToDirectory { target: link.clone() }),
            Some(Node::Whiteout) | None => Err(missing()),
        }
    }

    /// Walks to a directory as the kernel would inside a root, following symbolic links.
    fn resolve(&mut self, components: &[&[u8]], missing: Missing) -> Result<InodeId, TreeProblem> {
        let mut at = Tree::ROOT;
        let mut left: Vec<Box<[u8]>> = components.iter().rev().map(|part| Box::from(*part)).collect();
        let mut links = 0_u32;
        while let Some(part) = left.pop() {
            match &*part {
                b"" | b"." => continue,
                b".." => {
                    at = self.tree.directory(at).and_then(|directory| directory.parent).unwrap_or(Tree::ROOT);
                    continue;
                }
                _ => {}
            }
            let next = self.tree.child(at, &part);
            let inode = next.and_then(|id| self.tree.inode(id));
            match (next, inode.map(|inode| (&inode.node, inode.origin))) {
                (Some(id), Some((Node::Directory(_), _))) => at = id,
                (Some(_), Some((Node::File, origin))) => {
                    let member = origin.and_then(|origin| self.member(origin));
                    let Some(Member { kind: Kind::Symlink, link, .. }) = member else {
                        return Err(TreeProblem::NoDirectory { component: Name::from(&*part) });
                    };
                    links = links.saturating_add(1);
                    if links > MAX_LINKS || left.len() > self.limits.depth {
                        return Err(TreeProblem::TooManyLinks { component: Name::from(&*part) });
                    }
                    if link.as_bytes().starts_with(b"/") {
                        at = Tree::ROOT;
                    }
                    left.extend(link.as_bytes().rsplit(|byte| *byte == b'/').map(Box::from));
                }
                (_, Some((Node::Whiteout, _)) | None) | (None, Some(_)) => {
                    if missing == Missing::Refuse {
                        return Err(TreeProblem::NoDirectory { component: Name::from(&*part) });
                    }
                    let opaque = inode.is_some();
                    let directory = Directory { opaque, ..Directory::default() };
                    let id = self.tree.push(Inode { node: Node::Directory(directory), origin: None });
                    self.tree.link(at, &part, id);
                    at = id;
                }
            }
        }
        Ok(at)
    }

    fn member(&self, origin: Origin) -> Option<&Member> {
        let entry = self.toc.entries().get(usize::try_from(origin.entry).ok()?)?;
        Some(entry.member())
    }
}

/// What to do about a parent that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Create,
    Refuse,
}

/// Splits a name into components below the root: no empty ones, no dots, `..` taken back, never above the root.
fn clean(name: &[u8]) -> Vec<&[u8]> {
    let mut components = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                components.pop();
            }
            part => components.push(part),
        }
    }
    components
}

/// A member that has no place in a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {entry} {name}: {problem}")]
#[non_exhaustive]
pub struct TreeError {
    /// The entry's index in the TOC.
    pub entry: usize,
    /// Its name.
    pub name: Name,
    /// What is wrong.
    pub problem: TreeProblem,
}

/// Why a member has no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeProblem {
    /// A hard link to nothing.
    #[error("its hard link target {target} is not in the layer")]
    LinkTarget {
        /// The target as written.
        target: Name,
    },
    /// A hard link to a directory, which no file system allows.
    #[error("its hard link target {target} is a directory")]
    LinkToDirectory {
        /// The target as written.
        target: Name,
    },
    /// A parent that is a file.
    #[error("{component} in its path is not a directory")]
    NoDirectory {
        /// The component.
        component: Name,
    },
    /// The root is said to be something else than a directory.
    #[error("the root is said to be a {kind}, expected a directory")]
    RootNoDirectory {
        /// The kind claimed.
        kind: Kind,
    },
    /// More directories inside one another than allowed.
    #[error("its path is more than {limit} directories deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A loop of symbolic links, or more than Linux follows.
    #[error("{component} in its path leads through more than {MAX_LINKS} symbolic links")]
    TooManyLinks {
        /// The component.
        component: Name,
    },
}
