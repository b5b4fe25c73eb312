//! Images from the store to another place: tars are made again from the files and written as layers.

use std::cell::OnceCell;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use shingle_core::{Digest, Hasher, Identity, Name, TarPiece, Toc, Tree};

use super::convert::{ConvertOptions, convert_from};
use super::error::{ConvertError, LayerFault};
use super::good::{Goodness, compression};
use super::pipe::{Sender, Unheard};
use super::report::{ConvertReport, Watcher};
use super::tars::{Layer, Tars};
use crate::length;
use crate::registry::Reference;
use crate::store::{Donors, ImageRecord, LayerRef, Layout, Sites, Store, StoreError, at, open_donor};
use crate::transport::{Destination, StoreSource, TransferError};
use shingle_core::writer::Format;

const BUFFER: usize = 256 << 10;

/// Brings an image from the store to another place, its layers written as `options` say.
///
/// A layer whose very blob is at the place already, in the form that is asked for, is not written again. The others are
/// made from the store's files; each tar is proven to be the one that the image's config names.
///
/// # Errors
/// See [`ConvertError`]. Layers that hold sparse files cannot be made again.
pub fn push(
    store: &Store,
    image: &ImageRecord,
    destination: Box<dyn Destination>,
    options: &ConvertOptions,
    watcher: &dyn Watcher,
) -> Result<ConvertReport, ConvertError> {
    let _no_gc = store.lock_shared().map_err(TransferError::from)?;
    let stop = AtomicBool::new(false);
    let source = StoreSource::new(store, image);
    let from = image.reference.parse().ok();
    let tars = StoreTars { store, image, from, stop: &stop };
    convert_from(&source, &tars, destination, options, watcher, &stop)
}

/// Tars out of the store's files.
struct StoreTars<'a> {
    store: &'a Store,
    image: &'a ImageRecord,
    /// Where the image was pulled from.
    from: Option<Reference>,
    stop: &'a AtomicBool,
}

impl Tars for StoreTars<'_> {
    fn judge(
        &self,
        layer: &Layer,
        format: Format,
        destination: &dyn Destination,
    ) -> Result<Goodness, LayerFault> {
        let blob = &layer.descriptor;
        let suits = match (format, compression(&blob.media_type)) {
            (Format::Gzip, "gzip") | (Format::Zstd, "zstd") => true,
            // A layer is pulled by file only after its TOC and tar-split have passed every check.
            (Format::ZstdChunked, "zstd") => match self.identity(layer) {
                // The same tar may have come from another blob, without a TOC in this one.
                Identity::DiffId(id) => {
                    let record = self.store.layer_record(&id)?;
                    record.mode == "partial" && record.blob == blob.digest
                }
                _ => false,
            },
            _ => false,
        };
        let there = suits
            && (destination.has_blob(blob)?
                || match &self.from {
                    Some(from) => destination.mount_blob(blob, from)?,
                    None => false,
                });
        Ok(if there {
            Goodness::Good("its blob is the one it was pulled as".to_owned())
        } else {
            Goodness::Bad("the store keeps files, not blobs".to_owned())
        })
    }

    fn input(&self, layer: &Layer) -> Option<String> {
        match self.identity(layer) {
            Identity::DiffId(id) => Some(format!("tar {id}")),
            _ => None,
        }
    }

    fn send(&self, layer: &Layer, to: &mut Sender, read: &dyn Fn(u64)) -> Result<(), LayerFault> {
        let Identity::DiffId(id) = self.identity(layer) else {
            return Err(LayerFault::NotKept {
                why: "it was pulled with --trust toc, and its table of contents does not hold the tar's headers",
            });
        };
        let stored = self.store.layer(&id)?;
        let Some(tar_split) = stored.tar_split else {
            return Err(LayerFault::NotKept {
                why: "it holds sparse files, or more headers than are kept, and the store has none of its tar",
            });
        };
        let broken =
            |error| StoreError::broken(format!("layers/{}/tar-split.zst", layer.diff_id.to_hex()), error);
        let split = tar_split.read(self.store.limits()).map_err(broken)?;
        let mut files = Files::new(self.store, &layer.diff_id, &stored.toc)?;
        let mut pieces = split.pieces();
        while let Some(piece) = pieces.next_piece() {
            let sent = match piece {
                TarPiece::Raw(bytes) => to.send(bytes),
                TarPiece::File(file) if file.size == 0 => Ok(()),
                TarPiece::File(file) => self.send_file(&mut files, file.index, file.size, to, read)?,
            };
            if self.stop.load(Ordering::Relaxed) {
                return Err(TransferError::Stopped.into());
            }
            if sent.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn other_tar(&self, layer: &Layer, actual: Digest) -> LayerFault {
        match self.changed(layer) {
            Ok(Some((path, digest))) => LayerFault::Changed { path, digest },
            Ok(None) => LayerFault::Rotten { expected: layer.diff_id, actual },
            Err(fault) => fault,
        }
    }
}

impl StoreTars<'_> {
    /// Returns what the store knows a layer of the image by.
    fn identity(&self, layer: &Layer) -> Identity {
        let known = self.image.layers.iter().find(|known| known.blob == layer.descriptor.digest);
        known.map_or(Identity::DiffId(layer.diff_id), LayerRef::identity)
    }

    /// Looks for the first file whose content is not what the TOC says.
    fn changed(&self, layer: &Layer) -> Result<Option<(Name, Digest)>, LayerFault> {
        let stored = self.store.layer(&self.identity(layer).id())?;
        let mut files = Files::new(self.store, &layer.diff_id, &stored.toc)?;
        for (index, entry) in stored.toc.entries().iter().enumerate().filter(|(_, entry)| entry.is_file()) {
            let (digest, name) = (entry.digest().copied().unwrap_or(Digest::EMPTY), &entry.member().name);
            let mut hasher = Hasher::new();
            let file = files.open(index, &digest, name)?;
            while let Some(file) = &file {
                match files.read(file, name)? {
                    [] => break,
                    piece => hasher.update(piece),
                }
            }
            if file.is_none() || hasher.finish() != digest {
                return Ok(Some((name.clone(), digest)));
            }
        }
        Ok(None)
    }

    fn send_file(
        &self,
        files: &mut Files<'_>,
        index: usize,
        size: u64,
        to: &mut Sender,
        read: &dyn Fn(u64),
    ) -> Result<Result<(), Unheard>, LayerFault> {
        let Some(entry) = files.toc.entries().get(index).filter(|entry| entry.is_file()) else {
            // A link that claims a length; nothing follows its header.
            return Ok(Ok(()));
        };
        let digest = entry.digest().copied().unwrap_or(Digest::EMPTY);
        let name = &entry.member().name;
        let changed = || LayerFault::Changed { path: name.clone(), digest };
        let file = files.open(index, &digest, name)?.ok_or_else(changed)?;
        let mut left = size;
        loop {
            let piece = files.read(&file, name)?;
            if piece.is_empty() {
                return if left == 0 { Ok(Ok(())) } else { Err(changed()) };
            }
            left = left.checked_sub(length(piece)).ok_or_else(changed)?;
            read(length(piece));
            if to.send(piece).is_err() || self.stop.load(Ordering::Relaxed) {
                return Ok(Err(Unheard));
            }
        }
    }
}

