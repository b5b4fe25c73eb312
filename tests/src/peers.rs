//! The peers: a real registry, file systems in files, the reference implementation.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use crate::cli::succeed;
use crate::here;

/// A running docker-registry; stops when dropped.
#[derive(Debug)]
pub struct Registry {
    dir: TempDir,
    port: u16,
}

impl Registry {
    /// Starts an empty registry on a free port.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start() -> Self {
        let dir = TempDir::with_prefix("shingle-registry.").unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        succeed(script("registry").arg("start").arg(dir.path()).arg(port.to_string()));
        Self { dir, port }
    }

    /// Returns the reference of an image here.
    pub fn reference(&self, image: &str) -> String {
        format!("127.0.0.1:{}/{image}", self.port)
    }

    /// Returns a place in the registry's log: everything so far is before it.
    ///
    /// # Panics
    /// When the log cannot be read.
    pub fn mark(&self) -> u64 {
        succeed(script("registry").arg("mark").arg(self.dir.path())).trim().parse().unwrap()
    }

    /// Returns how many bytes of blobs were sent after a place in the log.
    ///
    /// # Panics
    /// When the log cannot be read.
    pub fn blob_bytes_since(&self, mark: u64) -> u64 {
        let counts = succeed(script("registry").arg("bytes").arg(self.dir.path()).arg(mark.to_string()));
        let counts: serde_json::Value = serde_json::from_str(&counts).unwrap();
        counts["blob_bytes"].as_u64().unwrap()
    }

    /// Pushes a tag of an OCI layout as it is.
    ///
    /// # Panics
    /// When skopeo fails.
    pub fn push(&self, layout: &Path, tag: &str, image: &str) {
        let from = format!("oci:{}:{tag}", layout.display());
        let to = format!("docker://{}", self.reference(image));
        let mut skopeo = Command::new("skopeo");
        // skopeo would otherwise gzip what is not compressed.
        skopeo.args([
            "copy",
            "--quiet",
            "--insecure-policy",
            "--preserve-digests",
            "--dest-tls-verify=false",
        ]);
        succeed(skopeo.args([from, to]));
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(script("registry").arg("stop").arg(self.dir.path()).status());
    }
}

/// A file system in a file; goes away when dropped.
#[derive(Debug)]
pub struct LoopFs {
    mount: PathBuf,
    _dir: TempDir,
}

impl LoopFs {
    /// Makes an empty `ext4`, `xfs` or `btrfs` and mounts it.
    ///
    /// # Panics
    /// When that fails.
    pub fn make(kind: &str) -> Self {
        let dir = TempDir::with_prefix("shingle-loopfs.").unwrap();
        let mount = dir.path().join("mnt");
        succeed(script("loopfs").args(["make", kind]).arg(dir.path().join("img")).arg(&mount).arg("2G"));
        Self { mount, _dir: dir }
    }

    /// Returns where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mount
    }
}

impl Drop for LoopFs {
    fn drop(&mut self) {
        drop(script("loopfs").arg("drop").arg(&self.mount).status());
    }
}

/// Waits until podman's one store is nobody else's: tests run at the same time, and remove images.
pub fn podmans_store() -> MutexGuard<'static, ()> {
    static STORE: Mutex<()> = Mutex::new(());
    STORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prepares one of our scripts.
pub fn script(name: &str) -> Command {
    Command::new(here("scripts").join(name))
}
