//! The members of a tar, read with the `tar` crate's raw entries and PAX records read here: an oracle that shares no
//! code with what it judges.

use std::collections::BTreeMap;
use std::io::Read as _;

use super::Kind;

/// One member as the tar has it.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) kind: Kind,
    pub(super) hard_link: bool,
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    pub(super) mtime: (i64, i64),
    pub(super) device: (u64, u64),
    pub(super) content: Vec<u8>,
    pub(super) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// Reads all members; an error says which sort of tar is beyond this reader.
pub(super) fn read(tar: &[u8]) -> Result<Vec<Member>, String> {
    let mut members = Vec::new();
    let (mut global, mut local) = (Records::new(), Records::new());
    let (mut long_name, mut long_link) = (None, None);
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().map_err(text)?.raw(true) {
        let mut entry = entry.map_err(text)?;
        let mut body = Vec::new();
        let flag = entry.header().entry_type().as_byte();
        entry.read_to_end(&mut body).map_err(text)?;
        let header = entry.header();
        match flag {
            // As GNU tar has it, a global header takes the place of the one before.
            b'g' => global = records(&body)?,
            b'x' => local = records(&body)?,
            b'L' => long_name = Some(until_nul(&body)),
            b'K' => long_link = Some(until_nul(&body)),
            b'V' => {}
            b'S' | b'M' => return Err(format!("type {} is beyond the oracle", char::from(flag))),
            _ => {
                let mut all = global.clone();
                all.extend(std::mem::take(&mut local));
                if all.keys().any(|key| key.starts_with(b"GNU.sparse.")) {
                    return Err("a sparse file is beyond the oracle".to_owned());
                }
                let all = Said(all);
                let name = long_name.take().or_else(|| all.value(b"path"));
                let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
                let link = long_link.take().or_else(|| all.value(b"linkpath"));
                let link = link.or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
                let raw = header.as_bytes();
                let time = match all.value(b"mtime") {
                    Some(text) => decimal(&text)?,
                    None => (number(&raw[136..148]), 0),
                };
                members.push(Member {
                    kind: match flag {
                        b'2' => Kind::Symlink,
                        b'3' => Kind::Char,
                        b'4' => Kind::Block,
                        b'5' | b'D' => Kind::Directory,
                        b'6' => Kind::Fifo,
                        _ if name.ends_with(b"/") && flag != b'1' => Kind::Directory,
                        _ => Kind::Regular,
                    },
                    hard_link: flag == b'1',
                    name,
                    link: link.unwrap_or_default(),
                    mode: number(&raw[100..108]) as u32 & 0o7777,
                    uid: all.number(b"uid").unwrap_or_else(|| number(&raw[108..116]) as u64),
                    gid: all.number(b"gid").unwrap_or_else(|| number(&raw[116..124]) as u64),
                    mtime: time,
                    device: match flag {
                        b'3' | b'4' => (number(&raw[329..337]) as u64, number(&raw[337..345]) as u64),
                        _ => (0, 0),
                    },
                    content: body,
                    xattrs: all.xattrs(),
                });
            }
        }
    }
    Ok(members)
}

struct Said(Records);

impl Said {
    fn value(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(key).filter(|value| !value.is_empty()).cloned()
    }

    fn number(&self, key: &[u8]) -> Option<u64> {
        String::from_utf8(self.value(key)?).ok()?.parse().ok()
    }

    fn xattrs(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let named = |(key, value): (&Vec<u8>, &Vec<u8>)| {
            Some((key.strip_prefix(b"SCHILY.xattr.")?.to_vec(), value.clone()))
        };
        self.0.iter().filter_map(named).collect()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn text(error: std::io::Error) -> String {
    error.to_string()
}

fn until_nul(bytes: &[u8]) -> Vec<u8> {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
}

fn records(mut body: &[u8]) -> Result<Records, String> {
    let mut all = Records::new();
    while !body.is_empty() {
        let broken = || format!("a PAX record that cannot be read: {:?}", String::from_utf8_lossy(body));
        let space = body.iter().position(|byte| *byte == b' ').ok_or_else(broken)?;
        let length: usize = std::str::from_utf8(&body[..space])
            .ok()
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(broken)?;
        let record = body.get(space + 1..length.saturating_sub(1)).ok_or_else(broken)?;
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(broken)?;
        all.insert(record[..equals].to_vec(), record[equals + 1..].to_vec());
        body = &body[length..];
    }
    Ok(all)
}

/// Reads octal digits, or base 256 in two's complement.
fn number(field: &[u8]) -> i64 {
    if field[0] & 0x80 != 0 {
        let start =
            if field[0] & 0x40 == 0 { i128::from(field[0] & 0x3f) } else { i128::from(field[0]) - 256 };
        return field[1..].iter().fold(start, |sum, byte| (sum << 8) | i128::from(*byte)) as i64;
    }
    let digits =
        field.iter().skip_while(|byte| **byte == b' ').take_while(|byte| (b'0'..=b'7').contains(byte));
    digits.fold(0, |sum, digit| sum * 8 + i64::from(digit - b'0'))
}

/// Reads a PAX time into seconds and nanoseconds after them.
fn decimal(text: &[u8]) -> Result<(i64, i64), String> {
    let text = String::from_utf8_lossy(text);
    let broken = || format!("a PAX time that cannot be read: {text}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let seconds: i64 = whole.parse().map_err(|_not_a_number| broken())?;
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanoseconds: i64 = digits.parse().map_err(|_not_a_number| broken())?;
    Ok(match (whole.starts_with('-'), nanoseconds) {
        (true, 1..) => (seconds - 1, 1_000_000_000 - nanoseconds),
        _ => (seconds, nanoseconds),
    })
}

#[cfg(test)]
mod tests {
    use super::{decimal, number};

    #[test]
    fn numbers_and_times() {
        assert_eq!(number(b"0000644\0"), 0o644);
        assert_eq!(number(b"   17 \0\0"), 0o17);
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 1, 2]), 258);
        assert_eq!(number(&[0xff; 12]), -1);
        assert_eq!(decimal(b"-1.5"), Ok((-2, 500_000_000)));
        assert_eq!(decimal(b"1700000000.123456789123"), Ok((1_700_000_000, 123_456_789)));
        assert_eq!(decimal(b"7"), Ok((7, 0)));
    }
}
