//! What the page asks for beside its own files.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderValue, RANGE,
};
use hyper::{HeaderMap, Method, Response, StatusCode};
use serde::Serialize;
use shingle_core::Digest;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::State;
use super::blob::{hand_on, range};
use super::body::Sent;
use super::fault::Fault;
use super::image::{Image, ImageSaid};
use crate::count;

/// Who asks, and how.
pub(super) struct Asked<'a> {
    /// What stands behind `api/`.
    pub(super) name: &'a str,
    /// What stands behind `?`.
    pub(super) query: &'a str,
    pub(super) method: &'a Method,
    pub(super) headers: &'a HeaderMap,
}

#[derive(Serialize)]
struct Session<'a> {
    version: &'static str,
    refs: Vec<&'a str>,
}

/// Answers a request below `api/`.
pub(super) async fn answer(state: &Arc<State>, asked: Asked<'_>) -> Response<Sent> {
    let answered = match asked.name {
        "session" => Ok(json(StatusCode::OK, &session(state))),
        "image" => image(state, &asked).await,
        "blob" => blob(state, &asked).await,
        "toc" => super::toc::answer(state, &asked).await,
        _ => Err(Fault::new(StatusCode::NOT_FOUND, "there is no such request")),
    };
    let mut response = answered.unwrap_or_else(|fault| json(fault.status, &fault));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn session(state: &State) -> Session<'_> {
    Session {
        version: env!("CARGO_PKG_VERSION"),
        refs: state.images.iter().map(|image| &*image.name).collect(),
    }
}

async fn image(state: &Arc<State>, asked: &Asked<'_>) -> Result<Response<Sent>, Fault> {
    let image = named(state, asked.query)?;
    let platform = state.options.platform.clone();
    let found = aside_and_on(state, move |_, answered| {
        let described = image.described(&platform, || answered.is_closed());
        let answer =
            described.map(|described| json(StatusCode::OK, &ImageSaid::new(&image.name, &described)));
        drop(answered.send(answer.map_err(Fault::from)));
    });
    found.await
}

async fn blob(state: &Arc<State>, asked: &Asked<'_>) -> Result<Response<Sent>, Fault> {
    let image = named(state, asked.query)?;
    let text = parameter(asked.query, "digest").ok_or_else(|| Fault::bad("the request has no digest"))?;
    let digest: Digest = text.parse().map_err(|_not_one| Fault::bad("the digest is none"))?;
    let (header, head) = (asked.headers.get(RANGE).cloned(), asked.method == Method::HEAD);
    let platform = state.options.platform.clone();
    let opened = aside_and_on(state, move |_, opened| {
        let open = || {
            let described = image.described(&platform, || opened.is_closed())?;
            let layer = described.layers.iter().find(|layer| layer.digest == digest).ok_or_else(|| {
                Fault::new(StatusCode::FORBIDDEN, format!("no layer of {} is {digest}", image.name))
            })?;
            let range = range(header.as_ref(), layer.size)?;
            let len = range.end.saturating_sub(range.start);
            let label = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), layer.size);
            let reader = match head {
                true => None,
                false => Some(image.source.open_part(digest, layer.size, range)?.ok_or_else(no_parts)?),
            };
            Ok((reader, len, label))
        };
        let (reader, len, label) = match open() {
            Ok(open) => open,
            Err(fault) => return drop(opened.send(Err(fault))),
        };
        let (pieces, body) = Sent::pieces(Some(len));
        let body = if head { Sent::empty() } else { body };
        if opened.send(Ok((body, len, label))).is_ok()
            && let Some(reader) = reader
        {
            hand_on(reader, &pieces);
        }
    });
    let (body, len, label) = opened.await?;
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, len.into());
    if let Ok(label) = HeaderValue::from_str(&label) {
        headers.insert(CONTENT_RANGE, label);
    }
    Ok(response)
}

fn no_parts() -> Fault {
    Fault::new(StatusCode::NOT_IMPLEMENTED, "the registry gives no parts of this blob")
        .hint("the layer can be read whole")
}

/// Finds the image that a request names.
pub(super) fn named(state: &State, query: &str) -> Result<Image, Fault> {
    let name = parameter(query, "ref").ok_or_else(|| Fault::bad("the request has no ref"))?;
    let image = state.images.iter().find(|image| *image.name == *name);
    image.cloned().ok_or_else(|| {
        Fault::new(StatusCode::FORBIDDEN, format!("{name} is not one of the images that were named"))
            .hint("name it on the command line, too")
    })
}

/// Returns the first parameter of a name.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(&format!("http://localhost/?{query}")).ok()?;
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

/// Does what blocks on a thread of its own, as soon as there is one.
pub(super) async fn aside<T: Send + 'static>(
    state: &Arc<State>,
    work: impl FnOnce(&State) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    aside_and_on(state, |state, done| drop(done.send(work(state)))).await
}

/// The same for what goes on after it answered.
pub(super) async fn aside_and_on<T: Send + 'static>(
    state: &Arc<State>,
    work: impl FnOnce(&State, oneshot::Sender<Result<T, Fault>>) + Send + 'static,
) -> Result<T, Fault> {
    let permit: OwnedSemaphorePermit =
        Arc::clone(&state.work).acquire_owned().await.map_err(|_closed| Fault::broken())?;
    let (done, answer) = oneshot::channel();
    let state = Arc::clone(state);
    tokio::task::spawn_blocking(move || {
        // Whoever asked may be gone by now.
        if !done.is_closed() {
            work(&state, done);
        }
        drop(permit);
    });
    answer.await.unwrap_or_else(|_dropped| Err(Fault::broken()))
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Sent> {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let len = count(bytes.len());
    let mut response = Response::new(Sent::from(Bytes::from(bytes)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, len.into());
    response
}
