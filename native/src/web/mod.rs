//! The page that shows what images share, for the user's own browser, and what it asks for.
//!
//! A browser may not read most registries, and no files that nobody chose. [`Helper`] serves the [`Page`] on a port of this
//! machine, at an address that nobody can guess, and gives it the documents and parts of the layers of the images that it was
//! started with; of nothing else. The page decides and checks; what comes through here is checked there against the digest
//! that led to it.
//!
//! ```
//! use shingle::registry::{Client, ClientOptions};
//! use shingle::transport::open_source;
//! use shingle::web::{Helper, Page, WebOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = concat!("oci:", env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo:v1");
//! # let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../web-inspector");
//! # /*
//! let (name, page) = ("oci:layout:app", "web-inspector/dist");
//! # */
//! # let home = tempfile::tempdir()?;
//! # std::fs::copy(format!("{page}/index.html"), home.path().join("index.html"))?;
//! # let page = home.path();
//! let client = Client::new(ClientOptions::default())?;
//! let images = vec![(name.to_owned(), open_source(&name.parse()?, &client)?)];
//! let helper = Helper::start(images, Page::open(page)?, WebOptions::default())?;
//! assert!(helper.address().starts_with("http://127.0.0.1:"));
//! // Serves until it is dropped.
//! # Ok(())
//! # }
//! ```

mod api;
mod blob;
mod body;
mod error;
mod fault;
mod gate;
mod image;
mod page;
mod patient;
mod peer;
mod toc;
mod wanted;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use shingle_core::Policy;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

use crate::contents::Cache;
use crate::count;
use crate::registry::Platform;
use crate::store::Store;
use crate::transport::Source;

use api::Asked;
use body::Sent;
use gate::{Admitted, Gate, Refused};
use image::Image;
use patient::Patient;

pub use error::WebError;
pub use page::Page;

/// How many connections are served at once; more wait.
const CONNECTIONS: usize = 16;
/// How many requests are worked on at once, those included that nobody waits for any more; more wait.
const REQUESTS: usize = 32;
/// How many layers are read at once for what they hold; more wait.
const READINGS: usize = 2;
/// How long a request's line and headers may be together, in bytes, and how many.
const HEAD: usize = 32 << 10;
const HEADERS: usize = 64;
/// How long a client may take over a request's headers, or ask for nothing.
const IDLE: Duration = Duration::from_secs(30);
/// How long it may take nothing of an answer.
const PATIENCE: Duration = Duration::from_secs(60);

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// How to serve.
#[derive(Debug)]
#[non_exhaustive]
pub struct WebOptions {
    /// The port of 127.0.0.1; 0 for a free one.
    pub port: u16,
    /// Which image of an index.
    pub platform: Platform,
    /// How pulls would be made: which layers they take by file depends on how far those must be proven.
    pub policy: Policy,
    /// What is kept of layers that were read whole.
    pub cache: Option<Cache>,
    /// A store that may hold layers which would have to be read whole.
    pub store: Option<Store>,
}

impl Default for WebOptions {
    fn default() -> Self {
        Self { port: 0, platform: Platform::host(), policy: Policy::default(), cache: None, store: None }
    }
}

