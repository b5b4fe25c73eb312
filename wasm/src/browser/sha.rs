//! SHA-256 by itself: for manifests, configs, and whatever else is named by digest.

use shingle_core::Hasher;
use wasm_bindgen::prelude::wasm_bindgen;

/// The SHA-256 of what is given piece by piece. `crypto.subtle` wants all of it at once.
#[wasm_bindgen]
#[derive(Clone, Debug, Default)]
pub struct Sha256(Hasher);

#[wasm_bindgen]
impl Sha256 {
    /// Starts with no bytes.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest, as `sha256:` and hexadecimal digits. Ends this object.
    #[must_use]
    pub fn finish(self) -> String {
        self.0.finish().to_string()
    }
}
