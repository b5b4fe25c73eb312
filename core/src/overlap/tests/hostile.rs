//! TOCs made to hurt.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn stored(json: &str, limits: &Limits) -> Toc {
    Toc::from_stored(json.as_bytes(), limits).unwrap()
}

fn one(overlap: &mut Overlap, toc: Toc) -> Result<ImageId, OverlapError> {
    add(overlap, "", &[Made { toc, blob_len: u64::MAX, ..Made::of(&[]) }])
}

#[test]
fn huge_sizes_saturate() {
    let mut limits = Limits::default();
    (limits.file, limits.content) = (u64::MAX, u64::MAX);
    let mut overlap = Overlap::new();
    for _ in 0..2 {
        let entries: Vec<_> = (0..4)
            .map(|number| {
                let digest = Digest::of(&[number]);
                let size = i64::MAX;
                format!(r#"{{"type": "reg", "name": "f{number}", "size": {size}, "digest": "{digest}"}}"#)
            })
            .collect();
        let toc = stored(&format!(r#"{{"version": 1, "entries": [{}]}}"#, entries.join(",")), &limits);
        one(&mut overlap, toc).unwrap();
    }
    let summary = overlap.summary();
    assert_eq!(summary.images[0].files.bytes.logical, u64::MAX);
    assert_eq!(summary.shared_by[1].files.bytes.unlocated, u64::MAX);
    assert_eq!(overlap.matrix().files[0][1].logical, u64::MAX);
    assert_eq!(overlap.view(id(0), Measure::Logical).unwrap().shared[0], u64::MAX);
    assert_eq!(overlap.pull_order().bytes, u64::MAX);
    assert_eq!(overlap.diff(id(0), id(1)).unwrap().summary.same.bytes.logical, u64::MAX);
    assert_eq!(overlap.shared_contents(9).len(), 4);
}

#[test]
fn deep_paths() {
    let deep = "d/".repeat(Limits::default().depth - 1);
    let overlap = overlap(&[&[&[&format!("f {deep}x one")], &["f .wh.d"]], &[&[&format!("f {deep}y one")]]]);
    assert_eq!(overlap.nodes(id(0)), Limits::default().depth + 1);
    let view = overlap.view(id(0), Measure::Logical).unwrap();
    assert!(view.gone[1..].iter().all(|gone| *gone));
    assert_eq!(view.wasted[0], 3);
    let diff = overlap.diff(id(0), id(1)).unwrap();
    assert_eq!(diff.summary.added.count as usize, Limits::default().depth);
    let last = NodeId(number(Limits::default().depth));
    assert_eq!(path(&overlap, 1, last), format!("{deep}y"));
}

#[test]
fn names_that_are_no_text() {
    let mut overlap = Overlap::new();
    let digest = Digest::of(b"x");
    let name = STANDARD.encode(b"\xff\n\xfe\x01{\"\xfc\x80");
    for _ in 0..2 {
        let json = format!(
            r#"{{"version": 1, "entries": [{{"type": "reg", "nameRaw": "{name}", "size": 1, "digest": "{digest}"}}]}}"#
        );
        one(&mut overlap, stored(&json, &Limits::default())).unwrap();
    }
    let diff = overlap.diff(id(0), id(1)).unwrap();
    assert_eq!(diff.changes, []);
    let name = overlap.path(id(0), NodeId(1)).unwrap();
    assert!(core::str::from_utf8(name.as_bytes()).is_err());
    assert_eq!(overlap.find(id(0), name.as_bytes()), Some(NodeId(1)));
    let json = serde_json::to_string(&overlap.view(id(0), Measure::Logical).unwrap()).unwrap();
    assert!(json.starts_with(r#"{"parents":[0,0],"ends":[2,2],"kinds":["dir","reg"]"#), "{json}");
}

#[test]
fn one_path_many_times() {
    let many: Vec<String> = (0..5_000).map(|number| format!("f d/a x{number}")).collect();
    let lines: Vec<&str> = many.iter().map(String::as_str).collect();
    let overlap = overlap(&[&[&lines]]);
    let summary = overlap.summary();
    assert_eq!((summary.images[0].files.count, summary.images[0].wasted.count), (5_000, 4_999));
    assert_eq!(overlap.nodes(id(0)), 3);
}

#[test]
fn many_layers_that_hide_one_another() {
    let layers: Vec<Made> =
        (0..300).map(|number| Made::of(&[&format!("f d/a x{number}"), "f d/b one"])).collect();
    let mut overlap = Overlap::new();
    add(&mut overlap, "", &layers).unwrap();
    let image = &overlap.summary().images[0];
    assert_eq!((image.files.count, image.wasted.count, image.distinct.count), (600, 598, 301));
    assert_eq!(overlap.nodes(id(0)), 4);
}

#[test]
fn hidden_files_behind_links_to_deep_places_cost_no_paths() {
    // Each short name leads to a path of 4,000 bytes; whole paths of all of them would be 8 MB.
    let part = "p".repeat(250);
    let deep = vec![part.as_str(); 16].join("/");
    let mut lines = vec![format!("d {deep}"), format!("l s {deep}")];
    lines.extend((0..2_000).map(|number| format!("f s/f{number} x{number}")));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let top = format!("f .wh.{part}");
    let overlap = overlap(&[&[&lines, &[&top]]]);
    let view = overlap.view(id(0), Measure::Logical).unwrap();
    assert!(view.names.len() < 16 * 251 + 2_000 * 6, "{}", view.names.len());
    assert_eq!(overlap.summary().images[0].wasted.count, 2_000);
}
