//! `shingle plan`

use shingle::config::PullConfig;
use shingle::plan::{Forecast, Given, LayerPlan, PlanOptions, PlanReport, plan};
use shingle::registry::Client;
use shingle::store::Store;
use shingle::transport::open_source;
use shingle_core::{Cost, Policy};

use super::{cache, client, existing_store, policy, root};
use crate::cli::{Global, Place, PlanArgs};
use crate::failure::Failure;
use crate::printer::{Printer, Unwritten};
use crate::progress::{ReadProgress, short};
use crate::words::{Bytes, Count, Percent, Thousands, columns};

/// Round trips in milliseconds, and megabytes a second, that `--links` compares.
const ROUND_TRIPS: [u64; 3] = [1, 20, 100];
const BANDWIDTHS: [u64; 3] = [1, 10, 100];

pub(super) fn run(global: &Global, args: &PlanArgs, printer: &Printer) -> Result<(), Failure> {
    // clap sees --json in one of its two places only.
    if args.full && !printer.json() {
        return Err(Failure::new(anyhow::anyhow!("--full: needs --json")));
    }
    if args.links && printer.json() {
        return Err(Failure::new(anyhow::anyhow!("--links: not with --json")));
    }
    let config = PullConfig::load()?;
    let client = client(args.source.tls_verify, args.cost.jobs)?;
    let mut options = PlanOptions::default();
    options.policy = policy(args.trust, &args.cost, &config);
    options.full = args.full;
    if let Some(platform) = &args.source.platform {
        options.platform = platform.clone();
    }
    if args.links {
        options.compare = links(&options.policy);
    }
    let store = store(global, args)?;
    let mut given = store.as_ref().map_or_else(Given::nothing, Given::store);
    let cache = cache(&args.cache).filter(|_| !args.given.is_empty());
    if let Some(cache) = &cache {
        given = given.with_cache(cache);
    }
    for image in &args.given {
        add(&mut given, image, &client, &options, printer)?;
    }
    let name = &args.image.typed;
    let trying = |failure: Failure| failure.while_trying(format!("cannot plan the pull of {name}"));
    let source = open_source(&args.image.location, &client).map_err(|error| trying(error.into()))?;
    let report = plan(name, &*source, &given, &options).map_err(|error| trying(error.into()))?;
    if printer.json() {
        return Ok(printer.object(&report)?);
    }
    if store.is_none() && args.given.is_empty() {
        printer.say("Nothing is taken to be here.");
    } else if printer.verbose()
        && let Some(store) = &store
    {
        printer.say(format_args!("What the store {} holds is taken to be here.", store.path().display()));
    }
    Ok(print(&report, printer)?)
}

/// Opens the store if it counts: where it is asked for, and where nothing is said.
fn store(global: &Global, args: &PlanArgs) -> Result<Option<Store>, Failure> {
    if args.given_nothing || (!args.given.is_empty() && !args.given_store) {
        return Ok(None);
    }
    let store = existing_store(global)?;
    if store.is_none() && args.given_store {
        let missing = anyhow::anyhow!("there is no store {}", root(global).display());
        return Err(Failure::new(missing).hint("--root names another; --given-nothing does without"));
    }
    Ok(store)
}

fn add(
    given: &mut Given<'_>,
    image: &Place,
    client: &Client,
    options: &PlanOptions,
    printer: &Printer,
) -> Result<(), Failure> {
    let name = &image.typed;
    let trying = |failure: Failure| failure.while_trying(format!("cannot look at {name}, which is given"));
    let source = open_source(&image.location, client).map_err(|error| trying(error.into()))?;
    let spent = given.add_image(name, &*source, options, &ReadProgress::new(printer));
    let spent = spent.map_err(|error| trying(error.into()))?;
    if spent.cached_layers > 0 {
        let layers = Count(spent.cached_layers, "layer");
        printer.say(format_args!("Of {name}, {layers} had been read before: see --no-cache."));
    }
    if printer.verbose() {
        let requests = Count(spent.requests, "request");
        printer.say(format_args!("Looking at {name} took {} in {requests}.", Bytes(spent.bytes)));
    }
    Ok(())
}

fn links(policy: &Policy) -> Vec<Cost> {
    let links = ROUND_TRIPS.iter().flat_map(|trip| BANDWIDTHS.iter().map(move |bandwidth| (trip, bandwidth)));
    let cost = |(trip, bandwidth): (&u64, &u64)| Cost {
        round_trip_us: trip * 1_000,
        bytes_per_second: bandwidth * 1_000_000,
        in_flight: policy.cost.in_flight,
    };
    links.map(cost).collect()
}

fn print(report: &PlanReport, printer: &Printer) -> Result<(), Unwritten> {
    let head = [
        "LAYER",
        "SIZE",
        "MODE",
        "FETCH",
        "REQUESTS",
        "REUSED",
        "FILES",
        "HELD",
        "TWIN",
        "ASSEMBLED",
        "FETCHED",
    ];
    let rows: Vec<_> =
        std::iter::once(head.map(str::to_owned)).chain(report.layers.iter().map(row)).collect();
    for line in columns(&rows) {
        printer.result(line)?;
    }
    for layer in &report.layers {
        if let Forecast::Whole(whole) = &layer.forecast {
            let blob = short(&layer.blob);
            printer.say(format_args!("Layer {blob} would be pulled whole: {}.", whole.why));
        }
    }
    if !report.compared.is_empty() {
        printer.result("")?;
        let head = ["ROUND TRIP", "BANDWIDTH", "FETCH", "REQUESTS"].map(str::to_owned);
        let rows = report.compared.iter().map(|compared| {
            [
                format!("{} ms", compared.cost.round_trip_us / 1_000),
                format!("{} MB/s", compared.cost.bytes_per_second / 1_000_000),
                Bytes(compared.fetched_bytes).to_string(),
                Thousands(compared.requests).to_string(),
            ]
        });
        for line in columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>()) {
            printer.result(line)?;
        }
    }
    let total = &report.total;
    let skipped = total.blob_bytes.saturating_sub(total.fetched_bytes);
    printer.result("")?;
    printer.result(format_args!(
        "Would fetch {} of {} in {}, skipping {}.",
        Bytes(total.fetched_bytes),
        Bytes(total.blob_bytes),
        Count(total.requests, "request"),
        Percent { part: skipped, whole: total.blob_bytes }
    ))
}

fn row(layer: &LayerPlan) -> [String; 11] {
    let (fetched, requests) = layer.forecast.price();
    let (reused, files) = match &layer.forecast {
        Forecast::Partial(partial) => {
            let files = partial.files;
            let counts = [files.total, files.held, files.twins, files.assembled, files.fetched];
            (Bytes(partial.reused_bytes).to_string(), counts.map(|count| Thousands(count).to_string()))
        }
        // Nobody has read what is in it.
        Forecast::Whole(_) | Forecast::Present(_) => {
            ("-".to_owned(), std::array::from_fn(|_| "-".to_owned()))
        }
    };
    let [total, held, twins, assembled, to_fetch] = files;
    [
        short(&layer.blob),
        Bytes(layer.blob_bytes).to_string(),
        layer.forecast.as_str().to_owned(),
        Bytes(fetched).to_string(),
        Thousands(requests).to_string(),
        reused,
        total,
        held,
        twins,
        assembled,
        to_fetch,
    ]
}
