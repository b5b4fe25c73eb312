//! Each kind of difference is found, and a right tree has none.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{Rules, compare_dirs, compare_tree, compare_tree_by};
use crate::need::is_root;

const T: u64 = 1_700_000_000;

fn header(kind: tar::EntryType, mode: u32, size: usize) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size as u64);
    header.set_mtime(T);
    header.set_uid(rustix::process::geteuid().as_raw().into());
    header.set_gid(rustix::process::getegid().as_raw().into());
    header
}

fn sample() -> Vec<u8> {
    use tar::EntryType as E;
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |name: &str, kind, mode, body: &[u8]| {
        tar.append_pax_extensions([("mtime", b"1700000000.123456789".as_slice())]).unwrap();
        tar.append_data(&mut header(kind, mode, body.len()), name, body).unwrap();
    };
    add("d/", E::Directory, 0o755, b"");
    add("d/f", E::Regular, 0o644, b"content");
    add("d/g", E::Regular, 0o600, b"content");
    add("empty", E::Regular, 0o644, b"");
    add("empty2", E::Regular, 0o644, b"");
    add("fifo", E::Fifo, 0o644, b"");
    for (name, kind, link) in [("d/h", E::Link, "d/f"), ("s", E::Symlink, "d/f")] {
        let mut header = header(kind, 0o777, 0);
        tar.append_link(&mut header, name, link).unwrap();
    }
    tar.into_inner().unwrap()
}

fn extract(tar: &[u8]) -> TempDir {
    let dir = TempDir::new().unwrap();
    let root = dir.path().join("tree");
    fs::create_dir(&root).unwrap();
    fs::write(dir.path().join("tar"), tar).unwrap();
    let status = Command::new("tar")
        .args(["--delay-directory-restore", "-xpf", "../tar"])
        .current_dir(&root)
        .status()
        .unwrap();
    assert!(status.success());
    // As if listed nowhere.
    touch(&root, 0, 0);
    fs::set_permissions(&root, PermissionsExt::from_mode(0o755)).unwrap();
    dir
}

fn touch(path: &Path, seconds: i64, nanoseconds: i64) {
    let time = rustix::fs::Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, flags).unwrap();
}

/// Keeps a directory's time while `change` works in it.
fn within(dir: &Path, change: impl FnOnce()) {
    let stat = fs::metadata(dir).unwrap();
    change();
    use std::os::unix::fs::MetadataExt as _;
    touch(dir, stat.mtime(), stat.mtime_nsec());
}

/// The root's owner is ours here where it should be root's.
fn aspects(differences: &[super::Difference]) -> Vec<(String, &'static str)> {
    let ours = |d: &&super::Difference| !(d.path.is_empty() && matches!(d.aspect, "uid" | "gid"));
    differences.iter().filter(ours).map(|d| (d.path.clone(), d.aspect)).collect()
}

#[test]
fn a_right_tree_has_no_differences() {
    let dir = extract(&sample());
    assert_eq!(aspects(&compare_tree(&dir.path().join("tree"), &sample())), []);
}

