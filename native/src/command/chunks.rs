//! `shingle chunks`

use crate::cli::{ChunksArgs, Global};
use crate::failure::Failure;
use crate::printer::Printer;

pub(super) fn run(global: &Global, args: &ChunksArgs, printer: &Printer) -> Result<(), Failure> {
    let _ = (global, args, printer);
    Err(Failure::new(anyhow::anyhow!("not yet")))
}
