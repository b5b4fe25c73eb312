//! Who may change what: one lock file, held by whole operations.

use cap_std::fs::OpenOptions;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::error::{at, io_at};
use super::{Store, StoreError};

/// Keeps gc away: held while images are pulled, read or unpacked, so that no donor disappears.
#[derive(Debug)]
pub(crate) struct Shared {
    _file: cap_std::fs::File,
}

/// Keeps everybody else away.
#[derive(Debug)]
pub(crate) struct Exclusive {
    _file: cap_std::fs::File,
}

impl Store {
    /// Waits until no gc runs.
    pub(crate) fn lock_shared(&self) -> Result<Shared, StoreError> {
        Ok(Shared { _file: self.lock("lock", FlockOperation::LockShared)? })
    }

    /// Waits until nobody uses the store.
    pub(crate) fn lock_exclusive(&self) -> Result<Exclusive, StoreError> {
        Ok(Exclusive { _file: self.lock("lock", FlockOperation::LockExclusive)? })
    }

    /// Waits until no other process changes the merged index.
    pub(crate) fn lock_index(&self) -> Result<Exclusive, StoreError> {
        Ok(Exclusive { _file: self.lock("index/lock", FlockOperation::LockExclusive)? })
    }

    /// Waits until no other process publishes a layer; a matter of two renames.
    pub(super) fn lock_publish(&self) -> Result<Exclusive, StoreError> {
        Ok(Exclusive { _file: self.lock("publish.lock", FlockOperation::LockExclusive)? })
    }

    fn lock(&self, name: &str, operation: FlockOperation) -> Result<cap_std::fs::File, StoreError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        let file = self.dir().open_with(name, &options).or_else(|error| match error.kind() {
            // Who only reads can do so on a file system that is read-only.
            std::io::ErrorKind::ReadOnlyFilesystem if operation == FlockOperation::LockShared => {
                self.dir().open(name)
            }
            _ => Err(error),
        });
        let file = file.map_err(io_at("open", self.path().join(name)))?;
        loop {
            match flock(&file, operation) {
                Err(Errno::INTR) => {}
                result => {
                    result.map_err(at("lock", self.path().join(name)))?;
                    return Ok(file);
                }
            }
        }
    }
}
