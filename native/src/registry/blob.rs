//! Byte ranges of blobs.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use reqwest::{Response, Url};
use shingle_core::Digest;
use tokio::sync::OwnedSemaphorePermit;

use super::exchange::{Answer, Request, piece};
use super::{Asked, BlobReader, Client, Fault, Reference, RegistryError};
use crate::length;

/// A blob in a registry; clones share its traffic count and what is known of its location.
#[derive(Clone, Debug)]
pub struct Blob {
    client: Client,
    reference: Reference,
    digest: Digest,
    size: u64,
    memory: Arc<Memory>,
}

impl Blob {
    pub(super) fn new(client: Client, reference: Reference, digest: Digest, size: u64) -> Self {
        Self { client, reference, digest, size, memory: Arc::default() }
    }

    /// Asks for a range of the blob and waits for the answer's headers, trying again what is worth it.
    ///
    /// An empty range gives an empty body without a request. The body is not checked against any digest.
    ///
    /// # Errors
    /// The range is not one of the blob, or no tries are left: the registry refuses, answers something else, or is not there.
    pub fn open_range(&self, range: Range<u64>, on_whole: OnWhole) -> Result<BlobBody, RegistryError> {
        let asked = self.asked(&range);
        if range.start > range.end || range.end > self.size {
            let fault = Fault::OutsideBlob { start: range.start, end: range.end, size: self.size };
            return Err(RegistryError::new(&asked, fault));
        }
        if range.is_empty() {
            return Ok(BlobBody::empty(self.clone(), asked, range.start));
        }
        let all = range == (0..self.size);
        let request = Request {
            reference: &self.reference,
            asked: asked.clone(),
            path: format!("blobs/{}", self.digest),
            accept: "*/*",
            range: (!all).then(|| range.clone()),
            stated: Some(self.size),
            memory: Some(&self.memory),
        };
        let shared = &self.client.shared;
        let (permit, answer) = shared.handle.block_on(async {
            let permit = Arc::clone(&shared.permits).acquire_owned().await.ok();
            (permit, shared.retrying(async || shared.exchange(&request).await).await)
        });
        let Answer { response, sent } = answer?;
        let coverage = if sent.is_none() { Coverage::Whole } else { Coverage::Range };
        let sent = sent.unwrap_or(0..self.size);
        let kept = match (coverage, on_whole) {
            (Coverage::Whole, OnWhole::Keep) => 0..self.size,
            _ => range,
        };
        let source = Some(Source { response, at: sent.start, end: sent.end, _permit: permit });
        Ok(BlobBody { blob: self.clone(), asked, source, offset: kept.start, end: kept.end, coverage })
    }

    /// Asks for the whole blob.
    ///
    /// # Errors
    /// As [`open_range`](Self::open_range).
    pub fn open_whole(&self) -> Result<BlobBody, RegistryError> {
        self.open_range(0..self.size, OnWhole::Keep)
    }

    /// Asks for a range of the blob, to be read by one who goes on where a body was cut short.
    ///
    /// # Errors
    /// As [`open_range`](Self::open_range).
    pub fn read_range(&self, range: Range<u64>, on_whole: OnWhole) -> Result<BlobReader, RegistryError> {
        Ok(BlobReader::new(self.open_range(range, on_whole)?))
    }

    /// Returns the digest that names the blob.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the blob's size by its descriptor.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Returns what this blob has cost so far, in all its clones.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.memory.requests.load(Ordering::Relaxed),
            bytes: self.memory.bytes.load(Ordering::Relaxed),
        }
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    fn asked(&self, range: &Range<u64>) -> Asked {
        let what = format!("blob {} bytes {}..{}", self.digest, range.start, range.end);
        Asked::new(&self.reference, what)
    }
}

/// What to do with a whole blob where a range of it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "bytes are kept or dropped")]
pub enum OnWhole {
    /// Drop the bytes before the range, stop at its end.
    Cut,
    /// Hand everything on, from the blob's first byte to its last: it is paid for.
    Keep,
}

/// What a server sent where a range was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a server answers with a part or with everything")]
pub enum Coverage {
    /// A range.
    Range,
    /// The whole blob.
    Whole,
}

