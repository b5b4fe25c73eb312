//! One line of a tar-split.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use serde::Deserialize;

/// One record; keys that are not known are passed over.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Line<'a> {
    #[serde(rename = "type")]
    pub(super) kind: u64,
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default)]
    pub(super) name_raw: Text<'a>,
    #[serde(default)]
    pub(super) size: i64,
    #[serde(borrow, default)]
    pub(super) payload: Option<Text<'a>>,
    /// The number of the record; our own writer leaves it out.
    #[serde(default)]
    pub(super) position: Option<i64>,
}

/// Text that is copied only if it holds escapes (serde always copies an `Option<Cow>`).
#[derive(Debug, Default, PartialEq)]
pub(super) struct Text<'a>(pub(super) Cow<'a, [u8]>);

impl<'a> Line<'a> {
    /// Reads a line of JSON.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, serde_json::Error> {
        let known = Self::plain(line).or_else(|| Self::lean(line));
        known.map_or_else(|| serde_json::from_slice(line), Ok)
    }

    /// Reads a line in the form that our own writer writes.
    fn lean(line: &'a [u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\n").unwrap_or(line).strip_suffix(b"}")?;
        let (name, name_raw) = (Text::default(), Text::default());
        if let Some(payload) = line.strip_prefix(b"{\"type\":2,\"payload\":\"") {
            let payload = Some(Text::plain(payload.strip_suffix(b"\"")?)?);
            return Some(Self { kind: 2, name, name_raw, size: 0, payload, position: None });
        }
        let line = line.strip_prefix(b"{\"type\":1,\"name_raw\":\"")?;
        let (name_raw, line) = line.split_at_checked(line.iter().position(|byte| *byte == b'"')?)?;
        let line = line.strip_prefix(b"\",\"payload\":\"")?;
        let (payload, line) = line.split_at_checked(line.iter().position(|byte| *byte == b'"')?)?;
        let size = number(line.strip_prefix(b"\",\"size\":")?)?;
        let (name_raw, payload) = (Text::plain(name_raw)?, Some(Text::plain(payload)?));
        Some(Self { kind: 1, name, name_raw, size, payload, position: None })
    }

    /// Reads a line in the very form that the reference writes, in a third of the time that a JSON parser takes.
    ///
    /// `None` says only that it takes a JSON parser: other keys, another order, spaces, an escape.
    fn plain(line: &'a [u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\n").unwrap_or(line).strip_suffix(b"}")?;
        let digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let (line, position) = line.split_at_checked(line.len().checked_sub(digits)?)?;
        let (position, line) = (Some(number(position)?), line.strip_suffix(b",\"position\":")?);
        let (name, name_raw) = (Text::default(), Text::default());
        if let Some(payload) = line.strip_prefix(b"{\"type\":2,\"payload\":\"") {
            let payload = Some(Text::plain(payload.strip_suffix(b"\"")?)?);
            return Some(Self { kind: 2, name, name_raw, size: 0, payload, position });
        }
        let line = line.strip_prefix(b"{\"type\":1,\"name\":\"")?;
        let (name, line) = line.split_at_checked(line.iter().position(|byte| *byte == b'"')?)?;
        let name = Text::plain(name)?;
        if line == b"\",\"payload\":null" {
            return Some(Self { kind: 1, name, name_raw, size: 0, payload: None, position });
        }
        let line = line.strip_prefix(b"\",\"size\":")?;
        let (size, line) = line.split_at_checked(line.iter().position(|byte| *byte == b',')?)?;
        let payload = line.strip_prefix(b",\"payload\":\"")?.strip_suffix(b"\"")?;
        let (size, payload) = (number(size)?, Some(Text::plain(payload)?));
        Some(Self { kind: 1, name, name_raw, size, payload, position })
    }
}

impl<'a> Text<'a> {
    /// Takes what stands between quotes for what it means, where that is so: printable ASCII without escapes.
    fn plain(bytes: &'a [u8]) -> Option<Self> {
        // Without a way out of the loop, the compiler looks at many bytes at once.
        let means_itself = |byte: &u8| matches!(byte, b' '..=b'~') & (*byte != b'"') & (*byte != b'\\');
        let plain = bytes.iter().fold(true, |plain, byte| plain & means_itself(byte));
        plain.then_some(Self(Cow::Borrowed(bytes)))
    }
}

