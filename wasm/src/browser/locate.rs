//! Where a layer's TOC lies, and its bytes.

use shingle_core::{Followed, LayerSaid, Look};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::basis::{Basis, Opened};
use super::error::{Reason, reason, thrown, thrown_open};
use super::policy::{ByteRange, Layer, PolicyChanges, RangeParts, layer, policy};
use super::record::{FromJs as _, handle, variant, whole};

variant! {
    /// Where to begin with a layer.
    Looked {
        /// The annotations say where its TOC lies.
        toc(TocFetch) = "toc": "TocFetch",
        /// The end of the blob does.
        tail(TailFetch) = "tail": "TailFetch",
        /// It has none that is of use: it is read whole.
        read_whole(Reason) = "whole": "Reason",
    }
}

variant! {
    /// Where a footer says that the TOC lies.
    TailFound {
        /// In the same blob; perhaps all of it has come already.
        here(TocFetch) = "here": "TocFetch",
        /// In the image whose tag ends in `-esgztoc`, in the layer whose annotation
        /// `containerd.io/snapshot/stargz/layer.digest` names this layer's blob.
        elsewhere(ExternalToc) = "elsewhere": "ExternalToc",
        /// Nowhere: the layer is read whole.
        read_whole(Reason) = "whole": "Reason",
    }
}

/// Decides where to begin with a layer. Pure.
#[wasm_bindgen]
pub fn look(
    #[wasm_bindgen(js_name = layer)] said: &Layer,
    policy_: Option<PolicyChanges>,
) -> Result<Looked, JsValue> {
    let (said, policy) = (layer(said)?, policy(policy_)?);
    let (media_type, annotations) = (&said.media_type, &said.annotations);
    Ok(match Look::new(&LayerSaid { media_type, size: said.size, annotations }, &policy) {
        Look::Tail(fetch) => Looked::tail(TailFetch { fetch, policy }),
        Look::Toc(fetch) => Looked::toc(TocFetch { fetch, policy }),
        Look::Whole(why) => Looked::read_whole(reason(&why).object()),
    })
}

/// Takes the last bytes of a blob, in which a footer says where the TOC lies.
#[wasm_bindgen]
#[derive(Debug)]
pub struct TailFetch {
    fetch: shingle_core::TailFetch,
    policy: shingle_core::Policy,
}

#[wasm_bindgen]
impl TailFetch {
    /// The bytes of the blob that are still owed; empty when all came.
    #[must_use]
    pub fn remaining(&self) -> ByteRange {
        RangeParts::from(self.fetch.remaining()).object()
    }

    /// Takes the next bytes; what is not owed is ignored.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.fetch.receive(bytes);
    }

    /// Reads the footer. Ends this object.
    #[must_use]
    pub fn finish(self) -> TailFound {
        let policy = self.policy;
        match Followed::from(self.fetch.finish()) {
            Followed::External(toc) => TailFound::elsewhere(ExternalToc { toc, policy }),
            Followed::Toc(fetch) => TailFound::here(TocFetch { fetch, policy }),
            Followed::Whole(why) => TailFound::read_whole(reason(&why).object()),
        }
    }
}

/// A TOC that is a blob of another image.
#[wasm_bindgen]
#[derive(Debug)]
pub struct ExternalToc {
    toc: shingle_core::ExternalToc,
    policy: shingle_core::Policy,
}

#[wasm_bindgen]
impl ExternalToc {
    /// Starts fetching all of that blob, whose length the other image's manifest says. Ends this object.
    pub fn fetch(self, #[wasm_bindgen(js_name = tocBlobLen)] toc_blob_len: f64) -> Result<TocFetch, JsValue> {
        let len = whole(toc_blob_len);
        let len = len.ok_or_else(|| super::error::misuse(&format!("tocBlobLen must be {}", u64::KIND)))?;
        let fetch = self.toc.fetch(len).map_err(thrown)?;
        Ok(TocFetch { fetch, policy: self.policy })
    }
}

/// Takes the bytes of TOC and tar-split and proves them.
#[wasm_bindgen]
#[derive(Debug)]
pub struct TocFetch {
    fetch: shingle_core::TocFetch,
    policy: shingle_core::Policy,
}

#[wasm_bindgen]
impl TocFetch {
    /// The bytes of the blob that are still owed; empty when all came.
    #[must_use]
    pub fn remaining(&self) -> ByteRange {
        RangeParts::from(self.fetch.remaining()).object()
    }

    /// Takes the next bytes; what is not owed is ignored.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.fetch.receive(bytes);
    }

    /// Checks digests and entries, and settles what the layer can be proven by. What it throws means that somebody lies:
    /// the layer must not be pulled at all. Ends this object.
    pub fn finish(self) -> Result<Opened, JsValue> {
        Ok(match self.fetch.open(&self.policy).map_err(thrown_open)? {
            shingle_core::Opened::Found(basis) => Opened::found(Basis::from(basis)),
            shingle_core::Opened::Whole(why) => Opened::read_whole(reason(&why).object()),
        })
    }
}

handle!(ExternalToc, TailFetch, TocFetch, Reason);
