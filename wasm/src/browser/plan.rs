//! What the host holds, and the plan made of it.

use js_sys::{Array, Float64Array, Uint8Array, Uint32Array};
use shingle_core::{Decision, Digest, HeldChunk, Source};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::basis::Basis;
use super::error::{Reason, digest, reason};
use super::fetch::{Fetch, Ledger};
use super::policy::{ByteRange, PolicyChanges, RangeParts, policy};
use super::record::{array, count, handle, number, record, variant};
use super::toc::{Toc, class, slice};

record! {
    /// What a plan comes to; the counts of files are in the order in which sources are preferred.
    SummaryParts as Summary {
        /// Regular files with content.
        files: u64 = "files: number",
        /// Of these, taken whole from a donor.
        held: u64 = "held: number",
        /// Of these, the same as an earlier file of the layer.
        twins: u64 = "twins: number",
        /// Of these, put together from donors' chunks and holes.
        assembled: u64 = "assembled: number",
        /// Of these, fetched in whole or in part.
        fetched: u64 = "fetched: number",
        /// Uncompressed bytes of all files.
        content_bytes: u64 = "contentBytes: number",
        /// Uncompressed bytes that come from donors, twins and holes.
        reused_bytes: u64 = "reusedBytes: number",
        /// Blob bytes that are asked for, gaps included, TOC and tar-split not.
        request_bytes: u64 = "requestBytes: number",
        /// Of these, bytes in gaps.
        bridged_bytes: u64 = "bridgedBytes: number",
        /// Requests for data.
        requests: u64 = "requests: number",
    }
}

record! {
    /// One regular file with content.
    PlannedParts as PlannedFile {
        /// The index of its entry.
        file: usize = "file: number",
        /// Where its content comes from.
        source: PlanSource = "source: PlanSource",
    }
}

record! {
    /// Put together from fetched chunks, from donors' chunks and from holes.
    AssembledParts as Assembled {
        /// What donors give.
        donated: Array = "donated: Donated[]",
        /// Whether anything is fetched for it.
        fetched: bool = "fetched: boolean",
    }
}

record! {
    /// The host holds a file with the same content.
    HeldParts as Held {
        /// The content's digest.
        digest: Digest = "digest: string",
        /// Whether it is held under the same metadata, so that it may be the same inode.
        same_class: bool = "sameClass: boolean",
    }
}

record! {
    /// An earlier file of the same layer has the same content.
    TwinParts as Twin {
        /// The index of that file's entry.
        of: usize = "of: number",
        /// Whether their metadata agree.
        same_class: bool = "sameClass: boolean",
    }
}

record! {
    /// A piece of a file that a donor holds.
    DonatedParts as Donated {
        /// Where it goes in the file.
        offset: u64 = "offset: number",
        /// The content that it lies in.
        object: Digest = "object: string",
        /// Where it lies in that.
        object_offset: u64 = "objectOffset: number",
        /// How long it is.
        len: u64 = "len: number",
        /// What it must be.
        digest: Digest = "digest: string",
    }
}

record! {
    /// All planned files in flat arrays, in the order of `files`.
    PlanColumnsParts as PlanColumns {
        /// The index of each file's entry.
        files: Uint32Array = "files: Uint32Array",
        /// Where its content comes from: 0 fetched in whole or in part, 1 assembled from donors, 2 held, 3 twin.
        sources: Uint8Array = "sources: Uint8Array",
        /// The bytes of it that donors or an earlier file give.
        reused: Float64Array = "reused: Float64Array",
    }
}

variant! {
    /// Where a file's content comes from.
    PlanSource {
        /// Put together; a file that is fetched as a whole is this too, with nothing donated.
        assembled(AssembledParts) = "assembled": "Assembled",
        /// Held whole.
        held(HeldParts) = "held": "Held",
        /// The same as an earlier file.
        twin(TwinParts) = "twin": "Twin",
    }
}

variant! {
    /// How a layer is pulled.
    PlanDecision {
        /// By file.
        partial(Plan) = "partial": "Plan",
        /// Front to back.
        read_whole(Reason) = "whole": "Reason",
    }
}

/// What the host holds, as claims: what is taken is proven with the layer.
#[wasm_bindgen]
#[derive(Clone, Debug, Default)]
pub struct Inventory(shingle_core::Inventory);

#[wasm_bindgen]
impl Inventory {
    /// Knows nothing.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a whole file under one metadata class.
    #[wasm_bindgen(js_name = addFile)]
    pub fn add_file(
        &mut self,
        #[wasm_bindgen(js_name = digest)] content: &str,
        size: f64,
        #[wasm_bindgen(js_name = metadataClass)] metadata: &str,
    ) -> Result<(), JsValue> {
        self.0.add_file(digest(content)?, count(size, "size")?, class(metadata)?);
        Ok(())
    }

    /// Adds a chunk that lies in a file with the digest `object`.
    #[wasm_bindgen(js_name = addChunk)]
    pub fn add_chunk(
        &mut self,
        #[wasm_bindgen(js_name = digest)] content: &str,
        object: &str,
        offset: f64,
        len: f64,
    ) -> Result<(), JsValue> {
        let (offset, len) = (count(offset, "offset")?, count(len, "len")?);
        self.0.add_chunk(digest(content)?, HeldChunk { object: digest(object)?, offset, len });
        Ok(())
    }

