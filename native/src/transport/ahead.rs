//! The beginning of a blob, sent while its end is still being written.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};

use shingle_core::Digest;

use super::Section;
use crate::registry::{Client, Reference, Session};

/// The first pieces of a blob on their way to a registry. Dropped, the upload is cancelled.
///
/// It spares time or it does not: whatever goes wrong only ends it, and the blob goes up as any other.
#[derive(Debug)]
pub struct Ahead<'a> {
    client: &'a Client,
    reference: &'a Reference,
    /// Where the registry's uploads that were opened wait for their blobs.
    opened: &'a Mutex<BTreeMap<Digest, Session>>,
    piece: NonZero<u64>,
    session: Option<Session>,
}

impl<'a> Ahead<'a> {
    pub(super) fn new(
        client: &'a Client,
        reference: &'a Reference,
        opened: &'a Mutex<BTreeMap<Digest, Session>>,
    ) -> Option<Self> {
        Some(Self { client, reference, opened, piece: client.upload_ahead()?, session: None })
    }

    /// Returns how long the blob must have grown before it is worth sending some of it.
    pub(crate) fn wants(&self) -> u64 {
        let (at, least) = self.session.as_ref().map_or((0, 1), |session| (session.at(), session.least()));
        at.saturating_add(self.piece.get().max(least))
    }

    /// Sends what there is by now; returns whether there may be more of it.
    pub(crate) fn send(&mut self, so_far: &Section) -> bool {
        let session = match self.session.take() {
            Some(session) => Ok(session),
            None => self.client.begin_upload(self.reference),
        };
        // Nothing is open, and nothing is lost.
        let Ok(session) = session else { return false };
        let end = so_far.len();
        if end < session.at().saturating_add(session.least()) {
            self.session = Some(session);
            return true;
        }
        match self.client.send_ahead(self.reference, &session, so_far) {
            Ok(further) => {
                self.session = Some(further);
                true
            }
            // The rest of the piece may get through later.
            Err(trouble) if trouble.is_transient() => {
                let mut session = session;
                session.unsettle();
                self.session = Some(session);
                false
            }
            Err(_refusal) => {
                self.client.cancel_upload(self.reference, session);
                false
            }
        }
    }

    /// Has the upload go on when the blob, whose digest is known now, is put there.
    pub(crate) fn keep(mut self, blob: Digest) {
        let Some(session) = self.session.take() else { return };
        let other = self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(blob, session);
        if let Some(other) = other {
            self.client.cancel_upload(self.reference, other);
        }
    }
}

impl Drop for Ahead<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.client.cancel_upload(self.reference, session);
        }
    }
}
