//! One named case for each line of the table in the module's documentation, and the real blobs.

mod export;
mod fetch;
mod real;
mod stargz;
mod store;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Value, json};

use super::{Body, Place, Toc, TocError};
use crate::{Digest, Kind, Limits, Timestamp};

const DATA_END: u64 = 10_000;

fn parse(text: &str) -> Result<Toc, TocError> {
    parse_within(text, &Limits::default())
}

fn parse_within(text: &str, limits: &Limits) -> Result<Toc, TocError> {
    Toc::parse(text.as_bytes(), Place::Blob { data_end: DATA_END, stargz: false }, limits)
}

fn digest(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()
}

/// A directory, a file of one chunk, a file of three with a hole, a file without an end, a link.
fn sample() -> Value {
    let entries = json!([
        {"type": "dir", "name": "./", "mode": 0o755},
        {"type": "reg", "name": "./one", "size": 5, "digest": digest("one"), "offset": 100, "endOffset": 150},
        {"type": "reg", "name": "./three", "size": 30, "digest": digest("three"), "offset": 200,
            "endOffset": 400, "chunkSize": 10, "chunkDigest": digest("a")},
        {"type": "chunk", "name": "./three", "offset": 250, "chunkSize": 12, "chunkOffset": 10,
            "chunkDigest": digest("b"), "chunkType": "zeros"},
        {"type": "chunk", "name": "./three", "offset": 300, "chunkSize": 8, "chunkOffset": 22,
            "chunkDigest": digest("c")},
        {"type": "reg", "name": "./open", "size": 7, "digest": digest("open"), "offset": 500},
        {"type": "symlink", "name": "./link", "linkName": "one"},
    ]);
    json!({"version": 1, "entries": entries, "tarSplitDigest": digest("split")})
}

fn changed(change: impl FnOnce(&mut Value)) -> Result<Toc, TocError> {
    let mut toc = sample();
    change(&mut toc);
    parse(&toc.to_string())
}

/// Changes one entry; says what becomes of the layer.
fn fate(entry: usize, key: &str, value: Value) -> &'static str {
    outcome(&changed(|toc| toc["entries"][entry][key] = value))
}

fn outcome(parsed: &Result<Toc, TocError>) -> &'static str {
    match parsed {
        Ok(_) => "accepted",
        Err(error) if error.is_lie() => "refused",
        Err(_) => "whole",
    }
}

fn bodies(toc: &Toc, entry: usize) -> Vec<Body> {
    toc.chunks(&toc.entries()[entry]).iter().map(|chunk| chunk.body.clone()).collect()
}

#[test]
fn chunk_entries_zeros_and_missing_ends() {
    let toc = parse(&sample().to_string()).unwrap();
    assert_eq!(toc.entries().len(), 5);
    assert_eq!(bodies(&toc, 1), [Body::Frames(100..150)]);
    assert_eq!(bodies(&toc, 2), [Body::Frames(200..250), Body::Zeros, Body::Frames(300..400)]);
    assert_eq!(bodies(&toc, 3), [Body::Frames(500..DATA_END)]);
    let chunks = toc.chunks(&toc.entries()[2]);
    assert_eq!(
        chunks.iter().map(|chunk| (chunk.offset, chunk.len)).collect::<Vec<_>>(),
        [(0, 10), (10, 12), (22, 8)]
    );
    let kinds = toc.entries().iter().map(|entry| entry.member().kind).collect::<Vec<_>>();
    assert_eq!(kinds, [Kind::Directory, Kind::Regular, Kind::Regular, Kind::Regular, Kind::Symlink]);
    assert_eq!(toc.files().count(), 3);
    // Five contents and chunks; zeros are not asked for, and the only chunk of a file is the file.
    assert_eq!(toc.wanted().len(), 5);
    assert_eq!(toc.tar_split_digest(), Some(&Digest::of(b"split")));
}

