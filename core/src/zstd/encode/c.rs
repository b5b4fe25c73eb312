//! C zstd, through zstd-safe.

use alloc::vec::Vec;
use core::fmt;

use zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, Strategy};

use super::Effort;

/// Compresses bytes that come in pieces into one frame.
pub(crate) struct Encoder {
    context: CCtx<'static>,
    frame: Vec<u8>,
}

impl Encoder {
    /// Starts a frame at `level` (1 to 19).
    pub(crate) fn new(level: i32) -> Self {
        let mut context = CCtx::create();
        // Neither can fail on a fresh context for levels in zstd's own bounds.
        let _level = context.set_parameter(CParameter::CompressionLevel(level));
        let _checksum = context.set_parameter(CParameter::ChecksumFlag(true));
        Self { context, frame: Vec::new() }
    }

    /// Starts a frame for text that is downloaded more often than it is written; `len` is its length, if known.
    pub(crate) fn with_effort(effort: Effort, len: Option<u64>) -> Self {
        let mut encoder = Self::new(19);
        let Effort { strategy, window_log, table_log, search_log, min_match, target } = effort;
        let strategy = match strategy {
            ..7 => Strategy::ZSTD_lazy2,
            7 => Strategy::ZSTD_btopt,
            8.. => Strategy::ZSTD_btultra,
        };
        for parameter in [
            CParameter::Strategy(strategy),
            CParameter::WindowLog(window_log),
            CParameter::HashLog(table_log),
            CParameter::ChainLog(table_log),
            CParameter::SearchLog(search_log),
            CParameter::MinMatch(min_match),
            CParameter::TargetLength(target),
        ] {
            let _in_bounds = encoder.context.set_parameter(parameter);
        }
        let _fresh = encoder.context.set_pledged_src_size(len);
        encoder
    }

    /// Takes the next bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.drive(bytes, ZSTD_EndDirective::ZSTD_e_continue);
    }

    /// Ends the frame and returns it.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.drive(&[], ZSTD_EndDirective::ZSTD_e_end);
        self.frame
    }

    fn drive(&mut self, bytes: &[u8], directive: ZSTD_EndDirective) {
        let mut source = InBuffer::around(bytes);
        loop {
            let len = self.frame.len();
            self.frame.reserve(64 * 1024);
            let mut target = OutBuffer::around_pos(&mut self.frame, len);
            let owed = self.context.compress_stream2(&mut target, &mut source, directive).unwrap_or(0);
            let ended = matches!(directive, ZSTD_EndDirective::ZSTD_e_end);
            if (ended && owed == 0) || (!ended && source.pos() == bytes.len()) {
                return;
            }
        }
    }
}

/// Compresses whole frames, one after the other, in one context.
pub(crate) struct FrameEncoder {
    context: CCtx<'static>,
    frame: Vec<u8>,
}

impl FrameEncoder {
    /// Makes an encoder for a level of zstd's own (1 to 22).
    pub(crate) fn new(level: i32) -> Self {
        let mut context = CCtx::create();
        // Neither can fail on a fresh context for levels in zstd's own bounds.
        let _level = context.set_parameter(CParameter::CompressionLevel(level));
        let _checksum = context.set_parameter(CParameter::ChecksumFlag(true));
        Self { context, frame: Vec::new() }
    }

    /// Compresses `plain` into one frame that says how long it is, and appends it to `out`.
    pub(crate) fn append(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        self.frame.clear();
        self.frame.reserve(zstd_safe::compress_bound(plain.len()));
        // Fails for want of memory only: the room is what zstd asks for.
        let written = self.context.compress2(&mut self.frame, plain);
        assert!(written.is_ok(), "zstd has no memory for a frame of {} bytes", plain.len());
        out.extend_from_slice(&self.frame);
    }
}

impl fmt::Debug for FrameEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameEncoder")
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("len", &self.frame.len()).finish_non_exhaustive()
    }
}
