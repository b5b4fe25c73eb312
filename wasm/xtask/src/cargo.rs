//! The workspace, and cargo run in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, bail};

use crate::{Zstd, clang};

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm";

/// Where things are.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    out: PathBuf,
}

impl Workspace {
    /// Finds the workspace that this program was built in.
    pub(crate) fn here() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        let root = root.context("wasm/xtask is not in a workspace")?.to_owned();
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        let out = target.join("wasm");
        fs::create_dir_all(&out).with_context(|| format!("{}", out.display()))?;
        Ok(Self { root, target, out })
    }

    /// The workspace's own folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where everything that is built goes.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Where results go.
    pub(crate) fn out(&self) -> &Path {
        &self.out
    }

    /// Builds shingle-wasm with these features and this decoder, and returns the module.
    pub(crate) fn module(&self, features: &[&str], zstd: Zstd) -> anyhow::Result<Vec<u8>> {
        let features = [features, &[zstd.feature()]].concat().join(",");
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).args(["build", "--package", "shingle-wasm", "--lib"]);
        cargo.args([
            "--profile",
            PROFILE,
            "--target",
            TARGET,
            "--no-default-features",
            "--features",
            &features,
        ]);
        // SHA-256 is what a pull in wasm waits for, and simd128, which all browsers since 2023 and all hosts have, does
        // it faster.
        cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-C target-feature=+simd128");
        if zstd == Zstd::C {
            clang::set(&mut cargo)?;
        }
        let status = cargo.status().context("cargo cannot be run")?;
        if !status.success() {
            bail!("cargo build of shingle-wasm with {features} failed: {status}");
        }
        let module = self.target.join(TARGET).join(PROFILE).join("shingle_wasm.wasm");
        fs::read(&module).with_context(|| format!("{}", module.display()))
    }

    /// Makes an empty folder for results.
    pub(crate) fn clear(&self, name: &str) -> anyhow::Result<()> {
        let path = self.out.join(name);
        if path.exists() {
            fs::remove_dir_all(&path).with_context(|| format!("{}", path.display()))?;
        }
        fs::create_dir_all(&path).with_context(|| format!("{}", path.display()))
    }

    /// Writes a result.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.out.join(name);
        fs::write(&path, bytes).with_context(|| format!("{}", path.display()))
    }
}
