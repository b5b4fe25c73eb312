//! Answers one request.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use hyper::header::{
    ACCEPT_RANGES, AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, HeaderName, LOCATION, RANGE, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response};
use shingle_core::Digest;

use super::body::{Piecewise, Stop};
use super::content::Source;
use super::upload::Pushed;
use super::{Auth, Content, Cut, Faults, Logged, RangeFault};

pub(super) const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// Which of the two ports a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Registry,
    Storage,
}

pub(super) struct State {
    pub(super) log: Mutex<Vec<Logged>>,
    pub(super) content: Content,
    pub(super) registry: SocketAddr,
    pub(super) pushed: Mutex<Pushed>,
    storage: SocketAddr,
    script: Mutex<Script>,
}

/// The faults and how often each has happened.
#[derive(Default)]
struct Script {
    faults: Faults,
    refused: u32,
    cut: u32,
    stalled: u32,
    tokens: u32,
    token_uses: u32,
    locations: u32,
    location_uses: u32,
}

impl State {
    pub(super) fn new(content: Content, registry: SocketAddr, storage: SocketAddr) -> Self {
        Self {
            log: Mutex::default(),
            content,
            registry,
            pushed: Mutex::default(),
            storage,
            script: Mutex::default(),
        }
    }

    pub(super) fn misbehave(&self, faults: Faults) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Script { faults, ..Script::default() };
        self.pushed.lock().unwrap_or_else(PoisonError::into_inner).forget_faults();
    }
}

/// An answer before it is put on the wire.
pub(super) struct Draft {
    pub(super) status: u16,
    headers: Vec<(HeaderName, String)>,
    source: Source,
    part: Range<u64>,
    stop: Option<Stop>,
    flip: Option<u64>,
}

impl Draft {
    pub(super) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        let source = Source::Memory(body.into());
        let part = 0..source.size();
        Self { status, headers: Vec::new(), source, part, stop: None, flip: None }
    }

    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#);
        Self::new(status, body).with(CONTENT_TYPE, "application/json")
    }

    pub(super) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Answers a request; an error breaks the connection.
pub(super) async fn answer(
    state: &Arc<State>,
    role: Role,
    request: Request<Incoming>,
) -> std::io::Result<Response<Piecewise>> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let header = |name: HeaderName| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let (range, authorization) = (header(RANGE), header(AUTHORIZATION));
    let (method, sent) = (request.method().clone(), request.body().size_hint().exact().unwrap_or(0));
    let looks = method == Method::GET || method == Method::HEAD;
    let (draft, uploads) = {
        let mut script = state.script.lock().unwrap_or_else(PoisonError::into_inner);
        let draft = if role == Role::Storage {
            Some(script.stored(state, &path, range.as_deref(), authorization.as_deref()))
        } else if looks && !path.contains("/blobs/uploads/") {
            Some(script.asked(state, &path, range.as_deref(), authorization.as_deref()))
        } else {
            script.admit(state, path.trim_start_matches("/v2/"), authorization.as_deref(), "pull,push")
        };
        (draft, script.faults.uploads.clone())
    };
    // Logged before it is answered: whoever has the answer finds the line.
    let line = {
        let mut log = state.log.lock().unwrap_or_else(PoisonError::into_inner);
        let authorized = authorization.is_some();
        log.push(Logged { method: method.to_string(), path, range, authorized, status: 0, bytes: 0, sent });
        log.len() - 1
    };
    let draft = match draft {
        Some(draft) => draft,
        None => super::upload::answer(state, request, &uploads).await?,
    };
    if let Some(line) = state.log.lock().unwrap_or_else(PoisonError::into_inner).get_mut(line) {
        line.status = draft.status;
    }
    let mut response = Response::builder().status(draft.status);
    for (name, value) in &draft.headers {
        response = response.header(name, value);
    }
    let body = Piecewise {
        source: draft.source,
        at: draft.part.start,
        end: draft.part.end,
        stop: draft.stop,
        flip: draft.flip,
        log: (Arc::clone(state), line),
    };
    let empty = || Piecewise {
        source: Source::Memory(Bytes::new()),
        at: 0,
        end: 0,
        stop: None,
        flip: None,
        log: (Arc::clone(state), line),
    };
    // Headers only fail to build where a test scripted nonsense into them.
    Ok(response.body(body).unwrap_or_else(|_nonsense| Response::new(empty())))
}

