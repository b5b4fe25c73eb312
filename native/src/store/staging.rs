//! Staging: where a layer is put together, out of sight.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, OnceLock, PoisonError};

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, OpenOptions};
use rustix::fs::{FlockOperation, Mode, OFlags, RenameFlags, flock, fstat, openat, renameat_with};
use rustix::io::Errno;
use shingle_core::{Class, CompressedTarSplit, Digest, FileRow, Identity, Toc, VerifiedLayer};

use super::attrs::make_neutral;
use super::error::{at, io_at};
use super::remove::remove_tree;
use super::{LayerRecord, Store, StoreError};

/// A layer in the making: `staging/RANDOM/` with its lock, its tree, and contents that have no place in the tree.
///
/// Dropped, it is removed, with the objects that were made for it; killed, it is swept by the next one who opens the
/// store, and the objects are gc's.
#[derive(Debug)]
pub(crate) struct Staging<'a> {
    store: &'a Store,
    name: String,
    dir: Option<Dir>,
    /// Objects made for this layer, which nobody knows of before it is published.
    adopted: Mutex<Vec<(Digest, Option<Class>)>>,
    /// What the record says that the layer is known by.
    recorded: OnceLock<Identity>,
    _lock: cap_std::fs::File,
}

impl<'a> Staging<'a> {
    /// Makes a new, locked directory.
    pub(crate) fn new(store: &'a Store) -> Result<Self, StoreError> {
        let mut private = DirBuilder::new();
        private.mode(0o700);
        loop {
            let name = random_name()?;
            let path = format!("staging/{name}");
            match store.dir().create_dir_with(&path, &private) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(io_at("create", path)(error)),
            }
            let dir = store.dir().open_dir(&path).map_err(io_at("open", &path))?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            let lock = dir.open_with("lock", &options).map_err(io_at("create", &path))?;
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                // A sweep was faster: it took the lock between the two calls, and the directory goes.
                Err(Errno::WOULDBLOCK) => continue,
                Err(errno) => return Err(at("lock", path)(errno)),
            }
            if fstat(&lock).map_err(at("look at", &path))?.st_nlink == 0 {
                // That sweep is through already.
                continue;
            }
            for name in ["tree", "layer", "spare"] {
                dir.create_dir_with(name, &private).map_err(io_at("create", name))?;
            }
            return Ok(Self {
                store,
                name,
                dir: Some(dir),
                adopted: Mutex::default(),
                recorded: OnceLock::new(),
                _lock: lock,
            });
        }
    }

    /// Opens one of its directories: `tree`, or `spare` for contents that have no place in it.
    pub(crate) fn open(&self, name: &str) -> Result<OwnedFd, StoreError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = openat(self.dir()?.as_fd(), name, flags, Mode::empty()).map_err(at("open", name))?;
        make_neutral(dir.as_fd(), self.store.privilege()).map_err(at("set metadata of", name))?;
        Ok(dir)
    }

    /// Makes a finished file an object: see [`Store::adopt`]. If the layer is not published, the object goes again.
    pub(super) fn adopt(
        &self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        digest: &Digest,
        class: &Class,
    ) -> Result<Option<bool>, StoreError> {
        let classed = self.store.adopt(parent, name, digest, class)?;
        if let Some(classed) = classed {
            let mut adopted = self.adopted.lock().unwrap_or_else(PoisonError::into_inner);
            adopted.push((*digest, classed.then_some(*class)));
        }
        Ok(classed)
    }

    /// Answers for objects that an attempt before handed over.
    pub(crate) fn take_over(&self, objects: &[FileRow]) {
        let names = objects.iter().map(|row| (row.digest, row.classed.then_some(row.class)));
        self.adopted.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
    }

    /// Hands objects over to the next attempt: they do not go with this one.
    pub(crate) fn hand_over(&self, objects: &[FileRow]) {
        let names: BTreeSet<_> =
            objects.iter().map(|row| (row.digest, row.classed.then_some(row.class))).collect();
        self.adopted.lock().unwrap_or_else(PoisonError::into_inner).retain(|name| !names.contains(name));
    }

    /// Makes a directory of the store invisible at once, then removes it; returns the bytes that frees.
    ///
    /// Removed where it is, it would for a while be there in part.
    pub(super) fn doom(&self, path: &str) -> Result<u64, StoreError> {
        const DOOMED: &str = "doomed";
        self.rename_back(path, DOOMED)?;
        remove_tree(self.dir()?.as_fd(), DOOMED)
    }

    /// Writes what is kept of a layer beside its tree; `index` is its index segment.
    pub(crate) fn write_layer(
        &self,
        toc: &Toc,
        tar_split: Option<&CompressedTarSplit>,
        record: &LayerRecord,
        index: &[u8],
    ) -> Result<(), StoreError> {
        let dir = self.dir()?;
        write(dir, "layer/toc.zst", &shingle_core::compress(&toc.to_stored()))?;
        if let Some(split) = tar_split {
            write(dir, "layer/tar-split.zst", split.as_bytes())?;
        }
        let json =
            serde_json::to_vec_pretty(record).map_err(|error| StoreError::broken("record.json", error))?;
        write(dir, "layer/record.json", &json)?;
        self.recorded.get_or_init(|| record.identity());
        write(dir, "layer/index", index)
    }

    /// Gives the staged tree its final name.
    ///
    /// Takes the proof by value: a tree is published once, and only checked. The proof says which name that is, so that
    /// what rests on a TOC never gets a DiffID's. Somebody else may have published the same layer meanwhile; theirs is
    /// just as proven, and stays.
    #[expect(clippy::needless_pass_by_value, reason = "the proof is spent")]
    pub(crate) fn publish(self, layer: VerifiedLayer) -> Result<(), StoreError> {
        let recorded = self.recorded.get();
        assert!(
            recorded == Some(layer.identity()),
            "the record says {recorded:?}, proven is {:?}",
            layer.identity()
        );
        self.store.sync()?;
        let hex = layer.identity().id().to_hex();
        let (tree, record) = (format!("trees/{hex}"), format!("layers/{hex}"));
        // Else a tree that another process is about to give its record would look like a dead one's.
        let _one_at_a_time = self.store.lock_publish()?;
        if self.store.dir().exists(&record) {
            return Ok(());
        }
        if !self.rename("tree", &tree)? {
            // A tree without a record: its pull died between the two renames.
            self.rename_back(&tree, "stale")?;
            self.rename("tree", &tree)?;
        }
        if self.rename("layer", &record)? {
            self.adopted.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        Ok(())
    }

    fn dir(&self) -> Result<&Dir, StoreError> {
        self.dir.as_ref().ok_or_else(|| StoreError::broken(&self.name, "its staging directory is gone"))
    }

    /// Moves out of staging; `false` when the name is taken.
    fn rename(&self, from: &str, to: &str) -> Result<bool, StoreError> {
        match renameat_with(self.dir()?.as_fd(), from, self.store.fd(), to, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST | Errno::NOTEMPTY) => Ok(false),
            Err(errno) => Err(at("publish", to)(errno)),
        }
    }

    fn rename_back(&self, from: &str, to: &str) -> Result<(), StoreError> {
        match renameat_with(self.store.fd(), from, self.dir()?.as_fd(), to, RenameFlags::NOREPLACE) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(at("move away", from)(errno)),
        }
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        // No index names them, so nobody uses them. Left there, they would take room and good names until gc.
        for (digest, class) in self.adopted.get_mut().unwrap_or_else(PoisonError::into_inner) {
            self.store.disown(digest, class.as_ref());
        }
        self.dir = None;
        // What cannot be removed now is swept later.
        let _removed = self.store.remove_staging(&self.name);
    }
}

