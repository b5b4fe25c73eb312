//! Errors of the core as JavaScript's, and the reasons to read a layer whole.

use js_sys::{Error, JSON, Reflect, TypeError};
use serde::Serialize;
use shingle_core::{Digest, OpenError};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::record::record;

#[wasm_bindgen(typescript_custom_section)]
const SHINGLE_ERROR: &str = r#"/**
 * What every method throws when the bytes are not what they should be. `name` says which stage saw it, such as
 * `FetchError`; `message` is for people. A mistake of the caller is a `TypeError` instead.
 */
export interface ShingleError extends Error {
  /** Which error of that stage, such as `chunk-digest`. */
  code: string;
  /** Whether somebody lies, so that the layer must not be pulled at all. Otherwise it may still be read whole, or the
   * rest be asked for again. */
  lie: boolean;
  /** What the message is made of. Numbers from 2^53 on are rounded; names that are not UTF-8 have U+FFFD in them. */
  fields: Record<string, unknown>;
}
"#;

record! {
    /// Why a layer is read whole, or written plain. No error: the layer ends up just as proven.
    ReasonParts as Reason {
        /// Which, such as `no-toc`.
        code: JsValue = "code: string",
        /// In words.
        message: String = "message: string",
        /// What the message is made of.
        fields: JsValue = "fields: Record<string, unknown>",
    }
}

/// An error with the name of its stage.
pub(super) trait Stage: Serialize + std::fmt::Display {
    const NAME: &'static str;

    /// Whether somebody lies.
    fn is_lie(&self) -> bool {
        true
    }
}

macro_rules! stage {
    ($($name:ident $(: $lie:expr)?),+ $(,)?) => {
        $(impl Stage for shingle_core::$name {
            const NAME: &'static str = stringify!($name);
            $(fn is_lie(&self) -> bool {
                let lie: fn(&Self) -> bool = $lie;
                lie(self)
            })?
        })+
    };
}

stage! {
    BadTarSplit: |error| error.is_lie(),
    DiffIdError: |error| !matches!(error, shingle_core::DiffIdError::OtherPlan),
    Disagreement: |error| error.severity() == shingle_core::Severity::Lie,
    FetchError: |error| !matches!(error, shingle_core::FetchError::Truncated { .. }),
    LocateError: |_| false,
    TocError: |error| error.is_lie(),
    UnwrapError: |error| matches!(error, shingle_core::UnwrapError::Digest { .. }),
    WholeError: |error| matches!(error, shingle_core::WholeError::DiffId { .. }),
}

#[cfg(feature = "overlap")]
impl Stage for shingle_core::overlap::OverlapError {
    const NAME: &'static str = "OverlapError";

    fn is_lie(&self) -> bool {
        false
    }
}

#[cfg(feature = "overlap")]
impl Stage for shingle_core::forecast::ForecastError {
    const NAME: &'static str = "ForecastError";
}

#[cfg(feature = "overlap")]
impl Stage for shingle_core::forecast::KnownError {
    const NAME: &'static str = "KnownError";

    fn is_lie(&self) -> bool {
        self.is_lie()
    }
}

#[cfg(feature = "writer")]
impl Stage for shingle_core::writer::WriteError {
    const NAME: &'static str = "WriteError";

    fn is_lie(&self) -> bool {
        false
    }
}

/// Makes the `Error` of a stage.
pub(super) fn thrown<E: Stage>(error: E) -> JsValue {
    let (code, fields) = parts(&error);
    made(E::NAME, &error.to_string(), &code, error.is_lie(), &fields)
}

/// Makes the `Error` of a TOC that lies.
pub(super) fn thrown_open(error: OpenError) -> JsValue {
    match error {
        OpenError::Disagreement(error) => thrown(error),
        OpenError::TarSplit(error) => thrown(error),
        OpenError::Toc(error) => thrown(error),
    }
}

/// Makes the `Error` of a ledger that was closed too early.
pub(super) fn thrown_unfinished(error: shingle_core::Unfinished) -> JsValue {
    made("Unfinished", &error.to_string(), &"unfinished".into(), false, &plain(&error))
}

/// Makes the `TypeError` of a mistake of the caller.
pub(super) fn misuse(message: &str) -> JsValue {
    TypeError::new(message).into()
}

/// Makes the object of a reason.
pub(super) fn reason(reason: &(impl Serialize + std::fmt::Display)) -> ReasonParts {
    let (code, fields) = parts(reason);
    ReasonParts { code, message: reason.to_string(), fields }
}

/// Reads a digest that the caller gives.
pub(super) fn digest(text: &str) -> Result<Digest, JsValue> {
    text.parse().map_err(|error: shingle_core::DigestError| misuse(&error.to_string()))
}

fn made(name: &str, message: &str, code: &JsValue, lie: bool, fields: &JsValue) -> JsValue {
    let error = Error::new(message);
    error.set_name(name);
    for (key, value) in [("code", code), ("lie", &lie.into()), ("fields", fields)] {
        // The object is ours, and takes every property.
        let _set = Reflect::set(&error, &key.into(), value);
    }
    error.into()
}

/// The variant's name and its fields, as the core's errors serialise.
fn parts(error: &impl Serialize) -> (JsValue, JsValue) {
    let object = plain(error);
    let get = |key: &str| Reflect::get(&object, &key.into()).unwrap_or(JsValue::UNDEFINED);
    let fields = get("fields");
    let fields = if fields.is_undefined() { js_sys::Object::new().into() } else { fields };
    (get("code"), fields)
}

fn plain(value: &impl Serialize) -> JsValue {
    let text = serde_json::to_string(value).unwrap_or_else(|_never| "{}".into());
    JSON::parse(&text).unwrap_or(JsValue::UNDEFINED)
}
