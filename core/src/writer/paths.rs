//! Which paths a layer has: the reference takes each once, and none through anything but a directory.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::Kind;

/// The paths so far, as they are below the root.
#[derive(Debug, Default)]
pub(super) struct Paths(BTreeMap<Box<[u8]>, Path>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    /// A directory that is a member.
    Directory,
    /// A directory that only its contents speak of.
    Implied,
    /// A file, or a link.
    File,
    /// A device or a fifo.
    Node,
}

impl Paths {
    /// Adds a member's path; says whether it is new and all above it are directories.
    pub(super) fn add(&mut self, name: &[u8], kind: Kind) -> bool {
        let path = cleaned(name);
        let mut end = path.len();
        // From the nearest parent up, as far as they are not known yet.
        while let Some(slash) = path.get(..end).and_then(|path| path.iter().rposition(|byte| *byte == b'/')) {
            end = slash;
            let parent = path.get(..end).unwrap_or_default();
            match self.0.get(parent) {
                Some(Path::File | Path::Node) => return false,
                Some(Path::Directory | Path::Implied) => break,
                None => {
                    self.0.insert(parent.into(), Path::Implied);
                }
            }
        }
        let kind = match kind {
            Kind::Directory => Path::Directory,
            Kind::Hardlink | Kind::Regular | Kind::Symlink => Path::File,
            Kind::Block | Kind::Char | Kind::Fifo => Path::Node,
        };
        match self.0.get_mut(&path[..]) {
            None => {
                self.0.insert(path.into(), kind);
                true
            }
            Some(known @ Path::Implied) if kind == Path::Directory => {
                *known = kind;
                true
            }
            Some(_) => false,
        }
    }

    /// Whether a hard link may lead there: to a file that came before. The reference makes no device and no fifo, and
    /// then fails on a link to one.
    pub(super) fn has_file(&self, link: &[u8]) -> bool {
        self.0.get(&cleaned(link)[..]) == Some(&Path::File)
    }
}

/// Returns the path below the root: no slash at either end, no `.`, no `..`, none doubled.
fn cleaned(name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(name.len());
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                let up = path.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
                path.truncate(up);
            }
            part => {
                if !path.is_empty() {
                    path.push(b'/');
                }
                path.extend_from_slice(part);
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_is_taken_once() {
        for (names, taken) in [
            (&["a", "b", "a/"][..], &[true, true, false][..]),
            (&["./a", "a"], &[true, false]),
            (&["/a", "a"], &[true, false]),
            (&["a//b/./c", "a/b/x/../c"], &[true, false]),
            (&["../../a", "a"], &[true, false]),
            (&["./", "/"], &[true, false]),
            (&["a/b", "a/", "a/"], &[true, true, false]),
            (&["a/b", "a"], &[true, false]),
            (&["a", "a/b", "ab/c"], &[true, false, true]),
            (&["a/b/c/d", "a/b", "a/b/"], &[true, false, true]),
        ] {
            let mut paths = Paths::default();
            let kind = |name: &str| if name.ends_with('/') { Kind::Directory } else { Kind::Regular };
            let added = names.iter().map(|name| paths.add(name.as_bytes(), kind(name)));
            assert_eq!(added.collect::<Vec<_>>(), taken, "{names:?}");
        }
    }

    #[test]
    fn hard_links_lead_to_files_that_came_before() {
        let mut paths = Paths::default();
        for (name, kind) in [
            ("f", Kind::Regular),
            ("./d/", Kind::Directory),
            ("d/s", Kind::Symlink),
            ("h", Kind::Hardlink),
            ("p", Kind::Fifo),
            ("c", Kind::Char),
        ] {
            assert!(paths.add(name.as_bytes(), kind));
        }
        for (link, expected) in [
            ("f", true),
            ("/./f", true),
            ("d/s", true),
            ("h", true),
            ("d", false),
            ("p", false),
            ("c", false),
            ("x", false),
        ] {
            assert_eq!(paths.has_file(link.as_bytes()), expected, "{link}");
        }
    }
}
