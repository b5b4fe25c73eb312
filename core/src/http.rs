//! What a registry's answer to a request for one byte range means: pure values, one truth for every shell.

use alloc::string::String;
use core::fmt;
use core::ops::Range;
use core::time::Duration;

/// The parts of an HTTP answer that decide what its body is. Headers are passed as they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data that every shell fills in by hand")]
pub struct Reply<'a> {
    /// The status code.
    pub status: u16,
    /// The `Content-Range` header; browsers hide it unless the server exposes it.
    pub content_range: Option<&'a str>,
    /// The `Content-Length` header.
    pub content_length: Option<u64>,
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The `Content-Encoding` header, `None` where the body handed on is already decoded.
    pub content_encoding: Option<&'a str>,
}

/// What the body to come holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a shell must handle each of these")]
pub enum Verdict {
    /// The bytes `sent` of the blob. They hold the first byte asked for, but may start before it and may end
    /// before or after the last one.
    Part {
        /// Where in the blob the body's bytes lie.
        sent: Range<u64>,
    },
    /// No usable body.
    Refused(Refusal),
    /// The whole blob from its first byte: usable data, to be streamed and cut, never asked for again.
    Whole,
}

/// Why an answer has no usable body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Refusal {
    /// The blob is not the length that its descriptor states.
    #[error("the blob is {actual} bytes long there, its descriptor states {stated}")]
    BlobSize {
        /// The length in the manifest.
        stated: u64,
        /// The length that the server gave.
        actual: u64,
    },
    /// The body is compressed in transit, so that its offsets are not the blob's.
    #[error("the body is sent as {encoding:?} although only identity was asked for")]
    Encoded {
        /// The `Content-Encoding` header, cut to 100 characters.
        encoding: String,
    },
    /// The blob is not there (404, 410).
    #[error("status {status}: not there")]
    Gone {
        /// The status code.
        status: u16,
    },
    /// The body's length is not the length of the range it claims to be.
    #[error("the body is {body} bytes long, the range it claims is {range}")]
    LengthDisagrees {
        /// The `Content-Length` header.
        body: u64,
        /// The length of the range.
        range: u64,
    },
    /// Several ranges, though one was asked for.
    #[error("the body is multipart/byteranges, which was not asked for")]
    Multipart,
    /// A range that does not hold the first byte asked for.
    #[error("the body holds bytes {}..{} where {}..{} were asked for", sent.start, sent.end, asked.start, asked.end)]
    OtherRange {
        /// What the body holds.
        sent: Range<u64>,
        /// What was asked for.
        asked: Range<u64>,
    },
    /// The server does not do this range; the whole blob may still be had (400, 416, 501).
    #[error("status {status}: ranges are not supported")]
    RangesUnsupported {
        /// The status code.
        status: u16,
    },
    /// The request needs a new token, or any (401).
    #[error("status {status}: not authenticated")]
    Reauthenticate {
        /// The status code.
        status: u16,
    },
    /// A plain no (403 and every status without a better reading).
    #[error("status {status}")]
    Refused {
        /// The status code.
        status: u16,
    },
    /// The server is busy or broken for now (408, 429, 5xx).
    #[error("status {status}: try again later")]
    RetryLater {
        /// The status code.
        status: u16,
    },
    /// The `Content-Range` header cannot be read.
    #[error("{text:?} is not a Content-Range")]
    Unreadable {
        /// The header, cut to 100 characters.
        text: String,
    },
}

impl Refusal {
    /// Reads the status of an answer without usable body to a request for a range.
    pub const fn of_status(status: u16) -> Self {
        match status {
            400 | 416 | 501 => Self::RangesUnsupported { status },
            401 => Self::Reauthenticate { status },
            404 | 410 => Self::Gone { status },
            408 | 429 | 500..=599 => Self::RetryLater { status },
            _ => Self::Refused { status },
        }
    }

