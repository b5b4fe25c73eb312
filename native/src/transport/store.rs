//! Images in the store: documents as they were pulled, but no blobs of layers.

use std::io::{Cursor, Read};
use std::ops::Range;

use shingle_core::Digest;

use super::{Descriptor, Document, Source, TransferError};
use crate::registry::Reference;
use crate::store::{ImageRecord, Store};

/// An image in the store, to be read. Its layers' blobs are not here: they were taken apart.
#[derive(Debug)]
pub(crate) struct StoreSource<'a> {
    store: &'a Store,
    image: &'a ImageRecord,
    /// Where it was pulled from.
    reference: Option<Reference>,
}

impl<'a> StoreSource<'a> {
    pub(crate) fn new(store: &'a Store, image: &'a ImageRecord) -> Self {
        Self { store, image, reference: image.reference.parse().ok() }
    }

    fn missing(&self, what: String) -> TransferError {
        TransferError::Missing { path: self.store.path().to_owned(), what }
    }

    fn document(&self, digest: &Digest) -> Result<Vec<u8>, TransferError> {
        Ok(self.store.document(digest)?)
    }
}

impl Source for StoreSource<'_> {
    fn top(&self) -> Result<Document, TransferError> {
        let bytes = self.document(&self.image.manifest)?;
        let what = format!("manifest {}", self.image.manifest);
        Document::new(bytes, &self.image.media_type).map_err(TransferError::document(what))
    }

    fn manifest(&self, wanted: &Descriptor) -> Result<Document, TransferError> {
        Err(self.missing(format!("manifest {}", wanted.digest)))
    }

    fn open_blob(&self, blob: Digest, _size: u64) -> Result<Box<dyn Read + Send>, TransferError> {
        if blob != self.image.config {
            return Err(self.missing(format!("blob {blob}")));
        }
        Ok(Box::new(Cursor::new(self.document(&blob)?)))
    }

    fn read_range(&self, blob: Digest, _size: u64, range: Range<u64>) -> Result<Vec<u8>, TransferError> {
        let bytes = if blob == self.image.config { self.document(&blob)? } else { Vec::new() };
        let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let part = bytes.get(within(range.start)..within(range.end));
        part.map(<[u8]>::to_vec).ok_or_else(|| self.missing(format!("blob {blob}")))
    }

    fn repository(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }
}
