//! Whole frames, before and after compression.

use alloc::boxed::Box;
use alloc::vec::Vec;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use super::{Format, WriteOptions};
use crate::zstd::FrameEncoder;
use crate::{Cut, Digest, Member};

/// Plain bytes of whole frames, with what the table of contents needs to know about them.
///
/// Between 1 MiB and as much more as the last frame is longer: about 16 MiB at most.
#[derive(Debug)]
pub struct Batch {
    number: u64,
    plain: Vec<u8>,
    items: Vec<Item>,
    lines: Vec<u8>,
}

/// A batch that was compressed.
#[derive(Debug)]
pub struct Packed {
    pub(super) number: u64,
    pub(super) blob: Vec<u8>,
    pub(super) items: Vec<Item>,
    pub(super) lines: Vec<u8>,
    plain_len: usize,
}

/// What a batch holds, in order.
#[derive(Debug)]
pub(super) enum Item {
    /// A member, whose headers lie before this.
    Member(Box<Member>),
    /// A frame.
    Frame(Frame),
    /// The end of the last member's content, with its digest if that is not the digest of its only chunk.
    EndFile(Option<Digest>),
    /// From here on, the blob is plain zstd.
    GiveUp,
}

#[derive(Debug)]
pub(super) struct Frame {
    /// Its plain length; once it is compressed, the compressed one.
    pub(super) len: usize,
    pub(super) part: Part,
}

/// What a frame is part of.
#[derive(Debug)]
pub(super) enum Part {
    /// Headers, padding, the end of the archive; or anything, in a plain blob.
    Meta,
    /// A chunk: its first frame, its last, both or neither.
    Chunk { first: bool, end: Option<ChunkEnd> },
}

#[derive(Debug)]
pub(super) struct ChunkEnd {
    pub(super) cut: Cut,
    /// Known beforehand only if the chunk has several frames.
    pub(super) digest: Option<Digest>,
}

impl Batch {
    pub(super) const fn new(number: u64, plain: Vec<u8>, items: Vec<Item>, lines: Vec<u8>) -> Self {
        Self { number, plain, items, lines }
    }

    /// Compresses all frames, and digests the chunks in them. The same for every encoder of the same options.
    pub fn compress(self, encoder: &mut BatchEncoder) -> Packed {
        let Self { number, plain, mut items, lines } = self;
        let plain_len = plain.len();
        let mut blob = Vec::with_capacity(plain_len / 2);
        let mut rest = &plain[..];
        for item in &mut items {
            let Item::Frame(frame) = item else { continue };
            let (bytes, after) = rest.split_at_checked(frame.len).unwrap_or((rest, &[]));
            rest = after;
            if let Part::Chunk { end: Some(ChunkEnd { digest, .. }), .. } = &mut frame.part {
                digest.get_or_insert_with(|| Digest::of(bytes));
            }
            let start = blob.len();
            encoder.append(bytes, &mut blob);
            frame.len = blob.len().saturating_sub(start);
        }
        Packed { number, blob, items, lines, plain_len }
    }
}

impl Packed {
    /// Returns how many bytes of the tar it holds.
    pub const fn plain_len(&self) -> usize {
        self.plain_len
    }
}

/// Compresses batches; each thread needs one.
#[derive(Debug)]
pub struct BatchEncoder(Codec);

#[derive(Debug)]
enum Codec {
    Gzip { level: u32 },
    Zstd(FrameEncoder),
}

impl BatchEncoder {
    /// Makes an encoder for batches of [`start`](super::start) with the same options.
    pub fn new(options: &WriteOptions) -> Self {
        let level = options.clamped();
        Self(match options.format {
            Format::Gzip => Codec::Gzip { level: u32::try_from(level).unwrap_or(6) },
            Format::Zstd | Format::ZstdChunked => Codec::Zstd(FrameEncoder::new(level)),
        })
    }

    fn append(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        match &mut self.0 {
            Codec::Gzip { level } => gzip(plain, *level, out),
            Codec::Zstd(encoder) => encoder.append(plain, out),
        }
    }
}

/// Appends a member of gzip, with no name, no time and no system: none of them is the same everywhere.
fn gzip(plain: &[u8], level: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    let mut deflate = Compress::new(Compression::new(level), false);
    let mut rest = plain;
    loop {
        out.reserve(64 * 1024);
        let before = deflate.total_in();
        let status = deflate.compress_vec(rest, out, FlushCompress::Finish);
        let read = usize::try_from(deflate.total_in().saturating_sub(before)).unwrap_or(usize::MAX);
        rest = rest.get(read..).unwrap_or_default();
        match status {
            Ok(Status::StreamEnd) => break,
            Ok(Status::Ok | Status::BufError) => {}
            // Only an encoder that was told to flush in turns it does not know fails.
            Err(error) => unreachable!("deflate: {error}"),
        }
    }
    let mut crc = Crc::new();
    crc.update(plain);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&crc.amount().to_le_bytes());
}
