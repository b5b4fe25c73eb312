//! The figures of `Overlap`, as plain objects.

use js_sys::Array;
use shingle_core::Digest;
use shingle_core::overlap as core_overlap;
use shingle_core::overlap::{Changed, ImageId, NodeId, State};

use crate::browser::record::{array, record};
use crate::browser::toc::{TimeParts, kind};

record! {
    /// What some contents come to.
    BytesParts as OverlapBytes {
        /// Uncompressed, holes left out.
        logical: u64 = "logical: number",
        /// Of frames in the blob, as far as they are known.
        compressed: u64 = "compressed: number",
        /// Logical bytes whose frames are not known; unless it is 0, `compressed` is not all.
        unlocated: u64 = "unlocated: number",
    }
}

record! {
    /// How many contents, and what they come to.
    AmountParts as OverlapAmount {
        /// How many.
        count: u64 = "count: number",
        /// What they come to.
        bytes: BytesParts = "bytes: OverlapBytes",
    }
}

record! {
    /// All images.
    SummaryParts as OverlapSummary {
        /// Each image.
        images: Array = "images: ImageSummary[]",
        /// One for each number of images, from 1 on: what exactly so many have.
        shared_by: Array = "sharedBy: SharedBy[]",
        /// Every content of any image once: the sum over `sharedBy`.
        distinct: AmountParts = "distinct: OverlapAmount",
        /// Every chunk once.
        distinct_chunks: AmountParts = "distinctChunks: OverlapAmount",
    }
}

record! {
    /// One image.
    ImageParts as ImageSummary {
        /// As it was added.
        label: String = "label: string",
        /// Its layers, lowest first.
        layers: Array = "layers: LayerSummary[]",
        /// The lengths of its blobs, each layer once.
        blob_bytes: u64 = "blobBytes: number",
        /// Files, each as often as it occurs.
        files: AmountParts = "files: OverlapAmount",
        /// Each content once: `unique` and `shared`.
        distinct: AmountParts = "distinct: OverlapAmount",
        /// What no other image has.
        unique: AmountParts = "unique: OverlapAmount",
        /// What another image has.
        shared: AmountParts = "shared: OverlapAmount",
        /// Chunks, each content once: `uniqueChunks` and `sharedChunks`.
        distinct_chunks: AmountParts = "distinctChunks: OverlapAmount",
        /// Chunks that no other image has.
        unique_chunks: AmountParts = "uniqueChunks: OverlapAmount",
        /// Chunks that another image has.
        shared_chunks: AmountParts = "sharedChunks: OverlapAmount",
        /// Files beyond the first of each content.
        duplicates: AmountParts = "duplicates: OverlapAmount",
        /// Files that no name leads to in the end.
        wasted: AmountParts = "wasted: OverlapAmount",
        /// In no other figure.
        hole_bytes: u64 = "holeBytes: number",
    }
}

record! {
    /// One layer of an image.
    LayerParts as LayerSummary {
        /// The digest of its blob.
        blob: Option<Digest> = "blob: string | undefined",
        /// The digest of its tar.
        diff_id: Option<Digest> = "diffId: string | undefined",
        /// The length of its blob.
        blob_bytes: u64 = "blobBytes: number",
        /// Whether a pull takes all of it, whatever is held.
        whole: bool = "whole: boolean",
        /// The earlier layer of the image that it repeats.
        repeats: Option<u32> = "repeats: number | undefined",
        /// The other images that have it.
        also_in: Array = "alsoIn: number[]",
        /// Its files.
        files: AmountParts = "files: OverlapAmount",
    }
}

record! {
    /// What exactly so many images have.
    SharedByParts as SharedBy {
        /// So many.
        images: u32 = "images: number",
        /// Files.
        files: AmountParts = "files: OverlapAmount",
        /// Chunks.
        chunks: AmountParts = "chunks: OverlapAmount",
    }
}

record! {
    /// All about a path.
    DetailsParts as NodeDetails {
        /// What it is.
        kind: &'static str = "kind: Kind",
        /// Permission bits.
        mode: u32 = "mode: number",
        /// The owner.
        uid: u32 = "uid: number",
        /// The group.
        gid: u32 = "gid: number",
        /// When it last changed.
        mtime: TimeParts = "mtime: Timestamp",
        /// The layer, and the index in that layer's TOC of the entry that says all this; none for a directory that no layer
        /// lists.
        member: Option<Array> = "member: [layer: number, entry: number] | undefined",
        /// What other images have of it; none for what is no regular file with content.
        state: Option<&'static str> = "state: \"partly\" | \"shared\" | \"unique\" | \"wasted\" | undefined",
        /// Whether it is one more name of a file that comes earlier in the walk.
        again: bool = "again: boolean",
        /// The digest of its content.
        digest: Option<Digest> = "digest: string | undefined",
        /// The file's length, holes included.
        size: u64 = "size: number",
        /// What it comes to.
        bytes: BytesParts = "bytes: OverlapBytes",
        /// The layer that has it, and the index of its entry in that layer's TOC.
        origin: Option<Array> = "origin: [layer: number, entry: number] | undefined",
        /// The other images that have the content as a file.
        also_in: Array = "alsoIn: number[]",
        /// Its chunks in order, holes left out.
        pieces: Array = "pieces: OverlapPiece[]",
        /// What was here before and nobody sees.
        wasted: AmountParts = "wasted: OverlapAmount",
    }
}

