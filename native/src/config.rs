//! What podman's storage.conf says about pulling.
//!
//! Found as podman 5 finds it. One file counts, nothing is merged, and a file that is not there is fine:
//!
//! | who | files, the first that is there counts |
//! |---|---|
//! | anybody with `CONTAINERS_STORAGE_CONF` | the file it names, `/usr/share/containers/storage.conf` |
//! | root | `/etc/containers/storage.conf`, `/usr/share/containers/storage.conf` |
//! | others | `$XDG_CONFIG_HOME/containers/storage.conf` (without the variable `~/.config/containers/storage.conf`), then as root |
//!
//! Only `[storage.options.pull_options]` is read. Its values are strings, of which `"true"` in any case is true and every
//! other is false, as for podman:
//!
//! | key | here |
//! |---|---|
//! | `convert_images` | true: `--convert` |
//! | `use_hard_links` | true: `--link-mode hardlink`. False is what distributions ship and what podman does unasked, so it asks for nothing: hard links that only the link count shows stay |
//! | `insecure_allow_unpredictable_image_contents` | true: `--trust toc` |
//! | `enable_partial_images` | false is ignored: pulling by file is what this program is for |
//!
//! Unlike podman, which says that it cannot read a broken file and goes on without, a broken file is an error here. The
//! parser follows TOML 1.1, podman's 1.0: a file with the few additions of 1.1 is read here and not there. The drop-in
//! directories of podman 6 (`storage.conf.d`) are not read.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::File;
use serde::Deserialize;
use shingle_core::LinkMode;

/// What the file may measure; podman's own has 10 KiB, nearly all of it comments.
const LIMIT: u64 = 1 << 20;
const ETC: &str = "/etc/containers/storage.conf";
const USR: &str = "/usr/share/containers/storage.conf";

/// The pull options of storage.conf; `None` where the file does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullConfig {
    /// The file that was read; `None` when there is none.
    pub path: Option<PathBuf>,
    /// `convert_images`: whether the chunks of plain layers are indexed.
    pub convert: Option<bool>,
    /// What `use_hard_links` comes to, if it is true.
    pub link_mode: Option<LinkMode>,
    /// `insecure_allow_unpredictable_image_contents`: whether a layer may be proven by its TOC alone.
    pub trust_toc: Option<bool>,
    /// `enable_partial_images`, which is only taken note of.
    pub partial: Option<bool>,
}

/// A storage.conf that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It is there, but cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not what podman's documentation describes.
    #[error("{}, line {line}: {problem}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where in it, from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// It is too long to be one.
    #[error("{} is longer than {limit} bytes", .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
}

impl ConfigError {
    /// Returns what the user can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Syntax { problem, .. } if problem.contains("expected a string") => {
                "the values of pull_options are strings: write \"true\" with its quotes"
            }
            Self::Read { .. } | Self::Syntax { .. } | Self::TooLong { .. } => {
                "correct the file, or name another one in CONTAINERS_STORAGE_CONF"
            }
        }
    }
}

impl PullConfig {
    /// Reads the file that podman would read for whoever runs this.
    ///
    /// # Errors
    /// There is one, and it cannot be read or understood.
    pub fn load() -> Result<Self, ConfigError> {
        Self::first_of(&Environment::of_process().candidates())
    }

    /// Reads the first of some files that is there.
    fn first_of(candidates: &[PathBuf]) -> Result<Self, ConfigError> {
        for path in candidates {
            if let Some(text) = read(path)? {
                return Self::parse(path, &text);
            }
        }
        Ok(Self::default())
    }

