//! What the caller says: policies, limits, layers, ranges.

use std::collections::BTreeMap;
use std::ops::Range;

use js_sys::Object;
use shingle_core::Trust;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};

use super::error::misuse;
use super::record::{FromJs, MAX_SAFE, ToJs, get, need, record};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"/** A rung of the trust ladder. `toc`: the manifest vouches for the TOC, and every file is what the TOC says. `diff-id`: the
 * tar is rebuilt and has the DiffID that the image names. */
export type Trust = "toc" | "diff-id";
/** A policy of which parts are left out; those are `defaultPolicy`'s. */
export type PolicyChanges = { [K in keyof Policy]?: K extends "cost" | "limits" ? Partial<Policy[K]> : Policy[K] };
/** What a manifest says about a layer. */
export interface Layer {
  mediaType: string;
  /** The length of its blob in bytes. */
  size: number;
  annotations?: Record<string, string>;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// What a manifest says about a layer.
    #[wasm_bindgen(typescript_type = "Layer")]
    #[derive(Clone, Debug)]
    pub type Layer;
    /// A policy of which parts are left out.
    #[wasm_bindgen(typescript_type = "PolicyChanges")]
    #[derive(Clone, Debug)]
    pub type PolicyChanges;
    /// Limits of which parts are left out.
    #[wasm_bindgen(typescript_type = "Partial<Limits>")]
    #[derive(Clone, Debug)]
    pub type LimitChanges;
    /// A rung of the trust ladder.
    #[wasm_bindgen(typescript_type = "Trust")]
    #[derive(Clone, Debug)]
    pub type TrustWord;
}

record! {
    /// Bytes of a blob, from `start` up to but not including `end`.
    RangeParts as ByteRange {
        /// The first byte.
        start: u64 = "start: number",
        /// The byte after the last.
        end: u64 = "end: number",
    }
}

record! {
    /// What a request costs.
    CostParts as Cost {
        /// From a request to its first byte, in microseconds.
        round_trip_us: u64 = "roundTripUs: number",
        /// What the link carries.
        bytes_per_second: u64 = "bytesPerSecond: number",
        /// How many requests run at once and so share a round trip.
        in_flight: u32 = "inFlight: number",
    }
}

record! {
    /// What the user, and the link to the registry, make of a decision.
    PolicyParts as Policy {
        /// What a request costs.
        cost: CostParts = "cost: Cost",
        /// A request for adjacent chunks is cut once it is this long, in bytes.
        request_len: u64 = "requestLen: number",
        /// How far a layer must be proven.
        trust: TrustWord = "trust: Trust",
        /// How much a blob may claim.
        limits: LimitsParts = "limits: Limits",
    }
}

