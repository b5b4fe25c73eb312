//! The zstd seam: the only place that names a zstd library.
//!
//! C zstd (feature `c-zstd`) and ruzstd (feature `ruzstd`) stand behind one small push decoder and are held to the
//! same answers by a test that runs both. With both features on, C zstd is used. What writes is in `encode`, which a
//! reader builds without (feature `writer`).

#[cfg(feature = "c-zstd")]
mod c;
#[cfg(test)]
mod differential;
#[cfg(feature = "writer")]
mod encode;
mod frames;
#[cfg(feature = "ruzstd")]
#[cfg_attr(feature = "c-zstd", allow(dead_code, reason = "built for the differential test only"))]
mod rust;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

#[cfg(feature = "c-zstd")]
pub(crate) use c::Raw;
#[cfg(feature = "writer")]
pub use encode::compress;
#[cfg(feature = "writer")]
pub(crate) use encode::{Effort, Encoder, FrameEncoder};
pub(crate) use frames::{FrameHead, FrameWalker, Step};
#[cfg(all(feature = "ruzstd", not(feature = "c-zstd")))]
pub(crate) use rust::Raw;

#[cfg(not(any(feature = "c-zstd", feature = "ruzstd")))]
compile_error!("shingle-core needs a zstd decoder: turn on the feature `c-zstd` or `ruzstd`");

/// How far one call to [`Decoder::decode`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Compressed bytes taken.
    pub(crate) read: usize,
    /// Plain bytes given.
    pub(crate) written: usize,
}

/// Decodes frames that arrive in pieces: concatenated, empty and skippable ones alike.
#[derive(Debug)]
pub(crate) struct Decoder {
    raw: Raw,
}

impl Decoder {
    /// Makes a decoder that refuses windows over 2^`window_log` bytes.
    pub(crate) fn new(window_log: u32) -> Self {
        Self { raw: Raw::new(window_log) }
    }

    /// Forgets everything, keeping the memory.
    pub(crate) fn reset(&mut self) {
        self.raw.reset();
    }

    /// Decodes from `input` into `output` until one of them is used up.
    ///
    /// With an empty `input` it still gives what it holds back. `Progress` of 0 and 0 means: more input is needed.
    pub(crate) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, ZstdError> {
        self.raw.decode(input, output)
    }

    /// Whether the last frame begun is also ended.
    pub(crate) fn at_frame_end(&self) -> bool {
        self.raw.at_frame_end()
    }
}

/// What a decoder says about bytes that are no zstd.
#[derive(Clone, PartialEq, Eq)]
pub struct ZstdError(pub(crate) String);

impl fmt::Display for ZstdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ZstdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ZstdError {}

/// Decompresses one of our own files, at most `limit` bytes.
///
/// # Errors
/// It is no zstd, or longer.
pub fn decompress(bytes: &[u8], limit: u64) -> Result<Vec<u8>, ZstdError> {
    bounded(bytes, limit, 27).map_err(|why| match why {
        Bounded::TooLong => ZstdError(alloc::format!("more than {limit} bytes")),
        Bounded::Truncated => ZstdError("it ends inside a frame".into()),
        Bounded::Zstd(error) => error,
    })
}

/// Why [`bounded`] stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bounded {
    /// More than the limit would come out.
    TooLong,
    /// The input ends inside a frame.
    Truncated,
    /// No zstd.
    Zstd(ZstdError),
}

/// Decompresses all frames of `input`, at most `limit` bytes; memory grows with what really comes out.
pub(crate) fn bounded(input: &[u8], limit: u64, window_log: u32) -> Result<Vec<u8>, Bounded> {
    const STEP: usize = 256 * 1024;
    let mut decoder = Decoder::new(window_log);
    let mut plain = Vec::new();
    let mut rest = input;
    let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(STEP);
    loop {
        let len = plain.len();
        reserve_towards(&mut plain, STEP, most);
        plain.resize(len.saturating_add(STEP), 0);
        let room = plain.get_mut(len..).unwrap_or_default();
        let progress = decoder.decode(rest, room).map_err(Bounded::Zstd)?;
        plain.truncate(len.saturating_add(progress.written));
        rest = rest.get(progress.read..).unwrap_or_default();
        if u64::try_from(plain.len()).map_or(true, |len| len > limit) {
            return Err(Bounded::TooLong);
        }
        if progress.read == 0 && progress.written == 0 {
            return if decoder.at_frame_end() && rest.is_empty() {
                Ok(plain)
            } else {
                Err(Bounded::Truncated)
            };
        }
    }
}

/// Makes room for `more` bytes, and at once for all of `whole` where a sixteenth of that has come.
///
/// A length that is only claimed costs no more than that, and growing leaves small holes in the memory.
pub(crate) fn reserve_towards(bytes: &mut Vec<u8>, more: usize, whole: usize) {
    const JUSTIFIED: usize = 16;
    if bytes.capacity().saturating_sub(bytes.len()) < more {
        let capacity = bytes.len().saturating_mul(JUSTIFIED).min(whole);
        bytes.reserve_exact(capacity.saturating_sub(bytes.len()).max(more));
    }
}
