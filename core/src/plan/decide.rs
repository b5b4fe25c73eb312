//! The decision: for each file the best donor, for each chunk the next best, the network for the rest.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::same::firsts;
use super::{Donated, Part, Parts, Plan, PlannedFile, Source, Target, merge};
use crate::agree::Disagreement;
use crate::locate::LocateError;
use crate::policy::{Policy, Trust};
use crate::toc::{BadTarSplit, Body, Entry, FileId, Toc, TocError};
use crate::{Class, Inventory};

/// How a layer is pulled.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Decision {
    /// By file.
    Partial(Plan),
    /// Front to back.
    Whole(Reason),
}

/// Why a layer is pulled whole. No error: the layer ends up just as proven.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Reason {
    /// A field that nobody applies differs between TOC and tar.
    #[error("TOC and tar disagree: {0}")]
    Disagreement(Disagreement),
    /// Annotations that lead nowhere.
    #[error("{0}")]
    Locate(LocateError),
    /// No tar-split, as in eStargz and old forms: nothing ties the TOC to the DiffID, and the user wants that.
    #[error(
        "no tar-split ties its table of contents to the DiffID (eStargz, or written by podman 4.3 or older); \
         with `--trust toc` it is pulled by file"
    )]
    NoTarSplit,
    /// No annotation of the layer speaks of a TOC.
    #[error("no table of contents ({media_type})")]
    NoToc {
        /// The layer's media type.
        media_type: String,
    },
    /// The TOC should be in another image, and is not.
    #[error("its table of contents should be in the image {image}, which {problem}")]
    ExternalToc {
        /// The image's name.
        image: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The registry does not answer ranges.
    #[error("the registry does not serve ranges of this blob")]
    NoRanges,
    /// A tar-split that its digest vouches for, yet cannot be read.
    #[error("{0}")]
    TarSplit(BadTarSplit),
    /// A TOC that is not understood.
    #[error("{0}")]
    Toc(TocError),
    /// A TOC that neither the manifest vouches for nor a tar-split ties to the DiffID.
    #[error("nothing vouches for its table of contents")]
    Unvouched,
}

/// Decides where every byte of a layer comes from.
///
/// Pure: the same TOC, inventory and policy give the same plan everywhere. Whole files come first, then chunks; a
/// donor of another size is never taken; content that the layer holds twice is fetched once.
pub fn decide(toc: &Arc<Toc>, inventory: &Inventory, policy: &Policy) -> Decision {
    decide_for(Planner::new(toc, inventory), toc, policy)
}

/// Decides like [`decide`], for these files alone: the others are in no request, but where a gap is bridged, and are
/// nobody's twin. What is no regular file with content is passed over.
///
/// Carried out, it brings the contents of these files, each as the TOC says; a layer comes of it only where it is all
/// of them.
pub fn decide_files(toc: &Arc<Toc>, inventory: &Inventory, policy: &Policy, files: &[FileId]) -> Decision {
    decide_for(Planner::of(toc, inventory, files), toc, policy)
}

/// Decides like [`decide`] for a TOC that the caller knows to be enough.
pub(crate) fn decide_trusting(toc: &Arc<Toc>, inventory: &Inventory, policy: &Policy) -> Decision {
    decided(Planner::new(toc, inventory), toc, policy)
}

fn decide_for(planner: Planner<'_>, toc: &Arc<Toc>, policy: &Policy) -> Decision {
    match policy.trust {
        Trust::DiffId if toc.tar_split_digest().is_none() => Decision::Whole(Reason::NoTarSplit),
        Trust::Toc if toc.tar_split_digest().is_none() && toc.vouched().is_none() => {
            Decision::Whole(Reason::Unvouched)
        }
        Trust::DiffId | Trust::Toc => decided(planner, toc, policy),
    }
}

fn decided(mut planner: Planner<'_>, toc: &Arc<Toc>, policy: &Policy) -> Decision {
    for (file, entry) in toc.files() {
        if planner.chosen.has(file) && !planner.file(file, entry) {
            return Decision::Whole(Reason::NoToc { media_type: "content without offsets".into() });
        }
    }
    let Planner { files, parts, targets, .. } = planner;
    let parts = Parts::new(parts, targets);
    let requests = merge::requests(&parts, policy);
    Decision::Partial(Plan {
        toc: Arc::clone(toc),
        files,
        parts: Arc::new(parts),
        requests,
        limits: policy.limits,
    })
}

