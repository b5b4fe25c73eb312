//! One line of a listing.

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use shingle_core::{Digest, Kind, Member, Timestamp};

use crate::words::{Bytes, Path, Thousands};

/// One name in an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    /// Relative to the root.
    pub(super) path: &'a [u8],
    /// What its layer says; `None` for a directory that no layer lists.
    pub(super) member: Option<&'a Member>,
    pub(super) digest: Option<&'a Digest>,
    /// What fetching its content takes, if somebody knows.
    pub(super) compressed: Option<u64>,
    /// How many names it has.
    pub(super) links: u32,
    /// From 1, the lowest one.
    pub(super) layer: Option<usize>,
    pub(super) blob: Option<&'a Digest>,
    /// Whether upper layers took it away.
    pub(super) deleted: bool,
}

impl Item<'_> {
    const fn kind(&self) -> Kind {
        match self.member {
            Some(member) => member.kind,
            None => Kind::Directory,
        }
    }

    /// Returns mode, links, owner, size, compressed size and time; `exact` says whether sizes are in bytes.
    pub(super) fn cells(&self, exact: bool) -> [String; 6] {
        let bytes = |bytes: u64| match exact {
            true => Thousands(bytes).to_string(),
            false => Bytes(bytes).to_string(),
        };
        let none = || "-".to_owned();
        let owner = self.member.map_or((0, 0), |member| (member.uid, member.gid));
        let (size, compressed) = match (self.kind(), self.member) {
            (Kind::Regular, Some(member)) => {
                (bytes(member.size), self.compressed.map_or_else(|| "?".to_owned(), bytes))
            }
            (Kind::Block | Kind::Char, Some(member)) => {
                (format!("{}, {}", member.dev_major, member.dev_minor), none())
            }
            _ => (none(), none()),
        };
        [
            mode(self.kind(), self.member.map_or(0o755, |member| member.mode)),
            self.links.to_string(),
            format!("{}:{}", owner.0, owner.1),
            size,
            compressed,
            time(self.member.and_then(|member| member.mtime).unwrap_or(Timestamp::EPOCH)),
        ]
    }

    /// Returns the name below `prefix`, and where a link leads.
    pub(super) fn shown(&self, prefix: &[u8]) -> String {
        let name = Path(self.path.strip_prefix(prefix).unwrap_or(self.path));
        match self.member {
            Some(Member { kind: Kind::Symlink, link, .. }) => format!("{name} -> {}", Path(link.as_bytes())),
            _ => name.to_string(),
        }
    }
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let text = |map: &mut S::SerializeMap, key: &str, hex_key: &str, bytes: &[u8]| {
            map.serialize_entry(key, &String::from_utf8_lossy(bytes))?;
            if std::str::from_utf8(bytes).is_ok() {
                return Ok(());
            }
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            map.serialize_entry(hex_key, &hex)
        };
        text(&mut map, "path", "path_hex", self.path)?;
        map.serialize_entry("kind", &self.kind())?;
        map.serialize_entry("mode", &self.member.map_or(0o755, |member| member.mode & 0o7777))?;
        map.serialize_entry("links", &self.links)?;
        map.serialize_entry("uid", &self.member.map_or(0, |member| member.uid))?;
        map.serialize_entry("gid", &self.member.map_or(0, |member| member.gid))?;
        if let Some(member) = self.member {
            if member.kind == Kind::Regular {
                map.serialize_entry("size", &member.size)?;
                if let Some(compressed) = self.compressed {
                    map.serialize_entry("compressed_bytes", &compressed)?;
                }
            }
            if let Some(time) = member.mtime.and_then(Timestamp::to_rfc3339) {
                map.serialize_entry("mtime", &time)?;
            }
            if member.kind == Kind::Symlink {
                text(&mut map, "target", "target_hex", member.link.as_bytes())?;
            }
            if matches!(member.kind, Kind::Block | Kind::Char) {
                map.serialize_entry("device", &[member.dev_major, member.dev_minor])?;
            }
        }
        if let Some(digest) = self.digest {
            map.serialize_entry("digest", digest)?;
        }
        if let (Some(layer), Some(blob)) = (self.layer, self.blob) {
            map.serialize_entry("layer", &layer)?;
            map.serialize_entry("blob", blob)?;
        }
        if self.deleted {
            map.serialize_entry("deleted", &true)?;
        }
        map.end()
    }
}

/// Writes kind and mode as `ls -l` does: `drwxr-sr-t`.
fn mode(kind: Kind, mode: u32) -> String {
    let mut text = String::with_capacity(10);
    text.push(match kind {
        Kind::Block => 'b',
        Kind::Char => 'c',
        Kind::Directory => 'd',
        Kind::Fifo => 'p',
        Kind::Hardlink | Kind::Regular => '-',
        Kind::Symlink => 'l',
    });
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// Writes a time to the minute; what no calendar has, in seconds since 1970.
fn time(time: Timestamp) -> String {
    let text = time.to_rfc3339();
    let minute = text.as_ref().and_then(|text| text.get(..16));
    minute.map_or_else(|| format!("@{}", time.seconds), |minute| minute.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_and_times_as_ls_writes_them() {
        for (kind, bits, text) in [
            (Kind::Regular, 0o644, "-rw-r--r--"),
            (Kind::Directory, 0o1777, "drwxrwxrwt"),
            (Kind::Regular, 0o4755, "-rwsr-xr-x"),
            (Kind::Regular, 0o6044, "---Sr-Sr--"),
            (Kind::Symlink, 0o100_777, "lrwxrwxrwx"),
            (Kind::Fifo, 0o1000, "p--------T"),
        ] {
            assert_eq!(mode(kind, bits), text);
        }
        assert_eq!(time(Timestamp { seconds: 1_700_000_000, nanoseconds: 5 }), "2023-11-14 22:13");
        assert_eq!(time(Timestamp { seconds: i64::MIN, nanoseconds: 0 }), format!("@{}", i64::MIN));
    }
}
