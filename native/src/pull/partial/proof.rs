//! The proof: reading the layer back from where it really is, and finding who is to blame when it is another.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::PoisonError;

use shingle_core::{Basis, Complete, Digest, Donated, FileId, Hasher, LayerCheck, Source, VerifiedLayer};

use super::{LayerError, Stop, Work};
use crate::length;
use crate::store::ParentCache;

/// How much of a file is read back at once, in bytes.
const BUFFER: usize = 256 * 1024;

impl Work<'_> {
    /// Reads everything back in the order of the tar.
    ///
    /// A clone is read through its donor, whose pages are likely in memory: the two share their extents as long as
    /// neither is written to, and the donor's time of change says so.
    pub(super) fn check(&self, basis: &Basis) -> Result<LayerCheck, Stop> {
        let mut check = basis.check(self.plan);
        let mut cache = ParentCache::default();
        let mut buffer = vec![0; BUFFER];
        loop {
            let file = match check.wants() {
                Ok(Some(file)) => file,
                Ok(None) => return Ok(check),
                Err(error) => return self.blame(error),
            };
            let place = self.read_from(file);
            self.files.wait(place).map_err(|_given_up| Stop::GivenUp)?;
            let clone = self.clones.lock().unwrap_or_else(PoisonError::into_inner).remove(&place);
            let donor = match &clone {
                Some((object, _)) => self.job.context.store.open_object(object)?,
                None => None,
            };
            let opened = match donor {
                Some(donor) => donor,
                None => self.contents.open_to_read(&mut cache, place)?,
            };
            let mut left = self.member(file)?.0.size;
            loop {
                let read = match rustix::io::read(&opened, &mut buffer) {
                    Ok(read) => read,
                    // A donor on a bad block, perhaps.
                    Err(errno) => return self.blame(self.contents.error("read", file, errno)),
                };
                if let Err(error) = check.receive(buffer.get(..read).unwrap_or_default()) {
                    return self.blame(error);
                }
                // A short read at the expected end is the end: most files need no second one to say so.
                left = left.saturating_sub(length(buffer.get(..read).unwrap_or_default()));
                if read == 0 || left == 0 && read < buffer.len() {
                    break;
                }
            }
            if let Some((object, changed)) = clone
                && self.job.context.store.changed(&object)? != Some(changed)
            {
                // Somebody wrote to the donor meanwhile, or gave it a name: the clone must say for itself what it is.
                let (_, digest) = self.member(place)?;
                if hash(&self.contents.open_to_read(&mut cache, place)?) != Some(*digest) {
                    self.give_up_on(*digest)?;
                }
            }
        }
    }

    /// Returns the file to read a content from: a twin is made of its first file, after that one was read.
    fn read_from(&self, file: FileId) -> FileId {
        let files = self.plan.files();
        let planned =
            files.binary_search_by_key(&file, |planned| planned.file).ok().and_then(|at| files.get(at));
        match planned.map(|planned| &planned.source) {
            Some(Source::Twin { of, .. }) => *of,
            _ => file,
        }
    }

    /// Compares with the image's DiffID, where that can be.
    pub(super) fn settle(&self, check: LayerCheck, complete: Complete) -> Result<VerifiedLayer, Stop> {
        match check.finish(complete, &self.job.descriptor.diff_id) {
            Ok(verified) => Ok(verified),
            Err(error) => self.blame(error),
        }
    }

    /// Finds out whether donors are to blame for an error of the proof; if so they are put away.
    pub(super) fn blame<T>(&self, error: impl Into<LayerError>) -> Result<T, Stop> {
        let mut bad = BTreeSet::new();
        for planned in self.plan.files() {
            match &planned.source {
                Source::Held { digest, .. } => bad.extend(self.is_bad(digest)?.then_some(*digest)),
                Source::Assembled { donated, .. } => {
                    for Donated { chunk, .. } in donated {
                        bad.extend(self.is_bad(&chunk.object)?.then_some(chunk.object));
                    }
                }
                Source::Twin { .. } => {}
            }
        }
        if bad.is_empty() {
            return Err(Stop::Error(error.into()));
        }
        for digest in &bad {
            for held in self.donors.objects(digest) {
                self.job.context.store.quarantine(&held.path(digest))?;
            }
        }
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).extend(bad);
        Err(Stop::GivenUp)
    }

    /// Whether any object of a content is another content.
    pub(super) fn is_bad(&self, digest: &Digest) -> Result<bool, Stop> {
        for held in self.donors.objects(digest) {
            let Some(file) = self.job.context.store.open_object(&held.path(digest))? else { return Ok(true) };
            if hash(&file) != Some(*digest) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Hashes an open file from where it stands to its end; `None` when it cannot be read.
fn hash(file: &OwnedFd) -> Option<Digest> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match rustix::io::read(file, &mut buffer).ok()? {
            0 => return Some(hasher.finish()),
            read => hasher.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}