    /// Adds everything that a layer holds.
    #[wasm_bindgen(js_name = addToc)]
    pub fn add_toc(&mut self, toc: &Toc) {
        self.0.add_toc(toc.inner());
    }

    /// Strikes out a content that turned out corrupt or gone.
    pub fn strike(&mut self, #[wasm_bindgen(js_name = digest)] content: &str) -> Result<(), JsValue> {
        self.0.strike(&digest(content)?);
        Ok(())
    }
}

/// Decides where every byte comes from. Pure: the same in every host.
#[wasm_bindgen]
pub fn decide(
    basis: &Basis,
    inventory: &Inventory,
    #[wasm_bindgen(js_name = policy)] said: Option<PolicyChanges>,
) -> Result<PlanDecision, JsValue> {
    Ok(match shingle_core::decide(basis.inner().toc(), &inventory.0, &policy(said)?) {
        Decision::Partial(plan) => PlanDecision::partial(Plan(plan)),
        Decision::Whole(why) => PlanDecision::read_whole(reason(&why).object()),
    })
}

/// What to take from donors and what to fetch.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Plan(shingle_core::Plan);

#[wasm_bindgen]
impl Plan {
    /// What it comes to.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let summary = self.0.summary();
        let parts = SummaryParts {
            files: summary.files,
            held: summary.held,
            twins: summary.twins,
            assembled: summary.assembled,
            fetched: summary.fetched,
            content_bytes: summary.content_bytes,
            reused_bytes: summary.reused_bytes,
            request_bytes: summary.request_bytes,
            bridged_bytes: summary.bridged_bytes,
            requests: summary.requests,
        };
        parts.object()
    }

    /// The byte ranges to ask for: ascending, disjoint, none empty.
    #[must_use]
    pub fn requests(&self) -> Vec<ByteRange> {
        self.0.requests().map(|range| RangeParts::from(range).object()).collect()
    }

    /// Up to `count` planned files from `first` on: every regular file with content, in the order of the tar.
    #[must_use]
    pub fn files(&self, first: u32, count: u32) -> Vec<PlannedFile> {
        let planned = |planned: &shingle_core::PlannedFile| PlannedParts {
            file: planned.file.index(),
            source: source(&planned.source),
        };
        slice(self.0.files(), first, count).iter().map(|file| planned(file).object()).collect()
    }

    /// All planned files in flat arrays.
    #[must_use]
    pub fn columns(&self) -> PlanColumns {
        columns(&self.0).object()
    }

    /// Starts: one fetch for each request, and the ledger that waits for all of them.
    #[must_use]
    pub fn start(&self) -> Started {
        let (ledger, fetches) = self.0.start();
        StartedParts { ledger: ledger.into(), fetches: array(fetches.map(Fetch::from)) }.object()
    }

    pub(super) const fn inner(&self) -> &shingle_core::Plan {
        &self.0
    }
}

record! {
    /// What `start` gives: one fetch for each request, and the ledger that waits for all of them.
    StartedParts as Started {
        /// The ledger.
        ledger: Ledger = "ledger: Ledger",
        /// The fetches, in the order of the requests.
        fetches: Array = "fetches: Fetch[]",
    }
}

fn source(source: &Source) -> PlanSource {
    match source {
        Source::Assembled { donated, fetched } => {
            let donated = donated.iter().map(|piece| {
                let HeldChunk { object, offset, len } = piece.chunk;
                let (object_offset, digest) = (offset, piece.digest);
                DonatedParts { offset: piece.offset, object, object_offset, len, digest }
            });
            PlanSource::assembled(AssembledParts { donated: array(donated), fetched: *fetched })
        }
        Source::Held { digest, same_class } => {
            PlanSource::held(HeldParts { digest: *digest, same_class: *same_class })
        }
        Source::Twin { of, same_class } => {
            PlanSource::twin(TwinParts { of: of.index(), same_class: *same_class })
        }
    }
}

fn columns(plan: &shingle_core::Plan) -> PlanColumnsParts {
    let count = plan.files().len();
    let (mut files, mut sources) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut reused = Vec::with_capacity(count);
    for planned in plan.files() {
        files.push(u32::try_from(planned.file.index()).unwrap_or(u32::MAX));
        let size = plan.toc().file(planned.file).map_or(0, |entry| entry.member().size);
        let (source, bytes) = match &planned.source {
            Source::Assembled { donated, fetched: true } => {
                (0_u8, donated.iter().fold(0, |sum: u64, piece| sum.saturating_add(piece.chunk.len)))
            }
            Source::Assembled { .. } => (1, size),
            Source::Held { .. } => (2, size),
            Source::Twin { .. } => (3, size),
        };
        sources.push(source);
        reused.push(number(bytes));
    }
    PlanColumnsParts {
        files: files.as_slice().into(),
        sources: sources.as_slice().into(),
        reused: reused.as_slice().into(),
    }
}

handle!(Fetch, Plan);
