//! Defects, each planted by itself into podman's zoo: what vouches for the place of the defect is made to agree with it
//! again, so that nothing else is wrong.

mod parts;

use alloc::string::ToString as _;
use alloc::vec::Vec;
use alloc::{format, vec};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::verify;
use crate::tar_split::fixture;
use crate::testing::ZOO_TAR;
use crate::verify::{Code, Finding, Weight};
use crate::{Digest, compress, decompress};
use parts::Plant::{After, Before};
use parts::{DATA_END, KEY, Plant, Sealed, other, other_content, zoo};

/// What is planted, how, and what must be found: this and nothing else but notes.
#[rustfmt::skip]
const TABLE: &[(&str, Plant, &[&str])] = &[
    // Manifest and config.
    ("the blob's digest", After(|zoo| zoo.claims.blob = Digest::EMPTY), &["blob.digest"]),
    ("the blob's size", After(|zoo| zoo.claims.size += 1), &["blob.size"]),
    ("the media type", After(|zoo| zoo.claims.media_type = zoo.claims.media_type.replace("zstd", "gzip")), &["media_type"]),
    ("the DiffID", After(|zoo| zoo.claims.diff_id = Some(Digest::EMPTY)), &["diff_id"]),
    ("other bytes by range", After(|zoo| {
        let mut blob = zoo.blob.clone();
        // Between TOC and tar-split, where nobody looks.
        blob[224_656 + zoo.toc_len()] ^= 1;
        zoo.by_range = Some(blob);
    }), &["blob.changed"]),
    // Annotations.
    ("the TOC's checksum", After(|zoo| zoo.annotate("manifest-checksum", &Digest::EMPTY.to_string())), &["toc.digest"]),
    ("a checksum that is none", After(|zoo| zoo.annotate("manifest-checksum", "sha256:0")), &["annotation"]),
    ("a position that is none", After(|zoo| zoo.annotate("manifest-position", "1:2:3")), &["annotation"]),
    ("a position past the end", After(|zoo| zoo.annotate("tarsplit-position", "224656:9999999:1")), &["annotation"]),
    ("no position of the tar-split", After(|zoo| {
        zoo.claims.annotations.remove(&format!("{KEY}tarsplit-position"));
    }), &["annotation.tar_split"]),
    ("the tar-split's old checksum", After(|zoo| zoo.annotate("tarsplit-checksum", "sha256:0")), &["annotation.tar_split_digest"]),
    ("the annotated length of the tar", After(|zoo| {
        zoo.claims.annotations.insert("io.containers.estargz.uncompressed-size".into(), "1".into());
    }), &["annotation.uncompressed_size"]),
    ("the claimed length of the TOC", Before(|zoo| zoo.lens[0] = Some(9)), &["toc.length"]),
    ("the claimed length of the tar-split", Before(|zoo| zoo.lens[1] = Some(9)), &["tar_split.length"]),
    // Footer and skippable frames.
    ("no footer", After(|zoo| {
        zoo.blob.truncate(zoo.blob.len() - 72);
        zoo.resign();
    }), &["footer.missing"]),
    ("the footer's TOC offset", After(|zoo| zoo.footer(0)), &["footer.field"]),
    ("the footer's manifest type", After(|zoo| zoo.footer(3)), &["footer.field"]),
    ("the footer's tar-split length", After(|zoo| zoo.footer(5)), &["footer.field"]),
    ("a TOC that does not fill its frame", Before(|zoo| zoo.slack = 7), &["frame.position"]),
    // The TOC as a document.
    ("a TOC that is no zstd", Before(|zoo| zoo.packed_toc = Some(vec![1; 100])), &["toc.compression"]),
    ("a TOC that is cut", Before(|zoo| {
        let toc = compress(zoo.toc.to_string().as_bytes());
        zoo.packed_toc = Some(toc[..toc.len() - 9].to_vec());
    }), &["toc.compression"]),
    ("a TOC that is no JSON", Before(|zoo| zoo.json = Some(b"{\"version\":1,\"entries\":[".to_vec())), &["toc.json"]),
    ("text after the TOC", Before(|zoo| {
        zoo.seal_split();
        zoo.json = Some(format!("{} x", zoo.toc).into_bytes());
    }), &["toc.json"]),
    ("the TOC's version", Before(|zoo| zoo.toc["version"] = json!(2)), &["toc.version"]),
    ("the tar-split's digest", Before(|zoo| {
        zoo.sign_split = false;
        zoo.toc["tarSplitDigest"] = other("split");
    }), &["tar_split.digest"]),
    // Entries by themselves.
    ("an unknown type", Before(|zoo| zoo.entry("./var/")["type"] = json!("door")), &["toc.entry"]),
    ("a time that is none", Before(|zoo| zoo.entry("./var/")["modtime"] = json!("yesterday")), &["toc.entry"]),
    ("an xattr that is no base64", Before(|zoo| zoo.entry("./etc/xattr")["xattrs"]["user.note"] = json!("*")), &["toc.entry"]),
    ("no type", Before(|zoo| zoo.entry("./var/")["type"] = Value::Null), &["toc.field"]),
    ("a negative owner", Before(|zoo| zoo.entry("./var/")["uid"] = json!(-1)), &["toc.field"]),
    ("no digest of a file", Before(|zoo| zoo.entry("./etc/nano")["digest"] = Value::Null), &["toc.field"]),
    ("no digest of a chunk", Before(|zoo| zoo.entry("./etc/holes")["chunkDigest"] = Value::Null), &["toc.field"]),
    ("no offset", Before(|zoo| zoo.entry("./etc/nano")["offset"] = Value::Null), &["toc.field"]),
    ("several contents in a frame", Before(|zoo| zoo.entry("./etc/nano")["innerOffset"] = json!(7)), &["toc.field"]),
    ("a chunk of nothing", Before(|zoo| {
        let at = zoo.at("./dev/") + 1;
        zoo.entries().insert(at, json!({"type": "chunk", "name": "./dev/", "chunkSize": 5}));
    }), &["toc.orphan_chunk"]),
    ("an offset past the data", Before(|zoo| zoo.entry("./etc/nano")["offset"] = json!(DATA_END)), &["toc.offset"]),
    ("an offset before the frames of the file before", Before(|zoo| zoo.entry("./etc/nano")["offset"] = json!(126)), &["toc.offset"]),
    ("an end before the beginning", Before(|zoo| zoo.entry("./etc/nano")["endOffset"] = json!(126)), &["toc.offset"]),
    ("chunks with a gap", Before(|zoo| zoo.entry("./etc/holes")["chunkSize"] = json!(89_999)), &["toc.chunks"]),
    ("chunks that are less than the file", Before(|zoo| {
        let at = zoo.at("./etc/holes") + 3;
        zoo.entries().remove(at);
    }), &["toc.chunks"]),
    ("two digests of one content", Before(|zoo| zoo.entry("./etc/nano")["chunkDigest"] = other("")), &["toc.one_chunk"]),
    ("an empty file with a digest", Before(|zoo| zoo.entry("./etc/empty")["digest"] = other("x")), &["toc.empty_digest"]),
    ("a name twice", Before(|zoo| {
        let entry = zoo.entry("./dev/").clone();
        zoo.entries().push(entry);
    }), &["entry.extra", "entry.duplicate"]),
    // Entries and members.
    ("an entry too few", Before(|zoo| {
        let at = zoo.at("./dev/pipe");
        zoo.entries().remove(at);
    }), &["entry.missing"]),
    ("an entry too many", Before(|zoo| zoo.entries().insert(3, json!({"type": "dir", "name": "./more/", "mode": 493}))), &["entry.extra"]),
    ("two entries in each other's place", Before(|zoo| {
        let at = zoo.at("./dev/null");
        zoo.entries().swap(at, at + 1);
    }), &["entry.order"]),
    ("an entry far from its place", Before(|zoo| {
        let at = zoo.at("./usr/");
        let entry = zoo.entries().remove(at);
        zoo.entries().push(entry);
    }), &["entry.order"]),
    ("a name", Before(|zoo| zoo.entry("./dev/pipe")["name"] = json!("./dev/pump")), &["entry.field name"]),
    ("a kind", Before(|zoo| zoo.entry("./dev/null")["type"] = json!("block")), &["entry.field kind"]),
    ("a symbolic link", Before(|zoo| zoo.entry("./usr/bin/sh")["linkName"] = json!("fool")), &["entry.field link"]),
    ("a hard link", Before(|zoo| zoo.entry("./usr/bin/tool-hard")["linkName"] = json!("./etc/nano")), &["entry.field link"]),
    ("a mode", Before(|zoo| zoo.entry("./usr/bin/tool-setuid")["mode"] = json!(0o755)), &["entry.field mode"]),
    ("a size", Before(|zoo| zoo.entry("./etc/nano")["size"] = json!(2)), &["entry.field size"]),
    ("an owner", Before(|zoo| zoo.entry("./usr/bin/sh")["uid"] = json!(0)), &["entry.field owner"]),
    ("a group", Before(|zoo| zoo.entry("./dev/loop0")["gid"] = json!(7)), &["entry.field group"]),
    ("a modification time", Before(|zoo| zoo.entry("./etc/nano")["modtime"] = json!("2023-11-14T22:13:20Z")), &["entry.field modification time"]),
    ("an access time", Before(|zoo| zoo.entry("./etc/nano")["accesstime"] = json!("2023-11-14T22:13:20Z")), &["entry.field access time"]),
    ("a change time", Before(|zoo| zoo.entry("./etc/nano")["changetime"] = json!("2023-11-14T22:13:20Z")), &["entry.field change time"]),
    ("a device number", Before(|zoo| zoo.entry("./dev/null")["devMinor"] = json!(5)), &["entry.field device number"]),
    ("an xattr too few", Before(|zoo| zoo.entry("./etc/xattr")["xattrs"] = json!({"user.note": "aGVsbG8="})), &["entry.field extended attributes"]),
    ("a name that is no UTF-8", Before(|zoo| zoo.header("./dev/pipe", |header| {
        header[9] = 0xff;
        Some("./dev/pip\u{fffd}")
    })), &["entry.not_utf8"]),
    // Contents.
    ("a file's digest", Before(|zoo| zoo.entry("./etc/nano")["digest"] = other("")), &["file.digest"]),
    ("a chunk's digest", Before(|zoo| zoo.entry("./etc/holes")["chunkDigest"] = other("")), &["chunk.digest"]),
    ("the digest of a file in chunks", Before(|zoo| zoo.entry("./etc/holes")["digest"] = other("")), &["file.digest"]),
    ("content that tar, tar-split and DiffID agree on", Before(|zoo| {
        let (tar, content) = other_content(zoo.content("./opaque/kept"));
        zoo.tar(&tar, "./opaque/kept", &compress(&content));
    }), &["file.digest"]),
    ("zeros that are none", Before(|zoo| zoo.entry("./etc/holes")["chunkType"] = json!("zeros")), &["chunk.zeros"]),
    ("an offset inside a frame", Before(|zoo| {
        let offset = zoo.range("./etc/nano").start;
        zoo.entry("./etc/nano")["offset"] = json!(offset + 1);
    }), &["chunk.offset"]),
    ("the offset of the frame before", Before(|zoo| {
        let offset = zoo.range("./etc/xattr").end;
        zoo.entry("./etc/nano")["offset"] = json!(offset);
    }), &["chunk.offset"]),
    ("an end inside a frame", Before(|zoo| {
        let end = zoo.range("./etc/nano").end;
        zoo.entry("./etc/nano")["endOffset"] = json!(end - 1);
    }), &["chunk.end"]),
    ("an end that takes in what follows", Before(|zoo| {
        let next = zoo.range("./etc/same-b").start;
        zoo.entry("./etc/same-a")["endOffset"] = json!(next);
    }), &["chunk.end"]),
    ("content and what follows in one frame", Before(|zoo| {
        let (range, next) = (zoo.range("./etc/same-a"), zoo.range("./etc/same-b").start);
        let plain = decompress(&zoo.frames[range.start..next], 1 << 20).unwrap();
        let end = range.start + compress(&plain).len();
        zoo.splice(range.start..next, &compress(&plain));
        zoo.entry("./etc/same-a")["endOffset"] = json!(end);
    }), &["chunk.end"]),
    // Frames.
    ("a byte of a frame", Before(|zoo| {
        let range = zoo.range("./etc/same-a");
        zoo.frames[range.start + 400] ^= 0x10;
    }), &["frame.decode"]),
    ("the checksum of a frame", Before(|zoo| {
        let range = zoo.range("./etc/prefix-of-big");
        zoo.frames[range.end - 1] ^= 1;
    }), &["frame.decode"]),
    ("a byte of each of two frames", Before(|zoo| {
        for name in ["./etc/prefix-of-big", "./etc/same-a"] {
            let range = zoo.range(name);
            zoo.frames[range.end - 1] ^= 1;
        }
    }), &["frame.decode", "frame.decode"]),
    ("a frame of several blocks", Before(|zoo| {
        let range = zoo.range("./usr/bin/tool");
        zoo.frames[range.end - 2] ^= 1;
    }), &["frame.decode"]),
    ("bytes between frames", Before(|zoo| {
        let at = zoo.range("./etc/nano").start;
        zoo.splice(at..at, b"no frame");
    }), &["frame.lost"]),
    ("a blob cut short", After(|zoo| {
        zoo.blob.truncate(DATA_END - 100);
        zoo.resign();
    }), &["blob.truncated", "annotation"]),
    // Tar-split.
    ("a tar-split that is no zstd", Before(|zoo| zoo.packed_split = Some(vec![1; 100])), &["tar_split.compression"]),
    ("a byte of a header in the tar-split", Before(|zoo| zoo.text("Li9kZXYvcGlwZQ", "Li9kZXYvcGlwZR")), &["tar_split.bytes"]),
    ("a header that is no base64", Before(|zoo| zoo.text("Li9kZXYvcGlwZQ", "Li9kZXYvc*lwZQ")), &["tar_split.record"]),
    ("a line that is no JSON", Before(|zoo| zoo.text("\"name\":\"./dev/pipe\"", "\"name\":./dev/pipe")), &["tar_split.record"]),
    ("a record of an unknown type", Before(|zoo| zoo.text("{\"type\":1,\"name\":\"./dev/pipe\"", "{\"type\":9,\"name\":\"./dev/pipe\"")), &["tar_split.record"]),
    ("a position", Before(|zoo| zoo.text("\"position\":41}", "\"position\":99}")), &["tar_split.record"]),
    ("the checksum of a content", Before(|zoo| zoo.line("./etc/nano", |line| line["payload"] = json!("AAAAAAAAAAA="))), &["tar_split.crc"]),
    ("a checksum that is none", Before(|zoo| zoo.line("./etc/nano", |line| line["payload"] = json!("AAAA"))), &["tar_split.record"]),
    ("a size in the tar-split", Before(|zoo| zoo.line("./etc/nano", |line| line["size"] = json!(2))), &["tar_split.size"]),
    ("a name in the tar-split", Before(|zoo| zoo.line("./etc/nano", |line| line["name"] = json!("./etc/micro"))), &["tar_split.name"]),
    ("a file too few in the tar-split", Before(|zoo| zoo.lines(|lines| lines.retain(|line| line["name"] != "./etc/nano"))), &["tar_split.name"]),
    ("a file too many in the tar-split", Before(|zoo| zoo.lines(|lines| {
        lines.insert(5, json!({"type": 1, "name": "./more", "payload": null}));
    })), &["tar_split.extra"]),
    ("padding too little in the tar-split", Before(|zoo| zoo.lines(|lines| drop(lines.pop()))), &["tar_split.bytes"]),
    // The tar.
    ("padding that only the DiffID counts", Before(|zoo| {
        let content = zoo.content("./var/secret/key");
        zoo.splice(224_630..DATA_END, &compress(&ZOO_TAR[content.end..ZOO_TAR.len() - 512]));
        zoo.split = fixture::write(&ZOO_TAR[..ZOO_TAR.len() - 512]).unwrap().0;
    }), &["diff_id.padding"]),
    ("a tar that ends inside a file", Before(|zoo| {
        let range = zoo.range("./var/secret/key");
        let (content, end) = (zoo.content("./var/secret/key"), zoo.frames.len());
        let cut = &ZOO_TAR[..content.end - 1];
        zoo.splice(range.start..end, &compress(&cut[content.start..]));
        zoo.entry("./var/secret/key")["endOffset"] = json!(zoo.frames.len());
        zoo.diff_id = Digest::of(cut);
    }), &["tar"]),
];

