//! Unpacking an image: its layers stacked into one plain directory.
//!
//! For programs that want a root file system rather than layers to mount. Files are linked or cloned from the store where
//! the link mode allows, so the directory may cost next to nothing; hard-linked files are the store's own and must not be
//! written to.

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{Mode, OFlags, openat};
use serde::Serialize;
use shingle_core::{Digest, LinkMode, Toc, Tree, TreeError};

use crate::store::{
    Form, ImageRecord, Layout, ParentCache, PlaceOutcome, Placed, Placer, Store, StoreError, TreeRoot, at,
    io_at, make_neutral, member_of,
};

/// What an unpack did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnpackReport {
    /// How files came into the directory.
    pub files: Placed,
    /// Their bytes.
    pub bytes: u64,
    /// Files whose owner or mode is only noted, because root was not there to give it.
    pub owners_noted: u64,
    /// Devices that an empty file stands in for, for the same reason.
    pub devices_noted: u64,
    /// Xattrs that could not be set.
    pub xattrs_noted: u64,
}

/// An unpack that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// The directory has something in it already.
    #[error("{} is not empty", .path.display())]
    NotEmpty {
        /// The directory.
        path: std::path::PathBuf,
    },
    /// The store, or the directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A layer in the store that makes no tree; it was changed since it was pulled.
    #[error("layer {layer}")]
    Tree {
        /// The layer's id.
        layer: Digest,
        /// What is wrong with it.
        source: TreeError,
    },
    /// A file of the store is gone or is not what its layer says.
    #[error("{path}: the store's content {digest} is gone or was changed")]
    Changed {
        /// The file.
        path: shingle_core::Name,
        /// The digest of its content.
        digest: Digest,
    },
}

impl UnpackError {
    /// Returns what the user can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotEmpty { .. } => Some("name a directory that is empty or does not exist yet"),
            Self::Store(error) => error.hint(),
            Self::Tree { .. } | Self::Changed { .. } => {
                Some("remove the image with `shingle rmi`, run `shingle gc`, and pull it again")
            }
        }
    }
}

/// Lays an image's layers over one another into a directory, which is made if need be.
///
/// Whiteouts take effect instead of appearing. Files come from the layers' trees by `link_mode`; note that hard links
/// share inodes with the store, so that writing to one changes the other.
///
/// # Errors
/// See [`UnpackError`]. What was made before stays.
pub fn unpack(
    store: &Store,
    image: &ImageRecord,
    target: &Path,
    link_mode: LinkMode,
    strict: bool,
) -> Result<UnpackReport, UnpackError> {
    let _no_gc = store.lock_shared()?;
    Dir::create_ambient_dir_all(target, ambient_authority()).map_err(io_at("create", target))?;
    let dir = Dir::open_ambient_dir(target, ambient_authority()).map_err(io_at("open", target))?;
    if dir.entries().map_err(io_at("list", target))?.next().is_some() {
        return Err(UnpackError::NotEmpty { path: target.to_owned() });
    }
    let mut tree = Tree::empty();
    let (mut tocs, mut sources) = (Vec::new(), Vec::new());
    for (number, layer) in (0..).zip(&image.layers) {
        let id = layer.id();
        let toc = store.layer(&id)?.toc;
        let fail = |source| UnpackError::Tree { layer: id, source };
        let upper = Tree::build(&toc, store.limits()).map_err(fail)?;
        tree.stack(&upper, number);
        sources.push(Source::new(store, &id, &upper, &toc)?);
        tocs.push(toc);
    }
    let layout = Layout::new(&tree, &tocs);
    drop(tree);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat(dir.as_fd(), ".", flags, Mode::empty()).map_err(at("open", target))?;
    make_neutral(root.as_fd(), store.privilege()).map_err(at("set metadata of", target))?;
    let root = TreeRoot::new(store, root, Form::Plain);
    root.make_dirs(&layout)?;
    root.make_others(&layout, &tocs)?;
    let placer = Placer::new(link_mode, strict);
    let bytes = place_files(&root, &layout, &tocs, &sources, &placer)?;
    root.make_links(&layout)?;
    root.finish(&layout, &tocs)?;
    let load = |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed);
    let mut files = placer.placed();
    files.total = files.hardlinked + files.reflinked + files.copied;
    Ok(UnpackReport {
        files,
        bytes,
        owners_noted: load(&root.withheld.owners),
        devices_noted: load(&root.withheld.devices),
        xattrs_noted: load(&root.withheld.xattrs),
    })
}

/// A layer's tree in the store, and where in it each entry's content lies.
struct Source {
    tree: std::os::fd::OwnedFd,
    paths: crate::store::Sites,
}

impl Source {
    fn new(store: &Store, id: &Digest, tree: &Tree, toc: &Arc<Toc>) -> Result<Self, StoreError> {
        let paths = crate::store::Sites::new(&Layout::new(tree, &[Arc::clone(toc)]), toc.entries().len());
        let path = format!("trees/{}", id.to_hex());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let tree = openat(store.fd(), path.as_str(), flags, Mode::empty()).map_err(at("open", path))?;
        Ok(Self { tree, paths })
    }
}

fn place_files(
    root: &TreeRoot,
    layout: &Layout,
    tocs: &[Arc<Toc>],
    sources: &[Source],
    placer: &Placer,
) -> Result<u64, UnpackError> {
    let mut parents = ParentCache::default();
    let mut bytes = 0;
    for spot in &layout.files {
        let Some(origin) = spot.origin else { continue };
        let (Some(member), Some(layer)) = (member_of(tocs, origin), usize::try_from(origin.layer).ok())
        else {
            continue;
        };
        let (Some(toc), Some(source)) = (tocs.get(layer), sources.get(layer)) else { continue };
        let entry = usize::try_from(origin.entry).ok().and_then(|entry| toc.entries().get(entry));
        let digest = entry.and_then(|entry| entry.digest()).copied().unwrap_or(Digest::EMPTY);
        let changed = || UnpackError::Changed { path: member.name.clone(), digest };
        let path = source.paths.get(origin.entry).ok_or_else(changed)?;
        let (parent, name) = parents.split(root, &spot.path)?;
        let donor = crate::store::Donor { dir: source.tree.as_fd(), path, same_class: true };
        match placer.place(root, donor, parent, name, member)? {
            PlaceOutcome::Placed(_) => bytes += member.size,
            PlaceOutcome::NoDonor => return Err(changed()),
        }
    }
    Ok(bytes)
}