    /// Whether asking for the whole blob instead may work where this range did not.
    pub const fn leaves_whole(&self) -> bool {
        match self {
            Self::Encoded { .. }
            | Self::LengthDisagrees { .. }
            | Self::Multipart
            | Self::OtherRange { .. }
            | Self::RangesUnsupported { .. }
            | Self::Unreadable { .. } => true,
            // Some caches answer 403 to a range they do not do (huggingface/xet-core#842).
            Self::Refused { status } => *status == 403,
            Self::BlobSize { .. }
            | Self::Gone { .. }
            | Self::Reauthenticate { .. }
            | Self::RetryLater { .. } => false,
        }
    }
}

/// Decides what the body of `reply` is, given the one range that was asked for.
///
/// `stated` is the blob's length by its descriptor, where it is known. `asked` must not be empty.
pub fn accept(reply: &Reply<'_>, asked: &Range<u64>, stated: Option<u64>) -> Verdict {
    judge(reply, asked, stated).unwrap_or_else(Verdict::Refused)
}

/// Decides what the body of `reply` is, where no range was asked for: the whole, or nothing.
pub fn accept_whole(reply: &Reply<'_>, stated: Option<u64>) -> Verdict {
    let asked = 0..stated.unwrap_or(u64::MAX);
    match (reply.status, accept(reply, &asked, stated)) {
        (200, Verdict::Part { sent }) => Verdict::Refused(Refusal::OtherRange { sent, asked }),
        (206, _) | (_, Verdict::Refused(Refusal::RangesUnsupported { .. })) => {
            Verdict::Refused(Refusal::Refused { status: reply.status })
        }
        (_, verdict) => verdict,
    }
}

fn judge(reply: &Reply<'_>, asked: &Range<u64>, stated: Option<u64>) -> Result<Verdict, Refusal> {
    let status = reply.status;
    if status != 200 && status != 206 {
        // RFC 9110 §15.5.17: `bytes */N` tells the length, which may show that this is another blob.
        if let Some(ContentRange::Unsatisfied { total }) = reply.content_range.and_then(ContentRange::parse) {
            same_size(stated, Some(total))?;
        }
        return Err(Refusal::of_status(status));
    }
    if let Some(encoding) = reply.content_encoding.filter(|e| !e.trim().eq_ignore_ascii_case("identity")) {
        return Err(Refusal::Encoded { encoding: encoding.chars().take(100).collect() });
    }
    let kind = reply.content_type.unwrap_or("").trim_start();
    if kind.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/")) {
        return Err(Refusal::Multipart);
    }
    let Some(header) = reply.content_range else {
        if status == 200 {
            same_size(stated, reply.content_length)?;
            return Ok(Verdict::Whole);
        }
        // A browser may not show the header; then the length is the only witness, and the chunks' digests judge.
        same_length(reply.content_length, asked)?;
        return Ok(Verdict::Part { sent: asked.clone() });
    };
    // A Content-Range on a 200 (dragonflyoss/client#1874) tells the truth about the body: read it as on a 206.
    let Some(ContentRange::Bytes { sent, total }) = ContentRange::parse(header) else {
        return Err(Refusal::Unreadable { text: header.chars().take(100).collect() });
    };
    same_size(stated, total)?;
    same_length(reply.content_length, &sent)?;
    if sent.start == 0 && (total.or(stated) == Some(sent.end)) {
        return Ok(Verdict::Whole);
    }
    if !sent.contains(&asked.start) {
        return Err(Refusal::OtherRange { sent, asked: asked.clone() });
    }
    Ok(Verdict::Part { sent })
}

fn same_size(stated: Option<u64>, actual: Option<u64>) -> Result<(), Refusal> {
    match (stated, actual) {
        (Some(stated), Some(actual)) if stated != actual => Err(Refusal::BlobSize { stated, actual }),
        _ => Ok(()),
    }
}

fn same_length(body: Option<u64>, claimed: &Range<u64>) -> Result<(), Refusal> {
    let range = claimed.end.saturating_sub(claimed.start);
    match body {
        Some(body) if body != range => Err(Refusal::LengthDisagrees { body, range }),
        _ => Ok(()),
    }
}

/// A `Content-Range` header (RFC 9110 §14.4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the standard has these two forms")]
pub enum ContentRange {
    /// `bytes 0-9/100`, or `bytes 0-9/*` where the length is not told.
    Bytes {
        /// The bytes sent; never empty.
        sent: Range<u64>,
        /// The length of the whole.
        total: Option<u64>,
    },
    /// `bytes */100`: no byte of the range exists.
    Unsatisfied {
        /// The length of the whole.
        total: u64,
    },
}

