//! Files below a directory handle, read with care: whoever made the directory may not be a friend.

use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::{FileType, Mode, OFlags, fstat};
use shingle_core::Digest;

use super::{Section, TransferError};

/// Opens a regular file below `dir`, whose path is `path`; `None` where there is nothing of the name.
///
/// Links are followed as long as they stay below `dir`.
pub(super) fn open_regular(dir: &Dir, path: &Path, name: &str) -> Result<Option<Section>, TransferError> {
    let mut options = OpenOptions::new();
    // Opening a fifo would else wait for somebody to write to it.
    options.read(true).custom_flags(flags(OFlags::NONBLOCK));
    let fail = |operation| TransferError::file(operation, path.join(name));
    let file = match dir.open_with(name, &options) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(fail("open")(error)),
    };
    let metadata = file.metadata().map_err(fail("look at"))?;
    if !metadata.is_file() {
        return Err(fail("read")(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")));
    }
    Ok(Some(Section::new(Arc::new(OwnedFd::from(file)), 0, metadata.len())))
}

/// Opens a regular file that the user named: links may lead anywhere.
pub(super) fn open_named(path: &Path) -> Result<Section, TransferError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(TransferError::file("open", path))?;
    let stat = fstat(&file).map_err(TransferError::file("look at", path))?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        let problem = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
        return Err(TransferError::file("read", path)(problem));
    }
    Ok(Section::new(Arc::new(file), 0, u64::try_from(stat.st_size).unwrap_or(0)))
}

fn flags(flags: OFlags) -> i32 {
    i32::from_ne_bytes(flags.bits().to_ne_bytes())
}

/// Returns a blob that was looked for, if it is there and as long as its descriptor says.
pub(super) fn of_size(
    found: Option<Section>,
    blob: Digest,
    size: u64,
    path: &Path,
) -> Result<Section, TransferError> {
    let missing = || TransferError::Missing { path: path.to_owned(), what: format!("blob {blob}") };
    let section = found.ok_or_else(missing)?;
    if section.len() != size {
        let what = format!("blob {blob} in {}", path.display());
        return Err(TransferError::Size { what, stated: size, actual: section.len() });
    }
    Ok(section)
}

/// Reads all of a section that is at most `limit` bytes long.
pub(super) fn read_limited(
    section: &Section,
    limit: u64,
    what: impl Fn() -> String,
) -> Result<Vec<u8>, TransferError> {
    if section.len() > limit {
        return Err(TransferError::TooLarge { what: what(), size: section.len(), limit });
    }
    read_section(section, 0..section.len(), what)
}

/// Reads a part of a section.
pub(super) fn read_section(
    section: &Section,
    range: Range<u64>,
    what: impl Fn() -> String,
) -> Result<Vec<u8>, TransferError> {
    let fail = |source| TransferError::Read { what: what(), source };
    if range.start > range.end || range.end > section.len() {
        return Err(fail(io::ErrorKind::UnexpectedEof.into()));
    }
    let len = range.end.saturating_sub(range.start);
    let mut bytes =
        vec![0; usize::try_from(len).map_err(|_too_large| fail(io::ErrorKind::OutOfMemory.into()))?];
    section.read_exact_at(&mut bytes, range.start).map_err(fail)?;
    Ok(bytes)
}
