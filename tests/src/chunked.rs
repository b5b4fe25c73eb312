//! Writes zstd:chunked layers, honest ones and, changed between [`Parts::of`] and [`Parts::seal`], lying ones.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use shingle_core::{Crc64, Digest, TarSplitWriter, compress};

use crate::layout::{Layer, ZSTD};

const KEY: &str = "io.github.containers.zstd-chunked.";
const SKIPPABLE: [u8; 4] = [0x50, 0x2a, 0x4d, 0x18];

/// The parts of a layer before they are joined.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The frames of the tar, joined.
    pub frames: Vec<u8>,
    /// The table of contents.
    pub toc: Value,
    /// The tar-split's lines.
    pub split: Vec<u8>,
    /// Goes in place of the compressed table of contents.
    pub packed_toc: Option<Vec<u8>>,
    /// Goes in place of the compressed tar-split.
    pub packed_split: Option<Vec<u8>>,
    /// The claimed length of the table of contents, decompressed.
    pub toc_len: Option<u64>,
    /// The claimed length of the tar-split, decompressed.
    pub split_len: Option<u64>,
    /// The tar's digest.
    pub diff_id: Digest,
}

impl Parts {
    /// Takes a tar apart, files in chunks of at most `chunk` bytes.
    ///
    /// # Panics
    /// When the `tar` crate cannot read it.
    pub fn of(tar: &[u8], chunk: usize) -> Self {
        let mut frames = Vec::new();
        let mut entries = Vec::new();
        let (mut split, mut writer) = (Vec::new(), TarSplitWriter::new());
        let (mut done, mut meta) = (0, 0);
        let mut archive = tar::Archive::new(tar);
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let start = entry.raw_file_position() as usize;
            let content = &tar[start..start + entry.size() as usize];
            let mut row = row(&mut entry);
            writer.raw(&tar[done..start], &mut split);
            writer.file(&entry.path_bytes(), content.len() as u64, Crc64::of(content), &mut split);
            done = start + content.len();
            if content.is_empty() {
                entries.push(Value::Object(row));
                continue;
            }
            frames.extend(compress(&tar[meta..start]));
            meta = done;
            row.insert("digest".to_owned(), json!(Digest::of(content).to_string()));
            let name = row["name"].clone();
            let first = entries.len();
            for (index, piece) in content.chunks(chunk).enumerate() {
                let mut row = if index == 0 { row.clone() } else { Map::new() };
                row.insert("offset".to_owned(), json!(frames.len()));
                if index > 0 {
                    row.insert("type".to_owned(), json!("chunk"));
                    row.insert("name".to_owned(), name.clone());
                    row.insert("chunkOffset".to_owned(), json!(index * chunk));
                }
                if content.len() > chunk {
                    row.insert("chunkSize".to_owned(), json!(piece.len()));
                    row.insert("chunkDigest".to_owned(), json!(Digest::of(piece).to_string()));
                }
                frames.extend(compress(piece));
                entries.push(Value::Object(row));
            }
            entries[first]["endOffset"] = json!(frames.len());
        }
        frames.extend(compress(&tar[meta..]));
        writer.raw(&tar[done..], &mut split);
        writer.finish(&mut split);
        Self {
            frames,
            toc: json!({"version": 1, "entries": entries}),
            split,
            packed_toc: None,
            packed_split: None,
            toc_len: None,
            split_len: None,
            diff_id: Digest::of(tar),
        }
    }

    /// Returns the entry of a name.
    ///
    /// # Panics
    /// When there is none.
    pub fn entry(&mut self, name: &str) -> &mut Value {
        let entries = self.toc["entries"].as_array_mut().unwrap();
        let found = entries.iter_mut().find(|entry| entry["name"] == name && entry["type"] != "chunk");
        found.unwrap_or_else(|| panic!("no entry {name}"))
    }

    /// Joins the parts, with digests and positions that fit what the parts are now.
    pub fn seal(mut self) -> Layer {
        let split = self.packed_split.take().unwrap_or_else(|| compress(&self.split));
        if self.toc.get("tarSplitDigest").is_none() {
            self.toc["tarSplitDigest"] = json!(Digest::of(&split).to_string());
        }
        let text = self.toc.to_string();
        let toc = self.packed_toc.take().unwrap_or_else(|| compress(text.as_bytes()));
        let toc_len = self.toc_len.unwrap_or(text.len() as u64);
        let split_len = self.split_len.unwrap_or(self.split.len() as u64);

        let mut blob = self.frames;
        let mut frame = |bytes: &[u8]| {
            blob.extend(SKIPPABLE);
            blob.extend((bytes.len() as u32).to_le_bytes());
            let at = blob.len() as u64;
            blob.extend(bytes);
            at
        };
        let (toc_at, split_at) = (frame(&toc), frame(&split));
        let numbers = [toc_at, toc.len() as u64, toc_len, 1, split_at, split.len() as u64, split_len]
            .map(u64::to_le_bytes);
        frame(&[numbers.concat(), b"GNUlInUx".to_vec()].concat());
        let said = [
            ("manifest-checksum", Digest::of(&toc).to_string()),
            ("manifest-position", format!("{toc_at}:{}:{toc_len}:1", toc.len())),
            ("tarsplit-position", format!("{split_at}:{}:{split_len}", split.len())),
        ];
        let annotations: BTreeMap<_, _> = said.map(|(key, value)| (format!("{KEY}{key}"), value)).into();
        Layer { media_type: ZSTD.to_owned(), blob, diff_id: self.diff_id, annotations }
    }
}