impl Script {
    fn asked(&mut self, state: &State, path: &str, range: Option<&str>, credentials: Option<&str>) -> Draft {
        if path.starts_with("/token?") {
            return self.token();
        }
        let Some(path) = path.strip_prefix("/v2/") else {
            return Draft::error(404, "NOT_FOUND", "only /v2/ is served");
        };
        if let Some(refusal) = self.admit(state, path, credentials, "pull") {
            return refusal;
        }
        if path.is_empty() {
            return Draft::new(200, "{}").with(CONTENT_TYPE, "application/json");
        }
        if let Some((repository, name)) = path.rsplit_once("/manifests/") {
            return self.manifest(state, repository, name);
        }
        match path.rsplit_once("/blobs/") {
            Some((repository, name)) => match &self.faults.redirect {
                Some(_) => self.redirect(state.storage, name),
                None => self.blob(state, repository, name, range),
            },
            None => Draft::error(404, "NOT_FOUND", "neither a manifest nor a blob"),
        }
    }

    /// Turns away whom it does not know, and whom it was told to.
    fn admit(&mut self, state: &State, path: &str, credentials: Option<&str>, access: &str) -> Option<Draft> {
        if let Some(refusal) = self.unauthorized(state, path, credentials, access) {
            return Some(refusal);
        }
        if path.is_empty() {
            return None;
        }
        let refuse = self.faults.refuse.clone().filter(|refuse| self.refused < refuse.times)?;
        self.refused += 1;
        let draft = Draft::error(refuse.status, "TOOMANYREQUESTS", "scripted refusal");
        Some(match refuse.retry_after {
            Some(after) => draft.with(RETRY_AFTER, after),
            None => draft,
        })
    }

