//! `shingle convert`

use std::path::PathBuf;

use serde::Serialize;
use shingle::transfer::{ConvertError, ConvertOptions, ConvertReport, LayerOutcome, Which, convert};
use shingle::transport::{open_destination, open_source};

use super::client;
use crate::cli::{CompressionArgs, ConvertArgs};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress::TransferProgress;
use crate::words::{Bytes, Count};

/// A conversion or a push, for programs.
#[derive(Serialize)]
struct Converted<'a> {
    source: &'a str,
    destination: &'a str,
    compression_format: &'static str,
    #[serde(flatten)]
    report: &'a ConvertReport,
}

pub(super) fn run(args: &ConvertArgs, printer: &Printer) -> Result<(), Failure> {
    let (source_name, destination_name) = (args.source.to_string(), args.destination.to_string());
    let mut options = options(&args.compression);
    if let Some(platform) = &args.platform {
        options.which = Which::One(platform.clone());
    }
    let (from, to) = (client(args.tls.source(), None)?, client(args.tls.destination(), None)?);
    let progress = TransferProgress::new(printer, format!("Converting {source_name} to {destination_name}"));
    let convert = || -> Result<ConvertReport, ConvertError> {
        let source = open_source(&args.source, &from)?;
        let destination = open_destination(&args.destination, &to)?;
        convert(&*source, destination, &options, &progress)
    };
    let converted = convert();
    drop(progress);
    let report = converted.map_err(|error| {
        Failure::from(error).while_trying(format!("cannot convert {source_name} to {destination_name}"))
    })?;
    say_report("Converted", &source_name, &destination_name, &args.compression, &report, printer)
}

pub(super) fn options(args: &CompressionArgs) -> ConvertOptions {
    let mut options = ConvertOptions::default();
    options.write = args.options();
    options.force = args.force;
    options.memory = memory();
    options.jobs = args.jobs.unwrap_or(options.jobs);
    options
}

/// Returns the directory that keeps what layers became: among root's caches, or the user's.
fn memory() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = set("XDG_CACHE_HOME").or_else(|| {
        let root = rustix::process::geteuid().is_root();
        if root { Some("/var/cache".into()) } else { set("HOME").map(|home| home.join(".cache")) }
    });
    Some(cache?.join("shingle/conversions"))
}

/// Says what a conversion or a push came to.
pub(super) fn say_report(
    done: &str,
    source: &str,
    destination: &str,
    args: &CompressionArgs,
    report: &ConvertReport,
    printer: &Printer,
) -> Result<(), Failure> {
    if printer.json() {
        let compression_format = args.compression_format.as_str();
        return Ok(printer.object(&Converted { source, destination, compression_format, report })?);
    }
    let written = report.layers.iter().filter(|layer| layer.outcome == LayerOutcome::Rewritten);
    let (mut count, mut plain, mut before, mut after, mut toc) = (0, 0, 0, 0, 0);
    for layer in written {
        count += 1;
        plain += u64::from(layer.plain.is_some());
        before += layer.from_size;
        after += layer.to_size;
        toc += layer.toc_bytes + layer.tar_split_bytes;
    }
    let ended = |outcome| report.layers.iter().filter(|layer| layer.outcome == outcome).count();
    let (kept, recalled) = (ended(LayerOutcome::Kept), ended(LayerOutcome::Recalled));
    printer.say(format_args!(
        "{done} in {:.2} s: {} written anew, {kept} kept; {} became {}, of which {} are TOC and tar-split.",
        report.seconds,
        Count(count, "layer"),
        Bytes(before),
        Bytes(after),
        Bytes(toc)
    ));
    if recalled > 0 {
        let count = Count(recalled.try_into().unwrap_or(u64::MAX), "layer");
        printer.say(format_args!("Converted before, and there as that: {count}."));
    }
    if plain > 0 {
        printer.say(format_args!("{} could not be made zstd:chunked; see above why.", Count(plain, "layer")));
    }
    Ok(printer.result(report.digest)?)
}
