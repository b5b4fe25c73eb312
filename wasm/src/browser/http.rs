//! What a registry's answers mean.

use shingle_core::http::{RangeHeader, Refusal, Reply, Verdict};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::error::{misuse, reason};
use super::policy::{ByteRange, RangeParts, range};
use super::record::{FromJs, get, handle, need, record, set, whole};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"/** The parts of an answer that decide what its body is; headers as they came. */
export interface HttpReply {
  status: number;
  contentRange?: string | null;
  contentLength?: number | string | null;
  contentType?: string | null;
  /** Left out where the body handed on is already decoded, as by `fetch`. */
  contentEncoding?: string | null;
}
/** What the body holds: these bytes of the blob, which hold the first byte asked for, but may begin before it and end
 * elsewhere; or the whole blob from its first byte, to be streamed and cut, never asked for again; or nothing of use. */
export type HttpVerdict =
  | { tag: "part"; val: ByteRange }
  | { tag: "refused"; val: HttpRefused }
  | { tag: "whole" };
"#;

#[wasm_bindgen]
extern "C" {
    /// The parts of an answer that decide what its body is.
    #[wasm_bindgen(typescript_type = "HttpReply")]
    #[derive(Clone, Debug)]
    pub type HttpReply;
    /// What the body holds.
    #[wasm_bindgen(typescript_type = "HttpVerdict")]
    #[derive(Clone, Debug)]
    pub type HttpVerdict;
}

record! {
    /// Why an answer has no usable body.
    RefusedParts as HttpRefused {
        /// Which reason, such as `ranges-unsupported`.
        code: JsValue = "code: string",
        /// In words.
        message: String = "message: string",
        /// What the message is made of.
        fields: JsValue = "fields: Record<string, unknown>",
        /// Whether asking for the whole blob may work.
        leaves_whole: bool = "leavesWhole: boolean",
    }
}

/// The value of the `Range` header that asks for a range.
#[wasm_bindgen(js_name = rangeHeader)]
pub fn range_header(#[wasm_bindgen(js_name = range)] asked: &ByteRange) -> Result<String, JsValue> {
    Ok(RangeHeader(range(asked, "range")?).to_string())
}

/// Decides what the body is, given the one range that was asked for and the blob's length where it is known.
#[wasm_bindgen]
pub fn accept(reply: &HttpReply, asked: &ByteRange, size: Option<f64>) -> Result<HttpVerdict, JsValue> {
    let (reply, asked) = (Heard::read(reply)?, range(asked, "asked")?);
    Ok(verdict(shingle_core::http::accept(&reply.reply(), &asked, length(size)?)))
}

/// Decides what the body is, where no range was asked for.
#[wasm_bindgen(js_name = acceptWhole)]
pub fn accept_whole(reply: &HttpReply, size: Option<f64>) -> Result<HttpVerdict, JsValue> {
    let reply = Heard::read(reply)?;
    Ok(verdict(shingle_core::http::accept_whole(&reply.reply(), length(size)?)))
}

/// An answer's headers, owned.
struct Heard {
    status: u16,
    content_range: Option<String>,
    content_length: Option<u64>,
    content_type: Option<String>,
    content_encoding: Option<String>,
}

impl Heard {
    fn read(reply: &JsValue) -> Result<Self, JsValue> {
        let text =
            |key| Ok::<_, JsValue>(get::<Nullable<String>>(reply, "reply", key)?.and_then(|text| text.0));
        let status: u32 = need(reply, "reply", "status")?;
        let length = get::<Nullable<HeaderNumber>>(reply, "reply", "contentLength")?;
        Ok(Self {
            status: u16::try_from(status).map_err(|_large| misuse("reply.status must be an HTTP status"))?,
            content_range: text("contentRange")?,
            content_length: length.and_then(|length| length.0).and_then(|length| length.0),
            content_type: text("contentType")?,
            content_encoding: text("contentEncoding")?,
        })
    }

    fn reply(&self) -> Reply<'_> {
        Reply {
            status: self.status,
            content_range: self.content_range.as_deref(),
            content_length: self.content_length,
            content_type: self.content_type.as_deref(),
            content_encoding: self.content_encoding.as_deref(),
        }
    }
}

/// What `Headers.get` returns: perhaps null.
struct Nullable<T>(Option<T>);

impl<T: FromJs> FromJs for Nullable<T> {
    const KIND: &'static str = T::KIND;

    fn from_js(value: &JsValue) -> Option<Self> {
        if value.is_null() { Some(Self(None)) } else { T::from_js(value).map(|read| Self(Some(read))) }
    }
}

/// A number, or the text of a header. A text that is no number is a header that says nothing.
struct HeaderNumber(Option<u64>);

impl FromJs for HeaderNumber {
    const KIND: &'static str = "a whole number or a header";

    fn from_js(value: &JsValue) -> Option<Self> {
        match value.as_string() {
            Some(text) => Some(Self(text.trim().parse().ok())),
            None => u64::from_js(value).map(|number| Self(Some(number))),
        }
    }
}

fn length(size: Option<f64>) -> Result<Option<u64>, JsValue> {
    let bad = || misuse(&format!("size must be {}", u64::KIND));
    size.map(|size| whole(size).ok_or_else(bad)).transpose()
}

fn verdict(verdict: Verdict) -> HttpVerdict {
    let object = js_sys::Object::new();
    let tag = match verdict {
        Verdict::Part { sent } => {
            set(&object, "val", RangeParts::from(sent));
            "part"
        }
        Verdict::Refused(refusal) => {
            set(&object, "val", refused(&refusal));
            "refused"
        }
        Verdict::Whole => "whole",
    };
    set(&object, "tag", tag);
    wasm_bindgen::JsCast::unchecked_into(object)
}

fn refused(refusal: &Refusal) -> RefusedParts {
    let said = reason(refusal);
    let leaves_whole = refusal.leaves_whole();
    RefusedParts { code: said.code, message: said.message, fields: said.fields, leaves_whole }
}

handle!(HttpVerdict);
