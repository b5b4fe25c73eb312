//! A member's metadata on a file.
//!
//! Order matters: changing the owner clears setuid and file capabilities, so it comes first; xattrs on one's own file
//! need write permission, so they come before the mode; times come last, for everything else moves them.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{self, AtFlags, Mode, Timespec, Timestamps, UTIME_OMIT, XattrFlags};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use shingle_core::{Kind, Member, Timestamp};

use super::privilege::Privilege;

/// What could not be given to files as the layer says it, for want of privilege or of a file system that can.
///
/// Nothing of it is lost: the layer's record in the store has it.
#[derive(Debug, Default)]
pub(crate) struct Withheld {
    pub(crate) owners: AtomicU64,
    pub(crate) devices: AtomicU64,
    pub(crate) xattrs: AtomicU64,
}

impl Withheld {
    fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The mode that a new file should be opened with.
///
/// Root opens it with the final one, which is right at once for most files. Anybody else must be able to write the
/// file's xattrs until [`apply`] closes it.
pub(crate) fn open_mode(member: &Member, privilege: Privilege) -> Mode {
    if privilege.root { Mode::from_raw_mode(member.mode & 0o777) } else { Mode::RUSR | Mode::WUSR }
}

/// The mode that a file gets: the member's, plus what its owner needs to read it back where we are not root.
pub(crate) fn file_mode(member: &Member, privilege: Privilege) -> u32 {
    let needed = match (privilege.root, member.kind) {
        (true, _) => 0,
        (false, Kind::Directory) => 0o700,
        (false, _) => 0o400,
    };
    member.mode & 0o7777 | needed
}

/// Applies a member's metadata to an open regular file or directory.
///
/// `fresh` says that the file was just made with [`open_mode`], so that calls which change nothing can be left out.
pub(crate) fn apply(
    file: impl AsFd,
    member: &Member,
    privilege: Privilege,
    withheld: &Withheld,
    fresh: bool,
) -> Result<(), Errno> {
    let file = file.as_fd();
    let owned = (member.uid, member.gid) == (u64::from(privilege.uid), u64::from(privilege.gid));
    let mode = file_mode(member, privilege);
    let mut exact = fresh && privilege.root && mode & (privilege.umask | !0o777) == 0;
    let mut noted = !privilege.root && (!owned || mode != member.mode & 0o7777);
    if privilege.root && !(owned && fresh) {
        let (uid, gid) = owner(member).ok_or(Errno::INVAL)?;
        exact = false;
        noted = is_unmapped(fs::fchown(file, Some(uid), Some(gid)))?;
    }
    for (name, value) in &member.xattrs {
        if applies(name) {
            let result = fs::fsetxattr(file, xattr_name(name), value, XattrFlags::empty());
            set(result, file, privilege, withheld)?;
        }
    }
    if noted {
        Withheld::count(&withheld.owners);
        // After what the layer calls so itself.
        override_stat(file, member, withheld)?;
    }
    if !exact {
        fs::fchmod(file, Mode::from_raw_mode(mode))?;
    }
    fs::futimens(file, &times(member))
}

/// Applies a member's metadata to a symbolic link, device or named pipe, which cannot be opened.
pub(crate) fn apply_at(
    parent: impl AsFd,
    name: &[u8],
    member: &Member,
    privilege: Privilege,
    withheld: &Withheld,
) -> Result<(), Errno> {
    let parent = parent.as_fd();
    let owned = (member.uid, member.gid) == (u64::from(privilege.uid), u64::from(privilege.gid));
    if privilege.root {
        let (uid, gid) = owner(member).ok_or(Errno::INVAL)?;
        if is_unmapped(fs::chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW))? {
            Withheld::count(&withheld.owners);
        }
    } else if !owned {
        // Neither links nor pipes can carry `user.` xattrs.
        Withheld::count(&withheld.owners);
    }
    for (key, value) in member.xattrs.iter().filter(|(key, _)| applies(key)) {
        let path = magic_path(parent, name);
        let result = fs::lsetxattr(path.as_slice(), xattr_name(key), value, XattrFlags::empty());
        set(result, parent, privilege, withheld)?;
    }
    if member.kind != Kind::Symlink {
        fs::chmodat(parent, name, Mode::from_raw_mode(member.mode & 0o7777), AtFlags::empty())?;
    }
    fs::utimensat(parent, name, &times(member), AtFlags::SYMLINK_NOFOLLOW)
}

/// Whether an owner cannot be given because root here is root of a user namespace that has no such number.
fn is_unmapped(chown: Result<(), Errno>) -> Result<bool, Errno> {
    match chown {
        Ok(()) => Ok(false),
        Err(Errno::INVAL | Errno::PERM) => Ok(true),
        Err(errno) => Err(errno),
    }
}

/// Marks a directory that hides what is below it, where overlayfs looks: in `trusted.`, or in `user.` for mounts by
/// those who may not write the former, root of a container among them.
pub(crate) fn mark_opaque(dir: BorrowedFd<'_>, privilege: Privilege) -> Result<(), Errno> {
    let mark = |name: &str| fs::fsetxattr(dir, name, b"y", XattrFlags::empty());
    match if privilege.root { mark("trusted.overlay.opaque") } else { Err(Errno::PERM) } {
        Err(Errno::PERM) => mark("user.overlay.opaque"),
        marked => marked,
    }
}

