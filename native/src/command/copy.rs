//! `shingle copy`

use serde::Serialize;
use shingle::transfer::{CopyOptions, CopyReport, Which, copy};
use shingle::transport::{TransferError, open_destination, open_source};

use super::client;
use crate::cli::CopyArgs;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress::{TransferProgress, Work};
use crate::words::{Bytes, Count};

/// A copy, for programs.
#[derive(Serialize)]
struct Copied<'a> {
    source: String,
    destination: String,
    #[serde(flatten)]
    report: &'a CopyReport,
}

pub(super) fn run(args: &CopyArgs, printer: &Printer) -> Result<(), Failure> {
    let (source_name, destination_name) = (args.source.to_string(), args.destination.to_string());
    let mut options = CopyOptions::default();
    options.parallel_blobs = usize::try_from(args.jobs).unwrap_or(options.parallel_blobs);
    if args.all {
        options.which = Which::All;
    } else if let Some(platform) = &args.platform {
        options.which = Which::One(platform.clone());
    }
    let (from, to) = (client(args.tls.source(), None)?, client(args.tls.destination(), None)?);
    let progress =
        TransferProgress::new(printer, Work::Copy, format!("Copying {source_name} to {destination_name}"));
    let copied = open_source(&args.source, &from).and_then(|source| {
        let destination = open_destination(&args.destination, &to)?;
        copy(&*source, destination, &options, &progress)
    });
    drop(progress);
    let report = copied.map_err(|error: TransferError| {
        Failure::from(error).while_trying(format!("cannot copy {source_name} to {destination_name}"))
    })?;
    if printer.json() {
        let copied = Copied { source: source_name, destination: destination_name, report: &report };
        return Ok(printer.object(&copied)?);
    }
    if let Some(before) = report.changed_from {
        printer.say(format_args!(
            "An OCI layout holds no Docker manifests: {before} has OCI's media types there, and so another digest. \
             Config and layers are the same."
        ));
    }
    let images = Count(report.images.try_into().unwrap_or(u64::MAX), "image");
    printer.say(format_args!(
        "Copied {images} in {:.2} s: {} of blobs had to be brought over.",
        report.seconds,
        Bytes(report.copied_bytes)
    ));
    Ok(printer.result(report.digest)?)
}
