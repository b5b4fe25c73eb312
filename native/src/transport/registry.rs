//! Images in a registry.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use shingle_core::Digest;

use super::{
    Ahead, Descriptor, Destination, Document, Holds, NotBeside, Part, Place, Role, Section, Source,
    TransferError,
};
use crate::look::{find_beside, span};
use crate::registry::{Blob, BlobReader, Client, Coverage, OnWhole, Reference, Session};

/// An image in a registry, to be read.
#[derive(Debug)]
pub(super) struct RegistrySource {
    client: Client,
    reference: Reference,
    /// What was read of before, with where the registry said that it lies.
    blobs: Mutex<BTreeMap<(Digest, u64), Blob>>,
}

/// How many blobs are remembered: more than an image has layers.
const REMEMBERED: usize = 1_000;

impl RegistrySource {
    pub(super) const fn new(client: Client, reference: Reference) -> Self {
        Self { client, reference, blobs: Mutex::new(BTreeMap::new()) }
    }

    /// Returns a blob: the same one each time, or each of its ranges would pay the redirect again.
    fn blob(&self, digest: Digest, size: u64) -> Blob {
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        if blobs.len() >= REMEMBERED {
            blobs.clear();
        }
        blobs.entry((digest, size)).or_insert_with(|| self.client.blob(&self.reference, digest, size)).clone()
    }

    /// Asks for a part of a blob; returns what reads it, or what came instead.
    fn part(
        &self,
        blob: Digest,
        size: u64,
        range: Range<u64>,
    ) -> Result<Result<BlobReader, Part>, TransferError> {
        let len = span(&range);
        match self.blob(blob, size).read_range(range, OnWhole::Keep) {
            Ok(reader) if reader.coverage() == Coverage::Whole && len < size => Ok(Err(Part::Whole)),
            Ok(reader) => Ok(Ok(reader)),
            Err(error) if error.leaves_whole() => Ok(Err(Part::Refused)),
            Err(error) => Err(error.into()),
        }
    }
}

impl Source for RegistrySource {
    fn top(&self) -> Result<Document, TransferError> {
        Ok(self.client.fetch_document(&self.reference, None)?)
    }

    fn manifest(&self, wanted: &Descriptor) -> Result<Document, TransferError> {
        let reference = self.reference.with_digest(wanted.digest);
        Ok(self.client.fetch_document(&reference, Some(wanted.size))?)
    }

    fn open_blob(&self, blob: Digest, size: u64) -> Result<Box<dyn Read + Send>, TransferError> {
        let reader = self.blob(blob, size).read_range(0..size, OnWhole::Cut)?;
        Ok(Box::new(BlobStream { reader, bytes: Bytes::new() }))
    }

    fn read_range(&self, blob: Digest, size: u64, range: Range<u64>) -> Result<Vec<u8>, TransferError> {
        read_all(self.blob(blob, size).read_range(range, OnWhole::Cut)?)
    }

    fn open_range(
        &self,
        blob: Digest,
        size: u64,
        range: Range<u64>,
    ) -> Result<Box<dyn Read + Send>, TransferError> {
        let reader = self.blob(blob, size).read_range(range, OnWhole::Cut)?;
        Ok(Box::new(BlobStream { reader, bytes: Bytes::new() }))
    }

    fn open_part(
        &self,
        blob: Digest,
        size: u64,
        range: Range<u64>,
    ) -> Result<Option<Box<dyn Read + Send>>, TransferError> {
        let reader = self.part(blob, size, range)?.ok();
        Ok(reader
            .map(|reader| -> Box<dyn Read + Send> { Box::new(BlobStream { reader, bytes: Bytes::new() }) }))
    }

    fn read_part(&self, blob: Digest, size: u64, range: Range<u64>) -> Result<Part, TransferError> {
        match self.part(blob, size, range)? {
            Ok(reader) => Ok(Part::Bytes(read_all(reader)?)),
            Err(instead) => Ok(instead),
        }
    }

