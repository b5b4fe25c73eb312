//! A source for as long as somebody waits for what is read from it.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shingle_core::Digest;

use crate::registry::Reference;
use crate::transport::{Descriptor, Document, NotBeside, Part, Section, Source, TransferError};

/// Whether somebody still waits. Clones are about the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted(Arc<AtomicBool>);

/// Ends the wanting when dropped.
#[derive(Debug)]
pub(super) struct Waiting(Wanted);

impl Wanted {
    /// Returns what is held by who waits.
    pub(super) fn waiting(&self) -> Waiting {
        Waiting(self.clone())
    }

    fn check(&self) -> Result<(), TransferError> {
        if self.0.load(Ordering::Relaxed) { Err(TransferError::Stopped) } else { Ok(()) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Reads from another source while it is wanted.
pub(super) struct WhileWanted<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) wanted: Wanted,
}

type Reader = Box<dyn Read + Send>;

impl WhileWanted<'_> {
    fn wrap(&self, reader: Reader) -> Reader {
        Box::new(ReaderWhileWanted { reader, wanted: self.wanted.clone() })
    }
}

impl Source for WhileWanted<'_> {
    fn top(&self) -> Result<Document, TransferError> {
        self.wanted.check()?;
        self.source.top()
    }

    fn manifest(&self, wanted: &Descriptor) -> Result<Document, TransferError> {
        self.wanted.check()?;
        self.source.manifest(wanted)
    }

    fn open_blob(&self, blob: Digest, size: u64) -> Result<Reader, TransferError> {
        self.wanted.check()?;
        Ok(self.wrap(self.source.open_blob(blob, size)?))
    }

    fn read_range(&self, blob: Digest, size: u64, range: Range<u64>) -> Result<Vec<u8>, TransferError> {
        self.wanted.check()?;
        self.source.read_range(blob, size, range)
    }

    fn open_range(&self, blob: Digest, size: u64, range: Range<u64>) -> Result<Reader, TransferError> {
        self.wanted.check()?;
        Ok(self.wrap(self.source.open_range(blob, size, range)?))
    }

    fn open_part(&self, blob: Digest, size: u64, range: Range<u64>) -> Result<Option<Reader>, TransferError> {
        self.wanted.check()?;
        Ok(self.source.open_part(blob, size, range)?.map(|reader| self.wrap(reader)))
    }

    fn read_part(&self, blob: Digest, size: u64, range: Range<u64>) -> Result<Part, TransferError> {
        self.wanted.check()?;
        self.source.read_part(blob, size, range)
    }

    fn toc_beside(&self, layer: Digest) -> Result<Result<(Digest, u64), NotBeside>, TransferError> {
        self.wanted.check()?;
        self.source.toc_beside(layer)
    }

    fn local(&self, blob: Digest, size: u64) -> Result<Option<Section>, TransferError> {
        self.source.local(blob, size)
    }

    fn repository(&self) -> Option<&Reference> {
        self.source.repository()
    }
}

struct ReaderWhileWanted {
    reader: Reader,
    wanted: Wanted,
}

impl Read for ReaderWhileWanted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wanted.check().map_err(io::Error::other)?;
        self.reader.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contents::{Quiet, ReadOptions, read};
    use crate::registry::{Client, ClientOptions};
    use crate::transport::open_source;

    #[test]
    fn what_nobody_wants_is_not_read() {
        let client = Client::new(ClientOptions::default()).unwrap();
        let name = format!("oci:{}/../tests/fixtures/zoo/gzip", env!("CARGO_MANIFEST_DIR"));
        let source = open_source(&name.parse().unwrap(), &client).unwrap();
        let wanted = Wanted::default();
        let limited = WhileWanted { source: &*source, wanted: wanted.clone() };
        let contents = read("zoo", &limited, &ReadOptions::default(), &Quiet).unwrap();
        let layer = &contents.layers[0];
        let mut reader = limited.open_blob(layer.blob, layer.blob_bytes).unwrap();
        assert_eq!(reader.read(&mut [0; 4]).unwrap(), 4);
        drop(wanted.waiting());
        assert!(reader.read(&mut [0; 4]).is_err());
        assert!(limited.open_blob(layer.blob, layer.blob_bytes).is_err());
        assert!(read("zoo", &limited, &ReadOptions::default(), &Quiet).is_err());
    }
}