    fn parse(path: &Path, text: &[u8]) -> Result<Self, ConfigError> {
        let syntax = |at: usize, problem: String| {
            let line = text.iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
            ConfigError::Syntax { path: path.to_owned(), line, problem }
        };
        let text = str::from_utf8(text).map_err(|error| syntax(error.valid_up_to(), "not UTF-8".into()))?;
        let file: Document = toml::from_str(text).map_err(|error| {
            // Only what is wrong: the line that the parser quotes may be long, and the place is said by us.
            let words = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
            syntax(error.span().map_or(0, |span| span.start), words)
        })?;
        let options = file.storage.options.pull_options;
        let is = |key| options.get(key).map(|value: &String| value.eq_ignore_ascii_case("true"));
        Ok(Self {
            path: Some(path.to_owned()),
            convert: is("convert_images"),
            link_mode: is("use_hard_links").unwrap_or(false).then_some(LinkMode::Hardlink),
            trust_toc: is("insecure_allow_unpredictable_image_contents"),
            partial: is("enable_partial_images"),
        })
    }
}

/// The file as far as it is read here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    storage: Storage,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Storage {
    options: Options,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    pull_options: BTreeMap<String, String>,
}

/// Who runs this, as far as it says where the file lies.
#[derive(Clone, Debug, Default)]
struct Environment {
    root: bool,
    storage_conf: Option<OsString>,
    config_home: Option<OsString>,
    home: Option<OsString>,
}

impl Environment {
    fn of_process() -> Self {
        Self {
            root: rustix::process::geteuid().is_root(),
            storage_conf: std::env::var_os("CONTAINERS_STORAGE_CONF"),
            config_home: std::env::var_os("XDG_CONFIG_HOME"),
            home: std::env::var_os("HOME"),
        }
    }

    /// Returns where the file may lie, best place first.
    fn candidates(&self) -> Vec<PathBuf> {
        let mut candidates = Vec::new();
        if let Some(named) = &self.storage_conf {
            // It stands for the administrator's file, and for the user's.
            candidates.extend([named.into(), USR.into()]);
            return candidates;
        }
        if !self.root {
            let given = |value: &Option<OsString>| value.clone().filter(|value| !value.is_empty());
            let home = || given(&self.home).map(|home| PathBuf::from(home).join(".config"));
            let base = given(&self.config_home).map(PathBuf::from).or_else(home);
            candidates.extend(base.map(|base| base.join("containers/storage.conf")));
        }
        candidates.extend([ETC.into(), USR.into()]);
        candidates
    }
}

