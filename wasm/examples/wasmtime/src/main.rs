//! `shingle-wasmtime-host`: plans and pulls images with the component `shingle:core`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use shingle_wasmtime_host::{Bounds, Guest, Objects, Trust, bench, plan, pull};

/// Pulls container images by file. This program reads and writes; a WebAssembly component decides and proves.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    component: ComponentArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct ComponentArgs {
    /// The component.
    #[arg(long, value_name = "FILE", default_value = "target/wasm/shingle_core.wasm")]
    component: PathBuf,
    /// Keep machine code in this directory, which nobody else may be able to write to.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// How long one call of the component may run.
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    call_time: u64,
    /// How long all calls together may run.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    time: u64,
    /// How much memory the component may have.
    #[arg(long, value_name = "MIB", default_value_t = 512)]
    memory: usize,
    /// How many instructions it may run; counting them takes time.
    #[arg(long, value_name = "UNITS")]
    fuel: Option<u64>,
    /// Say on standard error what the component took.
    #[arg(long)]
    verbose: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Time the core on the first layer of an image, and print milliseconds as JSON.
    Bench {
        /// The image: `oci:DIR[:TAG]`.
        image: String,
        /// How often; the best time of each step counts.
        #[arg(default_value_t = 3)]
        runs: u32,
    },
    /// Print what a pull would fetch, as JSON.
    Plan {
        /// The image: `oci:DIR[:TAG]` or `http://HOST:PORT/REPOSITORY:TAG`.
        image: String,
        /// An image that is held already; may be given several times.
        #[arg(long, value_name = "IMAGE")]
        given: Vec<String>,
        /// Accepted for likeness with `shingle plan`; JSON is all there is.
        #[arg(long)]
        json: bool,
        /// Print the ranges, and where each file comes from, too.
        #[arg(long)]
        full: bool,
        /// How far layers must be proven.
        #[arg(long, value_enum, default_value = "diffid")]
        trust: Rung,
    },
    /// Pull into a directory of objects, and print what was fetched.
    Pull {
        /// The image: `oci:DIR[:TAG]` or `http://HOST:PORT/REPOSITORY:TAG`.
        image: String,
        /// The directory.
        #[arg(long, value_name = "DIR")]
        store: PathBuf,
        /// How far layers must be proven.
        #[arg(long, value_enum, default_value = "diffid")]
        trust: Rung,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Rung {
    /// By the DiffID in the image's config.
    #[value(name = "diffid")]
    DiffId,
    /// By the digest of the table of contents.
    #[value(name = "toc")]
    Toc,
}

impl From<Rung> for Trust {
    fn from(rung: Rung) -> Self {
        match rung {
            Rung::DiffId => Self::DiffId,
            Rung::Toc => Self::Toc,
        }
    }
}

#[expect(clippy::print_stderr, reason = "the program's only words for people")]
fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the program's output")]
fn run(cli: Cli) -> Result<()> {
    let args = cli.component;
    let benched = matches!(cli.command, Command::Bench { .. });
    let bounds = Bounds {
        call: Duration::from_secs(args.call_time),
        all: Duration::from_secs(args.time),
        // A bench asks how much memory it takes.
        memory: if benched {
            usize::MAX
        } else {
            args.memory.checked_mul(1 << 20).context("--memory is too large")?
        },
        fuel: args.fuel,
    };
    let begun = Instant::now();
    let guest = Guest::load(&args.component, args.cache.as_deref(), bounds)?;
    let loaded = begun.elapsed();
    let mut core = guest.start()?;
    let report = match cli.command {
        Command::Bench { image, runs } => bench(&mut core, &image, runs).and_then(|times| json(&times)),
        Command::Plan { image, given, json: _, full, trust } => {
            plan(&mut core, &image, &given, trust.into(), full).and_then(|report| json(&report))
        }
        Command::Pull { image, store, trust } => {
            let objects = Objects::open(&store)?;
            pull(&mut core, &image, &objects, trust.into()).and_then(|report| json(&report))
        }
    };
    if args.verbose {
        let spent = core.spent();
        eprintln!(
            "Loaded the component in {loaded:.2?}; {} calls took {:.2?}; it has {} KiB of memory; {:.2?} in all.",
            spent.calls,
            spent.time,
            spent.memory >> 10,
            begun.elapsed(),
        );
    }
    println!("{}", report?);
    Ok(())
}

fn json(report: &impl serde::Serialize) -> Result<String> {
    Ok(serde_json::to_string(report)?)
}
