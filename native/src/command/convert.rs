//! `shingle convert`

use std::path::PathBuf;

use serde::Serialize;
use shingle::contents::Cache;
use shingle::transfer::{ConvertError, ConvertOptions, ConvertReport, LayerOutcome, Which, convert};
use shingle::transport::{open_destination, open_source};

use super::client;
use crate::cli::{CompressionArgs, ConvertArgs};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress::{TransferProgress, Work};
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
    let mut options = options(&args.compression)?;
    if let Some(platform) = &args.platform {
        options.which = Which::One(platform.clone());
    }
    let (from, to) = (client(args.tls.source(), None)?, client(args.tls.destination(), None)?);
    let progress = TransferProgress::new(
        printer,
        Work::Convert,
        format!("Converting {source_name} to {destination_name}"),
    );
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

pub(super) fn options(args: &CompressionArgs) -> Result<ConvertOptions, Failure> {
    let mut options = ConvertOptions::default();
    options.write = args.options().map_err(|levels| {
        let (format, least, most) = (args.compression_format, levels.start(), levels.end());
        Failure::new(anyhow::anyhow!("--compression-level: {format} has the levels {least} to {most}"))
    })?;
    options.force = args.force;
    options.memory = memory();
    options.jobs = args.jobs.unwrap_or(options.jobs);
    Ok(options)
}

/// Returns the directory that keeps what layers became, beside that of the tables of contents.
fn memory() -> Option<PathBuf> {
    Some(Cache::default_path()?.with_file_name("conversions"))
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
    let ended = |outcome| {
        let layers = report.layers.iter().filter(|layer| layer.outcome == outcome);
        u64::try_from(layers.count()).unwrap_or(u64::MAX)
    };
    let (kept, recalled) = (ended(LayerOutcome::Kept), ended(LayerOutcome::Recalled));
    let mut parts = Vec::new();
    if count > 0 {
        let tables = if toc > 0 { format!(", TOC and tar-split {}", Bytes(toc)) } else { String::new() };
        let sizes = format!("{} -> {}{tables}", Bytes(before), Bytes(after));
        parts.push(format!("{} written anew ({sizes})", Count(count, "layer")));
    }
    if recalled > 0 {
        parts.push(format!("{} converted before and there as that", Count(recalled, "layer")));
    }
    if kept > 0 || parts.is_empty() {
        parts.push(format!("{} kept", Count(kept, "layer")));
    }
    printer.say(format_args!("{done} in {:.2} s: {}.", report.seconds, parts.join(", ")));
    if plain > 0 {
        printer.say(format_args!("{} could not be made zstd:chunked; see above why.", Count(plain, "layer")));
    }
    Ok(printer.result(report.digest)?)
}
