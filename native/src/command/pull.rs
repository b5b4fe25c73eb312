//! `shingle pull`

use shingle::pull::{LayerReport, PullOptions, PullReport, pull};
use shingle::store::Store;
use shingle_core::Trust;

use super::{client, noted_sentence, root};
use crate::cli::{Global, PullArgs};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::words::Bytes;

pub(super) fn run(global: &Global, args: &PullArgs, printer: &Printer) -> Result<(), Failure> {
    let store = Store::open(root(global))?;
    let client = client(args.source.tls_verify, args.jobs)?;
    let options = options(args);
    for reference in &args.references {
        let progress = Progress::new(printer, reference.to_string());
        let pulled = pull(&store, &client, reference, &options, &progress);
        drop(progress);
        let report =
            pulled.map_err(|error| Failure::from(error).while_trying(format!("cannot pull {reference}")))?;
        if printer.json() {
            printer.object(&report)?;
            continue;
        }
        say_report(&store, &report, printer);
        printer.result(report.digest)?;
    }
    Ok(())
}

fn options(args: &PullArgs) -> PullOptions {
    let mut options = PullOptions::default();
    options.strict = args.link.strict;
    if let Some(mode) = args.link.link_mode {
        options.link_mode = mode;
    }
    if let Some(platform) = &args.source.platform {
        options.platform = platform.clone();
    }
    options.policy.trust = args.trust.unwrap_or_default();
    let cost = &mut options.policy.cost;
    if let Some(milliseconds) = args.round_trip_ms {
        cost.round_trip_us = u64::from(milliseconds) * 1_000;
    }
    cost.bytes_per_second = args.bandwidth.unwrap_or(cost.bytes_per_second);
    cost.in_flight = args.jobs.unwrap_or(cost.in_flight);
    options
}

/// Says what a pull came to, and where the trees lie.
pub(super) fn say_report(store: &Store, report: &PullReport, printer: &Printer) {
    let fetched: u64 = report.layers.iter().map(|layer| layer.fetched_bytes).sum();
    let size: u64 = report.layers.iter().map(|layer| layer.blob_bytes).sum();
    printer.say(format_args!(
        "Pulled in {:.2} s: fetched {} of {}; the store grew by {}.",
        report.seconds,
        Bytes(fetched),
        Bytes(size),
        Bytes(report.store_bytes_added)
    ));
    let noted = [report.owners_noted, report.devices_noted, report.xattrs_noted];
    if let Some(sentence) = noted_sentence(store.is_privileged(), noted) {
        printer.say(sentence);
    }
    let tree = |layer: &LayerReport| store.tree_path(&layer.identity().id());
    match &report.layers[..] {
        [] => {}
        [only] => printer.say(format_args!("Its tree is {}", tree(only).display())),
        layers if printer.verbose() || layers.iter().any(|layer| layer.trust == Trust::Toc) => {
            printer.say("Its trees, lowest first:");
            for layer in layers {
                printer.say(format_args!("  {}", tree(layer).display()));
            }
        }
        layers => printer.say(format_args!(
            "Its {} trees are in {}/trees, by DiffID.",
            layers.len(),
            store.path().display()
        )),
    }
}
