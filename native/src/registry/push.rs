//! Blobs and manifests that go up: what may be asked of a registry.

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, Url};
use shingle_core::Digest;

use super::call::{Call, Payload};
use super::client::Shared;
use super::error::Access;
use super::exchange::text;
use super::upload::Upload;
use super::{Asked, Client, Fault, Reference, RegistryError};
use crate::transport::{Document, Section};

const MIN_PIECE: HeaderName = HeaderName::from_static("oci-chunk-min-length");
const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// An upload that the registry has opened.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) url: Url,
    /// The fewest bytes that a piece but the last may have.
    pub(super) least: u64,
    /// How much of the blob the registry has.
    pub(super) at: u64,
    /// Whether it may be more or less: a piece broke off.
    pub(super) unsure: bool,
}

impl Session {
    /// Returns how much of the blob the registry has.
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// Says that a piece broke off, so that the registry must be asked how much it has.
    pub(crate) const fn unsettle(&mut self) {
        self.unsure = true;
    }

    /// Returns the fewest bytes that a piece but the last may have.
    pub const fn least(&self) -> u64 {
        self.least
    }
}

impl Client {
    /// Whether a repository holds a blob.
    ///
    /// # Errors
    /// The registry does not say.
    pub fn has_blob(&self, reference: &Reference, digest: Digest) -> Result<bool, RegistryError> {
        let asked = Asked::to_push(reference, format!("blob {digest}"));
        self.shared.handle.block_on(
            self.shared
                .retrying(async || self.shared.holds(&asked, reference, &format!("blobs/{digest}")).await),
        )
    }

    /// Asks a registry to take a blob from another of its repositories. `None` says that it did; a session, that the
    /// blob must be uploaded.
    ///
    /// # Errors
    /// The registry takes nothing.
    pub fn mount_blob(
        &self,
        reference: &Reference,
        digest: Digest,
        from: &Reference,
    ) -> Result<Option<Session>, RegistryError> {
        let shared = &self.shared;
        let from = from.repository().to_owned();
        let mut asked = Asked::to_push(reference, format!("blob {digest} from {from}"));
        asked.access = Access::Mount { from: from.clone() };
        shared.handle.block_on(async {
            let mounted = shared
                .retrying(async || shared.begin(&asked, reference, Some((digest, from.as_str()))).await)
                .await;
            match mounted {
                // Whoever may not read the other repository may still write to this one.
                Err(error)
                    if matches!(&*error.fault, Fault::NotTaken { status: 401 | 403 | 404 | 405, .. }) =>
                {
                    let asked = Asked::to_push(reference, format!("blob {digest}"));
                    shared.retrying(async || shared.begin(&asked, reference, None).await).await
                }
                other => other,
            }
        })
    }

    /// Uploads a blob, in the session that is given or in one of its own. `progress` hears of bytes as they leave, again
    /// of those that leave again.
    ///
    /// An upload that is cut goes on where the registry says it stands; pieces shrink when the registry finds them too
    /// large.
    ///
    /// # Errors
    /// The registry does not take it, or what it got has another digest.
    pub fn put_blob(
        &self,
        reference: &Reference,
        digest: Digest,
        content: &Section,
        session: Option<Session>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), RegistryError> {
        let asked = Asked::to_push(reference, format!("blob {digest}"));
        let shared = &self.shared;
        let upload = Upload { shared, asked: &asked, reference, digest, content, progress };
        shared.handle.block_on(upload.run(session))
    }

    /// Puts a manifest or an index under the reference's digest or tag.
    ///
    /// # Errors
    /// The registry does not take it, or says that it got another one.
    pub fn put_manifest(&self, reference: &Reference, document: &Document) -> Result<(), RegistryError> {
        let name = reference.manifest();
        let asked = Asked::to_push(reference, format!("manifest {name}"));
        let fail = |problem: &str| RegistryError::new(&asked, Fault::Upload { problem: problem.to_owned() });
        let media_type = HeaderValue::from_str(&document.media_type)
            .map_err(|_no_header| fail("the manifest's media type cannot be sent"))?;
        let shared = &self.shared;
        shared.handle.block_on(shared.retrying(async || {
            let url = shared.home(&asked, reference, &format!("manifests/{name}")).await?;
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, media_type.clone())]);
            let payload = Payload::Bytes(document.bytes.clone().into());
            let call = Call { asked: &asked, reference, method: Method::PUT, url, headers, payload };
            let response = shared.call(call, &|_| {}).await?;
            if !response.status().is_success() {
                return Err(shared.not_taken(&asked, response).await);
            }
            match text(response.headers(), &DIGEST).and_then(|digest| digest.parse::<Digest>().ok()) {
                Some(actual) if actual != document.digest => {
                    Err(RegistryError::new(&asked, Fault::Digest { expected: document.digest, actual }))
                }
                _ => Ok(()),
            }
        }))
    }
}

impl Shared {
    pub(super) async fn holds(
        &self,
        asked: &Asked,
        reference: &Reference,
        path: &str,
    ) -> Result<bool, RegistryError> {
        let url = self.home(asked, reference, path).await?;
        let (headers, payload) = (HeaderMap::new(), Payload::NONE);
        let response = self
            .call(Call { asked, reference, method: Method::HEAD, url, headers, payload }, &|_| {})
            .await?;
        match response.status().as_u16() {
            200..=399 => Ok(true),
            // Who does not answer such questions is simply sent the blob.
            404 | 405 => Ok(false),
            _ => Err(self.not_taken(asked, response).await),
        }
    }

    /// Opens an upload; `None` when the registry had the blob in the other repository.
    pub(super) async fn begin(
        &self,
        asked: &Asked,
        reference: &Reference,
        mount: Option<(Digest, &str)>,
    ) -> Result<Option<Session>, RegistryError> {
        let mut url = self.home(asked, reference, "blobs/uploads/").await?;
        if let Some((digest, from)) = mount {
            url.query_pairs_mut().append_pair("mount", &digest.to_string()).append_pair("from", from);
        }
        let headers = HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from_static("0"))]);
        let payload = Payload::NONE;
        let call = Call { asked, reference, method: Method::POST, url: url.clone(), headers, payload };
        let response = self.call(call, &|_| {}).await?;
        match response.status().as_u16() {
            201 if mount.is_some() => Ok(None),
            200..=299 => {
                let least = text(response.headers(), &MIN_PIECE).and_then(|least| least.trim().parse().ok());
                let url = self.location(asked, &url, &response)?.ok_or_else(|| {
                    let problem = "the registry does not say where to".to_owned();
                    RegistryError::new(asked, Fault::Upload { problem })
                })?;
                Ok(Some(Session { url, least: least.unwrap_or(1), at: 0, unsure: false }))
            }
            _ => Err(self.not_taken(asked, response).await),
        }
    }

    /// Returns where the upload goes on, if the answer says so.
    pub(super) fn location(
        &self,
        asked: &Asked,
        from: &Url,
        response: &Response,
    ) -> Result<Option<Url>, RegistryError> {
        if !response.headers().contains_key(reqwest::header::LOCATION) {
            return Ok(None);
        }
        let fail = |problem: String| RegistryError::new(asked, Fault::Redirect { problem });
        self.follow(from, response.headers()).map(Some).map_err(fail)
    }
}