/// Reads a file; `None` when it is not there.
fn read(path: &Path) -> Result<Option<Vec<u8>>, ConfigError> {
    let failed = |source| ConfigError::Read { path: path.to_owned(), source };
    let file = match File::open_ambient(path, ambient_authority()) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut text = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut text).map_err(failed)?;
    if crate::length(&text) > LIMIT {
        return Err(ConfigError::TooLong { path: path.to_owned(), limit: LIMIT });
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_are_podmans() {
        let (named, xdg) = (Some("/named".into()), Some("/xdg".into()));
        let home = Some("/home/a".into());
        let empty = Some(OsString::new());
        for (root, storage_conf, config_home, home, expected) in [
            (true, None, xdg.clone(), home.clone(), vec![ETC, USR]),
            (true, named.clone(), None, None, vec!["/named", USR]),
            (false, named, xdg.clone(), home.clone(), vec!["/named", USR]),
            (false, None, xdg, home.clone(), vec!["/xdg/containers/storage.conf", ETC, USR]),
            (false, None, None, home.clone(), vec!["/home/a/.config/containers/storage.conf", ETC, USR]),
            (false, None, empty.clone(), home, vec!["/home/a/.config/containers/storage.conf", ETC, USR]),
            (false, None, None, empty, vec![ETC, USR]),
        ] {
            let environment = Environment { root, storage_conf, config_home, home };
            let expected: Vec<_> = expected.into_iter().map(PathBuf::from).collect();
            assert_eq!(environment.candidates(), expected, "{environment:?}");
        }
    }

    #[test]
    fn the_first_file_that_is_there_counts_alone() {
        let dir = tempfile::tempdir().unwrap();
        let [first, second, third] = ["1", "2", "3"].map(|name| dir.path().join(name));
        let put = |path: &Path, text: &str| {
            let mut file = File::create_ambient(path, ambient_authority()).unwrap();
            io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        };
        let all = [first.clone(), second.clone(), third.clone()];
        assert_eq!(PullConfig::first_of(&all).unwrap(), PullConfig::default());
        put(&third, "[storage.options.pull_options]\nconvert_images = \"true\"\nuse_hard_links = \"true\"");
        let config = PullConfig::first_of(&all).unwrap();
        assert_eq!((config.path, config.convert), (Some(third), Some(true)));
        put(&second, "[storage.options.pull_options]\nconvert_images = \"false\"");
        let config = PullConfig::first_of(&all).unwrap();
        assert_eq!((config.path, config.convert, config.link_mode), (Some(second), Some(false), None));
        put(&first, "");
        let config = PullConfig::first_of(&all).unwrap();
        assert_eq!((config.path.as_deref(), config.convert), (Some(&*first), None));
        put(&first, &"#".repeat(1 << 20));
        PullConfig::first_of(&all).unwrap();
        put(&first, &"#".repeat((1 << 20) + 1));
        assert!(matches!(PullConfig::first_of(&all), Err(ConfigError::TooLong { .. })));
        let directory = PullConfig::first_of(&[dir.path().to_owned()]);
        assert!(matches!(directory, Err(ConfigError::Read { .. })));
    }

    #[test]
    fn values_are_strings_and_only_true_is_true() {
        let fedora = r#"
[storage]
driver = "overlay"
[storage.options]
additionalimagestores = []
pull_options = {enable_partial_images = "true", use_hard_links = "false", ostree_repos=""}
"#;
        let config = |text: &str| PullConfig::parse(Path::new("a"), text.as_bytes()).unwrap();
        let shipped = config(fedora);
        assert_eq!((shipped.partial, shipped.link_mode), (Some(true), None));
        assert_eq!((shipped.convert, shipped.trust_toc), (None, None));
        for (value, expected) in
            [("true", true), ("TRUE", true), ("false", false), ("1", false), ("yes", false), ("", false)]
        {
            let text = [
                "convert_images",
                "use_hard_links",
                "insecure_allow_unpredictable_image_contents",
                "enable_partial_images",
            ]
            .map(|key| format!("{key} = \"{value}\""));
            let config = config(&format!("[storage.options.pull_options]\n{}", text.join("\n")));
            let mode = expected.then_some(LinkMode::Hardlink);
            let said = (config.convert, config.trust_toc, config.partial);
            assert_eq!(said, (Some(expected), Some(expected), Some(expected)), "{value}");
            assert_eq!(config.link_mode, mode, "{value}");
        }
        for nothing in ["", "# only this", "[storage]", "[storage.options]", "[other]\nstorage = 1"] {
            assert_eq!(config(nothing), PullConfig { path: Some("a".into()), ..PullConfig::default() });
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, expected) in [
            ("[storage\n", "a/storage.conf, line 1: "),
            ("[storage]\n\ndriver = overlay\n", "a/storage.conf, line 3: "),
            (
                "[storage.options.pull_options]\nconvert_images = true\n",
                "a/storage.conf, line 2: invalid type: boolean `true`, expected a string",
            ),
            ("[storage]\noptions = 1\n", "a/storage.conf, line 2: invalid type: integer `1`, expected "),
            ("[storage]\ndriver = \"a\"\ndriver = \"b\"\n", "a/storage.conf, line 3: duplicate key"),
            ("\n\n\n\u{0}", "a/storage.conf, line 4: "),
        ] {
            let error = PullConfig::parse(Path::new("a/storage.conf"), text.as_bytes()).unwrap_err();
            let said = error.to_string();
            assert!(said.starts_with(expected) && said.len() > expected.len().min(25), "{said}");
            assert!(!said.contains('\n'), "{said}");
            assert_eq!(error.hint().contains("quotes"), said.contains("expected a string"), "{said}");
        }
        let error = PullConfig::parse(Path::new("a"), b"ok = 1\nbad = \"\xff\"").unwrap_err();
        assert_eq!(error.to_string(), "a, line 2: not UTF-8");
    }
}
