//! The client: its options, its runtime, and where each registry is reached.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::num::NonZero;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use shingle_core::Digest;
use shingle_core::http::Backoff;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OnceCell, Semaphore};

use super::auth::Tokens;
use super::error::TransportError;
use super::{Asked, Blob, BlobDescriptor, Fault, Platform, Reference, RegistryError, ResolvedImage};

/// How to talk to registries.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientOptions {
    /// Whether to insist on https and a valid certificate. Without it any certificate will do, and plain http where
    /// https finds nobody: what `podman --tls-verify=false` does. Even this machine's own ports need it for http.
    pub tls_verify: bool,
    /// What to call ourselves.
    pub user_agent: String,
    /// How many blob bodies may be open at once. Opening one more waits, so one thread should not hold several.
    pub max_in_flight: usize,
    /// The most bytes of a blob that one request uploads. A blob that is no longer goes up in one piece, as podman does
    /// it; not every registry knows pieces.
    pub upload_piece: u64,
    /// A layer that is still being written is uploaded in pieces of at least so many bytes; one that is shorter, only
    /// when it is written. `None` for all of them.
    pub upload_ahead: Option<NonZero<u64>>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// When to try again.
    pub backoff: Backoff,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            tls_verify: true,
            user_agent: concat!("shingle/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_in_flight: 16,
            upload_piece: 256 << 20,
            upload_ahead: NonZero::new(16 << 20),
            timeouts: Timeouts::default(),
            backoff: Backoff { attempts: 5, first: Duration::from_millis(500), cap: Duration::from_secs(60) },
        }
    }
}

/// How long to wait for a server. Nothing bounds a whole transfer, only silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// From the request to the answer's headers.
    pub answer: Duration,
    /// Between two pieces of a body.
    pub stall: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            // A pull-through cache may fetch the whole blob before it answers.
            answer: Duration::from_secs(60),
            stall: Duration::from_secs(30),
        }
    }
}

/// A client for any number of registries; cheap to clone, shared by threads.
///
/// Its calls block, so they must not be made from inside an asynchronous runtime.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) shared: Arc<Shared>,
}

impl Client {
    /// Starts a client with its own runtime; touches no network.
    ///
    /// Makes ring the process's default provider of cryptography for rustls, unless one was chosen before.
    ///
    /// # Errors
    /// No thread can be started, or no certificate authorities are found.
    pub fn new(options: ClientOptions) -> Result<Self, ClientError> {
        // Fails when the embedding program already chose a provider, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let build = |direct: bool| {
            let builder = reqwest::Client::builder()
                .user_agent(&options.user_agent)
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(options.timeouts.connect)
                .tls_danger_accept_invalid_certs(!options.tls_verify)
                .pool_max_idle_per_host(options.max_in_flight.max(1));
            let builder = if direct { builder.no_proxy() } else { builder };
            builder.build().map_err(|source| ClientError::Tls { source: TransportError::new(source) })
        };
        let (proxied, direct) = (build(false)?, build(true)?);
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("shingle-net")
            .enable_all()
            .build()
            .map_err(|source| ClientError::Runtime { source })?;
        Ok(Self {
            shared: Arc::new(Shared {
                handle: runtime.handle().clone(),
                runtime: Some(runtime),
                proxied,
                direct,
                permits: Arc::new(Semaphore::new(options.max_in_flight.clamp(1, Semaphore::MAX_PERMITS))),
                tokens: Tokens::default(),
                answered: AtomicBool::new(false),
                schemes: Mutex::default(),
                options,
            }),
        })
    }

    /// Fetches the manifest and the config of an image, checked against their digests; of an index, the image for
    /// `platform`.
    ///
    /// # Errors
    /// The registry does not give them, they are not what their digests or sizes say, or make no image for `platform`
    /// that can be pulled; [`RegistryError::is_refusal`] and [`is_gone`](RegistryError::is_gone) tell these apart.
    pub fn fetch_manifest(
        &self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<ResolvedImage, RegistryError> {
        self.shared.handle.block_on(super::image::resolve(&self.shared, reference, platform))
    }

    /// Fetches what a reference names, manifest or index, of `size` bytes if that is known; checked against its digest.
    pub(crate) fn fetch_document(
        &self,
        reference: &Reference,
        size: Option<u64>,
    ) -> Result<crate::transport::Document, RegistryError> {
        self.shared.handle.block_on(super::image::document(&self.shared, reference, size))
    }

    /// Fetches a manifest, and of that only what it says of its layers: for blobs that belong to no image to run.
    ///
    /// # Errors
    /// The registry does not give it, or it is no manifest.
    pub fn fetch_blobs_of(&self, reference: &Reference) -> Result<Vec<BlobDescriptor>, RegistryError> {
        self.shared.handle.block_on(super::image::blobs_of(&self.shared, reference))
    }

    /// Names a blob in `reference`'s repository, `size` bytes long by its descriptor; touches no network.
    pub fn blob(&self, reference: &Reference, digest: Digest, size: u64) -> Blob {
        Blob::new(self.clone(), reference.clone(), digest, size)
    }
}

