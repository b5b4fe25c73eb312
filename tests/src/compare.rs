//! Compares a directory with the tar it was made of, or with another directory.

mod expected;
mod found;
mod members;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use shingle_core::Digest;

pub use found::{Found, scan};

/// The kinds of file on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A block device.
    Block,
    /// A character device.
    Char,
    /// A directory.
    Directory,
    /// A named pipe.
    Fifo,
    /// A socket, or something newer.
    Other,
    /// A regular file.
    #[default]
    Regular,
    /// A symbolic link.
    Symlink,
}

/// All that can be seen of a file, whatever its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// What it is.
    pub kind: Kind,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// The owner's number.
    pub uid: u64,
    /// The group's number.
    pub gid: u64,
    /// Seconds and nanoseconds.
    pub mtime: (i64, i64),
    /// The content's length, of regular files.
    pub size: u64,
    /// The content's digest, of regular files.
    pub content: Option<Digest>,
    /// A symbolic link's text.
    pub link: Vec<u8>,
    /// A device's major and minor number.
    pub device: (u64, u64),
    /// Values by full name.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Expected to hide a name below; owner, mode and time do not matter.
    pub whiteout: bool,
}

/// One name that should be there.
#[derive(Clone, Debug)]
struct Wanted {
    shape: Shape,
    /// Names with the same number must be one inode.
    group: usize,
    /// Nothing says when it changed.
    any_mtime: bool,
}

/// Who made the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Root: everything must be as the tar says.
    Root,
    /// Somebody with this uid and gid: owners are noted in an xattr, empty files with such a note stand for devices,
    /// only `user.` xattrs count.
    Unprivileged(u32, u32),
}

impl Rules {
    const fn opaque(self) -> &'static [u8] {
        match self {
            Self::Root => b"trusted.overlay.opaque",
            Self::Unprivileged(..) => b"user.overlay.opaque",
        }
    }

    /// Changes what the tar says into what this maker can do.
    fn adapt(self, shape: &mut Shape) {
        let Self::Unprivileged(uid, gid) = self else { return };
        let real = (shape.uid, shape.gid, shape.mode);
        (shape.uid, shape.gid) = (uid.into(), gid.into());
        let can_carry = matches!(shape.kind, Kind::Directory | Kind::Regular);
        shape.xattrs.retain(|name, _| can_carry && name.starts_with(b"user."));
        let (major, minor) = shape.device;
        let word = match shape.kind {
            Kind::Directory => "dir".to_owned(),
            Kind::Regular => "file".to_owned(),
            Kind::Block => format!("block-{major}-{minor}"),
            Kind::Char => format!("char-{major}-{minor}"),
            _ => return,
        };
        if matches!(shape.kind, Kind::Block | Kind::Char) {
            (shape.kind, shape.device, shape.content) = (Kind::Regular, (0, 0), Some(Digest::of(b"")));
            // What stands for a device is nobody else's to write.
            shape.mode = 0o600;
        }
        shape.mode |= if shape.kind == Kind::Directory { 0o700 } else { 0o400 };
        if real != (shape.uid, shape.gid, shape.mode) {
            let note = format!("{}:{}:{:04o}:{word}", real.0, real.1, real.2);
            shape.xattrs.insert(b"user.containers.override_stat".to_vec(), note.into_bytes());
        }
    }
}

/// One way in which a tree is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, fit for printing; empty for the root.
    pub path: String,
    /// In which respect.
    pub aspect: &'static str,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub actual: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}: {} is {}, expected {}", self.path, self.aspect, self.actual, self.expected)
    }
}

/// Compares a tree in overlay form with the tar of its layer.
///
/// # Panics
/// When the tree or the tar cannot be read.
pub fn compare_tree(tree: &Path, tar: &[u8]) -> Vec<Difference> {
    compare_tree_by(tree, tar, Rules::Root)
}

/// Compares a tree that somebody made with the tar of its layer.
///
/// # Panics
/// When the tree or the tar cannot be read.
pub fn compare_tree_by(tree: &Path, tar: &[u8], rules: Rules) -> Vec<Difference> {
    let wanted = expected::tree(tar, rules).unwrap_or_else(|problem| panic!("the tar: {problem}"));
    let found = scan(tree).unwrap_or_else(|error| panic!("{}: {error}", tree.display()));
    compare(&wanted, &found)
}

/// Whether [`compare_tree`] can judge this tar; sparse files are beyond it.
pub fn judges(tar: &[u8]) -> bool {
    expected::tree(tar, Rules::Root).is_ok()
}

