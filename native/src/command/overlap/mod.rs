//! `shingle overlap`

mod directories;
mod held;
mod tables;

use serde::Serialize;
use shingle::contents::{Came, Contents, LayerContents, PulledAs};
use shingle_core::overlap::{
    Amount, Bytes, Duplicate, Holding, ImageId, ImageSummary, LayerSummary, Matrix, Measure, Overlap,
    PullOrder, SharedBy, SharedContent,
};
use shingle_core::{Digest, Trust};

use super::looking::{Read, compare, ids, look_at};
use crate::cli::{Global, OverlapArgs};
use crate::failure::Failure;
use crate::printer::Printer;
use directories::Directory;
use held::Held;

/// Everything that images share, for programs.
#[derive(Serialize)]
struct Report {
    images: Vec<Image>,
    matrix: Matrix,
    shared_by: Vec<SharedBy>,
    /// Every content of any image once.
    distinct: Amount,
    /// The same of chunks.
    distinct_chunks: Amount,
    shared_contents: Vec<Shared>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    directories: Vec<Directory>,
    /// What the store has of each image, if somebody asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    store: Vec<Held>,
    order: PullOrder,
    read: Read,
}

#[derive(Serialize)]
struct Image {
    image: String,
    digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    /// Of its blobs, each layer's once.
    blob_bytes: u64,
    layers: Vec<Layer>,
    files: Amount,
    distinct: Amount,
    unique: Amount,
    shared: Amount,
    distinct_chunks: Amount,
    unique_chunks: Amount,
    shared_chunks: Amount,
    duplicates: Amount,
    wasted: Amount,
    hole_bytes: u64,
    duplicate_contents: Vec<Doubled>,
}

#[derive(Serialize)]
struct Layer {
    blob: Digest,
    diff_id: Digest,
    media_type: String,
    blob_bytes: u64,
    /// `by-file` or `whole`.
    pulled: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Where its contents are known from: `toc`, `whole` or `store`.
    from: &'static str,
    from_cache: bool,
    trust: Trust,
    toc_bytes: u64,
    toc_requests: u64,
    read_bytes: u64,
    read_requests: u64,
    /// The earlier layer of the image that it repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeats: Option<u32>,
    /// The other images that have it.
    also_in: Vec<ImageId>,
    files: Amount,
}

/// A content that several images have.
#[derive(Serialize)]
struct Shared {
    digest: Digest,
    images: u32,
    #[serde(flatten)]
    bytes: Bytes,
    holders: Vec<Holder>,
}

#[derive(Serialize)]
struct Holder {
    image: ImageId,
    /// Files that are this content.
    files: u32,
    /// The first path that has it, if any has in the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// A content that an image has more than once.
#[derive(Serialize)]
struct Doubled {
    digest: Digest,
    /// Beyond the first.
    #[serde(flatten)]
    more: Amount,
    paths: Vec<String>,
}

/// Which bytes are shown.
#[derive(Clone, Copy, Debug)]
struct Shown {
    files: bool,
    measure: Measure,
}

pub(super) fn run(global: &Global, args: &OverlapArgs, printer: &Printer) -> Result<(), Failure> {
    let images = look_at(global, &args.images, &args.look, printer)?;
    let overlap = compare(&images)?;
    let mut report = Report::new(&images, &overlap, args.top);
    let shown = Shown { files: args.files, measure: report.measure(args.logical) };
    if args.depth.is_some() || args.path.is_some() {
        let depth = args.depth.unwrap_or(1);
        report.directories = directories::directories(&overlap, args.path.as_deref(), depth, shown.measure)?;
    }
    if args.store {
        (report.store, report.order) = held::held(global, args, &images)?;
    }
    if printer.json() {
        return Ok(printer.object(&report)?);
    }
    Ok(tables::print(&report, shown, args, printer)?)
}

impl Report {
    fn new(images: &[Contents], overlap: &Overlap, top: usize) -> Self {
        let summary = overlap.summary();
        let rows = images.iter().zip(summary.images).zip(ids(overlap));
        let images_of = rows.map(|((contents, summary), id)| {
            let duplicates = overlap.duplicates(id, top);
            Image::new(contents, summary, duplicates.iter().map(|one| Doubled::new(overlap, id, one)))
        });
        let shared = overlap.shared_contents(top);
        Self {
            images: images_of.collect(),
            matrix: overlap.matrix(),
            shared_by: summary.shared_by,
            distinct: summary.distinct,
            distinct_chunks: summary.distinct_chunks,
            shared_contents: shared.into_iter().map(|one| Shared::new(overlap, one)).collect(),
            directories: Vec::new(),
            store: Vec::new(),
            order: overlap.pull_order(),
            read: Read::of(images),
        }
    }

