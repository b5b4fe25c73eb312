//! `shingle gc`

use shingle::store::Collected;

use super::existing_store;
use crate::cli::Global;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::words::{Bytes, Count};

pub(super) fn run(global: &Global, printer: &Printer) -> Result<(), Failure> {
    let collected = match existing_store(global)? {
        Some(store) => store.collect()?,
        None => Collected::default(),
    };
    if printer.json() {
        return Ok(printer.object(&collected)?);
    }
    printer.result(format_args!(
        "Removed {}, {} and {}; freed {}.",
        Count(collected.layers, "layer"),
        Count(collected.objects, "object"),
        Count(collected.documents, "document"),
        Bytes(collected.bytes)
    ))?;
    Ok(())
}
