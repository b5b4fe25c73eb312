//! `shingle inspect`

mod config;
mod export;
mod layer;
mod members;
mod web;

use serde::Serialize;
use shingle::contents::{Contents, Described};
use shingle::registry::Platform;
use shingle::store::Store;
use shingle::transport::{Location, open_source};
use shingle_core::{Digest, Policy};

use super::looking::look_at;
use super::{client, existing_store, looking_policy};
use crate::cli::{Global, InspectArgs, Place};
use crate::failure::Failure;
use crate::printer::{Printer, Unwritten};
use crate::progress::short;
use crate::words::{Bytes, Count, columns, total};
use config::{Config, Read, Step};
use layer::Layer;
use members::Members;

/// An image as its documents describe it.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    config: Config,
    history: Vec<Step>,
    layers: Vec<Layer>,
}

pub(super) fn run(global: &Global, args: &InspectArgs, printer: &Printer) -> Result<(), Failure> {
    if args.web.web {
        return web::run(global, args, printer);
    }
    if let Some(file) = &args.export {
        return export::run(global, args, file, printer);
    }
    let store = existing_store(global)?;
    let platform = args.look.source.platform.clone().unwrap_or_else(Platform::host);
    let policy = looking_policy(&args.look)?;
    let client = client(args.look.source.tls_verify, None)?;
    let mut described = Vec::new();
    for place in &args.images {
        let image = open_source(&place.location, &client)
            .and_then(|source| Described::find(&*source, &platform))
            .map_err(|error| Failure::from(error).while_trying(format!("cannot look at {}", place.typed)))?;
        described.push((place, image));
    }
    let held = if args.files { look_at(global, &args.images, &args.look, printer)? } else { Vec::new() };
    let image =
        |(number, (place, image))| Image::new(place, image, held.get(number), store.as_ref(), &policy);
    let images: Vec<Image> =
        described.iter().map(|(place, image)| (*place, image)).enumerate().map(image).collect();
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
    fn new(
        place: &Place,
        described: &Described,
        held: Option<&Contents>,
        store: Option<&Store>,
        policy: &Policy,
    ) -> Self {
        let Read { created, config, history } = Read::new(&described.config);
        // A tag may lead elsewhere by now: what is not of this layer is not told of it.
        let layers = described.layers.iter().enumerate().map(|(number, layer)| {
            let held = held.and_then(|held| held.layers.get(number));
            let held = held.filter(|held| (held.blob, held.diff_id) == (layer.digest, layer.diff_id));
            Layer::new(layer, held, store, policy)
        });
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
            created,
            config,
            history,
            layers: layers.collect(),
        }
    }

    fn print(&self, printer: &Printer) -> Result<(), Unwritten> {
        let count = Count(self.layers.len().try_into().unwrap_or(u64::MAX), "layer");
        let index = self.index.as_ref().map(ToString::to_string);
        let words = |words: &Option<Vec<String>>| words.as_ref().map(|words| quoted(words));
        let variables = Count(self.config.env.try_into().unwrap_or(u64::MAX), "variable");
        let lines = [
            ("Image", Some(self.image.clone())),
            ("Digest", Some(self.digest.to_string())),
            ("Index", index),
            ("Image ID", Some(self.id.to_string())),
            ("Platform", self.platform.clone()),
            ("Created", self.created.clone()),
            ("Entry", words(&self.config.entrypoint)),
            ("Command", words(&self.config.cmd)),
            ("User", self.config.user.clone()),
            ("Works in", self.config.working_dir.clone()),
            ("Sets", Some(variables.to_string()).filter(|_| self.config.env > 0)),
            ("Type", Some(self.media_type.clone())),
            ("Size", Some(format!("{} in {count}", Bytes(self.size)))),
        ];
        // A digest fits into a line of 80.
        for (name, value) in lines {
            if let Some(value) = value {
                printer.result(format_args!("{name:<9}{value}"))?;
            }
        }
        printer.result("")?;
        let head = Layer::HEAD.map(str::to_owned);
        let rows: Vec<_> = std::iter::once(head).chain(self.layers.iter().map(Layer::row)).collect();
        for line in columns(&rows) {
            printer.result(line)?;
        }
        self.print_members(printer)?;
        for layer in &self.layers {
            if let Some(problem) = &layer.toc_problem {
                printer
                    .say(format_args!("Layer {} cannot be pulled by file: {problem}.", short(&layer.blob)));
            }
        }
        if printer.verbose() {
            self.print_more(printer)?;
        }
        Ok(())
    }

    /// Writes what the layers hold, if that is known.
    fn print_members(&self, printer: &Printer) -> Result<(), Unwritten> {
        let mut rows = Vec::new();
        for layer in &self.layers {
            if let Some(members) = &layer.members {
                rows.push([&[short(&layer.blob)][..], &members.row()].concat());
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let head = Members::HEAD.map(str::to_owned);
        rows.insert(0, [&["LAYER".to_owned()][..], &head].concat());
        printer.result("")?;
        for line in columns(&rows) {
            printer.result(line)?;
        }
        Ok(())
    }

    /// Writes layers in full, and the steps that made the image.
    fn print_more(&self, printer: &Printer) -> Result<(), Unwritten> {
        for layer in &self.layers {
            printer.result("")?;
            let toc = layer.toc.as_ref().map(|toc| {
                let split = match toc.tar_split_bytes {
                    0 => "no tar-split".to_owned(),
                    bytes => format!("tar-split {} ({})", Bytes(bytes), Bytes(toc.tar_split_plain_bytes)),
                };
                format!("{} ({} uncompressed), {split}", Bytes(toc.bytes), Bytes(toc.plain_bytes))
            });
            let lines = [
                ("Blob", Some(layer.blob.to_string())),
                ("DiffID", Some(layer.diff_id.to_string())),
                ("Type", Some(layer.media_type.clone())),
                ("TOC", toc),
                ("Whole", layer.why.clone()),
                ("Tree", layer.tree.as_ref().map(|tree| tree.display().to_string())),
            ];
            for (name, value) in lines {
                if let Some(value) = value {
                    printer.result(format_args!("{name:<6}  {value}"))?;
                }
            }
        }
        if !self.history.is_empty() {
            printer.result("")?;
            printer.result("HISTORY")?;
        }
        let mut layers = self.layers.iter();
        for step in &self.history {
            let layer = if step.empty_layer { None } else { layers.next() };
            let layer = layer.map_or_else(|| "-".to_owned(), |layer| short(&layer.blob));
            let what = step.created_by.as_ref().or(step.comment.as_ref()).map_or("", String::as_str);
            // One line for each: commands have line breaks and tabs in them.
            let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
            let created = step.created.as_deref().unwrap_or("-");
            printer.result(format_args!("{layer:<12}  {created}  {what}"))?;
        }
        Ok(())
    }
}

/// Words as a shell would take them.
fn quoted(words: &[String]) -> String {
    let plain = |word: &str| {
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&byte);
        !word.is_empty() && word.bytes().all(safe)
    };
    let quote = |word: &String| {
        if plain(word) { word.clone() } else { format!("'{}'", word.replace('\'', r"'\''")) }
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}
