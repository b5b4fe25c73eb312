//! The bytes of a plan's requests, and the receipts for them.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::error::{thrown, thrown_unfinished};
use super::policy::{ByteRange, RangeParts};
use super::record::{handle, record};

record! {
    /// Bytes that belong in a file.
    LentParts as Lent {
        /// The index of the file's entry.
        file: usize = "file: number",
        /// Where they go in it.
        offset: u64 = "offset: number",
        /// The bytes, a copy of their own.
        bytes: js_sys::Uint8Array = "bytes: Uint8Array",
        /// Whether they end a chunk.
        ends_chunk: bool = "endsChunk: boolean",
    }
}

/// Takes the bytes of one range, in order, however they are cut.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Fetch(shingle_core::Fetch);

#[wasm_bindgen]
impl Fetch {
    /// The range of the blob that is still owed; empty once every chunk is decoded. This is all of resume.
    #[must_use]
    pub fn remaining(&self) -> ByteRange {
        RangeParts::from(self.0.remaining()).object()
    }

    /// Takes the next bytes, and returns the chunks that they complete, each proven; longer ones than `limits.heldChunk`
    /// come in pieces and are proven by `finish`. All bytes are taken.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Vec<Lent>, JsValue> {
        let mut lent = Vec::new();
        let mut chunks = self.0.receive(bytes);
        while let Some(chunk) = chunks.next_chunk().map_err(thrown)? {
            let shingle_core::Lent { file, offset, bytes, ends_chunk, .. } = chunk;
            lent.push(LentParts { file: file.index(), offset, bytes: bytes.into(), ends_chunk }.object());
        }
        Ok(lent)
    }

    /// Ends the fetch, and this object.
    pub fn finish(self) -> Result<Receipt, JsValue> {
        self.0.finish().map(Receipt).map_err(thrown)
    }
}

impl From<shingle_core::Fetch> for Fetch {
    fn from(fetch: shingle_core::Fetch) -> Self {
        Self(fetch)
    }
}

/// Proof that every chunk of one request was decoded and had its digest.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Receipt(shingle_core::Receipt);

/// Waits for the receipts of one plan.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Ledger(shingle_core::Ledger);

#[wasm_bindgen]
impl Ledger {
    /// Takes a receipt, and ends it; one from another plan counts for nothing.
    pub fn credit(&mut self, receipt: Receipt) {
        self.0.credit(receipt.0);
    }

    /// Ends the waiting, and this object.
    pub fn close(self) -> Result<Complete, JsValue> {
        self.0.close().map(Complete).map_err(thrown_unfinished)
    }
}

impl From<shingle_core::Ledger> for Ledger {
    fn from(ledger: shingle_core::Ledger) -> Self {
        Self(ledger)
    }
}

/// Proof that every request of a plan was fetched.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Complete(shingle_core::Complete);

impl Complete {
    pub(super) fn into_inner(self) -> shingle_core::Complete {
        self.0
    }
}

handle!(Ledger, js_sys::Uint8Array);
