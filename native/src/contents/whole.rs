//! A layer without a usable TOC: what is in it, its end says.

use std::io::Read as _;
use std::sync::Arc;

use shingle_core::{Limits, Toc, Unwrap, WholeFetch};

use super::LayerFault;
use super::image::Layer;
use crate::length;
use crate::transport::{Source, TransferError};

/// How much is read at once.
const PIECE: usize = 256 << 10;

/// Reads a layer to its end for what is in it, and holds it against the digests of its blob and of its tar. Nothing is
/// kept but its table of contents. `received` hears of the blob's bytes.
pub(super) fn read_whole(
    source: &dyn Source,
    layer: &Layer,
    limits: &Limits,
    received: &dyn Fn(u64),
) -> Result<Arc<Toc>, LayerFault> {
    let mut reader = source.open_blob(layer.digest, layer.size)?;
    let (mut unwrap, mut fetch) = (Unwrap::new(limits), WholeFetch::new(limits));
    let mut buffer = vec![0; PIECE];
    loop {
        let count = reader
            .read(&mut buffer)
            .map_err(|error| TransferError::reading(format!("blob {}", layer.digest), error))?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        received(length(bytes));
        let mut plain = unwrap.receive(bytes);
        while let Some(tar) = plain.next_piece()? {
            let mut pieces = fetch.receive(tar);
            while pieces.next_piece()?.is_some() {}
        }
    }
    let whole = fetch.finish(unwrap.finish(&layer.digest)?, &layer.diff_id)?;
    Ok(Arc::clone(whole.verified.toc()))
}
