//! What cargo alone does not do: `cargo xtask --help`.

mod api;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Compares the public API of shingle-core and shingle with core/api.txt and native/api.txt
    Api(api::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Api(args) => api::run(&args),
    }
}
