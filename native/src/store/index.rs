//! Which contents and chunks are held: the layers' own segments, merged once there are many.

use std::collections::{BTreeMap, BTreeSet};

use memmap2::Mmap;
use serde::{Deserialize, Serialize};
use shingle_core::{ChunkRow, Class, Digest, FileId, FileRow, HeldChunk, Inventory, Segment, Toc};

use super::error::io_at;
use super::object::object_name;
use super::{Store, StoreError};

/// How many segments may lie about before they are merged: each costs a search per digest.
const LOOSE: usize = 16;
const LIVE: &str = "index/live.json";

/// Which merged segment counts, and what is in it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Live {
    /// File name in `index/`, if there is one.
    segment: Option<String>,
    /// DiffIDs of the layers in it.
    layers: BTreeSet<Digest>,
}

/// The segments that together say what is held.
#[derive(Debug, Default)]
struct Mapped {
    maps: Vec<Mmap>,
    /// DiffIDs of the layers in them.
    layers: BTreeSet<Digest>,
}

impl Mapped {
    fn parsed(&self) -> impl Iterator<Item = Segment<'_>> {
        self.maps.iter().filter_map(|map| Segment::parse(map).ok())
    }
}

/// What the store holds of the digests that one layer wants.
#[derive(Debug, Default)]
pub(crate) struct Donors {
    /// For the decision.
    pub(crate) inventory: Inventory,
    /// For finding the objects: the classes each content is held under, and whether the name says so.
    objects: BTreeMap<Digest, Vec<HeldObject>>,
}

/// One object of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldObject {
    /// The metadata class of its inode.
    pub(crate) class: Class,
    /// Whether its name carries the class.
    pub(crate) classed: bool,
}

impl HeldObject {
    /// Returns the object's path in the store.
    pub(crate) fn path(&self, digest: &Digest) -> String {
        object_name(digest, self.classed.then_some(&self.class))
    }
}

impl Donors {
    /// Returns the object to take for a content: one with the class wanted if there is one, else any.
    pub(crate) fn object(&self, digest: &Digest, wanted: &Class) -> Option<HeldObject> {
        let held = self.objects.get(digest)?;
        held.iter().find(|held| held.class == *wanted).or_else(|| held.first()).copied()
    }

    /// Returns all objects of a content.
    pub(crate) fn objects(&self, digest: &Digest) -> impl Iterator<Item = HeldObject> {
        self.objects.get(digest).into_iter().flatten().copied()
    }

    /// Adds one object.
    pub(crate) fn add(&mut self, row: FileRow) {
        self.inventory.add_file(row.digest, row.size, row.class);
        let held = self.objects.entry(row.digest).or_default();
        if !held.iter().any(|held| held.class == row.class) {
            held.push(HeldObject { class: row.class, classed: row.classed });
        }
    }
}

