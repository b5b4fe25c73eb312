//! The regular files of a tree in the making: where each goes, and writing, finishing and reading them there.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;
use shingle_core::{Class, Digest, FileId, Hasher, HeldChunk, Member, Toc};

use super::error::at;
use super::materialise::{ParentCache, TreeRoot, path};
use super::place::{Donor, Outcome, Placer, is_no_donor, is_regular, open_donor, write_all_at};
use super::{Layout, Staging, Store, StoreError, attrs};
use crate::count;

const BUFFER: usize = 256 * 1024;
/// A file that grows beyond this gets blocks behind its end from XFS, which then stay: a longer one gets its length
/// before its bytes.
const PREALLOCATES: u64 = 64 * 1024;

/// The place of each entry's content in the tree; entries that a later one replaced have none.
#[derive(Debug)]
pub(crate) struct Sites {
    paths: Vec<Option<Box<[u8]>>>,
}

impl Sites {
    pub(crate) fn new(layout: &Layout, entries: usize) -> Self {
        let mut paths = vec![None; entries];
        for spot in &layout.files {
            let entry = spot.origin.and_then(|origin| usize::try_from(origin.entry).ok());
            if let Some(place) = entry.and_then(|entry| paths.get_mut(entry)) {
                *place = Some(spot.path.clone());
            }
        }
        Self { paths }
    }

    /// Returns the place of an entry's content.
    pub(crate) fn get(&self, entry: u32) -> Option<&[u8]> {
        self.paths.get(usize::try_from(entry).ok()?)?.as_deref()
    }
}

/// The files of one tree. Contents with no place in the tree go to `spare`, named by their entry's number: the tar
/// has them, so the proof needs them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contents<'a> {
    pub(crate) root: &'a TreeRoot,
    pub(crate) spare: &'a OwnedFd,
    pub(crate) sites: &'a Sites,
    pub(crate) toc: &'a Toc,
    pub(crate) staging: &'a Staging<'a>,
}

/// One thread's open parent directory and open file.
#[derive(Debug, Default)]
pub(crate) struct WriteCache {
    parents: ParentCache,
    file: Option<(FileId, OwnedFd)>,
}

impl WriteCache {
    /// Closes the file that is open.
    pub(crate) fn close(&mut self) {
        self.file = None;
    }
}