    fn token(&mut self) -> Draft {
        if self.faults.auth == Some(Auth::Denied) {
            return Draft::error(403, "DENIED", "no tokens for strangers");
        }
        self.tokens += 1;
        self.token_uses = 0;
        let body = format!(r#"{{"token":"t{}","expires_in":300}}"#, self.tokens);
        Draft::new(200, body).with(CONTENT_TYPE, "application/json")
    }

    fn unauthorized(
        &mut self,
        state: &State,
        path: &str,
        credentials: Option<&str>,
        access: &str,
    ) -> Option<Draft> {
        let challenge = match self.faults.auth? {
            Auth::Basic => r#"Basic realm="loopback""#.to_owned(),
            Auth::Bearer { uses } => {
                let expected = format!("Bearer t{}", self.tokens);
                if credentials == Some(&expected) && self.tokens > 0 && self.token_uses < uses {
                    self.token_uses += 1;
                    return None;
                }
                bearer(state.registry, path, access)
            }
            Auth::Denied => bearer(state.registry, path, access),
        };
        let draft = Draft::error(401, "UNAUTHORIZED", "authentication required");
        Some(draft.with(WWW_AUTHENTICATE, challenge))
    }

    fn manifest(&self, state: &State, repository: &str, name: &str) -> Draft {
        let pushed = state.pushed.lock().unwrap_or_else(PoisonError::into_inner);
        let found = pushed.manifest(repository, name).or_else(|| state.content.manifest(name));
        let Some((digest, document)) = found else {
            return Draft::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
        };
        let bytes = self.faults.manifest.clone().unwrap_or_else(|| document.bytes.clone());
        let stated = self.faults.digest_header.unwrap_or(digest);
        Draft::new(200, bytes).with(CONTENT_TYPE, &document.media_type).with(DIGEST, stated.to_string())
    }

    fn redirect(&mut self, storage: SocketAddr, name: &str) -> Draft {
        self.locations += 1;
        self.location_uses = 0;
        let hops = self.faults.redirect.map_or(1, |redirect| redirect.hops);
        let location = format!("http://{storage}/{name}?signature={}&hops={hops}", self.locations);
        Draft::new(307, "").with(LOCATION, location)
    }

    fn stored(&mut self, state: &State, path: &str, range: Option<&str>, credentials: Option<&str>) -> Draft {
        if credentials.is_some() {
            return Draft::new(400, "<Error><Code>InvalidArgument</Code></Error>");
        }
        let parsed = path.trim_start_matches('/').split_once("?signature=").and_then(|(name, rest)| {
            let (signature, hops) = rest.split_once("&hops=")?;
            Some((name, signature.parse::<u32>().ok()?, hops.parse::<u32>().ok()?))
        });
        let Some((name, signature, hops)) = parsed else {
            return Draft::new(404, "");
        };
        if hops > 1 {
            let location = format!("/{name}?signature={signature}&hops={}", hops - 1);
            return Draft::new(302, "").with(LOCATION, location);
        }
        let uses = self.faults.redirect.map_or(u32::MAX, |redirect| redirect.uses);
        if signature != self.locations || self.location_uses >= uses {
            return Draft::new(403, "<Error><Code>AccessDenied</Code></Error>");
        }
        self.location_uses += 1;
        self.blob(state, "", name, range)
    }

    fn blob(&mut self, state: &State, repository: &str, name: &str, range: Option<&str>) -> Draft {
        let found = name.parse::<Digest>().ok().and_then(|digest| {
            let pushed = state.pushed.lock().unwrap_or_else(PoisonError::into_inner);
            let pushed = pushed.blob(repository, &digest).map(|bytes| Source::Memory(bytes.clone()));
            Some((digest, pushed.or_else(|| state.content.blobs.get(&digest).cloned())?))
        });
        let Some((digest, source)) = found else {
            return Draft::error(404, "BLOB_UNKNOWN", "blob unknown to registry");
        };
        let size = source.size();
        let mut draft = match range.filter(|_| self.faults.ranges != RangeFault::Ignored) {
            None => Draft { source, part: 0..size, ..Draft::new(200, "") },
            Some(range) => match wanted(range, size) {
                Some(asked) => self.part(&source, asked),
                None => Draft::new(416, "").with(CONTENT_RANGE, format!("bytes */{size}")),
            },
        };
        draft = draft.with(DIGEST, name).with(ACCEPT_RANGES, "bytes");
        let start = draft.part.start;
        let due = |cut: Option<Cut>, done: &mut u32| {
            let cut = cut.filter(|cut| *done < cut.times)?;
            *done += 1;
            Some(start + cut.after)
        };
        draft.stop = due(self.faults.cut, &mut self.cut).map(|at| Stop::Cut { at, flushed: false });
        if let Some(at) = due(self.faults.stall, &mut self.stalled) {
            draft.stop = Some(Stop::Stall { at });
        }
        draft.flip = self.faults.flip.filter(|(flipped, _)| *flipped == digest).map(|(_, offset)| offset);
        draft
    }

    fn part(&self, source: &Source, asked: Range<u64>) -> Draft {
        let size = source.size();
        let (status, part) = match self.faults.ranges {
            RangeFault::Before(bytes) => (206, asked.start.saturating_sub(bytes)..asked.end),
            RangeFault::Elsewhere => (206, asked.end..size.min(asked.end + (asked.end - asked.start))),
            RangeFault::Mislabelled => (200, asked),
            RangeFault::Short(bytes) => (206, asked.start..asked.end.min(asked.start + bytes)),
            RangeFault::Status(status) => {
                return Draft::error(status, "UNSUPPORTED", "scripted refusal of ranges");
            }
            RangeFault::Honest | RangeFault::Ignored | RangeFault::Multipart | RangeFault::Unlabelled => {
                (206, asked)
            }
        };
        let total = self.faults.total.unwrap_or(size);
        let label = format!("bytes {}-{}/{total}", part.start, part.end.saturating_sub(1));
        let draft = Draft { source: source.clone(), part, ..Draft::new(status, "") };
        match self.faults.ranges {
            RangeFault::Multipart => draft.with(CONTENT_TYPE, "multipart/byteranges; boundary=cut"),
            RangeFault::Unlabelled => draft,
            _ => draft.with(CONTENT_RANGE, label),
        }
    }
}

fn bearer(registry: SocketAddr, path: &str, access: &str) -> String {
    let repository = path.rsplit_once("/blobs/").or_else(|| path.rsplit_once("/manifests/"));
    let repository = repository.map_or("", |(repository, _)| repository);
    format!(
        r#"Bearer realm="http://{registry}/token",service="loopback",scope="repository:{repository}:{access}""#
    )
}

/// Reads a `Range` header with one range; several are answered like one that does not exist.
fn wanted(header: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    let range = match (first, last) {
        ("", suffix) => size.saturating_sub(suffix.parse().ok()?)..size,
        (first, "") => first.parse().ok()?..size,
        (first, last) => first.parse().ok()?..last.parse::<u64>().ok()?.saturating_add(1).min(size),
    };
    (range.start < range.end).then_some(range)
}
