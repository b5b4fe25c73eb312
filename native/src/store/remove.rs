//! Removing trees, however deep and long their paths are: the input chose them.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{self, AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::StoreError;
use super::error::at;
use super::materialise::path;

/// A path may be 4,096 bytes long for one call.
const STEP: usize = 2048;

/// Removes a directory and all below; returns the bytes that its inodes' last names free. One that is gone frees none.
///
/// Keeps two descriptors open and no stack: a tree may be as deep as the limits allow, and descriptors are few.
pub(super) fn remove_tree(above: BorrowedFd<'_>, name: &str) -> Result<u64, StoreError> {
    let root = match open_dir(above, name.as_bytes()) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(0),
        Err(errno) => return Err(at("open", name)(errno)),
    };
    let mut freed = 0;
    let (mut work, mut dirs) = (vec![Vec::new()], Vec::new());
    while let Some(dir) = work.pop() {
        remove_names(&root, &dir, &mut work, &mut freed).map_err(at("remove", path(&dir)))?;
        dirs.push(dir);
    }
    dirs.remove(0);
    for dir in dirs.iter().rev() {
        let (parent, name) = match dir.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (dir.get(..slash), dir.get(slash + 1..)),
            None => (None, Some(dir.as_slice())),
        };
        let removed = open_below(&root, parent.unwrap_or_default())
            .and_then(|parent| fs::unlinkat(parent, name.unwrap_or_default(), AtFlags::REMOVEDIR));
        removed.map_err(at("remove", path(dir)))?;
    }
    fs::unlinkat(above, name, AtFlags::REMOVEDIR).map_err(at("remove", name))?;
    Ok(freed)
}

/// Removes everything in one directory but its directories, which are added to `work`.
fn remove_names(root: &OwnedFd, dir: &[u8], work: &mut Vec<Vec<u8>>, freed: &mut u64) -> Result<(), Errno> {
    let open = open_below(root, dir)?;
    for entry in Dir::read_from(&open)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let stat = fs::statat(&open, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            let separator: &[u8] = if dir.is_empty() { b"" } else { b"/" };
            work.push([dir, separator, name.to_bytes()].concat());
            continue;
        }
        fs::unlinkat(&open, name, AtFlags::empty())?;
        if stat.st_nlink == 1 {
            *freed += u64::try_from(stat.st_blocks).unwrap_or(0) * 512;
        }
    }
    Ok(())
}

/// Opens a directory below another, in several steps where one call cannot take the path.
fn open_below(root: &OwnedFd, dir: &[u8]) -> Result<OwnedFd, Errno> {
    let (mut at, mut rest) = (open_dir(root.as_fd(), b".")?, dir);
    while let Some(cut) = rest.get(..STEP).and_then(|step| step.iter().rposition(|byte| *byte == b'/')) {
        at = open_dir(at.as_fd(), rest.get(..cut).unwrap_or_default())?;
        rest = rest.get(cut + 1..).unwrap_or_default();
    }
    if rest.is_empty() { Ok(at) } else { open_dir(at.as_fd(), rest) }
}

fn open_dir(at: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::openat(at, name, flags, Mode::empty())
}
