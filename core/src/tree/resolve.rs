//! Finding a path in a tree, as the kernel would inside a root.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::build::MAX_LINKS;
use super::{InodeId, Node, Origin, Tree};
use crate::toc::{Entry, Toc};
use crate::{Kind, Name};

/// The longest path that is looked up, links put in: Linux takes no longer ones.
const MAX_PATH: usize = 4096;
/// How many names a miss is compared with; those of a larger directory are not guessed at.
const GUESSED: usize = 20_000;
/// How many similar names are told.
const SIMILAR: usize = 3;

/// What to do about a symbolic link at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a link is followed or is what was meant")]
pub enum LastLink {
    /// Goes where it leads, as `cat` does.
    Follow,
    /// Is what was asked for, as for `ls -l`; unless the path ends in a slash.
    Keep,
}

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// The inode.
    pub id: InodeId,
    /// Its path without any link in it, relative to the root, which is itself empty.
    pub path: Name,
}

impl Tree {
    /// Finds what a path leads to: from the root, whether or not it begins with a slash; symbolic links lead to places
    /// in the same root, absolute ones and those that climb above it too. `tocs` are those that the tree was made of, by
    /// [`Origin::layer`]: they hold the links' texts.
    ///
    /// # Errors
    /// There is nothing there, the way leads through something that is no directory, or through too many links.
    pub fn resolve(&self, tocs: &[Arc<Toc>], path: &[u8], last: LastLink) -> Result<Resolved, PathError> {
        let mut walk = Walk { tree: self, at: alloc::vec![(Self::ROOT, Box::default())], left: Vec::new() };
        walk.push(path).map_err(|()| PathError::TooLong { path: Name::from(path) })?;
        let mut links = 0_u32;
        while let Some(part) = walk.left.pop() {
            match &*part {
                b"" | b"." => continue,
                b".." => {
                    if walk.at.len() > 1 {
                        walk.at.pop();
                    }
                    continue;
                }
                _ => {}
            }
            let Some(id) = self.child(walk.here(), &part).filter(|id| self.is_there(*id)) else {
                return Err(walk.missing(&part));
            };
            let entry = self.inode(id).and_then(|inode| inode.origin).and_then(|origin| of(tocs, origin));
            let link = entry.map(Entry::member).filter(|member| member.kind == Kind::Symlink);
            match link.filter(|_| last == LastLink::Follow || !walk.left.is_empty()) {
                Some(member) if self.directory(id).is_none() => {
                    links = links.saturating_add(1);
                    let text = member.link.as_bytes();
                    walk.at.truncate(if text.starts_with(b"/") { 1 } else { usize::MAX });
                    if links > MAX_LINKS || walk.push(text).is_err() {
                        return Err(PathError::TooManyLinks { path: walk.path_of(&part) });
                    }
                }
                _ if self.directory(id).is_none() && !walk.left.is_empty() => {
                    return Err(PathError::NoDirectory { path: walk.path_of(&part) });
                }
                _ => walk.at.push((id, part)),
            }
        }
        Ok(Resolved { id: walk.here(), path: walk.path() })
    }

    /// Whether an inode is a file of any kind, not the mark that one was removed.
    fn is_there(&self, id: InodeId) -> bool {
        self.inode(id).is_some_and(|inode| !matches!(inode.node, Node::Whiteout))
    }
}

/// A walk half-way.
struct Walk<'a> {
    tree: &'a Tree,
    /// The directories from the root to here, each with its name; never empty.
    at: Vec<(InodeId, Box<[u8]>)>,
    /// The components to come, the next one last.
    left: Vec<Box<[u8]>>,
}

impl Walk<'_> {
    /// Puts a path before the components to come. A trailing slash is an empty one: it wants a directory.
    fn push(&mut self, path: &[u8]) -> Result<(), ()> {
        self.left.extend(path.rsplit(|byte| *byte == b'/').map(Box::from));
        let len = self.left.iter().map(|part| part.len().saturating_add(1)).fold(0, usize::saturating_add);
        if len > MAX_PATH.saturating_add(1) { Err(()) } else { Ok(()) }
    }

    fn here(&self) -> InodeId {
        self.at.last().map_or(Tree::ROOT, |(id, _)| *id)
    }

    fn path(&self) -> Name {
        let names: Vec<&[u8]> = self.at.iter().skip(1).map(|(_, name)| &**name).collect();
        Name::from(names.join(&b'/'))
    }

    fn path_of(&self, name: &[u8]) -> Name {
        let mut path = self.path().as_bytes().to_vec();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        Name::from(path)
    }

    fn missing(&self, name: &[u8]) -> PathError {
        let names = self.tree.directory(self.here()).map(|directory| &directory.children);
        let there = names.into_iter().flatten().filter(|(_, id)| self.tree.is_there(**id));
        let mut ranked: Vec<(usize, &[u8])> =
            there.take(GUESSED).filter_map(|(other, _)| Some((distance(name, other)?, &**other))).collect();
        ranked.sort_unstable();
        let similar = ranked.into_iter().take(SIMILAR).map(|(_, other)| Name::from(other)).collect();
        PathError::Missing { path: self.path_of(name), nearest: self.path(), similar }
    }
}

fn of(tocs: &[Arc<Toc>], origin: Origin) -> Option<&Entry> {
    tocs.get(usize::try_from(origin.layer).ok()?)?.entries().get(usize::try_from(origin.entry).ok()?)
}

/// How far two names are apart, in letters to change, add or leave out; `None` where nobody would take one for the other.
/// What differs in case alone, or goes on where the other ends, is near.
fn distance(one: &[u8], other: &[u8]) -> Option<usize> {
    const LONGEST: usize = 64;
    if one.eq_ignore_ascii_case(other) {
        return Some(0);
    }
    if one.len() >= 3 && (other.starts_with(one) || one.starts_with(other) && other.len() >= 3) {
        return Some(1);
    }
    let allowed = one.len().div_ceil(2).clamp(1, 3);
    if one.len().abs_diff(other.len()) > allowed || one.len().max(other.len()) > LONGEST {
        return None;
    }
    // Levenshtein's, a row at a time.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, byte) in one.iter().enumerate() {
        let mut diagonal = index;
        let mut before = index.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, letter) in row.iter_mut().skip(1).zip(other) {
            let changed = diagonal.saturating_add(usize::from(!byte.eq_ignore_ascii_case(letter)));
            diagonal = *cell;
            before = changed.min(before.saturating_add(1)).min(cell.saturating_add(1));
            *cell = before;
        }
    }
    row.last().copied().filter(|distance| *distance <= allowed)
}

/// A path that leads to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum PathError {
    /// Nothing of the name is there.
    #[error("there is no {path}")]
    Missing {
        /// The path as far as it could be followed, links resolved, and the name that is not there.
        path: Name,
        /// The directory in which it is not; empty for the root.
        nearest: Name,
        /// Names in that directory that somebody may have meant, the most alike first; at most three.
        similar: Vec<Name>,
    },
    /// The way leads through something that is no directory.
    #[error("{path} is not a directory")]
    NoDirectory {
        /// What is none, links resolved.
        path: Name,
    },
    /// Longer than Linux takes.
    #[error("the path {path} is longer than {MAX_PATH} bytes")]
    TooLong {
        /// The path.
        path: Name,
    },
    /// A loop of symbolic links, or more than Linux follows.
    #[error("{path} leads through more than {MAX_LINKS} symbolic links, perhaps round in a circle")]
    TooManyLinks {
        /// The link at which it was given up.
        path: Name,
    },
}
