//! Requests, and the counting of them.

use std::cell::RefCell;

use shingle_core::FetchError;

use crate::component::answer::Room;
use crate::component::bindings::errors::Error;
use crate::component::bindings::{pull as wit, types};
use crate::component::pull::toc::file;
use crate::component::types::{range, wide};

/// The resource `fetch`.
#[derive(Debug)]
pub(in crate::component) struct Fetch(RefCell<Owing>);

/// A fetch, and the bytes that came and were not decoded yet.
#[derive(Debug)]
struct Owing {
    fetch: shingle_core::Fetch,
    unread: Vec<u8>,
    /// Whether the last answer was full. More may be due although every byte was read: the decoder holds what it made.
    pending: bool,
}

impl Fetch {
    pub(super) fn new(fetch: shingle_core::Fetch) -> wit::Fetch {
        wit::Fetch::new(Self(RefCell::new(Owing { fetch, unread: Vec::new(), pending: false })))
    }
}

impl Owing {
    /// The bytes of the blob that are still owed by the host.
    fn remaining(&self) -> types::Range {
        let owed = self.fetch.remaining();
        let start = owed.start.saturating_add(wide(self.unread.len())).min(owed.end);
        range(start..owed.end)
    }

    fn receive(&mut self, bytes: Vec<u8>) -> Result<Vec<wit::Lent>, FetchError> {
        self.take(bytes);
        let before = self.fetch.remaining().start;
        let mut answer = Vec::new();
        let mut room = Room::default();
        let mut chunks = self.fetch.receive(&self.unread);
        self.pending = true;
        while !room.is_full() {
            let Some(lent) = chunks.next_chunk()? else {
                self.pending = false;
                break;
            };
            room.take(lent.bytes.len());
            answer.push(wit::Lent {
                file: file(lent.file),
                offset: lent.offset,
                bytes: lent.bytes.to_vec(),
                ends_chunk: lent.ends_chunk,
            });
        }
        drop(chunks);
        // What follows the last chunk is nobody's, and counts as read.
        let read = self.fetch.remaining().start.saturating_sub(before);
        self.unread.drain(..usize::try_from(read).unwrap_or(usize::MAX).min(self.unread.len()));
        Ok(answer)
    }

    /// Keeps the bytes that are owed.
    fn take(&mut self, mut bytes: Vec<u8>) {
        let types::Range { start, end } = self.remaining();
        bytes.truncate(usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX));
        if self.unread.is_empty() {
            self.unread = bytes;
        } else {
            self.unread.extend_from_slice(&bytes);
        }
    }
}

impl wit::GuestFetch for Fetch {
    fn remaining(&self) -> types::Range {
        self.0.borrow().remaining()
    }

    fn receive(&self, bytes: Vec<u8>) -> Result<Vec<wit::Lent>, Error> {
        Ok(self.0.borrow_mut().receive(bytes)?)
    }

    fn pending(&self) -> bool {
        self.0.borrow().pending
    }

    fn finish(this: wit::Fetch) -> Result<wit::Receipt, Error> {
        let Owing { fetch, .. } = this.into_inner::<Self>().0.into_inner();
        Ok(wit::Receipt::new(Receipt(fetch.finish()?)))
    }
}

/// The resource `receipt`.
#[derive(Debug)]
pub(in crate::component) struct Receipt(shingle_core::Receipt);

impl wit::GuestReceipt for Receipt {}

/// The resource `ledger`.
#[derive(Debug)]
pub(in crate::component) struct Ledger(RefCell<shingle_core::Ledger>);

impl Ledger {
    pub(super) fn new(ledger: shingle_core::Ledger) -> wit::Ledger {
        wit::Ledger::new(Self(ledger.into()))
    }
}

impl wit::GuestLedger for Ledger {
    fn credit(&self, receipt: wit::Receipt) {
        self.0.borrow_mut().credit(receipt.into_inner::<Receipt>().0);
    }

    fn close(this: wit::Ledger) -> Result<wit::Complete, Error> {
        let ledger = this.into_inner::<Self>().0.into_inner();
        Ok(wit::Complete::new(Complete(ledger.close()?)))
    }
}

/// The resource `complete`.
#[derive(Debug)]
pub(in crate::component) struct Complete(pub(super) shingle_core::Complete);

impl wit::GuestComplete for Complete {}
