//! The registry client against a registry that misbehaves.

#![allow(clippy::disallowed_methods, reason = "a test reads the fixtures it names")]
#![allow(clippy::unwrap_used, reason = "a test that goes wrong should panic")]

mod auth;
mod blob;
mod faults;
mod manifest;
mod upload;

use std::path::PathBuf;
use std::time::Duration;

use shingle::loopback::{Content, Faults, Loopback};
use shingle::registry::{
    Blob, BlobBody, Client, ClientOptions, Fault, Platform, Reference, RegistryError, ResolvedImage,
};
use shingle_core::Digest;
use shingle_core::http::Backoff;

/// A registry with one podman image, and a client with no patience.
struct Scene {
    registry: Loopback,
    client: Client,
    reference: Reference,
}

impl Scene {
    fn zoo() -> Self {
        Self::with(Content::from_layout(&layout("podman-5.8")).unwrap())
    }

    fn with(content: Content) -> Self {
        Self::patient(content, 5)
    }

    fn patient(content: Content, attempts: u32) -> Self {
        let registry = Loopback::start(content).unwrap();
        let reference = registry.reference("some/zoo:zoo").parse().unwrap();
        Self { registry, client: Client::new(options(attempts)).unwrap(), reference }
    }

    fn misbehaving(faults: Faults) -> Self {
        let scene = Self::zoo();
        scene.registry.misbehave(faults);
        scene
    }

    fn image(&self) -> Result<ResolvedImage, RegistryError> {
        self.client.fetch_manifest(&self.reference, &Platform::host())
    }

    /// The one layer, with its bytes as they should arrive.
    fn layer(&self) -> (Blob, Vec<u8>) {
        let digest: Digest =
            "sha256:0306b1830c52cf89dc10748a1d15ecdc00138069de068da02b97c5e7e9abe9b7".parse().unwrap();
        let path = layout("podman-5.8").join("blobs/sha256").join(digest.to_hex());
        let bytes = std::fs::read(path).unwrap();
        (self.client.blob(&self.reference, digest, u64::try_from(bytes.len()).unwrap()), bytes)
    }

    /// The paths asked for so far that are blobs', wherever they lie.
    fn blob_statuses(&self) -> Vec<u16> {
        let log = self.registry.log();
        log.iter().filter(|line| line.path.contains("sha256:")).map(|line| line.status).collect()
    }
}

fn options(attempts: u32) -> ClientOptions {
    let mut options = ClientOptions::default();
    options.tls_verify = false;
    options.timeouts.stall = Duration::from_millis(200);
    options.backoff = Backoff { attempts, first: Duration::from_millis(1), cap: Duration::from_millis(5) };
    options
}

fn layout(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/zoo").join(name)
}

fn drain(body: &mut BlobBody) -> Result<Vec<u8>, RegistryError> {
    let mut all = Vec::new();
    while let Some(bytes) = body.next_bytes()? {
        all.extend_from_slice(&bytes);
    }
    Ok(all)
}

/// Fails unless the error is of this kind, and returns what a user would read.
#[track_caller]
fn message(error: &RegistryError, kind: fn(&Fault) -> bool) -> String {
    assert!(kind(&error.fault), "{error:?}");
    error.to_string()
}
