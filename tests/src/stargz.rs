//! Writes eStargz layers as stargz-snapshotter does, in every form that its writer has.

use std::io::Write as _;

use serde_json::{Map, Value, json};
use shingle_core::Digest;

use crate::chunked::row;
use crate::layout::{Image, Layer};

/// The annotation that names a TOC by the digest of its JSON.
pub const TOC_DIGEST: &str = "containerd.io/snapshot/stargz/toc.digest";
const LAYER_DIGEST: &str = "containerd.io/snapshot/stargz/layer.digest";
const TOC_NAME: &str = "stargz.index.json";

/// Where the TOC goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Into the tar, found by a footer of 51 bytes.
    EStargz,
    /// Into another image; the footer of 46 bytes says no more than that.
    External,
    /// Into the tar, found by the footer of 47 bytes that came first.
    Legacy,
}

/// How to write.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Longest chunk of a file, in bytes.
    pub chunk: usize,
    /// A new gzip member begins only where the one before holds so many plain bytes; 0 for one for each chunk.
    pub min_chunk: usize,
    /// Where the TOC goes.
    pub ending: Ending,
}

/// A layer, and its TOC.
#[derive(Clone, Debug)]
pub struct Stargz {
    /// The layer.
    pub layer: Layer,
    /// The TOC as a blob of its own, where it is one.
    pub toc_blob: Vec<u8>,
    /// The layer's tar.
    pub tar: Vec<u8>,
}

impl Stargz {
    /// Writes the members of a tar; `lie` may change the TOC before its digest is taken.
    ///
    /// # Panics
    /// When the `tar` crate cannot read it.
    pub fn of(tar: &[u8], form: Form, lie: impl FnOnce(&mut Value)) -> Self {
        let mut members = Members::default();
        let mut entries = Vec::new();
        let mut done = 0;
        let mut archive = tar::Archive::new(tar);
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let start = entry.raw_file_position() as usize;
            let content = &tar[start..start + entry.size() as usize];
            let mut row = row(&mut entry);
            members.open.extend_from_slice(&tar[done..start]);
            done = start + content.len();
            if row["type"] == "reg" {
                row.insert("digest".to_owned(), json!(Digest::of(content).to_string()));
            }
            if content.is_empty() {
                entries.push(Value::Object(row));
                continue;
            }
            let name = row["name"].clone();
            for (index, piece) in content.chunks(form.chunk).enumerate() {
                let mut row = std::mem::take(&mut row);
                if members.open.len() >= form.min_chunk {
                    members.close();
                }
                if index > 0 {
                    row = Map::from_iter([
                        ("type".to_owned(), json!("chunk")),
                        ("name".to_owned(), name.clone()),
                    ]);
                }
                // As Go: what is 0 is left out, and the size of a chunk that ends its file.
                let size = if piece.len() == form.chunk { piece.len() } else { 0 };
                let numbers = [
                    ("offset", members.blob.len()),
                    ("innerOffset", members.open.len()),
                    ("chunkOffset", index * form.chunk),
                    ("chunkSize", size),
                ];
                for (key, value) in numbers.into_iter().filter(|(_, value)| *value > 0) {
                    row.insert(key.to_owned(), json!(value));
                }
                row.insert("chunkDigest".to_owned(), json!(Digest::of(piece).to_string()));
                members.open.extend_from_slice(piece);
                entries.push(Value::Object(row));
            }
        }
        let mut toc = json!({"version": 1, "entries": entries});
        lie(&mut toc);
        let json = serde_json::to_vec_pretty(&toc).unwrap();
        let last = in_tar(&json);
        let mut toc_blob = Vec::new();
        let tar = if form.ending == Ending::External {
            // Nothing of the tar changes.
            members.open.extend_from_slice(&tar[done..]);
            members.close();
            toc_blob = gzip(&last);
            members.blob.extend(empty_member(b"STARGZEXTERNALTOC", true));
            tar.to_vec()
        } else {
            let end = done.next_multiple_of(512);
            members.open.extend_from_slice(&tar[done..end]);
            members.close();
            let field = format!("{:016x}STARGZ", members.blob.len());
            members.blob.extend(gzip(&last));
            members.blob.extend(empty_member(field.as_bytes(), form.ending == Ending::EStargz));
            [&tar[..end], &last].concat()
        };
        let mut layer = Layer::new(crate::layout::GZIP, members.blob, &tar);
        layer.annotations.insert(TOC_DIGEST.to_owned(), Digest::of(&json).to_string());
        Self { layer, toc_blob, tar }
    }

    /// Returns the image beside the layer's, which holds the TOC.
    pub fn toc_image(&self) -> Image {
        let mut toc = Layer::new(crate::layout::GZIP, self.toc_blob.clone(), b"");
        toc.annotations.insert(LAYER_DIGEST.to_owned(), self.layer.digest().to_string());
        let mut image = Image::new(vec![toc]);
        // It is no image to run, and its config says nothing.
        image.config = json!({});
        image
    }
}

#[derive(Default)]
struct Members {
    blob: Vec<u8>,
    /// The plain bytes of the member that is being written.
    open: Vec<u8>,
}

impl Members {
    fn close(&mut self) {
        if !self.open.is_empty() {
            self.blob.extend(gzip(&self.open));
            self.open.clear();
        }
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// The TOC as the last file of a tar.
fn in_tar(json: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_size(json.len() as u64);
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut header, TOC_NAME, json).unwrap();
    tar.into_inner().unwrap()
}

/// A gzip member of nothing, with an extra field.
fn empty_member(field: &[u8], named: bool) -> Vec<u8> {
    let len = |bytes: &[u8]| (bytes.len() as u16).to_le_bytes();
    let extra = if named { [b"SG", &len(field)[..], field].concat() } else { field.to_vec() };
    let head: &[u8] = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff";
    [head, &len(&extra)[..], &extra, b"\x01\0\0\xff\xff", &[0; 8]].concat()
}
