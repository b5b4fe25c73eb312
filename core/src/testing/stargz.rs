//! A small writer of what stargz-snapshotter writes, with all that its writer can do, and in which lies can be planted.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use std::io::Write as _;

use serde_json::{Value, json};

use super::{Made, append, header};
use crate::{Digest, Located, Policy, TailFound, Toc, TocError, TocFetch, Trust, VouchedToc, compress};

pub(crate) const DIGEST: &str = "containerd.io/snapshot/stargz/toc.digest";

/// Where the TOC goes, and in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Footer {
    EStargz,
    External,
    Legacy,
    Zstd,
}

pub(crate) const FOOTERS: [Footer; 4] = [Footer::EStargz, Footer::External, Footer::Legacy, Footer::Zstd];

/// A blob with its annotations, and its TOC where that is a blob of its own.
#[derive(Clone)]
pub(crate) struct Stargz {
    pub(crate) blob: Vec<u8>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) toc_blob: Vec<u8>,
    /// Every regular file's content, by its digest.
    pub(crate) contents: BTreeMap<Digest, Vec<u8>>,
    pub(crate) data_end: usize,
}

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Writes a layer; contents share a member until it holds `min_chunk` plain bytes. `lie` may change the TOC before its
/// digest is taken.
pub(crate) fn stargz(
    members: &[Made],
    footer: Footer,
    min_chunk: usize,
    lie: impl FnOnce(&mut Value),
) -> Stargz {
    let pack = |plain: &[u8]| if footer == Footer::Zstd { compress(plain) } else { gzip(plain) };
    let (mut blob, mut open) = (Vec::new(), Vec::new());
    let (mut entries, mut contents) = (Vec::new(), BTreeMap::new());
    for Made { name, chunks, instead, .. } in members {
        let content = chunks.concat();
        open.extend_from_slice(&header(name, content.len()));
        let kind = if name.ends_with('/') { "dir" } else { "reg" };
        let mut entry = json!({"name": name, "type": kind, "mode": 0o644, "userName": "root"});
        if kind == "reg" {
            entry["digest"] = Digest::of(&content).to_string().into();
            contents.insert(Digest::of(&content), content.clone());
        }
        let mut lines = vec![entry];
        let mut offset = 0;
        for (at, chunk) in chunks.iter().enumerate() {
            if open.len() >= min_chunk && !open.is_empty() {
                blob.extend(pack(&open));
                open.clear();
            }
            if at > 0 {
                lines.push(json!({"name": name, "type": "chunk"}));
            }
            let line = lines.last_mut().unwrap();
            // As Go: what is 0 is left out.
            for (key, value) in [("offset", blob.len()), ("innerOffset", open.len()), ("chunkOffset", offset)]
            {
                if value > 0 {
                    line[key] = value.into();
                }
            }
            if at + 1 < chunks.len() {
                line["chunkSize"] = chunk.len().into();
            }
            line["chunkDigest"] = Digest::of(chunk).to_string().into();
            offset += chunk.len();
            open.extend_from_slice(instead.get(&at).unwrap_or(chunk));
        }
        if !content.is_empty() {
            lines[0]["size"] = content.len().into();
        }
        open.resize(open.len().next_multiple_of(512), 0);
        entries.extend(lines);
    }
    blob.extend(pack(&open));
    let data_end = blob.len();
    let mut toc = json!({"version": 1, "entries": entries});
    lie(&mut toc);
    let json = serde_json::to_vec_pretty(&toc).unwrap();
    let mut annotations = BTreeMap::from([(DIGEST.to_string(), Digest::of(&json).to_string())]);
    let mut toc_blob = Vec::new();
    match footer {
        Footer::Zstd => {
            let toc = compress(&json);
            let at = append(&mut blob, &toc);
            let key = |end: &str| format!("io.containers.zstd-chunked.manifest-{end}");
            annotations.insert(key("checksum"), Digest::of(&toc).to_string());
            annotations.insert(key("position"), format!("{at}:{}:{}:1", toc.len(), json.len()));
            let fields = [at, toc.len(), json.len(), 1].map(|field| (field as u64).to_le_bytes());
            append(&mut blob, &[fields.concat(), b"GnUlInUx".to_vec()].concat());
        }
        Footer::EStargz | Footer::Legacy => {
            let mut tar = toc_tar(&json);
            tar.extend([0; 1024]);
            blob.extend(gzip(&tar));
            let field = format!("{data_end:016x}STARGZ");
            blob.extend(empty_member(field.as_bytes(), footer == Footer::EStargz));
        }
        Footer::External => {
            toc_blob = gzip(&toc_tar(&json));
            blob.extend(empty_member(b"STARGZEXTERNALTOC", true));
        }
    }
    Stargz { blob, annotations, toc_blob, contents, data_end }
}

/// The TOC as a file of a tar.
pub(crate) fn toc_tar(json: &[u8]) -> Vec<u8> {
    let mut tar = header("stargz.index.json", json.len()).to_vec();
    tar.extend_from_slice(json);
    tar.resize(tar.len().next_multiple_of(512), 0);
    tar
}

/// A gzip member of nothing with an extra field.
pub(crate) fn empty_member(field: &[u8], named: bool) -> Vec<u8> {
    let len = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_le_bytes();
    let extra = if named { [b"SG", &len(field)[..], field].concat() } else { field.to_vec() };
    let head: &[u8] = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff";
    [head, &len(&extra)[..], &extra, b"\x01\0\0\xff\xff", &[0; 8]].concat()
}

impl Stargz {
    /// A fetch of the TOC that has all its bytes, found as annotations and blob say.
    pub(crate) fn fetch(&self, policy: &Policy) -> TocFetch {
        let located = Located::from_annotations(&self.annotations, self.blob.len() as u64, policy);
        let (mut fetch, blob) = match located.unwrap().unwrap() {
            Located::Annotated(locator) => (TocFetch::new(locator, policy.limits), &self.blob),
            Located::Tail(mut tail) => {
                tail.receive(&self.blob[tail.remaining().start as usize..]);
                match tail.finish().unwrap() {
                    TailFound::Here(fetch) => (fetch, &self.blob),
                    TailFound::External(toc) => {
                        (toc.fetch(self.toc_blob.len() as u64).unwrap(), &self.toc_blob)
                    }
                }
            }
        };
        let owed = fetch.remaining();
        fetch.receive(&blob[owed.start as usize..owed.end as usize]);
        fetch
    }

    pub(crate) fn read(&self) -> Result<Toc, TocError> {
        Ok(self.fetch(&trusting()).finish()?.toc)
    }

    pub(crate) fn vouched(&self) -> VouchedToc {
        VouchedToc::new(self.read().unwrap()).unwrap()
    }
}

/// The policy of one who trusts TOCs.
pub(crate) fn trusting() -> Policy {
    Policy { trust: Trust::Toc, ..Policy::default() }
}