impl Store {
    /// Returns what is held of a layer's files and chunks; perhaps more. It is what a pull of the layer finds.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn held(&self, toc: &Toc) -> Result<Inventory, StoreError> {
        Ok(self.donors(toc)?.inventory)
    }

    /// Looks up what is held of a layer's files and chunks.
    pub(crate) fn donors(&self, toc: &Toc) -> Result<Donors, StoreError> {
        let mapped = self.segments()?;
        let segments: Vec<_> = mapped.parsed().collect();
        let mut donors = Donors::default();
        let wanted = toc.wanted();
        let mut chunks = Vec::new();
        for segment in &segments {
            segment.find(&wanted, |row| donors.add(row), |row| chunks.push(row));
        }
        // A chunk counts only where no file has the same content, and once; its file may be in another segment.
        let mut objects = BTreeSet::new();
        for ChunkRow { digest, object, offset, len } in chunks {
            if !donors.objects.contains_key(&digest) && !donors.inventory.has_chunk(&digest) {
                donors.inventory.add_chunk(digest, HeldChunk { object, offset, len });
                objects.insert(object);
            }
        }
        let objects: Vec<_> =
            objects.into_iter().filter(|object| !donors.objects.contains_key(object)).collect();
        for segment in &segments {
            segment.find(&objects, |row| donors.add(row), drop);
        }
        Ok(donors)
    }

    /// Merges the segments if there are many. Losing this race, or the result, costs only time.
    pub(crate) fn merge_index(&self) -> Result<(), StoreError> {
        let _lock = self.lock_index()?;
        let mapped = self.segments()?;
        if mapped.maps.len() <= LOOSE {
            return Ok(());
        }
        self.write_merged(mapped)
    }

    /// Merges everything that the layers say, forgetting what is merged already: after layers were removed.
    pub(super) fn rebuild_index(&self) -> Result<(), StoreError> {
        let _lock = self.lock_index()?;
        self.put(LIVE, b"{\"segment\":null,\"layers\":[]}")?;
        self.write_merged(self.segments()?)
    }

    /// Lets a layer's own segment count again, because it was replaced: the merged one knows only what it was.
    pub(super) fn unmerge(&self, diff_id: &Digest) -> Result<(), StoreError> {
        let _lock = self.lock_index()?;
        let mut live = self.live()?;
        if live.layers.remove(diff_id) {
            self.put_live(&live)?;
        }
        Ok(())
    }

    fn write_merged(&self, mapped: Mapped) -> Result<(), StoreError> {
        let (mut files, mut chunks) = (Vec::new(), Vec::new());
        for segment in mapped.parsed() {
            files.extend(segment.files());
            chunks.extend(segment.chunks());
        }
        let bytes = Segment::build(files, chunks);
        let name = format!("{}.seg", Digest::of(&bytes).to_hex());
        self.put(&format!("index/{name}"), &bytes)?;
        // Not what is in `layers/` by now: a layer that came since has its rows in no segment but its own.
        let live = Live { segment: Some(name.clone()), layers: mapped.layers };
        self.put_live(&live)?;
        // Readers that mapped an old one keep it; nobody finds it any more.
        for old in self.names("index")? {
            let path = format!("index/{old}");
            if old != name && old != "lock" && path != LIVE {
                let _gone = self.dir().remove_file(path);
            }
        }
        Ok(())
    }

    fn live(&self) -> Result<Live, StoreError> {
        match self.dir().exists(LIVE) {
            false => Ok(Live::default()),
            true => Ok(serde_json::from_slice(&self.read(LIVE, 64 << 20)?).unwrap_or_default()),
        }
    }

    fn put_live(&self, live: &Live) -> Result<(), StoreError> {
        let json = serde_json::to_vec(live).map_err(|error| StoreError::broken(LIVE, error))?;
        self.put(LIVE, &json)
    }

    /// Maps the merged segment and those of the layers that are not in it.
    fn segments(&self) -> Result<Mapped, StoreError> {
        let live = self.live()?;
        let mut mapped = Mapped::default();
        if let Some(name) = live.segment
            && let Some(map) = self.map(&format!("index/{name}"))?
        {
            mapped = Mapped { maps: vec![map], layers: live.layers };
        }
        for diff_id in self.layers()? {
            if mapped.layers.insert(diff_id) {
                mapped.maps.extend(self.map(&format!("layers/{}/index", diff_id.to_hex()))?);
            }
        }
        Ok(mapped)
    }

    /// Maps a segment; `None` for one that was replaced meanwhile, was lost or is none. For the merged one the layers'
    /// own stand in; without a layer's own, its files are no donors.
    #[expect(unsafe_code, reason = "mapping a file needs it")]
    fn map(&self, path: &str) -> Result<Option<Mmap>, StoreError> {
        let file = match self.dir().open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_at("open", path)(error)),
        };
        // SAFETY: segments are written once, under a temporary name, and only ever unlinked or replaced: nobody who keeps to the
        // store's rules truncates or writes a mapped one. The bytes are only read, as plain integers.
        let map = unsafe { Mmap::map(&file.into_std()) }.map_err(io_at("map", path))?;
        Ok(Segment::parse(&map).is_ok().then_some(map))
    }
}

/// Returns the index segment of a layer: the objects that were made or linked for it, and the chunks in those that were
/// put together for it. What a TOC says of the chunks of any other file, nobody has looked at.
pub(crate) fn segment_of(toc: &Toc, rows: Vec<FileRow>, assembled: &BTreeSet<FileId>) -> Vec<u8> {
    let held: BTreeSet<Digest> = rows.iter().map(|row| row.digest).collect();
    let mut chunks = Vec::new();
    for (_, entry) in toc.files().filter(|(file, _)| assembled.contains(file)) {
        let Some(object) = entry.digest().copied().filter(|digest| held.contains(digest)) else { continue };
        let parts = toc.chunks(entry);
        if parts.len() > 1 {
            let data = parts.iter().filter(|chunk| chunk.body != shingle_core::Body::Zeros);
            chunks.extend(data.map(|chunk| ChunkRow {
                digest: chunk.digest,
                object,
                offset: chunk.offset,
                len: chunk.len,
            }));
        }
    }
    Segment::build(rows, chunks)
}
