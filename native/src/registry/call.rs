//! Requests that change a repository, with everything that may have to be asked twice.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Method, RequestBuilder, Response, Url};

use super::client::Shared;
use super::error::{TransportError, told};
use super::exchange::{ERROR_BODY_LIMIT, MOST_REDIRECTS, bounded};
use super::retry::retry_after;
use super::{Asked, Fault, Reference, RegistryError};
use crate::transport::Section;

/// How much is read and handed to the connection at once.
const PIECE: u64 = 256 << 10;
/// How often somebody who waits is told how much was sent.
const TICK: Duration = Duration::from_millis(100);

/// What goes up with a request.
#[derive(Clone, Debug)]
pub(super) enum Payload {
    Bytes(Bytes),
    /// From this offset to that one.
    Part(Section, u64, u64),
}

impl Payload {
    pub(super) const NONE: Self = Self::Bytes(Bytes::new());
}

/// A request that changes a repository.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) asked: &'a Asked,
    pub(super) reference: &'a Reference,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) payload: Payload,
}

impl Shared {
    /// Returns where something of a repository is: `blobs/uploads/`.
    pub(super) async fn home(
        &self,
        asked: &Asked,
        reference: &Reference,
        path: &str,
    ) -> Result<Url, RegistryError> {
        let root = self.root(asked, reference.api_host()).await?;
        Url::parse(&format!("{root}{}/{path}", reference.repository())).map_err(|error| {
            RegistryError::new(asked, Fault::Redirect { problem: format!("nowhere: {error}") })
        })
    }

    /// Asks, answers a challenge, follows redirects; any other answer is the caller's to judge. `progress` hears of the
    /// payload's bytes as they leave.
    pub(super) async fn call(
        &self,
        call: Call<'_>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Response, RegistryError> {
        let Call { asked, reference, method, mut url, headers, payload } = call;
        let home = self.root(asked, reference.api_host()).await?;
        let (mut renewed, mut hops) = (false, 0_u32);
        loop {
            // Credentials are the registry's alone.
            let at_home = url.origin() == home.origin();
            let authorization = if at_home { self.authorization(asked).await? } else { None };
            let mut request = self.http(&url).request(method.clone(), url.clone()).headers(headers.clone());
            if let Some(authorization) = &authorization {
                request = request.header(AUTHORIZATION, authorization);
            }
            let sent = Arc::new(AtomicU64::new(0));
            let request = match &payload {
                Payload::Bytes(bytes) => request.body(bytes.clone()),
                Payload::Part(section, at, end) => request.body(reqwest::Body::wrap(Outgoing {
                    section: section.clone(),
                    at: *at,
                    end: *end,
                    sent: Arc::clone(&sent),
                })),
            };
            let response = self.send_watched(asked, request, &sent, progress).await?;
            match response.status().as_u16() {
                // Of a HEAD, a redirect is an answer: what is elsewhere is there.
                307 | 308 if method != Method::HEAD => {
                    hops += 1;
                    let fail = |problem: String| RegistryError::new(asked, Fault::Redirect { problem });
                    if hops > MOST_REDIRECTS {
                        return Err(fail(format!("more than {MOST_REDIRECTS} times")));
                    }
                    url = self.follow(&url, response.headers()).map_err(fail)?;
                }
                401 if at_home && !renewed => {
                    renewed = true;
                    self.reauthorize(asked, response.headers(), authorization.as_ref()).await?;
                }
                _ => return Ok(response),
            }
        }
    }

    /// Sends a request and waits for the answer's headers; gives up when nothing moves for too long, not when all of it
    /// takes long.
    async fn send_watched(
        &self,
        asked: &Asked,
        request: RequestBuilder,
        sent: &AtomicU64,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Response, RegistryError> {
        let waited = self.options.timeouts.answer;
        let mut sending = pin!(request.send());
        let (mut seen, mut moved) = (0, Instant::now());
        let mut tell = || {
            let now = sent.load(Ordering::Relaxed);
            if now > seen {
                progress(now - seen);
                (seen, moved) = (now, Instant::now());
            }
            moved
        };
        loop {
            let outcome = tokio::time::timeout(TICK.min(waited), &mut sending).await;
            let moved = tell();
            match outcome {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(source)) => {
                    let source = TransportError::new(source);
                    let fault = match source.unreadable() {
                        Some(kind) => Fault::Unreadable { source: kind.into() },
                        None => Fault::Connection { source },
                    };
                    return Err(RegistryError::new(asked, fault));
                }
                Err(_elapsed) if moved.elapsed() >= waited => {
                    return Err(RegistryError::new(asked, Fault::Stalled { waited }));
                }
                Err(_elapsed) => {}
            }
        }
    }

    /// Makes an error of an answer that says no.
    pub(super) async fn not_taken(&self, asked: &Asked, response: Response) -> RegistryError {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let body = bounded(response, ERROR_BODY_LIMIT, self.options.timeouts.stall).await;
        let told = body.ok().and_then(|body| told(&body));
        RegistryError::new(asked, Fault::NotTaken { status, told, retry_after })
    }
}

/// A part of a file on its way out.
struct Outgoing {
    section: Section,
    at: u64,
    /// At least `at`.
    end: u64,
    sent: Arc<AtomicU64>,
}

/// The file under an upload could not be read: no trouble of the network's.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct SourceLost(pub(super) io::Error);

impl Body for Outgoing {
    type Data = Bytes;
    type Error = SourceLost;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SourceLost>>> {
        let this = self.get_mut();
        let len = this.end.saturating_sub(this.at).min(PIECE);
        if len == 0 {
            return Poll::Ready(None);
        }
        let mut piece = vec![0; usize::try_from(len).unwrap_or(0)];
        // Files here were just written or are on a disk of this machine: not worth a thread.
        if let Err(error) = this.section.read_exact_at(&mut piece, this.at) {
            return Poll::Ready(Some(Err(SourceLost(error))));
        }
        this.at = this.at.saturating_add(len);
        this.sent.fetch_add(len, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.at >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end.saturating_sub(self.at))
    }
}
