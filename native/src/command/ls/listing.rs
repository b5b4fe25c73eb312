//! What is listed: a directory of an image, or one file.

use std::convert::Infallible;

use shingle::contents::{Came, Contents, ContentsError};
use shingle::root::Root;
use shingle_core::{Entry, InodeId, LastLink, Limits, Node, Origin, Resolved, Tree, Visit};

use super::item::Item;

/// A part of an image, walked as often as need be: its paths are long together, so that none is kept.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    root: &'a Root,
    contents: &'a Contents,
    at: &'a Resolved,
    is_directory: bool,
    recursive: bool,
    /// By inode: how many names it has.
    links: Vec<u32>,
    /// The layers by themselves, if what they hold and others hide is wanted.
    layers: Vec<Tree>,
    /// What all listed paths begin with, the slash included.
    prefix: Vec<u8>,
}

impl<'a> Listing<'a> {
    pub(super) fn new(
        root: &'a Root,
        contents: &'a Contents,
        at: &'a Resolved,
        is_directory: bool,
        recursive: bool,
    ) -> Self {
        let mut links: Vec<u32> = Vec::new();
        let counted: Result<(), Infallible> = root.tree().walk(|visit| {
            let index = visit.id.index();
            if links.len() <= index {
                links.resize(index + 1, 0);
            }
            if let Some(count) = links.get_mut(index) {
                *count = count.saturating_add(1);
            }
            Ok(())
        });
        let Ok(()) = counted;
        let mut prefix = Vec::new();
        if is_directory && !at.path.is_empty() {
            prefix = [at.path.as_bytes(), b"/"].concat();
        }
        Self { root, contents, at, is_directory, recursive, links, layers: Vec::new(), prefix }
    }

    /// Looks at what upper layers take away, too.
    pub(super) fn with_deleted(mut self, limits: &Limits) -> Result<Self, ContentsError> {
        for (index, layer) in self.contents.layers.iter().enumerate() {
            let tree = Tree::build(&layer.toc, limits).map_err(|error| ContentsError::Layer {
                image: 0,
                index,
                blob: layer.blob,
                source: Box::new(error.into()),
            })?;
            self.layers.push(tree);
        }
        Ok(self)
    }

    /// Returns what is left out of shown paths: they are names, unless several directories are listed.
    pub(super) fn prefix(&self) -> &[u8] {
        if self.recursive { b"" } else { &self.prefix }
    }

    /// Visits what is listed, in the order of the names.
    pub(super) fn each<E>(&self, visit: &mut dyn FnMut(Item<'_>) -> Result<(), E>) -> Result<(), E> {
        if !self.is_directory {
            return visit(self.item(self.at.id, self.at.path.as_bytes()));
        }
        if self.recursive {
            return self.root.tree().walk(|at: Visit<'_>| match at.path.starts_with(&self.prefix) {
                true => visit(self.item(at.id, at.path)),
                false => Ok(()),
            });
        }
        let Some(Node::Directory(directory)) = self.root.tree().inode(self.at.id).map(|inode| &inode.node)
        else {
            return Ok(());
        };
        for (name, id) in &directory.children {
            visit(self.item(*id, &[&self.prefix, &**name].concat()))?;
        }
        Ok(())
    }

    /// Visits what layers hold there and no name of the image leads to, layer by layer.
    pub(super) fn each_deleted<E>(&self, visit: &mut dyn FnMut(Item<'_>) -> Result<(), E>) -> Result<(), E> {
        for (layer, tree) in self.layers.iter().enumerate() {
            tree.walk(|at: Visit<'_>| {
                let own = at.inode.origin.filter(|_| !matches!(at.inode.node, Node::Whiteout));
                let Some(entry) = own.map(|origin| origin.entry) else { return Ok(()) };
                if !self.is_listed(at.path) || self.is_there(layer, entry, at) {
                    return Ok(());
                }
                let entries = self.contents.layers.get(layer).map(|layer| layer.toc.entries());
                let entry = entries.and_then(|entries| entries.get(usize::try_from(entry).ok()?));
                visit(Item { deleted: true, ..self.made(layer, entry, at.path, 1) })
            })?;
        }
        Ok(())
    }

    fn is_listed(&self, path: &[u8]) -> bool {
        let Some(rest) = path.strip_prefix(&*self.prefix) else { return false };
        match (self.is_directory, self.recursive) {
            (false, _) => path == self.at.path.as_bytes(),
            (true, recursive) => recursive || !rest.contains(&b'/'),
        }
    }

    /// Whether the image still has it under that path. A directory is there as long as any is: its metadata may be another
    /// layer's.
    fn is_there(&self, layer: usize, entry: u32, at: Visit<'_>) -> bool {
        let Ok(found) = self.root.resolve(at.path, LastLink::Keep) else { return false };
        let Some(inode) = self.root.tree().inode(found.id).filter(|_| found.path.as_bytes() == at.path)
        else {
            return false;
        };
        match (&at.inode.node, &inode.node) {
            (Node::Directory(_), Node::Directory(_)) => true,
            _ => inode.origin.is_some_and(|origin| {
                usize::try_from(origin.layer).is_ok_and(|number| number == layer) && origin.entry == entry
            }),
        }
    }

    fn item<'i>(&'i self, id: InodeId, path: &'i [u8]) -> Item<'i> {
        let links = self.links.get(id.index()).copied().unwrap_or(1).max(1);
        match self.root.entry(id) {
            Some((Origin { layer, .. }, entry)) => {
                self.made(usize::try_from(layer).unwrap_or(usize::MAX), Some(entry), path, links)
            }
            None => self.made(usize::MAX, None, path, links),
        }
    }

    fn made<'i>(&'i self, layer: usize, entry: Option<&'i Entry>, path: &'i [u8], links: u32) -> Item<'i> {
        let layer = self.contents.layers.get(layer).map(|contents| (layer + 1, contents));
        let compressed = layer.zip(entry).and_then(|((_, contents), entry)| match contents.came {
            Came::ByToc => contents.toc.compressed_len(entry),
            Came::Store | Came::Whole => (!entry.is_file()).then_some(0),
        });
        Item {
            path,
            member: entry.map(Entry::member),
            digest: entry.and_then(Entry::digest),
            compressed,
            links,
            layer: layer.map(|(number, _)| number),
            blob: layer.map(|(_, contents)| &contents.blob),
            deleted: false,
        }
    }
}