record! {
    /// A chunk of a file.
    PieceParts as OverlapPiece {
        /// The digest of its bytes.
        digest: Digest = "digest: string",
        /// What it comes to.
        bytes: BytesParts = "bytes: OverlapBytes",
        /// How many images have it, this one included.
        images: u32 = "images: number",
    }
}

record! {
    /// From one image to another.
    DiffParts as OverlapDiff {
        /// In the order of a walk over both images.
        changes: Array = "changes: OverlapChange[]",
        /// What they come to.
        summary: DiffSummaryParts = "summary: DiffSummary",
    }
}

record! {
    /// A path that differs.
    ChangeParts as OverlapChange {
        /// In what.
        changed: &'static str = "changed: \"added\" | \"content\" | \"metadata\" | \"removed\" | \"renamed\"",
        /// The path in the old image.
        old: Option<usize> = "old: number | undefined",
        /// The path in the new image.
        new: Option<usize> = "new: number | undefined",
        /// Which metadata differ.
        fields: Array = "fields: (\"mode\" | \"owner\" | \"mtime\" | \"xattrs\")[]",
        /// The file in the new image; in the old one where it was removed.
        bytes: BytesParts = "bytes: OverlapBytes",
        /// Of these, in chunks that the old image lacks.
        fresh: BytesParts = "fresh: OverlapBytes",
    }
}

record! {
    /// What changes come to.
    DiffSummaryParts as DiffSummary {
        /// Only in the new image.
        added: AmountParts = "added: OverlapAmount",
        /// Only in the old image.
        removed: AmountParts = "removed: OverlapAmount",
        /// With another content.
        changed: AmountParts = "changed: OverlapAmount",
        /// With other metadata.
        metadata: AmountParts = "metadata: OverlapAmount",
        /// Under another name.
        renamed: AmountParts = "renamed: OverlapAmount",
        /// The same.
        same: AmountParts = "same: OverlapAmount",
        /// All that the new image has and the old one lacks, each content once.
        new_files: BytesParts = "newFiles: OverlapBytes",
        /// The same, by chunks.
        new_chunks: BytesParts = "newChunks: OverlapBytes",
    }
}

record! {
    /// An image that has a content.
    HoldingParts as Holding {
        /// Which.
        image: usize = "image: number",
        /// The content's length.
        len: u64 = "len: number",
        /// Files that are this content.
        files: u32 = "files: number",
        /// Places where it is a chunk of a longer file.
        chunks: u32 = "chunks: number",
        /// The first path that has it.
        node: Option<usize> = "node: number | undefined",
    }
}

record! {
    /// A content that an image has more than once.
    DuplicateParts as Duplicate {
        /// Its digest.
        digest: Digest = "digest: string",
        /// Files beyond the first.
        more: AmountParts = "more: OverlapAmount",
        /// The paths.
        nodes: Array = "nodes: number[]",
    }
}

record! {
    /// A file that several images have.
    SharedContentParts as SharedContent {
        /// Its digest.
        digest: Digest = "digest: string",
        /// How many images have it.
        images: u32 = "images: number",
        /// What it comes to.
        bytes: BytesParts = "bytes: OverlapBytes",
        /// The first image that has it.
        first: usize = "first: number",
    }
}

record! {
    /// An order of pulling images, and what it costs.
    PullOrderParts as PullOrder {
        /// One after the other.
        steps: Array = "steps: PullStep[]",
        /// Of all steps.
        bytes: u64 = "bytes: number",
        /// Whether no order costs less.
        exact: bool = "exact: boolean",
    }
}

record! {
    /// The pull of one image.
    PullStepParts as PullStep {
        /// Which.
        image: usize = "image: number",
        /// What is fetched.
        bytes: u64 = "bytes: number",
        /// Of these, of blobs that are pulled whole.
        whole_bytes: u64 = "wholeBytes: number",
    }
}

pub(super) fn summary(summary: core_overlap::Summary) -> SummaryParts {
    let core_overlap::Summary { images, shared_by, distinct, distinct_chunks, .. } = summary;
    let shared_by = shared_by.into_iter().map(|shared| SharedByParts {
        images: shared.images,
        files: amount(shared.files),
        chunks: amount(shared.chunks),
    });
    SummaryParts {
        images: array(images.into_iter().map(image)),
        shared_by: array(shared_by),
        distinct: amount(distinct),
        distinct_chunks: amount(distinct_chunks),
    }
}

