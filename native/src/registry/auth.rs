//! Tokens for whoever has no account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Response, Url};
use tokio::sync::Mutex as AsyncMutex;

use super::challenge::Challenge;
use super::client::Shared;
use super::error::{Access, shown, told};
use super::exchange::bounded;
use super::retry::retry_after;
use super::{Asked, Fault, RegistryError};

/// A token server's answer is a few kilobytes; large ones list every group of an organisation.
const TOKEN_LIMIT: u64 = 1 << 20;
/// The specification's default; shorter answers are taken for mistakes, as containers/image does.
const SHORTEST_LIFE: Duration = Duration::from_secs(60);
/// A token this close to its end may be refused by the time it arrives.
const MARGIN: Duration = Duration::from_secs(5);

/// The tokens held, one for each repository and purpose.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<Scope, Arc<AsyncMutex<Slot>>>>);

#[derive(PartialEq, Eq, Hash)]
struct Scope {
    host: String,
    repository: String,
    access: Access,
}

/// The token for one repository and purpose. The lock is held while it is fetched, so that many ranges make one request of it.
#[derive(Default)]
struct Slot {
    token: Option<Token>,
    challenge: Option<Challenge>,
}

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    expires: Instant,
}

impl Tokens {
    fn slot(&self, asked: &Asked) -> Arc<AsyncMutex<Slot>> {
        let scope = Scope {
            host: asked.host.clone(),
            repository: asked.repository.clone(),
            access: asked.access.clone(),
        };
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(scope).or_default())
    }
}

impl Shared {
    /// Returns the `Authorization` to send, as far as known: none before the registry ever asked for one.
    pub(super) async fn authorization(&self, asked: &Asked) -> Result<Option<HeaderValue>, RegistryError> {
        let slot = self.tokens.slot(asked);
        let mut slot = slot.lock().await;
        match (&slot.token, &slot.challenge) {
            (Some(token), _) if token.expires > Instant::now() => Ok(Some(token.header.clone())),
            (Some(_), Some(challenge)) => {
                let token = self.fetch_token(asked, challenge).await?;
                Ok(Some(slot.token.insert(token).header.clone()))
            }
            _ => Ok(None),
        }
    }

    /// Answers a 401 whose headers are `headers` to a request that carried `stale`.
    pub(super) async fn reauthorize(
        &self,
        asked: &Asked,
        headers: &HeaderMap,
        stale: Option<&HeaderValue>,
    ) -> Result<(), RegistryError> {
        let slot = self.tokens.slot(asked);
        let mut slot = slot.lock().await;
        if slot.token.as_ref().is_some_and(|token| Some(&token.header) != stale) {
            // Another thread renewed it while this one waited.
            return Ok(());
        }
        slot.token = None;
        let offered: Vec<_> = headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Challenge::parse)
            .collect();
        let Some(bearer) = offered.iter().find(|challenge| challenge.scheme == "bearer") else {
            let fault = match offered.first() {
                Some(other) => Fault::Credentials { scheme: shown(&other.scheme) },
                None => unreadable("the registry does not say how (no WWW-Authenticate)"),
            };
            return Err(RegistryError::new(asked, fault));
        };
        slot.challenge = Some(bearer.clone());
        slot.token = Some(self.fetch_token(asked, bearer).await?);
        Ok(())
    }

    async fn fetch_token(&self, asked: &Asked, challenge: &Challenge) -> Result<Token, RegistryError> {
        let fail = |fault: Fault| RegistryError::new(asked, fault);
        let realm = challenge.parameter("realm").unwrap_or("");
        let mut url = Url::parse(realm)
            .map_err(|error| fail(unreadable(&format!("realm {}: {error}", shown(realm)))))?;
        match url.scheme() {
            "https" => {}
            "http" if !self.options.tls_verify => {}
            other => return Err(fail(unreadable(&format!("the realm is {}, not https", shown(other))))),
        }
        url.query_pairs_mut()
            .extend_pairs(challenge.parameter("service").map(|service| ("service", service)))
            .extend_pairs(scopes(asked, challenge).map(|scope| ("scope", scope)));
        self.retrying(async || {
            let started = Instant::now();
            let response = self.send(asked, self.http(&url).get(url.clone())).await?;
            self.read_token(asked, &url, response, started).await
        })
        .await
    }

    async fn read_token(
        &self,
        asked: &Asked,
        url: &Url,
        response: Response,
        started: Instant,
    ) -> Result<Token, RegistryError> {
        #[derive(serde::Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
            expires_in: Option<u64>,
        }
        let fail = |fault: Fault| RegistryError::new(asked, fault);
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let body = bounded(response, TOKEN_LIMIT, self.options.timeouts.stall).await;
        if status != 200 {
            let told = told(&body.unwrap_or_default());
            let host = url.host_str().unwrap_or("").to_owned();
            return Err(fail(Fault::Token { host, status, told, retry_after }));
        }
        // The parser's message would quote the token.
        let answer: Answer = serde_json::from_slice(&body.map_err(fail)?)
            .map_err(|_quotes| fail(unreadable("the token server's answer is not the JSON it should be")))?;
        // Both names are in use; some servers leave the other one empty.
        let token = answer.token.filter(|t| !t.is_empty()).or(answer.access_token).filter(|t| !t.is_empty());
        let header = token.map(|token| HeaderValue::from_str(&format!("Bearer {token}")));
        let Some(Ok(mut header)) = header else {
            return Err(fail(unreadable("the token server's answer holds no token")));
        };
        header.set_sensitive(true);
        let stated = Duration::from_secs(answer.expires_in.unwrap_or(0).min(86_400));
        Ok(Token { header, expires: started + stated.max(SHORTEST_LIFE) - MARGIN })
    }
}

/// Returns what to ask a token for: what the registry says, except where it cannot know what comes next.
fn scopes(asked: &Asked, challenge: &Challenge) -> impl Iterator<Item = String> {
    let of = |repository: &str, what: &str| format!("repository:{repository}:{what}");
    let (first, second) = match &asked.access {
        Access::Pull => {
            let stated = challenge.parameter("scope").map(str::to_owned);
            (stated.unwrap_or_else(|| of(&asked.repository, "pull")), None)
        }
        Access::Push => (of(&asked.repository, "pull,push"), None),
        Access::Mount { from } => (of(&asked.repository, "pull,push"), Some(of(from, "pull"))),
    };
    std::iter::once(first).chain(second)
}

fn unreadable(problem: &str) -> Fault {
    Fault::TokenUnreadable { problem: problem.to_owned() }
}