/// Reads a number as JSON writes it: no sign, no leading zero, few enough digits.
fn number(digits: &[u8]) -> Option<i64> {
    match digits {
        [] | [b'0', _, ..] => None,
        digits if digits.len() > 18 => None,
        digits => digits.iter().try_fold(0_i64, |value, digit| {
            let digit = digit.is_ascii_digit().then(|| digit.wrapping_sub(b'0'))?;
            value.checked_mul(10)?.checked_add(i64::from(digit))
        }),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> serde::de::Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text.as_bytes())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(String::from(text).into_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::super::TarSplitWriter;
    use super::*;

    /// Holds the short ways against the JSON parser; says whether one was taken.
    fn is_plain(line: &[u8]) -> bool {
        let plain = Line::plain(line).or_else(|| Line::lean(line));
        if let Some(plain) = &plain {
            assert_eq!(serde_json::from_slice::<Line<'_>>(line).ok().as_ref(), Some(plain));
        }
        plain.is_some()
    }

    fn written(name: &str, raw: &[u8], size: u64, crc: u64, position: usize) -> Vec<Vec<u8>> {
        let (mut writer, mut out) = (TarSplitWriter::at(position), Vec::new());
        writer.raw(raw, &mut out);
        writer.file(name.as_bytes(), size, crc, &mut out);
        writer.finish(&mut out);
        out.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn the_common_lines_are_plain() {
        for size in [0, 1, 999_999_999_999_999_999] {
            for line in written("./usr/lib/x86_64-linux-gnu/a b+c~", &[7; 1000], size, 5, 123_456) {
                assert!(is_plain(&line) && is_plain(line.trim_ascii()));
            }
        }
    }

    #[test]
    fn the_trimmed_lines_are_plain() {
        for line in [
            r#"{"type":2,"payload":"AA=="}"#,
            r#"{"type":1,"name_raw":"YQ==","payload":"AAAAAAAAAAA=","size":5}"#,
        ] {
            assert!(is_plain(line.as_bytes()), "{line}");
        }
        for line in [
            r#"{"type":2,"payload":"AA==","more":""}"#,
            r#"{"type":1,"name_raw":"YQ==","payload":null,"size":5}"#,
            r#"{"type":1,"name_raw":"YQ==","payload":"AAAAAAAAAAA="}"#,
            r#"{"type":1,"name_raw":"Y\u0051==","payload":"AAAAAAAAAAA=","size":5}"#,
        ] {
            assert!(!is_plain(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn the_others_are_not() {
        for line in [
            r#"{"type":2,"payload":"AA==","position":01}"#,
            r#"{"type":2,"payload":"AA==","position":-1}"#,
            r#"{"type":2,"payload":"AA==","position":1.0}"#,
            r#"{"type":2,"payload":"AA==","position":1e3}"#,
            r#"{"type":2,"payload":"AA==","position":}"#,
            r#"{"type":2,"payload":"AA==","position":9223372036854775808}"#,
            r#"{"type":2,"payload":"AA==","position":1} "#,
            r#"{"type":2,"payload":"AA==","position":1}}"#,
            r#"{"type":2, "payload":"AA==","position":1}"#,
            r#"{"type":2,"payload":"A\u0041==","position":1}"#,
            r#"{"type":2,"payload":"AA==","more":"","position":1}"#,
            r#"{"type":2,"payload":null,"position":1}"#,
            r#"{"type":3,"payload":"AA==","position":1}"#,
            r#"{"type":1,"name":"a\"","payload":null,"position":1}"#,
            r#"{"type":1,"name":"a\","payload":null,"position":1}"#,
            r#"{"type":1,"name":"é","payload":null,"position":1}"#,
            r#"{"type":1,"name":"a","size":05,"payload":"AAAAAAAAAAA=","position":1}"#,
            r#"{"type":1,"name":"a","size":,"payload":"AAAAAAAAAAA=","position":1}"#,
            r#"{"type":1,"name":"a","size":5,"payload":"AAAAAAAAAAA=","size":6,"position":1}"#,
            r#"{"type":1,"name_raw":"AA==","payload":null,"position":1}"#,
            "{\"type\":1,\"name\":\"a\tb\",\"payload\":null,\"position\":1}",
            "{\"type\":2,\"payload\":\"AA==\",\"position\":1}\n\n",
            "}",
            "",
        ] {
            assert!(!is_plain(line.as_bytes()), "{line}");
        }
        assert!(!is_plain(b"{\"type\":2,\"payload\":\"\xff\",\"position\":1}"));
    }

    proptest! {
        #[test]
        fn a_plain_line_is_what_a_json_parser_reads(
            name: String, raw: [u8; 9], size: u64, crc: u64, position in 0_usize..2000,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..4),
        ) {
            for mut line in written(&name, &raw, size, crc, position) {
                for (at, byte, how) in &changes {
                    let at = at.index(line.len());
                    match how {
                        0 => line[at] = b"\",\\}0: \n\t"[usize::from(*byte) % 9],
                        1 => drop(line.remove(at)),
                        _ => line.insert(at, *byte),
                    }
                }
                is_plain(&line);
            }
        }

        #[test]
        fn any_text_between_the_quotes(text in "\\PC{0,9}|[ -~]{0,9}", number in "[0-9+.eE-]{0,20}") {
            for line in [
                format!(r#"{{"type":2,"payload":"{text}","position":{number}}}"#),
                format!(r#"{{"type":1,"name":"{text}","size":{number},"payload":"{text}","position":1}}"#),
                format!(r#"{{"type":1,"name":"{text}","payload":null,"position":{number}}}"#),
            ] {
                is_plain(line.as_bytes());
            }
        }
    }
}
