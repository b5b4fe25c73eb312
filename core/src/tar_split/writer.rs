//! Writes the JSON lines of a tar-split.

use alloc::vec::Vec;

use super::json::{base64, escape, write};

/// The most raw bytes in one record, as in the reference.
const SEGMENT: usize = 1 << 20;

/// Writes a tar-split line by line, as the reference does: the same keys in the same order.
///
/// Holds at most 1 MiB of raw bytes that are not written yet.
#[derive(Debug, Default)]
pub struct TarSplitWriter {
    /// Raw bytes since the last record.
    segment: Vec<u8>,
    /// The number of the next record.
    position: u64,
}

impl TarSplitWriter {
    /// Starts before the first record.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes of the tar that are no content, and appends to `out` the lines that are full.
    pub fn raw(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            let room = SEGMENT.saturating_sub(self.segment.len()).min(bytes.len());
            let (piece, rest) = bytes.split_at(room);
            self.segment.extend_from_slice(piece);
            bytes = rest;
            if self.segment.len() >= SEGMENT {
                self.flush(out);
            }
        }
    }

    /// Takes a member whose headers were given before, and whose content came after them; appends its lines to `out`.
    ///
    /// `size` is the length of its content in the tar, `crc` the CRC-64/ISO of that.
    pub fn file(&mut self, name: &[u8], size: u64, crc: u64, out: &mut Vec<u8>) {
        self.flush(out);
        out.extend_from_slice(b"{\"type\":1");
        name_of(name, out);
        if size == 0 {
            out.extend_from_slice(b",\"payload\":null");
        } else {
            write(out, format_args!(",\"size\":{size},\"payload\":\""));
            base64(&crc.to_be_bytes(), out);
            out.push(b'"');
        }
        self.end_record(out);
    }

    /// Appends the last line to `out`.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.flush(out);
    }

    /// Starts with another position than 0.
    #[cfg(test)]
    pub(super) fn at(position: usize) -> Self {
        Self { segment: Vec::new(), position: position as u64 }
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        if self.segment.is_empty() {
            return;
        }
        out.extend_from_slice(b"{\"type\":2,\"payload\":\"");
        base64(&self.segment, out);
        out.push(b'"');
        self.segment.clear();
        self.end_record(out);
    }

    fn end_record(&mut self, out: &mut Vec<u8>) {
        write(out, format_args!(",\"position\":{}}}\n", self.position));
        self.position = self.position.saturating_add(1);
    }
}

/// Appends a file's name: as text where it is text, else in base64.
pub(super) fn name_of(name: &[u8], out: &mut Vec<u8>) {
    match core::str::from_utf8(name) {
        Ok("") => {}
        Ok(text) => {
            out.extend_from_slice(b",\"name\":\"");
            escape(text, out);
            out.push(b'"');
        }
        Err(_not_utf8) => {
            out.extend_from_slice(b",\"name_raw\":\"");
            base64(name, out);
            out.push(b'"');
        }
    }
}
