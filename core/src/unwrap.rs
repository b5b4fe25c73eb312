//! A whole blob, decompressed as it comes, whatever it is compressed with.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use crate::codec;
use crate::gzip::Members;
use crate::zstd::Decoder;
use crate::{Digest, Hasher, Limits};

/// How much is lent at once, in bytes.
const PIECE: usize = 256 * 1024;

/// Takes a blob front to back, hashes it, and lends what it decompresses to.
///
/// The compression is read off the first bytes, not off the media type: registries and build tools mix those up, and
/// the digests prove the result either way. Gzip of several members and zstd of several frames, empty and skippable
/// ones too, are one stream. Memory: one window and one buffer.
pub struct Unwrap {
    codec: Codec,
    blob: Hasher,
    len: u64,
    window_log: u32,
    head: Vec<u8>,
    buffer: Vec<u8>,
}

#[cfg_attr(
    not(feature = "c-zstd"),
    expect(clippy::large_enum_variant, reason = "one for each blob, never moved in a loop")
)]
enum Codec {
    /// Not enough bytes to tell.
    Unknown,
    Gzip(Members),
    Plain,
    Zstd(Decoder),
}

/// Proof that a blob came to its end and has the digest that the manifest names.
#[derive(Debug)]
pub struct WholeBlob {
    _private: (),
}

impl Unwrap {
    /// Starts before the first byte.
    pub fn new(limits: &Limits) -> Self {
        Self {
            codec: Codec::Unknown,
            blob: Hasher::new(),
            len: 0,
            window_log: limits.window_log,
            head: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// Takes the next bytes of the blob. The guard must be read to its end, or [resumed](Self::resume).
    pub fn receive<'a>(&'a mut self, bytes: &'a [u8]) -> Plain<'a> {
        self.blob.update(bytes);
        self.len = self.len.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Plain { unwrap: self, bytes }
    }

    /// Goes on with bytes that were received, and that an earlier guard left [unread](Plain::into_unread).
    pub fn resume<'a>(&'a mut self, unread: &'a [u8]) -> Plain<'a> {
        Plain { unwrap: self, bytes: unread }
    }

    /// Returns the digest of all bytes that came: after the last one, that of a blob which nobody named.
    pub fn digest(&self) -> Digest {
        self.blob.clone().finish()
    }

    /// Ends the blob.
    ///
    /// # Errors
    /// It has another digest, or ends inside a frame.
    pub fn finish(self, expected: &Digest) -> Result<WholeBlob, UnwrapError> {
        let actual = self.blob.finish();
        if actual != *expected {
            return Err(UnwrapError::Digest { expected: *expected, actual, len: self.len });
        }
        let ended = match &self.codec {
            Codec::Unknown => self.head.is_empty(),
            Codec::Plain => true,
            Codec::Gzip(gzip) => gzip.at_end(),
            Codec::Zstd(decoder) => decoder.at_frame_end(),
        };
        if !ended {
            return Err(UnwrapError::Truncated { len: self.len });
        }
        Ok(WholeBlob { _private: () })
    }

    /// Settles what the blob is, once enough of it is here; `false` while it is not.
    fn sniff(&mut self) -> Result<bool, UnwrapError> {
        let Some(magic) = self.head.first_chunk::<6>() else { return Ok(false) };
        self.codec = match (codec::Codec::of(magic), magic) {
            (Some(codec::Codec::Gzip), _) => Codec::Gzip(Members::new()),
            (Some(codec::Codec::Zstd), _) => Codec::Zstd(Decoder::new(self.window_log)),
            (None, [b'B', b'Z', b'h', b'1'..=b'9', ..]) => {
                return Err(UnwrapError::Unsupported { what: "bzip2" });
            }
            (None, [0xfd, b'7', b'z', b'X', b'Z', 0]) => {
                return Err(UnwrapError::Unsupported { what: "xz" });
            }
            (None, _) => Codec::Plain,
        };
        Ok(true)
    }
}

impl fmt::Debug for Unwrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unwrap").field("len", &self.len).finish_non_exhaustive()
    }
}

/// Lends plain bytes, a piece at a time.
#[derive(Debug)]
#[must_use = "the bytes are decoded only as pieces are taken"]
pub struct Plain<'a> {
    unwrap: &'a mut Unwrap,
    bytes: &'a [u8],
}

