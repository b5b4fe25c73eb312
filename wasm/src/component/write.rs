//! `write`: a tar becomes a layer.

use std::cell::RefCell;

use shingle_core::writer::{self, Assembler, BatchEncoder, Format, Splitter, WriteOptions, WrittenLayer};

use super::Component;
use super::bindings::errors::Error;
use super::bindings::write as wit;

/// The splitter holds what it is given until its batches are taken, so it is given no more than this at once.
const STRIDE: usize = 1 << 20;

impl wit::Guest for Component {
    type Writer = Writer;
}

/// The resource `writer`.
#[derive(Debug)]
pub(super) struct Writer(RefCell<Chain>);

/// The chain of the writer, on one thread.
#[derive(Debug)]
struct Chain {
    splitter: Splitter,
    encoder: BatchEncoder,
    assembler: Assembler,
    failed: Option<Error>,
}

impl Chain {
    fn receive(&mut self, tar: &[u8]) -> Result<Vec<u8>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let mut blob = Vec::new();
        for piece in tar.chunks(STRIDE) {
            self.splitter.receive(piece);
            while let Some(batch) = self.splitter.next_batch() {
                let packed = batch.compress(&mut self.encoder);
                let bytes = self.assembler.accept(packed).map_err(Error::from);
                let bytes = bytes.inspect_err(|error| self.failed = Some(error.clone()))?;
                blob.extend(bytes);
            }
        }
        Ok(blob)
    }

    fn finish(mut self) -> Result<(Vec<u8>, WrittenLayer), Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let (batches, end) = self.splitter.finish()?;
        let mut blob = Vec::new();
        for batch in batches {
            blob.extend(self.assembler.accept(batch.compress(&mut self.encoder))?);
        }
        let (tail, layer) = self.assembler.finish(end)?;
        blob.extend(tail);
        Ok((blob, layer))
    }
}

impl wit::GuestWriter for Writer {
    fn new(options: wit::WriteOptions) -> Self {
        let wit::WriteOptions { format, level, limits } = options;
        let mut to = WriteOptions::new(match format {
            wit::Format::ZstdChunked => Format::ZstdChunked,
            wit::Format::Zstd => Format::Zstd,
            wit::Format::Gzip => Format::Gzip,
        });
        to.level = level.unwrap_or(to.level);
        to.limits = limits.into();
        let (splitter, assembler) = writer::start(&to);
        let encoder = BatchEncoder::new(&to);
        Self(RefCell::new(Chain { splitter, encoder, assembler, failed: None }))
    }

    fn receive(&self, tar: Vec<u8>) -> Result<Vec<u8>, Error> {
        self.0.borrow_mut().receive(&tar)
    }

    fn finish(this: wit::Writer) -> Result<(Vec<u8>, wit::WrittenLayer), Error> {
        let (tail, layer) = this.into_inner::<Self>().0.into_inner().finish()?;
        Ok((tail, layer.into()))
    }
}

impl From<WrittenLayer> for wit::WrittenLayer {
    fn from(layer: WrittenLayer) -> Self {
        Self {
            diff_id: layer.diff_id.to_string(),
            tar_len: layer.tar_len,
            blob: layer.blob.to_string(),
            blob_len: layer.blob_len,
            annotations: layer.annotations.into_iter().collect(),
            toc_len: layer.toc_len,
            tar_split_len: layer.tar_split_len,
            plain: layer.plain.map(Into::into),
        }
    }
}
