//! ruzstd, which has one level.

use alloc::vec::Vec;

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// ruzstd's only level, for the store's own files.
#[derive(Debug)]
pub(crate) struct Encoder {
    plain: Vec<u8>,
}

impl Encoder {
    /// Starts a frame; ruzstd has one level.
    pub(crate) const fn new(_level: i32) -> Self {
        Self { plain: Vec::new() }
    }

    /// Starts a frame; ruzstd has one level.
    pub(crate) const fn with_effort(_effort: super::Effort, _len: Option<u64>) -> Self {
        Self::new(0)
    }

    /// Takes the next bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.plain.extend_from_slice(bytes);
    }

    /// Ends the frame and returns it.
    pub(crate) fn finish(self) -> Vec<u8> {
        compress_to_vec(self.plain.as_slice(), CompressionLevel::Fastest)
    }
}

/// Compresses whole frames, at ruzstd's only level.
#[derive(Debug)]
pub(crate) struct FrameEncoder;

impl FrameEncoder {
    /// Makes an encoder; ruzstd has one level.
    pub(crate) const fn new(_level: i32) -> Self {
        Self
    }

    /// Compresses `plain` into one frame and appends it to `out`.
    pub(crate) fn append(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        out.extend(compress_to_vec(plain, CompressionLevel::Fastest));
    }
}