impl<'a> Contents<'a> {
    fn member(&self, file: FileId) -> Result<&'a Member, StoreError> {
        let entry = self.toc.file(file);
        entry
            .map(|entry| entry.member())
            .ok_or_else(|| StoreError::broken("tree", "a file that no TOC lists"))
    }

    /// Makes an error that names a file.
    pub(crate) fn error(&self, operation: &'static str, file: FileId, errno: Errno) -> StoreError {
        let name = self.toc.file(file).map(|entry| entry.member().name.as_bytes()).unwrap_or_default();
        at(operation, path(name))(errno)
    }

    /// Whether a file is in the tree; if not, a later member of the tar replaced it.
    pub(crate) fn is_in_tree(&self, file: FileId) -> bool {
        self.sites.paths.get(file.index()).is_some_and(Option::is_some)
    }

    /// Returns where a file is: a directory and a path in it.
    pub(crate) fn place_of(&self, file: FileId) -> (BorrowedFd<'a>, Vec<u8>) {
        match self.sites.paths.get(file.index()).and_then(Option::as_ref) {
            Some(path) => (self.root.fd(), path.to_vec()),
            None => (self.spare.as_fd(), spare_name(file)),
        }
    }

    /// Returns a file's parent and name, opening the parent only when it changes.
    fn split<'c>(
        &self,
        parents: &'c mut ParentCache,
        file: FileId,
    ) -> Result<(BorrowedFd<'c>, Vec<u8>), StoreError>
    where
        'a: 'c,
    {
        match self.sites.paths.get(file.index()).and_then(Option::as_ref) {
            Some(path) => {
                let (parent, name) = parents.split(self.root, path)?;
                Ok((parent, name.to_vec()))
            }
            None => Ok((self.spare.as_fd(), spare_name(file))),
        }
    }

    /// Opens a file to write it; makes it if it is not there. `shared` says that other threads write it too.
    pub(crate) fn open<'c>(
        &self,
        cache: &'c mut WriteCache,
        file: FileId,
        shared: bool,
    ) -> Result<&'c OwnedFd, StoreError> {
        let WriteCache { parents, file: open } = cache;
        if !matches!(open, Some((id, _)) if *id == file) {
            *open = None;
            let (parent, name) = self.split(parents, file)?;
            let member = self.member(file)?;
            let fd = if shared {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                fs::openat(parent, name.as_slice(), flags, Mode::RUSR | Mode::WUSR)
            } else {
                match self.root.create(parent, &name, member) {
                    // A long chunk that goes to several files is lent to them in turns.
                    Err(Errno::EXIST) => {
                        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                        fs::openat(parent, name.as_slice(), flags, Mode::empty())
                    }
                    made => made,
                }
            };
            let fd = fd.map_err(|errno| self.error("create", file, errno))?;
            if member.size > PREALLOCATES {
                fs::ftruncate(&fd, member.size)
                    .map_err(|errno| self.error("set the length of", file, errno))?;
            }
            *open = Some((file, fd));
        }
        match open {
            Some((_, fd)) => Ok(fd),
            None => Err(StoreError::broken("tree", "the file was not opened")),
        }
    }

    /// Writes bytes to their place.
    pub(crate) fn write(
        &self,
        cache: &mut WriteCache,
        file: FileId,
        shared: bool,
        bytes: &[u8],
        offset: u64,
    ) -> Result<(), StoreError> {
        let fd = self.open(cache, file, shared)?;
        write_all_at(fd.as_fd(), bytes, offset).map_err(|errno| self.error("write", file, errno))
    }

    /// Copies a piece of a donor to its place; returns the digest of what was copied, `None` when the donor is too short
    /// or cannot be read.
    pub(crate) fn copy_piece(
        &self,
        cache: &mut WriteCache,
        file: FileId,
        shared: bool,
        donor: &OwnedFd,
        piece: &HeldChunk,
        to: u64,
    ) -> Result<Option<Digest>, StoreError> {
        let fd = self.open(cache, file, shared)?;
        let mut buffer = vec![0; usize::try_from(piece.len).unwrap_or(BUFFER).clamp(1, BUFFER)];
        let mut hasher = Hasher::new();
        let mut done = 0;
        while done < piece.len {
            let want = usize::try_from(piece.len - done).unwrap_or(BUFFER).min(buffer.len());
            let at = piece.offset.saturating_add(done);
            let read = match rustix::io::pread(donor, buffer.get_mut(..want).unwrap_or_default(), at) {
                // An offset beyond what files can have is invalid.
                Ok(0) | Err(Errno::INVAL | Errno::IO) => return Ok(None),
                read => read.map_err(|errno| self.error("read a donor of", file, errno))?,
            };
            let bytes = buffer.get(..read).unwrap_or_default();
            hasher.update(bytes);
            write_all_at(fd.as_fd(), bytes, to + done).map_err(|errno| self.error("write", file, errno))?;
            done += count(read);
        }
        Ok(Some(hasher.finish()))
    }

    /// Gives a file that has all its bytes its length and metadata, and closes it.
    pub(crate) fn finish(
        &self,
        cache: &mut WriteCache,
        file: FileId,
        shared: bool,
        ends_in_hole: bool,
    ) -> Result<(), StoreError> {
        let member = self.member(file)?;
        let fd = self.open(cache, file, shared)?;
        if ends_in_hole {
            fs::ftruncate(fd, member.size).map_err(|errno| self.error("set the length of", file, errno))?;
        }
        attrs::apply(fd, member, self.root.privilege(), &self.root.withheld, !shared)
            .map_err(|errno| self.error("set metadata of", file, errno))?;
        cache.close();
        Ok(())
    }

    /// Puts a donor's content in a file's place.
    pub(crate) fn place(
        &self,
        cache: &mut WriteCache,
        placer: &Placer,
        file: FileId,
        dir: BorrowedFd<'_>,
        donor: &[u8],
        same_class: bool,
    ) -> Result<Outcome, StoreError> {
        let member = self.member(file)?;
        let (parent, name) = self.split(&mut cache.parents, file)?;
        placer.place(self.root, Donor { dir, path: donor, same_class }, parent, &name, member)
    }

    /// Makes a finished file an object: see [`Store::adopt`].
    pub(crate) fn adopt(
        &self,
        cache: &mut WriteCache,
        file: FileId,
        digest: &Digest,
        class: &Class,
    ) -> Result<Option<bool>, StoreError> {
        let (parent, name) = self.split(&mut cache.parents, file)?;
        self.staging.adopt(parent, &name, digest, class)
    }

    /// Moves a content that was received whole from `spare` to its place, with its metadata.
    pub(crate) fn move_in(&self, cache: &mut WriteCache, file: FileId) -> Result<(), StoreError> {
        let member = self.member(file)?;
        let spare = spare_name(file);
        let fd = fs::openat(
            self.spare,
            spare.as_slice(),
            OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|errno| self.error("open", file, errno))?;
        attrs::apply(&fd, member, self.root.privilege(), &self.root.withheld, false)
            .map_err(|errno| self.error("set metadata of", file, errno))?;
        let (parent, name) = self.split(&mut cache.parents, file)?;
        if !self.is_in_tree(file) {
            return Ok(());
        }
        fs::renameat(self.spare, spare.as_slice(), parent, name.as_slice())
            .map_err(|errno| self.error("place", file, errno))
    }

    /// Whether an object has the bytes of a content that was received whole.
    pub(crate) fn same_as_spare(
        &self,
        store: &Store,
        object: &str,
        file: FileId,
    ) -> Result<bool, StoreError> {
        let Some(object) = store.open_object(object)? else { return Ok(false) };
        let spare = open_donor(self.spare.as_fd(), &spare_name(file))
            .map_err(|errno| self.error("open", file, errno))?;
        let (mut ours, mut theirs) = (vec![0; BUFFER], vec![0; BUFFER]);
        loop {
            let read =
                rustix::io::read(&spare, &mut ours).map_err(|errno| self.error("read", file, errno))?;
            let mut got = 0;
            while got < read {
                match rustix::io::read(&object, theirs.get_mut(got..read).unwrap_or_default()) {
                    Ok(0) | Err(_) => return Ok(false),
                    Ok(more) => got += more,
                }
            }
            if ours.get(..read) != theirs.get(..read) {
                return Ok(false);
            }
            if read == 0 {
                return Ok(matches!(rustix::io::read(&object, &mut theirs), Ok(0)));
            }
        }
    }

    /// Opens a finished file to read it back.
    pub(crate) fn open_to_read(
        &self,
        parents: &mut ParentCache,
        file: FileId,
    ) -> Result<OwnedFd, StoreError> {
        let (parent, name) = self.split(parents, file)?;
        open_donor(parent, &name).map_err(|errno| self.error("open", file, errno))
    }
}