#[test]
#[expect(clippy::print_stdout, reason = "the table, for people who ask for it")]
fn each_planted_defect_is_found_and_nothing_else() {
    let mut wrong = Vec::new();
    for (name, plant, expected) in TABLE {
        let mut parts = zoo();
        if let Before(plant) = plant {
            plant(&mut parts);
        }
        let mut sealed = parts.seal();
        if let After(plant) = plant {
            plant(&mut sealed);
        }
        let Sealed { blob, by_range, claims } = sealed;
        let by_range = by_range.as_deref().unwrap_or(&blob);
        let verified = super::verify_both(&blob, by_range, claims, 997);
        let found = verified.findings.list().iter().filter(|finding| finding.weight == Weight::Wrong);
        let found: Vec<_> = found.collect();
        let code = |finding: &&Finding| match finding.place.field {
            Some(field) if finding.code == Code::EntryField => format!("{} {field}", finding.code),
            _ => finding.code.to_string(),
        };
        let codes: Vec<_> = found.iter().map(code).collect();
        let said: Vec<_> = found.iter().map(|finding| finding.to_string()).collect();
        std::println!("{name:50} {:28} {}", codes.join(", "), said.join("; "));
        if codes != *expected {
            wrong.push(format!("{name}: expected {expected:?}, found {:#?}", super::lines(&verified)));
        }
    }
    std::println!("{} defects", TABLE.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_end_that_podman_refuses_is_noted() {
    let mut zoo = zoo();
    // As it wrote the end of a layer with one more package: 520 bytes, then the rest.
    zoo.lines(|lines| {
        let (second, first) = (lines.pop().unwrap(), lines.pop().unwrap());
        let decode = |line: &Value| STANDARD.decode(line["payload"].as_str().unwrap()).unwrap();
        let end = [decode(&first), decode(&second)].concat();
        let cut = 448 + 520;
        for part in [&end[..cut], &end[cut..]] {
            lines.push(json!({"type": 2, "payload": STANDARD.encode(part)}));
        }
    });
    let Sealed { blob, claims, .. } = zoo.seal();
    let verified = verify(&blob, claims, 4096);
    assert_eq!(super::codes(&verified, Weight::Wrong), [""; 0]);
    assert!(
        super::codes(&verified, Weight::Note).contains(&"tar_split.cut"),
        "{:#?}",
        super::lines(&verified)
    );
}

#[test]
fn what_nothing_is_planted_in_is_right() {
    let Sealed { blob, claims, .. } = zoo().seal();
    assert_eq!(verify(&blob, claims, 4096).findings.wrong(), 0);
}
