//! `shingle push`

use shingle::transfer::{ConvertError, push};
use shingle::transport::open_destination;

use super::convert::{options, say_report};
use super::{client, existing_store, not_in_store};
use crate::cli::{Global, PushArgs};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress::{TransferProgress, Work};

pub(super) fn run(global: &Global, args: &PushArgs, printer: &Printer) -> Result<(), Failure> {
    let (name, destination_name) = (args.reference.to_string(), args.destination.to_string());
    let store = existing_store(global)?;
    let image = match &store {
        Some(store) => store.image(&name)?.map(|image| (store, image)),
        None => None,
    };
    let Some((store, image)) = image else {
        return Err(
            not_in_store(global, &args.reference).hint(format!("pull it first: `shingle pull {name}`"))
        );
    };
    let to = client(args.tls_verify, None)?;
    let options = options(&args.compression)?;
    let progress =
        TransferProgress::new(printer, Work::Push, format!("Pushing {name} to {destination_name}"));
    let pushed = open_destination(&args.destination, &to)
        .map_err(ConvertError::from)
        .and_then(|destination| push(store, &image, destination, &options, &progress));
    drop(progress);
    let report = pushed.map_err(|error| {
        Failure::from(error).while_trying(format!("cannot push {name} to {destination_name}"))
    })?;
    say_report("Pushed", &name, &destination_name, &args.compression, &report, printer)
}