#[test]
fn each_kind_of_difference_is_found() {
    type Change = fn(&Path);
    let table: [(&str, &str, Change); 16] = [
        ("d/f", "content", |root| {
            fs::write(root.join("d/f"), "contenT").unwrap();
            touch(&root.join("d/f"), T as i64, 123_456_789);
        }),
        ("d/g", "size", |root| {
            fs::write(root.join("d/g"), "longer content").unwrap();
            touch(&root.join("d/g"), T as i64, 123_456_789);
        }),
        ("d/g", "mode", |root| {
            fs::set_permissions(root.join("d/g"), PermissionsExt::from_mode(0o4600)).unwrap();
        }),
        ("d/g", "mtime", |root| touch(&root.join("d/g"), T as i64, 123_456_788)),
        ("s", "mtime", |root| touch(&root.join("s"), T as i64 + 1, 0)),
        ("d", "mtime", |root| touch(&root.join("d"), T as i64, 0)),
        ("", "mtime", |root| touch(root, 1, 0)),
        ("fifo", "presence", |root| within(root, || fs::remove_file(root.join("fifo")).unwrap())),
        ("d/new", "presence", |root| within(&root.join("d"), || fs::write(root.join("d/new"), "").unwrap())),
        ("s", "link", |root| {
            within(root, || {
                fs::remove_file(root.join("s")).unwrap();
                symlink("d/g", root.join("s")).unwrap();
            });
            touch(&root.join("s"), T as i64, 0);
        }),
        ("fifo", "type", |root| {
            within(root, || {
                fs::remove_file(root.join("fifo")).unwrap();
                fs::write(root.join("fifo"), "").unwrap();
            });
        }),
        ("d/h", "hard link", |root| {
            within(&root.join("d"), || {
                fs::remove_file(root.join("d/h")).unwrap();
                fs::copy(root.join("d/f"), root.join("d/h")).unwrap();
            });
            touch(&root.join("d/h"), T as i64, 123_456_789);
        }),
        ("empty2", "hard link", |root| {
            within(root, || {
                fs::remove_file(root.join("empty2")).unwrap();
                fs::hard_link(root.join("empty"), root.join("empty2")).unwrap();
            });
        }),
        ("d/g", "xattr", |root| set_xattr(&root.join("d/g"), "user.extra")),
        ("d", "xattr", |root| set_xattr(&root.join("d"), "user.extra")),
        ("", "mode", |root| fs::set_permissions(root, PermissionsExt::from_mode(0o700)).unwrap()),
    ];
    for (path, aspect, change) in table {
        let dir = extract(&sample());
        let tree = dir.path().join("tree");
        change(&tree);
        let found = aspects(&compare_tree(&tree, &sample()));
        assert!(found.contains(&(path.to_owned(), aspect)), "{path} {aspect}: {found:?}");
        let others = found.iter().filter(|(other, _)| other != path && other != "d/f" && other != "d/h");
        assert_eq!(others.count(), 0, "{path} {aspect}: {found:?}");
    }
}

#[test]
fn owners_and_devices_are_compared() {
    let mut tar = tar::Builder::new(Vec::new());
    let mut of = |name: &str, uid, kind, device: (u32, u32)| {
        let mut header = header(kind, 0o644, 0);
        header.set_uid(uid);
        header.set_device_major(device.0).unwrap();
        header.set_device_minor(device.1).unwrap();
        tar.append_data(&mut header, name, [].as_slice()).unwrap();
    };
    of("mine", 1, tar::EntryType::Regular, (0, 0));
    of("null", 0, tar::EntryType::Char, (1, 3));
    let tar = tar.into_inner().unwrap();
    if !is_root() {
        return; // Only root can extract these.
    }
    let dir = extract(&tar);
    let tree = dir.path().join("tree");
    assert_eq!(compare_tree(&tree, &tar), []);
    std::os::unix::fs::lchown(tree.join("mine"), Some(2), None).unwrap();
    assert_eq!(aspects(&compare_tree(&tree, &tar)), [("mine".to_owned(), "uid")]);
    let noted = compare_tree_by(&tree, &tar, Rules::Unprivileged(2, 0));
    assert!(
        noted.iter().any(|d| d.path == "mine" && d.aspect == "xattr" && d.expected.contains("1:0:0644:file"))
    );
}

#[test]
fn whiteouts_must_be_in_overlay_form() {
    let mut tar = tar::Builder::new(Vec::new());
    for name in ["d/.wh.gone", "d/.wh..wh..opq", "d/kept"] {
        tar.append_data(&mut header(tar::EntryType::Regular, 0o644, 0), name, [].as_slice()).unwrap();
    }
    let tar = tar.into_inner().unwrap();
    let dir = extract(&tar);
    let found = aspects(&compare_tree(&dir.path().join("tree"), &tar));
    for expected in
        [("d", "xattr"), ("d/gone", "presence"), ("d/.wh.gone", "presence"), ("d/.wh..wh..opq", "presence")]
    {
        assert!(found.contains(&(expected.0.to_owned(), expected.1)), "{expected:?}: {found:?}");
    }
}

#[test]
fn two_directories() {
    let (left, right) = (extract(&sample()), extract(&sample()));
    let (left, right) = (left.path().join("tree"), right.path().join("tree"));
    assert_eq!(compare_dirs(&left, &right, i64::MAX), []);
    touch(&left.join("d"), 7, 0);
    assert_eq!(aspects(&compare_dirs(&left, &right, i64::MAX)), [("d".to_owned(), "mtime")]);
    assert_eq!(compare_dirs(&left, &right, T as i64), [], "a directory made since then was never listed");
}

fn set_xattr(path: &Path, name: &str) {
    rustix::fs::setxattr(path, name, b"x", rustix::fs::XattrFlags::empty()).unwrap();
}
