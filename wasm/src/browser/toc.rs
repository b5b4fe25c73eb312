//! The table of contents, as objects and as columns.

use std::sync::Arc;

use js_sys::{Array, Float64Array, Uint8Array, Uint32Array};
use shingle_core::{Body, Class, Digest, Kind};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::error::{misuse, thrown};
use super::policy::{LimitChanges, RangeParts, limits};
use super::record::{ToJs, array, handle, number, record};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"/** The kinds of file that a layer holds; `TocColumns` has the index in this list. */
export type Kind = "block" | "char" | "directory" | "fifo" | "hardlink" | "regular" | "symlink";
/** Where a chunk's bytes come from: compressed frames at a range of the blob; no blob that is known; nowhere, because it is
 * all NUL. */
export type Body = { tag: "frames"; val: ByteRange } | { tag: "unlocated" } | { tag: "zeros" };
"#;

record! {
    /// A point in time.
    TimeParts as Timestamp {
        /// Since 1970, negative before.
        seconds: i64 = "seconds: number",
        /// After `seconds`; below 1,000,000,000.
        nanoseconds: u32 = "nanoseconds: number",
    }
}

record! {
    /// One member of a layer and, for a regular file, its content. Names are bytes: tars hold names that are not UTF-8.
    /// Owners and device numbers from 2^53 on are rounded.
    EntryParts as Entry {
        /// What it is.
        kind: &'static str = "kind: Kind",
        /// Its path as written.
        name: Uint8Array = "name: Uint8Array",
        /// A symbolic link's text, or a hard link's target; empty for other kinds.
        link: Uint8Array = "link: Uint8Array",
        /// Permission bits.
        mode: u32 = "mode: number",
        /// The length of the content.
        size: u64 = "size: number",
        /// The owner.
        uid: u64 = "uid: number",
        /// The group.
        gid: u64 = "gid: number",
        /// When the content last changed.
        mtime: Option<TimeParts> = "mtime: Timestamp | undefined",
        /// When it was last read.
        atime: Option<TimeParts> = "atime: Timestamp | undefined",
        /// When the metadata last changed.
        ctime: Option<TimeParts> = "ctime: Timestamp | undefined",
        /// A device's major number.
        dev_major: u64 = "devMajor: number",
        /// A device's minor number.
        dev_minor: u64 = "devMinor: number",
        /// Extended attributes.
        xattrs: Array = "xattrs: [name: Uint8Array, value: Uint8Array][]",
        /// The content's digest; of nothing, for an empty file; none, for other kinds.
        digest: Option<Digest> = "digest: string | undefined",
        /// The metadata class: files of one content and class can be one inode.
        class: Class = "class: string",
    }
}

record! {
    /// One chunk of a regular file.
    ChunkParts as Chunk {
        /// Where it begins in the file.
        offset: u64 = "offset: number",
        /// Its uncompressed length.
        len: u64 = "len: number",
        /// The digest of its uncompressed bytes.
        digest: Digest = "digest: string",
        /// Where its bytes come from.
        body: JsValue = "body: Body",
        /// How many plain bytes of its frames come before it.
        skip: u64 = "skip: number",
    }
}

record! {
    /// All entries of a TOC in a few flat arrays: what a page with 200,000 files wants.
    ColumnsParts as TocColumns {
        /// All names, one after the other.
        names: Uint8Array = "names: Uint8Array",
        /// Where in `names` each name ends; it begins where the one before it ends.
        name_ends: Uint32Array = "nameEnds: Uint32Array",
        /// The index of each kind: block, char, directory, fifo, hardlink, regular, symlink.
        kinds: Uint8Array = "kinds: Uint8Array",
        /// Permission bits.
        modes: Uint32Array = "modes: Uint32Array",
        /// Lengths of contents.
        sizes: Float64Array = "sizes: Float64Array",
        /// Modification times, in whole seconds since 1970; NaN where there is none.
        mtimes: Float64Array = "mtimes: Float64Array",
        /// The bytes of the files in the blob, frames that several share counted for the first; 0 for what has none.
        packed: Float64Array = "packed: Float64Array",
        /// 32 bytes for each entry: the content's SHA-256, or zeros where there is none.
        digests: Uint8Array = "digests: Uint8Array",
    }
}

