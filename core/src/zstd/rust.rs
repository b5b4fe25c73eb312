//! ruzstd, for hosts with no C toolchain.
//!
//! ruzstd takes whole blocks and readers; this gathers exactly as many bytes as the next step needs before it is
//! called, so that it never sees an end that is none. It does not look at content checksums: done here.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::frames::header_len;
use super::{Progress, ZstdError};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The last block of a frame, in its header's lowest bit.
const LAST: u32 = 1;

/// A decoder fed by whole blocks.
pub(crate) struct Raw {
    decoder: FrameDecoder,
    state: State,
    /// What is gathered for the next step.
    gathered: Vec<u8>,
    /// Decoded bytes that found no room yet, and how many of them were given.
    plain: Vec<u8>,
    given: usize,
    /// Bytes that the frame still owes by its own header, if that says so; ruzstd does not look.
    owed: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A frame's magic and the byte that says how long its header is.
    Start,
    /// The whole header, of this many bytes.
    Header(usize),
    /// A block's 3-byte header.
    Block { checksum: bool },
    /// A whole block, header and checksum included, of this many bytes.
    Body(usize, bool),
    /// A skippable frame's length.
    SkipLength,
    /// So many bytes to skip.
    Skip(u32),
}

impl Raw {
    pub(crate) fn new(window_log: u32) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(1_u64.checked_shl(window_log).unwrap_or(u64::MAX));
        Self { decoder, state: State::Start, gathered: Vec::new(), plain: Vec::new(), given: 0, owed: None }
    }

    pub(crate) fn reset(&mut self) {
        self.state = State::Start;
        self.gathered.clear();
        self.plain.clear();
        self.given = 0;
    }

    pub(crate) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, ZstdError> {
        let mut progress = Progress { read: 0, written: 0 };
        loop {
            progress.written = progress.written.saturating_add(self.give(output, progress.written));
            if self.given < self.plain.len() {
                return Ok(progress);
            }
            let rest = input.get(progress.read..).unwrap_or_default();
            let before = self.state;
            let used = self.step(rest)?;
            progress.read = progress.read.saturating_add(used);
            if used == 0 && self.state == before && self.given == self.plain.len() {
                return Ok(progress);
            }
        }
    }

    pub(crate) fn at_frame_end(&self) -> bool {
        self.state == State::Start && self.gathered.is_empty() && self.given == self.plain.len()
    }

    /// Copies decoded bytes out.
    fn give(&mut self, output: &mut [u8], at: usize) -> usize {
        let pending = self.plain.get(self.given..).unwrap_or_default();
        let room = output.get_mut(at..).unwrap_or_default();
        let len = pending.len().min(room.len());
        if let (Some(to), Some(from)) = (room.get_mut(..len), pending.get(..len)) {
            to.copy_from_slice(from);
        }
        self.given = self.given.saturating_add(len);
        len
    }

    /// Gathers what the state needs and goes to the next one; returns how much of `input` it used.
    fn step(&mut self, input: &[u8]) -> Result<usize, ZstdError> {
        if let State::Skip(left) = self.state {
            let len = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
            let left = left.saturating_sub(u32::try_from(len).unwrap_or(left));
            self.state = if left == 0 { State::Start } else { State::Skip(left) };
            return Ok(len);
        }
        let need = match self.state {
            State::Start => 5,
            State::Header(len) | State::Body(len, _) => len,
            State::Block { .. } => 3,
            State::SkipLength => 8,
            State::Skip(_) => 0,
        };
        let missing = need.saturating_sub(self.gathered.len()).min(input.len());
        self.gathered.extend_from_slice(input.get(..missing).unwrap_or_default());
        if self.gathered.len() >= need {
            self.state = self.next()?;
        }
        Ok(missing)
    }

    /// Acts on what was gathered.
    fn next(&mut self) -> Result<State, ZstdError> {
        match (self.state, self.gathered.as_slice()) {
            (State::Start, [a, b, c, d, descriptor, ..]) => match [*a, *b, *c, *d] {
                // Reserved, and must be 0 (RFC 8878 §3.1.1.1.1.4); ruzstd does not look.
                MAGIC if descriptor & 8 != 0 => Err(ZstdError("reserved bit is set".into())),
                MAGIC => Ok(State::Header(header_len(*descriptor))),
                [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Ok(State::SkipLength),
                _ => Err(ZstdError("unknown frame descriptor".into())),
            },
            (State::SkipLength, [_, _, _, _, a, b, c, d]) => {
                let len = u32::from_le_bytes([*a, *b, *c, *d]);
                self.gathered.clear();
                Ok(if len == 0 { State::Start } else { State::Skip(len) })
            }
            (State::Header(_), header) => {
                // Bit 2 of the descriptor says whether a checksum follows the last block.
                let checksum = header.get(4).is_some_and(|descriptor| descriptor & 4 != 0);
                let sized = header.get(4).is_some_and(|descriptor| descriptor & 0xe0 != 0);
                self.decoder.reset(header).map_err(message)?;
                self.owed = sized.then(|| self.decoder.content_size());
                self.gathered.clear();
                Ok(State::Block { checksum })
            }
            (State::Block { checksum }, [a, b, c, ..]) => {
                let header = u32::from_le_bytes([*a, *b, *c, 0]);
                let size = usize::try_from(header >> 3).unwrap_or(usize::MAX);
                let body = match (header >> 1) & 3 {
                    0 | 2 => size,
                    1 => 1,
                    _ => return Err(ZstdError("reserved block type".into())),
                };
                // No block is longer (RFC 8878 §3.1.1.2.4).
                if size > 128 * 1024 {
                    return Err(ZstdError("block is too long".into()));
                }
                let tail = if header & LAST != 0 && checksum { 4 } else { 0 };
                Ok(State::Body(body.saturating_add(3).saturating_add(tail), checksum))
            }
            (State::Body(_, checksum), block) => {
                let finished = self
                    .decoder
                    .decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(message)?;
                self.gathered.clear();
                self.plain = self.decoder.collect().unwrap_or_default();
                self.given = 0;
                if let Some(owed) = &mut self.owed {
                    let len = u64::try_from(self.plain.len()).unwrap_or(u64::MAX);
                    *owed = owed
                        .checked_sub(len)
                        .filter(|owed| !finished || *owed == 0)
                        .ok_or_else(wrong_size)?;
                }
                if !finished {
                    return Ok(State::Block { checksum });
                }
                let said = self.decoder.get_checksum_from_data();
                if said.is_some() && said != self.decoder.get_calculated_checksum() {
                    return Err(ZstdError("content checksum is wrong".into()));
                }
                Ok(State::Start)
            }
            (state, _) => Ok(state),
        }
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").field("state", &self.state).finish_non_exhaustive()
    }
}

fn wrong_size() -> ZstdError {
    ZstdError("frame is not as long as its header says".into())
}

fn message(error: impl fmt::Display) -> ZstdError {
    let text: String = error.to_string();
    ZstdError(text.chars().take(200).collect())
}
