//! `cargo xtask api`: the public API of the libraries, as committed listings that every change of it shows up in.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use public_api::{Builder, PublicApi};

/// The libraries whose surface is kept: package, and where its listing lies below the workspace's root.
const LIBRARIES: [(&str, &str); 2] = [("shingle-core", "core/api.txt"), ("shingle", "native/api.txt")];
/// Traits that the compiler gives by itself.
const SELF_EVIDENT: [&str; 8] = [
    "core::marker::Freeze",
    "core::marker::Send",
    "core::marker::StructuralPartialEq",
    "core::marker::Sync",
    "core::marker::Unpin",
    "core::marker::UnsafeUnpin",
    "core::panic::unwind_safe::RefUnwindSafe",
    "core::panic::unwind_safe::UnwindSafe",
];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Writes the listings instead of comparing them
    #[arg(long)]
    update: bool,
}

/// Compares the listings with the code, or writes them.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("no workspace")?;
    let mut changed = Vec::new();
    for (package, path) in LIBRARIES {
        let now = listing(&rustdoc(root, package)?)?;
        let file = root.join(path);
        if args.update {
            std::fs::write(&file, now).with_context(|| format!("cannot write {}", file.display()))?;
            println!("wrote {path}");
            continue;
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        let difference = difference(&kept, &now);
        if kept == now {
            println!("{path} is what {package} has: {} items", now.lines().count());
        } else {
            println!("{path} is not what {package} has:\n{difference}");
            changed.push(path);
        }
    }
    if !changed.is_empty() {
        bail!(
            "{} must change with the code: run `cargo xtask api --update`, and commit it once you mean it",
            changed.join(" and ")
        );
    }
    Ok(())
}

/// Documents a library with all its features; returns where the description for machines is.
///
/// In the shared target directory, because a second one would compile every dependency again; cargo takes the library's
/// pages for people out of `target/doc` then, until the next `cargo doc`.
fn rustdoc(root: &Path, package: &str) -> anyhow::Result<PathBuf> {
    let target = root.join("target");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["rustdoc", "--locked", "--quiet", "--lib", "--all-features", "--package"]);
    cargo.arg(package).arg("--target-dir").arg(&target);
    cargo.args(["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"]);
    let status =
        cargo.env("RUSTDOC", root.join("wasm/xtask/rustdoc")).status().context("cannot run cargo")?;
    ensure!(status.success(), "cargo rustdoc --package {package} failed");
    Ok(target.join("doc").join(package.replace('-', "_")).with_extension("json"))
}

/// Lists the items of a library, one a line, in the order of their paths.
fn listing(description: &Path) -> anyhow::Result<String> {
    let builder = || Builder::from_rustdoc_json(description).omit_blanket_impls(true);
    let read = || format!("cannot read {}", description.display());
    let lines = |api: PublicApi| api.into_items().map(|item| item.to_string());
    let written = builder().omit_auto_derived_impls(true).omit_auto_trait_impls(true).build();
    let written: BTreeSet<String> = lines(written.with_context(read)?).collect();
    let all = lines(builder().build().with_context(read)?);
    let told = all.filter(|line| written.contains(line) || is_told(line));
    Ok(told.map(|line| line + "\n").collect())
}

/// Whether a line is told that nobody wrote: of a derived trait, that it is there, but not its functions; of `Send` and
/// `Sync`, that a type lacks them.
fn is_told(line: &str) -> bool {
    let is_of = |name: &&str| line.contains(&format!("{name} for "));
    match SELF_EVIDENT.iter().any(is_of) {
        true => line.contains("!core::marker::Sync") || line.contains("!core::marker::Send"),
        false => line.starts_with("impl"),
    }
}

/// Shows the lines that went and those that came.
fn difference(kept: &str, now: &str) -> String {
    let (before, after): (BTreeSet<_>, BTreeSet<_>) = (kept.lines().collect(), now.lines().collect());
    let gone = before.difference(&after).map(|line| format!("-{line}\n"));
    let come = after.difference(&before).map(|line| format!("+{line}\n"));
    gone.chain(come).collect()
}
