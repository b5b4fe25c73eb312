//! Runs the `shingle` command in a world of its own.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A store in a temporary directory, and the command that uses it.
#[derive(Debug)]
pub struct Shingle {
    root: PathBuf,
    home: TempDir,
    user: Option<(u32, u32)>,
}

/// What the command did.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The exit status; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its data.
    pub stdout: String,
    /// Its talk.
    pub stderr: String,
    /// The most memory it had at a time, in KiB, if that was asked for.
    pub peak: Option<u64>,
}

impl Default for Shingle {
    fn default() -> Self {
        Self::new()
    }
}

impl Shingle {
    /// A new and empty store, under the system's directory for temporary files.
    ///
    /// # Panics
    /// When there is no room for it.
    pub fn new() -> Self {
        let home = TempDir::with_prefix("shingle-tests.").unwrap();
        Self { root: home.path().join("store"), home, user: None }
    }

    /// A store in a given directory.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), ..Self::new() }
    }

    /// A new store that belongs to a user without privileges, who runs the command.
    ///
    /// # Panics
    /// When we are not root.
    pub fn as_user(uid: u32, gid: u32) -> Self {
        let shingle = Self { user: Some((uid, gid)), ..Self::new() };
        std::os::unix::fs::chown(shingle.home.path(), Some(uid), Some(gid)).unwrap();
        shingle
    }

    /// Returns the store's directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns a path beside the store, for whatever a test needs.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Returns the tree of a layer.
    pub fn tree(&self, diff_id: &str) -> PathBuf {
        self.root.join("trees").join(diff_id.trim_start_matches("sha256:"))
    }

    /// Prepares the command with arguments after `--root`.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        self.prepare(&[], arguments)
    }

    /// Runs the command to its end.
    #[must_use = "say what you expected of it"]
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Outcome {
        finish(&mut self.command(arguments), "shingle")
    }

    /// Pulls an image and returns the report.
    ///
    /// # Panics
    /// When it does not succeed.
    pub fn pull(&self, reference: &str) -> Value {
        self.run(&["pull", "--json", reference]).json()
    }

    /// Pulls an image and notes how much memory that took.
    pub fn pull_measured(&self, reference: &str) -> Outcome {
        let note = self.beside("peak");
        let watch = [OsStr::new("/usr/bin/time"), OsStr::new("-q"), OsStr::new("-f%M"), OsStr::new("-o")];
        let watch: Vec<_> = watch.into_iter().chain([note.as_os_str()]).collect();
        let mut outcome = finish(&mut self.prepare(&watch, &["pull", "--json", reference]), "shingle");
        outcome.peak = std::fs::read_to_string(&note).ok().and_then(|peak| peak.trim().parse().ok());
        outcome
    }

    fn prepare<S: AsRef<OsStr>>(&self, before: &[&OsStr], arguments: &[S]) -> Command {
        let mut line: Vec<&OsStr> = before.to_vec();
        let (uid, gid) = self.user.unwrap_or_default();
        let user = [
            "setpriv".to_owned(),
            format!("--reuid={uid}"),
            format!("--regid={gid}"),
            "--clear-groups".to_owned(),
        ];
        if self.user.is_some() {
            line.extend(user.iter().map(OsStr::new));
        }
        let binary = binary();
        line.push(binary.as_os_str());
        let mut command = Command::new(line[0]);
        command.args(&line[1..]).arg("--root").arg(&self.root).args(arguments);
        let talks = ["pull", "plan", "copy", "convert", "push"];
        if arguments.first().is_some_and(|first| talks.iter().any(|talks| first.as_ref() == *talks)) {
            // Every registry here speaks plain http.
            command.arg("--tls-verify=false");
        }
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", self.home.path());
        // Not this machine's settings.
        command
            .env("CONTAINERS_STORAGE_CONF", "/dev/null")
            .env("XDG_CACHE_HOME", self.home.path().join("cache"));
        command.env("COLUMNS", "100").stdin(Stdio::null()).current_dir("/");
        command
    }
}

impl Outcome {
    /// Asserts that it is done, and reads its data.
    ///
    /// # Panics
    /// When it is not done or the data are no JSON.
    pub fn json(self) -> Value {
        let text = self.done().stdout;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("not JSON ({error}): {text}"))
    }

    /// Asserts that it is done.
    ///
    /// # Panics
    /// When it is not.
    pub fn done(self) -> Self {
        self.ended(0)
    }

    /// Asserts that a check refused the image.
    ///
    /// # Panics
    /// When none did.
    pub fn refused(self) -> Self {
        self.ended(1)
    }

    /// Asserts that it failed for another reason than the image.
    ///
    /// # Panics
    /// When it did not.
    pub fn failed(self) -> Self {
        self.ended(2)
    }

    fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}

/// Runs a command that must succeed, and returns what it printed.
///
/// # Panics
/// When it fails.
pub fn succeed(command: &mut Command) -> String {
    let name = command.get_program().to_string_lossy().into_owned();
    let outcome = finish(command, &name);
    assert_eq!(outcome.code, Some(0), "{command:?}\nstdout: {}\nstderr: {}", outcome.stdout, outcome.stderr);
    outcome.stdout
}

/// Runs a command to its end, but no longer than two minutes.
fn finish(command: &mut Command, name: &str) -> Outcome {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.as_mut().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
    let read = |pipe: Option<Box<dyn std::io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.unwrap().read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let stdout = read(child.stdout.take().map(|pipe| Box::new(pipe) as _));
    let stderr = read(child.stderr.take().map(|pipe| Box::new(pipe) as _));
    let (done, waited) = std::sync::mpsc::channel::<()>();
    let pid = rustix::process::Pid::from_child(child);
    let watchdog = std::thread::spawn(move || {
        if waited.recv_timeout(std::time::Duration::from_secs(120))
            == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
        {
            // It may have ended just now.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    });
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    let status = child.wait().unwrap();
    drop(done);
    watchdog.join().unwrap();
    Outcome { code: status.code(), stdout, stderr, peak: None }
}

/// Finds the command: where `SHINGLE` says, or beside this test, the release build first.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("SHINGLE") {
        return path.into();
    }
    let test = std::env::current_exe().unwrap();
    let profiles = test.ancestors().nth(3).unwrap();
    let found = ["release", "debug"].map(|profile| profiles.join(profile).join("shingle"));
    let found = found.into_iter().find(|path| path.exists());
    found.expect("build the command first (cargo build --release -p shingle), or call tests/run")
}
