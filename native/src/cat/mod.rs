//! One file of an image, without the rest of it.
//!
//! [`find`] reads tables of contents from the top layer down, until the path leads to something: what a layer has, those below
//! it cannot change. [`fetch`] takes the file's content from a store that has it, else fetches its frames alone, from wherever
//! the image lies. Nothing is handed out before all of it is what the table of contents says: each chunk, then the whole
//! file. A layer that cannot be fetched by file is read to its end, because only its end says whether it is the layer that
//! was meant.
//!
//! The manifest vouches for the table of contents, and that for the file. That the layer's tar says the same of it, only a pull
//! proves.
//!
//! ```
//! use std::io::Read as _;
//!
//! use shingle::cat::{fetch, find};
//! use shingle::contents::{Quiet, ReadOptions};
//! use shingle::registry::{Client, ClientOptions};
//! use shingle::transport::open_source;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = concat!("oci:", env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo:v2");
//! let client = Client::new(ClientOptions::default())?;
//! let (source, options) = (open_source(&name.parse()?, &client)?, ReadOptions::default());
//! let file = find(name, &*source, b"opt/tiler/CHANGES", &options, &Quiet)?;
//! let content = fetch(&*source, &file, &options, &|_| {})?;
//! let mut text = String::new();
//! content.reader().read_to_string(&mut text)?;
//! assert!(text.starts_with("1.2:"));
//! assert!(content.spent.bytes < content.len());
//! # Ok(())
//! # }
//! ```

mod error;
mod find;
mod parts;
mod space;
mod whole;

use std::ops::AddAssign;
use std::sync::Arc;

use shingle_core::{
    Class, Decision, Digest, Donated, FileId, Inventory, Name, Plan, Policy, Source as From, Toc, Trust,
    decide_files,
};

pub use error::CatError;
pub use find::{FoundFile, find};
use space::Space;

use crate::contents::{Came, ReadOptions};
use crate::store::{Donors, Store};
use crate::transport::{SectionReader, Source};

/// How often a file is planned anew because donors turned out bad, before nothing is taken from the store.
const ATTEMPTS: usize = 3;

/// A file's content, proven, in a file without a name that goes with this.
#[derive(Debug)]
#[non_exhaustive]
pub struct Content {
    space: Space,
    /// Its digest.
    pub digest: Digest,
    /// What was read of the layer's blob for it, tables of contents left out.
    pub spent: Spent,
    /// Bytes of it that came from the store.
    pub reused_bytes: u64,
    /// Whether all of its layer was read for it.
    pub whole: bool,
}

/// What was read of blobs.
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

    /// Whether there are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Starts reading it at its first byte.
    pub fn reader(&self) -> SectionReader {
        self.space.section().reader()
    }
}

/// Fetches a file that was found in `source`. `received` hears of bytes of the blob. Of the options, the store and the policy
/// count.
///
/// # Errors
/// [`CatError::is_refusal`] tells content that is not what the table of contents says from a place or a store that could
/// not be read.
pub fn fetch(
    source: &dyn Source,
    file: &FoundFile,
    options: &ReadOptions<'_>,
    received: &(dyn Fn(u64) + Sync),
) -> Result<Content, CatError> {
    let layer = &file.layer;
    let (toc, entry) = (&layer.toc, layer.toc.entries().get(file.entry));
    let size = entry.map_or(0, |entry| entry.member().size);
    let space = Space::new(size)?;
    let Some(id) = toc.file_at(file.entry) else {
        let spent = Spent::default();
        return Ok(Content { space, digest: Digest::EMPTY, spent, reused_bytes: 0, whole: false });
    };
    let digest = entry.and_then(|entry| entry.digest()).copied().unwrap_or(Digest::EMPTY);
    let mut policy = options.policy;
    // For a look, what the manifest vouches for is enough.
    policy.trust = Trust::Toc;
    let mut job = Job {
        source,
        store: options.store,
        policy,
        wanted: Wanted {
            blob: layer.blob,
            size: layer.blob_bytes,
            diff_id: layer.diff_id,
            toc,
            by_file: layer.came == Came::ByToc,
            file: id,
            digest,
        },
        space,
        received,
    };
    let mut donors = match options.store {
        Some(store) => store.donors(toc)?,
        None => Donors::default(),
    };
    let mut attempts = 0;
    loop {
        match job.attempt(&donors)? {
            Ok((spent, reused_bytes, whole)) => {
                return Ok(Content { space: job.space, digest, spent, reused_bytes, whole });
            }
            Err(bad) => donors.inventory.strike(&bad),
        }
        attempts += 1;
        if attempts == ATTEMPTS {
            donors = Donors::default();
        }
        job.space = Space::new(size)?;
    }
}

/// A regular file with content in a layer of an image.
struct Wanted<'a> {
    blob: Digest,
    size: u64,
    diff_id: Digest,
    toc: &'a Arc<Toc>,
    /// Whether the table was found where the manifest says, and so says where frames lie; otherwise the layer was read
    /// whole to know it, and is again.
    by_file: bool,
    file: FileId,
    digest: Digest,
}

struct Job<'a> {
    source: &'a dyn Source,
    store: Option<&'a Store>,
    wanted: Wanted<'a>,
    policy: Policy,
    space: Space,
    received: &'a (dyn Fn(u64) + Sync),
}

/// What an attempt came to: what was read, how much of it was here, whether the layer was read whole; or the donor that is
/// not what it should be.
type Attempt = Result<(Spent, u64, bool), Digest>;

impl Job<'_> {
    fn attempt(&self, donors: &Donors) -> Result<Attempt, CatError> {
        let (wanted, size) = (&self.wanted, self.space.len());
        if donors.inventory.file(&wanted.digest, size).is_some() {
            let taken = self.take(donors, &wanted.digest, 0, size, 0)?;
            let good = taken && self.space.hash(0, size)? == wanted.digest;
            return Ok(if good { Ok((Spent::default(), size, false)) } else { Err(wanted.digest) });
        }
        let Some(plan) = self.decide(&donors.inventory) else {
            return Ok(Ok((whole::read(self)?, 0, true)));
        };
        let mut reused = 0;
        for planned in plan.files() {
            let From::Assembled { donated, .. } = &planned.source else { continue };
            for Donated { offset, chunk, digest, .. } in donated {
                if !self.take(donors, &chunk.object, chunk.offset, chunk.len, *offset)?
                    || self.space.hash(*offset, chunk.len)? != *digest
                {
                    return Ok(Err(chunk.object));
                }
                reused += chunk.len;
            }
        }
        let spent = parts::fetch(self, &plan)?;
        match self.space.hash(0, size)? {
            actual if actual == wanted.digest => Ok(Ok((spent, reused, false))),
            actual => Err(self.other_content(actual)),
        }
    }

    /// Plans the file; `None` where all of its layer must be read.
    fn decide(&self, inventory: &Inventory) -> Option<Plan> {
        let Wanted { toc, file, by_file: true, .. } = &self.wanted else { return None };
        match decide_files(toc, inventory, &self.policy, &[*file]) {
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

    fn name(&self) -> Name {
        let entry = self.wanted.toc.file(self.wanted.file);
        entry.map(|entry| entry.member().name.clone()).unwrap_or_default()
    }

    fn other_content(&self, actual: Digest) -> CatError {
        CatError::Content { name: self.name(), expected: self.wanted.digest, actual }
    }
}
