//! Images at all the places they can be: read, copied, uploaded.

#![allow(clippy::disallowed_methods, reason = "a test looks at what was made")]
#![allow(clippy::unwrap_used, reason = "a test that goes wrong should panic")]

mod ahead;
mod conversions;
mod copies;
mod memory;
mod sources;

use std::path::{Path, PathBuf};
use std::time::Duration;

use shingle::registry::{Client, ClientOptions};
use shingle::transport::{Location, Source, TransferError, open_source};
use shingle_core::http::Backoff;

fn client() -> Client {
    Client::new(client_options()).unwrap()
}

fn client_options() -> ClientOptions {
    let mut options = ClientOptions::default();
    options.tls_verify = false;
    options.timeouts.stall = Duration::from_millis(500);
    options.backoff = Backoff { attempts: 5, first: Duration::from_millis(1), cap: Duration::from_millis(5) };
    options
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name)
}

fn open(transport: &str, path: &Path, name: &str) -> Result<Box<dyn Source>, TransferError> {
    let location: Location = format!("{transport}:{}{name}", path.display()).parse().unwrap();
    open_source(&location, &client())
}
