//! What only stargz-snapshotter writes.

use alloc::string::ToString;
use alloc::vec::Vec;

use serde_json::{Value, json};

use super::{DATA_END, digest, parse};
use crate::toc::{Body, Place};
use crate::{Limits, Toc, TocError};

/// Three files in one frame, of which the last ends the data, and one in a frame before them.
fn sharing(inner: [Value; 4]) -> Result<Toc, TocError> {
    let [a, b, c, d] = inner;
    let file = |name: &str, offset: u64, inner: Value| {
        json!({"type": "reg", "name": name, "size": 10, "digest": digest(name), "offset": offset,
            "innerOffset": inner})
    };
    let entries = json!([file("a", 100, a), file("b", 200, b), file("c", 200, c), file("d", 200, d)]);
    parse(&json!({"version": 1, "entries": entries}).to_string())
}

#[test]
fn payloads_in_one_frame_follow_one_another() {
    let toc = sharing([json!(0), Value::Null, json!(10), json!(4_000)]).unwrap();
    let places = toc.chunks.iter().map(|chunk| (chunk.body.clone(), chunk.skip)).collect::<Vec<_>>();
    let shared = || Body::Frames(200..DATA_END);
    assert_eq!(places, [(Body::Frames(100..200), 0), (shared(), 0), (shared(), 10), (shared(), 4_000)]);
    let toc = sharing([json!(5), json!(5), json!(15), json!(25)]).unwrap();
    assert_eq!(toc.chunks.iter().map(|chunk| chunk.skip).collect::<Vec<_>>(), [5, 5, 15, 25]);
    // One inside the one before it, before it, at the same place, before the frame.
    for wrong in [json!(9), json!(1), json!(-1), json!(i64::MIN)] {
        let error = sharing([json!(0), json!(0), wrong.clone(), json!(50)]).unwrap_err();
        assert!(
            matches!(error, TocError::InnerOffset { after: 10, .. }) && error.is_lie(),
            "{wrong}: {error}"
        );
    }
    assert!(matches!(sharing([0, 0, 0, 10].map(Into::into)), Err(TocError::Offset { .. })));
    // A frame's end that is said ends the sharing.
    let ended = json!([
        {"type": "reg", "name": "a", "size": 1, "digest": digest("a"), "offset": 100, "endOffset": 150},
        {"type": "reg", "name": "b", "size": 1, "digest": digest("b"), "offset": 100, "innerOffset": 1},
    ]);
    let error = parse(&json!({"version": 1, "entries": ended}).to_string()).unwrap_err();
    assert!(matches!(error, TocError::Offset { after: 150, .. }));
}

#[test]
fn an_offset_of_nothing_is_left_out_beside_an_inner_one() {
    let file = json!({"type": "reg", "name": "a", "size": 1, "digest": digest("a"), "innerOffset": 512});
    let toc = parse(&json!({"version": 1, "entries": [file]}).to_string()).unwrap();
    assert_eq!((&toc.chunks[0].body, toc.chunks[0].skip), (&Body::Frames(0..DATA_END), 512));
}

#[test]
fn what_stargz_snapshotter_adds_is_left_out_where_it_wrote_the_toc() {
    let file = |name: &str, offset: u64| json!({"type": "reg", "name": name, "size": 1, "digest": digest(name), "offset": offset});
    let entries = json!([
        file("./.prefetch.landmark", 100),
        file("keep", 200),
        file("/.no.prefetch.landmark", 300),
        file("stargz.index.json", 400),
        file("etc/stargz.index.json", 500),
        {"type": "dir", "name": "stargz.index.json/"},
    ]);
    let json = json!({"version": 1, "entries": entries}).to_string();
    let names = |stargz| {
        let place = Place::Blob { data_end: DATA_END, stargz };
        let toc = Toc::parse(json.as_bytes(), place, &Limits::default()).unwrap();
        for (_, entry) in toc.files() {
            let [chunk] = toc.chunks(entry) else { panic!() };
            assert_eq!(Some(&chunk.digest), entry.digest());
        }
        let bodies = toc.chunks.iter().map(|chunk| chunk.body.clone()).collect::<Vec<_>>();
        (toc.entries().iter().map(|entry| entry.member().name.to_string()).collect::<Vec<_>>(), bodies)
    };
    assert_eq!(names(false).0.len(), 6);
    let (left, bodies) = names(true);
    assert_eq!(left, ["\"keep\"", "\"etc/stargz.index.json\"", "\"stargz.index.json/\""]);
    // They still end the frames before them.
    assert_eq!(bodies, [Body::Frames(200..300), Body::Frames(500..DATA_END)]);
}
