//! Files and directories in the making: out of sight beside their places, gone again when nothing becomes of them.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, openat, renameat_with};
use rustix::io::Errno;

use super::destination::copy_checked;
use super::{Descriptor, Section, TransferError};

/// A place by its parent directory and its name there.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) parent: Dir,
    pub(super) name: PathBuf,
    /// The whole path, for messages.
    pub(super) path: PathBuf,
}

impl Target {
    /// Finds the parent of a path, which must exist.
    pub(super) fn find(path: &Path) -> Result<Self, TransferError> {
        let absolute = std::path::absolute(path).map_err(TransferError::file("find", path))?;
        let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(TransferError::file("replace", path)(io::Error::from(io::ErrorKind::InvalidInput)));
        };
        let dir = Dir::open_ambient_dir(parent, ambient_authority());
        let parent = dir.map_err(TransferError::file("open", parent))?;
        Ok(Self { parent, name: name.into(), path: path.to_owned() })
    }

    /// Finds the parent of a file's path. What is there may be a file, to be replaced, and nothing else: a device or a link
    /// would not be written to but lost.
    pub(super) fn of_file(path: &Path) -> Result<Self, TransferError> {
        let target = Self::find(path)?;
        match target.held()? {
            Some(kind) if !kind.is_file() => Err(target.unfit(kind, "a regular file")),
            _ => Ok(target),
        }
    }

    /// Returns what has the name now; a link counts as itself.
    pub(super) fn held(&self) -> Result<Option<FileType>, TransferError> {
        match self.parent.symlink_metadata(&self.name) {
            Ok(metadata) => Ok(Some(metadata.file_type())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(TransferError::file("look at", &self.path)(error)),
        }
    }

    /// Says that something of this kind is not replaced.
    pub(super) fn unfit(&self, kind: FileType, wanted: &str) -> TransferError {
        let problem = match kind.is_symlink() {
            true => "it is a link: name what it leads to".to_owned(),
            false => format!("it is not {wanted}"),
        };
        TransferError::file("replace", &self.path)(io::Error::new(io::ErrorKind::InvalidInput, problem))
    }

    /// Makes a name beside it that nobody else has.
    fn beside(&self) -> Result<PathBuf, TransferError> {
        let random = crate::store::random_name();
        let random = random.map_err(|error| TransferError::file("create", &self.path)(error.source))?;
        let mut name = std::ffi::OsString::from(".");
        name.push(&self.name);
        name.push(format!(".{random}.tmp"));
        Ok(name.into())
    }
}

/// A file in the making. It has no name at all until it is whole, so that nothing is left of it however the program ends;
/// where the file system knows no such files, it has a name beside its place.
#[derive(Debug)]
pub(super) struct PendingFile {
    target: Target,
    temporary: Option<PathBuf>,
    file: OwnedFd,
}

impl PendingFile {
    pub(super) fn create(target: Target) -> Result<Self, TransferError> {
        let (flags, mode) = (OFlags::WRONLY | OFlags::CLOEXEC, Mode::from_raw_mode(0o666));
        let fail = |errno: Errno| TransferError::file("create", &target.path)(errno);
        let (file, temporary) = match openat(&target.parent, ".", flags | OFlags::TMPFILE, mode) {
            Ok(file) => (file, None),
            // The last two are what kernels say that do not know the flag.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT) => {
                let temporary = target.beside()?;
                let flags = flags | OFlags::CREATE | OFlags::EXCL;
                (openat(&target.parent, &temporary, flags, mode).map_err(fail)?, Some(temporary))
            }
            Err(errno) => return Err(fail(errno)),
        };
        Ok(Self { target, temporary, file })
    }

    pub(super) fn path(&self) -> &Path {
        &self.target.path
    }

    /// Writes at a place.
    pub(super) fn write_at(&self, mut bytes: &[u8], mut offset: u64) -> Result<(), TransferError> {
        while !bytes.is_empty() {
            let count = match rustix::io::pwrite(&self.file, bytes, offset) {
                Err(Errno::INTR) => continue,
                written => written.map_err(TransferError::file("write", self.path()))?,
            };
            bytes = bytes.get(count..).unwrap_or_default();
            offset = offset.saturating_add(crate::count(count));
        }
        Ok(())
    }

    /// Takes a blob's bytes, and gives the file its name once they are what the descriptor says.
    pub(super) fn take(
        self,
        blob: &Descriptor,
        content: &Section,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), TransferError> {
        let mut at = 0;
        copy_checked(blob, content, progress, |bytes| {
            self.write_at(bytes, at)?;
            at += crate::length(bytes);
            Ok(())
        })?;
        self.finish()
    }

    /// Drops what lies behind `len`.
    pub(super) fn cut(&self, len: u64) -> Result<(), TransferError> {
        rustix::fs::ftruncate(&self.file, len).map_err(TransferError::file("shorten", self.path()))
    }

    /// Gives the file its name, in place of what had it.
    pub(super) fn finish(mut self) -> Result<(), TransferError> {
        rustix::fs::fsync(&self.file).map_err(TransferError::file("sync", self.path()))?;
        let temporary = match &self.temporary {
            Some(temporary) => temporary.clone(),
            None => self.link()?,
        };
        let parent = &self.target.parent;
        let renamed = parent.rename(&temporary, parent, &self.target.name);
        self.temporary = renamed.is_err().then_some(temporary);
        renamed.map_err(TransferError::file("rename", self.path()))
    }

    /// Gives the file a name beside its place: a link takes no name that something has.
    fn link(&self) -> Result<PathBuf, TransferError> {
        let temporary = self.target.beside()?;
        let parent = &self.target.parent;
        let linked = linkat(&self.file, "", parent, &temporary, AtFlags::EMPTY_PATH);
        let linked = linked.or_else(|errno| match errno {
            // Older kernels let only the privileged do it so.
            Errno::NOENT | Errno::PERM => {
                let file = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                linkat(CWD, file.as_str(), parent, &temporary, AtFlags::SYMLINK_FOLLOW)
            }
            errno => Err(errno),
        });
        linked.map_err(TransferError::file("name", self.path()))?;
        Ok(temporary)
    }
}

