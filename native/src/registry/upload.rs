//! One blob on its way up: in pieces, or in one; cut, resumed, begun anew.

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, Response, Url};
use shingle_core::Digest;

use super::call::{Call, Payload};
use super::client::Shared;
use super::exchange::text;
use super::push::Session;
use super::retry::jitter;
use super::{Asked, Fault, Reference, RegistryError};
use crate::transport::Section;

/// A registry that takes no pieces as small as this takes none.
const SMALLEST_PIECE: u64 = 1 << 20;
/// How often an upload that the registry forgot, or that came out wrong, is begun anew.
const RESTARTS: u32 = 3;

/// One blob on its way.
pub(super) struct Upload<'a> {
    pub(super) shared: &'a Shared,
    pub(super) asked: &'a Asked,
    pub(super) reference: &'a Reference,
    pub(super) digest: Digest,
    pub(super) content: &'a Section,
    pub(super) progress: &'a (dyn Fn(u64) + Sync),
}

/// What became of a session.
enum Ended {
    Done,
    /// It must be begun anew, for this reason.
    Anew(RegistryError),
    /// The registry takes no pieces.
    InOne,
}

/// What became of a piece.
enum Sent {
    /// The registry has the blob up to here, and goes on there.
    UpTo(u64, Option<Url>),
    Ended(Ended),
    Smaller,
    /// Ask where the registry stands: after a trouble, or without one.
    Unsure(Option<RegistryError>),
}

