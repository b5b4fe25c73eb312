//! What programs exchange of a TOC.

use alloc::string::ToString;

use serde_json::{Value, json};

use super::{DATA_END, digest, sample};
use crate::toc::{BlobMap, Place};
use crate::{Limits, Timestamp, Toc};

/// A TOC that lay in a blob whose data ends at [`DATA_END`].
fn located(json: &Value) -> Toc {
    let place = Place::Blob { data_end: DATA_END, stargz: false };
    let mut toc = Toc::parse(json.to_string().as_bytes(), place, &Limits::default()).unwrap();
    let map: BlobMap = serde_json::from_value(
        json!({"dataEnd": DATA_END, "toc": [DATA_END + 8, DATA_END + 90], "tied": true}),
    )
    .unwrap();
    toc.map = Some(map);
    toc
}

fn exported(toc: &Toc) -> Toc {
    Toc::from_exported(&toc.to_exported(), &Limits::default()).unwrap()
}

#[test]
fn the_exported_form_is_read_back_with_all_places() {
    let toc = located(&sample());
    assert_eq!(exported(&toc), toc);
    assert_eq!(exported(&toc).map, toc.map);
    // Frames without an end of their own, shared ones, and one that ends at a hole which has an offset.
    let shared = json!([
        {"type": "reg", "name": "a", "size": 10, "digest": digest("a"), "offset": 5, "innerOffset": 512},
        {"type": "reg", "name": "b", "size": 10, "digest": digest("b"), "offset": 5, "innerOffset": 600},
        {"type": "reg", "name": "c", "size": 30, "digest": digest("c"), "offset": 50, "chunkSize": 10,
            "chunkDigest": digest("d")},
        {"type": "chunk", "name": "c", "offset": 70, "chunkSize": 20, "chunkOffset": 10, "chunkType": "zeros",
            "chunkDigest": digest("e")},
        {"type": "reg", "name": "z", "size": 3, "digest": digest("f"), "offset": 700},
    ]);
    let mut toc = located(&json!({"version": 1, "entries": shared}));
    assert_eq!(exported(&toc), toc);
    toc.codec = crate::codec::Codec::Gzip;
    toc.map.as_mut().unwrap().gzip = true;
    assert_eq!(exported(&toc), toc);
}

#[test]
fn the_exported_form_holds_what_json_text_cannot() {
    let mut toc = located(&sample());
    let member = toc.member_mut(4).unwrap();
    member.name = b"caf\xe9 \"\n".as_slice().into();
    member.link = b"\xff".as_slice().into();
    member.xattrs.insert((*b"user.\xfe").into(), (*b"\0\xff").into());
    member.mtime = Some(Timestamp { seconds: i64::MIN, nanoseconds: 0 });
    // One whose chunks say its name again.
    toc.member_mut(2).unwrap().name = b"\xfe/three".as_slice().into();
    assert_eq!(exported(&toc), toc);
}

#[test]
fn without_a_blob_it_is_the_stored_form() {
    let toc = Toc::from_stored(&located(&sample()).to_stored(), &Limits::default()).unwrap();
    assert_eq!(toc.to_exported(), toc.to_stored());
    assert_eq!(exported(&toc), toc);
    assert_eq!(exported(&toc).map, None);
}

#[test]
fn places_mean_nothing_in_other_forms() {
    let toc = located(&sample());
    let stored = Toc::from_stored(&toc.to_exported(), &Limits::default()).unwrap();
    assert_eq!(stored, super::store::unlocated(&toc));
}
