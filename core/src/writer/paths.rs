//! Which paths a layer has: the reference takes each once, those that it removes among them, and none through anything
//! but a directory.

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
    /// A device or a fifo; a whiteout, and what it removes.
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
        match whiteout(&path) {
            None => self.claim(path, kind),
            Some(None) => self.claim(path, Path::Node),
            Some(Some(removed)) => {
                !removed.is_empty() && self.claim(path, Path::Node) && self.claim(removed, Path::Node)
            }
        }
    }

    fn claim(&mut self, path: Vec<u8>, kind: Path) -> bool {
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

/// Tells a whiteout, and what it removes if that has a path of its own.
///
/// The reference makes a device of that path, and fails if there is something: a path that a layer removes and has as
/// well is twice in it. Of a whiteout itself it makes nothing that a link could lead to.
#[expect(clippy::option_option, reason = "no whiteout, one of all that was there, one of a path")]
fn whiteout(path: &[u8]) -> Option<Option<Vec<u8>>> {
    let base = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash.saturating_add(1));
    let (parent, name) = path.split_at_checked(base)?;
    let removed = name.strip_prefix(b".wh.")?;
    Some((removed != b".wh..opq").then(|| match removed {
        // Without a name, it is its own directory.
        [] => parent.strip_suffix(b"/").unwrap_or(parent).into(),
        removed => [parent, removed].concat(),
    }))
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
            // What a whiteout removes is made a device there.
            (&["a/.wh.b", "a/b"], &[true, false]),
            (&["a/b", "./a//.wh.b"], &[true, false]),
            (&["a/", ".wh.a"], &[true, false]),
            (&[".wh.a", "a/"], &[true, false]),
            (&[".wh.a", "a/b"], &[true, false]),
            (&["a/.wh.b", "a/.wh.b"], &[true, false]),
            (&["a/.wh..wh..opq", "a/b", "a/wh.b", "a/.wh", "b/.wh.b"], &[true, true, true, true, true]),
            (&["a/.wh."], &[false]),
            (&[".wh."], &[false]),
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
            (".wh.w", Kind::Regular),
            ("d/.wh..wh..opq", Kind::Regular),
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
            (".wh.w", false),
            ("w", false),
            ("d/.wh..wh..opq", false),
            ("x", false),
        ] {
            assert_eq!(paths.has_file(link.as_bytes()), expected, "{link}");
        }
    }
}