impl ContentRange {
    /// Reads the header's value; `None` where it is not one, or contradicts itself.
    pub fn parse(header: &str) -> Option<Self> {
        let (unit, rest) = header.trim().split_once(' ')?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (range, total) = rest.trim_start().split_once('/')?;
        let total = if total == "*" { None } else { Some(number(total)?) };
        if range == "*" {
            return Some(Self::Unsatisfied { total: total? });
        }
        let (first, last) = range.split_once('-')?;
        let sent = number(first)?..number(last)?.checked_add(1)?;
        let fits = sent.start < sent.end && total.is_none_or(|total| sent.end <= total);
        fits.then_some(Self::Bytes { sent, total })
    }
}

/// The value of a `Range` header that asks for `self.0`, which must not be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a range with another Display")]
pub struct RangeHeader(pub Range<u64>);

impl fmt::Display for RangeHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes={}-{}", self.0.start, self.0.end.saturating_sub(1))
    }
}

/// Reads a `Retry-After` header (RFC 9110 §10.2.3): seconds, or a date, for which `now` is the time since 1970.
pub fn retry_after(header: &str, now: Duration) -> Option<Duration> {
    let header = header.trim();
    number(header).map(Duration::from_secs).or_else(|| Some(date(header)?.saturating_sub(now)))
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, the one date form that servers may still write.
fn date(text: &str) -> Option<Duration> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut words = text.split_once(", ")?.1.split(' ');
    let day = number(words.next()?).filter(|day| (1..=31).contains(day))?;
    let name = words.next().filter(|name| name.len() == 3)?;
    let month = u64::try_from(MONTHS.find(name).filter(|at| at % 3 == 0)?).ok()? / 3;
    let year = number(words.next()?).filter(|year| (1970..=9999).contains(year))?;
    let mut clock = words.next()?.split(':').map(number);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if words.next() != Some("GMT") || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days of a year that begins in March, so that the leap day is its last: month 0 is March.
    let (year, month) = if month < 2 {
        (year.checked_sub(1)?, month.checked_add(10)?)
    } else {
        (year, month.checked_sub(2)?)
    };
    let leaps = (year / 4).checked_sub(year / 100)?.checked_add(year / 400)?;
    let in_year = month.checked_mul(153)?.checked_add(2)? / 5;
    let days = year.checked_mul(365)?.checked_add(leaps)?.checked_add(in_year)?.checked_add(day)?;
    let days = days.checked_sub(719_469)?;
    let seconds = days.checked_mul(86_400)?.checked_add(hour.checked_mul(3_600)?)?;
    Some(Duration::from_secs(seconds.checked_add(minute.checked_mul(60)?)?.checked_add(second)?))
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// How long to wait before trying again: doubling, with jitter that the caller draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "three numbers")]
pub struct Backoff {
    /// Tries in all, the first one included.
    pub attempts: u32,
    /// The longest wait before the second try.
    pub first: Duration,
    /// The longest wait before any, whatever the server asks for.
    pub cap: Duration,
}

impl Backoff {
    /// Returns how long to wait after `failed` tries, or `None` when there were enough.
    ///
    /// The wait lies between half of the doubled one and all of it, as `jitter` lies between 0 and its maximum, so
    /// that many clients do not come back at once. What the server asked for, `told`, is a lower bound below `cap`.
    pub fn delay(&self, failed: u32, jitter: u32, told: Option<Duration>) -> Option<Duration> {
        if failed >= self.attempts {
            return None;
        }
        let doubled =
            self.first.saturating_mul(1_u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX));
        let half = doubled.min(self.cap).checked_div(2).unwrap_or_default();
        let part = half.as_nanos().saturating_mul(u128::from(jitter)) >> u32::BITS;
        let wait = half.saturating_add(Duration::from_nanos(u64::try_from(part).unwrap_or(u64::MAX)));
        Some(wait.max(told.unwrap_or_default()).min(self.cap))
    }
}

#[cfg(test)]
mod tests;
