//! What is read to look at a layer: parts of blobs, from wherever they lie.

use std::ops::Range;

use shingle_core::Digest;

use super::LayerFault;
use crate::length;
use crate::look::{Got, NotBeside, Ranges, Which};
use crate::transport::{Part, Source};

/// One layer's blob in its source, and what was read so far.
pub(crate) struct Reading<'a> {
    source: &'a dyn Source,
    blob: (Digest, u64),
    /// The blob of another image that its TOC is in.
    beside: Option<(Digest, u64)>,
    /// How many bytes a pull reads, too, before it decides.
    pub(crate) bytes: u64,
    /// How many requests that takes.
    pub(crate) requests: u64,
}

impl<'a> Reading<'a> {
    pub(crate) const fn new(source: &'a dyn Source, blob: Digest, size: u64) -> Self {
        Self { source, blob: (blob, size), beside: None, bytes: 0, requests: 0 }
    }
}

impl Ranges for Reading<'_> {
    type Error = LayerFault;
    type Whole = ();

    fn read(
        &mut self,
        from: Which,
        range: Range<u64>,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<Got<()>, LayerFault> {
        let part = match (from, self.beside) {
            (Which::Beside, Some((blob, size))) => match self.source.read_range(blob, size, range) {
                Err(crate::transport::TransferError::Registry(error)) if error.leaves_whole() => {
                    Part::Refused
                }
                bytes => Part::Bytes(bytes?),
            },
            (Which::Beside, None) | (Which::Own, _) => {
                self.source.read_part(self.blob.0, self.blob.1, range)?
            }
        };
        match part {
            Part::Bytes(bytes) => {
                self.requests = self.requests.saturating_add(1);
                self.bytes = self.bytes.saturating_add(length(&bytes));
                take(&bytes);
                Ok(Got::Range)
            }
            Part::Refused => {
                self.requests = self.requests.saturating_add(1);
                Ok(Got::Whole(None))
            }
            // A pull reads on where it asked for a part: that is the one request for all of it.
            Part::Whole => Ok(Got::Whole(Some(()))),
        }
    }

    fn find_beside(&mut self) -> Result<Result<u64, NotBeside>, LayerFault> {
        let found = self.source.toc_beside(self.blob.0)?;
        Ok(found.map(|found| self.beside.insert(found).1))
    }
}
