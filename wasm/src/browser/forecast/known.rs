//! Layers whose contents are known.

use js_sys::Uint8Array;
use shingle_core::forecast as core_forecast;
use shingle_core::{Digest, Identity};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::browser::basis::{Basis, VerifiedLayer};
use crate::browser::error::{digest, misuse, thrown};
use crate::browser::policy::{LimitChanges, PolicyChanges, TrustWord, limits, policy, trust_word};
use crate::browser::record::{count, need};
use crate::browser::shared::shared;
use crate::browser::toc::Toc;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"/** What manifest and config say of a layer. */
export interface KnownLayer {
  /** The digest of its blob. */
  blob: string;
  /** The length of its blob. */
  blobLen: number;
  /** The digest of its tar. */
  diffId: string;
  mediaType: string;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// What manifest and config say of a layer.
    #[wasm_bindgen(typescript_type = "KnownLayer")]
    #[derive(Clone, Debug)]
    pub type KnownLayer;
    /// How a pull takes a layer.
    #[wasm_bindgen(typescript_type = "\"by-file\" | \"whole\"")]
    #[derive(Clone, Debug)]
    pub type PulledWord;
    /// A `Known` that stays the caller's.
    #[wasm_bindgen(typescript_type = "Known")]
    #[derive(Clone, Debug)]
    pub type KnownHandle;
}

/// A layer whose contents are known, and how a pull takes it.
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Known(core_forecast::Known);

#[wasm_bindgen]
impl Known {
    /// Knows a layer by the TOC that looking for one brought. `tocBytes` and `tocRequests` are what was read for it;
    /// `policy` is that of the pulls that are spoken of.
    #[wasm_bindgen(js_name = fromBasis)]
    pub fn from_basis(
        basis: &Basis,
        layer: KnownLayer,
        #[wasm_bindgen(js_name = tocBytes)] toc_bytes: f64,
        #[wasm_bindgen(js_name = tocRequests)] toc_requests: f64,
        #[wasm_bindgen(js_name = policy)] said: Option<PolicyChanges>,
    ) -> Result<Self, JsValue> {
        let (bytes, requests) = (count(toc_bytes, "tocBytes")?, count(toc_requests, "tocRequests")?);
        let (layer, policy) = (known_layer(&layer)?, policy(said)?);
        core_forecast::Known::from_basis(layer, basis.inner(), bytes, requests, &policy)
            .map(Self)
            .map_err(thrown)
    }

    /// Knows a layer that was read whole; `why` says in words why a pull takes it so. `tocBytes` and `tocRequests` are what
    /// was read before that was known.
    #[wasm_bindgen(js_name = fromVerified)]
    pub fn from_verified(
        layer: &VerifiedLayer,
        said: KnownLayer,
        why: String,
        #[wasm_bindgen(js_name = tocBytes)] toc_bytes: f64,
        #[wasm_bindgen(js_name = tocRequests)] toc_requests: f64,
    ) -> Result<Self, JsValue> {
        let (bytes, requests) = (count(toc_bytes, "tocBytes")?, count(toc_requests, "tocRequests")?);
        let said = known_layer(&said)?;
        let verified = layer.inner();
        if *verified.identity() != Identity::DiffId(said.diff_id) {
            return Err(misuse("layer was not proven to be the one that said.diffId names"));
        }
        let toc = verified.toc().clone();
        Ok(Self(core_forecast::Known::from_whole(said, toc, why, bytes, requests)))
    }

    /// Reads a line of an exported file.
    #[wasm_bindgen(js_name = fromExported)]
    pub fn from_exported(
        line: &[u8],
        #[wasm_bindgen(js_name = limits)] said: Option<LimitChanges>,
    ) -> Result<Self, JsValue> {
        core_forecast::Known::from_line(line, &limits(said)?).map(Self).map_err(thrown)
    }

    /// A line of an exported file, without a line break.
    #[wasm_bindgen(js_name = toExported)]
    #[must_use]
    pub fn to_exported(&self) -> Uint8Array {
        self.0.to_line().as_slice().into()
    }

    /// The digest of its blob.
    #[must_use]
    pub fn blob(&self) -> String {
        self.0.layer().blob.to_string()
    }

    /// The length of its blob.
    #[wasm_bindgen(js_name = blobLen)]
    #[must_use]
    pub fn blob_len(&self) -> f64 {
        crate::browser::record::number(self.0.layer().blob_len)
    }

    /// The digest of its tar, by the image's word.
    #[wasm_bindgen(js_name = diffId)]
    #[must_use]
    pub fn diff_id(&self) -> String {
        self.0.layer().diff_id.to_string()
    }

    /// The media type of its blob.
    #[wasm_bindgen(js_name = mediaType)]
    #[must_use]
    pub fn media_type(&self) -> String {
        self.0.layer().media_type.clone()
    }

    /// What ties its TOC to it.
    #[must_use]
    pub fn trust(&self) -> TrustWord {
        trust_word(self.0.trust())
    }

    /// How a pull takes it.
    #[must_use]
    pub fn pulled(&self) -> PulledWord {
        let word = if self.0.why().is_some() { "whole" } else { "by-file" };
        wasm_bindgen::JsCast::unchecked_into(JsValue::from_str(word))
    }

    /// Why a pull takes it whole.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        self.0.why().map(ToOwned::to_owned)
    }

    /// How many entries its TOC has.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.0.toc().entries().len()
    }

    /// What is read before a pull decides, in bytes.
    #[wasm_bindgen(js_name = tocBytes)]
    #[must_use]
    pub fn toc_bytes(&self) -> f64 {
        crate::browser::record::number(self.0.toc_bytes())
    }

    /// The same in requests.
    #[wasm_bindgen(js_name = tocRequests)]
    #[must_use]
    pub fn toc_requests(&self) -> f64 {
        crate::browser::record::number(self.0.toc_requests())
    }

    /// Its TOC.
    #[must_use]
    pub fn toc(&self) -> Toc {
        Toc::from(self.0.toc())
    }

    /// Another handle to the same, see `shared`.
    #[wasm_bindgen(skip_typescript)]
    #[must_use]
    pub fn share(&self) -> Self {
        self.clone()
    }

    pub(in crate::browser) const fn inner(&self) -> &core_forecast::Known {
        &self.0
    }
}

/// Reads an array of layers, which stay the caller's.
pub(in crate::browser) fn all(layers: &[KnownHandle]) -> Result<Vec<Known>, JsValue> {
    let known = |layer: &KnownHandle| shared(layer).ok_or_else(|| misuse("layers must be Known"));
    layers.iter().map(known).collect()
}

fn known_layer(said: &JsValue) -> Result<core_forecast::KnownLayer, JsValue> {
    let named = |key| -> Result<Digest, JsValue> { digest(&need::<String>(said, "layer", key)?) };
    Ok(core_forecast::KnownLayer {
        blob: named("blob")?,
        blob_len: need(said, "layer", "blobLen")?,
        diff_id: named("diffId")?,
        media_type: need(said, "layer", "mediaType")?,
    })
}
