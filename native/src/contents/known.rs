//! What was read of a layer, as forecasts and exported files have it.

use std::sync::Arc;

use shingle_core::Policy;
use shingle_core::forecast::{Known, KnownError, KnownLayer};

use super::{Came, LayerContents, PulledAs};

impl LayerContents {
    /// Returns the layer as it is known to a machine that is only thought of; `policy` is that of the pulls that are spoken
    /// of.
    ///
    /// # Errors
    /// The blob is shorter than its TOC says.
    pub fn known(&self, policy: &Policy) -> Result<Known, KnownError> {
        let layer = KnownLayer {
            blob: self.blob,
            blob_len: self.blob_bytes,
            diff_id: self.diff_id,
            media_type: self.media_type.clone(),
        };
        let toc = Arc::clone(&self.toc);
        match (&self.pulled, self.came) {
            (PulledAs::Whole(why), Came::Whole | Came::Store) => {
                Ok(Known::from_whole(layer, toc, why.to_string(), self.toc_bytes, self.toc_requests))
            }
            (PulledAs::ByFile | PulledAs::Whole(_), _) => {
                // A pull that wants the DiffID reads nothing where it cannot have it; one that does not, does.
                let bytes = self.toc_bytes.max(self.read_bytes);
                let requests = self.toc_requests.max(self.read_requests);
                Known::from_toc(layer, toc, self.trust, bytes, requests, policy)
            }
        }
    }
}
