//! One file of a layer that is read to its end.

use std::io::Read as _;

use shingle_core::{Unwrap, WholeFetch, WholePiece};

use super::{CatError, Job, Spent};
use crate::length;
use crate::transport::TransferError;

/// How much is read at once, in bytes.
const PIECE: usize = 256 << 10;

/// Reads the job's layer and keeps its file. It is the file only once the layer's tar is the one that the image names: until
/// then the bytes stay in the space, where nobody sees them.
pub(super) fn read(job: &Job<'_>) -> Result<Spent, CatError> {
    let wanted = &job.wanted;
    let mut reader = job.source.open_blob(wanted.blob, wanted.size)?;
    let (mut unwrap, mut fetch) = (Unwrap::new(&job.policy.limits), WholeFetch::new(&job.policy.limits));
    let (mut buffer, mut spent) = (vec![0; PIECE], Spent { bytes: 0, requests: 1 });
    let (mut inside, mut found) = (false, None);
    loop {
        let count = reader
            .read(&mut buffer)
            .map_err(|error| TransferError::reading(format!("blob {}", wanted.blob), error))?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        spent.bytes += length(bytes);
        (job.received)(length(bytes));
        let mut plain = unwrap.receive(bytes);
        while let Some(tar) = plain.next_piece()? {
            let mut pieces = fetch.receive(tar);
            while let Some(piece) = pieces.next_piece()? {
                match piece {
                    WholePiece::Begin { file, .. } => inside = file == wanted.file,
                    WholePiece::Data { offset, bytes } if inside => job.space.write(bytes, offset)?,
                    WholePiece::End { digest, .. } if inside => (inside, found) = (false, Some(digest)),
                    WholePiece::Data { .. } | WholePiece::End { .. } => {}
                }
            }
        }
    }
    fetch.finish(unwrap.finish(&wanted.blob)?, &wanted.diff_id)?;
    match found {
        Some(digest) if digest == wanted.digest => Ok(spent),
        // The table was made of another tar: of this one by another version, or somebody changed what was kept of it.
        Some(digest) => Err(job.other_content(digest)),
        None => Err(CatError::NoFile),
    }
}