/// A server for the page; stops when dropped.
#[derive(Debug)]
pub struct Helper {
    address: String,
    invitation: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What all requests share.
#[derive(Debug)]
struct State {
    gate: Gate,
    page: Page,
    images: Vec<Image>,
    options: WebOptions,
    work: Arc<Semaphore>,
    /// Layers that are read for what they hold.
    reading: Arc<Semaphore>,
}

impl Helper {
    /// Starts serving a page and some images, each with the name it is called by, from a thread of its own.
    ///
    /// # Errors
    /// The port is taken, or there is no thread.
    pub fn start(
        images: Vec<(String, Box<dyn Source>)>,
        page: Page,
        options: WebOptions,
    ) -> Result<Self, WebError> {
        let start = |source| WebError::Start { source };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(REQUESTS)
            .thread_name("shingle-web")
            .build()
            .map_err(start)?;
        let port = options.port;
        let listen = |source| WebError::Listen { port, source };
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port))).map_err(listen)?;
        let gate = Gate::new(listener.local_addr().map_err(listen)?.port()).map_err(start)?;
        let (address, invitation) = (gate.address(), gate.invitation());
        let images = images.into_iter().map(|(name, source)| Image::new(name, source)).collect();
        let work = Arc::new(Semaphore::new(REQUESTS));
        let reading = Arc::new(Semaphore::new(READINGS));
        let state = Arc::new(State { gate, page, images, options, work, reading });
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            runtime.block_on(async {
                tokio::spawn(accept(listener, state));
                // The sender is dropped, never used.
                drop(stopped.await);
            });
            // A registry that is slow to answer nobody any more would make Ctrl-C feel stuck.
            runtime.shutdown_background();
        };
        let thread =
            std::thread::Builder::new().name("shingle-web".to_owned()).spawn(serve).map_err(start)?;
        Ok(Self { address, invitation, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the page's address. Whoever has it may read the images.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns an address that leads to the page's, once, and only processes of this user: for the command line of a
    /// browser, which every user of this machine can read.
    pub fn invitation(&self) -> &str {
        &self.invitation
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there was printed there.
            drop(thread.join());
        }
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of descriptors, most likely: some may be closed soon.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let state = Arc::clone(&state);
        let service = service_fn(move |request| {
            let state = Arc::clone(&state);
            async move { Ok::<_, Infallible>(answer(&state, peer, &request).await) }
        });
        tokio::spawn(async move {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(IDLE);
            http.max_buf_size(HEAD).max_headers(HEADERS);
            // How a connection ends is the client's affair.
            drop(http.serve_connection(TokioIo::new(Patient::new(stream, PATIENCE)), service).await);
            drop(permit);
        });
    }
}

async fn answer(state: &Arc<State>, peer: SocketAddr, request: &Request<Incoming>) -> Response<Sent> {
    let mut response = match state.gate.admit(request) {
        Ok(Admitted::Invited) => invited(state, peer).await.unwrap_or_else(refused),
        Ok(Admitted::Below(below)) => match below.strip_prefix("api/") {
            Some(name) => {
                let query = request.uri().query().unwrap_or_default();
                let asked = Asked { name, query, method: request.method(), headers: request.headers() };
                api::answer(state, asked).await
            }
            None => page_file(&state.page, below, request.method()),
        },
        Err(why) => refused(why),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // It is plain text, which was checked when the page was read.
    if let Ok(policy) = HeaderValue::from_str(state.page.policy()) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Leads to the page.
async fn invited(state: &Arc<State>, peer: SocketAddr) -> Result<Response<Sent>, Refused> {
    api::aside(state, move |state| Ok(state.gate.accept(peer))).await.unwrap_or(Err(Refused::UNKNOWN))?;
    let mut response = empty(StatusCode::SEE_OTHER);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(home) = HeaderValue::from_str(&state.gate.home()) {
        headers.insert(LOCATION, home);
    }
    Ok(response)
}

fn refused(why: Refused) -> Response<Sent> {
    let mut response = empty(why.status);
    why.headers(response.headers_mut());
    response
}

fn empty(status: StatusCode) -> Response<Sent> {
    let mut response = Response::new(Sent::empty());
    *response.status_mut() = status;
    response
}

fn page_file(page: &Page, name: &str, method: &Method) -> Response<Sent> {
    let Some(file) = page.file(name) else { return empty(StatusCode::NOT_FOUND) };
    let body = if method == Method::HEAD { Sent::empty() } else { Sent::from(file.bytes.clone()) };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(file.caching));
    headers.insert(CONTENT_LENGTH, count(file.bytes.len()).into());
    response
}
