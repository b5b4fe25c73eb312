//! Making a tree: directories, links, devices and whiteouts. Contents come through [`super::Placer`] and fetches.
//!
//! A layout holds no path that leads through a link, so names are made below directories of our own making, and
//! nothing is resolved that somebody else put there.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use shingle_core::{Kind, Member, Name, Timestamp, Toc, Xattrs};

use super::attrs::{self, Withheld};
use super::error::at;
use super::layout::{Layout, Spot, member};
use super::privilege::Privilege;
use super::{Store, StoreError};

/// What removals look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a tree is stacked or stands alone")]
pub enum Form {
    /// As overlayfs wants them in a lower layer.
    Overlay,
    /// Not at all: the tree is complete in itself.
    Plain,
}

/// The directory that a tree is made in.
#[derive(Debug)]
pub(crate) struct TreeRoot {
    dir: OwnedFd,
    privilege: Privilege,
    form: Form,
    pub(crate) withheld: Withheld,
}

/// A parent directory kept open, because files come in the order of their directories.
#[derive(Debug, Default)]
pub(crate) struct ParentCache {
    open: Option<(Vec<u8>, OwnedFd)>,
}

impl TreeRoot {
    /// Takes a directory that is ours, empty and neutral.
    pub(crate) fn new(store: &Store, dir: OwnedFd, form: Form) -> Self {
        Self { dir, privilege: store.privilege(), form, withheld: Withheld::default() }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    pub(crate) const fn privilege(&self) -> Privilege {
        self.privilege
    }

    /// Makes every directory, open to us alone until [`finish`](Self::finish).
    pub(crate) fn make_dirs(&self, layout: &Layout) -> Result<(), StoreError> {
        let mut parents = ParentCache::default();
        for spot in &layout.dirs {
            let (parent, name) = parents.split(self, &spot.path)?;
            fs::mkdirat(parent, name, Mode::RWXU).map_err(at("create", path(&spot.path)))?;
        }
        Ok(())
    }

    /// Makes empty files, symbolic links, devices, pipes and whiteouts.
    pub(crate) fn make_others(&self, layout: &Layout, tocs: &[Arc<Toc>]) -> Result<(), StoreError> {
        let mut parents = ParentCache::default();
        for spot in &layout.others {
            let Some(member) = spot.origin.and_then(|origin| member(tocs, origin)) else { continue };
            let (parent, name) = parents.split(self, &spot.path)?;
            self.make_other(parent, name, member).map_err(at("create", path(&spot.path)))?;
        }
        if self.form == Form::Overlay {
            for spot in &layout.whiteouts {
                let (parent, name) = parents.split(self, &spot.path)?;
                // A character device 0:0, which the kernel lets anybody make since 5.8.
                fs::mknodat(parent, name, FileType::CharacterDevice, Mode::empty(), 0)
                    .map_err(at("create whiteout", path(&spot.path)))?;
                if let Some(member) = spot.origin.and_then(|origin| member(tocs, origin)) {
                    let bare = Member { mode: 0, xattrs: Xattrs::new(), ..member.clone() };
                    attrs::apply_at(parent, name, &bare, self.privilege, &self.withheld)
                        .map_err(at("create whiteout", path(&spot.path)))?;
                }
            }
        }
        Ok(())
    }

    fn make_other(&self, parent: BorrowedFd<'_>, name: &[u8], member: &Member) -> Result<(), Errno> {
        let file_type = match member.kind {
            Kind::Symlink => {
                fs::symlinkat(member.link.as_bytes(), parent, name)?;
                return attrs::apply_at(parent, name, member, self.privilege, &self.withheld);
            }
            Kind::Block => FileType::BlockDevice,
            Kind::Char => FileType::CharacterDevice,
            Kind::Fifo => FileType::Fifo,
            Kind::Directory | Kind::Hardlink | Kind::Regular => {
                let file = self.create(parent, name, member)?;
                return attrs::apply(&file, member, self.privilege, &self.withheld, true);
            }
        };
        let device = match member.kind {
            Kind::Fifo => 0,
            _ => device(member)?,
        };
        match fs::mknodat(parent, name, file_type, Mode::RUSR | Mode::WUSR, device) {
            Ok(()) => attrs::apply_at(parent, name, member, self.privilege, &self.withheld),
            // Without the privilege an empty file stands in, and says what it stands for.
            Err(Errno::PERM) => {
                self.withheld.devices.fetch_add(1, Ordering::Relaxed);
                let file = self.create(parent, name, member)?;
                attrs::override_stat(file.as_fd(), member, &self.withheld)?;
                fs::futimens(&file, &attrs::times(member))
            }
            Err(errno) => Err(errno),
        }
    }

    /// Makes a regular file that is not there yet.
    pub(crate) fn create(
        &self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        member: &Member,
    ) -> Result<OwnedFd, Errno> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        fs::openat(parent, name, flags, attrs::open_mode(member, self.privilege))
    }

