//! What cargo alone does not do: `cargo xtask --help`.
//!
//! `wasm` needs rustup (the toolchain file names the target) and, for C zstd, clang; see [`clang`]. `web` needs both, and
//! Node.js with npm; see [`node`].

mod api;
mod cargo;
mod clang;
mod component;
mod node;
mod npm;
mod page;
mod sizes;

use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};

use cargo::Workspace;
use sizes::Artefact;

/// Tasks of the repository.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_version_flag = true)]
enum Task {
    /// Compare the public API of shingle-core and shingle with core/api.txt and native/api.txt.
    Api(api::Args),
    /// Build what runs in wasm hosts and browsers, into target/wasm.
    Wasm(Wasm),
    /// Build the page of `shingle inspect --web` into web-inspector/dist, from where the command is built with it.
    Web,
}

#[derive(Debug, clap::Args)]
struct Wasm {
    /// Build only this.
    #[arg(long, value_name = "FACE")]
    only: Option<Face>,
    /// Which decoder of zstd to build with; the default builds the modules of both.
    #[arg(long, value_name = "DECODER", default_value_t = Decoders::Both)]
    zstd: Decoders,
}

/// A face of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Face {
    /// The WIT component.
    Component,
    /// The npm package.
    Npm,
}

/// Which of the zstd decoders to build with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Decoders {
    /// Each in turn.
    Both,
    /// The C library, which needs clang.
    C,
    /// Pure Rust, which needs nothing.
    Rust,
}

impl fmt::Display for Decoders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Both => "both",
            Self::C => "c",
            Self::Rust => "rust",
        })
    }
}

/// One zstd decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zstd {
    C,
    Rust,
}

impl Zstd {
    /// The cargo feature that turns it on.
    const fn feature(self) -> &'static str {
        match self {
            Self::C => "c-zstd",
            Self::Rust => "ruzstd",
        }
    }

    /// What stands before `.wasm` in names of files: nothing for the default.
    const fn suffix(self) -> &'static str {
        match self {
            Self::C => "",
            Self::Rust => ".ruzstd",
        }
    }
}

impl Decoders {
    const fn list(self) -> &'static [Zstd] {
        match self {
            Self::Both => &[Zstd::C, Zstd::Rust],
            Self::C => &[Zstd::C],
            Self::Rust => &[Zstd::Rust],
        }
    }
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Api(args) => api::run(&args),
        Task::Wasm(args) => build(&args),
        Task::Web => page::run(),
    }
}

/// Builds what is asked for, each with each decoder.
fn build(&Wasm { only, zstd }: &Wasm) -> anyhow::Result<()> {
    let workspace = Workspace::here()?;
    let mut made = Vec::new();
    for zstd in zstd.list().iter().copied() {
        if only != Some(Face::Npm) {
            made.extend(component::build(&workspace, zstd)?);
        }
        if only != Some(Face::Component) {
            made.extend(npm::build(&workspace, zstd)?);
        }
    }
    report(&made, workspace.out())
}

/// Prints the sizes, and fails if one is over its budget.
#[expect(clippy::print_stdout, reason = "the one place of this program that prints")]
fn report(made: &[Artefact], out: &Path) -> anyhow::Result<()> {
    print!("{}", sizes::table(made));
    println!("in {}", out.display());
    sizes::hold(made).context("too large")
}