/// What a blob has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Requests sent for it: redirects and repetitions count, tokens do not.
    pub requests: u64,
    /// Body bytes received, those dropped afterwards included.
    pub bytes: u64,
}

/// The body of an answer: bytes of a blob in order.
#[derive(Debug)]
pub struct BlobBody {
    blob: Blob,
    asked: Asked,
    /// `None` once everything was read.
    source: Option<Source>,
    /// At most `end`.
    offset: u64,
    end: u64,
    coverage: Coverage,
}

#[derive(Debug)]
struct Source {
    response: Response,
    /// Where in the blob the next byte of the response lies; at most `end`.
    at: u64,
    end: u64,
    _permit: Option<OwnedSemaphorePermit>,
}

impl BlobBody {
    fn empty(blob: Blob, asked: Asked, offset: u64) -> Self {
        Self { blob, asked, source: None, offset, end: offset, coverage: Coverage::Range }
    }

    /// Returns the next bytes, which lie at [`offset`](Self::offset), or `None` at [`end`](Self::end).
    ///
    /// `None` means that everything came.
    ///
    /// # Errors
    /// The body breaks off, stalls, or ends early, also where it ends in order. Afterwards the bytes from `offset` on are
    /// still owed, and this body has no more of them.
    pub fn next_bytes(&mut self) -> Result<Option<Bytes>, RegistryError> {
        while self.offset < self.end {
            let Some(bytes) = self.receive().inspect_err(|_| self.source = None)? else { continue };
            self.offset += length(&bytes);
            if self.offset == self.end {
                self.source = None;
            }
            return Ok(Some(bytes));
        }
        self.source = None;
        Ok(None)
    }

    /// Takes one piece off the wire and cuts it to what is wanted, which may be nothing.
    fn receive(&mut self) -> Result<Option<Bytes>, RegistryError> {
        let fail = |fault: Fault| RegistryError::new(&self.asked, fault);
        let shared = &self.blob.client.shared;
        let cut = |at: u64| Fault::BodyCut { at, end: self.end, source: None };
        let Some(source) = &mut self.source else {
            return Err(fail(cut(self.offset)));
        };
        let stall = shared.options.timeouts.stall;
        let bytes = match shared.handle.block_on(piece(&mut source.response, stall)) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(fail(cut(source.at))),
            Err(stop) => return Err(fail(stop.at(source.at, self.end))),
        };
        self.blob.memory.bytes.fetch_add(length(&bytes), Ordering::Relaxed);
        let start = source.at;
        // More than was announced is nobody's; it is dropped.
        source.at = (start + length(&bytes)).min(source.end);
        let kept = self.offset.max(start)..self.end.min(source.at);
        if kept.is_empty() {
            // A server that sends nothing but keeps the body open is told by `at`, which no longer moves.
            return if start == source.end { Err(fail(cut(start))) } else { Ok(None) };
        }
        let within = |offset: u64| usize::try_from(offset - start).unwrap_or(usize::MAX);
        Ok(Some(bytes.slice(within(kept.start)..within(kept.end))))
    }

    /// Returns the offset in the blob of the next byte.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns where in the blob the body ends.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// Returns what the server sent; with [`OnWhole::Keep`], whether the bytes are the whole blob's.
    pub const fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// Returns the blob that the bytes belong to.
    pub const fn blob(&self) -> &Blob {
        &self.blob
    }
}

/// What the clones of a blob share.
#[derive(Debug, Default)]
pub(super) struct Memory {
    requests: AtomicU64,
    bytes: AtomicU64,
    /// Where the registry last sent us; every range would pay the redirect again.
    location: Mutex<Option<Url>>,
}

impl Memory {
    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn location(&self) -> Option<Url> {
        self.location.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn remember(&self, url: Url) {
        *self.location.lock().unwrap_or_else(PoisonError::into_inner) = Some(url);
    }

    /// Forgets `stale`, unless another thread has already found a newer location.
    pub(super) fn forget(&self, stale: &Url) {
        let mut location = self.location.lock().unwrap_or_else(PoisonError::into_inner);
        if location.as_ref() == Some(stale) {
            *location = None;
        }
    }
}
