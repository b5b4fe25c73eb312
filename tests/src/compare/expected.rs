//! The tree that a tar should make, in overlay form.

use std::collections::{BTreeMap, VecDeque};

use shingle_core::Digest;

use super::members::{self, Member};
use super::{Kind, Rules, Shape, Wanted};

#[derive(Clone, Debug)]
struct Inode {
    shape: Shape,
    children: Option<BTreeMap<Vec<u8>, usize>>,
    parent: usize,
}

/// Builds what `tar` should make, by path; the root is the empty path.
pub(super) fn tree(tar: &[u8], rules: Rules) -> Result<BTreeMap<Vec<u8>, Wanted>, String> {
    let mut tree = Tree { inodes: vec![unlisted(0, rules)], rules };
    for member in members::read(tar)? {
        tree.add(&member)?;
    }
    let mut wanted = BTreeMap::new();
    let mut left = VecDeque::from([(Vec::new(), 0)]);
    while let Some((path, id)) = left.pop_front() {
        let inode = &tree.inodes[id];
        for (name, child) in inode.children.iter().flatten() {
            let mut below: Vec<u8> = path.clone();
            if !below.is_empty() {
                below.push(b'/');
            }
            below.extend_from_slice(name);
            left.push_back((below, *child));
        }
        wanted.insert(path, Wanted { shape: inode.shape.clone(), group: id, any_mtime: false });
    }
    Ok(wanted)
}

fn unlisted(parent: usize, rules: Rules) -> Inode {
    let mut shape = Shape { kind: Kind::Directory, mode: 0o755, ..Shape::default() };
    rules.adapt(&mut shape);
    Inode { shape, children: Some(BTreeMap::new()), parent }
}

struct Tree {
    inodes: Vec<Inode>,
    rules: Rules,
}

impl Tree {
    fn add(&mut self, member: &Member) -> Result<(), String> {
        let mut parts = clean(&member.name);
        let Some(name) = parts.pop() else {
            let opaque = self.opaque(0);
            self.inodes[0].shape = shape(member, self.rules);
            if opaque {
                self.set_opaque(0);
            }
            return Ok(());
        };
        let target = match member.hard_link {
            true => {
                Some(self.find(&clean(&member.link)).ok_or_else(|| complaint(member, "links to nothing"))?)
            }
            false => None,
        };
        let parent = self.parent(&parts).ok_or_else(|| complaint(member, "has a parent that is a file"))?;
        if let Some(hidden) = name.strip_prefix(b".wh.").filter(|_| member.kind != Kind::Directory) {
            self.whiteout(parent, hidden);
            return Ok(());
        }
        let before = self.inodes[parent].children.as_ref().unwrap().get(&name).copied();
        if let Some(target) = target {
            self.name(parent, &name, target);
            return Ok(());
        }
        let made = shape(member, self.rules);
        match before {
            Some(id) if member.kind == Kind::Directory && self.inodes[id].children.is_some() => {
                let opaque = self.opaque(id);
                self.inodes[id].shape = made;
                if opaque {
                    self.set_opaque(id);
                }
            }
            _ => {
                let hidden = before.is_some_and(|id| self.is_whiteout(id));
                let children = (member.kind == Kind::Directory).then(BTreeMap::new);
                let id = self.push(Inode { shape: made, children, parent });
                self.name(parent, &name, id);
                if hidden && member.kind == Kind::Directory {
                    self.set_opaque(id);
                }
            }
        }
        Ok(())
    }

    fn whiteout(&mut self, parent: usize, hidden: &[u8]) {
        match hidden {
            b".wh..opq" => self.set_opaque(parent),
            b"" | b"." | b".." => {}
            aufs if aufs.starts_with(b".wh.") => {}
            hidden => match self.inodes[parent].children.as_ref().unwrap().get(hidden).copied() {
                Some(id) if self.inodes[id].children.is_some() => self.set_opaque(id),
                Some(_same_layer) => {}
                None => {
                    let shape = Shape { kind: Kind::Char, whiteout: true, ..Shape::default() };
                    let id = self.push(Inode { shape, children: None, parent });
                    self.name(parent, hidden, id);
                }
            },
        }
    }

    /// Finds a directory, making what is missing; `None` when something in the way is no directory.
    fn parent(&mut self, parts: &[Vec<u8>]) -> Option<usize> {
        let mut left: VecDeque<Vec<u8>> = parts.to_vec().into();
        let (mut at, mut passed) = (0, 0);
        while let Some(part) = left.pop_front() {
            match &*part {
                b"" | b"." => continue,
                b".." => {
                    at = self.inodes[at].parent;
                    continue;
                }
                _ => {}
            }
            let child = self.inodes[at].children.as_ref()?.get(&part).copied();
            match child {
                Some(id) if self.inodes[id].children.is_some() => at = id,
                Some(id) if self.inodes[id].shape.kind == Kind::Symlink => {
                    passed += 1;
                    let link = self.inodes[id].shape.link.clone();
                    if passed > 40 {
                        return None;
                    }
                    if link.starts_with(b"/") {
                        at = 0;
                    }
                    for step in link.rsplit(|byte| *byte == b'/') {
                        left.push_front(step.to_vec());
                    }
                }
                Some(id) if !self.is_whiteout(id) => return None,
                other => {
                    let id = self.push(unlisted(at, self.rules));
                    self.name(at, &part, id);
                    if other.is_some() {
                        self.set_opaque(id);
                    }
                    at = id;
                }
            }
        }
        Some(at)
    }

    fn find(&mut self, parts: &[Vec<u8>]) -> Option<usize> {
        let (name, parents) = parts.split_last()?;
        let parent = self.parent(parents)?;
        self.inodes[parent].children.as_ref()?.get(name).copied()
    }

    fn push(&mut self, inode: Inode) -> usize {
        self.inodes.push(inode);
        self.inodes.len() - 1
    }

    fn name(&mut self, parent: usize, name: &[u8], id: usize) {
        self.inodes[parent].children.as_mut().unwrap().insert(name.to_vec(), id);
    }

    fn is_whiteout(&self, id: usize) -> bool {
        self.inodes[id].shape.whiteout
    }

    fn opaque(&self, id: usize) -> bool {
        self.inodes[id].shape.xattrs.contains_key(self.rules.opaque())
    }

    fn set_opaque(&mut self, id: usize) {
        self.inodes[id].shape.xattrs.insert(self.rules.opaque().to_vec(), b"y".to_vec());
    }
}

fn complaint(member: &Member, what: &str) -> String {
    format!("{} {what}", super::shown(&member.name))
}

fn clean(name: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part.to_vec()),
        }
    }
    parts
}

fn shape(member: &Member, rules: Rules) -> Shape {
    let regular = member.kind == Kind::Regular;
    let mut shape = Shape {
        kind: member.kind,
        mode: member.mode,
        uid: member.uid,
        gid: member.gid,
        mtime: member.mtime,
        size: if regular { member.content.len() as u64 } else { 0 },
        content: regular.then(|| Digest::of(&member.content)),
        link: if member.kind == Kind::Symlink { member.link.clone() } else { Vec::new() },
        device: member.device,
        xattrs: member.xattrs.clone(),
        whiteout: false,
    };
    shape.xattrs.retain(|name, _| {
        let own = name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.");
        // The kernel has `user.` for these two kinds alone.
        let can_carry = regular || member.kind == Kind::Directory;
        !own && name != b"security.selinux" && (can_carry || !name.starts_with(b"user."))
    });
    rules.adapt(&mut shape);
    shape
}
