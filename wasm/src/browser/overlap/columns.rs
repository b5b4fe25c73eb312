//! A diff as flat arrays: what a page with 200,000 changes wants.

use js_sys::{Float64Array, Int32Array, Uint8Array};
use shingle_core::overlap::{Change, Changed, Diff, Fields, NodeId};

use super::figures::{DiffSummaryParts, diff_summary};
use crate::browser::record::{handle, number, record};

record! {
    /// What differs between two images, in flat arrays of one length.
    DiffColumnsParts as DiffColumns {
        /// In what: 0 added, 1 removed, 2 content, 3 metadata only, 4 renamed.
        changed: Uint8Array = "changed: Uint8Array",
        /// The path in the old image; -1 where it was added.
        old: Int32Array = "old: Int32Array",
        /// The path in the new image; -1 where it was removed.
        new: Int32Array = "new: Int32Array",
        /// Which metadata differ, as bits: 1 mode, 2 owner, 4 mtime, 8 xattrs.
        fields: Uint8Array = "fields: Uint8Array",
        /// The file's bytes in the new image, in the old one where it was removed: uncompressed, holes left out.
        logical: Float64Array = "logical: Float64Array",
        /// The same compressed, as far as is known.
        compressed: Float64Array = "compressed: Float64Array",
        /// Of `compressed`, what is in chunks that the old image lacks.
        fresh: Float64Array = "fresh: Float64Array",
        /// What it comes to.
        summary: DiffSummaryParts = "summary: DiffSummary",
    }
}

pub(super) fn columns(diff: &Diff) -> DiffColumnsParts {
    let rows = || diff.changes.iter();
    let bytes =
        |of: fn(&Change) -> u8| -> Uint8Array { rows().map(of).collect::<Vec<_>>().as_slice().into() };
    let nodes = |of: fn(&Change) -> Option<NodeId>| -> Int32Array {
        let node = |change| of(change).and_then(|node| i32::try_from(node.index()).ok()).unwrap_or(-1);
        rows().map(node).collect::<Vec<_>>().as_slice().into()
    };
    let numbers = |of: fn(&Change) -> u64| -> Float64Array {
        rows().map(|change| number(of(change))).collect::<Vec<_>>().as_slice().into()
    };
    DiffColumnsParts {
        changed: bytes(|change| changed(change.changed)),
        old: nodes(|change| change.old),
        new: nodes(|change| change.new),
        fields: bytes(|change| fields(change.fields)),
        logical: numbers(|change| change.bytes.logical),
        compressed: numbers(|change| change.bytes.compressed),
        fresh: numbers(|change| change.fresh.compressed),
        summary: diff_summary(&diff.summary),
    }
}

const fn changed(changed: Changed) -> u8 {
    match changed {
        Changed::Added => 0,
        Changed::Removed => 1,
        Changed::Content => 2,
        Changed::Metadata => 3,
        Changed::Renamed => 4,
    }
}

fn fields(fields: Fields) -> u8 {
    let bits = [fields.mode, fields.owner, fields.mtime, fields.xattrs];
    bits.into_iter().rev().fold(0, |sum, bit| sum << 1 | u8::from(bit))
}

handle!(Int32Array);
