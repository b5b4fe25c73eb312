//! Podman's zoo, in parts that can be changed and signed again.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::ops::Range;

use serde_json::{Value, json};

use crate::tar_split::fixture;
use crate::testing::{ZOO_BLOB, ZOO_TAR, zoo_annotations};
use crate::verify::Claims;
use crate::verify::tests::claims;
use crate::{Digest, compress, decompress};

pub(super) const KEY: &str = "io.github.containers.zstd-chunked.";
pub(super) const DATA_END: usize = 224_648;

/// The zoo, in parts.
pub(super) struct Parts {
    pub(super) frames: Vec<u8>,
    pub(super) toc: Value,
    /// In place of the TOC's JSON, and in place of the compressed TOC.
    pub(super) json: Option<Vec<u8>>,
    pub(super) packed_toc: Option<Vec<u8>>,
    /// The tar-split's lines.
    pub(super) split: Vec<u8>,
    pub(super) packed_split: Option<Vec<u8>>,
    /// Said instead of the plain lengths of TOC and tar-split.
    pub(super) lens: [Option<usize>; 2],
    /// Bytes in the skippable frame of the TOC, after it.
    pub(super) slack: usize,
    /// Whether the TOC gets the tar-split's digest when it is sealed.
    pub(super) sign_split: bool,
    pub(super) diff_id: Digest,
}

/// A blob and what is said of it.
pub(super) struct Sealed {
    pub(super) blob: Vec<u8>,
    /// What the source gives by range.
    pub(super) by_range: Option<Vec<u8>>,
    pub(super) claims: Claims,
}

pub(super) enum Plant {
    /// Before anything is signed.
    Before(fn(&mut Parts)),
    /// After everything is.
    After(fn(&mut Sealed)),
}
pub(super) fn zoo() -> Parts {
    let json = decompress(&ZOO_BLOB[224_656..][..1735], 1 << 20).unwrap();
    Parts {
        frames: ZOO_BLOB[..DATA_END].to_vec(),
        toc: serde_json::from_slice(&json).unwrap(),
        json: None,
        packed_toc: None,
        split: decompress(&ZOO_BLOB[226_399..][..2417], 1 << 20).unwrap(),
        packed_split: None,
        lens: [None; 2],
        slack: 0,
        sign_split: true,
        diff_id: Digest::of(ZOO_TAR),
    }
}

impl Parts {
    pub(super) fn entry(&mut self, name: &str) -> &mut Value {
        let entries = self.toc["entries"].as_array_mut().unwrap();
        entries.iter_mut().find(|entry| entry["name"] == name && entry["type"] != "chunk").unwrap()
    }

    pub(super) fn entries(&mut self) -> &mut Vec<Value> {
        self.toc["entries"].as_array_mut().unwrap()
    }

    pub(super) fn at(&mut self, name: &str) -> usize {
        self.entries().iter().position(|entry| entry["name"] == name).unwrap()
    }

    pub(super) fn range(&mut self, name: &str) -> Range<usize> {
        let entry = self.entry(name);
        entry["offset"].as_u64().unwrap() as usize..entry["endOffset"].as_u64().unwrap() as usize
    }

    /// Puts other frames in the place of some, and moves what the TOC says of those behind them.
    pub(super) fn splice(&mut self, range: Range<usize>, frames: &[u8]) {
        let moved = frames.len() as i64 - range.len() as i64;
        self.frames.splice(range.clone(), frames.iter().copied());
        for entry in self.entries() {
            for key in ["offset", "endOffset"] {
                if let Some(offset) = entry[key].as_i64().filter(|offset| *offset as usize >= range.end) {
                    entry[key] = json!(offset + moved);
                }
            }
        }
    }

    /// Changes the lines of the tar-split, and numbers them anew.
    pub(super) fn lines(&mut self, change: impl FnOnce(&mut Vec<Value>)) {
        let lines = self.split.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut lines: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
        change(&mut lines);
        self.split.clear();
        for (at, line) in lines.iter_mut().enumerate() {
            line["position"] = json!(at);
            self.split.extend(line.to_string().bytes());
            self.split.push(b'\n');
        }
    }

    /// Changes the line of one file.
    pub(super) fn line(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        self.lines(|lines| change(lines.iter_mut().find(|line| line["name"] == name).unwrap()));
    }

