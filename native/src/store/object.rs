//! Objects: contents by their digests.

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt};
use rustix::fs::{AtFlags, linkat, renameat, unlinkat};
use rustix::io::Errno;
use shingle_core::{Class, Digest};
use std::os::fd::BorrowedFd;

use super::error::{at, io_at};
use super::{Store, StoreError};

/// Returns an object's path in the store: `objects/ab/cd…`, with the class behind it where the name is shared.
pub(super) fn object_name(digest: &Digest, class: Option<&Class>) -> String {
    let hex = digest.to_hex();
    let (shard, rest) = hex.split_at(2);
    match class {
        None => format!("objects/{shard}/{rest}"),
        Some(class) => format!("objects/{shard}/{rest}.{class}"),
    }
}

/// Makes the 256 directories that objects lie in.
pub(super) fn create_shards(dir: &Dir) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    for shard in 0..=255_u8 {
        let name = format!("objects/{shard:02x}");
        dir.create_dir_with(&name, &builder).map_err(io_at("create", &name))?;
    }
    Ok(())
}

impl Store {
    /// Gives a finished file an object's name, so that later layers find it; returns whether the name carries the
    /// class, or `None` when content and class have an object already.
    ///
    /// The object is not held before an index says so. A name that is taken belongs to another class, or to a pull
    /// that died or still runs: it is left alone, and the name with the class is tried.
    pub(crate) fn adopt(
        &self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        digest: &Digest,
        class: &Class,
    ) -> Result<Option<bool>, StoreError> {
        for classed in [false, true] {
            let object = object_name(digest, classed.then_some(class));
            match linkat(parent, name, self.fd(), object.as_str(), AtFlags::empty()) {
                Ok(()) => return Ok(Some(classed)),
                Err(Errno::EXIST) => {}
                // A file that has as many names as it can have is content all the same, only no donor.
                Err(Errno::MLINK) => return Ok(None),
                // Not every file system has hard links: content is then held by its tree alone, and is no donor.
                Err(Errno::PERM | Errno::OPNOTSUPP) => return Ok(None),
                Err(errno) => return Err(at("link", object)(errno)),
            }
        }
        Ok(None)
    }

    /// Takes an object's name back when the pull that gave it came to nothing; gc takes what is left.
    pub(crate) fn disown(&self, digest: &Digest, class: Option<&Class>) {
        let _gone_or_not: Result<(), Errno> =
            unlinkat(self.fd(), object_name(digest, class).as_str(), AtFlags::empty());
    }

    /// Takes a corrupt object out of everybody's way; `object` is its path in the store.
    pub(crate) fn quarantine(&self, object: &str) -> Result<(), StoreError> {
        let name = format!("quarantine/{}", object.trim_start_matches("objects/").replace('/', "-"));
        match renameat(self.fd(), object, self.fd(), name.as_str()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(at("quarantine", object)(errno)),
        }
    }
}
