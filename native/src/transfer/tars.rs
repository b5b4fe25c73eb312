//! Where the tars of layers come from.

use std::io::Read as _;
use std::sync::atomic::{AtomicBool, Ordering};

use shingle_core::{Digest, Limits, Unwrap};

use super::error::LayerFault;
use super::good::{Goodness, judge};
use super::pipe::Sender;
use crate::length;
use crate::transport::{Descriptor, Destination, Source, TransferError};
use shingle_core::writer::Format;

/// A layer of an image that is to be written anew.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// As the manifest has it; of several manifests, the one that says the most.
    pub(super) descriptor: Descriptor,
    pub(super) diff_id: Digest,
}

/// Gives the tars of layers.
pub(super) trait Tars: Sync {
    /// Says whether a layer can stay as it is.
    fn judge(
        &self,
        layer: &Layer,
        format: Format,
        destination: &dyn Destination,
    ) -> Result<Goodness, LayerFault>;

    /// Returns what a layer's tar is made from, so exactly that it can only ever be the same tar; `None` where nothing is
    /// known to be.
    fn input(&self, layer: &Layer) -> Option<String>;

    /// Sends a layer's tar; `read` hears of blob bytes. Who does not listen any more is no error.
    fn send(&self, layer: &Layer, to: &mut Sender, read: &dyn Fn(u64)) -> Result<(), LayerFault>;

    /// Says what it means that a tar is another one than the image says.
    fn other_tar(&self, layer: &Layer, actual: Digest) -> LayerFault {
        LayerFault::DiffId { expected: layer.diff_id, actual }
    }
}

/// Tars out of blobs.
#[derive(Clone, Copy)]
pub(super) struct BlobTars<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) limits: Limits,
    pub(super) stop: &'a AtomicBool,
}

impl Tars for BlobTars<'_> {
    fn judge(
        &self,
        layer: &Layer,
        format: Format,
        _destination: &dyn Destination,
    ) -> Result<Goodness, LayerFault> {
        Ok(judge(self.source, &layer.descriptor, format, &self.limits)?)
    }

    fn input(&self, layer: &Layer) -> Option<String> {
        Some(format!("blob {}", layer.descriptor.digest))
    }

    fn send(&self, layer: &Layer, to: &mut Sender, read: &dyn Fn(u64)) -> Result<(), LayerFault> {
        let Descriptor { digest, size, .. } = layer.descriptor;
        let mut reader = self.source.open_blob(digest, size)?;
        let (mut unwrap, mut buffer) = (Unwrap::new(&self.limits), vec![0; 256 << 10]);
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(TransferError::Stopped.into());
            }
            let count = reader
                .read(&mut buffer)
                .map_err(|source| TransferError::reading(format!("blob {digest}"), source))?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            read(length(bytes));
            let mut plain = unwrap.receive(bytes);
            while let Some(piece) = plain.next_piece()? {
                if to.send(piece).is_err() {
                    return Ok(());
                }
            }
        }
        unwrap.finish(&digest)?;
        Ok(())
    }
}
