//! Bodies that are read as they are sent, and may be cut short on purpose.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::answer::State;
use super::content::Source;

const PIECE: u64 = 64 << 10;

/// A part of a blob, or any other body.
pub(super) struct Piecewise {
    pub(super) source: Source,
    pub(super) at: u64,
    /// At least `at`.
    pub(super) end: u64,
    pub(super) stop: Option<Stop>,
    /// The offset of a byte to change.
    pub(super) flip: Option<u64>,
    /// Where to count, and in which line.
    pub(super) log: (Arc<State>, usize),
}

/// A trouble ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The connection breaks at this offset.
    Cut { at: u64, flushed: bool },
    /// Nothing comes after this offset.
    Stall { at: u64 },
}

impl Stop {
    const fn at(self) -> u64 {
        match self {
            Self::Cut { at, .. } | Self::Stall { at } => at,
        }
    }
}

impl Body for Piecewise {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if this.at >= this.end {
            return Poll::Ready(None);
        }
        match &mut this.stop {
            Some(stop) if this.at < stop.at() => {}
            Some(Stop::Cut { flushed, .. }) => {
                if *flushed {
                    return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())));
                }
                // What was said so far leaves only when there is nothing to add for a moment.
                *flushed = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Stop::Stall { .. }) => return Poll::Pending,
            None => {}
        }
        let stop = this.stop.map_or(this.end, Stop::at).min(this.end);
        let length = (stop - this.at).min(PIECE);
        let mut piece = match this.source.read(this.at, usize::try_from(length).unwrap_or(0)) {
            Ok(piece) => piece,
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        let flip = this.flip.and_then(|flip| usize::try_from(flip.checked_sub(this.at)?).ok());
        if let Some(byte) = flip.and_then(|flip| piece.get_mut(flip)) {
            *byte ^= 1;
        }
        this.at += length;
        let (state, line) = &this.log;
        if let Some(line) = state.log.lock().unwrap_or_else(PoisonError::into_inner).get_mut(*line) {
            line.bytes += length;
        }
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.at >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end.saturating_sub(self.at))
    }
}