/// Compares a plain tree with another that GNU tar extracted after the Unix time `since`.
///
/// A directory in `right` that is younger was never listed, so nothing says when it changed.
///
/// # Panics
/// When one of them cannot be read.
pub fn compare_dirs(left: &Path, right: &Path, since: i64) -> Vec<Difference> {
    let read = |path: &Path| scan(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut groups = BTreeMap::new();
    let wanted = read(right).into_iter().map(|(path, found)| {
        let next = groups.len();
        let group = *groups.entry(found.inode).or_insert(next);
        let any_mtime = found.shape.kind == Kind::Directory && found.shape.mtime.0 >= since;
        (path, Wanted { shape: found.shape, group, any_mtime })
    });
    compare(&wanted.collect(), &read(left))
}

fn compare(wanted: &BTreeMap<Vec<u8>, Wanted>, found: &BTreeMap<Vec<u8>, Found>) -> Vec<Difference> {
    let mut all = Vec::new();
    for (path, wanted) in wanted {
        match found.get(path) {
            Some(found) => compare_shapes(path, wanted, &found.shape, &mut all),
            None => all.push(difference(path, "presence", &wanted.shape.kind, &"missing")),
        }
    }
    for (path, found) in found {
        if !wanted.contains_key(path) {
            all.push(difference(path, "presence", &"nothing", &found.shape.kind));
        }
    }
    compare_links(wanted, found, &mut all);
    all
}

fn compare_shapes(path: &[u8], wanted: &Wanted, actual: &Shape, all: &mut Vec<Difference>) {
    let expected = &wanted.shape;
    let mut check = |same: bool, aspect, expected: &dyn fmt::Debug, actual: &dyn fmt::Debug| {
        if !same {
            all.push(difference(path, aspect, expected, actual));
        }
    };
    check(expected.kind == actual.kind, "type", &expected.kind, &actual.kind);
    if expected.kind != actual.kind {
        return;
    }
    check(expected.device == actual.device, "device", &expected.device, &actual.device);
    if expected.whiteout {
        return;
    }
    // A symbolic link's mode means nothing.
    let same_mode = expected.mode == actual.mode || expected.kind == Kind::Symlink;
    check(same_mode, "mode", &format_args!("{:04o}", expected.mode), &format_args!("{:04o}", actual.mode));
    check(expected.uid == actual.uid, "uid", &expected.uid, &actual.uid);
    check(expected.gid == actual.gid, "gid", &expected.gid, &actual.gid);
    let same_time = expected.mtime == actual.mtime || wanted.any_mtime;
    check(same_time, "mtime", &expected.mtime, &actual.mtime);
    check(expected.size == actual.size, "size", &expected.size, &actual.size);
    check(expected.content == actual.content, "content", &expected.content, &actual.content);
    check(expected.link == actual.link, "link", &shown(&expected.link), &shown(&actual.link));
    let names = expected.xattrs.keys().chain(actual.xattrs.keys());
    let mut seen = Vec::new();
    for name in names.filter(|name| *name != b"security.selinux") {
        let (wanted, found) = (expected.xattrs.get(name), actual.xattrs.get(name));
        if wanted != found && !seen.contains(&name) {
            seen.push(name);
            let show = |value: Option<&Vec<u8>>| {
                let name = shown(name);
                value.map_or_else(|| format!("no {name}"), |value| format!("{name}={}", shown(value)))
            };
            check(false, "xattr", &format_args!("{}", show(wanted)), &format_args!("{}", show(found)));
        }
    }
}

/// A tar's own hard links must be one inode. That others share one is fine where all about them agrees, which was
/// compared name by name; but never empty files, for a link to nothing saves nothing.
fn compare_links(
    wanted: &BTreeMap<Vec<u8>, Wanted>,
    found: &BTreeMap<Vec<u8>, Found>,
    all: &mut Vec<Difference>,
) {
    let mut inode_of = BTreeMap::new();
    let mut group_of = BTreeMap::new();
    for (path, wanted) in wanted {
        let Some(found) = found.get(path) else { continue };
        let (first, inode) = inode_of.entry(wanted.group).or_insert((path, found.inode));
        if *inode != found.inode {
            let expected = format!("one inode with {}", shown(first));
            all.push(difference(
                path,
                "hard link",
                &format_args!("{expected}"),
                &format_args!("an inode of its own"),
            ));
        }
        let (first, group) = group_of.entry(found.inode).or_insert((path, wanted.group));
        let may_share = found.shape.kind == Kind::Regular && found.shape.size > 0;
        if *group != wanted.group && !may_share {
            let actual = format!("one inode with {}", shown(first));
            all.push(difference(
                path,
                "hard link",
                &format_args!("an inode of its own"),
                &format_args!("{actual}"),
            ));
        }
    }
}

fn difference(
    path: &[u8],
    aspect: &'static str,
    expected: &dyn fmt::Debug,
    actual: &dyn fmt::Debug,
) -> Difference {
    Difference { path: shown(path), aspect, expected: format!("{expected:?}"), actual: format!("{actual:?}") }
}

/// Makes bytes fit for printing.
fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
