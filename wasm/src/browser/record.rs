//! Plain JavaScript objects with their TypeScript types, each said once.
//!
//! wasm-bindgen makes classes of Rust structs: handles, to be freed. What WIT calls a record should be a plain object
//! instead, and a variant one with a `tag` and a `val`, as they are where the component is run by jco. These macros write
//! the interface and what makes the object from the same lines.

use js_sys::{Array, BigInt, Object, Reflect, Uint8Array};
use shingle_core::{Class, Digest};
use wasm_bindgen::JsValue;

use super::error::misuse;

/// The largest whole number that a JavaScript number holds exactly.
pub(super) const MAX_SAFE: u64 = (1 << 53) - 1;

/// Becomes a property, or an element of an array.
pub(super) trait ToJs {
    fn to_js(self) -> JsValue;
}

/// Is read from a property; `None` if the value is of another kind.
pub(super) trait FromJs: Sized {
    /// What was expected, for the error.
    const KIND: &'static str;

    fn from_js(value: &JsValue) -> Option<Self>;
}

/// Makes the interface of a record and the struct that becomes it. A line is `field: Type = "key: type"`.
macro_rules! record {
    ($(#[doc = $doc:literal])+ $name:ident as $js:ident {
        $($(#[doc = $about:literal])+ $field:ident: $ty:ty = $line:literal,)+
    }) => {
        #[wasm_bindgen::prelude::wasm_bindgen]
        extern "C" {
            $(#[doc = $doc])+
            #[wasm_bindgen(typescript_type = $js)]
            #[derive(Clone, Debug)]
            pub type $js;
        }

        #[allow(missing_docs, reason = "those of the interface")]
        pub(super) struct $name {
            $(pub(super) $field: $ty,)+
        }

        const _: () = {
            #[wasm_bindgen::prelude::wasm_bindgen(typescript_custom_section)]
            const INTERFACE: &'static str = concat!(
                "/**\n", $(" *", $doc, "\n",)+ " */\n", "export interface ", stringify!($js), " {\n",
                $("  /**", $(" ", $about,)+ " */\n  ", $line, ";\n",)+
                "}\n"
            );
        };

        impl $name {
            pub(super) fn object(self) -> $js {
                let object = js_sys::Object::new();
                $($crate::browser::record::set(&object, $crate::browser::record::key($line), self.$field);)+
                wasm_bindgen::JsCast::unchecked_into(object)
            }
        }

        impl $crate::browser::record::ToJs for $name {
            fn to_js(self) -> wasm_bindgen::JsValue {
                self.object().into()
            }
        }
    };
}

/// Makes the type of a variant: objects with a `tag`, and a `val` where the tag has one.
macro_rules! variant {
    ($(#[doc = $doc:literal])+ $js:ident {
        $($(#[doc = $about:literal])+ $case:ident($ty:ty) = $tag:literal: $val:literal,)+
    }) => {
        #[wasm_bindgen::prelude::wasm_bindgen]
        extern "C" {
            $(#[doc = $doc])+
            #[wasm_bindgen(typescript_type = $js)]
            #[derive(Clone, Debug)]
            pub type $js;
        }

        const _: () = {
            #[wasm_bindgen::prelude::wasm_bindgen(typescript_custom_section)]
            const UNION: &'static str = concat!(
                "/**\n", $(" *", $doc, "\n",)+ " */\n", "export type ", stringify!($js), " =",
                $("\n  /**", $(" ", $about,)+ " */\n  | { tag: \"", $tag, "\"; val: ", $val, " }",)+
                ";\n"
            );
        };

        impl $js {
            $(pub(super) fn $case(val: $ty) -> Self {
                let object = js_sys::Object::new();
                $crate::browser::record::set(&object, "tag", $tag);
                $crate::browser::record::set(&object, "val", val);
                wasm_bindgen::JsCast::unchecked_into(object)
            })+
        }

        impl $crate::browser::record::ToJs for $js {
            fn to_js(self) -> wasm_bindgen::JsValue {
                self.into()
            }
        }
    };
}

/// Lets a class be a property.
macro_rules! handle {
    ($($class:ty),+ $(,)?) => {
        $(impl $crate::browser::record::ToJs for $class {
            fn to_js(self) -> wasm_bindgen::JsValue {
                self.into()
            }
        })+
    };
}

pub(super) use {handle, record, variant};

/// The key in `key: type` or `key?: type`.
pub(super) fn key(line: &str) -> &str {
    line.split([':', '?']).next().unwrap_or(line)
}

pub(super) fn set(object: &Object, key: &str, value: impl ToJs) {
    put(object, key, &value.to_js());
}

/// Called for every field of every record, so it is there once.
#[inline(never)]
fn put(object: &Object, key: &str, value: &JsValue) {
    // Fails for a frozen object or a proxy, and this one is ours.
    let _set = Reflect::set(object, &JsValue::from_str(key), value);
}

/// Reads one property.
///
/// # Errors
/// `object` is none, or the property is of another kind. `None` is one that is missing.
pub(super) fn get<T: FromJs>(object: &JsValue, what: &str, key: &str) -> Result<Option<T>, JsValue> {
    if !object.is_object() {
        return Err(misuse(&format!("{what} must be an object")));
    }
    let value = Reflect::get(object, &JsValue::from_str(key))?;
    if value.is_undefined() {
        return Ok(None);
    }
    let read = T::from_js(&value).ok_or_else(|| misuse(&format!("{what}.{key} must be {}", T::KIND)))?;
    Ok(Some(read))
}

/// Reads a property that must be there.
pub(super) fn need<T: FromJs>(object: &JsValue, what: &str, key: &str) -> Result<T, JsValue> {
    get(object, what, key)?.ok_or_else(|| misuse(&format!("{what}.{key} must be {}", T::KIND)))
}

/// Makes an array of what becomes elements.
pub(super) fn array<T: ToJs>(items: impl IntoIterator<Item = T>) -> Array {
    items.into_iter().map(ToJs::to_js).collect()
}

/// Returns the nearest number. Lengths and offsets are exact: the limits keep them below 2^53.
#[expect(clippy::as_conversions, reason = "rounds to the nearest, as is wanted")]
pub(super) const fn number(value: u64) -> f64 {
    value as f64
}

/// Reads a whole number that a caller gives by itself.
pub(super) fn count(value: f64, what: &str) -> Result<u64, JsValue> {
    whole(value).ok_or_else(|| misuse(&format!("{what} must be {}", u64::KIND)))
}

/// Returns a whole number from 0 to 2^53 - 1, or `None`.
#[expect(clippy::as_conversions, reason = "a whole number in this range converts exactly")]
pub(super) fn whole(value: f64) -> Option<u64> {
    (value >= 0.0 && value <= number(MAX_SAFE) && value.fract() == 0.0).then_some(value as u64)
}

impl ToJs for JsValue {
    fn to_js(self) -> JsValue {
        self
    }
}

impl ToJs for &str {
    fn to_js(self) -> JsValue {
        JsValue::from_str(self)
    }
}

impl ToJs for String {
    fn to_js(self) -> JsValue {
        JsValue::from_str(&self)
    }
}

impl ToJs for bool {
    fn to_js(self) -> JsValue {
        JsValue::from_bool(self)
    }
}

impl ToJs for u32 {
    fn to_js(self) -> JsValue {
        JsValue::from_f64(f64::from(self))
    }
}

impl ToJs for f64 {
    fn to_js(self) -> JsValue {
        JsValue::from_f64(self)
    }
}

impl ToJs for u64 {
    fn to_js(self) -> JsValue {
        JsValue::from_f64(number(self))
    }
}

impl ToJs for usize {
    fn to_js(self) -> JsValue {
        u64::try_from(self).unwrap_or(u64::MAX).to_js()
    }
}

impl ToJs for i64 {
    #[expect(clippy::as_conversions, reason = "rounds to the nearest, as is wanted")]
    fn to_js(self) -> JsValue {
        JsValue::from_f64(self as f64)
    }
}

/// Bytes, copied out of wasm's memory.
impl ToJs for &[u8] {
    fn to_js(self) -> JsValue {
        Uint8Array::from(self).into()
    }
}

impl ToJs for &Digest {
    fn to_js(self) -> JsValue {
        JsValue::from_str(&self.to_string())
    }
}

impl ToJs for Digest {
    fn to_js(self) -> JsValue {
        (&self).to_js()
    }
}

impl ToJs for Class {
    fn to_js(self) -> JsValue {
        JsValue::from_str(&self.to_string())
    }
}

impl ToJs for Array {
    fn to_js(self) -> JsValue {
        self.into()
    }
}

impl<T: ToJs> ToJs for Option<T> {
    fn to_js(self) -> JsValue {
        self.map_or(JsValue::UNDEFINED, ToJs::to_js)
    }
}

impl FromJs for u64 {
    const KIND: &'static str = "a whole number from 0 to 2^53 - 1";

    fn from_js(value: &JsValue) -> Option<Self> {
        if let Some(number) = value.as_f64() {
            return whole(number);
        }
        // A bigint is as good, if it is of this size.
        if !value.is_bigint() {
            return None;
        }
        let text = BigInt::new(value).ok()?.to_string(10).ok()?;
        String::from(text).parse().ok().filter(|value| *value <= MAX_SAFE)
    }
}

impl FromJs for u32 {
    const KIND: &'static str = "a whole number from 0 to 4294967295";

    fn from_js(value: &JsValue) -> Option<Self> {
        Self::try_from(u64::from_js(value)?).ok()
    }
}

impl FromJs for usize {
    const KIND: &'static str = u32::KIND;

    fn from_js(value: &JsValue) -> Option<Self> {
        Self::try_from(u32::from_js(value)?).ok()
    }
}

impl FromJs for i32 {
    const KIND: &'static str = "a whole number";

    #[expect(clippy::as_conversions, reason = "a whole number in this range converts exactly")]
    fn from_js(value: &JsValue) -> Option<Self> {
        let number = value.as_f64()?;
        let fits = number >= f64::from(Self::MIN) && number <= f64::from(Self::MAX) && number.fract() == 0.0;
        fits.then_some(number as Self)
    }
}

impl FromJs for String {
    const KIND: &'static str = "a string";

    fn from_js(value: &JsValue) -> Option<Self> {
        value.as_string()
    }
}

impl FromJs for JsValue {
    const KIND: &'static str = "an object";

    fn from_js(value: &JsValue) -> Option<Self> {
        value.is_object().then(|| value.clone())
    }
}
