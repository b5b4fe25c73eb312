//! What can go wrong between this machine and a registry.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use shingle_core::Digest;
use shingle_core::http::Refusal;

use super::{ManifestError, Reference};

/// A request that came to nothing: what was asked, of whom, and what happened.
#[derive(Debug)]
#[non_exhaustive]
pub struct RegistryError {
    /// What was asked, of whom.
    pub asked: Asked,
    /// What happened.
    pub fault: Box<Fault>,
}

impl RegistryError {
    pub(super) fn new(asked: &Asked, fault: impl Into<Fault>) -> Self {
        Self { asked: asked.clone(), fault: Box::new(fault.into()) }
    }

    /// Whether fetching the whole blob instead of a range of it may still work.
    pub const fn leaves_whole(&self) -> bool {
        matches!(&*self.fault, Fault::Refused { refusal, .. } if refusal.leaves_whole())
    }

    /// Whether what came was refused by a check, as opposed to not coming at all.
    pub const fn is_refusal(&self) -> bool {
        match &*self.fault {
            Fault::Digest { .. } | Fault::Manifest(_) | Fault::Size { .. } | Fault::TooLarge { .. } => true,
            Fault::Refused { refusal, .. } => matches!(
                refusal,
                Refusal::BlobSize { .. } | Refusal::LengthDisagrees { .. } | Refusal::Unreadable { .. }
            ),
            _ => false,
        }
    }

    /// Whether what was asked for is not there.
    pub const fn is_gone(&self) -> bool {
        matches!(&*self.fault, Fault::Refused { refusal: Refusal::Gone { .. }, .. })
    }

    /// Whether nobody listens there.
    pub(super) fn is_nobody(&self) -> bool {
        matches!(&*self.fault, Fault::Connection { source } if source.is_refused())
    }

    /// Whether the same request may work in a moment.
    pub fn is_transient(&self) -> bool {
        match &*self.fault {
            Fault::BodyCut { .. } | Fault::Stalled { .. } => true,
            Fault::Connection { source } => source.is_transient(),
            Fault::Refused { refusal, .. } => matches!(refusal, Refusal::RetryLater { .. }),
            Fault::Token { status, .. } | Fault::NotTaken { status, .. } => is_busy(*status),
            Fault::Credentials { .. }
            | Fault::Digest { .. }
            | Fault::Manifest(_)
            | Fault::OutsideBlob { .. }
            | Fault::Redirect { .. }
            | Fault::Size { .. }
            | Fault::TokenUnreadable { .. }
            | Fault::TooLarge { .. }
            | Fault::Unreadable { .. }
            | Fault::Upload { .. } => false,
        }
    }

    /// Returns how long the server asked to be left alone.
    pub const fn retry_after(&self) -> Option<Duration> {
        match &*self.fault {
            Fault::NotTaken { retry_after, .. }
            | Fault::Refused { retry_after, .. }
            | Fault::Token { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Returns advice on what to do about it, if there is any.
    pub fn hint(&self) -> Option<&'static str> {
        match &*self.fault {
            Fault::Connection { source } if source.is_certificate() => {
                Some("if you trust this registry without a valid certificate, use --tls-verify=false")
            }
            Fault::Connection { .. } => {
                Some("check the host and port; a registry that speaks plain http needs --tls-verify=false")
            }
            Fault::Credentials { .. } => Some("only anonymous access works; logging in is not supported yet"),
            Fault::Digest { .. } => {
                Some("the registry or something on the way altered the document; try again")
            }
            Fault::Refused { refusal, .. } => match refusal {
                Refusal::Gone { .. } => Some("check the repository, tag or digest"),
                Refusal::Reauthenticate { .. } | Refusal::Refused { status: 403 } => {
                    Some("there may be no such repository, or it is private; logging in is not supported yet")
                }
                Refusal::RetryLater { status: 429 } => {
                    Some("the registry limits how much may be pulled; wait")
                }
                refusal if refusal.leaves_whole() => {
                    Some("this registry does not do ranges; pull the layer whole")
                }
                _ => None,
            },
            Fault::NotTaken { status: 401 | 403, .. } => {
                Some("this may not be pushed to by everybody; logging in is not supported yet")
            }
            Fault::NotTaken { status: 404 | 405, .. } => {
                Some("check the host and the repository; some registries only let people pull")
            }
            Fault::NotTaken { status: 413, .. } => Some("the registry takes no blob of this size"),
            Fault::NotTaken { status: 429, .. } => Some("the registry limits how much may be pushed; wait"),
            Fault::NotTaken { status: 500.., .. } => {
                Some("the registry could not do it; try again later, what it has already is not sent again")
            }
            Fault::NotTaken { .. } => None,
            Fault::Manifest(error) => error.hint(),
            Fault::BodyCut { .. } | Fault::Stalled { .. } => {
                Some("the registry or the connection broke off again and again; try later")
            }
            Fault::OutsideBlob { .. }
            | Fault::Redirect { .. }
            | Fault::Size { .. }
            | Fault::Token { .. }
            | Fault::TokenUnreadable { .. }
            | Fault::TooLarge { .. }
            | Fault::Unreadable { .. }
            | Fault::Upload { .. } => None,
        }
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.asked, self.fault)
    }
}

impl Error for RegistryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.fault.source()
    }
}

