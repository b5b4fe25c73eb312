//! A blob, decompressed frame by frame: each by itself, so that one that is broken spoils no other.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use flate2::{Decompress, FlushDecompress, Status};

use crate::zstd::{Decoder, FrameHead, FrameWalker, Step};
use crate::{Limits, codec};

/// How much is decompressed at once, in bytes.
const PIECE: usize = 256 * 1024;

/// What a blob is compressed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// One or more gzip members.
    Gzip,
    /// Not compressed.
    None,
    /// One or more zstd frames.
    Zstd,
}

impl Compression {
    /// Returns its usual name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::None => "none",
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Takes what a blob turns out to be.
pub(super) trait Sink {
    /// The first bytes say what the blob is compressed with.
    fn compression(&mut self, compression: Compression);
    /// A frame (or gzip member) of data begins.
    fn begin(&mut self, frame: Frame);
    /// Plain bytes of the frame that began last.
    fn plain(&mut self, bytes: &[u8]);
    /// The frame that began last is complete, and the next byte of the blob is that.
    fn end(&mut self, at: u64);
    /// The frame that began last cannot be decoded; its [`end`](Self::end) comes all the same if it can be found.
    fn broken(&mut self, at: u64, why: String);
    /// A frame begins that decoders pass over.
    fn skippable(&mut self, at: u64, magic: u8, len: u32);
    /// Nothing that can be read begins here: nothing more comes.
    fn lost(&mut self, at: u64, why: String);
    /// The blob ended inside a frame.
    fn truncated(&mut self, at: u64);
    /// Whether enough came.
    fn is_done(&self) -> bool;
}

/// What is known of a frame at its beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Where in the blob.
    pub(super) at: u64,
    /// Its plain length, if its header says so.
    pub(super) content: Option<u64>,
    /// Whether it ends in a checksum.
    pub(super) checksum: bool,
    /// Which dictionary it needs; 0 for none.
    pub(super) dictionary: u32,
}

/// Takes a blob front to back.
pub(super) struct Frames {
    codec: Codec,
    /// How much of the blob was taken.
    offset: u64,
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
    Gzip(Gzip),
    Lost,
    Plain,
    Zstd(Zstd),
}

impl Frames {
    pub(super) fn new(limits: &Limits) -> Self {
        let window_log = limits.window_log;
        Self { codec: Codec::Unknown, offset: 0, window_log, head: Vec::new(), buffer: alloc::vec![0; PIECE] }
    }

    pub(super) fn receive(&mut self, bytes: &[u8], sink: &mut dyn Sink) {
        let mut rest = bytes;
        if matches!(self.codec, Codec::Unknown) {
            let missing = 6_usize.saturating_sub(self.head.len()).min(bytes.len());
            let (head, more) = bytes.split_at_checked(missing).unwrap_or_default();
            self.head.extend_from_slice(head);
            rest = more;
            if self.head.len() < 6 {
                return;
            }
            self.sniff(sink);
            let head = core::mem::take(&mut self.head);
            self.step(&head, sink);
        }
        self.step(rest, sink);
    }

    pub(super) fn finish(mut self, sink: &mut dyn Sink) {
        if matches!(self.codec, Codec::Unknown) {
            self.sniff(sink);
            let head = core::mem::take(&mut self.head);
            self.step(&head, sink);
        }
        let whole = match &self.codec {
            Codec::Unknown | Codec::Lost | Codec::Plain => true,
            Codec::Gzip(gzip) => gzip.state != GzipState::Inside,
            Codec::Zstd(zstd) => zstd.walker.at_frame_end(),
        };
        if matches!(self.codec, Codec::Plain) {
            sink.end(self.offset);
        }
        if !whole {
            sink.truncated(self.offset);
        }
    }

    fn sniff(&mut self, sink: &mut dyn Sink) {
        let compression = match codec::Codec::of(&self.head) {
            Some(codec::Codec::Gzip) => Compression::Gzip,
            Some(codec::Codec::Zstd) => Compression::Zstd,
            None => Compression::None,
        };
        sink.compression(compression);
        self.codec = match compression {
            Compression::Gzip => {
                Codec::Gzip(Gzip { member: Decompress::new_gzip(15), state: GzipState::Between })
            }
            Compression::Zstd => Codec::Zstd(Zstd {
                walker: FrameWalker::new(),
                decoder: Decoder::new(self.window_log),
                frame: Inside::Nothing,
                start: 0,
            }),
            Compression::None => {
                sink.begin(Frame { at: 0, content: None, checksum: true, dictionary: 0 });
                Codec::Plain
            }
        };
    }

    fn step(&mut self, bytes: &[u8], sink: &mut dyn Sink) {
        let Self { codec, offset, buffer, .. } = self;
        let lost = match codec {
            Codec::Unknown | Codec::Lost => {
                *offset = offset.saturating_add(length(bytes));
                Ok(())
            }
            Codec::Plain => {
                *offset = offset.saturating_add(length(bytes));
                if !bytes.is_empty() {
                    sink.plain(bytes);
                }
                Ok(())
            }
            Codec::Gzip(gzip) => gzip.step(bytes, offset, buffer, sink),
            Codec::Zstd(zstd) => zstd.step(bytes, offset, buffer, sink),
        };
        if let Err(Lost { at, why }) = lost {
            sink.lost(at, why);
            self.codec = Codec::Lost;
        }
        if sink.is_done() {
            self.codec = Codec::Lost;
        }
    }
}