/// A layer's contents: in its tree, or where a later member took the name, among the objects.
struct Files<'a> {
    store: &'a Store,
    toc: &'a Arc<Toc>,
    tree: OwnedFd,
    sites: Sites,
    /// Looked up when a content is not in the tree; most layers have none such.
    donors: OnceCell<Donors>,
    buffer: Vec<u8>,
}

impl<'a> Files<'a> {
    fn new(store: &'a Store, diff_id: &Digest, toc: &'a Arc<Toc>) -> Result<Self, LayerFault> {
        let path = format!("trees/{}", diff_id.to_hex());
        let tree = Tree::build(toc, store.limits()).map_err(|error| StoreError::broken(&path, error))?;
        let sites = Sites::new(&Layout::new(&tree, &[Arc::clone(toc)]), toc.entries().len());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let tree = openat(store.fd(), path.as_str(), flags, Mode::empty()).map_err(at("open", path))?;
        Ok(Self { store, toc, tree, sites, donors: OnceCell::new(), buffer: vec![0; BUFFER] })
    }

    /// Reads on in a file; nothing at its end.
    fn read(&mut self, file: &OwnedFd, name: &Name) -> Result<&[u8], StoreError> {
        loop {
            match rustix::io::read(file, &mut self.buffer) {
                Err(Errno::INTR) => {}
                Ok(count) => return Ok(self.buffer.get(..count).unwrap_or_default()),
                Err(errno) => return Err(at("read", name.to_string())(errno)),
            }
        }
    }

    fn open(&self, index: usize, digest: &Digest, name: &Name) -> Result<Option<OwnedFd>, StoreError> {
        let site = u32::try_from(index).ok().and_then(|index| self.sites.get(index));
        if let Some(path) = site {
            match open_donor(self.tree.as_fd(), path) {
                Ok(file) => return Ok(Some(file)),
                Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => {}
                Err(errno) => return Err(at("open", name.to_string())(errno)),
            }
        }
        let donors = match self.donors.get() {
            Some(donors) => donors,
            None => {
                let found = self.store.donors(self.toc)?;
                self.donors.get_or_init(|| found)
            }
        };
        for object in donors.objects(digest) {
            if let Some(file) = self.store.open_object(&object.path(digest))? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }
}
