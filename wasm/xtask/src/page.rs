//! `cargo xtask web`: the page of `shingle inspect --web`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{fs, io};

use anyhow::{Context as _, bail};

use crate::cargo::Workspace;
use crate::node::Node;
use crate::{Zstd, npm};

/// What the npm package is made of.
const SOURCES: [&str; 8] = [
    "core/src",
    "core/Cargo.toml",
    "wasm/src",
    "wasm/npm",
    "wasm/Cargo.toml",
    "wasm/xtask/src/npm.rs",
    "Cargo.lock",
    "rust-toolchain.toml",
];
/// What of the npm package the page takes.
const PACKAGE: [&str; 2] = ["npm/core/inspector/shingle.js", "npm/core/inspector/shingle_bg.wasm"];
/// What was installed for: a copy of the lock file.
const STAMP: &str = ".installed-for";

/// Builds the npm package and then the page, each unless it is there already.
#[expect(clippy::print_stdout, reason = "a program for the terminal")]
pub(crate) fn run() -> anyhow::Result<()> {
    let workspace = Workspace::here()?;
    let inspector = workspace.root().join("web-inspector");
    // First, because it is soon said what is missing.
    let node = Node::find(workspace.target())?;
    if is_current(&workspace)? {
        println!("{} is up to date", workspace.out().join("npm/core").display());
    } else {
        let weighed = npm::build(&workspace, Zstd::C).context("the core for the page cannot be built")?;
        drop(weighed);
    }
    install(&node, &inspector)?;
    let mut vite = node.command(inspector.join("node_modules/.bin/vite"));
    run_in(&inspector, vite.arg("build"), "vite build")?;
    let dist = inspector.join("dist");
    if !dist.join("index.html").exists() {
        bail!("vite build left no {}", dist.join("index.html").display());
    }
    println!("in {}; `cargo build` builds it into the command", dist.display());
    Ok(())
}

/// Installs what package-lock.json names, unless that was done; what somebody linked there is theirs.
fn install(node: &Node, inspector: &Path) -> anyhow::Result<()> {
    let modules = inspector.join("node_modules");
    if modules.is_symlink() {
        return Ok(());
    }
    let lock = inspector.join("package-lock.json");
    let lock = fs::read(&lock).with_context(|| format!("{}", lock.display()))?;
    if fs::read(modules.join(STAMP)).is_ok_and(|stamp| stamp == lock) {
        return Ok(());
    }
    let mut npm = node.command("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
    run_in(inspector, &mut npm, "npm ci")?;
    let stamp = modules.join(STAMP);
    fs::write(&stamp, lock).with_context(|| format!("{}", stamp.display()))
}

fn run_in(folder: &Path, command: &mut Command, what: &str) -> anyhow::Result<()> {
    let status = command.current_dir(folder).status().with_context(|| format!("{what} cannot be run"))?;
    if !status.success() {
        bail!("{what} in {} failed: {status}", folder.display());
    }
    Ok(())
}

/// Whether the npm package is newer than everything that it is made of.
fn is_current(workspace: &Workspace) -> anyhow::Result<bool> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for source in SOURCES {
        let path = workspace.root().join(source);
        newest = newest.max(changed(&path).with_context(|| format!("{}", path.display()))?);
    }
    let made = PACKAGE.map(|name| fs::metadata(workspace.out().join(name)).and_then(|made| made.modified()));
    Ok(made.into_iter().all(|made| made.is_ok_and(|made| made > newest)))
}

/// Returns when something changed last: a file, or anything below a folder.
fn changed(path: &Path) -> io::Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut left: Vec<PathBuf> = vec![path.to_owned()];
    while let Some(path) = left.pop() {
        let about = fs::symlink_metadata(&path)?;
        newest = newest.max(about.modified()?);
        if about.is_dir() {
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        }
    }
    Ok(newest)
}
