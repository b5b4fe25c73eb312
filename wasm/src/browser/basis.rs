//! A TOC, and the proof of the layers made from it.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::error::{Reason, digest, thrown};
use super::fetch::Complete;
use super::plan::Plan;
use super::policy::{TrustWord, trust_word};
use super::record::{handle, variant};
use super::toc::Toc;

variant! {
    /// What came of a TOC.
    Opened {
        /// It is good.
        found(Basis) = "found": "Basis",
        /// It is not understood, or not enough to prove what the policy wants: the layer is read whole.
        read_whole(Reason) = "whole": "Reason",
    }
}

/// A TOC, and what a layer made from it is proven by.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Basis(shingle_core::Basis);

#[wasm_bindgen]
impl Basis {
    /// How far the layer will be proven.
    #[must_use]
    pub fn trust(&self) -> TrustWord {
        trust_word(self.0.trust())
    }

    /// The TOC.
    #[must_use]
    pub fn toc(&self) -> Toc {
        Toc::from(self.0.toc())
    }

    /// The tar-split as it lay in the blob, for the host's own store.
    #[wasm_bindgen(js_name = tarSplit)]
    #[must_use]
    pub fn tar_split(&self) -> Option<Uint8Array> {
        self.0.tar_split().map(|split| Uint8Array::from(split.as_bytes()))
    }

    /// Starts proving a layer that is made after `plan`. A basis serves several checks.
    #[must_use]
    pub fn check(&self, plan: &Plan) -> LayerCheck {
        LayerCheck(self.0.check(plan.inner()))
    }

    pub(super) const fn inner(&self) -> &shingle_core::Basis {
        &self.0
    }
}

impl From<shingle_core::Basis> for Basis {
    fn from(basis: shingle_core::Basis) -> Self {
        Self(basis)
    }
}

/// Proves a layer from its contents, read back from where they really are.
#[wasm_bindgen]
#[derive(Debug)]
pub struct LayerCheck(shingle_core::LayerCheck);

#[wasm_bindgen]
impl LayerCheck {
    /// The file whose content is needed next, from its beginning and all of it; `undefined` when no more is needed.
    pub fn wants(&mut self) -> Result<Option<u32>, JsValue> {
        let file = self.0.wants().map_err(thrown)?;
        Ok(file.and_then(|file| u32::try_from(file.index()).ok()))
    }

    /// Takes the next bytes of the file wanted.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        self.0.receive(bytes).map_err(thrown)
    }

    /// Compares the layer with the DiffID that the image's config names; where only the TOC is trusted, with the TOC. Ends
    /// this object and `complete`.
    pub fn finish(
        self,
        complete: Complete,
        #[wasm_bindgen(js_name = diffId)] diff_id: &str,
    ) -> Result<VerifiedLayer, JsValue> {
        let diff_id = digest(diff_id)?;
        self.0.finish(complete.into_inner(), &diff_id).map(VerifiedLayer).map_err(thrown)
    }
}

/// Proof that a layer is what it is known by.
#[wasm_bindgen]
#[derive(Debug)]
pub struct VerifiedLayer(shingle_core::VerifiedLayer);

#[wasm_bindgen]
impl VerifiedLayer {
    /// How far the layer was proven.
    #[must_use]
    pub fn trust(&self) -> TrustWord {
        trust_word(self.0.identity().trust())
    }

    /// The DiffID, or the digest of the TOC where only that was proven.
    #[must_use]
    pub fn digest(&self) -> String {
        match self.0.identity() {
            shingle_core::Identity::DiffId(digest) | shingle_core::Identity::Toc(digest) => {
                digest.to_string()
            }
        }
    }

    /// The TOC.
    #[must_use]
    pub fn toc(&self) -> Toc {
        Toc::from(self.0.toc())
    }

    #[cfg(feature = "overlap")]
    pub(super) const fn inner(&self) -> &shingle_core::VerifiedLayer {
        &self.0
    }
}

impl From<shingle_core::VerifiedLayer> for VerifiedLayer {
    fn from(layer: shingle_core::VerifiedLayer) -> Self {
        Self(layer)
    }
}

handle!(Basis, VerifiedLayer);
