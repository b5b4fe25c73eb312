//! `shingle verify`: what is right, what is not, and with which status it leaves.

use std::path::{Path, PathBuf};

use serde_json::Value;
use shingle::loopback::{Faults, Loopback, RangeFault};

use super::{Scene, fixture};

const ZOO_BLOB: &str = "0306b1830c52cf89dc10748a1d15ecdc00138069de068da02b97c5e7e9abe9b7";

fn layout(name: &str) -> String {
    format!("oci:{}/../tests/fixtures/zoo/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Copies podman's zoo into the scene, so that it can be damaged; returns its blob's path.
fn copied(scene: &Scene) -> PathBuf {
    let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/zoo/podman-5.8");
    let to = scene.home.path().join("zoo");
    std::fs::create_dir_all(to.join("blobs/sha256")).unwrap();
    for name in ["index.json", "oci-layout"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
    for blob in std::fs::read_dir(from.join("blobs/sha256")).unwrap() {
        let blob = blob.unwrap();
        std::fs::copy(blob.path(), to.join("blobs/sha256").join(blob.file_name())).unwrap();
    }
    to.join("blobs/sha256").join(ZOO_BLOB)
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// Returns the codes of what is wrong, and of what is noted, in the first layer.
fn codes(report: &Value) -> [Vec<&str>; 2] {
    ["wrong", "note"].map(|severity| {
        let findings = report["layers"][0]["findings"].as_array().unwrap().iter();
        let findings = findings.filter(|finding| finding["severity"] == severity);
        findings.map(|finding| finding["code"].as_str().unwrap()).collect()
    })
}

#[test]
fn real_images() {
    let scene = Scene::new();
    let said = scene.run(&["verify", &layout("podman-5.8")]);
    assert_eq!(said.stderr, "Verified 1 layer: nothing is wrong.\n");
    let said = said.ok();
    assert!(said.starts_with("Layer 1 0306b1830c52  zstd:chunked  33 members in 38 frames: ok\n"), "{said}");
    assert!(!said.contains("not compared"), "{said}");
    assert!(!scene.home.path().join("store").exists(), "who only looks makes no store");

    let said = scene.run(&["verify", &layout("gzip"), "--quiet"]).ok();
    assert!(said.contains("  gzip  33 members in 1 frame: ok\n  not compared: TOC digest, "), "{said}");

    // Podman 4.3 left the padding out of the tar, and an xattr without a value out of the TOC.
    let said = scene.run(&["verify", &layout("podman-4.3")]);
    assert_eq!(said.status, 1);
    assert!(said.stderr.ends_with(": 2 differences in 1 of 1 layer\n"), "{}", said.stderr);
    let line = r#"  entry 18 "./etc/xattr", extended attributes: TOC and tar disagree: the TOC says ["user.note"="hello"],"#;
    assert!(said.stdout.contains(line), "{}", said.stdout);
    let said = scene.run(&["verify", "--json", &layout("podman-4.3")]);
    assert_eq!(said.status, 1);
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(report["wrong"], 2);
    assert_eq!(codes(&report), [vec!["entry.field", "diff_id.padding"], vec!["tar_split.none"]]);
    let first = &report["layers"][0]["findings"][0];
    assert_eq!((&first["entry"], &first["name"]), (&18.into(), &"./etc/xattr".into()));
    assert_eq!(first["field"], "extended attributes");
}

#[test]
fn damaged_blobs() {
    let scene = Scene::new();
    let blob = copied(&scene);
    let verify = || {
        let said = scene.run(&["verify", "--json", "oci:zoo"]);
        (said.status, serde_json::from_str::<Value>(&said.stdout).unwrap(), said.stderr)
    };
    change(&blob, |bytes| bytes[79_400] ^= 0x10);
    let (status, report, stderr) = verify();
    assert_eq!((status, &report["wrong"]), (1, &2.into()));
    assert_eq!(codes(&report)[0], ["blob.digest", "frame.decode"]);
    assert!(stderr.starts_with(r#"{"error":"oci:zoo: 2 differences in 1 of 1 layer"}"#), "{stderr}");
    assert_eq!(report["layers"][0]["findings"][1]["blob_offset"], 78_999);

    // Of another length than the manifest says: looked at all the same.
    change(&blob, |bytes| {
        bytes[79_400] ^= 0x10;
        bytes.push(0);
    });
    let (status, report, _) = verify();
    assert_eq!(status, 1);
    assert!(codes(&report)[0].starts_with(&["blob.size", "blob.digest"]), "{report}");

    std::fs::remove_file(&blob).unwrap();
    let error = scene.run(&["verify", "oci:zoo"]).failed(2);
    assert!(error.starts_with("error: cannot verify layer 1 of oci:zoo (sha256:0306"), "{error}");
    let config = "9fbe37a5df065f6bdac780b6197e1174a14de5f063fea2dd7ada67910dee9937";
    change(&blob.with_file_name(config), |bytes| bytes[0] ^= 1);
    let error = scene.run(&["verify", "oci:zoo"]).failed(1);
    assert!(error.contains(config), "{error}");
}

#[test]
fn from_a_registry() {
    let (scene, registry) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let image = registry.reference("demo:v1");
    let verify =
        |words: &[&str]| scene.run(&[&["verify", "--tls-verify=false", "--json", &image], words].concat());
    let all = verify(&[]).json();
    assert_eq!((all["layers"].as_array().unwrap().len(), &all["wrong"]), (2, &0.into()));
    let second = verify(&["--layer", "2"]).json();
    assert_eq!(second["layers"].as_array().unwrap()[..], all["layers"].as_array().unwrap()[1..]);
    let error = verify(&["--layer", "3"]).failed(2);
    assert!(error.contains("there is no layer 3: the image has 2 layers"), "{error}");
    // A registry that gives no parts is read twice.
    registry.misbehave(Faults { ranges: RangeFault::Ignored, ..Faults::default() });
    assert_eq!(verify(&[]).json(), all);
}

#[test]
fn an_index_of_two_platforms() {
    let scene = Scene::new();
    let blob = copied(&scene);
    let blobs = blob.parent().unwrap();
    let layout: Value =
        serde_json::from_slice(&std::fs::read(scene.home.path().join("zoo/index.json")).unwrap()).unwrap();
    let image = &layout["manifests"][0];
    let of = |architecture: &str| {
        let mut image = image.clone();
        image["platform"] = serde_json::json!({"os": "linux", "architecture": architecture});
        image
    };
    let statement = serde_json::json!({
        "mediaType": image["mediaType"], "size": 9, "digest": format!("sha256:{}", "0".repeat(64)),
        "platform": {"os": "unknown", "architecture": "unknown"}
    });
    let empty = serde_json::json!({
        "mediaType": "application/vnd.oci.empty.v1+json", "size": 2,
        "digest": shingle_core::Digest::of(b"{}"),
    });
    let artifact = serde_json::json!({"schemaVersion": 2, "mediaType": image["mediaType"], "config": empty, "layers": []});
    let artifact = artifact.to_string();
    let digest = shingle_core::Digest::of(artifact.as_bytes());
    std::fs::write(blobs.join(digest.to_hex()), &artifact).unwrap();
    let artifact =
        serde_json::json!({"mediaType": image["mediaType"], "size": artifact.len(), "digest": digest});
    let media_type = "application/vnd.oci.image.index.v1+json";
    let index = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type,
        "manifests": [of("amd64"), artifact, of("arm64"), statement]
    });
    let index = index.to_string();
    let digest = shingle_core::Digest::of(index.as_bytes());
    std::fs::write(blobs.join(digest.to_hex()), &index).unwrap();
    let top = serde_json::json!({
        "schemaVersion": 2,
        "manifests": [{"mediaType": media_type, "digest": digest.to_string(), "size": index.len()}]
    });
    std::fs::write(scene.home.path().join("zoo/index.json"), top.to_string()).unwrap();
    let verify = |words: &[&str]| scene.run(&[&["verify", "--json", "oci:zoo"], words].concat()).json();
    let platforms = |report: &Value| -> Vec<String> {
        let layers = report["layers"].as_array().unwrap().iter();
        layers.map(|layer| layer["platform"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(platforms(&verify(&[])), ["linux/amd64", "linux/arm64"]);
    assert_eq!(platforms(&verify(&["--platform", "linux/arm64"])), ["linux/arm64"]);
    change(&blob, |bytes| bytes[79_400] ^= 0x10);
    let said = scene.run(&["verify", "oci:zoo"]);
    assert_eq!(said.status, 1);
    assert!(said.stderr.ends_with("4 differences in 2 of 2 layers\n"), "{}", said.stderr);
    assert!(said.stdout.contains("  linux/arm64  zstd:chunked  "), "{}", said.stdout);
}