/// A checked table of contents.
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Toc(Arc<shingle_core::Toc>);

#[wasm_bindgen]
impl Toc {
    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.0.entries().len()).unwrap_or(u32::MAX)
    }

    /// Whether it has none.
    #[wasm_bindgen(js_name = isEmpty)]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.entries().is_empty()
    }

    /// Up to `count` entries from `first` on, in the order of the tar.
    #[must_use]
    pub fn entries(&self, first: u32, count: u32) -> Vec<Entry> {
        slice(self.0.entries(), first, count).iter().map(|entry| entry_parts(entry).object()).collect()
    }

    /// All entries in a few flat arrays.
    #[must_use]
    pub fn columns(&self) -> TocColumns {
        columns(&self.0).object()
    }

    /// The chunks of one file, in its order; none for what is no file with content.
    #[must_use]
    pub fn chunks(&self, file: u32) -> Vec<Chunk> {
        let entry = slice(self.0.entries(), file, 1).first();
        let chunks = entry.map(|entry| self.0.chunks(entry)).unwrap_or_default();
        chunks.iter().map(|chunk| chunk_parts(chunk).object()).collect()
    }

    /// Every digest that a donor could serve, sorted, each once.
    #[must_use]
    pub fn wanted(&self) -> Vec<String> {
        self.0.wanted().iter().map(ToString::to_string).collect()
    }

    /// The digest that the manifest names it by.
    #[must_use]
    pub fn vouched(&self) -> Option<String> {
        self.0.vouched().map(ToString::to_string)
    }

    /// The TOC as Shingle's own store keeps it: no offsets, but everything else.
    #[wasm_bindgen(js_name = toStored)]
    #[must_use]
    pub fn to_stored(&self) -> Uint8Array {
        self.0.to_stored().as_slice().into()
    }

    /// Reads what `toStored` wrote.
    #[wasm_bindgen(js_name = fromStored)]
    pub fn from_stored(
        bytes: &[u8],
        #[wasm_bindgen(js_name = limits)] said: Option<LimitChanges>,
    ) -> Result<Self, JsValue> {
        let limits = limits(said)?;
        shingle_core::Toc::from_stored(bytes, &limits).map(|toc| Self(Arc::new(toc))).map_err(thrown)
    }

    /// Another handle to the same, see `shared`.
    #[cfg(feature = "overlap")]
    #[wasm_bindgen(skip_typescript)]
    #[must_use]
    pub fn share(&self) -> Self {
        self.clone()
    }

    pub(super) const fn inner(&self) -> &Arc<shingle_core::Toc> {
        &self.0
    }
}

impl From<&Arc<shingle_core::Toc>> for Toc {
    fn from(toc: &Arc<shingle_core::Toc>) -> Self {
        Self(Arc::clone(toc))
    }
}

/// Returns up to `count` items from `first` on, fewer where there are none.
pub(super) fn slice<T>(items: &[T], first: u32, count: u32) -> &[T] {
    let index = |at: u64| usize::try_from(at).map_or(items.len(), |at| at.min(items.len()));
    let (first, count) = (u64::from(first), u64::from(count));
    items.get(index(first)..index(first + count)).unwrap_or_default()
}

fn entry_parts(entry: &shingle_core::Entry) -> EntryParts {
    let member = entry.member();
    EntryParts {
        kind: kind(member.kind).1,
        name: member.name.as_bytes().into(),
        link: member.link.as_bytes().into(),
        mode: member.mode,
        size: member.size,
        uid: member.uid,
        gid: member.gid,
        mtime: member.mtime.map(TimeParts::from),
        atime: member.atime.map(TimeParts::from),
        ctime: member.ctime.map(TimeParts::from),
        dev_major: member.dev_major,
        dev_minor: member.dev_minor,
        xattrs: array(member.xattrs.iter().map(|(name, value)| array([&**name, &**value]))),
        digest: entry.digest().copied(),
        class: Class::of(member),
    }
}

