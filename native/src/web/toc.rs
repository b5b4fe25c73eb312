//! What one layer holds, as an exported file: for layers that the page would have to fetch whole.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};
use tokio::sync::mpsc;

use super::State;
use super::api::{Asked, aside_and_on, named, parameter};
use super::body::Sent;
use super::fault::Fault;
use super::wanted::{Wanted, WhileWanted};
use crate::contents::{Contents, ContentsError, ExportError, Quiet, ReadOptions, export, read_layers};

/// How much is handed on at once.
const PIECE: usize = 64 << 10;

/// Answers `api/toc`: reads the layer, by its TOC or from its first byte to its last, and checks it.
pub(super) async fn answer(state: &Arc<State>, asked: &Asked<'_>) -> Result<Response<Sent>, Fault> {
    let image = named(state, asked.query)?;
    let text = parameter(asked.query, "layer").ok_or_else(|| Fault::bad("the request has no layer"))?;
    let index: usize = text.parse().map_err(|_no_number| Fault::bad("layer is no number"))?;
    let head = asked.method == Method::HEAD;
    // Given back when the client hangs up, too: a registry that says nothing any more holds up its own thread alone.
    // An answer keeps it to its end: what is known of a layer may be large, and stays in memory until it is handed on.
    let place = Arc::clone(&state.reading).acquire_owned().await.map_err(|_closed| Fault::broken())?;
    let wanted = Wanted::default();
    // Dropped when the client hangs up before there is an answer, or with that.
    let _waiting = wanted.waiting();
    let read = aside_and_on(state, move |state, answered| {
        let platform = &state.options.platform;
        let contents = || -> Result<Contents, Fault> {
            let described = image.described(platform, || answered.is_closed())?;
            let layer = described.layers.get(index).ok_or_else(|| {
                let layers = described.layers.len();
                let message = format!("{} has {layers} layers, and none with number {index}", image.name);
                Fault::new(StatusCode::NOT_FOUND, message)
            })?;
            let options = ReadOptions {
                platform: platform.clone(),
                policy: state.options.policy,
                cache: state.options.cache.as_ref(),
                store: state.options.store.as_ref(),
                ..ReadOptions::default()
            };
            let layers = match head {
                // Whether it can be read, only reading would tell.
                true => Vec::new(),
                false => {
                    let source = WhileWanted { source: &*image.source, wanted };
                    let mut read = read_layers(&[(&*image.name, &source)], &[vec![layer]], &options, &Quiet)
                        .map_err(|error| at(error, index))?;
                    read.pop().unwrap_or_default()
                }
            };
            Ok(Contents {
                name: image.name.to_string(),
                digest: described.digest,
                platform: described.platform.clone(),
                layers,
            })
        };
        let contents = match contents() {
            Ok(contents) => contents,
            Err(fault) => return drop(answered.send(Err(fault))),
        };
        // A layer that contradicts itself is found out here, before anything is said.
        let policy = &state.options.policy;
        if let Some(error) = contents.layers.iter().find_map(|layer| layer.known(policy).err()) {
            let error = ExportError::Layer { image: contents.name, index, source: Box::new(error) };
            return drop(answered.send(Err(error.into())));
        }
        let (pieces, body) = Sent::pieces(None);
        let body = if head { Sent::empty() } else { body };
        if answered.send(Ok(body)).is_err() || head {
            return;
        }
        let mut to = io::BufWriter::with_capacity(PIECE, Pieces(&pieces));
        let written = export(&[contents], policy, &mut to).is_ok() && to.flush().is_ok();
        // What ends too early must not look whole.
        if !written {
            drop(pieces.blocking_send(Err(io::ErrorKind::BrokenPipe.into())));
        }
    });
    let mut response = Response::new(read.await?.holding(place));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/gzip"));
    Ok(response)
}

/// Says which layer of the image it was.
fn at(error: ContentsError, layer: usize) -> ContentsError {
    match error {
        ContentsError::Layer { image, blob, source, .. } => {
            ContentsError::Layer { image, index: layer, blob, source }
        }
        other => other,
    }
}

/// Writes into a body.
struct Pieces<'a>(&'a mpsc::Sender<io::Result<Bytes>>);

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_nobody_reads| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
