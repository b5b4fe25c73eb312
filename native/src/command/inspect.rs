//! `shingle inspect`

mod web;

use std::path::PathBuf;

use serde::Serialize;
use shingle::contents::{self, Described};
use shingle::registry::Platform;
use shingle::store::Store;
use shingle::transport::{Location, open_source};
use shingle_core::{Digest, Form, Identity, Located, Locator, Policy, Trust};

use super::{client, existing_store};
use crate::cli::{Global, InspectArgs, Place};
use crate::failure::Failure;
use crate::printer::{Printer, Unwritten};
use crate::progress::short;
use crate::words::{Bytes, Count, columns, total};

/// An image as its registry describes it.
#[derive(Serialize)]
struct Image {
    image: String,
    digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<Digest>,
    id: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    media_type: String,
    /// Of all blobs.
    size: u64,
    layers: Vec<Layer>,
}

#[derive(Serialize)]
struct Layer {
    blob: Digest,
    diff_id: Digest,
    media_type: String,
    size: u64,
    /// Where the TOC lies, if the annotations say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    toc: Option<TocPlace>,
    /// The digest that the annotations name the TOC by, wherever it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    toc_digest: Option<Digest>,
    /// Why the annotations lead to no TOC.
    #[serde(skip_serializing_if = "Option::is_none")]
    toc_problem: Option<String>,
    here: bool,
    /// The rung that it was proven on, if it is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    trust: Option<Trust>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tree: Option<PathBuf>,
}

#[derive(Serialize)]
struct TocPlace {
    /// `today`, `old` or `stargz-zstd`.
    form: &'static str,
    digest: Option<Digest>,
    offset: u64,
    /// In the blob, compressed.
    bytes: u64,
    plain_bytes: u64,
    /// The same of the tar-split; 0 without one.
    tar_split_bytes: u64,
    tar_split_plain_bytes: u64,
}

pub(super) fn run(global: &Global, args: &InspectArgs, printer: &Printer) -> Result<(), Failure> {
    if args.web.web {
        return web::run(global, args, printer);
    }
    let store = existing_store(global)?;
    let platform = args.source.platform.clone().unwrap_or_else(Platform::host);
    let client = client(args.source.tls_verify, None)?;
    let mut images = Vec::new();
    for place in &args.images {
        let described = open_source(&place.location, &client)
            .and_then(|source| Described::find(&*source, &platform))
            .map_err(|error| Failure::from(error).while_trying(format!("cannot look at {}", place.typed)))?;
        images.push(Image::new(place, &described, store.as_ref()));
    }
    if printer.json() {
        let written = match &images[..] {
            [image] => printer.object(image),
            images => printer.object(&images),
        };
        return Ok(written?);
    }
    for (number, image) in images.iter().enumerate() {
        if number > 0 {
            printer.result("")?;
        }
        image.print(printer)?;
    }
    Ok(())
}

impl Image {
    fn print(&self, printer: &Printer) -> Result<(), Unwritten> {
        let image = self;
        let count = Count(image.layers.len().try_into().unwrap_or(u64::MAX), "layer");
        printer.result(format_args!("Image     {}", image.image))?;
        printer.result(format_args!("Digest    {}", image.digest))?;
        if let Some(index) = image.index {
            printer.result(format_args!("Index     {index}"))?;
        }
        printer.result(format_args!("Image ID  {}", image.id))?;
        if let Some(platform) = &image.platform {
            printer.result(format_args!("Platform  {platform}"))?;
        }
        printer.result(format_args!("Type      {}", image.media_type))?;
        printer.result(format_args!("Size      {} in {count}", Bytes(image.size)))?;
        printer.result("")?;
        let head = ["LAYER", "SIZE", "TYPE", "TOC", "DIFFID", "HERE"].map(str::to_owned);
        let rows: Vec<_> = std::iter::once(head).chain(image.layers.iter().map(Layer::row)).collect();
        for line in columns(&rows) {
            printer.result(line)?;
        }
        for layer in &image.layers {
            if let Some(problem) = &layer.toc_problem {
                printer
                    .say(format_args!("Layer {} cannot be pulled by file: {problem}.", short(&layer.blob)));
            }
        }
        if printer.verbose() {
            for layer in &image.layers {
                printer.result("")?;
                printer.result(format_args!("Blob    {}", layer.blob))?;
                printer.result(format_args!("DiffID  {}", layer.diff_id))?;
                printer.result(format_args!("Type    {}", layer.media_type))?;
                if let Some(tree) = &layer.tree {
                    printer.result(format_args!("Tree    {}", tree.display()))?;
                }
            }
        }
        Ok(())
    }