pub(crate) fn row(entry: &mut tar::Entry<'_, &[u8]>) -> Map<String, Value> {
    let mut row = Map::new();
    let header = entry.header().clone();
    let kind = match header.entry_type() {
        tar::EntryType::Block => "block",
        tar::EntryType::Char => "char",
        tar::EntryType::Directory => "dir",
        tar::EntryType::Fifo => "fifo",
        tar::EntryType::Link => "hardlink",
        tar::EntryType::Symlink => "symlink",
        _ => "reg",
    };
    let mut say = |key: &str, value: Value| {
        if value != json!(0) && value != json!("") {
            row.insert(key.to_owned(), value);
        }
    };
    say("type", json!(kind));
    say("name", json!(String::from_utf8(entry.path_bytes().into_owned()).unwrap()));
    let link = entry.link_name_bytes().map(|link| String::from_utf8(link.into_owned()).unwrap());
    if matches!(kind, "hardlink" | "symlink") {
        say("linkName", json!(link.unwrap_or_default()));
    }
    say("mode", json!(header.mode().unwrap()));
    say("size", json!(entry.size()));
    say("uid", json!(header.uid().unwrap()));
    say("gid", json!(header.gid().unwrap()));
    say(
        "devMajor",
        json!(header.device_major().ok().flatten().filter(|_| matches!(kind, "char" | "block")).unwrap_or(0)),
    );
    say(
        "devMinor",
        json!(header.device_minor().ok().flatten().filter(|_| matches!(kind, "char" | "block")).unwrap_or(0)),
    );
    let mut time = header.mtime().unwrap().to_string();
    let mut xattrs = Map::new();
    for extension in entry.pax_extensions().unwrap().into_iter().flatten() {
        let extension = extension.unwrap();
        let key = extension.key().unwrap();
        match key.strip_prefix("SCHILY.xattr.") {
            Some(name) => {
                drop(xattrs.insert(name.to_owned(), json!(STANDARD.encode(extension.value_bytes()))));
            }
            None if key == "mtime" => time = extension.value().unwrap().to_owned(),
            None => {}
        }
    }
    row.insert("modtime".to_owned(), json!(rfc3339(&time)));
    if !xattrs.is_empty() {
        row.insert("xattrs".to_owned(), Value::Object(xattrs));
    }
    row
}

/// Writes a count of seconds since 1970, not negative, as a date and a time.
fn rfc3339(time: &str) -> String {
    let (seconds, fraction) =
        time.split_once('.').map_or((time, String::new()), |(s, f)| (s, format!(".{f}")));
    let seconds: i64 = seconds.parse().unwrap();
    let (days, rest) = (seconds / 86400, seconds % 86400);
    // Days from the civil calendar's 1 March 0000, as in Howard Hinnant's paper on dates.
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year_of_era + era * 400 + carry;
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

#[cfg(test)]
mod tests {

    use super::rfc3339;

    #[test]
    fn dates() {
        assert_eq!(rfc3339("0"), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339("1700000000.123456789"), "2023-11-14T22:13:20.123456789Z");
        assert_eq!(rfc3339("951782400"), "2000-02-29T00:00:00Z");
    }
}