/// Whether a name has the xattrs that a member asks for, and none besides but what the host itself puts on files.
pub(crate) fn has_xattrs(
    parent: BorrowedFd<'_>,
    name: &[u8],
    member: &Member,
    privilege: Privilege,
) -> Result<bool, Errno> {
    let path = magic_path(parent, name);
    let mut list = [0; 1024];
    let listed = match fs::llistxattr(path.as_slice(), &mut list) {
        Ok(len) => list.get(..len).unwrap_or_default(),
        Err(Errno::OPNOTSUPP) => &[],
        // More names than any honest layer has: a file of its own is always right.
        Err(Errno::RANGE) => return Ok(false),
        Err(errno) => return Err(errno),
    };
    let mut wanted = member.xattrs.iter().filter(|(name, _)| applies(name)).count();
    for name in listed.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let Some(value) = member.xattrs.get(name).filter(|_| applies(name)) else {
            let ours = !privilege.root && name == b"user.containers.override_stat";
            if ours || is_hosts(name) {
                continue;
            }
            return Ok(false);
        };
        let mut actual = vec![0; value.len() + 1];
        let len = fs::lgetxattr(path.as_slice(), xattr_name(name), &mut actual).unwrap_or(usize::MAX);
        if actual.get(..len) != Some(value) {
            return Ok(false);
        }
        wanted -= 1;
    }
    Ok(wanted == 0)
}

/// Whether the host itself puts an xattr on files: labels, measurements.
fn is_hosts(name: &[u8]) -> bool {
    matches!(name, b"security.selinux" | b"security.ima" | b"security.evm" | b"security.SMACK64")
}

/// Notes the real owner and mode where rootless podman and fuse-overlayfs look for them: `uid:gid:mode:type`.
pub(crate) fn override_stat(file: BorrowedFd<'_>, member: &Member, withheld: &Withheld) -> Result<(), Errno> {
    let kind = match member.kind {
        Kind::Directory => "dir".to_owned(),
        Kind::Block => format!("block-{}-{}", member.dev_major, member.dev_minor),
        Kind::Char => format!("char-{}-{}", member.dev_major, member.dev_minor),
        Kind::Fifo | Kind::Hardlink | Kind::Regular | Kind::Symlink => "file".to_owned(),
    };
    let value = format!("{}:{}:{:04o}:{kind}", member.uid, member.gid, member.mode & 0o7777);
    match fs::fsetxattr(file, "user.containers.override_stat", value.as_bytes(), XattrFlags::empty()) {
        Err(Errno::OPNOTSUPP | Errno::NOSPC | Errno::PERM) => {
            Withheld::count(&withheld.xattrs);
            Ok(())
        }
        other => other,
    }
}

/// Makes a directory of ours pass nothing on to what is made in it: a group by its setgid bit, or a default ACL, which
/// it may have from the directory above. [`apply`] leaves out calls that such a file would need.
pub(crate) fn make_neutral(dir: BorrowedFd<'_>, privilege: Privilege) -> Result<(), Errno> {
    fs::fchown(dir, None, Some(Gid::from_raw(privilege.gid)))?;
    fs::fchmod(dir, Mode::RWXU)?;
    match fs::fremovexattr(dir, "system.posix_acl_default") {
        Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Whether a layer may set an xattr.
///
/// Labels belong to the host's policy (the reference leaves them out too). What overlayfs keeps for itself would let
/// a layer point into other layers; it stays in the record.
fn applies(name: &[u8]) -> bool {
    name != b"security.selinux"
        && !name.starts_with(b"trusted.overlay.")
        && !name.starts_with(b"user.overlay.")
}

/// Takes the result of setting an xattr. GNU tar warns where one cannot be set, and goes on; so does this.
fn set(
    result: Result<(), Errno>,
    near: BorrowedFd<'_>,
    privilege: Privilege,
    withheld: &Withheld,
) -> Result<(), Errno> {
    match result {
        // Not on this file system, or not for this kind of file (`user.` on links and devices), or not for us.
        Err(Errno::OPNOTSUPP | Errno::PERM) => {}
        Err(Errno::ACCESS) if !privilege.root => {}
        // A value that the kernel does not understand (capabilities, ACLs), or longer than the file system can hold.
        Err(Errno::INVAL | Errno::RANGE | Errno::TOOBIG) => {}
        // No room in the inode (ext4 has one block for all xattrs); a disk without room is something else.
        Err(Errno::NOSPC) if fs::fstatvfs(near).is_ok_and(|disk| disk.f_bavail > 0) => {}
        other => return other,
    }
    Withheld::count(&withheld.xattrs);
    Ok(())
}

fn xattr_name(name: &[u8]) -> std::ffi::CString {
    // A name with a NUL in it never passed the TOC parser's or the PAX reader's doors; it would be cut here.
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    std::ffi::CString::new(name.get(..end).unwrap_or_default()).unwrap_or_default()
}

/// A path to a name in an open directory, for the calls that have no `at` form.
fn magic_path(parent: BorrowedFd<'_>, name: &[u8]) -> Vec<u8> {
    let mut path = format!("/proc/self/fd/{}/", parent.as_raw_fd()).into_bytes();
    path.extend_from_slice(name);
    path
}

fn owner(member: &Member) -> Option<(Uid, Gid)> {
    // The largest number means "leave as it is" to the kernel.
    let number = |value: u64| u32::try_from(value).ok().filter(|value| *value != u32::MAX);
    Some((Uid::from_raw(number(member.uid)?), Gid::from_raw(number(member.gid)?)))
}

pub(crate) fn times(member: &Member) -> Timestamps {
    let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let spec = |time: Timestamp| Timespec { tv_sec: time.seconds, tv_nsec: time.nanoseconds.into() };
    Timestamps {
        last_access: member.atime.map_or(omit, spec),
        last_modification: spec(member.mtime.unwrap_or(Timestamp::EPOCH)),
    }
}
