//! Copies, conversions and pushes, with skopeo, umoci and docker-registry at the other end.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use shingle_core::Digest;
use shingle_tests::cli::{Shingle, succeed};
use shingle_tests::compare::compare_tree;
use shingle_tests::here;
use shingle_tests::need::{Need, have_all};
use shingle_tests::peers::Registry;

use crate::scene::lines;

const DIFF_ID: &str = "sha256:a2527a3ac3fbbc68cb94bf7a9614dba688de48aca5878827259a73910a7b7eb2";
const CONFIG: &str = "sha256:9fbe37a5df065f6bdac780b6197e1174a14de5f063fea2dd7ada67910dee9937";

fn skopeo(words: &[&str]) -> String {
    succeed(Command::new("skopeo").args(words))
}

/// What skopeo finds at a place: the manifest, and its digest.
fn look(place: &str) -> (Value, Digest) {
    let raw = skopeo(&["inspect", "--raw", "--tls-verify=false", place]);
    (serde_json::from_str(&raw).unwrap(), Digest::of(raw.as_bytes()))
}

fn skopeo_copy(from: &str, to: &str) {
    skopeo(&[
        "copy",
        "--quiet",
        "--insecure-policy",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        from,
        to,
    ]);
}

fn zoo(form: &str) -> String {
    format!("oci:{}", here("fixtures/zoo").join(form).display())
}

/// A place of each kind.
fn places(dir: &Path, registry: &Registry, round: &str) -> Vec<String> {
    let path = |name: &str| dir.join(format!("{round}-{name}")).display().to_string();
    vec![
        format!("docker://{}", registry.reference(&format!("{round}/zoo:x"))),
        format!("oci:{}:x", path("oci")),
        format!("oci-archive:{}:x", path("oci.tar")),
        format!("docker-archive:{}:example.com/zoo:x", path("docker.tar")),
        format!("dir:{}", path("dir")),
    ]
}

#[test]
fn skopeo_and_shingle_read_what_the_other_wrote() {
    if !have_all("copy::skopeo_and_shingle_read_what_the_other_wrote", &[Need::Registry]) {
        return;
    }
    let (registry, shingle) = (Registry::start(), Shingle::new());
    let dir = shingle.beside("places");
    std::fs::create_dir(&dir).unwrap();
    for place in places(&dir, &registry, "ours") {
        let report = shingle.run(&["copy", "--json", &zoo("gzip"), &place]).json();
        let (manifest, digest) = look(&place);
        assert_eq!(manifest["config"]["digest"], CONFIG, "{place}");
        if !place.starts_with("docker-archive") {
            assert_eq!(report["digest"], digest.to_string(), "{place}");
        }
        // skopeo reads every byte, and checks every digest.
        skopeo_copy(&place, &format!("dir:{}", dir.join("check").display()));
    }
    for place in places(&dir, &registry, "theirs") {
        skopeo_copy(&zoo("gzip"), &place);
        let to = format!("oci:{}:{}", dir.join("all").display(), place.split(':').next().unwrap());
        shingle.run(&["copy", &place, &to]).done();
        let (manifest, _) = look(&to);
        assert_eq!(manifest["config"]["digest"], CONFIG, "{place}");
        let again =
            shingle.run(&["convert", "--json", &to, &format!("dir:{}", dir.join("new").display())]).json();
        assert_eq!(again["layers"][0]["diff_id"], DIFF_ID, "{place}");
    }
    // zstd:chunked goes through unchanged, where skopeo can hold it at all.
    for place in
        places(&dir, &registry, "chunked").iter().filter(|place| !place.starts_with("docker-archive"))
    {
        let report = shingle.run(&["copy", "--json", &zoo("podman-5.8"), place]).json();
        assert_eq!(report["changed_from"], Value::Null, "{place}");
        assert_eq!(report["digest"], look(place).1.to_string(), "{place}");
    }
}

#[test]
fn umoci_unpacks_our_layouts() {
    let needs = [Need::Root, Need::Umoci, Need::Registry];
    if !have_all("copy::umoci_unpacks_our_layouts", &needs) {
        return;
    }
    let shingle = Shingle::new();
    let (copied, converted) = (shingle.beside("copied"), shingle.beside("converted"));
    shingle.run(&["copy", &zoo("gzip"), &format!("oci:{}:x", copied.display())]).done();
    let to = format!("oci:{}:x", converted.display());
    shingle.run(&["convert", "--compression-format", "gzip", &zoo("podman-5.8"), &to]).done();
    for layout in [&copied, &converted] {
        let image = format!("{}:x", layout.display());
        assert!(succeed(Command::new("umoci").args(["stat", "--image", &image])).contains("SIZE"));
        let bundle = layout.with_extension("bundle");
        succeed(Command::new("umoci").args(["unpack", "--image", &image]).arg(&bundle));
        // umoci applies whiteouts, so that those of the tar are not there; it leaves out empty xattrs, and gives
        // directories that no member names the time of day. All else must be as GNU tar has it.
        let quirks = ["mtime", "user.empty", "/gone/deleted", "/opaque"];
        let tar = std::fs::read(here("fixtures/zoo/zoo.tar")).unwrap();
        let differences = compare_tree(&bundle.join("rootfs"), &tar);
        let other: Vec<_> = differences
            .into_iter()
            .filter(|d| !quirks.iter().any(|quirk| d.to_string().contains(quirk)))
            .collect();
        assert!(other.is_empty(), "{}", lines(&other));
    }
    // This umoci knows no zstd, but it lists such a layout's images.
    let chunked = shingle.beside("chunked");
    shingle.run(&["convert", &zoo("gzip"), &format!("oci:{}:x", chunked.display())]).done();
    assert_eq!(succeed(Command::new("umoci").args(["list", "--layout"]).arg(&chunked)).trim(), "x");
}

