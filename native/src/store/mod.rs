//! The store: one directory that holds contents, layers, trees and images.
//!
//! [`Store::open`] makes or opens one; [`pull`](crate::pull) fills it. A program reads from it which images are there, where
//! a layer's tree lies and what its table of contents says, and takes images out again. What is written into it goes
//! through a pull's proof, so there is no function that adds a layer. Below the directory, only this is for others to
//! read, and nothing to write:
//!
//! ```text
//! lock             held shared by whoever reads or adds, exclusively by gc
//! publish.lock     held by whoever gives a layer its name
//! objects/ab/cd…   a content by its sha256; `.CLASS` behind the name where another metadata class came first
//! layers/ID/       record.json, toc.zst, tar-split.zst, index
//! trees/ID/        the layer as a directory, in overlay form
//! index/           merged index segments, and which layers they cover
//! images/          refs/ID.json (one for each name), blobs/DIGEST (manifests and configs)
//! staging/RANDOM/  a pull in flight: locked, invisible, swept when its lock is free
//! quarantine/      donors that turned out corrupt
//! ```
//!
//! A layer's ID is its DiffID, or, for one that nothing but its TOC vouches for, a digest of that TOC's: see
//! [`shingle_core::Identity`].
//!
//! A content counts as held only once a layer's index says so, and a layer counts only once its directory is there.
//! Both become visible by one rename after one `syncfs`, so a pull that is killed anywhere leaves nothing to mend.

mod attrs;
mod contents;
mod error;
mod gc;
mod image;
mod index;
mod layer;
mod layout;
mod lock;
mod materialise;
mod object;
mod place;
mod privilege;
mod recut;
mod remove;
mod staging;

use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt};
use rustix::fs::{Mode, OFlags, openat};
use shingle_core::{Digest, Limits};

pub use error::StoreError;
pub use gc::Collected;
pub use image::{ImageRecord, LayerRef};
pub use layer::{LayerRecord, StoredLayer};
pub use materialise::Form;
pub use place::Placed;

pub(crate) use attrs::{Withheld, make_neutral};
pub(crate) use contents::{Changed, Contents, Sites, WriteCache, create_spare, size_spare, write_spare};
pub(crate) use error::{at, io_at};
pub(crate) use index::{Donors, segment_of};
pub(crate) use layout::{Layout, member as member_of};
pub(crate) use materialise::{ParentCache, TreeRoot};
use object::object_name;
pub(crate) use place::{Donor, Outcome as PlaceOutcome, Placer, open_donor};
pub(crate) use recut::chunk_count;
pub(crate) use staging::{Staging, random_name};

use privilege::Privilege;

const DIRECTORIES: [&str; 8] =
    ["objects", "layers", "trees", "index", "images", "images/refs", "images/blobs", "staging"];
/// Made last: where it is, a store is complete.
const LAST: &str = "quarantine";

/// A store, opened.
#[derive(Debug)]
pub struct Store {
    dir: Dir,
    path: PathBuf,
    privilege: Privilege,
    limits: Limits,
}

impl Store {
    /// Opens the store in a directory, which is made if need be, and sweeps what dead pulls left behind.
    ///
    /// # Errors
    /// The directory cannot be made or opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let builder = {
            let mut builder = DirBuilder::new();
            // A layer's setuid programs are nobody else's to run.
            builder.recursive(true).mode(0o700);
            builder
        };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent {
            Dir::create_ambient_dir_all(parent, ambient_authority()).map_err(io_at("create", parent))?;
        }
        if !path.is_dir() {
            let above = parent.unwrap_or_else(|| Path::new("."));
            let name = path.file_name().unwrap_or(path.as_os_str());
            let above = Dir::open_ambient_dir(above, ambient_authority()).map_err(io_at("open", above))?;
            above.create_dir_with(name, &builder).map_err(io_at("create", path))?;
        }
        let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(io_at("open", path))?;
        if !dir.exists(LAST) {
            // Another process may be at it too.
            for name in DIRECTORIES {
                dir.create_dir_with(name, &builder).map_err(io_at("create", path.join(name)))?;
            }
            object::create_shards(&dir)?;
            dir.create_dir_with(LAST, &builder).map_err(io_at("create", path.join(LAST)))?;
        }
        let path = std::path::absolute(path).map_err(io_at("find", path))?;
        let store = Self { dir, path, privilege: Privilege::of_process(), limits: Limits::default() };
        store.sweep_staging(false)?;
        Ok(store)
    }

    /// Whether there is a store in a directory; [`open`](Self::open) would make one.
    ///
    /// # Errors
    /// Nobody can tell: the directory may not be looked into. A store that is shut is not one that is empty.
    pub fn exists(path: impl AsRef<Path>) -> Result<bool, StoreError> {
        let path = path.as_ref();
        path.join(LAST).try_exists().map_err(io_at("open", path))
    }

    /// Returns where the store is when nobody says: `/var/lib/shingle` for root, else below the user's data directory.
    pub fn default_path() -> PathBuf {
        if rustix::process::geteuid().is_root() {
            return "/var/lib/shingle".into();
        }
        let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        data.or_else(home).unwrap_or_default().join("shingle")
    }

    /// Returns the store's directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the directory of a layer's tree; `id` is its identity's.
    pub fn tree_path(&self, id: &Digest) -> PathBuf {
        self.path.join("trees").join(id.to_hex())
    }

    /// Whether owners and devices can be made as layers say.
    pub const fn is_privileged(&self) -> bool {
        self.privilege.root
    }

    /// Returns the limits that the store's own files are read with.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) const fn privilege(&self) -> Privilege {
        self.privilege
    }

    pub(crate) const fn dir(&self) -> &Dir {
        &self.dir
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Waits until everything written so far is on disk.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        // The directory itself is open as a path only, which cannot be synced.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = openat(self.fd(), ".", flags, Mode::empty()).map_err(at("open", &self.path))?;
        rustix::fs::syncfs(dir).map_err(at("sync", &self.path))
    }
}