/// A client that could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No threads, or no way to wait for sockets.
    #[error("cannot start the network threads")]
    Runtime {
        /// The system's complaint.
        source: io::Error,
    },
    /// Usually: no certificate authorities are installed here.
    #[error("cannot set up TLS; are certificate authorities (ca-certificates) installed?")]
    Tls {
        /// The library's complaint.
        source: TransportError,
    },
}

/// What all clones of a client share.
pub(super) struct Shared {
    pub(super) options: ClientOptions,
    pub(super) handle: Handle,
    pub(super) permits: Arc<Semaphore>,
    pub(super) tokens: Tokens,
    /// Whether anybody answered yet.
    pub(super) answered: AtomicBool,
    /// `None` only while being dropped.
    runtime: Option<Runtime>,
    proxied: reqwest::Client,
    direct: reqwest::Client,
    schemes: Mutex<HashMap<String, Arc<OnceCell<&'static str>>>>,
}

impl Shared {
    /// Returns the root of the registry's interface: `https://HOST/v2/`.
    pub(super) async fn root(&self, asked: &Asked, host: &str) -> Result<Url, RegistryError> {
        let cell = {
            let mut schemes = self.schemes.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(schemes.entry(host.to_owned()).or_default())
        };
        let scheme = cell.get_or_try_init(|| self.scheme(asked, host)).await?;
        parse(asked, scheme, host)
    }

    async fn scheme(&self, asked: &Asked, host: &str) -> Result<&'static str, RegistryError> {
        if self.options.tls_verify {
            return Ok("https");
        }
        let mut failure = None;
        for scheme in ["https", "http"] {
            let url = parse(asked, scheme, host)?;
            let probe = self.http(&url).get(url).send();
            match tokio::time::timeout(self.options.timeouts.answer, probe).await {
                Ok(Ok(_any_answer)) => return Ok(scheme),
                Ok(Err(source)) => failure = Some(Fault::Connection { source: TransportError::new(source) }),
                Err(_elapsed) => failure = Some(Fault::Stalled { waited: self.options.timeouts.answer }),
            }
        }
        let waited = self.options.timeouts.answer;
        Err(RegistryError::new(asked, failure.unwrap_or(Fault::Stalled { waited })))
    }

    /// Returns the HTTP client for `url`: this machine's own ports are never reached through a proxy.
    pub(super) fn http(&self, url: &Url) -> &reqwest::Client {
        let loopback = match url.host_str().unwrap_or("") {
            "localhost" => true,
            host => host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback()),
        };
        if loopback { &self.direct } else { &self.proxied }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting here for a name look-up that nobody needs any more would make Ctrl-C feel stuck.
            runtime.shutdown_background();
        }
    }
}

fn parse(asked: &Asked, scheme: &str, host: &str) -> Result<Url, RegistryError> {
    Url::parse(&format!("{scheme}://{host}/v2/")).map_err(|error| {
        RegistryError::new(
            asked,
            Fault::Redirect { problem: format!("to a host that cannot be one: {error}") },
        )
    })
}