#[test]
fn a_converted_image_is_pulled_by_file() {
    if !have_all("copy::a_converted_image_is_pulled_by_file", &[Need::Root, Need::Registry]) {
        return;
    }
    let (registry, shingle) = (Registry::start(), Shingle::new());
    let there = registry.reference("zoo:chunked");
    let report = shingle.run(&["convert", "--json", &zoo("gzip"), &there]).json();
    assert_eq!(report["layers"][0]["outcome"], "rewritten", "{report}");
    let pulled = shingle.pull(&there);
    assert_eq!(pulled["digest"], report["digest"]);
    assert_eq!(pulled["layers"][0]["mode"], "partial", "{pulled}");
    let tar = std::fs::read(here("fixtures/zoo/zoo.tar")).unwrap();
    let differences = compare_tree(&shingle.tree(DIFF_ID), &tar);
    assert!(differences.is_empty(), "{}", lines(&differences));
    assert_eq!(look(&format!("docker://{there}")).0["config"]["digest"], CONFIG);
    // Converted once more, nothing changes and nothing moves.
    let again = shingle.run(&["convert", "--json", &there, &registry.reference("other:chunked")]).json();
    assert_eq!((&again["digest"], &again["layers"][0]["sent"]), (&report["digest"], &Value::from("mounted")));
}

#[test]
fn what_is_pushed_from_the_store_is_the_same_image() {
    if !have_all("copy::what_is_pushed_from_the_store_is_the_same_image", &[Need::Root, Need::Registry]) {
        return;
    }
    let (registry, shingle) = (Registry::start(), Shingle::new());
    registry.push(&here("fixtures/zoo/podman-5.8"), "zoo", "zoo");
    let image = registry.reference("zoo");
    let pulled = shingle.pull(&image);
    for (to, format) in [("a:x", "zstd:chunked"), ("b:x", "gzip"), ("c:x", "zstd")] {
        let there = registry.reference(to);
        shingle.run(&["push", "--compression-format", format, &image, &there]).done();
        let (manifest, _) = look(&format!("docker://{there}"));
        assert_eq!(manifest["config"]["digest"], CONFIG, "{format}");
        let media_type = manifest["layers"][0]["mediaType"].as_str().unwrap();
        assert!(media_type.ends_with(format.split(':').next().unwrap()), "{media_type}");
        let other = Shingle::new();
        let again = other.pull(&there);
        assert_eq!(again["layers"][0]["diff_id"], DIFF_ID);
        // zstd:chunked is zstd, too: the blob that the registry has serves both.
        assert_eq!(again["layers"][0]["mode"], if format == "gzip" { "whole" } else { "partial" });
        if format == "zstd:chunked" {
            assert_eq!(again["digest"], pulled["digest"], "its blob is in the registry already");
        }
    }
    // What a rootless pull could only note is in the tar all the same.
    let user = Shingle::as_user(65534, 65534);
    user.pull(&image);
    let there = registry.reference("d:x");
    user.run(&["push", "--compression-format", "gzip", &image, &there]).done();
    assert_eq!(look(&format!("docker://{there}")).0["config"]["digest"], CONFIG);
}

#[test]
fn a_real_registry_takes_pieces() {
    use shingle::registry::{Client, ClientOptions, Reference};
    use shingle::transport::Section;
    if !have_all("copy::a_real_registry_takes_pieces", &[Need::Registry]) {
        return;
    }
    let (registry, shingle) = (Registry::start(), Shingle::new());
    let bytes = crate::scene::noise(7, 5 * (1 << 20) + 17);
    let path = shingle.beside("blob");
    std::fs::write(&path, &bytes).unwrap();
    let section = Section::of_file(std::fs::File::open(&path).unwrap().into()).unwrap();
    let reference: Reference = registry.reference("pieces:x").parse().unwrap();
    let digest = Digest::of(&bytes);
    for upload_piece in [1 << 20, 3 << 20] {
        let mut options = ClientOptions::default();
        options.tls_verify = false;
        options.upload_piece = upload_piece;
        let client = Client::new(options).unwrap();
        client.put_blob(&reference, digest, &section, None, &|_| {}).unwrap();
        assert!(client.has_blob(&reference, digest).unwrap());
        let mut body = client.blob(&reference, digest, section.len()).open_whole().unwrap();
        let mut back = Vec::new();
        while let Some(bytes) = body.next_bytes().unwrap() {
            back.extend_from_slice(&bytes);
        }
        assert!(back == bytes);
    }
}
