//! Registries over plain HTTP. What an answer means is decided by the component's interface `http`.

use std::io::Read;
use std::ops::Range;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use ureq::http::{Response, header};
use ureq::{Agent, Body};

use crate::bindings::exports::shingle::core::http::{Refused, Reply, Verdict};
use crate::bindings::exports::shingle::core::types;
use crate::engine::Core;
use crate::image::{Answer, DOCUMENT, Named, Source, read_up_to};

const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// A repository, and the tag in it that is meant.
#[derive(Debug)]
pub(crate) struct Registry {
    agent: Agent,
    /// `http://HOST:PORT/v2/REPOSITORY`.
    base: String,
    /// `HOST:PORT/REPOSITORY`.
    name: String,
    tag: String,
}

impl Registry {
    /// Takes `HOST:PORT/REPOSITORY:TAG` apart.
    pub(crate) fn new(text: &str) -> Result<Self> {
        let parts = text.split_once('/').and_then(|(host, rest)| Some((host, rest.rsplit_once(':')?)));
        let Some((host, (repository, tag))) = parts else {
            bail!("http://HOST:PORT/REPOSITORY:TAG is needed")
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(30)))
            .timeout_recv_body(Some(Duration::from_secs(600)));
        Ok(Self {
            agent: config.build().into(),
            base: format!("http://{host}/v2/{repository}"),
            name: format!("{host}/{repository}"),
            tag: tag.to_owned(),
        })
    }

    fn get(&self, path: &str, range: Option<&str>) -> Result<Response<Body>> {
        let url = format!("{}/{path}", self.base);
        let mut request = self.agent.get(&url).header(header::ACCEPT_ENCODING, "identity");
        match range {
            Some(range) => request = request.header(header::RANGE, range),
            None => request = request.header(header::ACCEPT, ACCEPT),
        }
        request.call().with_context(|| format!("cannot get {url}"))
    }
}

impl Source for Registry {
    fn document(&mut self, core: &mut Core, name: &Named<'_>) -> Result<Option<Vec<u8>>> {
        let name = match name {
            Named::Digest(digest) => digest,
            Named::Tag(tag) => tag.unwrap_or(&self.tag),
        };
        let response = self.get(&format!("manifests/{name}"), None)?;
        if matches!(response.status().as_u16(), 404 | 410) {
            return Ok(None);
        }
        let body = whole(core, response, None)?;
        read_up_to(body, DOCUMENT).map(Some)
    }

    fn range(&mut self, core: &mut Core, blob: &str, size: u64, range: Range<u64>) -> Result<Answer> {
        let asked = types::Range { start: range.start, end: range.end };
        let header = core.call("http.range-header", |store, reader| {
            reader.shingle_core_http().call_range_header(store, asked)
        })?;
        let response = self.get(&format!("blobs/{blob}"), Some(&header))?;
        let reply = reply(&response);
        let verdict = core.call("http.accept", |store, reader| {
            reader.shingle_core_http().call_accept(store, &reply, asked, Some(size))
        })?;
        Ok(match verdict {
            Verdict::Part(sent) => {
                let mut body: Box<dyn Read> = Box::new(response.into_body().into_reader());
                skip(&mut body, range.start.saturating_sub(sent.start))?;
                Answer::Part(body)
            }
            Verdict::Refused(Refused { leaves_whole: true, .. }) => Answer::Refused,
            Verdict::Refused(refused) => bail!("cannot get {blob}: {}", refused.message),
            Verdict::Whole => Answer::Whole(Box::new(response.into_body().into_reader())),
        })
    }

    fn whole(&mut self, core: &mut Core, blob: &str, size: u64) -> Result<Box<dyn Read>> {
        let response = self.get(&format!("blobs/{blob}"), None)?;
        whole(core, response, Some(size)).with_context(|| format!("cannot get {blob}"))
    }

    fn tag(&self) -> Option<&str> {
        Some(&self.tag)
    }

    fn beside(&self, suffix: &str) -> Result<(String, String), (String, &'static str)> {
        let tag = format!("{}{suffix}", self.tag);
        let name = format!("{}:{tag}", self.name);
        // More than registries take.
        if tag.len() > 128 { Err((tag, "has too long a tag")) } else { Ok((tag, name)) }
    }
}

/// Takes the body of an answer where no range was asked for.
fn whole(core: &mut Core, response: Response<Body>, size: Option<u64>) -> Result<Box<dyn Read>> {
    let reply = reply(&response);
    let verdict = core.call("http.accept-whole", |store, reader| {
        reader.shingle_core_http().call_accept_whole(store, &reply, size)
    })?;
    match verdict {
        Verdict::Refused(refused) => bail!("{}", refused.message),
        Verdict::Part(_) | Verdict::Whole => Ok(Box::new(response.into_body().into_reader())),
    }
}

/// Takes from an answer what decides.
fn reply(response: &Response<Body>) -> Reply {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Reply {
        status: response.status().as_u16(),
        content_range: text(header::CONTENT_RANGE),
        content_length: text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        content_type: text(header::CONTENT_TYPE),
        content_encoding: text(header::CONTENT_ENCODING),
    }
}

fn skip(body: &mut dyn Read, bytes: u64) -> Result<()> {
    std::io::copy(&mut body.take(bytes), &mut std::io::sink())?;
    Ok(())
}
