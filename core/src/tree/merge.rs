//! Stacking layers: what a container sees of them.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Directory, Inode, InodeId, Node, Origin, Tree};

impl Tree {
    /// An empty root to stack layers on.
    pub fn empty() -> Self {
        let root = Inode { node: Node::Directory(Directory::default()), origin: None };
        Self { inodes: alloc::vec![root] }
    }

    /// Lays `upper` over this tree; its members are known as those of layer number `layer` from then on.
    ///
    /// What overlayfs shows: directories merge and take the upper one's metadata, anything else replaces, whiteouts
    /// remove, opaque directories hide. A directory that `upper` never listed keeps the metadata it has below.
    pub fn stack(&mut self, upper: &Self, layer: u32) {
        let mut copied = BTreeMap::new();
        let mut work: Vec<(InodeId, InodeId)> = alloc::vec![(Self::ROOT, Self::ROOT)];
        while let Some((lower, over)) = work.pop() {
            let Some(Inode { node: Node::Directory(directory), origin }) = upper.inode(over) else {
                continue;
            };
            if let (Some(origin), Some(inode)) = (origin, self.inodes.get_mut(lower.index())) {
                inode.origin = Some(Origin { layer, entry: origin.entry });
            }
            if directory.opaque
                && let Some(below) = self.directory_mut(lower)
            {
                below.children.clear();
            }
            for (name, id) in &directory.children {
                let Some(child) = upper.inode(*id) else { continue };
                let below = self.child(lower, name);
                match &child.node {
                    Node::Whiteout => {
                        if let Some(directory) = self.directory_mut(lower) {
                            directory.children.remove(name);
                        }
                    }
                    Node::Directory(_) => {
                        let merged =
                            below.filter(|below| self.directory(*below).is_some()).unwrap_or_else(|| {
                                let made = self.push(Inode {
                                    node: Node::Directory(Directory::default()),
                                    origin: None,
                                });
                                self.link(lower, name, made);
                                made
                            });
                        work.push((merged, *id));
                    }
                    Node::File => {
                        let made = *copied.entry(*id).or_insert_with(|| {
                            let origin = child.origin.map(|origin| Origin { layer, entry: origin.entry });
                            self.push(Inode { node: Node::File, origin })
                        });
                        self.link(lower, name, made);
                    }
                }
            }
        }
    }
}
