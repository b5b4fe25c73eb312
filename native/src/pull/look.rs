//! What a pull reads to look at a layer: ranges of blobs in a registry, each counted and told.

use std::ops::Range;

use shingle_core::LayerSaid;

use super::error::LayerError;
use super::layer::Job;
use super::report::Phase;
use crate::length;
use crate::look::{Got, Looked, NotBeside, Ranges, Which, find_beside, look, span};
use crate::registry::{BlobReader, Coverage, OnWhole};

impl Job<'_> {
    /// Finds, fetches and checks a TOC, and the tar-split if there is one.
    pub(super) fn look(&mut self) -> Result<Looked<Box<BlobReader>>, LayerError> {
        let (descriptor, context) = (self.descriptor, self.context);
        let said = LayerSaid {
            media_type: &descriptor.media_type,
            size: descriptor.size,
            annotations: &descriptor.annotations,
        };
        look(self, &said, &context.options.policy, |identity| context.store.has_layer(identity))
    }
}

impl Ranges for Job<'_> {
    type Error = LayerError;
    type Whole = Box<BlobReader>;

    fn read(
        &mut self,
        from: Which,
        range: Range<u64>,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<Got<Self::Whole>, LayerError> {
        self.context.reporter.phase(self.index, Phase::Toc);
        self.toc_bytes += span(&range);
        // A whole blob that is another than the layer's own is no way to pull the layer.
        let (blob, on_whole) = match from {
            Which::Own => (&self.blob, OnWhole::Keep),
            Which::Beside => (self.beside.as_ref().unwrap_or(&self.blob), OnWhole::Cut),
        };
        let own = from == Which::Own;
        let mut reader = match blob.read_range(range.clone(), on_whole) {
            Ok(reader) if own && reader.coverage() == Coverage::Whole && span(&range) < blob.size() => {
                return Ok(Got::Whole(Some(Box::new(reader))));
            }
            Ok(reader) => reader,
            Err(error) if error.leaves_whole() => return Ok(Got::Whole(None)),
            Err(error) => return Err(error.into()),
        };
        while let Some(bytes) = reader.next_bytes()? {
            self.context.reporter.received(self.index, length(&bytes));
            take(&bytes);
        }
        Ok(Got::Range)
    }

    fn find_beside(&mut self) -> Result<Result<u64, NotBeside>, LayerError> {
        let found = find_beside(self.context.client, self.context.reference, &self.descriptor.digest)?;
        Ok(found.map(|blob| self.beside.insert(blob).size()))
    }
}