struct Planner<'a> {
    toc: &'a Toc,
    inventory: &'a Inventory,
    chosen: Chosen,
    files: Vec<PlannedFile>,
    parts: Vec<Part>,
    targets: Vec<Target>,
    /// By entry: the first file with the same content.
    first_file: Vec<u32>,
    /// By chunk: the first chunk with the same content.
    first_chunk: Vec<u32>,
    /// By chunk, for those that are the first: the part that brings them, once there is one.
    part_of: Vec<u32>,
}

/// Which files are planned.
struct Chosen {
    /// By entry; all of them, if nothing is said.
    some: Option<Vec<bool>>,
}

impl Chosen {
    fn has(&self, file: FileId) -> bool {
        self.has_entry(file.index())
    }

    fn has_entry(&self, index: usize) -> bool {
        self.some.as_ref().is_none_or(|some| some.get(index).is_some_and(|chosen| *chosen))
    }
}

/// For chunks that no part brings; `Limits::entries` keeps every index far below this.
const NONE: u32 = u32::MAX;

impl<'a> Planner<'a> {
    /// Plans every file.
    fn new(toc: &'a Toc, inventory: &'a Inventory) -> Self {
        Self::with(toc, inventory, Chosen { some: None }, toc.files().count())
    }

    /// Plans some files.
    fn of(toc: &'a Toc, inventory: &'a Inventory, files: &[FileId]) -> Self {
        let mut some = alloc::vec![false; toc.entries().len()];
        for file in files {
            if let Some(chosen) = some.get_mut(file.index()) {
                *chosen = true;
            }
        }
        Self::with(toc, inventory, Chosen { some: Some(some) }, files.len())
    }

    fn with(toc: &'a Toc, inventory: &'a Inventory, chosen: Chosen, count: usize) -> Self {
        let (entries, chunks) = (toc.entries(), toc.all_chunks());
        let file = |index: usize| {
            let entry = entries.get(index).filter(|entry| entry.is_file() && chosen.has_entry(index))?;
            Some((entry.digest()?, entry.member().size))
        };
        // Of files that nobody chose it does not matter which chunks are alike: none of them is planned.
        let chunk = |index: usize| chunks.get(index).map(|chunk| (&chunk.digest, chunk.len));
        let first_file = firsts(entries.len(), file);
        let first_chunk = firsts(chunks.len(), chunk);
        Self {
            toc,
            inventory,
            chosen,
            files: Vec::with_capacity(count.min(entries.len())),
            parts: Vec::new(),
            targets: Vec::new(),
            first_file,
            part_of: alloc::vec![NONE; chunks.len()],
            first_chunk,
        }
    }

    /// Plans one file; `false` when a chunk is nowhere.
    fn file(&mut self, file: FileId, entry: &Entry) -> bool {
        let Some(digest) = entry.digest().copied() else { return false };
        let member = entry.member();
        if let Some(held) = self.inventory.file(&digest, member.size) {
            let same_class = held.classes.contains(&Class::of(member));
            self.files.push(PlannedFile { file, source: Source::Held { digest, same_class } });
            return true;
        }
        let first = self.first_file.get(file.index()).and_then(|first| usize::try_from(*first).ok());
        if let Some(of) = first.map(FileId::new).filter(|first| *first != file) {
            let class = self.toc.file(of).map(|first| Class::of(first.member()));
            let same_class = class == Some(Class::of(member));
            self.files.push(PlannedFile { file, source: Source::Twin { of, same_class } });
            return true;
        }
        // The whole of it may be a part of something that is held.
        if let Some(chunk) = self.inventory.chunk(&digest, member.size) {
            let donated = alloc::vec![Donated { offset: 0, chunk, digest }];
            self.files.push(PlannedFile { file, source: Source::Assembled { donated, fetched: false } });
            return true;
        }
        let mut donated = Vec::new();
        let mut fetched = false;
        for (index, chunk) in entry.places().zip(self.toc.chunks(entry)) {
            let frames = match &chunk.body {
                Body::Zeros => continue,
                Body::Frames(frames) => Some(frames),
                Body::Unlocated => None,
            };
            if let Some(held) = self.inventory.chunk(&chunk.digest, chunk.len) {
                donated.push(Donated { offset: chunk.offset, chunk: held, digest: chunk.digest });
                continue;
            }
            let Some(frames) = frames else { return false };
            fetched = true;
            let first = self.first_chunk.get(index).and_then(|first| usize::try_from(*first).ok());
            let Some(part) = first.and_then(|first| self.part_of.get_mut(first)) else { return false };
            if *part == NONE {
                *part = u32::try_from(self.parts.len()).unwrap_or(NONE);
                self.parts.push(Part::new(chunk, frames.clone()));
            }
            self.targets.push(Target::new(*part, file, chunk.offset));
        }
        self.files.push(PlannedFile { file, source: Source::Assembled { donated, fetched } });
        true
    }
}
