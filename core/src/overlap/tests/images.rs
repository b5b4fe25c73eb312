//! Images in a few words.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use serde_json::{Value, json};

use crate::overlap::{ImageId, Layer, Overlap, OverlapError, Pulled};
use crate::toc::Place;
use crate::{Digest, Limits, Toc};

/// A layer as it is listed.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) toc: Toc,
    pub(super) blob: Option<Digest>,
    pub(super) diff_id: Option<Digest>,
    pub(super) blob_len: u64,
    pub(super) pulled: Pulled,
}

impl Made {
    pub(super) fn of(lines: &[&str]) -> Self {
        Self { toc: toc(lines), blob: None, diff_id: None, blob_len: 1000, pulled: Pulled::ByFile }
    }
}

/// A TOC of members, one in each line:
///
/// - `f NAME CHUNK,CHUNK… [KEY=VALUE…]`: a file; each chunk is its own text, of which the frame takes twice the length and
///   one byte, `0N` a hole of N bytes; no chunk at all, `-`, an empty file.
/// - `d NAME`, `l NAME TARGET`, `h NAME TARGET`, `c NAME`: as in the tests of the tree.
/// - `KEY=VALUE`: `mode`, `uid`, `gid`, `mtime` (seconds), `xattr` (a value).
pub(super) fn toc(lines: &[&str]) -> Toc {
    parse(lines, true)
}

/// The same, as a layer that was read whole leaves it.
pub(super) fn unlocated(lines: &[&str]) -> Toc {
    parse(lines, false)
}

fn parse(lines: &[&str], located: bool) -> Toc {
    let mut entries = Vec::new();
    let mut at = 1;
    for line in lines {
        entries.extend(members(line, located.then_some(&mut at)));
    }
    let json = json!({"version": 1, "entries": entries}).to_string();
    let place = if located { Place::Blob { data_end: at + 1, stargz: false } } else { Place::Store };
    Toc::parse(json.as_bytes(), place, &Limits::default())
        .unwrap_or_else(|error| panic!("{lines:?}: {error}"))
}

fn members(line: &str, mut at: Option<&mut u64>) -> Vec<Value> {
    let mut words: Vec<&str> = line.split(' ').collect();
    let options: Vec<&str> = words.iter().copied().filter(|word| word.contains('=')).collect();
    words.retain(|word| !word.contains('='));
    let name = words[1];
    let mut member = json!({"name": name, "mode": 0o644});
    for option in options {
        let (key, value) = option.split_once('=').unwrap();
        match key {
            "mtime" => member["modtime"] = format!("1970-01-01T00:00:{value:0>2}Z").into(),
            "xattr" => member["xattrs"] = json!({"user.x": value}),
            "mode" => member[key] = u32::from_str_radix(value, 8).unwrap().into(),
            key => member[key] = value.parse::<u64>().unwrap().into(),
        }
    }
    let kind = match words[0] {
        "f" => "reg",
        "d" => "dir",
        "l" => "symlink",
        "h" => "hardlink",
        "c" => "char",
        other => panic!("{other}"),
    };
    member["type"] = kind.into();
    if matches!(words[0], "l" | "h") {
        member["linkName"] = words[2].into();
    }
    let chunks: Vec<&str> = match words.get(2) {
        Some(&"-") | None => Vec::new(),
        Some(chunks) if words[0] == "f" => chunks.split(',').collect(),
        Some(_) => Vec::new(),
    };
    let mut content = Vec::new();
    let mut lines = vec![member];
    let single = chunks.len() == 1 && !chunks[0].starts_with('0');
    for (number, chunk) in chunks.iter().enumerate() {
        if number > 0 {
            lines.push(json!({"type": "chunk", "name": name}));
        }
        let line = lines.last_mut().unwrap();
        let hole = chunk.strip_prefix('0').map(|len| vec![0; len.parse().unwrap()]);
        let bytes = hole.clone().unwrap_or_else(|| chunk.as_bytes().to_vec());
        if !single {
            line["chunkSize"] = bytes.len().into();
            line["chunkOffset"] = content.len().into();
            line["chunkDigest"] = Digest::of(&bytes).to_string().into();
        }
        match (hole.is_some(), &mut at) {
            (true, _) => line["chunkType"] = "zeros".into(),
            (false, None) => {}
            (false, Some(at)) => {
                line["offset"] = (**at).into();
                **at += 2 * bytes.len() as u64 + 1;
            }
        }
        content.extend(bytes);
    }
    if !content.is_empty() {
        lines[0]["size"] = content.len().into();
        lines[0]["digest"] = Digest::of(&content).to_string().into();
        if let Some(at) = at {
            lines[0]["endOffset"] = (*at).into();
        }
    }
    lines
}

/// Adds an image to others.
pub(super) fn add(overlap: &mut Overlap, label: &str, layers: &[Made]) -> Result<ImageId, OverlapError> {
    let layers: Vec<Layer<'_>> = layers
        .iter()
        .map(|made| Layer {
            toc: &made.toc,
            blob: made.blob,
            diff_id: made.diff_id,
            blob_len: made.blob_len,
            pulled: made.pulled,
        })
        .collect();
    overlap.add_image(label, &layers, &Limits::default())
}

/// Images of layers of members.
pub(super) fn overlap(images: &[&[&[&str]]]) -> Overlap {
    let mut overlap = Overlap::new();
    for (number, layers) in images.iter().enumerate() {
        let layers: Vec<Made> = layers.iter().map(|lines| Made::of(lines)).collect();
        let label: String = format!("image{number}");
        add(&mut overlap, &label, &layers).unwrap();
    }
    overlap
}