fn is_busy(status: u16) -> bool {
    matches!(Refusal::of_status(status), Refusal::RetryLater { .. })
}

/// What was asked, of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asked {
    /// The registry's name.
    pub host: String,
    /// The repository in it.
    pub repository: String,
    /// What of it, in words: `manifest latest`.
    pub what: String,
    pub(super) access: Access,
}

/// What a token must allow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Access {
    Pull,
    Push,
    /// Pushing what another repository has.
    Mount {
        from: String,
    },
}

impl Asked {
    pub(super) fn new(reference: &Reference, what: impl Into<String>) -> Self {
        Self {
            host: reference.host().to_owned(),
            repository: reference.repository().to_owned(),
            what: what.into(),
            access: Access::Pull,
        }
    }

    /// The same to somebody who changes the repository.
    pub(super) fn to_push(reference: &Reference, what: impl Into<String>) -> Self {
        Self { access: Access::Push, ..Self::new(reference, what) }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}: {}", self.host, self.repository, self.what)
    }
}

/// What happened to a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The body ended, or the connection broke, before all that was asked for had come.
    #[error("the body ended at byte {at}, {end} were promised")]
    BodyCut {
        /// The offset in the blob of the next byte, had it come.
        at: u64,
        /// Where the body should have ended.
        end: u64,
        /// The network's complaint; none when the body ended in order, only too early.
        source: Option<TransportError>,
    },
    /// No connection, or one that broke before the answer came.
    #[error("no answer")]
    Connection {
        /// The network's complaint.
        source: TransportError,
    },
    /// The registry wants a user name and a password.
    #[error("the registry asks for credentials ({scheme})")]
    Credentials {
        /// How it wants them: `Basic`.
        scheme: String,
    },
    /// Not the bytes that were asked for.
    #[error("the content has digest {actual}, expected {expected}")]
    Digest {
        /// What was asked for.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// The document is not an image that can be pulled.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A range that no blob of this size has: a mistake in the caller.
    #[error("there are no bytes {start}..{end} in a blob of {size}")]
    OutsideBlob {
        /// The first byte asked for.
        start: u64,
        /// One past the last.
        end: u64,
        /// The blob's size.
        size: u64,
    },
    /// The registry did not take what it was sent.
    #[error("status {status}{}", in_brackets(told))]
    NotTaken {
        /// The status of its answer.
        status: u16,
        /// The registry's own words.
        told: Option<String>,
        /// How long the server asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// A redirect that is not followed.
    #[error("redirected {problem}")]
    Redirect {
        /// Why it is not followed.
        problem: String,
    },
    /// The answer's status, or headers that contradict the question.
    #[error("{refusal}{}", in_brackets(told))]
    Refused {
        /// What the answer means.
        refusal: Refusal,
        /// The registry's own words.
        told: Option<String>,
        /// How long the server asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// A document of another size than its descriptor states.
    #[error("the content is {actual} bytes long, its descriptor states {stated}")]
    Size {
        /// The size in the descriptor.
        stated: u64,
        /// The size of what came.
        actual: u64,
    },
    /// Nothing came for too long.
    #[error("nothing came for {} seconds", waited.as_secs_f32())]
    Stalled {
        /// How long was waited.
        waited: Duration,
    },
    /// The token server refused.
    #[error("status {status} from the token server {host}{}", in_brackets(told))]
    Token {
        /// The token server.
        host: String,
        /// The status of its answer.
        status: u16,
        /// Its own words.
        told: Option<String>,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// The token server's answer, or the registry's description of it, makes no sense.
    #[error("cannot get a token: {problem}")]
    TokenUnreadable {
        /// What makes no sense.
        problem: String,
    },
    /// A document longer than any honest one.
    #[error("the document is longer than {limit} bytes")]
    TooLarge {
        /// The longest that is read.
        limit: u64,
    },
    /// An upload that does not go as uploads should.
    #[error("the upload went wrong: {problem}")]
    Upload {
        /// What happened.
        problem: String,
    },
    /// What was to be uploaded cannot be read any more.
    #[error("what was to be uploaded cannot be read")]
    Unreadable {
        /// The system's complaint.
        source: std::io::Error,
    },
}

/// The network's complaint, in the words of whoever complained first: the layers of the HTTP library above add none.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.causes().last().map_or_else(|| self.0.to_string(), ToString::to_string))]
pub struct TransportError(reqwest::Error);

impl TransportError {
    /// Takes an error of the HTTP library, without its URL: that may hold a signature.
    pub(super) fn new(error: reqwest::Error) -> Self {
        Self(error.without_url())
    }

    fn is_transient(&self) -> bool {
        !(self.tls().is_some() || self.0.is_builder() || self.0.is_dns())
    }

    fn is_refused(&self) -> bool {
        let mut next: Option<&(dyn Error + 'static)> = Some(&self.0);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<std::io::Error>() {
                return error.kind() == std::io::ErrorKind::ConnectionRefused;
            }
            next = error.source();
        }
        false
    }

    /// Returns what became of the file that was being uploaded, if that was the trouble.
    pub(super) fn unreadable(&self) -> Option<std::io::ErrorKind> {
        self.causes()
            .find_map(|error| error.downcast_ref::<super::call::SourceLost>())
            .map(|lost| lost.0.kind())
    }

    fn is_certificate(&self) -> bool {
        matches!(self.tls(), Some(rustls::Error::InvalidCertificate(_)))
    }

    /// Finds what TLS complained of, if it did.
    fn tls(&self) -> Option<&rustls::Error> {
        self.causes().find_map(|error| error.downcast_ref())
    }

    fn causes(&self) -> impl Iterator<Item = &(dyn Error + 'static)> {
        let first: &(dyn Error + 'static) = &self.0;
        std::iter::successors(Some(first), |error| cause(*error))
    }
}

fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    // An `io::Error` leaves the error it wraps out of its chain of sources.
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn in_brackets(told: &Option<String>) -> String {
    told.as_ref().map_or_else(String::new, |told| format!(" ({told})"))
}

/// Reads the registry's own words from the body of an error answer, fit for a terminal.
pub(super) fn told(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Errors {
        errors: Vec<Detail>,
    }
    #[derive(serde::Deserialize)]
    struct Detail {
        code: Option<String>,
        message: Option<String>,
    }
    let first = serde_json::from_slice::<Errors>(body).ok()?.errors.into_iter().next()?;
    match (first.code, first.message) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(shown(&one)),
        (Some(code), Some(message)) => Some(shown(&format!("{code}: {message}"))),
    }
}

/// Cuts foreign text to 200 characters and escapes what a terminal would act on.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == 200 {
            out.push('…');
            break;
        }
        match c {
            '"' | '\'' | '\\' => out.push(c),
            c => out.extend(c.escape_debug()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registrys_words_are_bounded_and_harmless() {
        let body = br#"{"errors":[{"code":"DENIED","message":"no\u001b[2J, \"you\"","detail":[1]}]}"#;
        assert_eq!(told(body).as_deref(), Some("DENIED: no\\u{1b}[2J, \"you\""));
        assert_eq!(told(br#"{"errors":[{"message":"only"}]}"#).as_deref(), Some("only"));
        for body in [&b"<html>"[..], b"{}", b"{\"errors\":[]}", b"{\"errors\":[{}]}", b""] {
            assert_eq!(told(body), None);
        }
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), 201);
    }
}
