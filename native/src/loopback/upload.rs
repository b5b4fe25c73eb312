//! What was pushed: uploads in progress, and each repository's blobs and manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderName, LOCATION, RANGE};
use hyper::{Method, Request};
use shingle_core::Digest;

use super::answer::{DIGEST, Draft, State};
use super::content::Document;
use super::faults::UploadFaults;

const MIN_PIECE: HeaderName = HeaderName::from_static("oci-chunk-min-length");

/// Everything that was pushed so far.
#[derive(Debug, Default)]
pub(super) struct Pushed {
    /// Bytes so far, by number.
    sessions: BTreeMap<u64, Vec<u8>>,
    opened: u64,
    pub(super) blobs: BTreeMap<Digest, Bytes>,
    /// Which repository has which.
    pub(super) holders: BTreeSet<(String, Digest)>,
    pub(super) manifests: BTreeMap<(String, Digest), Document>,
    pub(super) tags: BTreeMap<(String, String), Digest>,
    cut: u32,
    lost: u32,
    gone: u32,
    lagged: u32,
    lapsed: u32,
    /// Whether a piece was taken since it last lapsed.
    fed: bool,
    spoilt: u32,
}

impl Pushed {
    /// Returns how many uploads are neither finished nor cancelled.
    pub(super) fn open(&self) -> usize {
        self.sessions.len()
    }

    /// Counts faults anew.
    pub(super) fn forget_faults(&mut self) {
        (self.cut, self.lost, self.gone, self.lagged, self.lapsed, self.spoilt) = (0, 0, 0, 0, 0, 0);
    }

    pub(super) fn blob(&self, repository: &str, digest: &Digest) -> Option<&Bytes> {
        self.holders.contains(&(repository.to_owned(), *digest)).then(|| self.blobs.get(digest))?
    }

    pub(super) fn manifest(&self, repository: &str, name: &str) -> Option<(Digest, &Document)> {
        let tag = (repository.to_owned(), name.to_owned());
        let digest = self.tags.get(&tag).copied().or_else(|| name.parse().ok())?;
        Some((digest, self.manifests.get(&(repository.to_owned(), digest))?))
    }
}

/// Answers a request that changes something, or asks for an upload; an error breaks the connection.
pub(super) async fn answer(
    state: &Arc<State>,
    request: Request<Incoming>,
    faults: &UploadFaults,
) -> io::Result<Draft> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_start_matches("/v2/").to_owned();
    let query: BTreeMap<String, String> =
        reqwest::Url::parse(&format!("http://x/?{}", parts.uri.query().unwrap_or("")))
            .map(|url| url.query_pairs().into_owned().collect())
            .unwrap_or_default();
    let header = |name: &HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some((repository, name)) = path.split_once("/manifests/").filter(|_| parts.method == Method::PUT) {
        let media_type = header(&CONTENT_TYPE).unwrap_or("").to_owned();
        let (body, _whole) = read(body, u64::MAX).await;
        return Ok(put_manifest(state, repository, name, media_type, body.into()));
    }
    let Some((repository, session)) = path.split_once("/blobs/uploads/") else {
        return Ok(Draft::error(405, "UNSUPPORTED", "this cannot be changed"));
    };
    let upload = Upload { state, faults, repository, query };
    match (parts.method, session.parse::<u64>().ok()) {
        (Method::POST, None) => Ok(upload.open()),
        (Method::GET, Some(session)) => Ok(upload.stands(session)),
        (Method::PATCH, Some(session)) => {
            let range = header(&CONTENT_RANGE).map(str::to_owned);
            upload.patch(session, range.as_deref(), body).await
        }
        (Method::PUT, Some(session)) => upload.put(session, body).await,
        (Method::DELETE, Some(session)) => Ok(upload.cancel(session)),
        _ => Ok(Draft::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")),
    }
}

struct Upload<'a> {
    state: &'a State,
    faults: &'a UploadFaults,
    repository: &'a str,
    query: BTreeMap<String, String>,
}

