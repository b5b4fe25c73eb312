//! A registry inside this process, on a port of this machine: for `shingle demo` and for tests.
//!
//! It serves what it was given under any repository name, and what is pushed to it under the name it was pushed to; it
//! can be told to misbehave in the ways that real registries do.

mod answer;
mod body;
mod content;
mod faults;
mod upload;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use shingle_core::Digest;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use answer::{Role, State};

pub use content::{Content, LayoutError};
pub use faults::{Auth, Cut, Faults, RangeFault, Redirect, Refuse, UploadFaults};

/// A running registry; stops when dropped.
pub struct Loopback {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Starts serving `content` on a free port of 127.0.0.1, from a thread of its own.
    ///
    /// # Errors
    /// There is no free port, or no thread.
    pub fn start(content: Content) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let bind = || runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let (registry, storage) = (bind()?, bind()?);
        let address = registry.local_addr()?;
        let state = Arc::new(State::new(content, address, storage.local_addr()?));
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&state);
        let thread = std::thread::Builder::new().name("shingle-loopback".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::spawn(listen(registry, Role::Registry, Arc::clone(&serving)));
                tokio::spawn(listen(storage, Role::Storage, serving));
                // The sender is dropped, never used.
                drop(stopped.await);
            });
        })?;
        Ok(Self { address, state, stop: Some(stop), thread: Some(thread) })
    }

    /// Misbehaves like this from now on; counts begin anew.
    pub fn misbehave(&self, faults: Faults) {
        self.state.misbehave(faults);
    }

    /// Returns the registry's address.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the reference of an image here, given `REPOSITORY[:TAG]`.
    pub fn reference(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    /// Returns what was asked so far, in order.
    pub fn log(&self) -> Vec<Logged> {
        self.state.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the blobs that a repository was given.
    pub fn pushed(&self, repository: &str) -> Vec<Digest> {
        let pushed = self.state.pushed.lock().unwrap_or_else(PoisonError::into_inner);
        pushed.holders.iter().filter(|(holder, _)| holder == repository).map(|(_, digest)| *digest).collect()
    }

    /// Returns how many uploads are neither finished nor cancelled.
    pub fn open_uploads(&self) -> usize {
        self.state.pushed.lock().unwrap_or_else(PoisonError::into_inner).open()
    }

    /// Forgets what was asked so far.
    pub fn clear_log(&self) {
        self.state.log.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl fmt::Debug for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loopback").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there was printed there.
            drop(thread.join());
        }
    }
}

/// One request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Logged {
    /// `GET`, `HEAD` and so on.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// Whether it carried an `Authorization` header.
    pub authorized: bool,
    /// The answer's status.
    pub status: u16,
    /// Body bytes handed to the connection.
    pub bytes: u64,
    /// Body bytes announced by the request.
    pub sent: u64,
}

async fn listen(listener: TcpListener, role: Role, state: Arc<State>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: some may be closed soon.
            tokio::task::yield_now().await;
            continue;
        };
        let state = Arc::clone(&state);
        let service = service_fn(move |request| {
            let state = Arc::clone(&state);
            async move { answer::answer(&state, role, request).await }
        });
        // How a connection ends is the client's affair.
        tokio::spawn(async move {
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}
