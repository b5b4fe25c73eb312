//! A tree as the list of things to make, in an order that works.

use crate::count;
use shingle_core::{Kind, Member, Node, Origin, Toc, Tree};
use std::sync::Arc;

/// Everything to make for one tree; paths are relative to its root.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) root: Spot,
    /// Parents before what is in them.
    pub(crate) dirs: Vec<Spot>,
    /// Regular files with content, by their first names.
    pub(crate) files: Vec<Spot>,
    /// Empty files, symbolic links, devices and pipes, by their first names.
    pub(crate) others: Vec<Spot>,
    /// Names that hide what is below.
    pub(crate) whiteouts: Vec<Spot>,
    /// Further names: of what, and which.
    pub(crate) links: Vec<Link>,
}

/// A further name: the first name of the file, and this one.
pub(crate) type Link = (Box<[u8]>, Box<[u8]>);

/// One thing to make.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spot {
    pub(crate) path: Box<[u8]>,
    /// `None` for a directory that no layer listed.
    pub(crate) origin: Option<Origin>,
    /// A directory that hides what is below.
    pub(crate) opaque: bool,
}

impl Layout {
    pub(crate) fn new(tree: &Tree, tocs: &[Arc<Toc>]) -> Self {
        let mut layout = Self::default();
        if let Some(root) = tree.inode(Tree::ROOT) {
            layout.root.origin = root.origin;
            layout.root.opaque = matches!(&root.node, Node::Directory(directory) if directory.opaque);
        }
        let mut first: Vec<Option<Box<[u8]>>> = Vec::new();
        let walked: Result<(), std::convert::Infallible> = tree.walk(|visit| {
            let spot = |opaque| Spot { path: visit.path.into(), origin: visit.inode.origin, opaque };
            match &visit.inode.node {
                Node::Directory(directory) => layout.dirs.push(spot(directory.opaque)),
                Node::Whiteout => layout.whiteouts.push(spot(false)),
                Node::File => {
                    let index = visit.id.index();
                    if first.len() <= index {
                        first.resize(index + 1, None);
                    }
                    match first.get_mut(index) {
                        Some(Some(path)) => layout.links.push((path.clone(), visit.path.into())),
                        Some(empty) => {
                            *empty = Some(visit.path.into());
                            let has_content = visit
                                .inode
                                .origin
                                .and_then(|origin| member(tocs, origin))
                                .is_some_and(|member| member.kind == Kind::Regular && member.size > 0);
                            let list = if has_content { &mut layout.files } else { &mut layout.others };
                            list.push(spot(false));
                        }
                        None => {}
                    }
                }
            }
            Ok(())
        });
        let Ok(()) = walked;
        layout
    }
}

impl Layout {
    /// Counts the regular files of a single layer, empty ones included, each once however many names it has.
    pub(crate) fn regular_files(&self, toc: &Toc) -> u64 {
        let regular = |spot: &&Spot| {
            let entry = spot.origin.and_then(|origin| toc.entries().get(usize::try_from(origin.entry).ok()?));
            entry.is_some_and(|entry| entry.member().kind == Kind::Regular)
        };
        count(self.files.len() + self.others.iter().filter(regular).count())
    }
}

/// Returns the member that an inode was made of.
pub(crate) fn member(tocs: &[Arc<Toc>], origin: Origin) -> Option<&Member> {
    let toc = tocs.get(usize::try_from(origin.layer).ok()?)?;
    Some(toc.entries().get(usize::try_from(origin.entry).ok()?)?.member())
}
