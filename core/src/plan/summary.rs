//! A plan in figures.

use super::{Plan, Source};

/// What a plan comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Regular files with content.
    pub files: u64,
    /// Of these, taken whole from a donor.
    pub held: u64,
    /// Of these, the same as an earlier file of the layer.
    pub twins: u64,
    /// Of these, put together from donors' chunks and holes, with nothing fetched.
    pub assembled: u64,
    /// Of these, fetched in whole or in part.
    pub fetched: u64,
    /// Uncompressed bytes of all files.
    pub content_bytes: u64,
    /// Uncompressed bytes that come from donors, from twins and from holes.
    pub reused_bytes: u64,
    /// Blob bytes that are asked for, gaps included, TOC and tar-split not.
    pub request_bytes: u64,
    /// Of these, bytes in gaps, dropped on arrival.
    pub bridged_bytes: u64,
    /// Requests for data.
    pub requests: u64,
}

impl Plan {
    /// Counts what the plan comes to.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        let add = |to: &mut u64, value: u64| *to = to.saturating_add(value);
        let mut fetched_bytes = 0;
        for planned in &self.files {
            let size = self.toc.file(planned.file).map_or(0, |entry| entry.member().size);
            add(&mut summary.files, 1);
            add(&mut summary.content_bytes, size);
            let count = match planned.source {
                Source::Held { .. } => &mut summary.held,
                Source::Twin { .. } => &mut summary.twins,
                Source::Assembled { fetched: true, .. } => &mut summary.fetched,
                Source::Assembled { fetched: false, .. } => &mut summary.assembled,
            };
            add(count, 1);
        }
        let mut frames = None;
        for part in self.parts.iter() {
            // A chunk that goes to several places is fetched once and reused from then on.
            add(&mut fetched_bytes, part.len);
            // So are frames that hold several chunks.
            if frames.replace(&part.frames) != Some(&part.frames) {
                add(&mut summary.bridged_bytes, part.frames.end.saturating_sub(part.frames.start));
            }
        }
        for request in &self.requests {
            add(&mut summary.requests, 1);
            add(&mut summary.request_bytes, request.range.end.saturating_sub(request.range.start));
        }
        summary.bridged_bytes = summary.request_bytes.saturating_sub(summary.bridged_bytes);
        summary.reused_bytes = summary.content_bytes.saturating_sub(fetched_bytes);
        summary
    }
}