/// Writes a file in place of the one that is there, which stays until all is written.
pub(crate) fn replace_file<E: From<TransferError>>(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> Result<(), E>,
) -> Result<(), E> {
    let file = PendingFile::create(Target::of_file(path)?)?;
    let mut writer = io::BufWriter::with_capacity(256 << 10, Writer { file: &file, at: 0 });
    write(&mut writer)?;
    io::Write::flush(&mut writer).map_err(TransferError::file("write", path))?;
    drop(writer);
    Ok(file.finish()?)
}

/// Writes one piece behind the other.
struct Writer<'a> {
    file: &'a PendingFile,
    at: u64,
}

impl io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_at(bytes, self.at).map_err(|error| match error {
            TransferError::File { source, .. } => source,
            error => io::Error::other(error),
        })?;
        self.at = self.at.saturating_add(crate::length(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _gone_or_not = self.target.parent.remove_file(temporary);
        }
    }
}

/// A directory in the making.
#[derive(Debug)]
pub(super) struct PendingDir {
    pub(super) target: Target,
    temporary: Option<PathBuf>,
    dir: Dir,
}

impl PendingDir {
    pub(super) fn create(target: Target) -> Result<Self, TransferError> {
        let temporary = target.beside()?;
        target.parent.create_dir(&temporary).map_err(TransferError::file("create", &target.path))?;
        let dir = target.parent.open_dir(&temporary).map_err(TransferError::file("open", &target.path))?;
        Ok(Self { target, temporary: Some(temporary), dir })
    }

    pub(super) const fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Gives the directory its name; a directory that had it goes, if `may_go` allows that of what is there by now.
    pub(super) fn finish(
        mut self,
        may_go: impl FnOnce(&Target) -> Result<(), TransferError>,
    ) -> Result<(), TransferError> {
        sync(&self.dir, &self.target.path)?;
        let Some(temporary) = self.temporary.clone() else { return Ok(()) };
        let fail = |operation| TransferError::file(operation, &self.target.path);
        let parent = self.target.parent.as_fd();
        let rename = |flags| renameat_with(parent, &temporary, parent, &self.target.name, flags);
        match rename(RenameFlags::NOREPLACE) {
            Ok(()) => self.temporary = None,
            Err(Errno::EXIST) => {
                rename(RenameFlags::EXCHANGE).map_err(fail("replace"))?;
                // What was there has the temporary name now. Nobody else knows of it, so it stays what it is.
                let parent = self.target.parent.try_clone();
                let parent = parent.map_err(TransferError::file("open", &self.target.path))?;
                let old = Target { parent, name: temporary.clone(), path: self.target.path.clone() };
                if let Err(refused) = may_go(&old) {
                    rename(RenameFlags::EXCHANGE).map_err(fail("put back"))?;
                    return Err(refused);
                }
            }
            Err(errno) => return Err(fail("rename")(errno)),
        }
        Ok(())
    }
}

impl Drop for PendingDir {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _gone_or_not = self.target.parent.remove_dir_all(temporary);
        }
    }
}

/// Waits until everything below a directory is on disk.
pub(super) fn sync(dir: &Dir, path: &Path) -> Result<(), TransferError> {
    // The directory itself may be open as a path only, which cannot be synced.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = openat(dir, ".", flags, Mode::empty()).map_err(TransferError::file("open", path))?;
    rustix::fs::syncfs(fd).map_err(TransferError::file("sync", path))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test looks at what was made")]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_the_making_has_no_name() {
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("file");
        let names = || std::fs::read_dir(work.path()).unwrap().count();
        for (round, before) in [("first", 0), ("again", 1)] {
            let file = PendingFile::create(Target::of_file(&path).unwrap()).unwrap();
            file.write_at(b"lost", 0).unwrap();
            assert_eq!(names(), before, "{round}");
            drop(file);
            let file = PendingFile::create(Target::of_file(&path).unwrap()).unwrap();
            file.write_at(round.as_bytes(), 0).unwrap();
            assert_eq!(names(), before, "{round}");
            file.finish().unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), round.as_bytes());
            assert_eq!(names(), 1, "{round}");
        }
    }
}
