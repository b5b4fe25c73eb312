//! The TOC's JSON, read as the reference reads it: keys in any case, unknown keys skipped, a key
//! that comes twice counts the last time, `null` counts as absent.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::TocError;
use super::build::Builder;
use super::time::{self, Rfc3339};
use crate::{Digest, Name, Timestamp, Xattrs};

/// What the document says besides its entries.
#[derive(Debug, Default)]
pub(super) struct Head {
    version: Option<i64>,
    pub(super) tar_split_digest: Option<Digest>,
}

/// One element of `entries`; numbers are signed because the reference's are.
#[derive(Debug, Default)]
pub(super) struct RawEntry {
    pub(super) kind: RawKind,
    pub(super) name: Name,
    pub(super) link: Name,
    pub(super) mode: i64,
    pub(super) size: i64,
    pub(super) uid: i64,
    pub(super) gid: i64,
    pub(super) mtime: Option<Timestamp>,
    pub(super) atime: Option<Timestamp>,
    pub(super) ctime: Option<Timestamp>,
    pub(super) dev_major: i64,
    pub(super) dev_minor: i64,
    pub(super) xattrs: Xattrs,
    pub(super) digest: Option<Digest>,
    pub(super) end_offset: Option<i64>,
    pub(super) chunk: RawChunk,
}

/// What an entry says about its chunk: the first of a regular file, or one more.
#[derive(Debug, Default)]
pub(super) struct RawChunk {
    /// Where in the blob its frames begin.
    pub(super) frames: Option<i64>,
    pub(super) inner_offset: i64,
    /// Ours, in the exported form only: where its frames begin and end.
    pub(super) range: Option<(u64, u64)>,
    pub(super) size: i64,
    /// Where it begins in the file.
    pub(super) offset: i64,
    pub(super) digest: Option<Digest>,
    pub(super) zeros: bool,
}

/// The `type` of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum RawKind {
    /// One more chunk of the regular file before it.
    Chunk,
    /// A member of the tar.
    Member(crate::Kind),
    /// No `type` at all.
    #[default]
    Missing,
}

/// Reads a whole document and hands each entry to `builder` as it comes; what the builder refuses ends the reading.
pub(super) fn parse(json: &[u8], builder: &mut Builder<'_>) -> Result<Head, TocError> {
    let (mut head, mut refused) = (Head::default(), None);
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let read = deserializer.deserialize_map(TocVisitor { head: &mut head, builder, refused: &mut refused });
    let read = read.and_then(|()| deserializer.end());
    if let (Err(error), None) = (&read, &refused) {
        return Err(TocError::json(error));
    }
    match (head.version, refused) {
        (Some(1), None) => Ok(head),
        (Some(1) | None, Some(refused)) => Err(refused),
        // Nobody knows what is wrong with the entries of another version.
        (version, _) => Err(TocError::Version { actual: version.unwrap_or_default() }),
    }
}

/// Lower-cases a key without allocating where it is short, as every known key is.
struct Key {
    len: usize,
    bytes: [u8; 16],
}

impl Key {
    fn new(key: &str) -> Self {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(key.bytes()) {
            *to = from.to_ascii_lowercase();
        }
        Self { len: key.len(), bytes }
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl<'de> serde::Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                Ok(Key::new(key))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct TocVisitor<'a, 'b> {
    head: &'a mut Head,
    builder: &'a mut Builder<'b>,
    refused: &'a mut Option<TocError>,
}

impl<'de> Visitor<'de> for TocVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a TOC object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { head, builder, refused } = self;
        while let Some(key) = map.next_key::<Key>()? {
            match key.as_bytes() {
                b"version" => head.version = Some(number(&mut map)?.unwrap_or_default()),
                b"entries" => {
                    builder.restart();
                    map.next_value_seed(Entries { builder: &mut *builder, refused: &mut *refused })?;
                }
                b"tarsplitdigest" => head.tar_split_digest = digest(&mut map, "tarSplitDigest")?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct Entries<'a, 'b> {
    builder: &'a mut Builder<'b>,
    /// What the builder says where it stops the reading.
    refused: &'a mut Option<TocError>,
}

impl<'de> DeserializeSeed<'de> for Entries<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of entries")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(entry) = seq.next_element::<RawEntry>()? {
            if let Err(error) = self.builder.add(entry) {
                *self.refused = Some(error);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

impl<'de> serde::Deserialize<'de> for RawEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = RawEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawEntry, A::Error> {
        let mut entry = RawEntry::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key.as_bytes() {
                b"type" => entry.kind = kind(&mut map)?,
                b"name" => entry.name = name(&mut map)?.unwrap_or_default(),
                b"linkname" => entry.link = name(&mut map)?.unwrap_or_default(),
                // Ours, in the stored form only: what JSON text cannot say.
                b"nameraw" => entry.name = raw_name(&mut map)?,
                b"linknameraw" => entry.link = raw_name(&mut map)?,
                b"modtimeraw" => entry.mtime = raw_time(&mut map)?,
                b"accesstimeraw" => entry.atime = raw_time(&mut map)?,
                b"changetimeraw" => entry.ctime = raw_time(&mut map)?,
                b"xattrsraw" => {
                    for (key, value) in map.next_value::<Option<RawXattrs>>()?.unwrap_or_default().0 {
                        entry.xattrs.insert(STANDARD.decode(key).map_err(A::Error::custom)?.into(), value);
                    }
                }
                b"mode" => entry.mode = number(&mut map)?.unwrap_or_default(),
                b"size" => entry.size = number(&mut map)?.unwrap_or_default(),
                b"uid" => entry.uid = number(&mut map)?.unwrap_or_default(),
                b"gid" => entry.gid = number(&mut map)?.unwrap_or_default(),
                b"modtime" => entry.mtime = timestamp(&mut map)?,
                b"accesstime" => entry.atime = timestamp(&mut map)?,
                b"changetime" => entry.ctime = timestamp(&mut map)?,
                b"devmajor" => entry.dev_major = number(&mut map)?.unwrap_or_default(),
                b"devminor" => entry.dev_minor = number(&mut map)?.unwrap_or_default(),
                b"xattrs" => entry.xattrs = map.next_value::<Option<RawXattrs>>()?.unwrap_or_default().0,
                b"digest" => entry.digest = digest(&mut map, "digest")?,
                b"offset" => entry.chunk.frames = number(&mut map)?,
                b"endoffset" => entry.end_offset = number(&mut map)?,
                // Ours, in the exported form only.
                b"framesraw" => entry.chunk.range = map.next_value()?,
                b"inneroffset" => entry.chunk.inner_offset = number(&mut map)?.unwrap_or_default(),
                b"chunksize" => entry.chunk.size = number(&mut map)?.unwrap_or_default(),
                b"chunkoffset" => entry.chunk.offset = number(&mut map)?.unwrap_or_default(),
                b"chunkdigest" => entry.chunk.digest = digest(&mut map, "chunkDigest")?,
                b"chunktype" => entry.chunk.zeros = zeros(&mut map)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(entry)
    }
}

fn number<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<i64>, A::Error> {
    map.next_value()
}

/// Borrows where the JSON has no escapes. `Option<Cow>` would always allocate.
struct Text<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.into())))
            }
            fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
            fn visit_unit<E>(self) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed("")))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Cow<'de, str>, A::Error> {
    Ok(map.next_value::<Text<'de>>()?.0)
}

