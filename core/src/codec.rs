//! What the frames of a blob are compressed with.

use alloc::string::{String, ToString};

use crate::gzip::Members;
use crate::zstd::{self, Progress};

/// The compression of a blob's frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Codec {
    /// Members of gzip: eStargz.
    Gzip,
    /// Frames of zstd: zstd:chunked, whoever wrote it.
    #[default]
    Zstd,
}

impl Codec {
    /// Reads off a blob's first bytes what it is compressed with; `None` for anything else. A pull and `verify` must not
    /// take one blob for two things.
    pub(crate) const fn of(magic: &[u8]) -> Option<Self> {
        match magic {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Decodes frames of either kind that arrive in pieces.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "c-zstd"),
    expect(clippy::large_enum_variant, reason = "one for each request, never moved in a loop")
)]
pub(crate) enum Decoder {
    Gzip(Members),
    Zstd(zstd::Decoder),
}

impl Decoder {
    /// Makes a decoder that refuses windows over 2^`window_log` bytes; those of gzip are all small.
    pub(crate) fn new(codec: Codec, window_log: u32) -> Self {
        match codec {
            Codec::Gzip => Self::Gzip(Members::new()),
            Codec::Zstd => Self::Zstd(zstd::Decoder::new(window_log)),
        }
    }

    /// Forgets everything: what comes next is the beginning of a frame.
    pub(crate) fn reset(&mut self) {
        match self {
            Self::Gzip(members) => members.reset(),
            Self::Zstd(decoder) => decoder.reset(),
        }
    }

    /// Decodes from `input` into `output`; `Progress` of 0 and 0 means: more input is needed.
    ///
    /// # Errors
    /// The bytes are no such frames; the library's words.
    pub(crate) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, String> {
        match self {
            Self::Gzip(members) => members.decode(input, output),
            Self::Zstd(decoder) => decoder.decode(input, output).map_err(|error| error.to_string()),
        }
    }
}
