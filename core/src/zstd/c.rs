//! C zstd, through zstd-safe.

use alloc::string::ToString;
use core::fmt;

use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective, get_error_name};

use super::{Progress, ZstdError};

/// One decompression context, reused from frame to frame: a new one costs about a fifth of decoding a small file.
pub(crate) struct Raw {
    context: DCtx<'static>,
    /// What the last call said is still owed of the frame; 0 at a frame's end.
    owed: usize,
    /// Whether only more input can help; zstd takes a caller who asks too often without any for a broken one.
    starved: bool,
}

impl Raw {
    pub(crate) fn new(window_log: u32) -> Self {
        let mut context = DCtx::create();
        // Fails only for a number outside zstd's own bounds, which then keeps zstd's default of 27.
        let _default = context.set_parameter(DParameter::WindowLogMax(window_log));
        Self { context, owed: 0, starved: false }
    }

    pub(crate) fn reset(&mut self) {
        let _infallible = self.context.reset(ResetDirective::SessionOnly);
        self.owed = 0;
        self.starved = false;
    }

    pub(crate) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, ZstdError> {
        let mut source = InBuffer::around(input);
        let mut target = OutBuffer::around(output);
        while target.pos() < target.capacity() {
            let before = (source.pos(), target.pos());
            if before.0 == input.len() && (self.owed == 0 || self.starved) {
                break;
            }
            self.owed = self
                .context
                .decompress_stream(&mut target, &mut source)
                .map_err(|code| ZstdError(get_error_name(code).to_string()))?;
            self.starved = (source.pos(), target.pos()) == before;
            if self.starved {
                break;
            }
        }
        Ok(Progress { read: source.pos(), written: target.pos() })
    }

    pub(crate) const fn at_frame_end(&self) -> bool {
        self.owed == 0
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").field("owed", &self.owed).finish_non_exhaustive()
    }
}