impl Plain<'_> {
    /// Returns the next plain bytes, never empty, or `None` when more of the blob is needed.
    ///
    /// # Errors
    /// The bytes are not what their beginning says they are.
    pub fn next_piece(&mut self) -> Result<Option<&[u8]>, UnwrapError> {
        if matches!(self.unwrap.codec, Codec::Unknown) {
            let missing = 6_usize.saturating_sub(self.unwrap.head.len()).min(self.bytes.len());
            let (head, rest) = self.bytes.split_at_checked(missing).unwrap_or_default();
            self.unwrap.head.extend_from_slice(head);
            self.bytes = rest;
            if !self.unwrap.sniff()? {
                return Ok(None);
            }
        }
        while !self.unwrap.head.is_empty() {
            let mut head = core::mem::take(&mut self.unwrap.head);
            let (used, written) = self.unwrap.step(&head)?;
            head.drain(..used.min(head.len()));
            self.unwrap.head = head;
            if written > 0 {
                return Ok(self.unwrap.buffer.get(..written));
            }
            if used == 0 {
                return Ok(None);
            }
        }
        loop {
            let (used, written) = self.unwrap.step(self.bytes)?;
            self.bytes = self.bytes.get(used..).unwrap_or_default();
            if written > 0 {
                return Ok(self.unwrap.buffer.get(..written));
            }
            if used == 0 {
                return Ok(None);
            }
        }
    }
}

impl<'a> Plain<'a> {
    /// Ends the guard early and returns the bytes that were not decoded yet. Even if there are none, more may come of
    /// those that were.
    pub const fn into_unread(self) -> &'a [u8] {
        self.bytes
    }
}

impl Unwrap {
    /// Decodes once from `input` into the buffer; returns what was used and what came out.
    fn step(&mut self, input: &[u8]) -> Result<(usize, usize), UnwrapError> {
        self.buffer.resize(PIECE, 0);
        let at = self.len;
        match &mut self.codec {
            Codec::Unknown => Ok((0, 0)),
            Codec::Plain => {
                let len = input.len().min(PIECE);
                if let (Some(to), Some(from)) = (self.buffer.get_mut(..len), input.get(..len)) {
                    to.copy_from_slice(from);
                }
                Ok((len, len))
            }
            Codec::Gzip(gzip) => {
                let progress = gzip
                    .decode(input, &mut self.buffer)
                    .map_err(|message| UnwrapError::Gzip { at, message })?;
                Ok((progress.read, progress.written))
            }
            Codec::Zstd(decoder) => {
                let progress = decoder
                    .decode(input, &mut self.buffer)
                    .map_err(|error| UnwrapError::Zstd { at, message: error.to_string() })?;
                Ok((progress.read, progress.written))
            }
        }
    }
}

/// A blob that is not what the manifest says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum UnwrapError {
    /// The blob has another digest.
    #[error("the blob's {len} bytes are {actual}, the manifest says {expected}")]
    Digest {
        /// The digest in the manifest.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
        /// How many bytes came.
        len: u64,
    },
    /// No gzip.
    #[error("the blob is no gzip before byte {at}: {message}")]
    Gzip {
        /// An offset in the blob, after the place.
        at: u64,
        /// What the decoder says.
        message: alloc::string::String,
    },
    /// The blob ends inside a frame or member.
    #[error("the blob ends inside a frame, after {len} bytes")]
    Truncated {
        /// How many bytes came.
        len: u64,
    },
    /// A compression that no registry's media type names.
    #[error("the blob is compressed with {what}, which is not supported; push it again with gzip or zstd")]
    Unsupported {
        /// The compression.
        what: &'static str,
    },
    /// No zstd.
    #[error("the blob is no zstd before byte {at}: {message}")]
    Zstd {
        /// An offset in the blob, after the place.
        at: u64,
        /// What the decoder says.
        message: alloc::string::String,
    },
}

impl UnwrapError {
    /// Whether the blob contradicts the manifest or its own beginning; else it was cut short, or is of no known kind.
    pub const fn is_lie(&self) -> bool {
        match self {
            Self::Digest { .. } | Self::Gzip { .. } | Self::Zstd { .. } => true,
            Self::Truncated { .. } | Self::Unsupported { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests;
