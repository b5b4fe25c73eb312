//! Why the page cannot be served.

use std::io;
use std::path::PathBuf;

/// A page that cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebError {
    /// The port is taken, or may not be had.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port that was asked for; 0 for any.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// Files that are not the page.
    #[error("{} is not the page: {problem}", path.display())]
    Page {
        /// The directory.
        path: PathBuf,
        /// What gives it away.
        problem: &'static str,
    },
    /// A page that cannot be read.
    #[error("cannot read {}", path.display())]
    ReadPage {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No thread, or no randomness.
    #[error("cannot start a server")]
    Start {
        /// What the system said.
        source: io::Error,
    },
}

impl WebError {
    /// Returns what the user can do.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Listen { port: 0, .. } | Self::ReadPage { .. } | Self::Start { .. } => None,
            Self::Listen { .. } => Some("leave --port out: a free one is taken then"),
            Self::Page { .. } => Some("`cargo xtask web` builds the page, into web-inspector/dist"),
        }
    }
}