fn image(image: core_overlap::ImageSummary) -> ImageParts {
    ImageParts {
        label: image.label,
        layers: array(image.layers.into_iter().map(layer)),
        blob_bytes: image.blob_bytes,
        files: amount(image.files),
        distinct: amount(image.distinct),
        unique: amount(image.unique),
        shared: amount(image.shared),
        distinct_chunks: amount(image.distinct_chunks),
        unique_chunks: amount(image.unique_chunks),
        shared_chunks: amount(image.shared_chunks),
        duplicates: amount(image.duplicates),
        wasted: amount(image.wasted),
        hole_bytes: image.hole_bytes,
    }
}

fn layer(layer: core_overlap::LayerSummary) -> LayerParts {
    LayerParts {
        blob: layer.blob,
        diff_id: layer.diff_id,
        blob_bytes: layer.blob_bytes,
        whole: layer.whole,
        repeats: layer.repeats,
        also_in: images(layer.also_in),
        files: amount(layer.files),
    }
}

pub(super) fn details(details: core_overlap::NodeDetails) -> DetailsParts {
    let piece = |piece: core_overlap::PieceDetails| PieceParts {
        digest: piece.digest,
        bytes: bytes(piece.bytes),
        images: piece.images,
    };
    DetailsParts {
        kind: kind(details.kind).1,
        mode: details.mode,
        uid: details.uid,
        gid: details.gid,
        mtime: details.mtime.into(),
        state: details.state.map(|state| match state {
            State::Partly => "partly",
            State::Shared => "shared",
            State::Unique => "unique",
            State::Wasted => "wasted",
        }),
        again: details.again,
        digest: details.digest,
        size: details.size,
        bytes: bytes(details.bytes),
        member: details.member.map(|(layer, entry)| array([layer, entry])),
        origin: details.origin.map(|(layer, entry)| array([layer, entry])),
        also_in: images(details.also_in),
        pieces: array(details.pieces.into_iter().map(piece)),
        wasted: amount(details.wasted),
    }
}

pub(super) fn diff(diff: core_overlap::Diff) -> DiffParts {
    DiffParts { summary: diff_summary(&diff.summary), changes: array(diff.changes.into_iter().map(change)) }
}

pub(super) fn diff_summary(summary: &core_overlap::DiffSummary) -> DiffSummaryParts {
    DiffSummaryParts {
        added: amount(summary.added),
        removed: amount(summary.removed),
        changed: amount(summary.changed),
        metadata: amount(summary.metadata),
        renamed: amount(summary.renamed),
        same: amount(summary.same),
        new_files: bytes(summary.new_files),
        new_chunks: bytes(summary.new_chunks),
    }
}

fn change(change: core_overlap::Change) -> ChangeParts {
    let of = change.fields;
    let fields = [(of.mode, "mode"), (of.owner, "owner"), (of.mtime, "mtime"), (of.xattrs, "xattrs")];
    ChangeParts {
        changed: match change.changed {
            Changed::Added => "added",
            Changed::Content => "content",
            Changed::Metadata => "metadata",
            Changed::Removed => "removed",
            Changed::Renamed => "renamed",
        },
        old: change.old.map(NodeId::index),
        new: change.new.map(NodeId::index),
        fields: array(fields.into_iter().filter(|(differs, _)| *differs).map(|(_, name)| name)),
        bytes: bytes(change.bytes),
        fresh: bytes(change.fresh),
    }
}

pub(super) fn holding(holding: core_overlap::Holding) -> HoldingParts {
    HoldingParts {
        image: holding.image.index(),
        len: holding.len,
        files: holding.files,
        chunks: holding.chunks,
        node: holding.node.map(NodeId::index),
    }
}

pub(super) fn duplicate(duplicate: core_overlap::Duplicate) -> DuplicateParts {
    DuplicateParts {
        digest: duplicate.digest,
        more: amount(duplicate.more),
        nodes: array(duplicate.nodes.into_iter().map(NodeId::index)),
    }
}

pub(super) fn content(content: core_overlap::SharedContent) -> SharedContentParts {
    SharedContentParts {
        digest: content.digest,
        images: content.images,
        bytes: bytes(content.bytes),
        first: content.first.index(),
    }
}

pub(super) fn order(order: core_overlap::PullOrder) -> PullOrderParts {
    let step = |step: core_overlap::PullStep| PullStepParts {
        image: step.image.index(),
        bytes: step.bytes,
        whole_bytes: step.whole_bytes,
    };
    PullOrderParts { steps: array(order.steps.into_iter().map(step)), bytes: order.bytes, exact: order.exact }
}

pub(super) const fn bytes(bytes: core_overlap::Bytes) -> BytesParts {
    let core_overlap::Bytes { logical, compressed, unlocated } = bytes;
    BytesParts { logical, compressed, unlocated }
}

const fn amount(amount: core_overlap::Amount) -> AmountParts {
    AmountParts { count: amount.count, bytes: bytes(amount.bytes) }
}

fn images(images: Vec<ImageId>) -> Array {
    array(images.into_iter().map(ImageId::index))
}
