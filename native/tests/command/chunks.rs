//! `shingle chunks`

use std::path::PathBuf;

use serde_json::json;

use super::Scene;

#[test]
fn a_blob_is_shown_front_to_back() {
    let scene = Scene::new();
    let zoo = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/zoo");
    let image = format!("oci:{}", zoo.join("podman-5.8").display());
    let report = scene.run(&["chunks", "--json", &image]).json();
    let layer = &report["layers"][0];
    let parts = layer["parts"].as_array().unwrap();
    let mut end = 0;
    for part in parts.iter().filter(|part| part["kind"] != "hole") {
        assert_eq!(part["offset"], end, "nothing is left out, nothing overlaps: {part}");
        end += part["length"].as_u64().unwrap();
    }
    assert_eq!(layer["blob_bytes"], end);
    let has = |kind: &str| parts.iter().filter(|part| part["kind"] == kind).count();
    assert!(has("hole") > 0 && has("gap") > 0 && has("frames") > 12);
    assert_eq!((has("toc"), has("tar-split"), has("footer")), (1, 1, 1));
    let old = format!("oci:{}", zoo.join("podman-4.3").display());
    let report = scene.run(&["chunks", "--json", &old]).json();
    let tail: Vec<_> = report["layers"][0]["parts"].as_array().unwrap().iter().rev().take(2).collect();
    assert_eq!((&tail[0]["kind"], &tail[0]["length"]), (&json!("footer"), &json!(48)));
    assert_eq!(tail[1]["kind"], "toc");
    let one = scene.run(&["chunks", "--json", &image, "usr/bin/sh"]).json();
    let parts = one["layers"][0]["parts"].as_array().unwrap();
    let plain: u64 = parts.iter().map(|part| part["plain"].as_u64().unwrap()).sum();
    assert!(plain == 300_000 && parts.iter().all(|part| part["path"] == "./usr/bin/tool"), "{one}");
    let gzip = format!("oci:{}", zoo.join("gzip").display());
    assert_eq!(scene.run(&["chunks", "--json", &gzip]).json()["layers"][0]["parts"], json!([]));
    assert!(scene.run(&["chunks", "-q", &gzip]).ok().contains("nobody knows where its chunks lie: no table"));
    let error = scene.run(&["chunks", &image, "usr/bin"]).failed(2);
    assert!(error.contains("hint: `shingle ls` says what it is"), "{error}");
    let error = scene.run(&["chunks", "--layer", "2", &image]).failed(2);
    assert!(error.contains("has layers 1 to 1"), "{error}");
}
