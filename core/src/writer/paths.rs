//! Which paths a layer has: the reference takes each once, and none through anything but a directory.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The paths so far, as they are below the root.
#[derive(Debug, Default)]
pub(super) struct Paths(BTreeMap<Box<[u8]>, Path>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    /// A directory that is a member.
    Directory,
    /// A directory that only its contents speak of.
    Implied,
    /// Anything else.
    File,
}

impl Paths {
    /// Adds a member's path; says whether it is new and all above it are directories.
    pub(super) fn add(&mut self, name: &[u8], is_directory: bool) -> bool {
        let path = cleaned(name);
        let mut end = path.len();
        // From the nearest parent up, as far as they are not known yet.
        while let Some(slash) = path.get(..end).and_then(|path| path.iter().rposition(|byte| *byte == b'/')) {
            end = slash;
            let parent = path.get(..end).unwrap_or_default();
            match self.0.get(parent) {
                Some(Path::File) => return false,
                Some(Path::Directory | Path::Implied) => break,
                None => {
                    self.0.insert(parent.into(), Path::Implied);
                }
            }
        }
        let kind = if is_directory { Path::Directory } else { Path::File };
        match self.0.get_mut(&path[..]) {
            None => {
                self.0.insert(path.into(), kind);
                true
            }
            Some(known @ Path::Implied) if is_directory => {
                *known = kind;
                true
            }
            Some(_) => false,
        }
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
            let added = names.iter().map(|name| paths.add(name.as_bytes(), name.ends_with('/')));
            assert_eq!(added.collect::<Vec<_>>(), taken, "{names:?}");
        }
    }
}
