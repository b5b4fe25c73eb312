//! `shingle cat`

use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;

use cap_std::ambient_authority;
use cap_std::fs::File;
use serde::Serialize;
use shingle::cat::{Content, FoundFile, Spent, fetch, find};
use shingle::transport::open_source;
use shingle_core::Digest;

use super::{Looking, client};
use crate::cli::{CatArgs, Global};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress::{Meter, ReadProgress, short};
use crate::words::{Bytes, Count, Path};

/// What was written, for programs.
#[derive(Serialize)]
struct Report<'a> {
    image: &'a str,
    /// Without links in it.
    path: String,
    /// From 1, the lowest one.
    layer: usize,
    blob: Digest,
    bytes: u64,
    digest: Digest,
    toc_bytes: u64,
    toc_requests: u64,
    fetched_bytes: u64,
    requests: u64,
    reused_bytes: u64,
    whole: bool,
}

pub(super) fn run(global: &Global, args: &CatArgs, printer: &Printer) -> Result<(), Failure> {
    if printer.json() && args.output.is_none() {
        return Err(Failure::new(anyhow::anyhow!("--json: needs --output, because the file goes to stdout")));
    }
    let (name, path) = (&args.image.typed, args.path.as_bytes());
    let trying = |failure: Failure| failure.while_trying(format!("cannot fetch {} of {name}", Path(path)));
    let looking = Looking::new(global, &args.source, &args.cache)?;
    let (options, client) = (looking.options(), client(args.source.tls_verify, None)?);
    let source = open_source(&args.image.location, &client).map_err(|error| trying(error.into()))?;
    let progress = ReadProgress::new(printer);
    let file = find(name, &*source, path, &options, &progress).map_err(|error| trying(error.into()))?;
    drop(progress);
    let meter = Meter::new(printer, "Fetching", &short(&file.layer.blob), file.most_bytes());
    let content = fetch(&*source, &file, &options, &|bytes| meter.add(bytes));
    drop(meter);
    let content = content.map_err(|error| trying(error.into()))?;
    if content.whole {
        let (layer, size) = (file.index + 1, Bytes(content.spent.bytes));
        printer.say(format_args!(
            "Read layer {layer} to its end for this file, {size}: it cannot be fetched by file."
        ));
    }
    if printer.verbose() {
        told(&file, &content, printer);
    }
    let Some(output) = &args.output else {
        let mut reader = content.reader();
        return Ok(printer.copy(&mut reader)?);
    };
    let write = || {
        let mut to = File::create_ambient(output, ambient_authority())?;
        io::copy(&mut content.reader(), &mut to)?;
        to.flush()
    };
    write().map_err(|error| {
        Failure::new(anyhow::Error::new(error).context(format!("cannot write {}", output.display())))
    })?;
    if printer.json() {
        printer.object(&Report {
            image: name,
            path: String::from_utf8_lossy(file.path.as_bytes()).into_owned(),
            layer: file.index + 1,
            blob: file.layer.blob,
            bytes: content.len(),
            digest: content.digest,
            toc_bytes: file.spent.bytes,
            toc_requests: file.spent.requests,
            fetched_bytes: content.spent.bytes,
            requests: content.spent.requests,
            reused_bytes: content.reused_bytes,
            whole: content.whole,
        })?;
    }
    Ok(())
}

/// Says where the file was, and what it took.
fn told(file: &FoundFile, content: &Content, printer: &Printer) {
    let took = |spent: Spent| format!("{} in {}", Bytes(spent.bytes), Count(spent.requests, "request"));
    let FoundFile { path, index, layer, layers, layers_read, .. } = file;
    printer.say(format_args!("File    {}", Path(path.as_bytes())));
    printer.say(format_args!("Layer   {} of {layers}, {}", index + 1, layer.blob));
    printer.say(format_args!("Digest  {}", content.digest));
    let found = took(file.spent);
    printer.say(format_args!(
        "Read {found} to find it, in {layers_read} of {}.",
        Count(count(*layers), "layer")
    ));
    let here = match content.reused_bytes {
        0 => String::new(),
        bytes => format!(", {} came from the store", Bytes(bytes)),
    };
    printer.say(format_args!("Fetched {} for its {}{here}.", took(content.spent), Bytes(content.len())));
}

fn count(len: usize) -> u64 {
    len.try_into().unwrap_or(u64::MAX)
}
