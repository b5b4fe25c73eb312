//! The tar-split of a layer that is read whole.

use alloc::vec::Vec;

use crate::tar_split::TarSplitWriter;
use crate::toc::CompressedTarSplit;
use crate::zstd::Encoder;
use crate::{Crc64, Member, Name};

/// Writes the tar-split and compresses it as it grows.
#[derive(Debug)]
pub(super) struct SplitWriter {
    records: TarSplitWriter,
    lines: Vec<u8>,
    encoder: Encoder,
    plain_len: u64,
    /// The member being read: its name, the length of its content in the tar, and the checksum so far.
    member: Option<(Name, u64, Crc64)>,
}

impl SplitWriter {
    /// The level that costs little and halves what the fastest leaves of base64.
    const LEVEL: i32 = 3;

    /// Starts at the beginning of the tar.
    pub(super) fn new() -> Option<Self> {
        let (records, encoder) = (TarSplitWriter::new(), Encoder::new(Self::LEVEL));
        Some(Self { records, lines: Vec::new(), encoder, plain_len: 0, member: None })
    }

    /// How long it is so far, before compression.
    pub(super) const fn plain_len(&self) -> u64 {
        self.plain_len
    }

    /// Takes bytes of the tar that are no content.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.records.raw(bytes, &mut self.lines);
        self.flush();
    }

    /// Takes a member whose headers were given, and whose content takes `stored` bytes of the tar.
    pub(super) fn begin(&mut self, member: &Member, stored: u64) {
        self.member = Some((member.name.clone(), stored, Crc64::new()));
    }

    /// Takes content.
    pub(super) fn data(&mut self, bytes: &[u8]) {
        if let Some((_, _, crc)) = &mut self.member {
            crc.update(bytes);
        }
    }

    /// Ends the member.
    pub(super) fn end(&mut self) {
        if let Some((name, stored, crc)) = self.member.take() {
            self.records.file(name.as_bytes(), stored, crc.finish(), &mut self.lines);
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.plain_len = self.plain_len.saturating_add(u64::try_from(self.lines.len()).unwrap_or(u64::MAX));
        self.encoder.write(&self.lines);
        self.lines.clear();
    }

    /// Ends the tar.
    pub(super) fn finish(mut self) -> CompressedTarSplit {
        core::mem::take(&mut self.records).finish(&mut self.lines);
        self.flush();
        CompressedTarSplit::from_store(self.encoder.finish(), self.plain_len)
    }
}
