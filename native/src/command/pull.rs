//! `shingle pull`

use shingle::config::PullConfig;
use shingle::pull::{LayerReport, PullOptions, PullReport, pull};
use shingle::store::Store;
use shingle_core::Trust;

use super::{client, noted_sentence, policy, root};
use crate::cli::{Global, PullArgs};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::words::{Bytes, total};

pub(super) fn run(global: &Global, args: &PullArgs, printer: &Printer) -> Result<(), Failure> {
    let config = PullConfig::load()?;
    let store = Store::open(root(global))?;
    let client = client(args.source.tls_verify, args.cost.jobs)?;
    let options = options(args, &config);
    if printer.verbose() {
        say_settings(args, &config, &options, printer);
    }
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

/// Puts together what the command line says, else storage.conf, else nobody.
fn options(args: &PullArgs, config: &PullConfig) -> PullOptions {
    let mut options = PullOptions::default();
    options.strict = args.link.strict;
    options.convert = args.convert.or(config.convert).unwrap_or(options.convert);
    if let Some(mode) = args.link.link_mode.or(config.link_mode) {
        options.link_mode = mode;
    }
    if let Some(platform) = &args.source.platform {
        options.platform = platform.clone();
    }
    options.policy = policy(args.trust, &args.cost, config);
    options
}

/// Says who decided what could also have stood in storage.conf.
fn say_settings(args: &PullArgs, config: &PullConfig, options: &PullOptions, printer: &Printer) {
    match &config.path {
        Some(path) => printer.say(format_args!("Settings are from {} too:", path.display())),
        None => printer.say("There is no storage.conf; settings:"),
    }
    let decider = |typed: bool, said: bool| match (typed, said) {
        (true, _) => "the command line",
        (false, true) => "storage.conf",
        (false, false) => "nobody: the default",
    };
    let by = decider(args.convert.is_some(), config.convert.is_some());
    printer.say(format_args!("  convert    {}, says {by}", options.convert));
    let by = decider(args.link.link_mode.is_some(), config.link_mode.is_some());
    printer.say(format_args!("  link mode  {}, says {by}", options.link_mode));
    let by = decider(args.trust.is_some(), config.trust_toc.is_some());
    printer.say(format_args!("  trust      {}, says {by}", options.policy.trust));
    if config.partial == Some(false) {
        printer.say("  enable_partial_images is false there, which is ignored: layers are pulled by file");
    }
}

/// Says what a pull came to, and where the trees lie.
pub(super) fn say_report(store: &Store, report: &PullReport, printer: &Printer) {
    let fetched: u64 = report.layers.iter().map(|layer| layer.fetched_bytes).sum();
    let size = total(report.layers.iter().map(|layer| layer.blob_bytes));
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
