//! What ends up in a layer's tree.

use super::*;

#[test]
fn a_replaced_member_whose_content_is_held() {
    let old = noise(1, 5000);
    let first = plain(&[file("x", &old)]);
    let members =
        [file("a", &old), file("b", b"twice"), file("b", &old), file("c", b"twice"), file("c", b"new")];
    for second in [plain(&members), zstd_chunked(&members)] {
        let members = [file("a", b"alone"), file("a", b"alone"), file("a", b"last")];
        let third = plain(&members);
        let scene = Scene::new(&[&[&first], &[&second], &[&third]]);
        scene.pull(0);
        scene.pull(1);
        scene.pull(2);
        let read = |path: &str| std::fs::read(scene.tree(&second).join(path)).unwrap();
        assert_eq!((read("a"), read("b"), read("c")), (old.clone(), old.clone(), b"new".to_vec()));
        assert_eq!(std::fs::read(scene.tree(&third).join("a")).unwrap(), b"last");
    }
}

/// A chunk over the limit is lent in pieces, to each of its places in turn.
#[test]
fn a_long_chunk_that_is_a_file_too() {
    let (long, more) = (noise(2, 3 << 20), noise(3, 1000));
    let layer = zstd_chunked(&[file("alone", &long), chunked("longer", &[&long, &more])]);
    let scene = Scene::new(&[&[&layer]]);
    let report = scene.pull(0);
    assert_eq!(report.layers[0].why, None);
    assert!(std::fs::read(scene.tree(&layer).join("alone")).unwrap() == long);
    assert!(std::fs::read(scene.tree(&layer).join("longer")).unwrap() == [long, more].concat());
}

/// A directory's setgid bit and its default ACL pass to what is made in it, and on.
#[test]
fn what_lies_above_the_store_does_not_show() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    let layer = zstd_chunked(&[dir("d"), file("d/a", b"content"), file("e", b"")]);
    let scene = Scene::new(&[&[&layer]]);
    let above = scene.directory.path();
    // Another group, where this process may name one.
    let _mine_only = chown(above, None, Some(1234));
    std::fs::set_permissions(above, std::fs::Permissions::from_mode(0o2755)).unwrap();
    // Version 2; then tag, permissions and id of: owner, user 1234, group, mask, others.
    let entries: [(u16, u16, u32); 5] =
        [(1, 7, u32::MAX), (2, 7, 1234), (4, 7, u32::MAX), (16, 7, u32::MAX), (32, 7, u32::MAX)];
    let mut acl = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        acl.extend(tag.to_le_bytes().into_iter().chain(permissions.to_le_bytes()).chain(id.to_le_bytes()));
    }
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(above, "system.posix_acl_default", &acl, flags).unwrap();
    scene.pull(0);
    let group = rustix::process::getegid().as_raw();
    for (name, mode) in [("d", 0o755), ("d/a", 0o644), ("e", 0o644)] {
        let path = scene.tree(&layer).join(name);
        let metadata = path.metadata().unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.gid()), (mode, group), "{name}");
        let acl = rustix::fs::getxattr(&path, "system.posix_acl_access", &mut [0_u8; 100]);
        assert_eq!(acl, Err(rustix::io::Errno::NODATA), "{name}");
    }
}

/// The system call would take 4104:0 for 8:0, a disk.
#[test]
fn a_device_number_that_linux_does_not_have() {
    let layer = zstd_chunked(&[device("sda", 0x1008, 0)]);
    let scene = Scene::new(&[&[&layer]]);
    if scene.store().is_privileged() {
        scene.try_pull(0).unwrap_err();
        assert!(!scene.tree(&layer).exists());
    }
}

/// A donor is a claim; whatever became of it, its content is fetched instead.
#[test]
fn donors_that_are_no_files_any_more() {
    let content = noise(5, 100);
    let first = zstd_chunked(&[file("a", &content)]);
    let second = zstd_chunked(&[file("b", &content)]);
    for mode in [LinkMode::Hardlink, LinkMode::Reflink, LinkMode::Copy] {
        for what in ["changed", "directory", "gone", "link", "pipe", "short"] {
            for second in [&second, &plain(&[file("b", &content)])] {
                let scene = Scene::new(&[&[&first], &[second]]).linking(mode);
                scene.pull(0);
                let object = scene.root().join("objects").join(scene.objects().remove(0));
                std::fs::remove_file(&object).unwrap();
                match what {
                    "changed" => std::fs::write(&object, noise(6, 100)).unwrap(),
                    "directory" => std::fs::create_dir(&object).unwrap(),
                    "link" => std::os::unix::fs::symlink("n".repeat(100), &object).unwrap(),
                    "pipe" => rustix::fs::mknodat(
                        rustix::fs::CWD,
                        &object,
                        rustix::fs::FileType::Fifo,
                        rustix::fs::Mode::RUSR,
                        0,
                    )
                    .unwrap(),
                    "short" => std::fs::write(&object, b"content").unwrap(),
                    _ => {}
                }
                let report = scene.pull(1);
                assert_eq!(report.layers[0].files.written, 1, "{mode} {what}");
                assert_eq!(report.layers[0].reused_bytes, 0, "{mode} {what}");
                assert_eq!(report.store_bytes_added, 100, "{mode} {what}");
                assert_eq!(std::fs::read(scene.tree(second).join("b")).unwrap(), content, "{mode} {what}");
            }
        }
    }
}

/// Without root the store's owner keeps a way in; what the layer says is noted.
#[test]
fn modes_that_shut_the_owner_out() {
    use std::os::unix::fs::MetadataExt as _;
    let with = |mode, made: scene::Made| scene::Made { mode, ..made };
    let members = |name| {
        [
            with(0o000, dir("d")),
            with(0o555, dir("d/e")),
            with(0o4111, file("d/e/setuid", b"content")),
            with(0o000, file("d/e/shut", &noise(10, 3000))),
            with(0o222, file(name, b"")),
        ]
    };
    let (first, second) = (zstd_chunked(&members("g")), zstd_chunked(&members("h")));
    let third = plain(&members("i"));
    let scene = Scene::new(&[&[&first], &[&second], &[&third]]);
    for tag in [0, 1, 2] {
        scene.pull(tag);
    }
    let store = scene.store();
    let more = |bits| if store.is_privileged() { 0 } else { bits };
    for (layer, empty) in [(&first, "g"), (&second, "h"), (&third, "i")] {
        let mode = |name: &str| scene.tree(layer).join(name).metadata().unwrap().mode() & 0o7777;
        assert_eq!((mode("d"), mode("d/e")), (more(0o700), 0o555 | more(0o700)));
        assert_eq!((mode("d/e/setuid"), mode("d/e/shut")), (0o4111 | more(0o400), more(0o400)));
        assert_eq!(mode(empty), 0o222 | more(0o400));
    }
    assert_eq!(scene.objects().len(), 2);
    for tag in [0, 1, 2] {
        assert!(store.remove_image(&scene.reference(tag).to_string()).unwrap());
    }
    assert_eq!(store.collect().unwrap().layers, 3);
    assert_eq!(std::fs::read_dir(scene.root().join("staging")).unwrap().count(), 0);
}
