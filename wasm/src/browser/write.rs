//! Writes layers.

use js_sys::Uint8Array;
use shingle_core::Digest;
use shingle_core::writer::{Assembler, BatchEncoder, Format, Splitter, WriteError, WriteOptions, start};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::error::{ReasonParts, reason, thrown};
use super::policy::limits;
use super::record::{FromJs, get, record};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"/** How to write a layer. */
export interface WriteOptions {
  /** The form of the blob; `zstd-chunked` where it is left out. */
  format?: "zstd-chunked" | "zstd" | "gzip";
  /** How hard to compress; brought within what the format has. The format's default where it is left out. */
  level?: number;
  limits?: Partial<Limits>;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// How to write a layer.
    #[wasm_bindgen(typescript_type = "WriteOptions")]
    #[derive(Clone, Debug)]
    pub type Options;
}

record! {
    /// What is to be known about a blob that was written, and its last bytes.
    WrittenParts as WrittenLayer {
        /// The last bytes of the blob.
        last: Uint8Array = "last: Uint8Array",
        /// The digest of the tar.
        diff_id: Digest = "diffId: string",
        /// The tar's length.
        tar_len: u64 = "tarLen: number",
        /// The digest of the blob.
        blob: Digest = "blob: string",
        /// The blob's length.
        blob_len: u64 = "blobLen: number",
        /// What the layer's descriptor must say for the blob to be read by file.
        annotations: js_sys::Object = "annotations: Record<string, string>",
        /// The length of the TOC in the blob.
        toc_len: u64 = "tocLen: number",
        /// The length of the tar-split in the blob.
        tar_split_len: u64 = "tarSplitLen: number",
        /// Why the layer could not be chunked, and is plain zstd.
        plain: Option<ReasonParts> = "plain: Reason | undefined",
    }
}

/// Writes one layer: a tar goes in, a blob comes out, of which any file can be fetched alone.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Writer {
    splitter: Splitter,
    encoder: BatchEncoder,
    assembler: Assembler,
    failed: Option<WriteError>,
}

#[wasm_bindgen]
impl Writer {
    /// Starts before the first byte of the tar.
    #[wasm_bindgen(constructor)]
    pub fn new(options: Option<Options>) -> Result<Self, JsValue> {
        let options = write_options(options)?;
        let (splitter, assembler) = start(&options);
        Ok(Self { splitter, encoder: BatchEncoder::new(&options), assembler, failed: None })
    }

    /// Takes the next bytes of the tar, and returns the next bytes of the blob.
    pub fn receive(&mut self, tar: &[u8]) -> Result<Uint8Array, JsValue> {
        if let Some(error) = &self.failed {
            return Err(thrown(error.clone()));
        }
        self.splitter.receive(tar);
        let blob = self.drain().inspect_err(|error| self.failed = Some(error.clone())).map_err(thrown)?;
        Ok(blob.as_slice().into())
    }

    /// Ends the tar, and this object: returns the last bytes of the blob, and what is to be known about it.
    pub fn finish(mut self) -> Result<WrittenLayer, JsValue> {
        if let Some(error) = self.failed {
            return Err(thrown(error));
        }
        let mut blob = self.drain().map_err(thrown)?;
        let (batches, end) = self.splitter.finish().map_err(thrown)?;
        for batch in batches {
            blob.extend(self.assembler.accept(batch.compress(&mut self.encoder)).map_err(thrown)?);
        }
        let (last, written) = self.assembler.finish(end).map_err(thrown)?;
        blob.extend(last);
        let annotations = js_sys::Object::new();
        for (key, value) in &written.annotations {
            super::record::set(&annotations, key, value.as_str());
        }
        let parts = WrittenParts {
            last: blob.as_slice().into(),
            diff_id: written.diff_id,
            tar_len: written.tar_len,
            blob: written.blob,
            blob_len: written.blob_len,
            annotations,
            toc_len: written.toc_len,
            tar_split_len: written.tar_split_len,
            plain: written.plain.as_ref().map(reason),
        };
        Ok(parts.object())
    }

    fn drain(&mut self) -> Result<Vec<u8>, WriteError> {
        let mut blob = Vec::new();
        while let Some(batch) = self.splitter.next_batch() {
            blob.extend(self.assembler.accept(batch.compress(&mut self.encoder))?);
        }
        Ok(blob)
    }
}

fn write_options(said: Option<Options>) -> Result<WriteOptions, JsValue> {
    let Some(said) = said.map(JsValue::from).filter(|said| !said.is_undefined()) else {
        return Ok(WriteOptions::default());
    };
    let format = get::<FormatWord>(&said, "options", "format")?.map_or_else(Format::default, |word| word.0);
    let mut options = WriteOptions::new(format);
    if let Some(level) = get(&said, "options", "level")? {
        options.level = level;
    }
    if let Some(said) = get::<JsValue>(&said, "options", "limits")? {
        options.limits = limits(Some(wasm_bindgen::JsCast::unchecked_into(said)))?;
    }
    Ok(options)
}

struct FormatWord(Format);

impl FromJs for FormatWord {
    const KIND: &'static str = "\"zstd-chunked\", \"zstd\" or \"gzip\"";

    fn from_js(value: &JsValue) -> Option<Self> {
        match value.as_string().as_deref() {
            Some("gzip") => Some(Self(Format::Gzip)),
            Some("zstd") => Some(Self(Format::Zstd)),
            Some("zstd-chunked") => Some(Self(Format::ZstdChunked)),
            _ => None,
        }
    }
}

super::record::handle!(js_sys::Object);