    fn toc_beside(&self, layer: Digest) -> Result<Result<(Digest, u64), NotBeside>, TransferError> {
        let found = find_beside(&self.client, &self.reference, &layer)?;
        Ok(found.map(|blob| (blob.digest(), blob.size())))
    }

    fn repository(&self) -> Option<&Reference> {
        Some(&self.reference)
    }
}

fn read_all(mut reader: BlobReader) -> Result<Vec<u8>, TransferError> {
    let mut all = Vec::new();
    while let Some(bytes) = reader.next_bytes()? {
        all.extend_from_slice(&bytes);
    }
    Ok(all)
}

/// A place in a registry.
#[derive(Debug)]
pub(super) struct RegistryDestination {
    client: Client,
    reference: Reference,
    /// Uploads that were opened when a blob could not be mounted.
    opened: Mutex<BTreeMap<Digest, Session>>,
}

impl RegistryDestination {
    pub(super) const fn new(client: Client, reference: Reference) -> Self {
        Self { client, reference, opened: Mutex::new(BTreeMap::new()) }
    }

    fn opened(&self) -> MutexGuard<'_, BTreeMap<Digest, Session>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Destination for RegistryDestination {
    fn holds(&self) -> Holds {
        Holds::Any
    }

    fn has_blob(&self, blob: &Descriptor) -> Result<bool, TransferError> {
        Ok(self.client.has_blob(&self.reference, blob.digest)?)
    }

    fn mount_blob(&self, blob: &Descriptor, from: &Reference) -> Result<bool, TransferError> {
        let other = from.host() == self.reference.host() && from.repository() != self.reference.repository();
        if !other {
            return Ok(false);
        }
        let session = self.client.mount_blob(&self.reference, blob.digest, from)?;
        let mounted = session.is_none();
        self.opened().extend(session.map(|session| (blob.digest, session)));
        Ok(mounted)
    }

    fn repository(&self) -> Option<&Reference> {
        Some(&self.reference)
    }

    fn ahead(&self) -> Option<Ahead<'_>> {
        Ahead::new(&self.client, &self.reference, &self.opened)
    }

    fn put_blob(
        &self,
        blob: &Descriptor,
        _role: Role,
        content: &Section,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), TransferError> {
        // Sooner than the registry, and with both digests: sent for nothing, it would be found out only in the end.
        if !content.is_proven(&blob.digest) {
            super::destination::copy_checked(blob, content, &|_| {}, |_| Ok(()))?;
        }
        let session = self.opened().remove(&blob.digest);
        if let Some(ahead) = session.as_ref().map(Session::at).filter(|at| *at > 0) {
            progress(ahead);
        }
        self.client.put_blob(&self.reference, blob.digest, content, session, progress)?;
        Ok(())
    }

    fn put_document(&self, document: &Document, place: Place) -> Result<(), TransferError> {
        if let Some(expected) = self.reference.digest().filter(|digest| *digest != document.digest)
            && place == Place::Top
        {
            let what = format!("what is to be {}", self.reference);
            return Err(TransferError::Digest { what, expected, actual: document.digest });
        }
        let below = self.reference.with_digest(document.digest);
        let reference = if place == Place::Top { &self.reference } else { &below };
        Ok(self.client.put_manifest(reference, document)?)
    }

    fn commit(self: Box<Self>) -> Result<(), TransferError> {
        // The last document made it visible.
        Ok(())
    }
}

/// A blob's bytes as a stream; what the registry complains of travels inside the `io::Error`.
struct BlobStream {
    reader: BlobReader,
    bytes: Bytes,
}

impl Read for BlobStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.bytes.is_empty() {
            match self.reader.next_bytes().map_err(io::Error::other)? {
                Some(bytes) => self.bytes = bytes,
                None => return Ok(0),
            }
        }
        let piece = self.bytes.split_to(buffer.len().min(self.bytes.len()));
        buffer.get_mut(..piece.len()).unwrap_or_default().copy_from_slice(&piece);
        Ok(piece.len())
    }
}