impl Store {
    /// Removes what dead pulls left.
    ///
    /// `alone` says that nobody else uses the store, so that a directory without a lock is surely dead too.
    pub(super) fn sweep_staging(&self, alone: bool) -> Result<(), StoreError> {
        let staging = self.dir().open_dir("staging").map_err(io_at("open", "staging"))?;
        for entry in staging.entries().map_err(io_at("list", "staging"))? {
            let entry = entry.map_err(io_at("list", "staging"))?;
            let name = entry.file_name();
            let lock = std::path::Path::new(&name).join("lock");
            let lock = staging.open(&lock);
            let free = match &lock {
                // Held until the directory is gone: its maker may be about to take it.
                Ok(lock) => flock(lock, FlockOperation::NonBlockingLockExclusive).is_ok(),
                Err(_) if alone => true,
                // Not locked yet, or half removed: only an old one is surely dead.
                Err(_) => entry
                    .metadata()
                    .ok()
                    .and_then(|metadata| metadata.modified().ok())
                    .and_then(|modified| modified.into_std().elapsed().ok())
                    .is_some_and(|age| age.as_secs() > 60),
            };
            if free {
                let _removed = name.to_str().map(|name| self.remove_staging(name));
            }
        }
        Ok(())
    }

    fn remove_staging(&self, name: &str) -> Result<u64, StoreError> {
        let staging = self.dir().open_dir("staging").map_err(io_at("open", "staging"))?;
        remove_tree(staging.as_fd(), name)
    }
}

/// Returns a name that nobody else has: not another process, nor one with the same number in another container.
pub(crate) fn random_name() -> Result<String, StoreError> {
    let mut random = [0; 8];
    rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())
        .map_err(at("name", "a new file"))?;
    Ok(format!("{:016x}", u64::from_le_bytes(random)))
}

/// Writes a new file.
fn write(dir: &Dir, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = dir.create(name).map_err(io_at("create", name))?;
    file.write_all(bytes).map_err(io_at("write", name))
}