    /// Gives files their further names.
    pub(crate) fn make_links(&self, layout: &Layout) -> Result<(), StoreError> {
        for (from, to) in &layout.links {
            fs::linkat(&self.dir, &**from, &self.dir, &**to, AtFlags::empty())
                .map_err(at("link", path(to)))?;
        }
        Ok(())
    }

    /// Gives directories their metadata, the deepest first, and the root its own last: their times stand still only
    /// once nothing is made in them any more.
    pub(crate) fn finish(&self, layout: &Layout, tocs: &[Arc<Toc>]) -> Result<(), StoreError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for spot in layout.dirs.iter().rev() {
            let dir = fs::openat(&self.dir, &*spot.path, flags, Mode::empty())
                .map_err(at("open", path(&spot.path)))?;
            self.finish_dir(dir.as_fd(), spot, tocs).map_err(at("set metadata of", path(&spot.path)))?;
        }
        self.finish_dir(self.fd(), &layout.root, tocs).map_err(at("set metadata of", "/"))
    }

    fn finish_dir(&self, dir: BorrowedFd<'_>, spot: &Spot, tocs: &[Arc<Toc>]) -> Result<(), Errno> {
        if spot.opaque && self.form == Form::Overlay {
            attrs::mark_opaque(dir, self.privilege)?;
        }
        let never_listed = unlisted();
        let member = spot.origin.and_then(|origin| member(tocs, origin)).unwrap_or(&never_listed);
        attrs::apply(dir, member, self.privilege, &self.withheld, false)
    }
}

impl ParentCache {
    /// Opens the parent of a path, unless it is the one opened last, and splits the name off.
    pub(crate) fn split<'a, 'p>(
        &'a mut self,
        root: &TreeRoot,
        of: &'p [u8],
    ) -> Result<(BorrowedFd<'a>, &'p [u8]), StoreError> {
        let (parent, name) = match of.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (of.get(..slash).unwrap_or_default(), of.get(slash + 1..).unwrap_or_default()),
            None => (b".".as_slice(), of),
        };
        if self.open.as_ref().is_none_or(|(open, _)| open != parent) {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let dir =
                fs::openat(root.fd(), parent, flags, Mode::empty()).map_err(at("open", path(parent)))?;
            self.open = Some((parent.to_vec(), dir));
        }
        match &self.open {
            Some((_, dir)) => Ok((dir.as_fd(), name)),
            None => Err(StoreError::broken(path(of), "its directory was not opened")),
        }
    }
}

/// What a directory gets that no layer listed: what GNU tar gives it as root, but the same time everywhere.
fn unlisted() -> Member {
    Member {
        kind: Kind::Directory,
        name: Name::default(),
        link: Name::default(),
        mode: 0o755,
        size: 0,
        uid: 0,
        gid: 0,
        mtime: Some(Timestamp::EPOCH),
        atime: None,
        ctime: None,
        dev_major: 0,
        dev_minor: 0,
        xattrs: Xattrs::new(),
    }
}

/// Returns a device's number. Linux has 12 bits for the major and 20 for the minor part; the system call would cut a
/// longer one to that of another device.
fn device(member: &Member) -> Result<u64, Errno> {
    let part = |value: u64, bits: u32| u32::try_from(value).ok().filter(|value| value >> bits == 0);
    match (part(member.dev_major, 12), part(member.dev_minor, 20)) {
        (Some(major), Some(minor)) => Ok(fs::makedev(major, minor)),
        _ => Err(Errno::INVAL),
    }
}

pub(crate) fn path(bytes: &[u8]) -> &std::path::Path {
    use std::os::unix::ffi::OsStrExt;
    std::path::Path::new(std::ffi::OsStr::from_bytes(bytes))
}
