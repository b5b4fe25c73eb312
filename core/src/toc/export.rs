//! The TOC as a file that programs exchange: the stored form, with the places of all frames in the blob.

use alloc::vec::Vec;

use serde::Deserialize;

use super::store::Written;
use super::{BlobMap, Place, Toc, TocError};
use crate::Limits;
use crate::codec::Codec;

impl Toc {
    /// Writes the TOC with everything that it says, blob offsets and all: the stored form, in which each chunk has its
    /// frames besides (`framesRaw`, the first byte and the one behind the last), and `blob` says what else lies in the blob.
    pub fn to_exported(&self) -> Vec<u8> {
        // Serialising into memory fails for maps with keys that are no strings, of which there are none.
        serde_json::to_vec(&self.exported()).unwrap_or_default()
    }

    pub(crate) const fn exported(&self) -> Written<'_> {
        Written { toc: self, places: self.map.is_some() }
    }

    /// Reads what [`to_exported`](Self::to_exported) wrote, by the rules of every TOC: chunks make up their files, frames
    /// follow one another.
    ///
    /// Nothing [vouches](Self::vouched) for what comes: it can be shown and planned with, and proves no layer.
    ///
    /// # Errors
    /// The bytes are not what was written, or claim more than the limits allow.
    pub fn from_exported(json: &[u8], limits: &Limits) -> Result<Self, TocError> {
        // What is known of the blob settles how the entries are read.
        let Head { blob } = serde_json::from_slice(json).map_err(|error| TocError::json(&error))?;
        let place = match &blob {
            Some(map) => Place::Exported { data_end: map.data_end },
            None => Place::Store,
        };
        let mut toc = Self::parse(json, place, limits)?;
        toc.codec = match &blob {
            Some(map) if map.gzip => Codec::Gzip,
            _ => Codec::Zstd,
        };
        toc.map = blob;
        Ok(toc)
    }
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    blob: Option<BlobMap>,
}
