//! `whole`: a layer read front to back.

use std::cell::RefCell;

use shingle_core::{Limits, Unwrap, UnwrapError, WholeLayer, WholePiece};

use super::Component;
use super::answer::Room;
use super::bindings::errors::Error;
use super::bindings::{types, whole as wit};
use super::pull::{VerifiedLayer, file};
use super::types::{digest, wide};

impl wit::Guest for Component {
    type WholeFetch = WholeFetch;
}

/// The resource `whole-fetch`.
#[derive(Debug)]
pub(super) struct WholeFetch(RefCell<Reading>);

/// A blob being decompressed, the tar in it being read, and what was not decompressed yet.
#[derive(Debug)]
struct Reading {
    blob: Unwrap,
    tar: shingle_core::WholeFetch,
    /// How many bytes came.
    len: u64,
    unread: Vec<u8>,
    /// Whether the last answer was full.
    pending: bool,
    failed: Option<Error>,
}

impl Reading {
    fn receive(&mut self, bytes: &[u8]) -> Result<Vec<wit::Piece>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.step(bytes).inspect_err(|error| self.failed = Some(error.clone()))
    }

    fn step(&mut self, bytes: &[u8]) -> Result<Vec<wit::Piece>, Error> {
        let Self { blob, tar, len, unread, pending, .. } = self;
        let mut answer = Vec::new();
        let mut room = Room::default();
        // Received now, which hashes them, and decoded when those before them are.
        unread.extend_from_slice(blob.receive(bytes).into_unread());
        *len = len.saturating_add(wide(bytes.len()));
        let mut plain = blob.resume(unread);
        *pending = true;
        while !room.is_full() {
            let Some(piece) = plain.next_piece()? else {
                *pending = false;
                break;
            };
            let mut pieces = tar.receive(piece);
            while let Some(piece) = pieces.next_piece()? {
                room.take(if let WholePiece::Data { bytes, .. } = piece { bytes.len() } else { 0 });
                answer.push(piece.into());
            }
        }
        let left = plain.into_unread().len();
        unread.drain(..unread.len().saturating_sub(left));
        Ok(answer)
    }

    fn finish(self, blob: &str, diff_id: &str) -> Result<WholeLayer, Error> {
        let (expected, diff_id) = (digest(blob)?, digest(diff_id)?);
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.pending {
            let unread = wide(self.unread.len());
            return Err(UnwrapError::Truncated { len: self.len.saturating_sub(unread) }.into());
        }
        Ok(self.tar.finish(self.blob.finish(&expected)?, &diff_id)?)
    }
}

impl wit::GuestWholeFetch for WholeFetch {
    fn new(limits: types::Limits, chunks: bool) -> Self {
        let limits = Limits::from(limits);
        let tar = if chunks {
            shingle_core::WholeFetch::with_chunks(&limits)
        } else {
            shingle_core::WholeFetch::new(&limits)
        };
        let blob = Unwrap::new(&limits);
        Self(RefCell::new(Reading { blob, tar, len: 0, unread: Vec::new(), pending: false, failed: None }))
    }

    fn receive(&self, bytes: Vec<u8>) -> Result<Vec<wit::Piece>, Error> {
        self.0.borrow_mut().receive(&bytes)
    }

    fn pending(&self) -> bool {
        self.0.borrow().pending
    }

    fn finish(
        this: wit::WholeFetch,
        blob: types::Digest,
        diff_id: types::Digest,
    ) -> Result<wit::WholeLayer, Error> {
        let reading = this.into_inner::<Self>().0.into_inner();
        let WholeLayer { verified, tar_split, padding, .. } = reading.finish(&blob, &diff_id)?;
        Ok(wit::WholeLayer {
            verified: VerifiedLayer::new(verified),
            tar_split: tar_split.map(|tar_split| tar_split.as_bytes().to_vec()),
            padding,
        })
    }
}

impl From<WholePiece<'_>> for wit::Piece {
    fn from(piece: WholePiece<'_>) -> Self {
        match piece {
            WholePiece::Begin { file: which, size } => Self::Begin(wit::Begun { file: file(which), size }),
            WholePiece::Data { offset, bytes } => Self::Data(wit::Data { offset, bytes: bytes.to_vec() }),
            WholePiece::End { file: which, digest } => {
                Self::End(wit::Ended { file: file(which), digest: digest.to_string() })
            }
        }
    }
}
