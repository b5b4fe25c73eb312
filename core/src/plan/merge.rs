//! From parts to requests.

use alloc::vec::Vec;

use super::{Part, Request};
use crate::policy::Policy;

/// Joins parts into requests.
///
/// Parts are ascending, disjoint or in the same frames, because the TOC was checked to be. Two that lie at most a gap
/// apart share a request: the bytes between them cost less than a round trip and are dropped on arrival. A request that
/// has grown to `request_len` is closed between two parts, so that other connections can take the rest; but parts in the
/// same frames stay together, because frames are decoded from their beginning.
pub(super) fn requests(parts: &[Part], policy: &Policy) -> Vec<Request> {
    let gap = policy.cost.gap();
    let mut requests: Vec<Request> = Vec::new();
    let mut before: Option<&Part> = None;
    for (index, part) in parts.iter().enumerate() {
        let next = index.saturating_add(1);
        if let Some(request) = requests.last_mut() {
            let near = part.frames.start.saturating_sub(request.range.end) <= gap;
            let len = part.frames.end.saturating_sub(request.range.start);
            let shares = before.replace(part).is_some_and(|before| part.frames == before.frames);
            if shares || (near && len <= policy.request_len) {
                request.range.end = part.frames.end;
                request.parts.end = next;
                continue;
            }
        }
        before = Some(part);
        requests.push(Request { range: part.frames.clone(), parts: index..next });
    }
    requests
}