    /// Compressed bytes, unless somebody asked for others or they are not known of all images.
    fn measure(&self, logical: bool) -> Measure {
        let known = self.images.iter().all(|image| image.distinct_chunks.bytes.unlocated == 0);
        if known && !logical { Measure::Compressed } else { Measure::Logical }
    }
}

impl Image {
    fn new(contents: &Contents, summary: ImageSummary, duplicates: impl Iterator<Item = Doubled>) -> Self {
        let layers = contents.layers.iter().zip(summary.layers);
        Self {
            image: contents.name.clone(),
            digest: contents.digest,
            platform: contents.platform.as_ref().map(ToString::to_string),
            blob_bytes: summary.blob_bytes,
            layers: layers.map(|(contents, summary)| Layer::new(contents, summary)).collect(),
            files: summary.files,
            distinct: summary.distinct,
            unique: summary.unique,
            shared: summary.shared,
            distinct_chunks: summary.distinct_chunks,
            unique_chunks: summary.unique_chunks,
            shared_chunks: summary.shared_chunks,
            duplicates: summary.duplicates,
            wasted: summary.wasted,
            hole_bytes: summary.hole_bytes,
            duplicate_contents: duplicates.collect(),
        }
    }
}

impl Layer {
    fn new(contents: &LayerContents, summary: LayerSummary) -> Self {
        let why = match &contents.pulled {
            PulledAs::ByFile => None,
            PulledAs::Whole(why) => Some(why.to_string()),
        };
        Self {
            blob: contents.blob,
            diff_id: contents.diff_id,
            media_type: contents.media_type.clone(),
            blob_bytes: contents.blob_bytes,
            pulled: if why.is_none() { "by-file" } else { "whole" },
            why,
            from: match contents.came {
                Came::ByToc => "toc",
                Came::Store => "store",
                Came::Whole => "whole",
            },
            from_cache: contents.from_cache,
            trust: contents.trust,
            toc_bytes: contents.toc_bytes,
            toc_requests: contents.toc_requests,
            read_bytes: contents.read_bytes,
            read_requests: contents.read_requests,
            repeats: summary.repeats,
            also_in: summary.also_in,
            files: summary.files,
        }
    }
}

impl Shared {
    fn new(overlap: &Overlap, content: SharedContent) -> Self {
        let SharedContent { digest, images, bytes, .. } = content;
        let as_file = |holding: &Holding| holding.files > 0;
        let holders = overlap.holders(&digest).into_iter().filter(as_file).map(|holding| Holder {
            image: holding.image,
            files: holding.files,
            path: holding.node.and_then(|node| path(overlap, holding.image, node)),
        });
        Self { digest, images, bytes, holders: holders.collect() }
    }
}

impl Doubled {
    fn new(overlap: &Overlap, image: ImageId, one: &Duplicate) -> Self {
        let paths = one.nodes.iter().filter_map(|node| path(overlap, image, *node)).collect();
        Self { digest: one.digest, more: one.more, paths }
    }
}

impl Shown {
    const fn bytes(self, bytes: Bytes) -> u64 {
        match self.measure {
            Measure::Compressed => bytes.compressed,
            Measure::Logical => bytes.logical,
        }
    }

    /// Of what is counted by file and by chunk, what is wanted.
    const fn choose(self, files: Amount, chunks: Amount) -> u64 {
        self.bytes(if self.files { files.bytes } else { chunks.bytes })
    }

    const fn unit(self) -> &'static str {
        match (self.measure, self.files) {
            (Measure::Compressed, true) => "whole files, compressed",
            (Measure::Compressed, false) => "chunks, compressed",
            (Measure::Logical, true) => "whole files, uncompressed",
            (Measure::Logical, false) => "chunks, uncompressed",
        }
    }
}

fn path(overlap: &Overlap, image: ImageId, node: shingle_core::overlap::NodeId) -> Option<String> {
    let path = overlap.path(image, node)?;
    Some(String::from_utf8_lossy(path.as_bytes()).into_owned())
}
