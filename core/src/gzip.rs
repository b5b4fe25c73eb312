//! The gzip seam: the only place that names a deflate library.

use alloc::string::{String, ToString};
use core::fmt;

use flate2::{Decompress, FlushDecompress, Status};

use crate::zstd::Progress;

/// Decodes members that arrive in pieces, one after the other: any number of them is one stream.
///
/// Zeros after the last member are padding, as gzip and tapes have it. Memory is one window, whatever is claimed.
pub(crate) struct Members {
    member: Decompress,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Between,
    Inside,
    Padding,
}

impl Members {
    pub(crate) fn new() -> Self {
        Self { member: Decompress::new_gzip(15), state: State::Inside }
    }

    /// Forgets everything: what comes next is the beginning of a member.
    pub(crate) fn reset(&mut self) {
        // The library can begin anew, but not with a gzip header.
        *self = Self::new();
    }

    /// Whether the last member begun is also ended.
    pub(crate) fn at_end(&self) -> bool {
        self.state != State::Inside
    }

    /// Decodes from `input` into `output` until one of them is used up, or a member ends.
    ///
    /// With an empty `input` it still gives what it holds back. `Progress` of 0 and 0 means: more input is needed.
    ///
    /// # Errors
    /// The bytes are no gzip, or a member's checksum is wrong; the library's words.
    pub(crate) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, String> {
        match (self.state, input.first()) {
            (_, None) if self.state != State::Inside => return Ok(Progress { read: 0, written: 0 }),
            (State::Between, Some(0)) => self.state = State::Padding,
            (State::Between, Some(_)) => self.reset(),
            _ => {}
        }
        if self.state == State::Padding {
            let zeros = input.iter().take_while(|byte| **byte == 0).count();
            if zeros == input.len() {
                return Ok(Progress { read: zeros, written: 0 });
            }
            return Err("bytes that are no gzip follow its zero padding".into());
        }
        let (before_in, before_out) = (self.member.total_in(), self.member.total_out());
        let status = self
            .member
            .decompress(input, output, FlushDecompress::None)
            .map_err(|error| error.to_string())?;
        if status == Status::StreamEnd {
            self.state = State::Between;
        }
        let moved = |now: u64, before: u64| usize::try_from(now.saturating_sub(before)).unwrap_or(0);
        Ok(Progress {
            read: moved(self.member.total_in(), before_in),
            written: moved(self.member.total_out(), before_out),
        })
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").field("state", &self.state).finish_non_exhaustive()
    }
}
