//! Writes the JSON lines of a tar-split.

use alloc::vec::Vec;
use core::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

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
        match core::str::from_utf8(name) {
            Ok("") => {}
            Ok(text) => {
                out.extend_from_slice(b",\"name\":\"");
                escape(text, out);
                out.push(b'"');
            }
            Err(_not_utf8) => {
                out.extend_from_slice(b",\"name_raw\":\"");
                encode(name, out);
                out.push(b'"');
            }
        }
        if size == 0 {
            out.extend_from_slice(b",\"payload\":null");
        } else {
            write(out, format_args!(",\"size\":{size},\"payload\":\""));
            encode(&crc.to_be_bytes(), out);
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
        encode(&self.segment, out);
        out.push(b'"');
        self.segment.clear();
        self.end_record(out);
    }

    fn end_record(&mut self, out: &mut Vec<u8>) {
        write(out, format_args!(",\"position\":{}}}\n", self.position));
        self.position = self.position.saturating_add(1);
    }
}

/// Appends text as Go's `encoding/json` writes it, which escapes what HTML and JavaScript would stumble over.
fn escape(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write(out, format_args!("\\u{:04x}", u32::from(c)));
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let len = base64::encoded_len(bytes.len(), true).unwrap_or_default();
    out.resize(start.saturating_add(len), 0);
    // The room is exactly what the encoder asks for, so it cannot fail.
    let written = STANDARD.encode_slice(bytes, out.get_mut(start..).unwrap_or_default()).unwrap_or_default();
    out.truncate(start.saturating_add(written));
}

fn write(out: &mut Vec<u8>, text: core::fmt::Arguments<'_>) {
    struct Sink<'a>(&'a mut Vec<u8>);
    impl core::fmt::Write for Sink<'_> {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    // Appending to memory cannot fail.
    let _: Result<(), core::fmt::Error> = Sink(out).write_fmt(text);
}