fn chunk_parts(chunk: &shingle_core::Chunk) -> ChunkParts {
    let body = js_sys::Object::new();
    let tag = match &chunk.body {
        Body::Frames(range) => {
            super::record::set(&body, "val", RangeParts::from(range.clone()));
            "frames"
        }
        Body::Unlocated => "unlocated",
        Body::Zeros => "zeros",
    };
    super::record::set(&body, "tag", tag);
    let shingle_core::Chunk { offset, len, digest, skip, .. } = *chunk;
    ChunkParts { offset, len, digest, body: body.into(), skip }
}

fn columns(toc: &shingle_core::Toc) -> ColumnsParts {
    let entries = toc.entries();
    let mut names = Vec::new();
    let mut name_ends = Vec::with_capacity(entries.len());
    let mut digests = Vec::with_capacity(entries.len() * 32);
    let mut packed = Vec::with_capacity(entries.len());
    let mut counted = 0;
    for entry in entries {
        names.extend_from_slice(entry.member().name.as_bytes());
        name_ends.push(u32::try_from(names.len()).unwrap_or(u32::MAX));
        digests.extend_from_slice(entry.digest().map_or(&[0; 32][..], |digest| digest.as_bytes()));
        let mut bytes = 0_u64;
        for chunk in toc.chunks(entry) {
            if let Body::Frames(range) = &chunk.body {
                bytes = bytes.saturating_add(range.end.saturating_sub(range.start.max(counted)));
                counted = counted.max(range.end);
            }
        }
        packed.push(number(bytes));
    }
    let members = || entries.iter().map(shingle_core::Entry::member);
    let kinds: Vec<_> = members().map(|member| kind(member.kind).0).collect();
    let modes: Vec<_> = members().map(|member| member.mode).collect();
    let sizes: Vec<_> = members().map(|member| number(member.size)).collect();
    let mtimes: Vec<_> = members().map(|member| member.mtime.map_or(f64::NAN, seconds)).collect();
    ColumnsParts {
        names: names.as_slice().into(),
        name_ends: name_ends.as_slice().into(),
        kinds: kinds.as_slice().into(),
        modes: modes.as_slice().into(),
        sizes: sizes.as_slice().into(),
        mtimes: mtimes.as_slice().into(),
        packed: packed.as_slice().into(),
        digests: digests.as_slice().into(),
    }
}

/// The index in the list of kinds, and the word.
pub(super) const fn kind(kind: Kind) -> (u8, &'static str) {
    match kind {
        Kind::Block => (0, "block"),
        Kind::Char => (1, "char"),
        Kind::Directory => (2, "directory"),
        Kind::Fifo => (3, "fifo"),
        Kind::Hardlink => (4, "hardlink"),
        Kind::Regular => (5, "regular"),
        Kind::Symlink => (6, "symlink"),
    }
}

#[expect(clippy::as_conversions, reason = "rounds to the nearest, as is wanted")]
const fn seconds(time: shingle_core::Timestamp) -> f64 {
    time.seconds as f64
}

impl From<shingle_core::Timestamp> for TimeParts {
    fn from(time: shingle_core::Timestamp) -> Self {
        Self { seconds: time.seconds, nanoseconds: time.nanoseconds }
    }
}

/// Reads a metadata class that the caller gives.
pub(super) fn class(text: &str) -> Result<Class, JsValue> {
    let bad = || misuse(&format!("{text:?} is not 32 hexadecimal digits"));
    let mut bytes = [0; 16];
    if text.len() != 32 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(bad());
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_never| bad())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_never| bad())?;
    }
    Ok(Class::from_bytes(bytes))
}

impl ToJs for Uint32Array {
    fn to_js(self) -> JsValue {
        self.into()
    }
}

impl ToJs for Float64Array {
    fn to_js(self) -> JsValue {
        self.into()
    }
}

handle!(Toc);