/// Writes and reads the limits, of which there are many.
macro_rules! limits {
    ($($(#[doc = $about:literal])+ $field:ident: $ty:ty = $line:literal,)+) => {
        record! {
            /// How much a blob may claim before it is refused; bytes, where nothing else is said.
            LimitsParts as Limits {
                $($(#[doc = $about])+ $field: $ty = $line,)+
            }
        }

        impl From<shingle_core::Limits> for LimitsParts {
            fn from(limits: shingle_core::Limits) -> Self {
                Self { $($field: limits.$field,)+ }
            }
        }

        fn changed(limits: &mut shingle_core::Limits, said: &JsValue, what: &str) -> Result<(), JsValue> {
            $(if let Some(value) = get(said, what, super::record::key($line))? {
                limits.$field = value;
            })+
            Ok(())
        }
    };
}

limits! {
    /// The TOC as it lies in the blob.
    toc_compressed: u64 = "tocCompressed: number",
    /// The TOC's text.
    toc: u64 = "toc: number",
    /// The tar-split as it lies in the blob.
    tar_split_compressed: u64 = "tarSplitCompressed: number",
    /// The tar-split's text.
    tar_split: u64 = "tarSplit: number",
    /// Entries in one layer; a count.
    entries: usize = "entries: number",
    /// One member's tar metadata.
    tar_metadata: usize = "tarMetadata: number",
    /// The tar metadata of all members.
    tar_metadata_total: u64 = "tarMetadataTotal: number",
    /// Fragments in one sparse file's map; a count.
    sparse_fragments: usize = "sparseFragments: number",
    /// A path's length.
    path: usize = "path: number",
    /// Nesting of directories; a count.
    depth: usize = "depth: number",
    /// One file's length; never over 2^53 - 1.
    file: u64 = "file: number",
    /// All files of one layer together; never over 2^53 - 1.
    content: u64 = "content: number",
    /// A chunk up to this long is held back until its digest matched.
    held_chunk: u64 = "heldChunk: number",
    /// The decoder's window as a power of two.
    window_log: u32 = "windowLog: number",
}

/// The policy of `shingle pull` without options, in a new object. Limits fit a host with gigabytes: one with less
/// lowers them.
#[wasm_bindgen(js_name = defaultPolicy)]
#[must_use]
pub fn default_policy() -> Policy {
    let shingle_core::Policy { cost, request_len, trust, limits, .. } = policy_default();
    let shingle_core::Cost { round_trip_us, bytes_per_second, in_flight } = cost;
    let cost = CostParts { round_trip_us, bytes_per_second, in_flight };
    PolicyParts { cost, request_len, trust: trust_word(trust), limits: limits.into() }.object()
}

/// Reads a policy, or what it changes of the default.
pub(super) fn policy(said: Option<PolicyChanges>) -> Result<shingle_core::Policy, JsValue> {
    let mut policy = policy_default();
    let Some(said) = said.map(JsValue::from).filter(|said| !said.is_undefined()) else { return Ok(policy) };
    if let Some(cost) = get::<JsValue>(&said, "policy", "cost")? {
        let default = policy.cost;
        policy.cost = shingle_core::Cost {
            round_trip_us: get(&cost, "policy.cost", "roundTripUs")?.unwrap_or(default.round_trip_us),
            bytes_per_second: get(&cost, "policy.cost", "bytesPerSecond")?
                .unwrap_or(default.bytes_per_second),
            in_flight: get(&cost, "policy.cost", "inFlight")?.unwrap_or(default.in_flight),
        };
    }
    if let Some(request_len) = get(&said, "policy", "requestLen")? {
        policy.request_len = request_len;
    }
    if let Some(trust) = get(&said, "policy", "trust")? {
        policy.trust = trust;
    }
    if let Some(limits) = get::<JsValue>(&said, "policy", "limits")? {
        changed(&mut policy.limits, &limits, "policy.limits")?;
        policy.limits = exact(policy.limits);
    }
    Ok(policy)
}

/// Reads limits, or what they change of the default.
pub(super) fn limits(said: Option<LimitChanges>) -> Result<shingle_core::Limits, JsValue> {
    let mut limits = shingle_core::Limits::default();
    if let Some(said) = said.map(JsValue::from).filter(|said| !said.is_undefined()) {
        changed(&mut limits, &said, "limits")?;
    }
    Ok(exact(limits))
}

/// What `look` is given, owned.
pub(super) struct Said {
    pub(super) media_type: String,
    pub(super) size: u64,
    pub(super) annotations: BTreeMap<String, String>,
}

/// Reads what a manifest says about a layer.
pub(super) fn layer(said: &JsValue) -> Result<Said, JsValue> {
    let mut annotations = BTreeMap::new();
    if let Some(object) = get::<JsValue>(said, "layer", "annotations")? {
        for key in Object::keys(object.unchecked_ref::<Object>()).iter() {
            let key = key.as_string().unwrap_or_default();
            let value = need(&object, "layer.annotations", &key)?;
            annotations.insert(key, value);
        }
    }
    Ok(Said {
        media_type: need(said, "layer", "mediaType")?,
        size: need(said, "layer", "size")?,
        annotations,
    })
}

/// Reads a range.
pub(super) fn range(said: &JsValue, what: &str) -> Result<Range<u64>, JsValue> {
    let range = need(said, what, "start")?..need(said, what, "end")?;
    if range.is_empty() {
        return Err(misuse(&format!("{what} must not be empty")));
    }
    Ok(range)
}

pub(super) fn trust_word(trust: Trust) -> TrustWord {
    JsValue::from_str(match trust {
        Trust::DiffId => "diff-id",
        Trust::Toc => "toc",
    })
    .unchecked_into()
}

/// Keeps lengths within what a JavaScript number holds exactly.
fn exact(mut limits: shingle_core::Limits) -> shingle_core::Limits {
    limits.file = limits.file.min(MAX_SAFE);
    limits.content = limits.content.min(MAX_SAFE);
    limits
}

fn policy_default() -> shingle_core::Policy {
    let mut policy = shingle_core::Policy::default();
    policy.limits = exact(policy.limits);
    policy
}

impl From<Range<u64>> for RangeParts {
    fn from(range: Range<u64>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

impl FromJs for Trust {
    const KIND: &'static str = "\"toc\" or \"diff-id\"";

    fn from_js(value: &JsValue) -> Option<Self> {
        match value.as_string().as_deref() {
            Some("diff-id") => Some(Self::DiffId),
            Some("toc") => Some(Self::Toc),
            _ => None,
        }
    }
}

impl ToJs for TrustWord {
    fn to_js(self) -> JsValue {
        self.into()
    }
}
