//! Holds core against the vectors of `docs/zstd-chunked.md`, so that neither can change alone.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::toc::Place;
use crate::toc::time::{self, Rfc3339};
use crate::{
    Body, ChunkPiece, ChunkPieces, Chunker, Crc64, Cut, Digest, Entry, Fetched, Form, Limits, Located,
    Locator, Policy, Span, TarPiece, TarSplit, TarSplitReadError, TarSplitReader, Timestamp, Toc, TocFetch,
    check_agreement, decompress,
};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/chunked/", $name)).as_slice()
    };
}

macro_rules! vectors {
    ($name:literal) => {
        serde_json::from_slice::<Value>(fixture!($name)).unwrap()
    };
}

const LAYER: &[u8] = fixture!("minimal/layer.zst");
const TAR: &[u8] = fixture!("minimal/layer.tar");

/// Calls `hold` for each vector, and reports all names for which it does not return what is expected.
fn each(document: &Value, mut hold: impl FnMut(&Value) -> Result<(), String>) {
    let wrong = document["vectors"].as_array().unwrap().iter().filter_map(|vector| {
        let name = vector.get("name").or_else(|| vector.get("text")).unwrap_or(vector);
        hold(vector).err().map(|why| format!("{name}: {why}"))
    });
    assert_eq!(wrong.collect::<Vec<_>>(), [""; 0]);
}

fn same<T: PartialEq + core::fmt::Debug>(actual: &T, expected: &T) -> Result<(), String> {
    if actual == expected { Ok(()) } else { Err(format!("{actual:?}, expected {expected:?}")) }
}

/// Joins the parts of a vector.
fn bytes(parts: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts.as_array().unwrap() {
        if let Some(seed) = part["lcg"].as_u64() {
            let mut x = u32::try_from(seed).unwrap();
            bytes.extend((0..part["len"].as_u64().unwrap()).map(|_| {
                x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                x.to_be_bytes()[0]
            }));
        } else if let Some(zeros) = part["zeros"].as_u64() {
            bytes.resize(bytes.len() + usize::try_from(zeros).unwrap(), 0);
        } else {
            bytes.extend(hex(&part["hex"]));
        }
    }
    bytes
}

