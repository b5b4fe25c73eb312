//! The decision: for each file the best donor, for each chunk the next best, the network for the rest.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Donated, Part, Plan, PlannedFile, Source, Target, merge};
use crate::agree::Disagreement;
use crate::locate::LocateError;
use crate::policy::{Policy, Trust};
use crate::toc::{BadTarSplit, Body, Chunk, Entry, FileId, Toc, TocError};
use crate::{Class, Digest, Inventory};

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
    match policy.trust {
        Trust::DiffId if toc.tar_split_digest().is_none() => return Decision::Whole(Reason::NoTarSplit),
        Trust::Toc if toc.tar_split_digest().is_none() && toc.vouched().is_none() => {
            return Decision::Whole(Reason::Unvouched);
        }
        Trust::DiffId | Trust::Toc => {}
    }
    let mut planner = Planner {
        toc,
        inventory,
        files: Vec::new(),
        parts: Vec::new(),
        first: BTreeMap::new(),
        part_of: BTreeMap::new(),
    };
    for (file, entry) in toc.files() {
        if !planner.file(file, entry) {
            return Decision::Whole(Reason::NoToc { media_type: "content without offsets".into() });
        }
    }
    let Planner { files, parts, .. } = planner;
    let requests = merge::requests(&parts, policy);
    Decision::Partial(Plan {
        toc: Arc::clone(toc),
        files,
        parts: parts.into(),
        requests,
        limits: policy.limits,
    })
}

struct Planner<'a> {
    toc: &'a Toc,
    inventory: &'a Inventory,
    files: Vec<PlannedFile>,
    parts: Vec<Part>,
    /// The first file with each content.
    first: BTreeMap<(Digest, u64), FileId>,
    /// The part that brings each chunk.
    part_of: BTreeMap<(Digest, u64), usize>,
}

impl Planner<'_> {
    /// Plans one file; `false` when a chunk is nowhere.
    fn file(&mut self, file: FileId, entry: &Entry) -> bool {
        let Some(digest) = entry.digest().copied() else { return false };
        let member = entry.member();
        if let Some(held) = self.inventory.file(&digest, member.size) {
            let same_class = held.classes.contains(&Class::of(member));
            self.files.push(PlannedFile { file, source: Source::Held { digest, same_class } });
            return true;
        }
        if let Some(of) = self.first.get(&(digest, member.size)).copied() {
            let class = self.toc.file(of).map(|first| Class::of(first.member()));
            let same_class = class == Some(Class::of(member));
            self.files.push(PlannedFile { file, source: Source::Twin { of, same_class } });
            return true;
        }
        self.first.insert((digest, member.size), file);
        // The whole of it may be a part of something that is held.
        if let Some(chunk) = self.inventory.chunk(&digest, member.size) {
            let donated = alloc::vec![Donated { offset: 0, chunk, digest }];
            self.files.push(PlannedFile { file, source: Source::Assembled { donated, fetched: false } });
            return true;
        }
        let mut donated = Vec::new();
        let mut fetched = false;
        for chunk in self.toc.chunks(entry) {
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
            let target = Target { file, offset: chunk.offset };
            let known =
                self.part_of.get(&(chunk.digest, chunk.len)).and_then(|part| self.parts.get_mut(*part));
            if let Some(part) = known {
                part.targets.push(target);
                continue;
            }
            self.part_of.insert((chunk.digest, chunk.len), self.parts.len());
            let (frames, targets) = (frames.clone(), alloc::vec![target]);
            let Chunk { skip, len, digest, .. } = *chunk;
            self.parts.push(Part { frames, skip, len, digest, targets });
        }
        self.files.push(PlannedFile { file, source: Source::Assembled { donated, fetched } });
        true
    }
}
