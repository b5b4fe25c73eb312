//! Known layers as lines.

use alloc::string::String;

use serde_json::{Value, json};

use super::{all, members, of, of_stargz};
use crate::forecast::{Known, KnownError};
use crate::testing::layer;
use crate::testing::stargz::{Footer, stargz};
use crate::{Digest, Limits, TocError};

fn read(line: &[u8]) -> Result<Known, KnownError> {
    Known::from_line(line, &Limits::default())
}

#[test]
fn lines_are_read_back() {
    for known in all() {
        let line = known.to_line();
        assert!(!line.contains(&b'\n'));
        let again = read(&line).unwrap();
        assert_eq!(again, known);
        assert_eq!(again.toc().map(), known.toc().map());
        assert_eq!(again.to_line(), line);
        // What a line says is no proof.
        assert_eq!(again.toc().vouched(), None);
    }
}

/// Changes a line, and says what becomes of it.
fn changed(known: &Known, change: impl FnOnce(&mut Value)) -> Result<Known, KnownError> {
    let mut line: Value = serde_json::from_slice(&known.to_line()).unwrap();
    change(&mut line);
    read(&serde_json::to_vec(&line).unwrap())
}

#[test]
fn a_span_outside_the_blob_is_refused() {
    let known = of(&layer(&members(), |_| {}));
    let len = known.layer().blob_len;
    assert!(changed(&known, |_| {}).is_ok());
    for (key, value) in
        [("toc", json!([8, len + 1])), ("tarSplit", json!([0, u64::MAX])), ("dataEnd", json!(len + 1))]
    {
        let error = changed(&known, |line| line["toc"]["blob"][key] = value).unwrap_err();
        assert!(matches!(error, KnownError::PastEnd { blob_len, .. } if blob_len == len), "{key}: {error}");
    }
    let error = changed(&known, |line| line["blobLen"] = 0.into()).unwrap_err();
    assert!(matches!(error, KnownError::PastEnd { blob_len: 0, .. }));
}

#[test]
fn frames_are_held_to_the_rules_of_every_toc() {
    let known = of(&layer(&members(), |_| {}));
    let end = known.toc().map().unwrap().data_end;
    let frames = |entry: usize, frames: Value| {
        changed(&known, |line| line["toc"]["entries"][entry]["framesRaw"] = frames).unwrap_err()
    };
    for wrong in [json!([end - 1, end + 1]), json!([5, 5]), json!([9, 5]), json!([u64::MAX, u64::MAX])] {
        let error = frames(1, wrong.clone());
        assert!(
            matches!(&error, KnownError::Toc(TocError::Offset { entry: 1, .. })) && error.is_lie(),
            "{wrong}: {error}"
        );
    }
    // Inside the frames before it.
    let error = frames(5, json!([1, end]));
    assert!(matches!(&error, KnownError::Toc(TocError::Offset { .. })), "{error}");
    let error = frames(1, Value::Null);
    assert!(
        matches!(&error, KnownError::Toc(TocError::Field { entry: 1, field: "framesRaw", .. })),
        "{error}"
    );
    // The frame of another chunk, with nothing before it there.
    let shared = of_stargz(&stargz(&members(), Footer::Zstd, 100_000, |_| {}));
    let error = changed(&shared, |line| line["toc"]["entries"][2]["innerOffset"] = 0.into()).unwrap_err();
    assert!(matches!(&error, KnownError::Toc(TocError::InnerOffset { .. })), "{error}");
}

#[test]
fn lines_that_are_none() {
    let known = of(&layer(&members(), |_| {}));
    let line = known.to_line();
    for cut in [0, 1, line.len() / 2, line.len() - 1] {
        assert!(matches!(read(&line[..cut]), Err(KnownError::Line { .. })), "{cut}");
    }
    for (key, value) in [
        ("blob", json!("sha512:00")),
        ("blobLen", json!(-1)),
        ("diffId", Value::Null),
        ("mediaType", json!(5)),
        ("trust", json!("none")),
        ("tocBytes", json!("many")),
    ] {
        let error = changed(&known, |line| line[key] = value).unwrap_err();
        assert!(matches!(&error, KnownError::Line { .. }) && !error.is_lie(), "{key}: {error}");
    }
    assert!(matches!(
        changed(&known, |line| line["toc"] = json!([])),
        Err(KnownError::Toc(TocError::Json { .. }))
    ));
    assert!(matches!(
        changed(&known, |line| line["toc"]["version"] = 2.into()),
        Err(KnownError::Toc(TocError::Version { actual: 2 }))
    ));
    // By file, without a word of where.
    let unlocated = changed(&known, |line| {
        line["toc"].as_object_mut().unwrap().remove("blob");
    });
    assert_eq!(unlocated, Err(KnownError::Unlocated));
}

#[test]
fn limits_hold_for_lines() {
    let known = of(&layer(&members(), |_| {}));
    let limits = Limits { entries: 3, ..Limits::default() };
    let error = Known::from_line(&known.to_line(), &limits).unwrap_err();
    assert_eq!(error, KnownError::Toc(TocError::TooMany { limit: 3 }));
}

#[test]
fn what_later_versions_add_is_passed_over() {
    let known = of(&layer(&members(), |_| {}));
    let more = changed(&known, |line| {
        line["more"] = json!({"a": [1, 2]});
        line["toc"]["blob"]["more"] = json!(1);
    });
    assert_eq!(more, Ok(known));
}

#[test]
fn texts_and_trust_are_what_they_were() {
    let mut known = of(&layer(&members(), |_| {}));
    known.layer.media_type = "a \"type\"\n\u{1f980}".into();
    known.why = Some(String::from("tab\there"));
    known.vouched = Some(Digest::of(b"x"));
    assert_eq!(read(&known.to_line()), Ok(known));
}
