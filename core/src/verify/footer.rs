//! The last bytes of a blob.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::locate::{Form, Locator, Span};

use super::{Code, Findings, Place};

/// The longest footer with its frame's header, in bytes.
pub(super) const LONGEST: u64 = 72;
const HEADER: [u8; 4] = [0x50, 0x2a, 0x4d, 0x18];
const MAGIC: u64 = u64::from_le_bytes(*b"GNUlInUx");
const OLD_MAGIC: u64 = u64::from_le_bytes(*b"GnUlInUx");

/// What a footer of zstd:chunked says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    /// 64 today, 56 in 2023, 40 before.
    pub(super) len: usize,
    /// Offset, compressed length, plain length.
    pub(super) toc: [u64; 3],
    kind: u64,
    pub(super) tar_split: Option<[u64; 3]>,
}

impl Footer {
    /// Reads the footer at the end of a blob, if there is one.
    pub(super) fn read(tail: &[u8]) -> Option<Self> {
        let words = |len: usize| -> Option<Vec<u64>> {
            let at = tail.len().checked_sub(len)?;
            let (words, _) = tail.get(at..)?.as_chunks::<8>();
            Some(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
        };
        if let Some([a, b, c, kind, d, e, f, MAGIC]) = words(64).as_deref() {
            return Some(Self { len: 64, toc: [*a, *b, *c], kind: *kind, tar_split: Some([*d, *e, *f]) });
        }
        // Only the old fields were filled in, and the old magic came after them.
        if let Some([a, b, c, kind, OLD_MAGIC, 0, 0]) = words(56).as_deref() {
            return Some(Self { len: 56, toc: [*a, *b, *c], kind: *kind, tar_split: None });
        }
        if let Some([a, b, c, kind, OLD_MAGIC]) = words(40).as_deref() {
            return Some(Self { len: 40, toc: [*a, *b, *c], kind: *kind, tar_split: None });
        }
        None
    }

    pub(super) fn missing(tail: &[u8], findings: &mut Findings) {
        let last = tail.get(tail.len().saturating_sub(8)..).unwrap_or_default();
        findings.add(Code::FooterMissing, Place::default(), "", format!("\"{}\"", last.escape_ascii()));
    }

    /// Holds the footer against what the annotations say.
    pub(super) fn check(found: Option<&Self>, tail: &[u8], locator: &Locator, findings: &mut Findings) {
        let Some(footer) = found else {
            return Self::missing(tail, findings);
        };
        let header = tail.len().checked_sub(footer.len.saturating_add(8)).and_then(|at| tail.get(at..));
        let header = header.and_then(|header| header.first_chunk::<8>());
        let len = u32::try_from(footer.len).unwrap_or(u32::MAX).to_le_bytes();
        if header.is_none_or(|header| header.iter().ne(HEADER.iter().chain(&len))) {
            let actual = header.map_or_else(String::new, |header| format!("\"{}\"", header.escape_ascii()));
            let expected = format!("\"{}\"", [HEADER, len].concat().escape_ascii());
            findings.add(Code::FooterField, Place::default().field("frame header"), expected, actual);
        }
        let mut field = |name: &'static str, expected: u64, actual: u64| {
            if expected != actual {
                findings.add(Code::FooterField, Place::default().field(name), expected, actual);
            }
        };
        field("manifest type", 1, footer.kind);
        let names = ["TOC offset", "TOC length", "TOC length once decompressed"];
        for ((name, said), real) in names.into_iter().zip(numbers(locator.toc())).zip(footer.toc) {
            field(name, said, real);
        }
        let names = ["tar-split offset", "tar-split length", "tar-split length once decompressed"];
        let said = locator.tar_split().map(numbers);
        match (said, footer.tar_split) {
            (Some(said), Some(real)) => {
                for ((name, said), real) in names.into_iter().zip(said).zip(real) {
                    field(name, said, real);
                }
            }
            (Some(_), None) => findings.add(Code::FooterFilled, Place::default(), "", ""),
            // Whether an annotation is owed is for the TOC to say.
            (None, _) => {}
        }
        // Each form has its own length, and readers look for no other.
        let fits = match locator.form() {
            Form::Old | Form::StargzZstd => footer.len == 40,
            Form::Today | Form::EStargz => footer.len != 40,
        };
        if !fits {
            findings.add(Code::FooterField, Place::default().field("length"), "", footer.len.to_string());
        }
    }
}

fn numbers(span: &Span) -> [u64; 3] {
    [span.range.start, span.range.end.saturating_sub(span.range.start), span.plain_len]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{OLD_BLOB, ZOO_BLOB};

    #[test]
    fn reads_each_of_its_three_lengths() {
        let today = Footer::read(ZOO_BLOB).unwrap();
        let split = Some([226_399, 2417, 46_393]);
        assert_eq!(today, Footer { len: 64, toc: [224_656, 1735, 6018], kind: 1, tar_split: split });
        let old = Footer::read(OLD_BLOB).unwrap();
        assert_eq!((old.len, old.toc, old.tar_split), (40, [224_514, 1732, 8287], None));
        let filled = [&OLD_BLOB[OLD_BLOB.len() - 40..], &[0; 16]].concat();
        assert_eq!(Footer::read(&filled), Some(Footer { len: 56, ..old }));
        assert_eq!(Footer::read(&ZOO_BLOB[..ZOO_BLOB.len() - 1]), None);
        assert_eq!(Footer::read(b""), None);
    }
}