#[test]
fn a_missing_end_is_the_next_offset() {
    for gone in [json!(0), Value::Null] {
        let toc = changed(|toc| {
            toc["entries"][1]["endOffset"] = gone.clone();
            toc["entries"][2]["endOffset"] = gone;
        });
        let toc = toc.unwrap();
        assert_eq!(bodies(&toc, 1), [Body::Frames(100..200)]);
        assert_eq!(bodies(&toc, 2), [Body::Frames(200..250), Body::Zeros, Body::Frames(300..500)]);
    }
    // Zeros last: the chunk before them ends where they begin.
    let toc = changed(|toc| {
        toc["entries"][4]["chunkType"] = "zeros".into();
        toc["entries"][3]["chunkType"] = Value::Null;
    });
    assert_eq!(bodies(&toc.unwrap(), 2), [Body::Frames(200..250), Body::Frames(250..300), Body::Zeros]);
    // Zeros need no place at all.
    let toc = changed(|toc| toc["entries"][3]["offset"] = Value::Null);
    assert_eq!(bodies(&toc.unwrap(), 2), [Body::Frames(200..300), Body::Zeros, Body::Frames(300..400)]);
}

#[test]
fn keys_in_another_case_unknown_keys_and_nulls() {
    let text = sample().to_string();
    let expected = parse(&text).unwrap();
    assert_eq!(
        parse(&text.replace("\"chunkSize\"", "\"CHUNKSIZE\"").replace("\"name\"", "\"Name\"")).unwrap(),
        expected
    );
    assert_eq!(parse(&text.replace("tarSplitDigest", "TarsplitDigest")).unwrap(), expected);
    let unknown = changed(|toc| {
        toc["more"] = json!({"a": [1, {"b": null}]});
        toc["entries"][1]["aKeyThatIsLongerThanEveryKnownOne"] = json!([true]);
    });
    assert_eq!(unknown.unwrap(), expected);
    let nulls = changed(|toc| {
        for key in ["linkName", "mode", "uid", "modtime", "xattrs", "chunkSize", "chunkDigest", "chunkType"] {
            toc["entries"][1][key] = Value::Null;
        }
    });
    assert_eq!(nulls.unwrap(), expected);
    let nothing = parse(r#"{"version":1,"entries":null,"tarSplitDigest":null}"#).unwrap();
    assert_eq!(nothing, Toc::default());
    assert_eq!(parse(r#"{"version":1}"#).unwrap(), Toc::default());
}

#[test]
fn of_a_key_that_comes_twice_the_last_counts() {
    let toc =
        parse(r#"{"version":3,"version":1,"entries":[{"type":"reg","TYPE":"dir","name":"a","name":"b"}]}"#);
    let toc = toc.unwrap();
    assert_eq!(toc.entries()[0].member().kind, Kind::Directory);
    assert_eq!(toc.entries()[0].member().name, "b".into());
}

#[test]
fn of_entries_that_come_twice_the_last_count() {
    let text = sample().to_string();
    let expected = parse(&text).unwrap();
    let file = json!([{"type": "reg", "name": "./one", "size": 5, "digest": digest("one"), "offset": 9_000}]);
    // Neither the offset, nor the open file, nor the count of the first list means anything for the second.
    let twice = std::format!(r#"{{"entries":{file},{}"#, &text[1..]);
    let limits = Limits { entries: 7, content: 42, ..Limits::default() };
    assert_eq!(parse_within(&twice, &limits).unwrap(), expected);
    let chunk =
        std::format!(r#"{{"version":1,"entries":{file},"entries":[{{"type":"chunk","name":"./one"}}]}}"#);
    assert!(matches!(parse(&chunk), Err(TocError::OrphanChunk { entry: 0, .. })));
    let nothing = std::format!(r#"{},"entries":null}}"#, &text[..text.len() - 1]);
    assert!(parse(&nothing).unwrap().entries().is_empty());
}

#[test]
fn the_first_entry_refused_ends_the_reading() {
    let bad = r#""entries":[{"type":"fifo","name":"a"},{"type":"fifo","name":""}"#;
    let empty = |parsed| matches!(parsed, Err(TocError::Name { entry: 1, .. }));
    assert!(empty(parse(&std::format!("{{{bad},no JSON"))));
    assert!(empty(parse(&std::format!(r#"{{{bad}],"version":1}}"#))));
    assert!(empty(parse(&std::format!(r#"{{"version":1,{bad}]}}"#))));
    // Of another version it is not known what is wrong with it.
    let other = parse(&std::format!(r#"{{"version":2,{bad}]}}"#));
    assert_eq!(other, Err(TocError::Version { actual: 2 }));
}

#[test]
fn what_is_not_understood_is_pulled_whole() {
    let text = sample().to_string();
    let cases = [
        ("text after the object", parse(&std::format!("{text} x"))),
        ("two objects", parse(&std::format!("{text}{text}"))),
        ("cut short", parse(&text[..text.len() - 1])),
        ("no object", parse("[]")),
        ("null", parse("null")),
        ("nothing", parse("")),
        ("no version", changed(|toc| toc["version"] = Value::Null)),
        ("version 2", changed(|toc| toc["version"] = 2.into())),
        ("no type", changed(|toc| toc["entries"][0]["type"] = Value::Null)),
        ("null entry", changed(|toc| toc["entries"][0] = Value::Null)),
        ("orphan chunk first", changed(|toc| toc["entries"][0]["type"] = "chunk".into())),
        ("chunk of a link", changed(|toc| toc["entries"][2]["type"] = "symlink".into())),
        ("chunk of another name", changed(|toc| toc["entries"][3]["name"] = "./one".into())),
        ("bad tarSplitDigest", changed(|toc| toc["tarSplitDigest"] = "sha256:0".into())),
    ];
    for (what, parsed) in &cases {
        assert_eq!(outcome(parsed), "whole", "{what}: {parsed:?}");
    }
    assert!(matches!(cases[10].1, Err(TocError::OrphanChunk { .. })));
    assert!(matches!(cases[6].1, Err(TocError::Version { actual: 0 })));
    let error = parse("{\"version\":1,\n\"entries\":[{\"type\":\"door\"}]}").unwrap_err();
    assert!(matches!(error, TocError::Json { line: 2, .. }));
    assert_eq!(error.to_string(), "the TOC's JSON, line 2 column 26: entry type \"door\" is unknown");
}

#[test]
fn what_becomes_of_one_changed_field() {
    let zeros = digest("nobody");
    let cases = [
        (1, "type", json!("file"), "whole"),
        (1, "type", json!("char"), "accepted"),
        (1, "size", json!(-5), "whole"),
        (1, "size", json!(5.5), "whole"),
        (1, "size", json!("5"), "whole"),
        (1, "size", json!(u64::MAX), "whole"),
        (1, "size", json!(6), "accepted"),
        (1, "mode", json!(-1), "whole"),
        (1, "mode", json!(1_u64 << 32), "whole"),
        (1, "uid", json!(-1), "whole"),
        (1, "gid", json!(-1), "whole"),
        (1, "devMajor", json!(-1), "whole"),
        (1, "modtime", json!("2023-11-15T07:13:20.5+09:00"), "accepted"),
        (1, "modtime", json!("yesterday"), "whole"),
        (1, "modtime", json!(7), "whole"),
        (1, "xattrs", json!({"user.a": "aGk="}), "accepted"),
        (1, "xattrs", json!({"user.a": "aGk"}), "whole"),
        (1, "xattrs", json!({"user.a": "?"}), "whole"),
        (1, "xattrs", json!(["user.a"]), "whole"),
        (1, "digest", Value::Null, "whole"),
        (1, "digest", json!("sha256:abc"), "whole"),
        (1, "digest", json!("sha512:00"), "whole"),
        (1, "innerOffset", json!(4), "accepted"),
        (3, "innerOffset", json!(4), "accepted"),
        (1, "innerOffset", json!(-1), "refused"),
        (1, "innerOffset", json!(i64::MAX), "refused"),
        (1, "innerOffset", json!("4"), "whole"),
        (1, "chunkType", json!("holes"), "whole"),
        (1, "chunkDigest", json!(zeros), "refused"),
        (1, "chunkDigest", json!(digest("one")), "accepted"),
        (4, "chunkDigest", Value::Null, "whole"),
        (2, "chunkDigest", Value::Null, "whole"),
        (1, "offset", Value::Null, "whole"),
        (4, "offset", Value::Null, "whole"),
        // Offsets out of order, overlapping, past the data.
        (1, "offset", json!(-1), "refused"),
        (1, "offset", json!(10_000), "refused"),
        (1, "offset", json!(150), "refused"),
        (1, "endOffset", json!(100), "refused"),
        (1, "endOffset", json!(99), "refused"),
        (1, "endOffset", json!(-1), "refused"),
        (1, "endOffset", json!(200), "accepted"),
        (1, "endOffset", json!(201), "refused"),
        (2, "offset", json!(149), "refused"),
        (2, "offset", json!(150), "accepted"),
        (2, "offset", json!(250), "refused"),
        (2, "endOffset", json!(300), "refused"),
        (2, "endOffset", json!(501), "refused"),
        (4, "offset", json!(249), "refused"),
        (5, "offset", json!(399), "refused"),
        (5, "endOffset", json!(10_000), "accepted"),
        (5, "endOffset", json!(10_001), "refused"),
        // Sizes that do not add up.
        (2, "size", json!(29), "refused"),
        (2, "size", json!(31), "refused"),
        (2, "size", json!(0), "refused"),
        (1, "chunkSize", json!(4), "refused"),
        (1, "chunkSize", json!(6), "refused"),
        (1, "chunkSize", json!(5), "accepted"),
        (1, "chunkOffset", json!(1), "refused"),
        (2, "chunkSize", json!(0), "refused"),
        (2, "chunkSize", json!(-10), "refused"),
        (3, "chunkOffset", json!(9), "refused"),
        (4, "chunkSize", json!(7), "refused"),
        (4, "chunkSize", json!(9), "refused"),
        (4, "chunkSize", json!(i64::MAX), "refused"),
        (4, "chunkSize", Value::Null, "accepted"),
        (4, "chunkOffset", json!(-22), "refused"),
        // Names.
        (1, "name", json!(""), "refused"),
        (1, "name", Value::Null, "refused"),
        (1, "name", json!("a\0b"), "refused"),
        (1, "name", json!("../../etc/passwd"), "accepted"),
        (1, "name", json!("a".repeat(16_384)), "accepted"),
        (1, "name", json!("a".repeat(16_385)), "refused"),
        (6, "linkName", json!("a\0b"), "refused"),
        (6, "linkName", json!("a".repeat(16_385)), "refused"),
        (6, "linkName", json!(""), "accepted"),
    ];
    for (entry, key, value, expected) in cases {
        assert_eq!(fate(entry, key, value.clone()), expected, "entry {entry}: {key} = {value}");
    }
}

#[test]
fn names_are_kept_as_written() {
    let names = ["./x", "/x", "x/", "a//b", "..", "x", "x/y", "./x", "caf\u{fffd}", "a\nb"];
    let entries: Vec<Value> = names.iter().map(|name| json!({"type": "fifo", "name": name})).collect();
    let toc = parse(&json!({"version": 1, "entries": entries}).to_string()).unwrap();
    let kept: Vec<_> = toc.entries().iter().map(|entry| entry.member().name.clone()).collect();
    assert_eq!(kept, names.map(Into::into));
}

#[test]
fn empty_files_have_the_digest_of_nothing_or_none() {
    for said in [Value::Null, json!(""), json!(Digest::EMPTY.to_string())] {
        let entry = json!({"type": "reg", "name": "e", "digest": said, "offset": -1});
        let toc = parse(&json!({"version": 1, "entries": [entry]}).to_string()).unwrap();
        assert_eq!(toc.entries()[0].digest(), Some(&Digest::EMPTY));
        assert!(!toc.entries()[0].is_file());
        assert_eq!((toc.files().count(), toc.wanted().len()), (0, 0));
    }
    let entry = json!({"type": "reg", "name": "e", "digest": digest("something")});
    let error = parse(&json!({"version": 1, "entries": [entry]}).to_string()).unwrap_err();
    assert!(matches!(error, TocError::EmptyDigest { entry: 0, .. }) && error.is_lie());
}

#[test]
fn times_are_read_in_any_zone() {
    let time = |text: &str| {
        let toc = changed(|toc| toc["entries"][1]["modtime"] = text.into()).unwrap();
        toc.entries()[1].member().mtime
    };
    let at = |seconds, nanoseconds| Some(Timestamp { seconds, nanoseconds });
    assert_eq!(time("2023-11-15T07:13:20+09:00"), at(1_700_000_000, 0));
    assert_eq!(time("2023-11-14T22:13:20.000000001Z"), at(1_700_000_000, 1));
    assert_eq!(time("1969-12-31T23:59:59.25Z"), at(-1, 250_000_000));
    assert_eq!(time("0001-01-01T00:00:00Z"), None);
    assert_eq!(time(""), None);
}

#[test]
fn limits_are_refusals() {
    let text = sample().to_string();
    let within = |set: fn(&mut Limits)| {
        let mut limits = Limits::default();
        set(&mut limits);
        parse_within(&text, &limits)
    };
    assert_eq!(within(|limits| limits.entries = 6).unwrap_err(), TocError::TooMany { limit: 6 });
    assert!(within(|limits| limits.entries = 7).is_ok());
    let too_large = [
        within(|limits| limits.file = 29),
        within(|limits| limits.content = 41),
        within(|limits| limits.path = 6),
    ];
    for parsed in &too_large {
        assert_eq!(outcome(parsed), "refused", "{parsed:?}");
    }
    assert!(within(|limits| (limits.file, limits.content, limits.path) = (30, 42, 7)).is_ok());
    assert!(TocError::TooMany { limit: 6 }.is_lie());
}

#[test]
fn messages_name_the_entry_and_both_parties() {
    let error = changed(|toc| toc["entries"][5]["offset"] = 399.into()).unwrap_err();
    let text = r#"entry 5 "./open": offset 399 is not between 400 and the end of the data at 10000"#;
    assert_eq!(error.to_string(), text);
    let error = changed(|toc| toc["entries"][4]["chunkSize"] = 9.into()).unwrap_err();
    let text = "entry 2 \"./three\": a chunk of 9 bytes at 22 does not fit a file of 30 bytes whose chunks reach 22 so far";
    assert_eq!(error.to_string(), text);
    let error = changed(|toc| toc["entries"][1]["mode"] = (-1).into()).unwrap_err();
    assert_eq!(error.to_string(), r#"entry 1 "./one": mode is -1"#);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        drop(parse(&text));
    }

    #[test]
    fn no_numbers_make_it_panic_or_overlap(
        numbers in proptest::collection::vec((0..7_usize, 0..6_usize, -5..600_i64), 0..6)
    ) {
        let toc = changed(|toc| {
            for (entry, key, value) in numbers {
                let keys = ["offset", "endOffset", "size", "chunkSize", "chunkOffset", "innerOffset"];
                toc["entries"][entry][keys[key]] = value.into();
            }
        });
        if let Ok(toc) = toc {
            let (mut at, mut last) = (0, None);
            for chunk in &toc.chunks {
                if let Body::Frames(frames) = &chunk.body {
                    match last.replace((frames, chunk.skip + chunk.len)) {
                        Some((shared, inner)) if shared == frames => assert!(inner <= chunk.skip),
                        _ => assert!(at <= frames.start),
                    }
                    assert!(frames.start < frames.end && frames.end <= DATA_END);
                    at = frames.end;
                }
            }
            for (_, entry) in toc.files() {
                let end = toc.chunks(entry).iter().fold(0, |at, chunk| {
                    assert!(chunk.offset == at && chunk.len > 0);
                    at + chunk.len
                });
                assert_eq!(end, entry.member().size);
            }
        }
    }
}