    /// Changes text in the tar-split, of which there must be one.
    pub(super) fn text(&mut self, from: &str, to: &str) {
        let text = String::from_utf8(self.split.clone()).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from}");
        self.split = text.replace(from, to).into_bytes();
    }

    /// Makes the tar another one; frames and tar-split follow, the TOC does not.
    pub(super) fn tar(&mut self, tar: &[u8], name: &str, frame: &[u8]) {
        let range = self.range(name);
        self.splice(range, frame);
        let end = self.range(name).start + frame.len();
        self.entry(name)["endOffset"] = json!(end);
        self.split = fixture::write(tar).unwrap().0;
        self.diff_id = Digest::of(tar);
    }

    /// Changes a member's header in the tar; the tar-split follows, and the TOC says the name that comes back, if any.
    pub(super) fn header(&mut self, name: &str, change: fn(&mut [u8]) -> Option<&'static str>) {
        let mut tar = ZOO_TAR.to_vec();
        let at = tar
            .windows(name.len() + 1)
            .position(|window| window == [name.as_bytes(), b"\0"].concat())
            .unwrap();
        let header = &mut tar[at..at + 512];
        let said = change(header);
        header[148..156].fill(b' ');
        let sum = header.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        // The frames between two contents hold the headers of all that has none.
        let place = self.at(name);
        let entries = self.entries().clone();
        let start =
            entries[..place].iter().rev().find_map(|entry| entry["endOffset"].as_u64()).unwrap() as usize;
        let end = entries[place..].iter().find_map(|entry| entry["offset"].as_u64()).unwrap() as usize;
        let plain = decompress(&self.frames[start..end], 1 << 20).unwrap();
        let from = ZOO_TAR.windows(plain.len()).position(|window| window == plain).unwrap();
        let frame = compress(&tar[from..from + plain.len()]);
        self.splice(start..end, &frame);
        if let Some(said) = said {
            self.entry(name)["name"] = json!(said);
        }
        self.split = fixture::write(&tar).unwrap().0;
        self.diff_id = Digest::of(&tar);
    }

    pub(super) fn seal(mut self) -> Sealed {
        let split = self.packed_split.unwrap_or_else(|| compress(&self.split));
        if self.sign_split {
            self.toc["tarSplitDigest"] = json!(Digest::of(&split).to_string());
        }
        let json = self.json.unwrap_or_else(|| self.toc.to_string().into_bytes());
        let toc = self.packed_toc.unwrap_or_else(|| compress(&json));
        let [toc_len, split_len] = self.lens;
        let (toc_len, split_len) = (toc_len.unwrap_or(json.len()), split_len.unwrap_or(self.split.len()));
        let mut blob = self.frames;
        let mut frame = |bytes: &[u8], slack: usize| {
            blob.extend([0x50, 0x2a, 0x4d, 0x18]);
            blob.extend(((bytes.len() + slack) as u32).to_le_bytes());
            blob.extend_from_slice(bytes);
            blob.extend(vec![0; slack]);
            blob.len() - bytes.len() - slack
        };
        let (toc_at, split_at) = (frame(&toc, self.slack), frame(&split, 0));
        let numbers = [toc_at, toc.len(), toc_len, 1, split_at, split.len(), split_len];
        let numbers = numbers.map(|number| (number as u64).to_le_bytes()).concat();
        frame(&[&numbers[..], b"GNUlInUx"].concat(), 0);
        let mut annotations = zoo_annotations();
        annotations.insert(format!("{KEY}manifest-checksum"), Digest::of(&toc).to_string());
        annotations.insert(format!("{KEY}manifest-position"), format!("{toc_at}:{}:{toc_len}:1", toc.len()));
        annotations
            .insert(format!("{KEY}tarsplit-position"), format!("{split_at}:{}:{split_len}", split.len()));
        let claims = claims(&blob, annotations, self.diff_id);
        Sealed { blob, by_range: None, claims }
    }
}

impl Sealed {
    pub(super) fn resign(&mut self) {
        self.claims.blob = Digest::of(&self.blob);
        self.claims.size = self.blob.len() as u64;
    }

    pub(super) fn annotate(&mut self, key: &str, value: &str) {
        self.claims.annotations.insert(format!("{KEY}{key}"), value.to_string());
    }

    /// Adds to a number in the footer.
    pub(super) fn footer(&mut self, field: usize) {
        let at = self.blob.len() - 64 + 8 * field;
        self.blob[at] ^= 1;
        self.resign();
    }
}

pub(super) fn other(text: &str) -> Value {
    json!(Digest::of(text.as_bytes()).to_string())
}

/// The tar with another first byte of a file's content, and that content.
pub(super) fn other_content(range: Range<usize>) -> (Vec<u8>, Vec<u8>) {
    let mut tar = ZOO_TAR.to_vec();
    tar[range.start] ^= 1;
    let content = tar[range].to_vec();
    (tar, content)
}

impl Sealed {
    pub(super) fn toc_len(&self) -> usize {
        let position = &self.claims.annotations[&format!("{KEY}manifest-position")];
        position.split(':').nth(1).unwrap().parse().unwrap()
    }
}

impl Parts {
    /// Takes the tar-split's digest into the TOC before it is sealed.
    pub(super) fn seal_split(&mut self) {
        self.toc["tarSplitDigest"] = json!(Digest::of(&compress(&self.split)).to_string());
    }

    /// Returns where in the tar a file's content lies.
    pub(super) fn content(&mut self, name: &str) -> Range<usize> {
        let range = self.range(name);
        let before = decompress(&self.frames[..range.start], 1 << 30).unwrap().len();
        let len = self.entry(name)["size"].as_u64().unwrap() as usize;
        before..before + len
    }
}
