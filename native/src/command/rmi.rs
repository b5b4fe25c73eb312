//! `shingle rmi`

use super::{existing_store, not_in_store};
use crate::cli::{Global, RmiArgs};
use crate::failure::Failure;
use crate::printer::Printer;

pub(super) fn run(global: &Global, args: &RmiArgs, printer: &Printer) -> Result<(), Failure> {
    let store = existing_store(global)?;
    let mut removed = Vec::new();
    for reference in &args.references {
        let name = reference.to_string();
        let there = match &store {
            Some(store) => store.remove_image(&name)?,
            None => false,
        };
        if !there {
            return Err(not_in_store(global, reference).hint("`shingle images` lists those that are"));
        }
        if !printer.json() {
            printer.result(format_args!("Removed {name}"))?;
        }
        removed.push(name);
    }
    if printer.json() {
        return Ok(printer.object(&serde_json::json!({ "removed": removed }))?);
    }
    printer.say("Layers stay until `shingle gc`, or for as long as another image needs them.");
    Ok(())
}