/// Makes the spare file of an entry.
pub(crate) fn create_spare(spare: BorrowedFd<'_>, file: FileId) -> Result<OwnedFd, StoreError> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let name = spare_name(file);
    fs::openat(spare, name.as_slice(), flags, Mode::RUSR | Mode::WUSR).map_err(at("create", path(&name)))
}

/// Writes to a spare file.
pub(crate) fn write_spare(file: &OwnedFd, bytes: &[u8], offset: u64) -> Result<(), StoreError> {
    write_all_at(file.as_fd(), bytes, offset).map_err(at("write", "a file in staging"))
}

/// Gives a spare file its length, which may end in a hole.
pub(crate) fn size_spare(file: &OwnedFd, size: u64) -> Result<(), StoreError> {
    fs::ftruncate(file, size).map_err(at("set the length of", "a file in staging"))
}

fn spare_name(file: FileId) -> Vec<u8> {
    file.index().to_string().into_bytes()
}

/// When an inode was last changed in any way, by the kernel's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    seconds: i64,
    nanoseconds: u64,
}

impl Store {
    /// Returns when an object was last changed; `None` when it is gone.
    pub(crate) fn changed(&self, name: &str) -> Result<Option<Changed>, StoreError> {
        match fs::statat(self.fd(), name, fs::AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Changed { seconds: stat.st_ctime, nanoseconds: stat.st_ctime_nsec })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(at("look at", name)(errno)),
        }
    }

    /// Opens an object to read it; `None` when it is gone or nothing that can be read.
    pub(crate) fn open_object(&self, name: &str) -> Result<Option<OwnedFd>, StoreError> {
        match open_donor(self.fd(), name.as_bytes()) {
            Ok(file) => {
                let stat = fs::fstat(&file).map_err(at("look at", name))?;
                Ok(is_regular(&stat).then_some(file))
            }
            Err(errno) if is_no_donor(errno) => Ok(None),
            Err(errno) => Err(at("open", name)(errno)),
        }
    }
}
