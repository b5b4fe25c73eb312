//! `shingle chunks`

use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;

use serde::Serialize;
use shingle::contents::{Came, LayerContents, PulledAs, read};
use shingle::root::Root;
use shingle::transport::open_source;
use shingle_core::forecast::{Content, Layout};
use shingle_core::{Body, Digest, LastLink};

use super::{Looking, client};
use crate::cli::{ChunksArgs, Global};
use crate::failure::Failure;
use crate::printer::{Printer, Unwritten};
use crate::progress::{ReadProgress, short};
use crate::words::{Bytes, Path, Table, Thousands};

#[derive(Serialize)]
struct Report<'a> {
    image: &'a str,
    digest: Digest,
    layers: Vec<Layer>,
}

#[derive(Serialize)]
struct Layer {
    /// From 1, the lowest one.
    layer: usize,
    blob: Digest,
    blob_bytes: u64,
    /// Why a pull would take all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    parts: Vec<Part>,
}

/// A stretch of the blob; or a chunk that has none of its own: a hole, or one in the frames of the chunk before it.
#[derive(Serialize)]
struct Part {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plain: Option<u64>,
    /// Where the chunk belongs in its file.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
}

pub(super) fn run(global: &Global, args: &ChunksArgs, printer: &Printer) -> Result<(), Failure> {
    let name = &args.image.typed;
    let trying = |failure: Failure| failure.while_trying(format!("cannot show the chunks of {name}"));
    let looking = Looking::new(global, &args.source, &args.cache)?;
    let (options, client) = (looking.options(), client(args.source.tls_verify, None)?);
    let source = open_source(&args.image.location, &client).map_err(|error| trying(error.into()))?;
    let progress = ReadProgress::new(printer);
    let contents = read(name, &*source, &options, &progress).map_err(|error| trying(error.into()))?;
    drop(progress);
    let count = contents.layers.len();
    if let Some(wrong) = args.layers.iter().find(|number| !(1..=count).contains(number)) {
        return Err(Failure::new(anyhow::anyhow!("--layer {wrong}: {name} has layers 1 to {count}")));
    }
    let mut wanted: Vec<usize> =
        (1..=count).filter(|number| args.layers.is_empty() || args.layers.contains(number)).collect();
    let mut only = None;
    if let Some(path) = &args.path {
        // In one layer by itself where that is named, else in all of them stacked.
        let stacked = match &args.layers[..] {
            [number] => contents.layers.get(number - 1..*number).unwrap_or_default(),
            _ => &contents.layers[..],
        };
        let base = if args.layers.len() == 1 { wanted.first().map_or(0, |number| number - 1) } else { 0 };
        let root = Root::new(stacked, &options.policy.limits).map_err(|error| trying(error.into()))?;
        let found = root
            .resolve(path.as_bytes(), LastLink::Follow)
            .map_err(|error| trying(shingle::cat::CatError::from(error).into()))?;
        let file = root.entry(found.id).filter(|(_, entry)| entry.is_file());
        let Some((origin, _)) = file else {
            let problem = anyhow::anyhow!("{} is no regular file with content", found.path);
            return Err(trying(Failure::new(problem).hint("`shingle ls` says what it is")));
        };
        let place = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        wanted = vec![place(origin.layer).saturating_add(base).saturating_add(1)];
        only = Some(place(origin.entry));
    }
    let layers = wanted.iter().filter_map(|number| {
        let contents = contents.layers.get(number.checked_sub(1)?)?;
        Some(Layer::new(*number, contents, only))
    });
    let report = Report { image: name, digest: contents.digest, layers: layers.collect() };
    if printer.json() {
        return Ok(printer.stream(&report)?);
    }
    Ok(report.layers.iter().try_for_each(|layer| layer.print(printer))?)
}

