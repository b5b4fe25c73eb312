//! `shingle pull`

use shingle::pull::{PullOptions, PullReport, pull};
use shingle::store::Store;

use super::{client, root};
use crate::cli::{Global, PullArgs};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::words::{Bytes, Count};

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
    if let Some(sentence) = noted(store.is_privileged(), report) {
        printer.say(sentence);
    }
    match &report.layers[..] {
        [] => {}
        [only] => printer.say(format_args!("Its tree is {}", store.tree_path(&only.diff_id).display())),
        _ if printer.verbose() => {
            printer.say("Its trees, lowest first:");
            for layer in &report.layers {
                printer.say(format_args!("  {}", store.tree_path(&layer.diff_id).display()));
            }
        }
        layers => printer.say(format_args!(
            "Its {} trees are in {}/trees, by DiffID.",
            layers.len(),
            store.path().display()
        )),
    }
}

/// Says what the trees lack, in one sentence; nothing when they lack nothing.
fn noted(privileged: bool, report: &PullReport) -> Option<String> {
    let counts = [
        Count(report.owners_noted, "owner or mode"),
        Count(report.devices_noted, "device"),
        Count(report.xattrs_noted, "extended attribute"),
    ];
    let words: Vec<String> = counts.iter().filter(|count| count.0 > 0).map(ToString::to_string).collect();
    let list = match &words[..] {
        [] => return None,
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    };
    let total = counts.iter().map(|count| count.0).sum::<u64>();
    let (verb, pronoun) = if total == 1 { ("is", "it") } else { ("are", "them") };
    let why = if privileged { "this file system would not take" } else { "without root nobody can set" };
    Some(format!("{list} {verb} noted in the store but not in the trees: {why} {pronoun}."))
}
