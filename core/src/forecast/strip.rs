//! A blob front to back, and what becomes of each of its bytes.

use alloc::vec::Vec;
use core::ops::Range;

use super::{Known, Mode};
use crate::{Body, Plan, Toc};

/// The longest that what comes behind TOC and tar-split may be to be a footer: a frame's header, and today's footer.
const LONGEST_FOOTER: u64 = 72;

/// A blob front to back: stretches that follow one another without gap or overlap, none empty, from its first byte to its
/// last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layout {
    /// What lies where, ascending.
    pub stretches: Vec<(Range<u64>, Content)>,
}

/// What lies in a stretch of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "every match should name them all")]
pub enum Content {
    /// Frames of a file's content. Several chunks may lie in them.
    Frames {
        /// The entry that the first of them belongs to.
        entry: u32,
        /// Which of the entry's chunks it is.
        chunk: u32,
    },
    /// Tar headers and padding, frames' headers, zeros that were stored: or all of a blob of which nothing is known.
    Gap,
    /// The compressed TOC.
    Toc,
    /// The compressed tar-split.
    TarSplit,
    /// The footer, with its frame's header.
    Footer,
}

/// A blob front to back, with what a pull does to each byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Strip {
    /// Stretches that follow one another without gap or overlap, none empty, from the blob's first byte to its last.
    pub stretches: Vec<Stretch>,
    /// The blob's length.
    pub blob_bytes: u64,
}

/// Some bytes of a blob with one fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row")]
pub struct Stretch {
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
    /// For frames of a file's content, the entry and which of its chunks; of several, the first.
    pub chunk: Option<(u32, u32)>,
    /// What becomes of them.
    pub state: State,
}

/// What becomes of a stretch of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the states of a picture, in the order of its legend")]
pub enum State {
    /// Fetched, and used.
    Fetched,
    /// Fetched because that is cheaper than another request, and dropped.
    Bridged,
    /// Not fetched: the machine has what it holds, or gets it from elsewhere in the layer.
    Reused,
    /// Not fetched: nobody needs it.
    Skipped,
    /// The TOC.
    Toc,
    /// The tar-split.
    TarSplit,
    /// The footer.
    Footer,
}

impl Layout {
    /// Lays out a blob of this length. What a TOC says beyond the blob's end is left out; of one that says nothing of its
    /// blob, such as one that was made of a layer read whole, all of it is one gap.
    pub fn of(toc: &Toc, blob_len: u64) -> Self {
        let mut layout = Self::default();
        let mut at = 0;
        for (entry, row) in toc.entries().iter().enumerate() {
            for (chunk, what) in toc.chunks(row).iter().enumerate() {
                // Frames follow one another or are the same ones, because the TOC was checked to say so.
                if let Body::Frames(frames) = &what.body {
                    let content = Content::Frames { entry: number(entry), chunk: number(chunk) };
                    at = layout.push(at, frames, content, blob_len);
                }
            }
        }
        if let Some(map) = toc.map() {
            let behind = |range: Range<u64>| range.start.max(map.data_end)..range.end;
            let toc = map.toc().map(|range| (behind(range), Content::Toc));
            let tar_split = map.tar_split().map(|range| (behind(range), Content::TarSplit));
            let mut rest: Vec<_> = [toc, tar_split].into_iter().flatten().collect();
            rest.sort_by_key(|(range, _)| range.start);
            for (range, content) in rest {
                at = layout.push(at, &range, content, blob_len);
            }
            let footer = behind(at..blob_len);
            if blob_len.saturating_sub(footer.start) <= LONGEST_FOOTER {
                at = layout.push(at, &footer, Content::Footer, blob_len);
            }
        }
        layout.push(at, &(at..blob_len), Content::Gap, blob_len);
        layout
    }

    /// Adds what lies behind `at`, and the gap before it; returns where it ends.
    fn push(&mut self, at: u64, range: &Range<u64>, content: Content, blob_len: u64) -> u64 {
        let (start, end) = (range.start.max(at), range.end.min(blob_len));
        if start >= end {
            return at;
        }
        if at < start {
            self.stretches.push((at..start, Content::Gap));
        }
        self.stretches.push((start..end, content));
        end
    }
}

impl Strip {
    pub(super) fn new(known: &Known, mode: &Mode, plan: Option<&Plan>) -> Self {
        let blob_bytes = known.layer().blob_len;
        let mut strip = Self { stretches: Vec::new(), blob_bytes };
        let layout = Layout::of(known.toc(), blob_bytes);
        strip.stretches.reserve_exact(layout.stretches.len());
        match plan {
            Some(plan) => strip.planned(layout, plan),
            None => {
                let (frames, gaps) = match mode {
                    Mode::Whole(_) => (State::Fetched, State::Fetched),
                    Mode::Present | Mode::Partial => (State::Reused, State::Skipped),
                };
                // Of a layer that was read whole nobody knows where anything lies, but that all of it is data.
                let gaps = if known.toc().map().is_some() { gaps } else { frames };
                for (range, content) in layout.stretches {
                    let state = state(content).unwrap_or(match content {
                        Content::Frames { .. } => frames,
                        _ => gaps,
                    });
                    strip.push(range, content, state);
                }
            }
        }
        strip
    }

    /// Sorts the stretches by what the requests of a plan bring.
    fn planned(&mut self, layout: Layout, plan: &Plan) {
        let mut parts = plan.parts().iter().map(|part| &part.frames).peekable();
        let mut requests = plan.requests().peekable();
        for (range, content) in layout.stretches {
            if let Some(state) = state(content) {
                self.push(range, content, state);
                continue;
            }
            while parts.next_if(|frames| frames.start < range.start).is_some() {}
            if parts.peek().is_some_and(|frames| **frames == range) {
                self.push(range, content, State::Fetched);
                continue;
            }
            let left = match content {
                Content::Frames { .. } => State::Reused,
                _ => State::Skipped,
            };
            // A gap may end one request and begin the next.
            let mut at = range.start;
            while at < range.end {
                while requests.next_if(|request| request.end <= at).is_some() {}
                let (end, state) = match requests.peek() {
                    Some(request) if request.start <= at => (request.end, State::Bridged),
                    Some(request) => (request.start, left),
                    None => (range.end, left),
                };
                let end = end.min(range.end);
                self.push(at..end, content, state);
                at = end;
            }
        }
    }

    fn push(&mut self, range: Range<u64>, content: Content, state: State) {
        let chunk = match content {
            Content::Frames { entry, chunk } => Some((entry, chunk)),
            _ => None,
        };
        self.stretches.push(Stretch { start: range.start, end: range.end, chunk, state });
    }
}

/// Returns what a stretch is whatever a plan says.
const fn state(content: Content) -> Option<State> {
    match content {
        Content::Toc => Some(State::Toc),
        Content::TarSplit => Some(State::TarSplit),
        Content::Footer => Some(State::Footer),
        Content::Frames { .. } | Content::Gap => None,
    }
}

/// `Limits::entries` keeps every index far below this.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
