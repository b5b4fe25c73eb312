//! One small layer with every kind of entry, written by real tools, from a real registry.

mod trust;

use serde_json::Value;
use shingle::loopback::{Content, Loopback};
use shingle_tests::cli::Shingle;
use shingle_tests::compare::{Rules, compare_tree, compare_tree_by};
use shingle_tests::here;
use shingle_tests::need::{Need, have_all};
use shingle_tests::peers::{LoopFs, Registry};

use crate::scene::lines;

const DIFF_ID: &str = "sha256:a2527a3ac3fbbc68cb94bf7a9614dba688de48aca5878827259a73910a7b7eb2";

fn zoo_tar() -> Vec<u8> {
    std::fs::read(here("fixtures/zoo/zoo.tar")).unwrap()
}

fn assert_zoo(shingle: &Shingle, what: &str) {
    let differences = compare_tree(&shingle.tree(DIFF_ID), &zoo_tar());
    assert!(differences.is_empty(), "{what}:\n{}", lines(&differences));
}

fn layer(report: &Value) -> &Value {
    assert_eq!(report["layers"].as_array().unwrap().len(), 1, "{report}");
    &report["layers"][0]
}

fn pushed(name: &str) -> (Registry, String) {
    let registry = Registry::start();
    registry.push(&here("fixtures/zoo").join(name), "zoo", "zoo");
    let reference = registry.reference("zoo");
    (registry, reference)
}

fn loopback(name: &str) -> (Loopback, String) {
    let registry = Loopback::start(Content::from_layout(&here("fixtures/zoo").join(name)).unwrap()).unwrap();
    let reference = registry.reference("library/zoo:zoo");
    (registry, reference)
}

#[test]
fn podman_5_8_is_pulled_by_file() {
    if !have_all("zoo::podman_5_8_is_pulled_by_file", &[Need::Root, Need::Registry]) {
        return;
    }
    let (_registry, reference) = pushed("podman-5.8");
    let shingle = Shingle::new();
    let report = shingle.pull(&reference);
    assert_eq!(layer(&report)["mode"], "partial", "{report}");
    assert_eq!(layer(&report)["diff_id"], DIFF_ID);
    assert!(layer(&report)["fetched_bytes"].as_u64() <= layer(&report)["blob_bytes"].as_u64(), "{report}");
    assert_zoo(&shingle, "partial");

    let again = shingle.pull(&reference);
    assert_eq!(layer(&again)["mode"], "present", "{again}");
    assert_eq!(layer(&again)["fetched_bytes"], 0, "{again}");
    assert_eq!(again["store_bytes_added"], 0, "{again}");
}

#[test]
fn gzip_is_pulled_whole_and_says_why() {
    if !have_all("zoo::gzip_is_pulled_whole_and_says_why", &[Need::Root, Need::Registry]) {
        return;
    }
    let (_registry, reference) = pushed("gzip");
    let shingle = Shingle::new();
    let report = shingle.pull(&reference);
    assert_eq!(layer(&report)["mode"], "whole", "{report}");
    assert!(layer(&report)["why"].as_str().is_some_and(|why| !why.is_empty()), "{report}");
    assert_zoo(&shingle, "whole");
    // The same tar in another form is the same layer.
    let (_registry, reference) = pushed("podman-5.8");
    let report = shingle.pull(&reference);
    assert_eq!(layer(&report)["mode"], "present", "{report}");
}

/// Podman 4.3 dropped padding at the tar's end, but wrote the DiffID of the tar with it.
#[test]
fn podman_4_3_is_pulled_whole_and_padded_again() {
    if !have_all("zoo::podman_4_3_is_pulled_whole_and_padded_again", &[Need::Root, Need::Registry]) {
        return;
    }
    let (_registry, reference) = pushed("podman-4.3");
    let shingle = Shingle::new();
    let report = shingle.pull(&reference);
    assert_eq!(layer(&report)["mode"], "whole", "{report}");
    let why = layer(&report)["why"].as_str().unwrap_or_default();
    assert!(why.contains("no tar-split") && why.contains("padding"), "{report}");
    assert_zoo(&shingle, "whole");
}