/// The thread is lost: where the next frame begins is not known.
struct Lost {
    at: u64,
    why: String,
}

struct Zstd {
    walker: FrameWalker,
    decoder: Decoder,
    frame: Inside,
    /// Where the frame began that the walker is in.
    start: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// A header that is not complete, or no frame.
    Nothing,
    Data,
    /// Data that cannot be decoded.
    Broken,
    Skippable,
}

impl Zstd {
    fn step(
        &mut self,
        mut bytes: &[u8],
        offset: &mut u64,
        buffer: &mut [u8],
        sink: &mut dyn Sink,
    ) -> Result<(), Lost> {
        while !sink.is_done() {
            if self.walker.at_frame_end() {
                self.start = *offset;
            }
            let (used, step) = self
                .walker
                .advance(bytes)
                .map_err(|error| Lost { at: self.start, why: error.to_string() })?;
            let (piece, rest) = bytes.split_at_checked(used).unwrap_or_default();
            bytes = rest;
            *offset = offset.saturating_add(length(piece));
            if self.frame == Inside::Data {
                self.decode(piece, buffer, sink);
            }
            match step {
                Step::More => return Ok(()),
                Step::Begin(FrameHead::Skippable { magic, len }) => {
                    self.frame = Inside::Skippable;
                    sink.skippable(self.start, magic, len);
                }
                Step::Begin(FrameHead::Data { content, checksum, dictionary }) => {
                    self.frame = Inside::Data;
                    self.decoder.reset();
                    sink.begin(Frame { at: self.start, content, checksum, dictionary });
                    let header = self.walker.header().to_vec();
                    self.decode(&header, buffer, sink);
                }
                Step::End => {
                    if self.frame == Inside::Data && !self.decoder.at_frame_end() {
                        sink.broken(self.start, "the frame's data goes on after its last block".into());
                    }
                    if self.frame != Inside::Skippable {
                        sink.end(*offset);
                    }
                    self.frame = Inside::Nothing;
                }
            }
        }
        *offset = offset.saturating_add(length(bytes));
        Ok(())
    }

    fn decode(&mut self, bytes: &[u8], buffer: &mut [u8], sink: &mut dyn Sink) {
        let mut rest = bytes;
        while !sink.is_done() {
            let progress = match self.decoder.decode(rest, buffer) {
                Ok(progress) => progress,
                Err(error) => {
                    self.frame = Inside::Broken;
                    sink.broken(self.start, error.to_string());
                    return;
                }
            };
            rest = rest.get(progress.read..).unwrap_or_default();
            if progress.written > 0 {
                sink.plain(buffer.get(..progress.written).unwrap_or_default());
            } else if progress.read == 0 {
                return;
            }
        }
    }
}

struct Gzip {
    member: Decompress,
    state: GzipState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum GzipState {
    Between,
    Inside,
    /// Zeros after the last member, as gzip and tapes have it.
    Padding,
}

impl Gzip {
    fn step(
        &mut self,
        mut bytes: &[u8],
        offset: &mut u64,
        buffer: &mut [u8],
        sink: &mut dyn Sink,
    ) -> Result<(), Lost> {
        while !sink.is_done() {
            match (self.state, bytes.first()) {
                (GzipState::Between, Some(0)) => self.state = GzipState::Padding,
                (GzipState::Between, Some(_)) => {
                    self.member = Decompress::new_gzip(15);
                    self.state = GzipState::Inside;
                    sink.begin(Frame { at: *offset, content: None, checksum: true, dictionary: 0 });
                }
                (GzipState::Between | GzipState::Padding, None) => return Ok(()),
                _ => {}
            }
            if self.state == GzipState::Padding {
                if let Some(at) = bytes.iter().position(|byte| *byte != 0) {
                    let at = offset.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
                    return Err(Lost { at, why: "bytes that are no gzip follow its zero padding".into() });
                }
                *offset = offset.saturating_add(length(bytes));
                return Ok(());
            }
            let before = (self.member.total_in(), self.member.total_out());
            let status = self.member.decompress(bytes, buffer, FlushDecompress::None);
            let status = status.map_err(|error| Lost { at: *offset, why: error.to_string() })?;
            let moved = |now: u64, before: u64| usize::try_from(now.saturating_sub(before)).unwrap_or(0);
            let (used, written) =
                (moved(self.member.total_in(), before.0), moved(self.member.total_out(), before.1));
            let (piece, rest) = bytes.split_at_checked(used).unwrap_or_default();
            bytes = rest;
            *offset = offset.saturating_add(length(piece));
            if written > 0 {
                sink.plain(buffer.get(..written).unwrap_or_default());
            }
            if status == Status::StreamEnd {
                self.state = GzipState::Between;
                sink.end(*offset);
            } else if used == 0 && written == 0 {
                return Ok(());
            }
        }
        *offset = offset.saturating_add(length(bytes));
        Ok(())
    }
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames").field("offset", &self.offset).finish_non_exhaustive()
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
