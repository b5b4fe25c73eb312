//! The TOC in our own store: the same JSON, without offsets, plus names and times that its text cannot say.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use super::{Body, Chunk, Entry, Place, Toc, TocError, time};
use crate::{Digest, Limits, Member, Name, Timestamp};

impl Toc {
    /// Writes the TOC as our store keeps it: the format's own keys, no blob offsets, because the blob is not kept;
    /// [`to_exported`](Self::to_exported) has them.
    pub fn to_stored(&self) -> Vec<u8> {
        // Serialising into memory fails for maps with keys that are no strings, of which there are none.
        serde_json::to_vec(&Written { toc: self, places: false }).unwrap_or_default()
    }

    /// Reads what [`to_stored`](Self::to_stored) wrote.
    ///
    /// # Errors
    /// The bytes are not what was written: somebody changed the store.
    pub fn from_stored(json: &[u8], limits: &Limits) -> Result<Self, TocError> {
        Self::parse(json, Place::Store, limits)
    }
}

/// A TOC as it is written, with the places of its frames or without.
pub(crate) struct Written<'a> {
    pub(super) toc: &'a Toc,
    pub(super) places: bool,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Toc", 4)?;
        object.serialize_field("version", &1)?;
        if let Some(map) = self.toc.map.as_ref().filter(|_| self.places) {
            object.serialize_field("blob", map)?;
        }
        object.serialize_field("entries", &Entries(self))?;
        if let Some(digest) = &self.toc.tar_split_digest {
            object.serialize_field("tarSplitDigest", digest)?;
        }
        object.end()
    }
}

struct Entries<'a>(&'a Written<'a>);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let Written { toc, places } = *self.0;
        for entry in &toc.entries {
            let chunks = toc.chunks(entry);
            let (first, more) = chunks.split_at_checked(1).unwrap_or_default();
            let first = first.first();
            list.serialize_element(&Line {
                entry,
                chunk: first.filter(|chunk| !more.is_empty() || chunk.body == Body::Zeros),
                placed: first.filter(|_| places),
                first: true,
            })?;
            for chunk in more {
                let placed = Some(chunk).filter(|_| places);
                list.serialize_element(&Line { entry, chunk: Some(chunk), placed, first: false })?;
            }
        }
        list.end()
    }
}

/// One element of `entries`: a member with its first chunk, or one more chunk.
struct Line<'a> {
    entry: &'a Entry,
    chunk: Option<&'a Chunk>,
    /// The chunk whose frames are written.
    placed: Option<&'a Chunk>,
    first: bool,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let member = &self.entry.member;
        map.serialize_entry("type", if self.first { member.kind.as_str() } else { "chunk" })?;
        name(&mut map, "name", "nameRaw", &member.name)?;
        if self.first {
            self.member(&mut map, member)?;
            if let Some(digest) = self.entry.digest.filter(|digest| *digest != Digest::EMPTY) {
                map.serialize_entry("digest", &digest)?;
            }
        }
        if let Some(Chunk { offset, len, digest, body, .. }) = self.chunk {
            map.serialize_entry("chunkSize", len)?;
            map.serialize_entry("chunkOffset", offset)?;
            map.serialize_entry("chunkDigest", digest)?;
            if *body == Body::Zeros {
                map.serialize_entry("chunkType", "zeros")?;
            }
        }
        if let Some(Chunk { body: Body::Frames(frames), skip, .. }) = self.placed {
            map.serialize_entry("framesRaw", &(frames.start, frames.end))?;
            if *skip > 0 {
                map.serialize_entry("innerOffset", skip)?;
            }
        }
        map.end()
    }
}

impl Line<'_> {
    fn member<M: SerializeMap>(&self, map: &mut M, member: &Member) -> Result<(), M::Error> {
        if !member.link.is_empty() {
            name(map, "linkName", "linkNameRaw", &member.link)?;
        }
        map.serialize_entry("mode", &member.mode)?;
        let numbers = [
            ("size", member.size),
            ("uid", member.uid),
            ("gid", member.gid),
            ("devMajor", member.dev_major),
            ("devMinor", member.dev_minor),
        ];
        for (key, value) in numbers.iter().filter(|(_, value)| *value != 0) {
            map.serialize_entry(key, value)?;
        }
        for (key, raw_key, value) in [
            ("modtime", "modtimeRaw", member.mtime),
            ("accesstime", "accesstimeRaw", member.atime),
            ("changetime", "changetimeRaw", member.ctime),
        ] {
            match value.map(|time| (time, rfc3339(time))) {
                None => {}
                Some((_, Some(text))) => map.serialize_entry(key, &text)?,
                Some((time, None)) => map.serialize_entry(raw_key, &(time.seconds, time.nanoseconds))?,
            }
        }
        for (key, text) in [("xattrs", true), ("xattrsRaw", false)] {
            let xattrs = Xattrs { all: &member.xattrs, text };
            if xattrs.keys().next().is_some() {
                map.serialize_entry(key, &xattrs)?;
            }
        }
        Ok(())
    }
}

/// The xattrs whose names are text, or the others.
struct Xattrs<'a> {
    all: &'a crate::Xattrs,
    text: bool,
}

impl Xattrs<'_> {
    fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let keys = self.all.keys().map(|key| &**key);
        keys.filter(|key| core::str::from_utf8(key).is_ok() == self.text)
    }
}

impl Serialize for Xattrs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.keys().map(|key| {
            let value = self.all.get(key).map(|value| STANDARD.encode(value)).unwrap_or_default();
            let key = String::from_utf8(key.to_vec());
            (key.unwrap_or_else(|not_text| STANDARD.encode(not_text.as_bytes())), value)
        }))
    }
}

fn name<M: SerializeMap>(map: &mut M, text_key: &str, raw_key: &str, name: &Name) -> Result<(), M::Error> {
    match core::str::from_utf8(name.as_bytes()) {
        Ok(text) => map.serialize_entry(text_key, text),
        Err(_not_text) => map.serialize_entry(raw_key, &STANDARD.encode(name.as_bytes())),
    }
}

/// `None` for years that RFC 3339 cannot say, and for the time that means "none".
fn rfc3339(time: Timestamp) -> Option<String> {
    let mut text = String::new();
    time::format(time, &mut text).ok()?;
    (time::parse(&text) == Some(time::Rfc3339::At(time))).then_some(text)
}
