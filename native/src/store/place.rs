//! Putting a held content into a tree: the cheapest way the file system allows, and which one it was.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, SeekFrom, Stat};
use rustix::io::Errno;
use shingle_core::{LinkMode, Member, Method, Refusal, Timestamp};

use super::StoreError;
use super::attrs;
use super::error::at;
use super::materialise::{TreeRoot, path};
use crate::count;

const BUFFER: usize = 256 * 1024;

/// How files came into a tree; counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Placed {
    /// Files that are another name of an inode already held.
    pub hardlinked: u64,
    /// Files that share the extents of one.
    pub reflinked: u64,
    /// Files copied from one.
    pub copied: u64,
    /// Files written, in whole or in part, from what was fetched.
    pub written: u64,
    /// All regular files, empty ones included.
    pub total: u64,
}

/// Links, reflinks or copies donors into one tree.
#[derive(Debug)]
pub(crate) struct Placer {
    mode: LinkMode,
    strict: bool,
    /// Set once the file system said that it has none, so that it is not asked for every file.
    no_reflink: AtomicBool,
    hardlinked: AtomicU64,
    reflinked: AtomicU64,
    copied: AtomicU64,
    /// Bytes of new content on disk.
    pub(crate) bytes_added: AtomicU64,
}

/// An existing file that has the content wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Donor<'a> {
    pub(crate) dir: BorrowedFd<'a>,
    pub(crate) path: &'a [u8],
    /// Whether its metadata are said to be those wanted.
    pub(crate) same_class: bool,
}

/// What became of a file that was to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is there.
    Placed(Method),
    /// The donor is gone, or is not what the index says.
    NoDonor,
}

impl Placer {
    pub(crate) fn new(mode: LinkMode, strict: bool) -> Self {
        Self {
            mode,
            strict,
            no_reflink: AtomicBool::new(false),
            hardlinked: AtomicU64::new(0),
            reflinked: AtomicU64::new(0),
            copied: AtomicU64::new(0),
            bytes_added: AtomicU64::new(0),
        }
    }

    /// Returns what is tried first.
    pub(crate) fn first(&self, same_class: bool) -> Method {
        match self.mode.first(same_class) {
            Method::Reflink if self.no_reflink.load(Ordering::Relaxed) => Method::Copy,
            method => method,
        }
    }

    /// Returns the counts so far; files written are not this type's to count.
    pub(crate) fn placed(&self) -> Placed {
        Placed {
            hardlinked: self.hardlinked.load(Ordering::Relaxed),
            reflinked: self.reflinked.load(Ordering::Relaxed),
            copied: self.copied.load(Ordering::Relaxed),
            ..Placed::default()
        }
    }

    /// Makes `name` in `parent` a file with the donor's content and the member's metadata.
    pub(crate) fn place(
        &self,
        root: &TreeRoot,
        donor: Donor<'_>,
        parent: BorrowedFd<'_>,
        name: &[u8],
        member: &Member,
    ) -> Result<Outcome, StoreError> {
        let mut method = self.mode.first(donor.same_class);
        loop {
            let tried = match method {
                Method::Hardlink => self.hardlink(root, donor, parent, name, member),
                Method::Reflink if self.no_reflink.load(Ordering::Relaxed) => Err(Errno::OPNOTSUPP),
                Method::Reflink => clone_of(root, donor, parent, name, member, Method::Reflink),
                Method::Copy => clone_of(root, donor, parent, name, member, Method::Copy),
            };
            let errno = match tried {
                Ok(Outcome::Placed(done)) => {
                    self.count(done, member.size);
                    return Ok(Outcome::Placed(done));
                }
                // The inode is not what the class says; its content may still be.
                Ok(Outcome::NoDonor) if method == Method::Hardlink => {
                    method = Method::Reflink;
                    continue;
                }
                Ok(Outcome::NoDonor) | Err(Errno::NOENT) => return Ok(Outcome::NoDonor),
                Err(errno) => errno,
            };
            let weaker =
                refusal(method, errno).and_then(|refusal| self.mode.after(method, refusal, self.strict));
            if method == Method::Reflink && matches!(refusal(method, errno), Some(Refusal::NotSupported)) {
                self.no_reflink.store(true, Ordering::Relaxed);
            }
            let Some(weaker) = weaker else {
                let operation = match method {
                    Method::Hardlink => "hard-link",
                    Method::Reflink => "reflink",
                    Method::Copy => "copy",
                };
                return Err(at(operation, path(&member_path(member)))(errno));
            };
            method = weaker;
        }
    }

