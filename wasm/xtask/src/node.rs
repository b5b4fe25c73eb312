//! A Node.js that is new enough for Vite, with npm.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// What Vite needs: of 20 from here on, and everything from 22.12.
const OLD: (u32, u32) = (20, 19);
const NEW: (u32, u32) = (22, 12);

/// Where Node.js is.
#[derive(Debug)]
pub(crate) struct Node {
    /// The folder to look in first; none where the one in `PATH` will do.
    folder: Option<PathBuf>,
}

impl Node {
    /// Finds a Node.js, and brings one into `target` where the one that is there is too old.
    pub(crate) fn find(target: &Path) -> anyhow::Result<Self> {
        let here = Self { folder: None };
        here.has_npm()?;
        let found = here.version();
        if found.as_deref().is_some_and(suits) {
            return Ok(here);
        }
        let prefix = target.join("node");
        let brought = Self { folder: Some(prefix.join("node_modules/.bin")) };
        if brought.version().as_deref().is_some_and(suits) {
            return Ok(brought);
        }
        // The package `node` is the program itself, for this machine.
        let mut npm = here.command("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"]).arg(&prefix).arg("node@22");
        let fetched = npm.status().is_ok_and(|status| status.success());
        if fetched && brought.version().as_deref().is_some_and(suits) {
            return Ok(brought);
        }
        let found = found.unwrap_or_else(|| "none".to_owned());
        bail!("{}\nFound: {found}; and `npm install node@22` brought none.", needed())
    }

    /// A program beside Node.js, or one that is run by it.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        if let Some(folder) = &self.folder {
            let rest = env::var_os("PATH").unwrap_or_default();
            let paths = std::iter::once(folder.clone()).chain(env::split_paths(&rest));
            command.env("PATH", env::join_paths(paths).unwrap_or_else(|_odd_name| OsString::from(folder)));
        }
        command
    }

    fn version(&self) -> Option<String> {
        let program =
            self.folder.as_ref().map_or_else(|| PathBuf::from("node"), |folder| folder.join("node"));
        let said = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
        said.status.success().then(|| String::from_utf8_lossy(&said.stdout).trim().to_owned())
    }

    fn has_npm(&self) -> anyhow::Result<()> {
        let said = self.command("npm").arg("--version").stdin(Stdio::null()).output();
        said.ok().filter(|said| said.status.success()).map(|_said| ()).with_context(needed)
    }
}

fn needed() -> String {
    "the page is built with Node.js (20.19, 22.12 or newer) and its npm, and they were not found.\n\
     Debian and Ubuntu: apt-get install nodejs npm; Fedora: dnf install nodejs npm; macOS: brew install node.\n\
     Where Node.js is older, `npm install node@22` brings a newer one below target/node."
        .to_owned()
}

/// Whether Vite runs on a version, as `node --version` has it: `v22.12.0`.
fn suits(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return false };
    (major, minor) >= NEW || (major == OLD.0 && minor >= OLD.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_vite_does() {
        for (version, expected) in [
            ("v20.20.2", true),
            ("v20.19.0", true),
            ("v20.18.9", false),
            ("v18.20.0", false),
            ("v21.9.0", false),
            ("v22.11.0", false),
            ("v22.12.0", true),
            ("v24.0.0", true),
            ("", false),
            ("22", false),
        ] {
            assert_eq!(suits(version), expected, "{version}");
        }
    }
}