impl Upload<'_> {
    pub(super) async fn run(&self, mut session: Option<Session>) -> Result<(), RegistryError> {
        let mut anew = 0_u32;
        loop {
            let ahead = session.as_ref().is_some_and(|session| session.at > 0);
            let opened = match session.take() {
                Some(session) => session,
                None => self.open().await?,
            };
            let ended = match self.in_pieces(opened).await {
                // Who dislikes how pieces came before their end was known may like them as they come from here on.
                Err(error) if ahead && !error.is_transient() => Ended::Anew(error),
                ended => ended?,
            };
            match ended {
                Ended::Done => return Ok(()),
                Ended::InOne => return self.in_one().await,
                Ended::Anew(error) if anew >= RESTARTS => return Err(error),
                Ended::Anew(_again) => anew += 1,
            }
        }
    }

    async fn open(&self) -> Result<Session, RegistryError> {
        let shared = self.shared;
        let opened = shared.retrying(async || shared.begin(self.asked, self.reference, None).await).await?;
        opened.ok_or_else(|| self.problem("a blob was mounted that nobody asked to mount"))
    }

    async fn in_pieces(&self, session: Session) -> Result<Ended, RegistryError> {
        let Session { mut url, least, mut at, unsure } = session;
        let len = self.content.len();
        if unsure {
            match self.stands(&url).await? {
                Ok((now, next)) if now <= len => (at, url) = (now, next.unwrap_or(url)),
                Ok(_) => return Ok(Ended::Anew(self.problem("the registry has more than there is"))),
                Err(error) => return Ok(Ended::Anew(error)),
            }
        }
        let mut piece = self.shared.options.upload_piece.max(least).max(1);
        // Who takes pieces and loses them again, with nothing won, does not go on so for ever.
        let (mut failed, mut furthest) = (0_u32, 0);
        while at < len {
            let end = at.saturating_add(piece).min(len);
            match self.send_piece(&url, at, end).await? {
                Sent::UpTo(now, next) if now > at => {
                    if now > furthest {
                        (failed, furthest) = (0, now);
                    }
                    (at, url) = (now, next.unwrap_or(url));
                }
                Sent::Ended(ended) => return Ok(ended),
                Sent::Smaller => {
                    let smaller = piece.min(len) / 2;
                    if smaller < least.max(SMALLEST_PIECE) {
                        return Ok(Ended::InOne);
                    }
                    piece = smaller;
                }
                Sent::UpTo(_, next) => {
                    // It took nothing, and may do so for ever.
                    url = next.unwrap_or(url);
                    failed += 1;
                    self.rest(failed, || {
                        self.problem("the registry takes a piece and has no more than before")
                    })
                    .await?;
                }
                Sent::Unsure(error) => {
                    failed += 1;
                    let why = || self.problem("the registry stands elsewhere than it says");
                    self.rest_after(failed, error, why).await?;
                    match self.stands(&url).await? {
                        Ok((now, next)) if now <= len => {
                            if now > furthest {
                                (failed, furthest) = (0, now);
                            }
                            if now <= at {
                                // Something on the way may not let so much pass, and not say so.
                                piece = (piece.min(len) / 2).max(least).max(SMALLEST_PIECE);
                            }
                            (at, url) = (now, next.unwrap_or(url));
                        }
                        Ok(_) => return Ok(Ended::Anew(self.problem("the registry has more than there is"))),
                        Err(error) => return Ok(Ended::Anew(error)),
                    }
                }
            }
        }
        self.finish(&url).await
    }

    async fn send_piece(&self, url: &Url, at: u64, end: u64) -> Result<Sent, RegistryError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        if at > 0 || end < self.content.len() {
            let range = format!("{at}-{}", end.saturating_sub(1));
            headers.extend(HeaderValue::from_str(&range).ok().map(|range| (CONTENT_RANGE, range)));
        }
        let payload = Payload::Part(self.content.clone(), at, end);
        let response = match self.call(Method::PATCH, url.clone(), headers, payload).await {
            Ok(response) => response,
            Err(error) if error.is_transient() => return Ok(Sent::Unsure(Some(error))),
            Err(error) => return Err(error),
        };
        let status = response.status().as_u16();
        if response.status().is_success() {
            let next = self.shared.location(self.asked, url, &response)?;
            // `0-0` may mean one byte or none.
            let stands = text(response.headers(), &RANGE).and_then(end_of);
            let stands = stands.map(|stands| if stands == 1 && end > 1 { 0 } else { stands });
            return Ok(match stands.unwrap_or(end) {
                now if now > end => Sent::Unsure(None),
                now => Sent::UpTo(now, next),
            });
        }
        let error = self.shared.not_taken(self.asked, response).await;
        Ok(match status {
            404 | 410 => Sent::Ended(Ended::Anew(error)),
            405 | 501 => Sent::Ended(Ended::InOne),
            413 => Sent::Smaller,
            409 | 416 => Sent::Unsure(Some(error)),
            _ if error.is_transient() => Sent::Unsure(Some(error)),
            _ => return Err(error),
        })
    }

    /// Asks how much of the upload the registry has; an inner error means that it does not know of it.
    async fn stands(&self, url: &Url) -> Result<Result<(u64, Option<Url>), RegistryError>, RegistryError> {
        let answer = self
            .shared
            .retrying(async || {
                let response = self.call(Method::GET, url.clone(), HeaderMap::new(), Payload::NONE).await?;
                if response.status().is_success() {
                    return Ok(response);
                }
                Err(self.shared.not_taken(self.asked, response).await)
            })
            .await;
        match answer {
            Ok(response) => {
                let next = self.shared.location(self.asked, url, &response)?;
                let range = text(response.headers(), &RANGE).unwrap_or("0-0");
                // `0-0` is what registries say of nothing, and of one byte; that one is sent again.
                let end = end_of(range).filter(|end| *end > 1).unwrap_or(0);
                Ok(Ok((end, next)))
            }
            Err(error) if matches!(&*error.fault, Fault::NotTaken { .. }) && !error.is_transient() => {
                Ok(Err(error))
            }
            Err(error) => Err(error),
        }
    }

    async fn finish(&self, url: &Url) -> Result<Ended, RegistryError> {
        let mut failed = 0_u32;
        loop {
            let error = match self.put(url, Payload::NONE).await {
                Ok(None) => return Ok(Ended::Done),
                Ok(Some(error)) | Err(error) => error,
            };
            let again = error.is_transient();
            // The answer may be all that was lost.
            if (again || matches!(&*error.fault, Fault::NotTaken { status: 404, .. }))
                && self.is_there().await?
            {
                return Ok(Ended::Done);
            }
            if !again {
                // Not its bytes, or an upload it no longer knows: both may be the fault of pieces that were sent again.
                return match &*error.fault {
                    Fault::NotTaken { status: 400 | 404 | 410 | 416, .. } => Ok(Ended::Anew(error)),
                    _ => Err(error),
                };
            }
            failed += 1;
            self.rest_after(failed, Some(error), || self.problem("it is never finished")).await?;
        }
    }

    /// Uploads all of it in one request, for registries that take no pieces.
    async fn in_one(&self) -> Result<(), RegistryError> {
        let mut failed = 0_u32;
        loop {
            let session = self.open().await?;
            let payload = Payload::Part(self.content.clone(), 0, self.content.len());
            let error = match self.put(&session.url, payload).await {
                Ok(None) => return Ok(()),
                Ok(Some(error)) | Err(error) => error,
            };
            if !error.is_transient() {
                return Err(error);
            }
            if self.is_there().await? {
                return Ok(());
            }
            failed += 1;
            self.rest_after(failed, Some(error), || self.problem("it is never finished")).await?;
        }
    }

    /// Ends an upload; an error inside is the registry's answer.
    async fn put(&self, url: &Url, payload: Payload) -> Result<Option<RegistryError>, RegistryError> {
        let mut url = url.clone();
        url.query_pairs_mut().append_pair("digest", &self.digest.to_string());
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        if let Payload::Bytes(_) = payload {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let response = self.call(Method::PUT, url, headers, payload).await?;
        if response.status().is_success() {
            return Ok(None);
        }
        Ok(Some(self.shared.not_taken(self.asked, response).await))
    }

    async fn is_there(&self) -> Result<bool, RegistryError> {
        let (shared, path) = (self.shared, format!("blobs/{}", self.digest));
        shared.retrying(async || shared.holds(self.asked, self.reference, &path).await).await
    }

    async fn call(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        payload: Payload,
    ) -> Result<Response, RegistryError> {
        let call = Call { asked: self.asked, reference: self.reference, method, url, headers, payload };
        self.shared.call(call, self.progress).await
    }

    async fn rest(&self, failed: u32, why: impl FnOnce() -> RegistryError) -> Result<(), RegistryError> {
        self.rest_after(failed, None, why).await
    }

    /// Waits before the next try, or gives up with the error of the last one.
    async fn rest_after(
        &self,
        failed: u32,
        error: Option<RegistryError>,
        why: impl FnOnce() -> RegistryError,
    ) -> Result<(), RegistryError> {
        let after = error.as_ref().and_then(RegistryError::retry_after);
        match self.shared.options.backoff.delay(failed, jitter(), after) {
            Some(delay) => tokio::time::sleep(delay).await,
            None => return Err(error.unwrap_or_else(why)),
        }
        Ok(())
    }

    fn problem(&self, problem: &str) -> RegistryError {
        RegistryError::new(self.asked, Fault::Upload { problem: problem.to_owned() })
    }
}

/// Reads `0-LAST`, with or without a unit before it; returns one past the last.
pub(super) fn end_of(range: &str) -> Option<u64> {
    let range = range.trim();
    let range = range.strip_prefix("bytes").map_or(range, |rest| rest.trim_start_matches(['=', ' ']));
    let (first, last) = range.split_once('-')?;
    (first.trim() == "0").then_some(())?;
    last.trim().parse::<u64>().ok()?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn where_an_upload_stands() {
        for (range, end) in [
            ("0-0", Some(1)),
            ("0-1023", Some(1024)),
            ("bytes=0-9", Some(10)),
            ("bytes 0-9", Some(10)),
            ("5-9", None),
            ("0-", None),
            ("", None),
            ("0-18446744073709551615", None),
        ] {
            assert_eq!(end_of(range), end, "{range}");
        }
    }
}