fn hex(text: &Value) -> Vec<u8> {
    let digits = text.as_str().unwrap().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// What a vector says about a locator, in the words of the vectors.
fn located(found: &Locator) -> Value {
    let claimed = found.form() != Form::EStargz;
    let span = |span: &Span| {
        let len = span.range.end - span.range.start;
        (span.range.start, len, Some(span.plain_len).filter(|_| claimed))
    };
    let form = match found.form() {
        Form::EStargz => "estargz",
        Form::Old => "old",
        Form::StargzZstd => "stargz-zstd",
        Form::Today => "today",
    };
    serde_json::json!({"form": form, "toc": span(found.toc()), "tar_split": found.tar_split().map(span)})
}

/// Strips what only describes a vector.
fn expected(vector: &Value) -> Value {
    let mut expected = vector.clone();
    for key in ["name", "annotations", "tail", "blob_len"] {
        expected.as_object_mut().unwrap().remove(key);
    }
    expected
}

fn form(form: &str) -> Value {
    serde_json::json!({"form": form})
}

#[test]
fn crc64() {
    each(&vectors!("crc64.json"), |vector| {
        let sum = Crc64::of(&bytes(&vector["parts"]));
        same(&format!("{sum:016x}").as_str(), &vector["crc"].as_str().unwrap())?;
        same(&STANDARD.encode(sum.to_be_bytes()).as_str(), &vector["payload"].as_str().unwrap())
    });
}

/// Cuts a file that arrives in pieces of `len` bytes; says how long each chunk is and whether it is a hole.
fn cut(bytes: &[u8], len: usize) -> Vec<(u64, bool)> {
    fn take(mut pieces: ChunkPieces<'_>, cuts: &mut Vec<(u64, bool)>) {
        while let Some(piece) = pieces.next_piece() {
            if let ChunkPiece::End(Cut { len, zeros, .. }) = piece {
                cuts.push((len, zeros));
            }
        }
    }
    let (mut chunker, mut cuts) = (Chunker::new(), Vec::new());
    for piece in bytes.chunks(len) {
        take(chunker.receive(piece), &mut cuts);
    }
    take(chunker.finish(), &mut cuts);
    cuts
}

#[test]
fn chunks() {
    each(&vectors!("chunks.json"), |vector| {
        let bytes = bytes(&vector["parts"]);
        same(&Digest::of(&bytes).to_hex().as_str(), &vector["sha256"].as_str().unwrap())?;
        let expected = vector["chunks"].as_array().unwrap().iter();
        let expected = expected.map(|chunk| (chunk[0].as_u64().unwrap(), chunk[1] == "zeros"));
        let expected = expected.collect::<Vec<_>>();
        [bytes.len().max(1), 4096, 1000].into_iter().try_for_each(|len| same(&cut(&bytes, len), &expected))
    });
}

#[test]
fn times() {
    each(&vectors!("times.json"), |vector| {
        let expected = if vector["refused"].as_bool() == Some(true) {
            None
        } else if vector["zero"].as_bool() == Some(true) {
            Some(Rfc3339::Zero)
        } else {
            let nanoseconds = u32::try_from(vector["nanoseconds"].as_u64().unwrap()).unwrap();
            Some(Rfc3339::At(Timestamp { seconds: vector["seconds"].as_i64().unwrap(), nanoseconds }))
        };
        same(&time::parse(vector["text"].as_str().unwrap()), &expected)
    });
}

#[test]
fn annotations() {
    let document = vectors!("annotations.json");
    let (blob_len, digest) = (document["blob_len"].as_u64().unwrap(), document["digest"].as_str().unwrap());
    each(&document, |vector| {
        let annotations = serde_json::from_value(vector["annotations"].clone()).unwrap();
        let found = match Locator::from_annotations(&annotations, blob_len, &Limits::default()) {
            Err(_refused) => form("refused"),
            Ok(None) => form("none"),
            Ok(Some(found)) => {
                same(&found.vouched().unwrap().to_string().as_str(), &digest)?;
                located(&found)
            }
        };
        if vector["form"] != "estargz" {
            return same(&found, &expected(vector));
        }
        // The annotations say what the TOC is; the end of the blob, where.
        same(&found, &form("none"))?;
        match Located::from_annotations(&annotations, blob_len, &Policy::default()) {
            Ok(Some(Located::Tail(_))) => Ok(()),
            found => Err(format!("{found:?}")),
        }
    });
}

#[test]
fn footers() {
    each(&vectors!("footers.json"), |vector| {
        let blob_len = vector["blob_len"].as_u64().unwrap();
        let found = match Locator::from_footer(&hex(&vector["tail"]), blob_len, &Limits::default()) {
            Err(_refused) => form("refused"),
            Ok(None) => form("none"),
            Ok(Some(found)) => {
                same(&found.vouched(), &None)?;
                located(&found)
            }
        };
        // What says that the TOC is in another image says nothing of where it lies in this blob.
        let external = vector["form"] == "external";
        same(&found, &if external { form("none") } else { expected(vector) })
    });
}

#[test]
fn tocs() {
    let document = vectors!("toc.json");
    let data_end = document["data_end"].as_u64().unwrap();
    each(&document, |vector| {
        let toc = vector["toc"].as_str().unwrap();
        let place = Place::Blob { data_end, stargz: false };
        let found = match Toc::parse(toc.as_bytes(), place, &Limits::default()) {
            Ok(_toc) => "accepted",
            Err(error) if error.is_lie() => "refused",
            Err(_not_understood) => "whole",
        };
        same(&found, &vector["expect"].as_str().unwrap())
    });
}

/// Reads `lines`, with each `<AT+LEN>` replaced, and builds the tar again.
fn rebuilt(lines: &str) -> Result<Vec<u8>, TarSplitReadError> {
    let mut text = String::new();
    for (index, part) in lines.split(['<', '>']).enumerate() {
        match part.split_once('+').filter(|_| index % 2 == 1) {
            None => text.push_str(part),
            Some((at, len)) => {
                let (at, len) = (at.parse::<usize>().unwrap(), len.parse::<usize>().unwrap());
                text.push_str(&STANDARD.encode(&TAR[at..at + len]));
            }
        }
    }
    let mut reader = TarSplitReader::new(&Limits::default());
    reader.receive(text.as_bytes())?;
    Ok(rebuild(&reader.finish()?))
}

fn rebuild(split: &TarSplit) -> Vec<u8> {
    let contents = BTreeMap::from([(b"./hi".as_slice(), 1024..1030), (b"./hole".as_slice(), 2048..3082)]);
    let mut tar = Vec::new();
    let mut pieces = split.pieces();
    while let Some(piece) = pieces.next_piece() {
        match piece {
            TarPiece::Raw(bytes) => tar.extend_from_slice(bytes),
            TarPiece::File(file) if file.size > 0 => {
                let content = &TAR[contents[file.name].clone()];
                assert_eq!((file.size, file.crc), (content.len() as u64, Crc64::of(content)));
                tar.extend_from_slice(content);
            }
            TarPiece::File(_) => {}
        }
    }
    tar
}

#[test]
fn tar_splits() {
    each(&vectors!("tar-splits.json"), |vector| {
        let found = rebuilt(vector["lines"].as_str().unwrap());
        match (vector["expect"].as_str().unwrap(), found) {
            ("accepted" | "either", Ok(tar)) if tar == TAR => Ok(()),
            ("refused", Ok(tar)) if tar != TAR => Ok(()),
            ("refused" | "either", Err(_refused)) => Ok(()),
            (_, found) => Err(format!("{:?}", found.map(|tar| tar.len()))),
        }
    });
}

fn minimal() -> Fetched {
    let said = vectors!("minimal/layer.json");
    assert_eq!(Digest::of(LAYER).to_string(), said["blob"].as_str().unwrap());
    assert_eq!(LAYER.len(), usize::try_from(said["size"].as_u64().unwrap()).unwrap());
    assert_eq!(Digest::of(TAR).to_string(), said["diffID"].as_str().unwrap());
    let annotations = serde_json::from_value(said["annotations"].clone()).unwrap();
    let limits = Limits::default();
    let locator = Locator::from_annotations(&annotations, LAYER.len() as u64, &limits).unwrap().unwrap();
    let footer = Locator::from_footer(LAYER, LAYER.len() as u64, &limits).unwrap().unwrap();
    assert_eq!((footer.toc(), footer.tar_split()), (locator.toc(), locator.tar_split()));
    let mut fetch = TocFetch::new(locator, limits);
    let range = fetch.remaining();
    fetch.receive(&LAYER[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]);
    fetch.finish().unwrap()
}

#[test]
fn the_minimal_layer_reads_as_it_is_described() {
    let Fetched { toc, tar_split } = minimal();
    let from_text = Toc::parse(
        fixture!("minimal/toc.json"),
        Place::Blob { data_end: 445, stargz: false },
        &Limits::default(),
    );
    assert_eq!(from_text, Ok(toc.clone()));
    let split = tar_split.unwrap().read(&Limits::default()).unwrap();
    assert_eq!(rebuild(&split), TAR);
    let lines = core::str::from_utf8(fixture!("minimal/tar-split.jsonl")).unwrap();
    assert_eq!(rebuilt(lines).unwrap(), TAR);
    let members = toc.entries().iter().map(Entry::member);
    assert_eq!(check_agreement(members, &split), Ok(Vec::new()));

    for (_, file) in toc.files() {
        let mut content = Vec::new();
        for chunk in toc.chunks(file) {
            let bytes = match &chunk.body {
                Body::Zeros => vec![0; usize::try_from(chunk.len).unwrap()],
                Body::Frames(range) => {
                    let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
                    decompress(&LAYER[range], chunk.len).unwrap()
                }
                Body::Unlocated => panic!("the chunk has a place"),
            };
            assert_eq!(Digest::of(&bytes), chunk.digest);
            content.extend(bytes);
        }
        assert_eq!(Some(&Digest::of(&content)), file.digest());
    }
}

#[test]
fn the_minimal_layer_decompresses_to_its_tar() {
    assert_eq!(decompress(LAYER, TAR.len() as u64).unwrap(), TAR);
}