impl Layer {
    fn new(number: usize, layer: &LayerContents, only: Option<usize>) -> Self {
        let mut made = Self {
            layer: number,
            blob: layer.blob,
            blob_bytes: layer.blob_bytes,
            why: match &layer.pulled {
                PulledAs::ByFile => None,
                PulledAs::Whole(reason) => Some(reason.to_string()),
            },
            parts: Vec::new(),
        };
        if layer.came != Came::ByToc {
            return made;
        }
        // What is no frame of a file's content, front to back.
        let layout = Layout::of(&layer.toc, layer.blob_bytes);
        let others = layout.stretches.iter().filter(|(_, content)| name(*content).is_some());
        let mut others = others.filter(|_| only.is_none()).peekable();
        let mut before = None;
        // Chunks ascend in the blob, as the TOC was checked to say.
        for (index, entry) in layer.toc.entries().iter().enumerate() {
            if only.is_some_and(|only| only != index) {
                continue;
            }
            let path = String::from_utf8_lossy(entry.member().name.as_bytes()).into_owned();
            for chunk in layer.toc.chunks(entry) {
                let part = Part {
                    kind: "hole",
                    offset: None,
                    length: None,
                    plain: Some(chunk.len),
                    at: Some(chunk.offset),
                    path: Some(path.clone()),
                    digest: Some(chunk.digest),
                };
                let part = match &chunk.body {
                    Body::Frames(frames) if before == Some(frames) => Part { kind: "shared", ..part },
                    Body::Frames(frames) => {
                        while let Some((range, content)) =
                            others.next_if(|(range, _)| range.start < frames.start)
                        {
                            made.parts.extend(Part::other(range, *content));
                        }
                        before = Some(frames);
                        let length = frames.end.saturating_sub(frames.start);
                        Part { kind: "frames", offset: Some(frames.start), length: Some(length), ..part }
                    }
                    Body::Unlocated | Body::Zeros => part,
                };
                made.parts.push(part);
            }
        }
        made.parts.extend(others.filter_map(|(range, content)| Part::other(range, *content)));
        made
    }

    fn print(&self, printer: &Printer) -> Result<(), Unwritten> {
        printer.result(format_args!("Layer {}  {}, {}", self.layer, self.blob, Bytes(self.blob_bytes)))?;
        if self.parts.is_empty() {
            return printer.result(format_args!(
                "  nobody knows where its chunks lie: {}",
                self.why.as_deref().unwrap_or("it has none")
            ));
        }
        let mut table = Table::new([true, true, false, true, true, false, false]);
        let head = ["OFFSET", "LENGTH", "KIND", "PLAIN", "AT", "DIGEST", "FILE"].map(str::to_owned);
        table.measure(&head);
        self.parts.iter().for_each(|part| table.measure(&part.row(printer.verbose())));
        printer.lines(|put| {
            put(&table.line(&head))?;
            self.parts.iter().try_for_each(|part| put(&table.line(&part.row(printer.verbose()))))
        })
    }
}

/// Returns what a stretch of a blob is called that is no frame of a file's content.
const fn name(content: Content) -> Option<&'static str> {
    match content {
        Content::Frames { .. } => None,
        Content::Gap => Some("gap"),
        Content::Toc => Some("toc"),
        Content::TarSplit => Some("tar-split"),
        Content::Footer => Some("footer"),
    }
}

impl Part {
    fn other(range: &Range<u64>, content: Content) -> Option<Self> {
        let (offset, length) = (Some(range.start), Some(range.end.saturating_sub(range.start)));
        let kind = name(content)?;
        Some(Self { kind, offset, length, plain: None, at: None, path: None, digest: None })
    }

    fn row(&self, whole: bool) -> [String; 7] {
        let number = |number: Option<u64>| {
            number.map_or_else(|| "-".to_owned(), |number| Thousands(number).to_string())
        };
        let digest = self.digest.map(|digest| if whole { digest.to_string() } else { short(&digest) });
        let path = self.path.as_ref().map(|path| Path(path.as_bytes()).to_string());
        [
            number(self.offset),
            number(self.length),
            self.kind.to_owned(),
            number(self.plain),
            number(self.at),
            digest.unwrap_or_default(),
            path.unwrap_or_default(),
        ]
    }
}
