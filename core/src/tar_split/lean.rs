//! Writes a tar-split of which nothing is left that its readers do not need.
//!
//! Beside [`TarSplitWriter`](super::TarSplitWriter), which writes what the reference would. On a layer of Debian and
//! Python, podman's tar-split comes to 472 kB at zstd's level 19; each of these after the others to
//!
//! | kB | what is left out or moved |
//! |---|---|
//! | 454 | members without content have no record but their header: no reader asks for one |
//! | 395 | records have no number: no reader of the reference looks at it |
//! | 373 | padding has a record of its own, so that each header begins a line of base64, where equal headers are equal text |
//! | 365 | the checksum comes before the size |
//!
//! Names in base64 (`name_raw`), which the header that was just written has too, would leave 353 kB. But some readers of
//! podman's store, into which this goes, know `name` alone.
//!
//! And after the end of the archive a record is only cut where the next one begins with two zero blocks again: the
//! reference cuts it anywhere, and then takes the rest for a header.

use alloc::vec::Vec;

use super::json::{base64, write};
use super::writer::name_of;

/// The longest record of zeros at the end.
const TAIL: usize = 1 << 20;
/// Readers take a record for the end of the archive that begins with this many zeros.
const END: usize = 1024;

/// Writes a trimmed tar-split line by line.
///
/// Holds the headers of one member, or so much of the end as one record may have.
#[derive(Debug, Default)]
pub(crate) struct LeanSplitWriter {
    /// Raw bytes since the last record.
    segment: Vec<u8>,
    /// How much of the padding of the last content is still to come.
    owed: usize,
    /// What has come of it.
    padding: Vec<u8>,
}

impl LeanSplitWriter {
    /// Takes bytes of the tar that are no content; `tail` says that they come after the end of the archive.
    pub(crate) fn raw(&mut self, bytes: &[u8], tail: bool, out: &mut Vec<u8>) {
        let (padding, bytes) = bytes.split_at_checked(self.owed).unwrap_or((bytes, &[]));
        if !padding.is_empty() {
            self.padding.extend_from_slice(padding);
            self.owed = self.owed.saturating_sub(padding.len());
            if self.owed == 0 {
                segment(&mut self.padding, out);
            }
        }
        self.segment.extend_from_slice(bytes);
        while tail && self.segment.len() >= TAIL.saturating_add(END) {
            let mut rest = self.segment.split_off(TAIL);
            segment(&mut self.segment, out);
            core::mem::swap(&mut self.segment, &mut rest);
        }
    }

    /// Takes a member of which all headers were given.
    pub(crate) fn member(&mut self, out: &mut Vec<u8>) {
        segment(&mut self.segment, out);
    }

    /// Takes the content of the last member.
    pub(crate) fn content(&mut self, name: &[u8], size: u64, crc: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"type\":1");
        name_of(name, out);
        out.extend_from_slice(b",\"payload\":\"");
        base64(&crc.to_be_bytes(), out);
        write(out, format_args!("\",\"size\":{size}}}\n"));
        self.owed = usize::try_from(size.wrapping_neg() & 511).unwrap_or(0);
    }

    /// How many raw bytes are held.
    pub(crate) const fn held(&self) -> usize {
        self.segment.len()
    }

    /// Appends the last line.
    ///
    /// Returns whether the reference can read the end: all padding or none, and no end block cut short.
    pub(crate) fn finish(mut self, out: &mut Vec<u8>) -> bool {
        let len = self.segment.len();
        // Padding may be missing, but not half of it: a record that is shorter is refused.
        let padded = self.owed == 0 || self.padding.is_empty();
        segment(&mut self.padding, out);
        segment(&mut self.segment, out);
        padded && (matches!(len, 0 | 512) || len >= END)
    }
}

/// Appends a record of raw bytes, if there are any.
fn segment(bytes: &mut Vec<u8>, out: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    out.extend_from_slice(b"{\"type\":2,\"payload\":\"");
    base64(bytes, out);
    out.extend_from_slice(b"\"}\n");
    bytes.clear();
}
