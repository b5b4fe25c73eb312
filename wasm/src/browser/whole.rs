//! A layer read front to back.

use js_sys::Uint8Array;
use shingle_core::{Digest, Unwrap, UnwrapError, WholeError};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::basis::VerifiedLayer;
use super::error::{digest, thrown};
use super::policy::{LimitChanges, limits};
use super::record::{record, variant};

variant! {
    /// What a step of `WholeFetch` brings.
    WholePiece {
        /// A file with content begins.
        begin(BegunParts) = "begin": "WholeBegun",
        /// Bytes of the file that began last; what is skipped between two is a hole.
        data(DataParts) = "data": "WholeData",
        /// The file that began last is complete.
        end(EndedParts) = "end": "WholeEnded",
    }
}

record! {
    /// A file with content begins.
    BegunParts as WholeBegun {
        /// The index of its entry.
        file: usize = "file: number",
        /// Its length, holes included.
        size: u64 = "size: number",
    }
}

record! {
    /// Bytes of the file that began last.
    DataParts as WholeData {
        /// Where they belong.
        offset: u64 = "offset: number",
        /// The bytes, a copy of their own.
        bytes: Uint8Array = "bytes: Uint8Array",
    }
}

record! {
    /// The file that began last is complete.
    EndedParts as WholeEnded {
        /// The index of its entry.
        file: usize = "file: number",
        /// The digest of its content.
        digest: Digest = "digest: string",
    }
}

record! {
    /// A layer that was read whole, with what was made of it.
    LayerParts as WholeLayer {
        /// The digest of the blob.
        blob: Digest = "blob: string",
        /// The proof.
        verified: VerifiedLayer = "verified: VerifiedLayer",
        /// The tar without its contents, compressed; none for sparse files.
        tar_split: Option<Uint8Array> = "tarSplit: Uint8Array | undefined",
        /// Zeros at the tar's end that its writer left out of the blob.
        padding: u64 = "padding: number",
    }
}

/// Reads a layer front to back, whatever it is compressed with: the way of layers without a usable TOC. Its TOC is made on
/// the way, so it is a donor and can be compared like every other.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WholeFetch {
    unwrap: Unwrap,
    tar: shingle_core::WholeFetch,
    failed: Option<Failed>,
}

#[derive(Clone, Debug)]
enum Failed {
    Tar(WholeError),
    Unwrap(UnwrapError),
}

#[wasm_bindgen]
impl WholeFetch {
    /// Starts before the first byte of the blob. With `chunks`, files are cut into chunks too, so that later layers can take
    /// parts of them.
    #[wasm_bindgen(constructor)]
    pub fn new(
        chunks: bool,
        #[wasm_bindgen(js_name = limits)] said: Option<LimitChanges>,
    ) -> Result<Self, JsValue> {
        let limits = limits(said)?;
        let start =
            if chunks { shingle_core::WholeFetch::with_chunks } else { shingle_core::WholeFetch::new };
        Ok(Self { unwrap: Unwrap::new(&limits), tar: start(&limits), failed: None })
    }

    /// Takes the next bytes of the blob, and returns what they hold.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Vec<WholePiece>, JsValue> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone().thrown());
        }
        let mut pieces = Vec::new();
        let taken = self.step(bytes, |piece| pieces.push(object(piece)));
        taken.map(|()| pieces).map_err(|failed| {
            self.failed = Some(failed.clone());
            failed.thrown()
        })
    }

    /// Takes the next bytes of the blob like `receive`, where nobody wants what they hold: for the TOC alone.
    pub fn index(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone().thrown());
        }
        self.step(bytes, |_| {}).map_err(|failed| {
            self.failed = Some(failed.clone());
            failed.thrown()
        })
    }

    /// Compares blob and tar with the digests that manifest and config name. Ends this object.
    pub fn finish(
        self,
        blob: &str,
        #[wasm_bindgen(js_name = diffId)] diff_id: &str,
    ) -> Result<WholeLayer, JsValue> {
        let (blob, diff_id) = (digest(blob)?, digest(diff_id)?);
        self.end(blob, diff_id)
    }

    /// Ends a blob that nobody named, and this object: its own digests are what the layer is known by.
    #[wasm_bindgen(js_name = finishUnnamed)]
    pub fn finish_unnamed(self) -> Result<WholeLayer, JsValue> {
        let (blob, diff_id) = (self.unwrap.digest(), self.tar.diff_id());
        self.end(blob, diff_id)
    }

    fn end(self, blob: Digest, diff_id: Digest) -> Result<WholeLayer, JsValue> {
        if let Some(failed) = self.failed {
            return Err(failed.thrown());
        }
        let whole = self.unwrap.finish(&blob).map_err(thrown)?;
        let shingle_core::WholeLayer { verified, tar_split, padding, .. } =
            self.tar.finish(whole, &diff_id).map_err(thrown)?;
        let tar_split = tar_split.map(|split| Uint8Array::from(split.as_bytes()));
        Ok(LayerParts { blob, verified: verified.into(), tar_split, padding }.object())
    }

    fn step(
        &mut self,
        bytes: &[u8],
        mut take: impl FnMut(shingle_core::WholePiece<'_>),
    ) -> Result<(), Failed> {
        let mut plain = self.unwrap.receive(bytes);
        while let Some(tar) = plain.next_piece().map_err(Failed::Unwrap)? {
            let mut steps = self.tar.receive(tar);
            while let Some(piece) = steps.next_piece().map_err(Failed::Tar)? {
                take(piece);
            }
        }
        Ok(())
    }
}

fn object(piece: shingle_core::WholePiece<'_>) -> WholePiece {
    match piece {
        shingle_core::WholePiece::Begin { file, size } => {
            WholePiece::begin(BegunParts { file: file.index(), size })
        }
        shingle_core::WholePiece::Data { offset, bytes } => {
            WholePiece::data(DataParts { offset, bytes: bytes.into() })
        }
        shingle_core::WholePiece::End { file, digest } => {
            WholePiece::end(EndedParts { file: file.index(), digest })
        }
    }
}

impl Failed {
    fn thrown(self) -> JsValue {
        match self {
            Self::Tar(error) => thrown(error),
            Self::Unwrap(error) => thrown(error),
        }
    }
}
