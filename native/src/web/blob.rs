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
/// How much is read at most at once.
const PIECE: usize = 64 << 10;

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

/// Hands on what a reader gives as it comes, until it ends, fails, or nobody wants more. Blocks, for as long as the reader
/// takes to give anything.
pub(super) fn hand_on(mut reader: impl Read, to: &mpsc::Sender<io::Result<Bytes>>) {
    let mut buffer = vec![0; PIECE];
    while !to.is_closed() {
        let piece = match reader.read(&mut buffer) {
            Ok(0) => return,
            Ok(len) => Ok(Bytes::copy_from_slice(buffer.get(..len).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
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

    /// Gives one byte at a time, and stops wanting them after some.
    struct Trickle<'a> {
        given: &'a mut u64,
        leaves: u64,
        client: Option<mpsc::Receiver<io::Result<Bytes>>>,
    }

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            *self.given += 1;
            if *self.given > self.leaves {
                self.client = None;
            }
            if let Some(client) = &mut self.client
                && *self.given > 1
            {
                assert_eq!(client.try_recv().unwrap().unwrap().len(), 1, "handed on as it comes");
            }
            buffer[0] = 7;
            Ok(1)
        }
    }

    #[test]
    fn a_client_that_leaves_ends_a_read_that_trickles() {
        let (to, client) = mpsc::channel(4);
        let mut given = 0;
        hand_on(Trickle { given: &mut given, leaves: 10, client: Some(client) }, &to);
        assert_eq!(given, 11);
    }
}
