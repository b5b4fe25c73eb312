//! What a layer takes from files that are here already.

use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use shingle_core::{Class, Digest, Donated, FileId, FileRow, Method, PlannedFile, Source};

use super::{Stop, Work};
use crate::store::{PlaceOutcome, WriteCache};

/// How many files are taken at a time: neighbours share directories.
pub(super) const BATCH: usize = 32;

impl Work<'_> {
    /// Takes what donors give, a batch of neighbours after another: they share directories.
    pub(super) fn reuse(&self, planned: &Mutex<std::slice::Iter<'_, PlannedFile>>) -> Result<(), Stop> {
        let mut cache = WriteCache::default();
        loop {
            let batch: Vec<_> = {
                let mut planned = planned.lock().unwrap_or_else(PoisonError::into_inner);
                planned.by_ref().take(BATCH).collect()
            };
            if batch.is_empty() {
                return Ok(());
            }
            if self.stopped() {
                return Err(Stop::GivenUp);
            }
            for planned in batch {
                match &planned.source {
                    Source::Held { digest, same_class } => {
                        self.take_held(&mut cache, planned.file, digest, *same_class)?;
                    }
                    Source::Assembled { donated, fetched } if !donated.is_empty() || !fetched => {
                        self.take_pieces(&mut cache, planned.file, donated)?;
                    }
                    // Made when everything else is there, or completed by those who fetch.
                    Source::Twin { .. } | Source::Assembled { .. } => {}
                }
            }
        }
    }

    pub(super) fn take_held(
        &self,
        cache: &mut WriteCache,
        file: FileId,
        digest: &Digest,
        same_class: bool,
    ) -> Result<(), Stop> {
        let (member, _) = self.member(file)?;
        let class = Class::of(member);
        let Some(held) = self.donors.object(digest, &class) else {
            return self.give_up_on(*digest);
        };
        let name = held.path(digest);
        let store = self.job.context.store;
        let before = match self.placer.first(same_class) {
            Method::Reflink => store.changed(&name)?,
            Method::Hardlink | Method::Copy => None,
        };
        let outcome =
            self.contents.place(cache, &self.placer, file, store.fd(), name.as_bytes(), same_class)?;
        let method = match outcome {
            PlaceOutcome::Placed(method) => method,
            PlaceOutcome::NoDonor => {
                store.quarantine(&name)?;
                return self.give_up_on(*digest);
            }
        };
        // Whatever name it was found under, this layer needs that object from now on.
        self.row(FileRow { digest: *digest, class: held.class, size: member.size, classed: held.classed });
        if method != Method::Hardlink && held.class != class {
            self.adopt(cache, file, digest, class, member.size)?;
        }
        if let (Method::Reflink, Some(changed)) = (method, before) {
            self.clones.lock().unwrap_or_else(PoisonError::into_inner).insert(file, (name, changed));
        }
        if self.files.arrived(file) {
            self.files.ready(file);
        }
        Ok(())
    }

    /// Makes the files whose content the layer holds already under another name, when that is complete.
    pub(super) fn place_twins(&self) -> Result<(), Stop> {
        let twins = self.plan.files().iter().filter_map(|planned| match planned.source {
            Source::Twin { of, same_class } => Some((planned.file, of, same_class)),
            Source::Assembled { .. } | Source::Held { .. } => None,
        });
        let clones =
            twins.clone().filter(|(_, _, same_class)| self.placer.first(*same_class) == Method::Reflink);
        if clones.count() > BATCH {
            // A file system writes a file to disk before it shares its extents: all at once is faster than each.
            self.job.context.store.sync()?;
        }
        let mut cache = WriteCache::default();
        for (twin, of, same_class) in twins {
            let (dir, path) = self.contents.place_of(of);
            match self.contents.place(&mut cache, &self.placer, twin, dir, &path, same_class)? {
                PlaceOutcome::Placed(_) => {}
                PlaceOutcome::NoDonor => return Err(Stop::GivenUp),
            }
            if !same_class {
                let (member, digest) = self.member(twin)?;
                self.adopt(&mut cache, twin, digest, Class::of(member), member.size)?;
            }
        }
        Ok(())
    }

    pub(super) fn take_pieces(
        &self,
        cache: &mut WriteCache,
        file: FileId,
        donated: &[Donated],
    ) -> Result<(), Stop> {
        let shared = self.files.is_shared(file);
        for Donated { offset, chunk, digest, .. } in donated {
            let donor = self.open_object(&chunk.object)?;
            let Some(donor) = donor else { return self.give_up_on(chunk.object) };
            // An index row is a claim. Were it believed, one layer's false row could spoil every later layer's pull.
            let copied = self.contents.copy_piece(cache, file, shared, &donor, chunk, *offset)?;
            if copied != Some(*digest) {
                let object_is_bad = self.is_bad(&chunk.object)?;
                return self.give_up_on(if object_is_bad { chunk.object } else { *digest });
            }
        }
        self.contents.open(cache, file, shared)?;
        if self.files.arrived(file) {
            self.complete(cache, file, shared)?;
        }
        cache.close();
        Ok(())
    }

    /// Opens any object with this content.
    pub(super) fn open_object(&self, digest: &Digest) -> Result<Option<OwnedFd>, Stop> {
        for held in self.donors.objects(digest) {
            if let Some(file) = self.job.context.store.open_object(&held.path(digest))? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// Notes a bad donor: the layer is begun anew without it.
    pub(super) fn give_up_on(&self, digest: Digest) -> Result<(), Stop> {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
        Err(Stop::GivenUp)
    }
}
