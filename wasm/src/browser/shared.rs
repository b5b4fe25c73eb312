//! Objects of our own classes in arrays and records, which stay the caller's.

use wasm_bindgen::convert::TryFromJsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};

#[wasm_bindgen]
extern "C" {
    /// An object of a class that can be shared.
    type Shareable;
    #[wasm_bindgen(method, structural, catch)]
    fn share(this: &Shareable) -> Result<JsValue, JsValue>;
}

/// Reads an object of a class that has a method `share`, and leaves it to the caller: wasm-bindgen would end it. `None` for
/// anything else.
pub(super) fn shared<T: TryFromJsValue>(value: &JsValue) -> Option<T> {
    let shared = value.unchecked_ref::<Shareable>().share().ok()?;
    T::try_from_js_value(shared).ok()
}