    fn count(&self, method: Method, size: u64) {
        let counter = match method {
            Method::Hardlink => &self.hardlinked,
            Method::Reflink => &self.reflinked,
            Method::Copy => {
                self.bytes_added.fetch_add(size, Ordering::Relaxed);
                &self.copied
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn hardlink(
        &self,
        root: &TreeRoot,
        donor: Donor<'_>,
        parent: BorrowedFd<'_>,
        name: &[u8],
        member: &Member,
    ) -> Result<Outcome, Errno> {
        fs::linkat(donor.dir, donor.path, parent, name, AtFlags::empty())?;
        // Metadata are not proven by any digest, and the inode has other names that somebody may have used.
        let stat = fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if has_metadata(&stat, member, root) && attrs::has_xattrs(parent, name, member, root.privilege())? {
            return Ok(Outcome::Placed(Method::Hardlink));
        }
        fs::unlinkat(parent, name, AtFlags::empty())?;
        Ok(Outcome::NoDonor)
    }
}

/// Makes a new inode with the donor's content.
fn clone_of(
    root: &TreeRoot,
    donor: Donor<'_>,
    parent: BorrowedFd<'_>,
    name: &[u8],
    member: &Member,
    method: Method,
) -> Result<Outcome, Errno> {
    let source = match open_donor(donor.dir, donor.path) {
        Err(errno) if is_no_donor(errno) => return Ok(Outcome::NoDonor),
        source => source?,
    };
    let stat = fs::fstat(&source)?;
    if !is_regular(&stat) || u64::try_from(stat.st_size) != Ok(member.size) {
        return Ok(Outcome::NoDonor);
    }
    let target = root.create(parent, name, member)?;
    let result = match method {
        Method::Reflink => fs::ioctl_ficlone(&target, &source).map(|()| true),
        Method::Hardlink | Method::Copy => copy(source.as_fd(), target.as_fd(), member.size),
    };
    let result = result.and_then(|copied| {
        if copied {
            attrs::apply(&target, member, root.privilege(), &root.withheld, true)?;
        }
        Ok(copied)
    });
    if !matches!(result, Ok(true)) {
        drop(target);
        // Half-made; the next method or donor makes it again.
        fs::unlinkat(parent, name, AtFlags::empty())?;
    }
    Ok(if result? { Outcome::Placed(method) } else { Outcome::NoDonor })
}

/// Whether an error of opening a donor says that it is gone, or no file that can be read; anything else may be our own
/// trouble.
pub(super) fn is_no_donor(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::ACCESS | Errno::IO)
}

pub(super) fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

/// Opens a file to read its content, following nothing and waiting for nobody.
pub(crate) fn open_donor(dir: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    fs::openat(dir, path, flags | OFlags::NOATIME, Mode::empty()).or_else(|errno| match errno {
        // Only the owner may leave the access time alone.
        Errno::PERM => fs::openat(dir, path, flags, Mode::empty()),
        errno => Err(errno),
    })
}

/// Copies a file byte by byte, leaving its holes holes; `false` when the source cannot be read to its end.
///
/// Not `copy_file_range`: that may share extents, and a copy is asked for by those who do not want that.
fn copy(source: BorrowedFd<'_>, target: BorrowedFd<'_>, size: u64) -> Result<bool, Errno> {
    let mut buffer = vec![0; usize::try_from(size).unwrap_or(BUFFER).clamp(1, BUFFER)];
    let mut at = 0;
    while at < size {
        let data = match fs::seek(source, SeekFrom::Data(at)) {
            Ok(data) => data,
            // Only a hole is left.
            Err(Errno::NXIO) => break,
            Err(Errno::INVAL | Errno::OPNOTSUPP) => at,
            Err(errno) => return Err(errno),
        };
        let end = fs::seek(source, SeekFrom::Hole(data)).unwrap_or(size).min(size);
        at = data;
        while at < end {
            let want = usize::try_from(end - at).unwrap_or(BUFFER).min(buffer.len());
            let read = match rustix::io::pread(source, buffer.get_mut(..want).unwrap_or_default(), at) {
                Ok(0) | Err(Errno::IO) => return Ok(false),
                read => read?,
            };
            write_all_at(target, buffer.get(..read).unwrap_or_default(), at)?;
            at += count(read);
        }
    }
    fs::ftruncate(target, size)?;
    Ok(true)
}

/// Writes all bytes at an offset.
pub(crate) fn write_all_at(file: BorrowedFd<'_>, mut bytes: &[u8], mut offset: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::pwrite(file, bytes, offset) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or_default();
                offset += count(written);
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Whether an inode has exactly the metadata that a member asks for, as far as one call tells.
fn has_metadata(stat: &Stat, member: &Member, root: &TreeRoot) -> bool {
    let mtime = member.mtime.unwrap_or(Timestamp::EPOCH);
    let owners = !root.privilege().root
        || (u64::from(stat.st_uid), u64::from(stat.st_gid)) == (member.uid, member.gid);
    let mode = attrs::file_mode(member, root.privilege());
    owners
        && is_regular(stat)
        && u64::try_from(stat.st_size) == Ok(member.size)
        && stat.st_mode & 0o7777 == mode
        && (stat.st_mtime, u64::from(mtime.nanoseconds)) == (mtime.seconds, stat.st_mtime_nsec)
}

/// Tells "not here" from "broken": only named errors make a weaker method worth trying.
fn refusal(method: Method, errno: Errno) -> Option<Refusal> {
    match (method, errno) {
        (Method::Copy, _) => None,
        (_, Errno::XDEV) => Some(Refusal::CrossDevice),
        (Method::Hardlink, Errno::MLINK) => Some(Refusal::TooManyLinks),
        (Method::Hardlink, Errno::PERM) => Some(Refusal::NotPermitted),
        (Method::Hardlink, Errno::OPNOTSUPP) => Some(Refusal::NotSupported),
        // What file systems without reflinks say, each its own way; a swap file or another block size also says INVAL.
        (Method::Reflink, Errno::OPNOTSUPP | Errno::NOTTY | Errno::INVAL | Errno::NOSYS) => {
            Some(Refusal::NotSupported)
        }
        _ => None,
    }
}

fn member_path(member: &Member) -> Vec<u8> {
    member.name.as_bytes().to_vec()
}
