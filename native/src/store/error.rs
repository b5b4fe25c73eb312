//! What can go wrong with the store.

use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// A file operation that failed, and where.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {}: {source}", .path.display())]
#[non_exhaustive]
pub struct StoreError {
    /// What was tried.
    pub operation: &'static str,
    /// The path, as far as it is known: absolute, or relative to the store or to the tree being written.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

impl StoreError {
    pub(crate) fn new(
        operation: &'static str,
        path: impl AsRef<Path>,
        source: impl Into<std::io::Error>,
    ) -> Self {
        Self { operation, path: path.as_ref().to_owned(), source: source.into() }
    }

    /// For contents of the store that do not make sense.
    pub(crate) fn broken(path: impl AsRef<Path>, why: impl std::fmt::Display) -> Self {
        let source = std::io::Error::new(std::io::ErrorKind::InvalidData, why.to_string());
        Self::new("read", path, source)
    }

    /// Returns the system's error number, if it gave one.
    pub(crate) fn errno(&self) -> Option<Errno> {
        self.source.raw_os_error().map(Errno::from_raw_os_error)
    }

    /// Returns what the user can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self.errno()? {
            Errno::NOSPC | Errno::DQUOT => Some("free some space; `shingle gc` removes what no image needs"),
            Errno::ACCESS | Errno::PERM => Some("run as root, or choose another store with --root"),
            Errno::OPNOTSUPP | Errno::XDEV if matches!(self.operation, "hard-link" | "reflink") => {
                Some("leave out --strict, or choose another --link-mode")
            }
            Errno::ROFS => Some("choose a store on a writable file system with --root"),
            Errno::MFILE | Errno::NFILE => Some("raise the limit of open files: ulimit -n"),
            _ => None,
        }
    }
}

/// Makes an error of a system call's number: `.map_err(at("open", path))`.
pub(crate) fn at<P: AsRef<Path>>(operation: &'static str, path: P) -> impl FnOnce(Errno) -> StoreError {
    move |errno| StoreError::new(operation, path, errno)
}

/// The same for an I/O error.
pub(crate) fn io_at<P: AsRef<Path>>(
    operation: &'static str,
    path: P,
) -> impl FnOnce(std::io::Error) -> StoreError {
    move |source| StoreError::new(operation, path, source)
}
