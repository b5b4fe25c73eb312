//! Finds the page that `shingle inspect --web` serves, and writes a list of its files for `src/web/page.rs`.
//!
//! The page is what `cargo xtask web` leaves in `web-inspector/dist`, or what is in `$SHINGLE_WEB_DIST`. Without one the list
//! is empty, and the command says so when it is asked for the page.

#![expect(clippy::disallowed_methods, reason = "a program that builds reads and writes where it is told to")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SHINGLE_WEB_DIST");
    let mut list = String::from("&[\n");
    if let Some(dist) = env::var_os("CARGO_FEATURE_WEB").and_then(|_wanted| dist()) {
        println!("cargo::rerun-if-changed={}", dist.display());
        let mut files = Vec::new();
        walk(&dist, "", &mut files)?;
        files.sort();
        for (name, path) in files {
            // Both as Rust writes strings.
            let _ = writeln!(list, "    ({name:?}, include_bytes!({:?})),", path.display().to_string());
        }
    }
    list.push_str("]\n");
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(out.join("page.rs"), list)
}

/// Returns where the page is, or will be.
fn dist() -> Option<PathBuf> {
    if let Some(named) = env::var_os("SHINGLE_WEB_DIST").filter(|named| !named.is_empty()) {
        return Some(named.into());
    }
    let inspector = Path::new(&env::var_os("CARGO_MANIFEST_DIR")?).join("../web-inspector");
    if !inspector.join("package.json").exists() {
        return None;
    }
    // Of a directory that is not there, cargo could not tell when it is: it would build everything anew each time.
    let dist = inspector.join("dist");
    fs::create_dir_all(&dist).ok()?;
    dist.canonicalize().ok()
}

/// Lists the files below a directory, each with its name from there.
fn walk(directory: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", directory.display()));
    for entry in fs::read_dir(directory).map_err(named)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        let Ok(name) = entry.file_name().into_string() else { continue };
        let name = format!("{prefix}{name}");
        if kind.is_dir() {
            walk(&path, &format!("{name}/"), files)?;
        } else if kind.is_file() {
            files.push((name, path));
        }
    }
    Ok(())
}
