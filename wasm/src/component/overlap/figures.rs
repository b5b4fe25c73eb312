//! The records of `overlap`.

use shingle_core::overlap::{
    Amount, Bytes, Change, Changed, DiffSummary, Duplicate, Fields, Holding, ImageId, ImageSummary,
    LayerSummary, NodeDetails, NodeId, PieceDetails, PullOrder, SharedContent, State, Summary,
};

use crate::component::bindings::overlap as wit;
use crate::component::types::{index, kind};

pub(super) const fn bytes(bytes: Bytes) -> wit::Bytes {
    let Bytes { logical, compressed, unlocated } = bytes;
    wit::Bytes { logical, compressed, unlocated }
}

const fn amount(amount: Amount) -> wit::Amount {
    wit::Amount { count: amount.count, bytes: bytes(amount.bytes) }
}

fn image(image: ImageId) -> u32 {
    index(image.index())
}

fn node(node: NodeId) -> u32 {
    index(node.index())
}

fn images(images: Vec<ImageId>) -> Vec<u32> {
    images.into_iter().map(image).collect()
}

pub(super) fn summary(summary: Summary) -> wit::Summary {
    let shared_by = summary.shared_by.into_iter().map(|shared| wit::SharedBy {
        images: shared.images,
        files: amount(shared.files),
        chunks: amount(shared.chunks),
    });
    wit::Summary {
        images: summary.images.into_iter().map(image_summary).collect(),
        shared_by: shared_by.collect(),
        distinct: amount(summary.distinct),
        distinct_chunks: amount(summary.distinct_chunks),
    }
}

fn image_summary(summary: ImageSummary) -> wit::ImageSummary {
    wit::ImageSummary {
        label: summary.label,
        layers: summary.layers.into_iter().map(layer_summary).collect(),
        blob_bytes: summary.blob_bytes,
        files: amount(summary.files),
        distinct: amount(summary.distinct),
        unique: amount(summary.unique),
        shared: amount(summary.shared),
        distinct_chunks: amount(summary.distinct_chunks),
        unique_chunks: amount(summary.unique_chunks),
        shared_chunks: amount(summary.shared_chunks),
        duplicates: amount(summary.duplicates),
        wasted: amount(summary.wasted),
        hole_bytes: summary.hole_bytes,
    }
}

fn layer_summary(summary: LayerSummary) -> wit::LayerSummary {
    wit::LayerSummary {
        blob: summary.blob.map(|digest| digest.to_string()),
        diff_id: summary.diff_id.map(|digest| digest.to_string()),
        blob_bytes: summary.blob_bytes,
        whole: summary.whole,
        repeats: summary.repeats,
        also_in: images(summary.also_in),
        files: amount(summary.files),
    }
}

pub(super) fn details(details: NodeDetails) -> wit::NodeDetails {
    wit::NodeDetails {
        kind: kind(details.kind),
        mode: details.mode,
        uid: details.uid,
        gid: details.gid,
        mtime: details.mtime.into(),
        state: details.state.map(|state| match state {
            State::Partly => wit::State::Partly,
            State::Shared => wit::State::Shared,
            State::Unique => wit::State::Unique,
            State::Wasted => wit::State::Wasted,
        }),
        again: details.again,
        digest: details.digest.map(|digest| digest.to_string()),
        size: details.size,
        bytes: bytes(details.bytes),
        origin: details.origin,
        also_in: images(details.also_in),
        pieces: details.pieces.iter().map(piece).collect(),
        wasted: amount(details.wasted),
    }
}

fn piece(piece: &PieceDetails) -> wit::Piece {
    wit::Piece { digest: piece.digest.to_string(), bytes: bytes(piece.bytes), images: piece.images }
}

pub(super) fn change(change: Change) -> wit::Change {
    wit::Change {
        changed: match change.changed {
            Changed::Added => wit::Changed::Added,
            Changed::Content => wit::Changed::Content,
            Changed::Metadata => wit::Changed::Metadata,
            Changed::Removed => wit::Changed::Removed,
            Changed::Renamed => wit::Changed::Renamed,
        },
        old: change.old.map(node),
        new: change.new.map(node),
        fields: fields(change.fields),
        bytes: bytes(change.bytes),
        fresh: bytes(change.fresh),
    }
}

fn fields(of: Fields) -> wit::Fields {
    let flags = [
        (wit::Fields::MODE, of.mode),
        (wit::Fields::OWNER, of.owner),
        (wit::Fields::MTIME, of.mtime),
        (wit::Fields::XATTRS, of.xattrs),
    ];
    let differing = flags.into_iter().filter(|(_, differs)| *differs);
    differing.fold(wit::Fields::empty(), |fields, (flag, _)| fields | flag)
}

pub(super) const fn diff_summary(summary: DiffSummary) -> wit::DiffSummary {
    wit::DiffSummary {
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

pub(super) fn holding(holding: Holding) -> wit::Holding {
    wit::Holding {
        image: image(holding.image),
        len: holding.len,
        files: holding.files,
        chunks: holding.chunks,
        node: holding.node.map(node),
    }
}

pub(super) fn duplicate(duplicate: Duplicate) -> wit::Duplicate {
    wit::Duplicate {
        digest: duplicate.digest.to_string(),
        more: amount(duplicate.more),
        nodes: duplicate.nodes.into_iter().map(node).collect(),
    }
}

pub(super) fn content(content: SharedContent) -> wit::SharedContent {
    wit::SharedContent {
        digest: content.digest.to_string(),
        images: content.images,
        bytes: bytes(content.bytes),
        first: image(content.first),
    }
}

pub(super) fn order(order: PullOrder) -> wit::PullOrder {
    let steps = order.steps.into_iter().map(|step| wit::PullStep {
        image: image(step.image),
        bytes: step.bytes,
        whole_bytes: step.whole_bytes,
    });
    wit::PullOrder { steps: steps.collect(), bytes: order.bytes, exact: order.exact }
}
