//! One layer's members, taken in the order of the tar.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Directory, Inode, InodeId, Node, Origin, Tree, TreeError, TreeProblem};
use crate::toc::Toc;
use crate::{Kind, Limits, Member, Name};

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
const AUFS: &[u8] = b".wh..wh.";
/// How many symbolic links one path may pass, as in Linux.
pub(super) const MAX_LINKS: u32 = 40;

impl Tree {
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
        possible(member).map_err(fail)?;
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
        let (mut at, mut depth) = (Tree::ROOT, 0_usize);
        let mut left: Vec<Box<[u8]>> = components.iter().rev().map(|part| Box::from(*part)).collect();
        let mut links = 0_u32;
        while let Some(part) = left.pop() {
            match &*part {
                b"" | b"." => continue,
                b".." => {
                    at = self.tree.directory(at).and_then(|directory| directory.parent).unwrap_or(Tree::ROOT);
                    depth = depth.saturating_sub(1);
                    continue;
                }
                _ => {}
            }
            let next = self.tree.child(at, &part);
            let inode = next.and_then(|id| self.tree.inode(id));
            match (next, inode.map(|inode| (&inode.node, inode.origin))) {
                (Some(id), Some((Node::Directory(_), _))) => (at, depth) = (id, depth.saturating_add(1)),
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
                        (at, depth) = (Tree::ROOT, 0);
                    }
                    left.extend(link.as_bytes().rsplit(|byte| *byte == b'/').map(Box::from));
                }
                (_, Some((Node::Whiteout, _)) | None) | (None, Some(_)) => {
                    if missing == Missing::Refuse {
                        return Err(TreeProblem::NoDirectory { component: Name::from(&*part) });
                    }
                    // Symbolic links may hold long paths that lead nowhere; each would be made.
                    depth = depth.saturating_add(1);
                    if depth > self.limits.depth {
                        return Err(TreeProblem::TooDeep { limit: self.limits.depth });
                    }
                    self.check_count()?;
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

    /// Holds down what long names may blow up to: one directory for each of their components.
    fn check_count(&self) -> Result<(), TreeProblem> {
        let limit = self.limits.entries;
        if self.tree.inodes.len() > limit { Err(TreeProblem::TooMany { limit }) } else { Ok(()) }
    }

    fn member(&self, origin: Origin) -> Option<&Member> {
        let entry = self.toc.entries().get(usize::try_from(origin.entry).ok()?)?;
        Some(entry.member())
    }
}

/// Refuses what no file system can hold, before one says so half-way.
fn possible(member: &Member) -> Result<(), TreeProblem> {
    // The largest number means "leave it" to chown.
    let owner = |number: u64| number < u64::from(u32::MAX);
    let Member { uid, gid, dev_major: major, dev_minor: minor, .. } = *member;
    let len = member.link.as_bytes().len();
    match member.kind {
        Kind::Hardlink => Ok(()),
        _ if !owner(uid) || !owner(gid) => Err(TreeProblem::Owner { uid, gid }),
        Kind::Symlink if !(1..4096).contains(&len) => Err(TreeProblem::LinkText { len }),
        Kind::Block | Kind::Char if major >= 1 << 12 || minor >= 1 << 20 => {
            Err(TreeProblem::Device { major, minor })
        }
        _ => Ok(()),
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
