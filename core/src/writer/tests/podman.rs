//! The zoo, as podman wrote it and as we do.

use super::*;
use crate::testing::ZOO_BLOB;

/// Leaves out what may differ: where frames lie, and the digest of the tar-split.
fn without_places(toc: &str) -> String {
    let mut text = String::new();
    for part in toc.split(',') {
        let place = ["\"offset\":", "\"endOffset\":", "\"tarSplitDigest\":"];
        if !place.iter().any(|key| part.starts_with(key)) {
            text.push_str(part);
            text.push(',');
        }
    }
    // What ends an entry stands behind its last key.
    text.replace('}', "")
}

#[test]
fn our_toc_of_the_zoo_is_podmans() {
    let theirs = decompress(&ZOO_BLOB[224_656..][..1735], 1 << 20).unwrap();
    let [ours, _] = texts(&write(ZOO_TAR));
    let (ours, theirs) = (without_places(&ours), without_places(&String::from_utf8(theirs).unwrap()));
    assert_eq!(ours, theirs);
}

#[test]
fn our_chunks_of_the_zoo_are_podmans() {
    let (theirs, ours) = (Layer::zoo().toc(), as_layer(ZOO_TAR, &write(ZOO_TAR)).toc());
    let chunks = |toc: &crate::Toc| {
        let chunks = toc.entries().iter().flat_map(|entry| toc.chunks(entry));
        chunks
            .map(|chunk| (chunk.offset, chunk.len, chunk.digest, chunk.body == Body::Zeros))
            .collect::<Vec<_>>()
    };
    assert_eq!(chunks(&ours), chunks(&theirs));
    for (ours, theirs) in ours.entries().iter().zip(theirs.entries()) {
        assert_eq!((ours.member(), ours.digest()), (theirs.member(), theirs.digest()));
    }
}

#[test]
fn our_tar_split_of_the_zoo_is_podmans() {
    let split = |layer: &Layer| layer.fetched().unwrap().tar_split.unwrap().read(&Limits::default()).unwrap();
    assert_eq!(split(&as_layer(ZOO_TAR, &write(ZOO_TAR))), split(&Layer::zoo()));
}

#[test]
fn the_tar_split_holds_no_more_than_readers_need() {
    let made = [
        generated::Made::file("d/", b"").with_flag(b'5'),
        generated::Made::file("d/f", b"hello"),
        generated::Made::file("d/g", &[7; 512]),
    ];
    let tar = [generated::tar(&made), vec![0; 1024]].concat();
    let [_, lines] = texts(&write(&tar));
    let lines = lines.lines().collect::<Vec<_>>();
    let kinds = lines.iter().map(|line| line.split(',').next().unwrap()).collect::<Vec<_>>();
    let (raw, file) = ("{\"type\":2", "{\"type\":1");
    assert_eq!(kinds, [raw, raw, file, raw, raw, file, raw]);
    assert_eq!(lines[2], r#"{"type":1,"name":"d/f","payload":"PD7u4tgQAAA=","size":5}"#);
    assert!(lines[1].starts_with(r#"{"type":2,"payload":"ZC9m"#), "a header begins its line");
    let padding = format!(r#"{{"type":2,"payload":"{}"}}"#, "A".repeat(676));
    assert_eq!(lines[3], padding, "and padding has its own");
}

/// The same bytes on any machine: a change of these numbers is a change of every blob, and a reason to count up `WRITER`
/// in `native/src/transfer/memory.rs`, once somebody remembers conversions of before.
#[cfg(feature = "c-zstd")]
#[test]
fn the_zoo_is_written_in_these_very_bytes() {
    let digest = |format, level| {
        let options = WriteOptions { level, ..WriteOptions::new(format) };
        write_with(ZOO_TAR, &options, 100_000, |_| 0).unwrap().1.blob.to_hex()
    };
    let digests = [
        digest(Format::ZstdChunked, 3),
        digest(Format::ZstdChunked, 10),
        digest(Format::Zstd, 3),
        digest(Format::Gzip, 6),
    ];
    let expected = [
        "b87afd6915f619432acccf8322cd691bb00ba2a12926f143f75f5b0376719153",
        "9a4ad84034334e865f2f6ecfb1052d95d9d4541876f4ab19c90c9edc86d7874a",
        "de4506b1463cacddae84d3157fc708a5048cc336076d57f6b9aceaa3704817ea",
        "d8631a83db8ffd2ca6a94f4e6d9f124a98494ed0b2eacf0488daa59280940f00",
    ];
    assert_eq!(digests, expected);
}
