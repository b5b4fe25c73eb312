//! Uploads of blobs whose digest is not known yet.

use std::num::NonZero;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderValue, RANGE};

use super::call::{Call, Payload};
use super::exchange::text;
use super::push::Session;
use super::upload::end_of;
use super::{Asked, Client, Fault, Reference, RegistryError};
use crate::transport::Section;

/// What is sent ahead at once, at most: whoever finds the blob there after all waits for it.
const LONGEST: u64 = 64 << 20;
/// How long to wait for the answer to a courtesy.
const CANCEL: Duration = Duration::from_secs(2);

impl Client {
    /// Returns the fewest bytes worth sending of a blob that is still being written.
    pub(crate) fn upload_ahead(&self) -> Option<NonZero<u64>> {
        self.shared.options.upload_ahead
    }

    /// Opens an upload. Nothing is tried twice.
    pub(crate) fn begin_upload(&self, reference: &Reference) -> Result<Session, RegistryError> {
        let asked = asked(reference);
        let opened = self.shared.handle.block_on(self.shared.begin(&asked, reference, None))?;
        opened.ok_or_else(|| problem(&asked, "a blob was mounted that nobody asked to mount"))
    }

    /// Sends one piece from where the session stands, at most to the end of what there is; returns where it stands then.
    /// Nothing is tried twice.
    pub(crate) fn send_ahead(
        &self,
        reference: &Reference,
        session: &Session,
        so_far: &Section,
    ) -> Result<Session, RegistryError> {
        let asked = asked(reference);
        let (at, most) = (session.at, LONGEST.min(self.shared.options.upload_piece).max(session.least));
        let end = so_far.len().min(at.saturating_add(most));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let range = HeaderValue::from_str(&format!("{at}-{}", end.saturating_sub(1)));
        headers.extend(range.ok().map(|range| (CONTENT_RANGE, range)));
        let (url, payload) = (session.url.clone(), Payload::Part(so_far.clone(), at, end));
        let call = Call { asked: &asked, reference, method: Method::PATCH, url, headers, payload };
        self.shared.handle.block_on(async {
            let response = self.shared.call(call, &|_| {}).await?;
            if !response.status().is_success() {
                return Err(self.shared.not_taken(&asked, response).await);
            }
            let next = self.shared.location(&asked, &session.url, &response)?;
            match text(response.headers(), &RANGE).and_then(end_of).unwrap_or(end) {
                now if at < now && now <= end => {
                    Ok(Session { url: next.unwrap_or_else(|| session.url.clone()), at: now, ..*session })
                }
                _ => Err(problem(&asked, "the registry stands elsewhere than it says")),
            }
        })
    }

    /// Tells the registry that an upload will not be finished. It forgets those in time anyway, so nothing depends on
    /// the answer.
    pub(crate) fn cancel_upload(&self, reference: &Reference, session: Session) {
        let asked = asked(reference);
        let (headers, payload) = (HeaderMap::new(), Payload::NONE);
        let call =
            Call { asked: &asked, reference, method: Method::DELETE, url: session.url, headers, payload };
        let cancel = async { tokio::time::timeout(CANCEL, self.shared.call(call, &|_| {})).await };
        drop(self.shared.handle.block_on(cancel));
    }
}

fn asked(reference: &Reference) -> Asked {
    Asked::to_push(reference, "a layer that is being written".to_owned())
}

fn problem(asked: &Asked, problem: &str) -> RegistryError {
    RegistryError::new(asked, Fault::Upload { problem: problem.to_owned() })
}
