//! `shingle inspect --export`: what is known of images, in a file.

use std::io;
use std::path::Path;

use serde::Serialize;
use shingle::contents::{Exported, export, export_to};

use super::super::looking::{Read, look_at};
use super::super::looking_policy;
use crate::cli::{Global, InspectArgs};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::words::{Bytes, Count};

/// What was written, for programs.
#[derive(Serialize)]
struct Report<'a> {
    file: String,
    #[serde(flatten)]
    exported: Exported,
    read: &'a Read,
}

/// Reads the images, and writes the file.
pub(super) fn run(
    global: &Global,
    args: &InspectArgs,
    file: &Path,
    printer: &Printer,
) -> Result<(), Failure> {
    let to_stdout = file == Path::new("-");
    if to_stdout && printer.json() {
        return Err(Failure::new(anyhow::anyhow!(
            "--json: needs --export to a file, because that of - is stdout"
        )));
    }
    let policy = looking_policy(&args.look)?;
    let images = look_at(global, &args.images, &args.look, printer)?;
    let exported = match to_stdout {
        true => export(&images, &policy, io::BufWriter::new(printer.raw_stdout())),
        false => export_to(file, &images, &policy),
    };
    let exported = exported.map_err(|error| Failure::from(error).while_trying("cannot export"))?;
    let read = Read::of(&images);
    if printer.json() {
        let file = file.display().to_string();
        return Ok(printer.object(&Report { file, exported, read: &read })?);
    }
    let place = if to_stdout { String::new() } else { format!(" to {}", file.display()) };
    let (images, layers) = (Count(exported.images, "image"), Count(exported.layers, "layer"));
    let plain = Bytes(exported.plain_bytes);
    printer.say(format_args!("Wrote what is known of {images} in {layers}{place}: {plain}, compressed."));
    printer.say(read.sentence());
    Ok(())
}