impl Upload<'_> {
    fn pushed<T>(&self, act: impl FnOnce(&mut Pushed) -> T) -> T {
        act(&mut self.state.pushed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn open(&self) -> Draft {
        let wanted = self.query.get("mount").and_then(|digest| digest.parse::<Digest>().ok());
        let from = self.query.get("from").map(String::as_str).unwrap_or_default();
        let (session, mounted) = self.pushed(|pushed| {
            let there = |digest: &Digest| pushed.blob(from, digest).is_some();
            let there = wanted.filter(|digest| !self.faults.refuse_mounts && there(digest));
            if let Some(digest) = there {
                pushed.holders.insert((self.repository.to_owned(), digest));
                return (0, true);
            }
            pushed.opened += 1;
            let session = pushed.opened;
            pushed.sessions.insert(session, Vec::new());
            (session, false)
        });
        if mounted {
            return Draft::new(201, "");
        }
        let draft = Draft::new(202, "").with(LOCATION, self.location(session)).with(RANGE, "0-0");
        match self.faults.least_piece {
            Some(least) => draft.with(MIN_PIECE, least.to_string()),
            None => draft,
        }
    }

    /// Where an upload goes on; what stands behind the `?` changes, as real registries have it.
    fn location(&self, session: u64) -> String {
        let len = self.pushed(|pushed| pushed.sessions.get(&session).map_or(0, Vec::len));
        let path = format!("/v2/{}/blobs/uploads/{session}?_state={len}", self.repository);
        match &self.faults.elsewhere {
            Some(host) => format!("http://{host}{path}"),
            None if self.faults.absolute => format!("http://{}{path}", self.state.registry),
            None => path,
        }
    }

    fn stands(&self, session: u64) -> Draft {
        let Some(len) = self.pushed(|pushed| pushed.sessions.get(&session).map(Vec::len)) else {
            return unknown();
        };
        Draft::new(204, "")
            .with(LOCATION, self.location(session))
            .with(RANGE, format!("0-{}", len.saturating_sub(1)))
    }

    fn cancel(&self, session: u64) -> Draft {
        let known = self.pushed(|pushed| pushed.sessions.remove(&session).is_some());
        if known { Draft::new(204, "") } else { unknown() }
    }

    async fn patch(&self, session: u64, range: Option<&str>, body: Incoming) -> io::Result<Draft> {
        let announced = body.size_hint().exact().unwrap_or(0);
        let too_large = self.faults.limit.is_some_and(|limit| announced > limit);
        if too_large || self.faults.no_pieces {
            // Read all the same: an answer to somebody who is still sending gets lost.
            drop(read(body, u64::MAX).await);
            return Ok(match too_large {
                true => Draft::error(413, "SIZE_INVALID", "too large"),
                false => Draft::error(405, "UNSUPPORTED", "no pieces"),
            });
        }
        let due = self.pushed(|pushed| {
            if pushed.gone < self.faults.forget {
                pushed.gone += 1;
                pushed.sessions.remove(&session);
            }
            let cut = self.faults.cut.filter(|cut| pushed.cut < cut.times);
            pushed.cut += u32::from(cut.is_some());
            cut.map(|cut| cut.after)
        });
        let (bytes, whole) = read(body, due.unwrap_or(u64::MAX)).await;
        let outcome = self.pushed(|pushed| {
            let least = self.faults.least_piece.filter(|_| range.is_some());
            let Some(held) = pushed.sessions.get_mut(&session) else { return Some(unknown()) };
            let start = range.and_then(|range| range.split_once('-')?.0.parse::<usize>().ok());
            if start.is_some_and(|start| start != held.len()) {
                return Some(Draft::error(416, "BLOB_UPLOAD_INVALID", "not where it stands"));
            }
            if pushed.fed && pushed.lapsed < self.faults.lapse {
                (pushed.fed, pushed.lapsed) = (false, pushed.lapsed + 1);
                held.truncate(held.len() / 2);
                return Some(Draft::error(416, "BLOB_UPLOAD_INVALID", "not where it stands"));
            }
            let short = least.is_some_and(|least| announced < least);
            if short && start.unwrap_or(0) == 0 {
                return Some(Draft::error(400, "SIZE_INVALID", "a piece that is too short"));
            }
            held.extend_from_slice(&bytes);
            pushed.fed = true;
            if pushed.lagged < self.faults.lag {
                pushed.lagged += 1;
                held.truncate(held.len().saturating_sub(bytes.len() / 2));
            }
            None
        });
        if !whole || due.is_some() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let len = self.pushed(|pushed| pushed.sessions.get(&session).map_or(0, Vec::len));
        Ok(outcome.unwrap_or_else(|| {
            Draft::new(202, "")
                .with(LOCATION, self.location(session))
                .with(RANGE, format!("0-{}", len.saturating_sub(1)))
        }))
    }

    async fn put(&self, session: u64, body: Incoming) -> io::Result<Draft> {
        let (bytes, _whole) = read(body, u64::MAX).await;
        let wanted = self.query.get("digest").and_then(|digest| digest.parse::<Digest>().ok());
        let draft = self.pushed(|pushed| {
            let (Some(mut held), Some(wanted)) = (pushed.sessions.remove(&session), wanted) else {
                return unknown();
            };
            held.extend_from_slice(&bytes);
            if pushed.spoilt < self.faults.spoil {
                pushed.spoilt += 1;
                held.push(0);
            }
            if Digest::of(&held) != wanted {
                return Draft::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
            }
            pushed.blobs.insert(wanted, held.into());
            pushed.holders.insert((self.repository.to_owned(), wanted));
            Draft::new(201, "").with(DIGEST, wanted.to_string())
        });
        let lost = self.pushed(|pushed| {
            let lost = draft.status == 201 && pushed.lost < self.faults.lose_answers;
            pushed.lost += u32::from(lost);
            lost
        });
        if lost { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(draft) }
    }
}

fn put_manifest(state: &State, repository: &str, name: &str, media_type: String, bytes: Bytes) -> Draft {
    let digest = Digest::of(&bytes);
    if name.parse::<Digest>().is_ok_and(|named| named != digest) {
        return Draft::error(400, "DIGEST_INVALID", "the manifest has another digest");
    }
    let mut pushed = state.pushed.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(missing) = missing(state, &pushed, repository, &bytes) {
        return Draft::error(400, "MANIFEST_BLOB_UNKNOWN", &format!("{missing} is not here"));
    }
    pushed.manifests.insert((repository.to_owned(), digest), Document { media_type, bytes });
    if name.parse::<Digest>().is_err() {
        pushed.tags.insert((repository.to_owned(), name.to_owned()), digest);
    }
    Draft::new(201, "").with(DIGEST, digest.to_string())
}

/// Finds something that a manifest names and that is not here: real registries look, too.
fn missing(state: &State, pushed: &Pushed, repository: &str, bytes: &[u8]) -> Option<Digest> {
    let document: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let digest = |value: &serde_json::Value| value.get("digest")?.as_str()?.parse::<Digest>().ok();
    let listed = |name: &str| document.get(name).and_then(|list| list.as_array()).into_iter().flatten();
    let blobs = listed("layers").chain(document.get("config")).filter_map(digest);
    let lacks = |d: &Digest| pushed.blob(repository, d).is_none() && !state.content.blobs.contains_key(d);
    let no_blob = blobs.into_iter().find(lacks);
    no_blob.or_else(|| {
        let unknown = |d: &Digest| {
            !pushed.manifests.contains_key(&(repository.to_owned(), *d))
                && !state.content.manifests.contains_key(d)
        };
        listed("manifests").filter_map(digest).find(unknown)
    })
}

fn unknown() -> Draft {
    Draft::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
}

/// Reads at most `limit` bytes of a body; whether they are all.
async fn read(mut body: Incoming, limit: u64) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    while u64::try_from(all.len()).unwrap_or(u64::MAX) < limit {
        let frame = std::future::poll_fn(|context| std::pin::Pin::new(&mut body).poll_frame(context)).await;
        match frame {
            Some(Ok(frame)) => all.extend(frame.into_data().unwrap_or_default()),
            Some(Err(_)) => return (all, false),
            None => return (all, true),
        }
    }
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    (all, false)
}
