//! What a suite needs of the machine, and what is said when it is not there.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// A thing that not every machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// File systems in loop devices.
    LoopDevices,
    /// podman 5.4.2 in a Debian trixie root.
    Podman,
    /// Python, which writes the tars of `scripts/mktars`.
    Python,
    /// Debian's docker-registry, and skopeo to push to it.
    Registry,
    /// To be root.
    Root,
    /// GNU time, to see how much memory a process used.
    Time,
    /// umoci, which reads OCI layouts.
    Umoci,
}

impl Need {
    fn missing(self) -> Option<&'static str> {
        let (there, what) = match self {
            Self::LoopDevices => {
                let made = ["losetup", "mkfs.ext4", "mkfs.xfs", "mkfs.btrfs"].iter().all(|tool| have(tool));
                (is_root() && made && Path::new("/dev/loop-control").exists(), "loop devices and mkfs")
            }
            Self::Podman => {
                let complete = Path::new("/var/cache/shingle-tests/trixie/.complete").exists();
                (is_root() && (complete || have("debootstrap")), "the trixie podman (root and debootstrap)")
            }
            Self::Python => (have("python3"), "python3"),
            Self::Registry => (have("docker-registry") && have("skopeo"), "docker-registry and skopeo"),
            Self::Root => (is_root(), "root"),
            Self::Time => (Path::new("/usr/bin/time").exists(), "GNU time"),
            Self::Umoci => (have("umoci"), "umoci"),
        };
        (!there).then_some(what)
    }
}

/// Whether all needs of the test `name` are met. If not, says so, and notes it where `tests/run` will look.
///
/// # Panics
/// Under `CI=true`, where nothing may be left out, when a need is not met.
#[must_use = "a test without its needs should end"]
pub fn have_all(name: &str, needs: &[Need]) -> bool {
    let missing: Vec<_> = needs.iter().filter_map(|need| need.missing()).collect();
    if missing.is_empty() {
        return true;
    }
    let line = format!("left out: {name} (needs {})", missing.join(", "));
    #[expect(clippy::print_stdout, reason = "a test that was left out must say so")]
    {
        println!("{line}");
    }
    if let Some(path) = std::env::var_os("SHINGLE_TESTS_LEFT_OUT") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        writeln!(file.unwrap(), "{line}").unwrap();
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{line}");
    false
}

/// Whether this process is root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn have(tool: &str) -> bool {
    let found = Command::new("sh").args(["-c", "command -v \"$1\"", "sh", tool]).output();
    found.is_ok_and(|output| output.status.success())
}
