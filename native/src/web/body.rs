//! Bodies: what is in memory, or what somebody reads on another thread.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::count;

/// How many pieces may wait for the client.
const PIECES: usize = 4;

/// The body of an answer.
pub(super) enum Sent {
    /// All of it.
    Full(Option<Bytes>),
    /// Pieces, as they come.
    Pieces {
        pieces: mpsc::Receiver<io::Result<Bytes>>,
        /// How many bytes are still to come, if that is known.
        left: Option<u64>,
        /// What is held until all came or nobody wants more.
        held: Option<OwnedSemaphorePermit>,
    },
}

impl Sent {
    pub(super) const fn empty() -> Self {
        Self::Full(None)
    }

    /// Lets a body in pieces hold something for as long as there is more of it.
    pub(super) fn holding(self, permit: OwnedSemaphorePermit) -> Self {
        match self {
            Self::Pieces { pieces, left, .. } => Self::Pieces { pieces, left, held: Some(permit) },
            full @ Self::Full(_) => full,
        }
    }

    /// Returns a body of `len` bytes if that is known, and where they are put. Whoever puts them there learns by its
    /// closing that nobody wants them any more.
    pub(super) fn pieces(len: Option<u64>) -> (mpsc::Sender<io::Result<Bytes>>, Self) {
        let (sender, pieces) = mpsc::channel(PIECES);
        (sender, Self::Pieces { pieces, left: len, held: None })
    }
}

impl From<Bytes> for Sent {
    fn from(bytes: Bytes) -> Self {
        Self::Full(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Pieces { left: Some(0), .. } => Poll::Ready(None),
            Self::Pieces { pieces, left, held } => {
                let Poll::Ready(piece) = pieces.poll_recv(context) else { return Poll::Pending };
                let Some(piece) = piece else {
                    *held = None;
                    // An answer that ends too early must not look like a whole one.
                    let early = left.map(|_missing| Err(io::ErrorKind::UnexpectedEof.into()));
                    return Poll::Ready(early);
                };
                let piece = piece.and_then(|bytes| match left {
                    Some(left) => {
                        let rest = left.checked_sub(count(bytes.len()));
                        *left = rest.ok_or(io::ErrorKind::InvalidData)?;
                        Ok(bytes)
                    }
                    None => Ok(bytes),
                });
                Poll::Ready(Some(piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Full(None) | Self::Pieces { left: Some(0), .. })
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| count(bytes.len()))),
            Self::Pieces { left: Some(left), .. } => SizeHint::with_exact(*left),
            Self::Pieces { left: None, .. } => SizeHint::default(),
        }
    }
}