    fn new(place: &Place, described: &Described, store: Option<&Store>) -> Self {
        Self {
            image: match &place.location {
                Location::Registry(reference) => reference.to_string(),
                _ => place.typed.clone(),
            },
            digest: described.digest,
            index: described.index,
            id: described.id,
            platform: described.platform.as_ref().map(ToString::to_string),
            media_type: described.media_type.clone(),
            size: total(described.layers.iter().map(|layer| layer.size)),
            layers: described.layers.iter().map(|layer| Layer::new(layer, store)).collect(),
        }
    }
}

impl Layer {
    fn new(layer: &contents::Layer, store: Option<&Store>) -> Self {
        let located = Located::from_annotations(&layer.annotations, layer.size, &Policy::default());
        let (located, toc_problem) = match located {
            Ok(located) => (located, None),
            Err(problem) => (None, Some(problem.to_string())),
        };
        let toc = match &located {
            Some(Located::Annotated(locator)) => Some(TocPlace::new(locator)),
            Some(Located::Tail(_)) | None => None,
        };
        let toc_digest = located.as_ref().and_then(Located::vouched).copied();
        let names = [Some(Identity::DiffId(layer.diff_id)), toc_digest.map(Identity::Toc)];
        let here = store.and_then(|store| {
            let identity = names.into_iter().flatten().find(|identity| store.has_layer(identity))?;
            Some((identity.trust(), store.tree_path(&identity.id())))
        });
        let (trust, tree) = here.unzip();
        Self {
            blob: layer.digest,
            diff_id: layer.diff_id,
            media_type: layer.media_type.clone(),
            size: layer.size,
            toc,
            toc_digest,
            toc_problem,
            here: tree.is_some(),
            trust,
            tree,
        }
    }

    fn row(&self) -> [String; 6] {
        let toc = match (&self.toc, &self.toc_problem) {
            (Some(toc), _) => {
                let old = if toc.form == "today" { "" } else { " (old form)" };
                format!("{}{old}", Bytes(toc.bytes.saturating_add(toc.tar_split_bytes)))
            }
            (None, Some(_)) => "unusable".to_owned(),
            // How long it is, only the blob's end says.
            (None, None) if self.toc_digest.is_some() => "eStargz".to_owned(),
            (None, None) => "no".to_owned(),
        };
        // What all layer types begin with says nothing.
        let kind = self.media_type.rsplit_once(".tar").map_or(&*self.media_type, |(_, rest)| rest);
        let here = match self.trust {
            Some(Trust::DiffId) => "yes",
            Some(Trust::Toc) => "by TOC",
            None => "no",
        };
        [
            short(&self.blob),
            Bytes(self.size).to_string(),
            format!("tar{kind}"),
            toc,
            short(&self.diff_id),
            here.to_owned(),
        ]
    }
}

impl TocPlace {
    fn new(locator: &Locator) -> Self {
        let toc = locator.toc();
        let split = locator.tar_split();
        let form = match locator.form() {
            Form::Old => "old",
            Form::StargzZstd => "stargz-zstd",
            Form::Today => "today",
            _ => "unknown",
        };
        Self {
            form,
            digest: locator.vouched().copied(),
            offset: toc.range.start,
            bytes: toc.range.end.saturating_sub(toc.range.start),
            plain_bytes: toc.plain_len,
            tar_split_bytes: split.map_or(0, |split| split.range.end.saturating_sub(split.range.start)),
            tar_split_plain_bytes: split.map_or(0, |split| split.plain_len),
        }
    }
}
