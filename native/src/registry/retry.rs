//! Trying again: what is worth it, and when.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::RegistryError;
use super::client::Shared;

impl Shared {
    /// Does `once` until it works, fails for good, or has failed often enough.
    pub(super) async fn retrying<T>(
        &self,
        mut once: impl AsyncFnMut() -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let mut failed = 0_u32;
        loop {
            let error = match once().await {
                // Nobody ever listened there: a wrong port, most likely, and waiting does not make it right.
                Err(error) if error.is_nobody() && !self.answered.load(Ordering::Relaxed) => {
                    return Err(error);
                }
                Err(error) if error.is_transient() => error,
                settled => {
                    self.answered.store(true, Ordering::Relaxed);
                    return settled;
                }
            };
            failed = failed.saturating_add(1);
            match self.options.backoff.delay(failed, jitter(), error.retry_after()) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(error),
            }
        }
    }
}

/// Draws a number; the standard library's hash keys are random enough to spread clients out.
pub(super) fn jitter() -> u32 {
    let [a, b, c, d, ..] = RandomState::new().hash_one(0_u8).to_ne_bytes();
    u32::from_ne_bytes([a, b, c, d])
}

/// Reads a `Retry-After` header by this machine's clock.
pub(super) fn retry_after(headers: &reqwest::header::HeaderMap) -> Option<Duration> {
    let text = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    shingle_core::http::retry_after(text, now)
}
