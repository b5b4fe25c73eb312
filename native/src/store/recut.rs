//! Cutting the files of a layer that is here already, so that later layers can take parts of them.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::io::Errno;
use shingle_core::{Digest, Entry, FileRow, Recut, Segment};

use super::error::at;
use super::index::{HeldObject, segment_of};
use super::{Store, StoreError, StoredLayer};
use crate::count;

/// How much of a file is read at once, in bytes.
const BUFFER: usize = 256 * 1024;

impl Store {
    /// Cuts the files of a layer that was pulled whole, and indexes the chunks; returns how many there are, or `None` when
    /// that is done already, the layer has chunks of its own, or `stopped` says that nobody waits for it any more.
    ///
    /// Every object of the layer is read and proven by it; one that is another content is put away.
    ///
    /// # Errors
    /// The layer's files cannot be read or replaced. It stays what it was.
    pub(crate) fn index_chunks(
        &self,
        diff_id: &Digest,
        stopped: impl Fn() -> bool,
    ) -> Result<Option<u64>, StoreError> {
        let record = self.layer_record(diff_id)?;
        if record.mode != "whole" || record.chunks_indexed.is_some() {
            return Ok(None);
        }
        let StoredLayer { mut record, toc, .. } = self.layer(diff_id)?;
        let hex = diff_id.to_hex();
        let [toc_path, index_path, record_path] =
            ["toc.zst", "index", "record.json"].map(|name| format!("layers/{hex}/{name}"));
        let bytes = self.read(&index_path, 1 << 33)?;
        let segment = Segment::parse(&bytes).map_err(|error| StoreError::broken(&index_path, error))?;
        let rows: Vec<FileRow> = segment.files().collect();
        let objects: BTreeMap<Digest, FileRow> = rows.iter().map(|row| (row.digest, *row)).collect();

        let mut recut = Recut::new(Arc::clone(&toc), self.limits());
        let mut buffer = vec![0; BUFFER];
        while let Some(file) = recut.wants() {
            if stopped() {
                return Ok(None);
            }
            // Without an object the content is no donor, whatever it consists of.
            let digest = toc.file(file).and_then(Entry::digest);
            let Some(row) = digest.and_then(|digest| objects.get(digest)) else { continue };
            let path = HeldObject { class: row.class, classed: row.classed }.path(&row.digest);
            let Some(object) = self.open_object(&path)? else { continue };
            if !receive(&mut recut, &object, row.size, &mut buffer).map_err(at("read", &path))? {
                self.quarantine(&path)?;
            }
        }
        drop(toc);
        let toc = recut.finish();
        let all = toc.files().map(|(file, _)| file).collect();
        let segment = segment_of(&toc, rows, &all);
        let chunks = chunk_count(&segment);
        record.chunks_indexed = Some(chunks);
        let json =
            serde_json::to_vec_pretty(&record).map_err(|error| StoreError::broken(&record_path, error))?;
        let packed = shingle_core::compress(&toc.to_stored());
        self.put_all(&[(&toc_path, &packed), (&index_path, &segment)])?;
        self.unmerge(diff_id)?;
        // Last: what says that it need not be done again.
        self.put(&record_path, &json)?;
        Ok(Some(chunks))
    }
}

/// Reads an object; `false` when it is not what its name says.
fn receive(recut: &mut Recut, object: &OwnedFd, size: u64, buffer: &mut [u8]) -> Result<bool, Errno> {
    let mut left = size;
    loop {
        let read = match rustix::io::read(object, &mut *buffer) {
            Ok(read) => read,
            Err(Errno::IO) => return Ok(false),
            Err(errno) => return Err(errno),
        };
        // A longer one is another one; it need not be read to its end to see that.
        let Some(rest) = left.checked_sub(count(read)) else { return Ok(false) };
        left = rest;
        recut.receive(buffer.get(..read).unwrap_or_default());
        if read == 0 {
            return Ok(recut.settle());
        }
    }
}

/// Returns how many chunks an index segment names.
pub(crate) fn chunk_count(segment: &[u8]) -> u64 {
    Segment::parse(segment).map_or(0, |segment| count(segment.chunks().len()))
}
