//! One request and its answer, with everything that may have to be asked twice: tokens, redirects, old locations.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    HeaderMap, HeaderName, LOCATION, RANGE,
};
use reqwest::{RequestBuilder, Response, Url};
use shingle_core::http::{RangeHeader, Refusal, Reply, Verdict, accept, accept_whole};

use super::blob::Memory;
use super::client::Shared;
use super::error::{TransportError, shown, told};
use super::retry::retry_after;
use super::{Asked, Fault, Reference, RegistryError};
use crate::length;

pub(super) const MOST_REDIRECTS: u32 = 5;
/// Error bodies are for people; a page longer than this is not.
pub(super) const ERROR_BODY_LIMIT: u64 = 64 << 10;

/// A GET in a repository.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    pub(super) reference: &'a Reference,
    pub(super) asked: Asked,
    /// Under the repository: `blobs/sha256:…`.
    pub(super) path: String,
    /// The media types to accept.
    pub(super) accept: &'a str,
    /// The part wanted, or `None` for all.
    pub(super) range: Option<Range<u64>>,
    /// The size by the descriptor, where there is one.
    pub(super) stated: Option<u64>,
    /// What is known about this blob from earlier requests.
    pub(super) memory: Option<&'a Memory>,
}

/// An answer with a body, before any of it was read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: Response,
    /// What the body holds, `None` for all.
    pub(super) sent: Option<Range<u64>>,
}

impl Shared {
    /// Asks, answers challenges, follows redirects; does not try again what failed.
    pub(super) async fn exchange(&self, request: &Request<'_>) -> Result<Answer, RegistryError> {
        let remembered = request.memory.and_then(Memory::location);
        let result = self.exchange_at(request, remembered.as_ref()).await;
        if let (Err(error), Some(memory), Some(stale)) = (&result, request.memory, &remembered)
            && error.is_transient()
        {
            // Where the trouble is in the storage behind the registry, the registry may name another.
            memory.forget(stale);
        }
        result
    }

    async fn exchange_at(
        &self,
        request: &Request<'_>,
        mut remembered: Option<&Url>,
    ) -> Result<Answer, RegistryError> {
        let asked = &request.asked;
        let fail = |problem: String| RegistryError::new(asked, Fault::Redirect { problem });
        let root = self.root(asked, request.reference.api_host()).await?;
        let path = format!("{}/{}", request.reference.repository(), request.path);
        // Not `join`: a digest's colon would be read as a scheme's.
        let home = Url::parse(&format!("{root}{path}")).map_err(|error| fail(format!("nowhere: {error}")))?;
        let mut url = remembered.unwrap_or(&home).clone();
        let mut renewed = false;
        let mut hops = 0_u32;
        loop {
            // Credentials are the registry's alone: object stores refuse them, and others must not see them.
            let at_home = url.origin() == home.origin();
            let authorization = if at_home { self.authorization(asked).await? } else { None };
            let mut get = self.http(&url).get(url.clone()).header(ACCEPT, request.accept);
            // Compressed in transit, offsets in the body would not be the blob's.
            get = get.header(ACCEPT_ENCODING, "identity");
            if let Some(range) = &request.range {
                get = get.header(RANGE, RangeHeader(range.clone()).to_string());
            }
            if let Some(authorization) = &authorization {
                get = get.header(AUTHORIZATION, authorization);
            }
            if let Some(memory) = request.memory {
                memory.count_request();
            }
            let response = self.send(asked, get).await?;
            match response.status().as_u16() {
                301 | 302 | 303 | 307 | 308 => {
                    hops += 1;
                    if hops > MOST_REDIRECTS {
                        return Err(fail(format!("more than {MOST_REDIRECTS} times")));
                    }
                    url = self.follow(&url, response.headers()).map_err(fail)?;
                }
                // Signed locations live minutes; stores say 400, 401, 403 or 404 of an old one.
                400 | 401 | 403 | 404 | 410 if remembered.is_some() => {
                    if let (Some(memory), Some(stale)) = (request.memory, remembered.take()) {
                        memory.forget(stale);
                    }
                    url = home.clone();
                }
                401 if at_home && !renewed => {
                    renewed = true;
                    self.reauthorize(asked, response.headers(), authorization.as_ref()).await?;
                }
                _ => {
                    let answer = self.judge(request, response).await?;
                    if let Some(memory) = request.memory.filter(|_| url != home) {
                        memory.remember(url);
                    }
                    return Ok(answer);
                }
            }
        }
    }

