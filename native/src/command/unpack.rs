//! `shingle unpack`

use shingle::unpack::unpack;
use shingle_core::LinkMode;

use super::{existing_store, not_in_store, noted_sentence};
use crate::cli::{Global, UnpackArgs};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::words::{Bytes, Thousands};

pub(super) fn run(global: &Global, args: &UnpackArgs, printer: &Printer) -> Result<(), Failure> {
    let reference = &args.reference;
    let store = existing_store(global)?;
    let image = match &store {
        Some(store) => store.image(&reference.to_string())?.map(|image| (store, image)),
        None => None,
    };
    let Some((store, image)) = image else {
        return Err(
            not_in_store(global, reference).hint(format!("pull it first: `shingle pull {reference}`"))
        );
    };
    let mode = args.link.link_mode.unwrap_or(LinkMode::Reflink);
    let report = unpack(store, &image, &args.target, mode, args.link.strict)?;
    if printer.json() {
        return Ok(printer.object(&report)?);
    }
    let files = report.files;
    printer.say(format_args!(
        "Unpacked {reference} to {}: {} in {} files ({} hard-linked, {} reflinked, {} copied).",
        args.target.display(),
        Bytes(report.bytes),
        Thousands(files.total),
        Thousands(files.hardlinked),
        Thousands(files.reflinked),
        Thousands(files.copied)
    ));
    let noted = [report.owners_noted, report.devices_noted, report.xattrs_noted];
    if let Some(sentence) = noted_sentence(store.is_privileged(), noted) {
        printer.say(sentence);
    }
    Ok(())
}
