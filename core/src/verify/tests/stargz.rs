//! What stargz-snapshotter writes, in each of its forms, and defects that only it can have.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use serde_json::{Value, json};

use super::{ZSTD, claims, codes, lines, verify};
use crate::testing::stargz::{FOOTERS, Footer, Stargz, stargz};
use crate::testing::{Made, made, noise};
use crate::verify::{Claims, LayerForm, Verified, Weight};
use crate::{Digest, Limits, Unwrap};

fn members() -> Vec<Made> {
    let chunks = [&noise(1, 9216)[..], &noise(2, 700)[..]];
    Vec::from([
        made("etc/", []),
        made("etc/small", [b"small"]),
        made("etc/chunks", chunks),
        made(".no.prefetch.landmark", [b"\x0f"]),
    ])
}

/// Writes the members with the times that the tar has; several contents share a frame.
fn written(footer: Footer, lie: impl FnOnce(&mut Value)) -> Stargz {
    stargz(&members(), footer, 4000, |toc| {
        for entry in
            toc["entries"].as_array_mut().unwrap().iter_mut().filter(|entry| entry["type"] != "chunk")
        {
            entry["modtime"] = json!("1970-01-01T00:00:07Z");
        }
        lie(toc);
    })
}

fn verified(layer: &Stargz, footer: Footer) -> Verified {
    let mut unwrap = Unwrap::new(&Limits::default());
    let (mut tar, mut pieces) = (Vec::new(), unwrap.receive(&layer.blob));
    while let Some(piece) = pieces.next_piece().unwrap() {
        tar.extend_from_slice(piece);
    }
    let mut claims = claims(&layer.blob, layer.annotations.clone(), Digest::of(&tar));
    if footer != Footer::Zstd {
        claims = Claims { media_type: ZSTD.replace("zstd", "gzip"), ..claims };
    }
    verify(&layer.blob, claims, 501)
}

#[test]
fn every_form_is_right() {
    for footer in FOOTERS {
        let verified = verified(&written(footer, |_| {}), footer);
        assert_eq!(codes(&verified, Weight::Wrong), [""; 0], "{footer:?} {:#?}", lines(&verified));
        let form = if footer == Footer::Zstd { LayerForm::StargzZstdChunked } else { LayerForm::Estargz };
        assert_eq!(verified.form, form);
        let notes = codes(&verified, Weight::Note);
        let expected = if footer == Footer::External { "toc.elsewhere" } else { "tar_split.none" };
        assert_eq!(notes, [expected], "{footer:?} {:#?}", lines(&verified));
    }
}

type Lie = fn(&mut Value);

/// In the order of the entries: a directory, a file that shares its frame, two chunks, a landmark.
const LIES: [(&str, Lie, &[&str]); 9] = [
    (
        "a digest",
        |toc| toc["entries"][1]["digest"] = json!(Digest::of(b"").to_string()),
        &["toc.one_chunk", "file.digest"],
    ),
    (
        "a chunk's digest",
        |toc| toc["entries"][3]["chunkDigest"] = json!(Digest::of(b"").to_string()),
        &["chunk.digest"],
    ),
    ("an inner offset", |toc| toc["entries"][1]["innerOffset"] = json!(1025), &["chunk.offset"]),
    (
        "an inner offset before the content before",
        |toc| toc["entries"][2]["innerOffset"] = json!(1),
        &["toc.offset", "chunk.offset"],
    ),
    (
        "an offset",
        |toc| toc["entries"][4]["offset"] = json!(toc["entries"][4]["offset"].as_u64().unwrap() + 1),
        &["chunk.offset"],
    ),
    ("a time", |toc| toc["entries"][1]["modtime"] = json!("1970-01-01T00:00:08Z"), &["entry.field"]),
    (
        "a landmark that is not listed",
        |toc| drop(toc["entries"].as_array_mut().unwrap().pop()),
        &["entry.missing"],
    ),
    (
        "a member that is not there",
        |toc| toc["entries"].as_array_mut().unwrap().push(json!({"type": "dir", "name": "x"})),
        &["entry.extra"],
    ),
    ("a version", |toc| toc["version"] = json!(3), &["toc.version"]),
];

#[test]
fn each_lie_is_found_and_nothing_else() {
    for footer in [Footer::EStargz, Footer::Legacy, Footer::Zstd] {
        for (name, lie, expected) in LIES {
            let verified = verified(&written(footer, lie), footer);
            assert_eq!(
                codes(&verified, Weight::Wrong),
                expected,
                "{footer:?} {name} {:#?}",
                lines(&verified)
            );
        }
        let mut layer = written(footer, |_| {});
        layer
            .annotations
            .insert("containerd.io/snapshot/stargz/toc.digest".into(), Digest::EMPTY.to_string());
        assert_eq!(codes(&verified(&layer, footer), Weight::Wrong), ["toc.digest"], "{footer:?}");
    }
}