    /// Sends one request and waits for the answer's headers.
    pub(super) async fn send(&self, asked: &Asked, get: RequestBuilder) -> Result<Response, RegistryError> {
        let waited = self.options.timeouts.answer;
        match tokio::time::timeout(waited, get.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(source)) => {
                Err(RegistryError::new(asked, Fault::Connection { source: TransportError::new(source) }))
            }
            Err(_elapsed) => Err(RegistryError::new(asked, Fault::Stalled { waited })),
        }
    }

    pub(super) fn follow(&self, from: &Url, headers: &HeaderMap) -> Result<Url, String> {
        let text = text(headers, &LOCATION).ok_or("without saying where to")?;
        let to = from.join(text).map_err(|error| format!("to nowhere: {error}"))?;
        match to.scheme() {
            "https" => Ok(to),
            "http" if !self.options.tls_verify => Ok(to),
            // The path and query may hold a signature, so only the host is told.
            other => {
                Err(format!("to {}://{}, which is not https", shown(other), to.host_str().unwrap_or("")))
            }
        }
    }

    async fn judge(&self, request: &Request<'_>, response: Response) -> Result<Answer, RegistryError> {
        let headers = response.headers();
        let reply = Reply {
            status: response.status().as_u16(),
            content_range: text(headers, &CONTENT_RANGE),
            content_length: text(headers, &CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            content_type: text(headers, &CONTENT_TYPE),
            content_encoding: text(headers, &CONTENT_ENCODING),
        };
        let verdict = match &request.range {
            Some(range) => accept(&reply, range, request.stated),
            None => accept_whole(&reply, request.stated),
        };
        match verdict {
            Verdict::Part { sent } => Ok(Answer { response, sent: Some(sent) }),
            Verdict::Whole => Ok(Answer { response, sent: None }),
            Verdict::Refused(refusal) => Err(self.refused(&request.asked, response, refusal).await),
        }
    }

    async fn refused(&self, asked: &Asked, response: Response, refusal: Refusal) -> RegistryError {
        let retry_after = retry_after(response.headers());
        let told = if response.status().is_success() {
            None
        } else {
            let body = bounded(response, ERROR_BODY_LIMIT, self.options.timeouts.stall).await;
            body.ok().and_then(|body| told(&body))
        };
        RegistryError::new(asked, Fault::Refused { refusal, told, retry_after })
    }
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn bounded(mut response: Response, limit: u64, stall: Duration) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(bytes) = piece(&mut response, stall).await.map_err(|stop| stop.at(length(&body), limit))? {
        if length(&body) + length(&bytes) > limit {
            return Err(Fault::TooLarge { limit });
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

/// Reads the next piece of a body, `None` at its end.
pub(super) async fn piece(response: &mut Response, stall: Duration) -> Result<Option<Bytes>, Stop> {
    match tokio::time::timeout(stall, response.chunk()).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(source)) => Err(Stop::Broken(TransportError::new(source))),
        Err(_elapsed) => Err(Stop::Stalled(stall)),
    }
}

/// Why a body did not go on.
#[derive(Debug)]
pub(super) enum Stop {
    Broken(TransportError),
    Stalled(Duration),
}

impl Stop {
    /// Says so of a body that stood at `at` and should have ended at `end`.
    pub(super) fn at(self, at: u64, end: u64) -> Fault {
        match self {
            Self::Broken(source) => Fault::BodyCut { at, end, source: Some(source) },
            Self::Stalled(waited) => Fault::Stalled { waited },
        }
    }
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