#[test]
fn link_modes_on_each_file_system() {
    if !have_all("zoo::link_modes_on_each_file_system", &[Need::Root, Need::LoopDevices]) {
        return;
    }
    // A second layer of the same files, one of them changed, has donors in the first.
    for kind in ["ext4", "xfs", "btrfs"] {
        for mode in ["auto", "hardlink", "reflink", "copy"] {
            let fs = LoopFs::make(kind);
            let shingle = Shingle::at(&fs.path().join("store"));
            let scene = crate::gc::two_versions();
            shingle.run(&["pull", "--link-mode", mode, &scene.registry.reference("t:one")]).done();
            let outcome =
                shingle.run(&["pull", "--json", "--link-mode", mode, &scene.registry.reference("t:two")]);
            let report = outcome.json();
            let what = format!("{mode} on {kind}");
            crate::scene::assert_tree(&shingle.tree(&scene.two_id), &scene.two, &what);
            let files = &layer(&report)["files"];
            let expected = match (mode, kind) {
                ("auto" | "hardlink", _) => "hardlinked",
                ("reflink", "xfs" | "btrfs") => "reflinked",
                _ => "copied",
            };
            assert!(files[expected].as_u64() > Some(0), "{what}: {report}");
            let (_registry, zoo) = loopback("podman-5.8");
            shingle.run(&["pull", "--link-mode", mode, &zoo]).done();
            assert_zoo(&shingle, &what);
        }
    }
}

#[test]
fn strict_does_not_fall_to_a_weaker_mode() {
    if !have_all("zoo::strict_does_not_fall_to_a_weaker_mode", &[Need::Root, Need::LoopDevices]) {
        return;
    }
    let fs = LoopFs::make("ext4");
    let shingle = Shingle::at(&fs.path().join("store"));
    let scene = crate::gc::two_versions();
    shingle.run(&["pull", &scene.registry.reference("t:one")]).done();
    let reference = scene.registry.reference("t:two");
    shingle.run(&["pull", "--link-mode", "reflink", "--strict", &reference]).failed();
    assert!(!shingle.tree(&scene.two_id).exists());
    shingle.run(&["pull", "--link-mode", "reflink", &reference]).done();
}

#[test]
fn unpack_gives_plain_files() {
    if !have_all("zoo::unpack_gives_plain_files", &[Need::Root]) {
        return;
    }
    let (_registry, reference) = loopback("podman-5.8");
    let shingle = Shingle::new();
    shingle.pull(&reference);
    let plain = shingle.beside("plain");
    shingle.run(&["unpack".as_ref(), reference.as_ref(), plain.as_os_str()]).done();
    let differences = compare_tree(&plain, &zoo_tar());
    // Nothing is below, so nothing is left to hide.
    let other: Vec<_> =
        differences.into_iter().filter(|d| d.path != "gone/deleted" && d.path != "opaque").collect();
    assert!(other.is_empty(), "{}", lines(&other));
    assert!(!plain.join("gone/deleted").exists());
}

#[test]
fn without_root_everything_that_needs_none() {
    if !have_all("zoo::without_root_everything_that_needs_none", &[Need::Root]) {
        return;
    }
    for form in ["podman-5.8", "gzip"] {
        let (_registry, reference) = loopback(form);
        let shingle = Shingle::as_user(65534, 65534);
        let outcome = shingle.run(&["pull", &reference]).done();
        assert!(outcome.stderr.contains("device") && outcome.stderr.contains("owner"), "{}", outcome.stderr);
        let rules = Rules::Unprivileged(65534, 65534);
        let differences = compare_tree_by(&shingle.tree(DIFF_ID), &zoo_tar(), rules);
        assert!(differences.is_empty(), "{form}:\n{}", lines(&differences));
    }
}

#[test]
fn a_store_that_is_shut_is_not_taken_for_an_empty_one() {
    if !have_all("zoo::a_store_that_is_shut_is_not_taken_for_an_empty_one", &[Need::Root]) {
        return;
    }
    let shingle = Shingle::as_user(65534, 65534);
    std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700)
        .create(shingle.root())
        .unwrap();
    for words in [&["images"][..], &["gc"], &["rmi", "x"], &["unpack", "x", "y"], &["pull", "127.0.0.1:1/x"]]
    {
        let outcome = shingle.run(words);
        assert_eq!(outcome.code, Some(2), "{words:?}");
        assert!(outcome.stderr.contains("hint: run as root"), "{words:?}: {}", outcome.stderr);
    }
}
