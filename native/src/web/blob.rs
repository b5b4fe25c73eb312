//! Parts of layers, handed on as they come.

use std::io::{self, Read};
use std::ops::Range;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HeaderValue;
use tokio::sync::mpsc;

use super::fault::Fault;

/// The longest part that one request gets, in bytes.
const LONGEST: u64 = 16 << 20;
/// How much is read at once.
const PIECE: u64 = 64 << 10;

/// Reads `bytes=A-B` of a blob of `size` bytes. What lies behind the blob's end is left out.
pub(super) fn range(header: Option<&HeaderValue>, size: u64) -> Result<Range<u64>, Fault> {
    let header = header.ok_or_else(|| Fault::bad("the request has no Range"))?;
    let parsed = header.to_str().ok().and_then(|text| {
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u64>().ok().filter(|_| digits)
        };
        Some((number(first)?, number(last)?)).filter(|(first, last)| first <= last)
    });
    let (first, last) = parsed.ok_or_else(|| Fault::bad("a Range of the form bytes=A-B is needed"))?;
    if first >= size {
        let message = format!("the blob has {size} bytes; none are behind {first}");
        return Err(Fault::new(StatusCode::RANGE_NOT_SATISFIABLE, message));
    }
    let range = first..last.saturating_add(1).min(size);
    if range.end.saturating_sub(range.start) > LONGEST {
        let message = format!("a part may have {LONGEST} bytes");
        return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    Ok(range)
}

/// Hands on what a reader gives until it ends, fails, or nobody wants more. Blocks.
pub(super) fn hand_on(mut reader: impl Read, to: &mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let mut piece = Vec::new();
        let read = (&mut reader).take(PIECE).read_to_end(&mut piece);
        let piece = match read {
            Ok(0) => return,
            Ok(_) => Ok(piece.into()),
            Err(error) => Err(error),
        };
        let over = piece.is_err();
        if to.blocking_send(piece).is_err() || over {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(header: &str, size: u64) -> Result<Range<u64>, u16> {
        let header = HeaderValue::from_str(header).unwrap();
        range(Some(&header), size).map_err(|fault| fault.status.as_u16())
    }

    #[test]
    fn one_range_with_both_ends_is_understood() {
        assert_eq!(asked("bytes=0-0", 10), Ok(0..1));
        assert_eq!(asked("bytes=3-100", 10), Ok(3..10));
        for header in ["bytes=3-", "bytes=-3", "bytes=4-3", "bytes=0-1,3-4", "bytes=+1-2", "lines=0-1", ""] {
            assert_eq!(asked(header, 10), Err(400), "{header}");
        }
        assert_eq!(asked("bytes=10-10", 10), Err(416));
        assert_eq!(asked("bytes=0-18446744073709551615", u64::MAX), Err(413));
        assert_eq!(asked("bytes=0-18446744073709551616", u64::MAX), Err(400));
        assert_eq!(asked("bytes=1-16777216", u64::MAX), Ok(1..16_777_217));
        assert_eq!(asked("bytes=1-16777217", u64::MAX), Err(413));
    }
}