fn name<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Name>, A::Error> {
    Ok(Some(Name::from(text(map)?.as_ref())))
}

fn raw_name<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Name, A::Error> {
    let encoded = text(map)?;
    let bytes = STANDARD.decode(encoded.as_bytes()).map_err(A::Error::custom)?;
    Ok(Name::from(bytes))
}

fn raw_time<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Timestamp>, A::Error> {
    match map.next_value::<Option<(i64, u32)>>()? {
        Some((_, 1_000_000_000..)) => Err(A::Error::custom("nanoseconds make more than a second")),
        time => Ok(time.map(|(seconds, nanoseconds)| Timestamp { seconds, nanoseconds })),
    }
}

fn kind<'de, A: MapAccess<'de>>(map: &mut A) -> Result<RawKind, A::Error> {
    use crate::Kind;
    let word = text(map)?;
    Ok(RawKind::Member(match word.as_ref() {
        "reg" => Kind::Regular,
        "dir" => Kind::Directory,
        "symlink" => Kind::Symlink,
        "hardlink" => Kind::Hardlink,
        "char" => Kind::Char,
        "block" => Kind::Block,
        "fifo" => Kind::Fifo,
        "chunk" => return Ok(RawKind::Chunk),
        "" => return Ok(RawKind::Missing),
        other => return Err(A::Error::custom(format_args!("entry type {:?} is unknown", cut(other)))),
    }))
}

fn digest<'de, A: MapAccess<'de>>(map: &mut A, key: &str) -> Result<Option<Digest>, A::Error> {
    let text = text(map)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error| A::Error::custom(format_args!("{key}: {error}")))
}

fn timestamp<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Timestamp>, A::Error> {
    let text = text(map)?;
    if text.is_empty() {
        return Ok(None);
    }
    match time::parse(&text) {
        Some(Rfc3339::At(time)) => Ok(Some(time)),
        Some(Rfc3339::Zero) => Ok(None),
        None => Err(A::Error::custom(format_args!("{:?} is not an RFC 3339 time", cut(&text)))),
    }
}

fn zeros<'de, A: MapAccess<'de>>(map: &mut A) -> Result<bool, A::Error> {
    match text(map)?.as_ref() {
        "" => Ok(false),
        "zeros" => Ok(true),
        other => Err(A::Error::custom(format_args!("chunkType {:?} is unknown", cut(other)))),
    }
}

/// Linux lists 64 KiB of names at most, so no file has more.
const XATTRS: usize = 16_384;

#[derive(Default)]
struct RawXattrs(Xattrs);

impl<'de> serde::Deserialize<'de> for RawXattrs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct XattrsVisitor;
        impl<'de> Visitor<'de> for XattrsVisitor {
            type Value = RawXattrs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of base64 strings")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawXattrs, A::Error> {
                let mut xattrs = Xattrs::new();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    let value = map.next_value::<Text<'de>>()?;
                    let bytes = STANDARD.decode(value.0.as_bytes()).map_err(|error| {
                        A::Error::custom(format_args!("xattr {:?}: {error}", cut(&key.0)))
                    })?;
                    xattrs.insert(Box::from(key.0.as_bytes()), bytes.into());
                    if xattrs.len() > XATTRS {
                        return Err(A::Error::custom(format_args!("more than {XATTRS} xattrs of one entry")));
                    }
                }
                Ok(RawXattrs(xattrs))
            }
        }
        deserializer.deserialize_map(XattrsVisitor)
    }
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}
