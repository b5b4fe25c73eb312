//! Known layers as lines of text, for one machine to show what another has read.

use alloc::borrow::Cow;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Known, KnownError, KnownLayer};
use crate::toc::Written;
use crate::{Digest, Limits, Toc, Trust};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Writing<'a> {
    blob: Digest,
    blob_len: u64,
    diff_id: Digest,
    media_type: &'a str,
    trust: Trust,
    #[serde(skip_serializing_if = "Option::is_none")]
    vouched: Option<Digest>,
    /// Why it is pulled whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    whole: Option<&'a str>,
    toc_bytes: u64,
    toc_requests: u64,
    toc: Written<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reading<'a> {
    blob: Digest,
    blob_len: u64,
    diff_id: Digest,
    #[serde(borrow)]
    media_type: Cow<'a, str>,
    trust: Trust,
    #[serde(default)]
    vouched: Option<Digest>,
    #[serde(default, borrow)]
    whole: Option<Cow<'a, str>>,
    #[serde(default)]
    toc_bytes: u64,
    #[serde(default)]
    toc_requests: u64,
    #[serde(borrow)]
    toc: &'a RawValue,
}

impl Known {
    /// Writes everything that is known as one line of JSON, without a line break.
    pub fn to_line(&self) -> Vec<u8> {
        let line = Writing {
            blob: self.layer.blob,
            blob_len: self.layer.blob_len,
            diff_id: self.layer.diff_id,
            media_type: &self.layer.media_type,
            trust: self.trust,
            vouched: self.vouched,
            whole: self.why(),
            toc_bytes: self.toc_bytes,
            toc_requests: self.toc_requests,
            toc: self.toc.exported(),
        };
        // Serialising into memory fails for maps with keys that are no strings, of which there are none.
        serde_json::to_vec(&line).unwrap_or_default()
    }

    /// Reads what [`to_line`](Self::to_line) wrote. What a line says is believed of nothing but pictures and forecasts: no
    /// proof comes of it.
    ///
    /// # Errors
    /// It is no such line, its TOC breaks the rules of every TOC or goes over the limits, or it places something outside
    /// the blob.
    pub fn from_line(line: &[u8], limits: &Limits) -> Result<Self, KnownError> {
        let read: Reading<'_> = serde_json::from_slice(line).map_err(|error| {
            let message = error.to_string();
            // serde_json repeats the place at the end of its message.
            let message = message.split(" at line ").next().unwrap_or_default();
            KnownError::Line { column: error.column(), message: message.chars().take(200).collect() }
        })?;
        let toc = Toc::from_exported(read.toc.get().as_bytes(), limits).map_err(KnownError::Toc)?;
        let whole: Option<String> = read.whole.map(Cow::into_owned);
        if toc.map().is_none() && whole.is_none() {
            return Err(KnownError::Unlocated);
        }
        let known = Self {
            layer: KnownLayer {
                blob: read.blob,
                blob_len: read.blob_len,
                diff_id: read.diff_id,
                media_type: read.media_type.into_owned(),
            },
            toc: Arc::new(toc),
            trust: read.trust,
            vouched: read.vouched,
            why: whole,
            toc_bytes: read.toc_bytes,
            toc_requests: read.toc_requests,
        };
        known.fitting()
    }
}
