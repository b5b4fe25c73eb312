//! What blobs became, kept for the next conversion.
//!
//! One small JSON file for each, in a directory that is the user's alone: what stands there is believed as far as the
//! config's DiffID and the destination confirm it. A file that is broken or says something else is as good as none, and
//! a directory that cannot be written only makes the next conversion as long as this one.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;

use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};
use shingle_core::Digest;
use shingle_core::writer::{WriteOptions, WrittenLayer};

use super::convert::Work;
use super::error::LayerFault;
use super::report::{BlobOutcome, RewrittenLayer};
use super::tars::Layer;
use crate::registry::Reference;
use crate::store::random_name;
use crate::transport::{Descriptor, Destination};

/// Counts up when the writer writes other bytes, so that a conversion gets them.
const WRITER: u32 = 1;
/// More than anybody converts in a month; each is about a kilobyte.
const ENTRIES: usize = 4_096;
/// An honest entry has a few annotations.
const LIMIT: u64 = 64 << 10;
/// In how many repositories a blob is remembered to be.
const PLACES: usize = 8;

/// A layer's new blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Became {
    /// The digest that the tar was proven to have.
    diff_id: Digest,
    blob: Digest,
    size: u64,
    annotations: BTreeMap<String, String>,
    toc_bytes: u64,
    tar_split_bytes: u64,
    plain: Option<String>,
}

impl Became {
    pub(super) fn new(written: &WrittenLayer) -> Self {
        Self {
            diff_id: written.diff_id,
            blob: written.blob,
            size: written.blob_len,
            annotations: written.annotations.clone(),
            toc_bytes: written.toc_len,
            tar_split_bytes: written.tar_split_len,
            plain: written.plain.as_ref().map(|why| why.to_string()),
        }
    }

    /// Returns how a manifest describes it.
    pub(super) fn descriptor(&self, options: &WriteOptions) -> Descriptor {
        let media_type = format!("application/vnd.oci.image.layer.v1.tar+{}", options.format.suffix());
        let mut descriptor = Descriptor::new(&media_type, self.blob, self.size);
        descriptor.annotations = (!self.annotations.is_empty()).then(|| self.annotations.clone());
        descriptor
    }

    /// Says so in a report.
    pub(super) fn tell(&self, report: &mut RewrittenLayer, to: &Descriptor) {
        (report.to, report.to_size) = (to.digest, to.size);
        report.to_media_type.clone_from(&to.media_type);
        (report.toc_bytes, report.tar_split_bytes) = (self.toc_bytes, self.tar_split_bytes);
        report.plain.clone_from(&self.plain);
    }
}

/// A file of the memory.
#[derive(Serialize, Deserialize)]
struct Entry {
    /// What the file's name is the digest of.
    key: String,
    #[serde(flatten)]
    became: Became,
    /// The repositories where it is, the latest first.
    places: Vec<String>,
}

/// The directory.
#[derive(Debug)]
pub(super) struct Memory {
    dir: Dir,
}

impl Memory {
    /// Opens it, or makes it; `None` where neither works, or where others could write there.
    pub(super) fn open(path: &Path) -> Option<Self> {
        crate::private::open(path).map(|dir| Self { dir }.pruned())
    }

    /// Forgets the oldest, if there are too many.
    fn pruned(self) -> Self {
        let Ok(entries) = self.dir.entries() else { return self };
        let mut entries: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        if entries.len() > ENTRIES {
            entries.sort_by_cached_key(|name| {
                let written = self.dir.symlink_metadata(name).and_then(|metadata| metadata.modified());
                written.ok().map(cap_std::time::SystemTime::into_std)
            });
            let excess = entries.len().saturating_sub(ENTRIES / 4 * 3);
            for name in entries.into_iter().take(excess) {
                // Another conversion may have been quicker.
                let _gone = self.dir.remove_file(name);
            }
        }
        self
    }

    fn read(&self, key: &str) -> Option<Entry> {
        let file = self.dir.open(name(key)).ok()?;
        let mut bytes = Vec::new();
        file.take(LIMIT).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|entry: &Entry| entry.key == key)
    }

    fn write(&self, entry: &Entry) -> Option<()> {
        let temporary = format!(".{}.tmp", random_name().ok()?);
        let bytes = serde_json::to_vec(entry).ok()?;
        let mut file = self.dir.create(&temporary).ok()?;
        let written =
            file.write_all(&bytes).and_then(|()| self.dir.rename(&temporary, &self.dir, name(&entry.key)));
        if written.is_err() {
            self.dir.remove_file(&temporary).ok()?;
        }
        Some(())
    }
}

fn name(key: &str) -> String {
    format!("{}.json", Digest::of(key.as_bytes()).to_hex())
}

/// Everything that the new blob depends on.
fn key(input: &str, options: &WriteOptions) -> String {
    format!("{input} {WRITER} {} {options:?}", env!("CARGO_PKG_VERSION"))
}

impl Work<'_> {
    /// Finds out what a layer became before, if the destination has that or can take it from another repository.
    pub(super) fn recall(&self, layer: &Layer) -> Result<Option<(Became, BlobOutcome)>, LayerFault> {
        let (Some(memory), Some(input), false) = (self.memory, self.tars.input(layer), self.options.force)
        else {
            return Ok(None);
        };
        let key = key(&input, &self.options.write);
        let Some(Entry { became, places, .. }) =
            memory.read(&key).filter(|entry| entry.became.diff_id == layer.diff_id)
        else {
            return Ok(None);
        };
        let (to, destination) = (became.descriptor(&self.options.write), self.carrier.destination);
        let outcome = if destination.has_blob(&to)? {
            BlobOutcome::Present
        } else if places.iter().any(|place| mounts(destination, &to, place)) {
            BlobOutcome::Mounted
        } else {
            return Ok(None);
        };
        self.take(&to.digest);
        Ok(Some((became, outcome)))
    }

    /// Keeps what a layer became, which was proven and is at the destination.
    pub(super) fn remember(&self, layer: &Layer, became: &Became) {
        let (Some(memory), Some(input)) = (self.memory, self.tars.input(layer)) else { return };
        let key = key(&input, &self.options.write);
        let before = memory.read(&key).filter(|entry| entry.became == *became);
        let here = self.carrier.destination.repository().map(place);
        let mut places: Vec<_> = here.into_iter().collect();
        for place in before.into_iter().flat_map(|entry| entry.places) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.truncate(PLACES);
        // Forgotten, it is only converted once more.
        let _kept = memory.write(&Entry { key, became: became.clone(), places });
    }
}

fn place(reference: &Reference) -> String {
    format!("{}/{}", reference.host(), reference.repository())
}

/// Whether a blob could be taken from a repository; one that does not exist any more is no trouble.
fn mounts(destination: &dyn Destination, blob: &Descriptor, place: &str) -> bool {
    place.parse().is_ok_and(|from| matches!(destination.mount_blob(blob, &from), Ok(true)))
}
