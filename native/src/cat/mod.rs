//! One file of an image, without the rest of it.
//!
//! [`fetch`] takes a file's content from a store that has it, else fetches its frames alone, from wherever the image lies.
//! Nothing is handed out before all of it is what the table of contents says: each chunk, then the whole file. A layer that
//! cannot be fetched by file is read to its end, because only its end says whether it is the layer that was meant.

mod error;
mod parts;
mod spool;
mod whole;

use std::ops::AddAssign;
use std::sync::Arc;

use shingle_core::{
    Class, Decision, Digest, Donated, FileId, Inventory, Plan, Policy, Source as From, Toc, decide_files,
};

pub use error::CatError;
use spool::Space;

use crate::store::{Donors, Store};
use crate::transport::{SectionReader, Source};

/// How often a file is planned anew because donors turned out bad, before nothing is taken from the store.
const ATTEMPTS: usize = 3;

/// A regular file with content in a layer of an image.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "plain data, made by whoever knows the layer")]
pub struct Wanted<'a> {
    /// The digest of the layer's blob.
    pub blob: Digest,
    /// The blob's length.
    pub size: u64,
    /// The digest of the layer's tar, by the image's word.
    pub diff_id: Digest,
    /// The layer's table of contents.
    pub toc: &'a Arc<Toc>,
    /// Whether the table was found where the manifest says, and so says where frames lie; otherwise the layer was read
    /// whole to know it, and is again.
    pub by_file: bool,
    /// Which file.
    pub file: FileId,
}

/// A file's content, proven, in a file without a name that goes with this.
#[derive(Debug)]
#[non_exhaustive]
pub struct Content {
    space: Space,
    /// Its digest.
    pub digest: Digest,
    /// What was read for it.
    pub spent: Spent,
    /// Bytes of it that came from the store.
    pub reused_bytes: u64,
    /// Whether all of its layer was read for it.
    pub whole: bool,
}

/// What was read from a layer's blob.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a pair of numbers")]
pub struct Spent {
    /// Bytes.
    pub bytes: u64,
    /// In how many requests; what a registry redirects or has repeated is not counted.
    pub requests: u64,
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.requests = self.requests.saturating_add(other.requests);
    }
}

impl Content {
    /// Returns its length in bytes.
    pub const fn len(&self) -> u64 {
        self.space.len()
    }

    /// Whether there are no bytes; never so for a file with content.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Starts reading it at its first byte.
    pub fn reader(&self) -> SectionReader {
        self.space.section().reader()
    }
}

/// Fetches one file. `received` hears of bytes of the blob.
///
/// # Errors
/// [`CatError::is_refusal`] tells content that is not what the table of contents says from a place or a store that could
/// not be read.
pub fn fetch(
    source: &dyn Source,
    store: Option<&Store>,
    wanted: &Wanted<'_>,
    policy: &Policy,
    received: &(dyn Fn(u64) + Sync),
) -> Result<Content, CatError> {
    let entry = wanted.toc.file(wanted.file).and_then(|entry| Some((entry.member(), *entry.digest()?)));
    let Some((member, digest)) = entry else { return Err(CatError::NoFile) };
    let space = Space::new(member.size)?;
    let mut job = Job { source, store, wanted, policy, space, digest, received };
    let mut donors = match store {
        Some(store) => store.donors(wanted.toc)?,
        None => Donors::default(),
    };
    for attempt in 1.. {
        if attempt > ATTEMPTS {
            donors = Donors::default();
        }
        match job.attempt(&donors)? {
            Ok((spent, reused_bytes, whole)) => {
                return Ok(Content { space: job.space, digest, spent, reused_bytes, whole });
            }
            Err(bad) => donors.inventory.strike(&bad),
        }
        job.space = Space::new(member.size)?;
    }
    Err(CatError::NoFile)
}

struct Job<'a> {
    source: &'a dyn Source,
    store: Option<&'a Store>,
    wanted: &'a Wanted<'a>,
    policy: &'a Policy,
    space: Space,
    digest: Digest,
    received: &'a (dyn Fn(u64) + Sync),
}

/// What an attempt came to: what was read, how much of it was here, whether the layer was read whole; or the donor that is
/// not what it should be.
type Attempt = Result<(Spent, u64, bool), Digest>;

impl Job<'_> {
    fn attempt(&self, donors: &Donors) -> Result<Attempt, CatError> {
        let plan = match self.decide(&donors.inventory) {
            Some(plan) => plan,
            None => return Ok(Ok((whole::read(self)?, 0, true))),
        };
        let planned = plan.files().first().map(|planned| &planned.source);
        let reused = match planned {
            Some(From::Held { digest, .. }) => match self.take(donors, digest, 0, self.space.len(), 0)? {
                true => self.space.len(),
                false => return Ok(Err(*digest)),
            },
            Some(From::Assembled { donated, .. }) => {
                let mut reused = 0;
                for Donated { offset, chunk, digest, .. } in donated {
                    if !self.take(donors, &chunk.object, chunk.offset, chunk.len, *offset)?
                        || self.space.hash(*offset, chunk.len)? != *digest
                    {
                        return Ok(Err(chunk.object));
                    }
                    reused += chunk.len;
                }
                reused
            }
            // One file has no twin before it.
            Some(From::Twin { .. }) | None => return Err(CatError::NoFile),
        };
        let spent = parts::fetch(self, &plan)?;
        let actual = self.space.hash(0, self.space.len())?;
        if actual == self.digest {
            return Ok(Ok((spent, reused, false)));
        }
        match planned {
            Some(From::Held { digest, .. }) => Ok(Err(*digest)),
            _ => Err(self.other_content(actual)),
        }
    }

    /// Plans the file; `None` where all of its layer must be read.
    fn decide(&self, inventory: &Inventory) -> Option<Plan> {
        let Wanted { toc, file, by_file, .. } = self.wanted;
        // A table that was made of the layer's own tar says no frames, and needs none where the store has everything.
        let held = || inventory.file(&self.digest, self.space.len()).is_some();
        if !by_file && !held() {
            return None;
        }
        match decide_files(toc, inventory, self.policy, &[*file]) {
            Decision::Partial(plan) => Some(plan),
            Decision::Whole(_) => None,
        }
    }

    /// Copies a part of a content that the store holds; `false` where it has no such bytes any more.
    fn take(&self, donors: &Donors, object: &Digest, from: u64, len: u64, to: u64) -> Result<bool, CatError> {
        let class = self.wanted.toc.file(self.wanted.file).map(|entry| Class::of(entry.member()));
        let held = class.and_then(|class| donors.object(object, &class));
        let (Some(store), Some(held)) = (self.store, held) else { return Ok(false) };
        let Some(file) = store.open_object(&held.path(object))? else { return Ok(false) };
        self.space.copy(&file, from, len, to)
    }

    fn other_content(&self, actual: Digest) -> CatError {
        let member = self.wanted.toc.file(self.wanted.file).map(|entry| entry.member().name.clone());
        CatError::Content { name: member.unwrap_or_default(), expected: self.digest, actual }
    }
}
