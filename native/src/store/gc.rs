//! Garbage collection: mark from the image records, sweep the rest, under the lock that pulls share.

use std::collections::BTreeSet;

use cap_std::fs::MetadataExt;
use shingle_core::{Class, Digest, Segment};

use super::error::io_at;
use super::{LayerRef, Staging, Store, StoreError, object_name};

/// What gc removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Collected {
    /// Layers that no image names.
    pub layers: u64,
    /// Contents that no layer names.
    pub objects: u64,
    /// Manifests and configs that no image names.
    pub documents: u64,
    /// Bytes of the inodes that lost their last name, holes not counted; shared extents are counted each time.
    pub bytes: u64,
}

impl Store {
    /// Removes everything that no image needs. Waits until no pull runs.
    ///
    /// # Errors
    /// The store cannot be read or changed. What was removed before is consistent: names go first, contents last.
    pub fn collect(&self) -> Result<Collected, StoreError> {
        let _lock = self.lock_exclusive()?;
        self.sweep_staging(true)?;
        let images = self.images()?;
        let mut collected = Collected::default();
        let layers: BTreeSet<Digest> =
            images.iter().flat_map(|image| image.layers.iter().map(LayerRef::id)).collect();
        let documents: BTreeSet<Digest> = images
            .iter()
            .flat_map(|image| [image.manifest, image.config])
            .chain(images.iter().filter_map(|i| i.index))
            .collect();
        let aside = Staging::new(self)?;
        // Records first: a layer without one is no layer, and its tree is only rubbish.
        for name in self.names("layers")? {
            if !Digest::from_hex(&name).is_some_and(|id| layers.contains(&id)) {
                collected.bytes += aside.doom(&format!("layers/{name}"))?;
                collected.layers += 1;
                continue;
            }
            // Left by a process that was killed while it indexed a layer's chunks; no other runs now.
            for file in self.names(&format!("layers/{name}"))? {
                if file.ends_with(".tmp") {
                    self.remove_file(&format!("layers/{name}/{file}"), &mut collected.bytes)?;
                }
            }
        }
        self.rebuild_index()?;
        for name in self.names("trees")? {
            if !Digest::from_hex(&name).is_some_and(|id| layers.contains(&id)) {
                collected.bytes += aside.doom(&format!("trees/{name}"))?;
            }
        }
        for name in self.names("images/blobs")? {
            if !Digest::from_hex(&name).is_some_and(|digest| documents.contains(&digest)) {
                self.remove_file(&format!("images/blobs/{name}"), &mut collected.bytes)?;
                collected.documents += 1;
            }
        }
        // Left by a pull that was killed; no other runs now.
        for name in self.names("images/refs")? {
            if name.ends_with(".tmp") {
                self.remove_file(&format!("images/refs/{name}"), &mut collected.bytes)?;
            }
        }
        for name in self.names("quarantine")? {
            let path = format!("quarantine/{name}");
            if self.dir().symlink_metadata(&path).map_err(io_at("look at", &path))?.is_dir() {
                collected.bytes += aside.doom(&path)?;
            } else {
                self.remove_file(&path, &mut collected.bytes)?;
            }
        }
        let objects = self.marked()?;
        for shard in self.names("objects")? {
            for name in self.names(&format!("objects/{shard}"))? {
                let path = format!("objects/{shard}/{name}");
                if !objects.contains(&path) {
                    self.remove_file(&path, &mut collected.bytes)?;
                    collected.objects += 1;
                }
            }
        }
        Ok(collected)
    }

    /// Returns the paths of all objects that layers name.
    fn marked(&self) -> Result<BTreeSet<String>, StoreError> {
        let mut objects = BTreeSet::new();
        for diff_id in self.layers()? {
            let path = format!("layers/{}/index", diff_id.to_hex());
            let bytes = self.read(&path, 1 << 33)?;
            let segment = Segment::parse(&bytes).map_err(|error| StoreError::broken(&path, error))?;
            objects.extend(segment.files().map(|row| {
                let class: Option<Class> = row.classed.then_some(row.class);
                object_name(&row.digest, class.as_ref())
            }));
        }
        Ok(objects)
    }

    fn remove_file(&self, path: &str, bytes: &mut u64) -> Result<(), StoreError> {
        let metadata = self.dir().symlink_metadata(path).map_err(io_at("look at", path))?;
        self.dir().remove_file(path).map_err(io_at("remove", path))?;
        if metadata.nlink() == 1 {
            *bytes += metadata.blocks() * 512;
        }
        Ok(())
    }
}
