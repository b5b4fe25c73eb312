//! What images share.

mod columns;
mod figures;

use js_sys::{Array, Float64Array, Uint8Array, Uint32Array};
use shingle_core::overlap::{ImageId, Layer, Measure, NodeId, Pulled};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::error::{digest, misuse, thrown};
use super::forecast::{KnownHandle, all};
use super::policy::{LimitChanges, limits};
use super::record::{FromJs, array, get, need, number, record};
use super::shared::shared;
use super::toc::{Toc, kind};
use columns::{DiffColumns, columns};
use figures::{
    Duplicate, Holding, NodeDetails, OverlapDiff, OverlapSummary, PullOrder, SharedContent, bytes, content,
    details, diff, duplicate, holding, order, summary,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"/** One layer of an image. Nothing of the TOC is kept: it stays the caller's, and may be freed afterwards. */
export interface OverlapLayer {
  toc: Toc;
  blob?: string;
  diffId?: string;
  /** The length of its blob. */
  blobLen: number;
  /** How a pull takes it; `by-file` where it is left out. A TOC that does not say where each chunk lies is pulled whole. */
  pulled?: "by-file" | "whole";
}
"#;

#[wasm_bindgen]
extern "C" {
    /// One layer of an image.
    #[wasm_bindgen(typescript_type = "OverlapLayer")]
    #[derive(Clone, Debug)]
    pub type OverlapLayer;
    /// Which bytes a view sums.
    #[wasm_bindgen(typescript_type = "\"compressed\" | \"logical\"")]
    #[derive(Clone, Debug)]
    pub type MeasureWord;
}

record! {
    /// Row by row, one cell for each image: the bytes of the row's image that are in the column's, compressed as in the
    /// row's.
    MatrixParts as OverlapMatrix {
        /// By files.
        files: Array = "files: OverlapBytes[]",
        /// By chunks.
        chunks: Array = "chunks: OverlapBytes[]",
    }
}

record! {
    /// An image as flat arrays of one length, by path: directories before what they hold. Figures of a directory are sums
    /// over all that it holds; `shared + unique + partly + wasted` is all.
    ViewParts as OverlapView {
        /// The directory that holds it; the root's is the root.
        parents: Uint32Array = "parents: Uint32Array",
        /// The first path that is not below it.
        ends: Uint32Array = "ends: Uint32Array",
        /// All names, one after the other; bytes, not necessarily UTF-8.
        names: Uint8Array = "names: Uint8Array",
        /// Where each name ends in `names`; it begins where the one before ends.
        name_ends: Uint32Array = "nameEnds: Uint32Array",
        /// The index of each kind, as in `TocColumns`.
        kinds: Uint8Array = "kinds: Uint8Array",
        /// 1 where only lower layers have it.
        gone: Uint8Array = "gone: Uint8Array",
        /// Regular files with content, hidden ones too.
        files: Uint32Array = "files: Uint32Array",
        /// Bytes that another image has.
        shared: Float64Array = "shared: Float64Array",
        /// Bytes that no other image has.
        unique: Float64Array = "unique: Float64Array",
        /// Bytes of files of which other images have some chunks.
        partly: Float64Array = "partly: Float64Array",
        /// Of `partly`, bytes of those chunks.
        partly_shared: Float64Array = "partlyShared: Float64Array",
        /// Bytes that nobody sees.
        wasted: Float64Array = "wasted: Float64Array",
        /// Logical bytes that are in no array, because their compressed length is not known.
        unlocated: u64 = "unlocated: number",
    }
}

/// What images share, from their TOCs alone. Images are numbered from 0 as they are added; paths of an image from 0, the
/// root, in the order of a walk.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Overlap(shingle_core::overlap::Overlap);

#[wasm_bindgen]
impl Overlap {
    /// Knows no image.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an image, its layers lowest first, and returns its number. Where it throws nothing is added.
    #[wasm_bindgen(js_name = addImage)]
    pub fn add_image(
        &mut self,
        label: String,
        layers: Vec<OverlapLayer>,
        #[wasm_bindgen(js_name = limits)] said: Option<LimitChanges>,
    ) -> Result<usize, JsValue> {
        let limits = limits(said)?;
        let read: Vec<_> = layers.iter().map(|layer| Read::new(layer)).collect::<Result<_, _>>()?;
        let layers: Vec<_> = read
            .iter()
            .map(|Read { toc, blob, diff_id, blob_len, pulled }| Layer {
                toc: toc.inner(),
                blob: *blob,
                diff_id: *diff_id,
                blob_len: *blob_len,
                pulled: *pulled,
            })
            .collect();
        self.0.add_image(label, &layers, &limits).map(ImageId::index).map_err(thrown)
    }

    /// Adds an image of known layers, lowest first, and returns its number. Layers stay the caller's; where it throws
    /// nothing is added.
    #[wasm_bindgen(js_name = addKnown)]
    pub fn add_known(
        &mut self,
        label: String,
        layers: Vec<KnownHandle>,
        #[wasm_bindgen(js_name = limits)] said: Option<LimitChanges>,
    ) -> Result<usize, JsValue> {
        let (limits, layers) = (limits(said)?, all(&layers)?);
        let layers: Vec<_> = layers.iter().map(|layer| layer.inner().overlap_layer()).collect();
        self.0.add_image(label, &layers, &limits).map(ImageId::index).map_err(thrown)
    }

    /// How many images there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[wasm_bindgen(js_name = isEmpty)]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// What every image has and shares.
    #[must_use]
    pub fn summary(&self) -> OverlapSummary {
        summary(self.0.summary()).object()
    }

    /// Each image against each other one.
    #[must_use]
    pub fn matrix(&self) -> OverlapMatrix {
        let matrix = self.0.matrix();
        let cells = |rows: Vec<Vec<_>>| array(rows.into_iter().flatten().map(bytes));
        MatrixParts { files: cells(matrix.files), chunks: cells(matrix.chunks) }.object()
    }

    /// An image as flat arrays; none for no image of this overlap.
    pub fn view(&self, image: usize, measure: MeasureWord) -> Result<Option<OverlapView>, JsValue> {
        let measure = Measure::from_js(&measure)
            .ok_or_else(|| misuse(&format!("measure must be {}", Measure::KIND)))?;
        let view = self.0.image(image).and_then(|image| self.0.view(image, measure));
        Ok(view.map(|view| {
            let kinds: Vec<_> = view.kinds.into_iter().map(|of| kind(of).0).collect();
            let gone: Vec<_> = view.gone.into_iter().map(u8::from).collect();
            let parts = ViewParts {
                parents: view.parents.as_slice().into(),
                ends: view.ends.as_slice().into(),
                names: view.names.as_slice().into(),
                name_ends: view.name_ends.as_slice().into(),
                kinds: kinds.as_slice().into(),
                gone: gone.as_slice().into(),
                files: view.files.as_slice().into(),
                shared: numbers(&view.shared),
                unique: numbers(&view.unique),
                partly: numbers(&view.partly),
                partly_shared: numbers(&view.partly_shared),
                wasted: numbers(&view.wasted),
                unlocated: view.unlocated,
            };
            parts.object()
        }))
    }

    /// A whole path, without a slash before it.
    #[must_use]
    pub fn path(&self, image: usize, node: usize) -> Option<Uint8Array> {
        let (image, node) = self.at(image, node)?;
        self.0.path(image, node).map(|path| path.as_bytes().into())
    }

    /// The path with these bytes.
    #[must_use]
    pub fn find(&self, image: usize, path: &[u8]) -> Option<usize> {
        self.0.find(self.0.image(image)?, path).map(NodeId::index)
    }

    /// The paths that contain `needle`, at most `limit`, in order. ASCII letters are the same in either case.
    #[must_use]
    pub fn search(&self, image: usize, needle: &str, limit: usize) -> Uint32Array {
        let found = self.0.image(image).map(|image| self.0.search(image, needle.as_bytes(), limit));
        let nodes = found.unwrap_or_default().into_iter();
        nodes.filter_map(|node| u32::try_from(node.index()).ok()).collect::<Vec<_>>().as_slice().into()
    }

    /// All about a path.
    #[must_use]
    pub fn details(&self, image: usize, node: usize) -> Option<NodeDetails> {
        let (image, node) = self.at(image, node)?;
        self.0.details(image, node).map(|found| details(found).object())
    }

    /// From one image to another.
    #[must_use]
    pub fn diff(&self, old: usize, new: usize) -> Option<OverlapDiff> {
        let found = self.0.diff(self.0.image(old)?, self.0.image(new)?)?;
        Some(diff(found).object())
    }

    /// From one image to another, in flat arrays.
    #[wasm_bindgen(js_name = diffColumns)]
    #[must_use]
    pub fn diff_columns(&self, old: usize, new: usize) -> Option<DiffColumns> {
        let found = self.0.diff(self.0.image(old)?, self.0.image(new)?)?;
        Some(columns(&found).object())
    }

    /// Which images have a file or a chunk with this digest.
    pub fn holders(&self, #[wasm_bindgen(js_name = digest)] of: &str) -> Result<Vec<Holding>, JsValue> {
        Ok(self.0.holders(&digest(of)?).into_iter().map(|found| holding(found).object()).collect())
    }

    /// The contents that an image has more than once: those first that come to most, at most `limit`.
    #[must_use]
    pub fn duplicates(&self, image: usize, limit: usize) -> Vec<Duplicate> {
        let found = self.0.image(image).map(|image| self.0.duplicates(image, limit));
        found.unwrap_or_default().into_iter().map(|found| duplicate(found).object()).collect()
    }

    /// The files that several images have: those first that most bytes are saved by, at most `limit`.
    #[wasm_bindgen(js_name = sharedContents)]
    #[must_use]
    pub fn shared_contents(&self, limit: usize) -> Vec<SharedContent> {
        self.0.shared_contents(limit).into_iter().map(|found| content(found).object()).collect()
    }

    /// An order of pulling all images that costs least.
    #[wasm_bindgen(js_name = pullOrder)]
    #[must_use]
    pub fn pull_order(&self) -> PullOrder {
        order(self.0.pull_order()).object()
    }

    /// What an order costs; none if it names no image of this overlap.
    #[wasm_bindgen(js_name = pullCost)]
    #[must_use]
    pub fn pull_cost(&self, images: Vec<u32>) -> Option<PullOrder> {
        let image = |image| self.0.image(usize::try_from(image).ok()?);
        let images: Vec<_> = images.into_iter().map(image).collect::<Option<_>>()?;
        self.0.pull_cost(&images).map(|found| order(found).object())
    }

    fn at(&self, image: usize, node: usize) -> Option<(ImageId, NodeId)> {
        let image = self.0.image(image)?;
        Some((image, self.0.node(image, node)?))
    }
}

/// A layer that the caller gives.
struct Read {
    toc: Toc,
    blob: Option<shingle_core::Digest>,
    diff_id: Option<shingle_core::Digest>,
    blob_len: u64,
    pulled: Pulled,
}

impl Read {
    fn new(layer: &JsValue) -> Result<Self, JsValue> {
        let known = |key| get::<String>(layer, "layer", key)?.map(|text| digest(&text)).transpose();
        let toc: JsValue = need(layer, "layer", "toc")?;
        Ok(Self {
            toc: shared::<Toc>(&toc).ok_or_else(|| misuse("layer.toc must be a Toc"))?,
            blob: known("blob")?,
            diff_id: known("diffId")?,
            blob_len: need(layer, "layer", "blobLen")?,
            pulled: get(layer, "layer", "pulled")?.unwrap_or(Pulled::ByFile),
        })
    }
}

impl FromJs for Pulled {
    const KIND: &'static str = "\"by-file\" or \"whole\"";

    fn from_js(value: &JsValue) -> Option<Self> {
        match value.as_string().as_deref() {
            Some("by-file") => Some(Self::ByFile),
            Some("whole") => Some(Self::Whole),
            _ => None,
        }
    }
}

impl FromJs for Measure {
    const KIND: &'static str = "\"compressed\" or \"logical\"";

    fn from_js(value: &JsValue) -> Option<Self> {
        match value.as_string().as_deref() {
            Some("compressed") => Some(Self::Compressed),
            Some("logical") => Some(Self::Logical),
            _ => None,
        }
    }
}

fn numbers(values: &[u64]) -> Float64Array {
    values.iter().copied().map(number).collect::<Vec<_>>().as_slice().into()
}
