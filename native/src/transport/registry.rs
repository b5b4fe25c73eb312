//! Images in a registry.

use std::io::{self, Read};
use std::ops::Range;

use bytes::Bytes;
use shingle_core::Digest;

use super::{Descriptor, Document, Source, TransferError};
use crate::registry::{BlobReader, Client, OnWhole, Reference};

/// An image in a registry, to be read.
#[derive(Debug)]
pub(super) struct RegistrySource {
    client: Client,
    reference: Reference,
}

impl RegistrySource {
    pub(super) const fn new(client: Client, reference: Reference) -> Self {
        Self { client, reference }
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
        let reader = self.client.blob(&self.reference, blob, size).read_range(0..size, OnWhole::Cut)?;
        Ok(Box::new(BlobStream { reader, bytes: Bytes::new() }))
    }

    fn read_range(&self, blob: Digest, size: u64, range: Range<u64>) -> Result<Vec<u8>, TransferError> {
        let mut reader = self.client.blob(&self.reference, blob, size).read_range(range, OnWhole::Cut)?;
        let mut all = Vec::new();
        while let Some(bytes) = reader.next_bytes()? {
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    fn repository(&self) -> Option<&Reference> {
        Some(&self.reference)
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
