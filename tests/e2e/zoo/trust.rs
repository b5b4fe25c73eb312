//! Layers that nothing ties to their DiffID but reading them whole: by file where the user trusts the TOC.

use std::io::Read as _;

use serde_json::{Value, json};
use shingle::loopback::{Content, Loopback};
use shingle_core::{Digest, Identity};
use shingle_tests::cli::Shingle;
use shingle_tests::compare::{Difference, compare_tree};
use shingle_tests::here;
use shingle_tests::layout::{GZIP, Image, Layer, ZSTD};
use shingle_tests::need::{Need, have_all};
use shingle_tests::peers::Registry;
use shingle_tests::stargz::{Ending, Form, Stargz, TOC_DIGEST};
use tempfile::TempDir;

use super::{assert_zoo, layer, pushed, zoo_tar};
use crate::scene::{assert_tree, image, lines, noise, serve, serve_all, tar_of};

const CHECKSUM: &str = "io.containers.zstd-chunked.manifest-checksum";
const POSITION: &str = "io.containers.zstd-chunked.manifest-position";

/// What stargz-snapshotter adds to a tar.
const ITS_OWN: [&str; 2] = [".no.prefetch.landmark", "stargz.index.json"];

/// A blob of the zoo that stargz-snapshotter wrote, and its tar.
fn stargz(name: &str) -> (Layer, Vec<u8>) {
    let blob = std::fs::read(here("fixtures/zoo").join(name)).unwrap();
    let said = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let (media_type, tar, annotations) = if name == "zoo.estargz" {
        let mut tar = Vec::new();
        flate2::read::MultiGzDecoder::new(&blob[..]).read_to_end(&mut tar).unwrap();
        let toc = "sha256:bd5800ce15760a09d962b8c4a664d3c5f90dd8a4f8cf416b586098d88fc28551";
        (GZIP, tar, said(&[(TOC_DIGEST, toc)]))
    } else {
        let tar = shingle_core::decompress(&blob, 1 << 30).unwrap();
        let toc = "sha256:f55996efdc74c96d9ea1fde26ef15b2202729d4b7de6c4bcdf5219fa8ced538b";
        let sum = "sha256:81a522471bc737ef69a9c26dd7b2e67a35ae15b06b4dbb845335a74a728110bb";
        (ZSTD, tar, said(&[(TOC_DIGEST, toc), (CHECKSUM, sum), (POSITION, "282435:2299:10816:1")]))
    };
    (Layer { annotations, ..Layer::new(media_type, blob, &tar) }, tar)
}

fn id(report: &Value) -> String {
    let toc: Digest = layer(report)["toc_digest"].as_str().unwrap().parse().unwrap();
    Identity::Toc(toc).id().to_string()
}

fn trusting(shingle: &Shingle, reference: &str) -> Value {
    shingle.run(&["pull", "--json", "--trust", "toc", reference]).json()
}

fn is_its_own(difference: &Difference) -> bool {
    ITS_OWN.contains(&difference.path.as_str())
        && (difference.aspect, difference.actual.as_str()) == ("presence", "\"missing\"")
}

/// Fails unless the tree is the tar's but for what is stargz-snapshotter's own, which must not be there.
fn assert_tree_without_its_own(shingle: &Shingle, id: &str, tar: &[u8], what: &str) {
    let differences = compare_tree(&shingle.tree(id), tar);
    let (own, other): (Vec<_>, Vec<_>) = differences.into_iter().partition(is_its_own);
    assert_eq!(own.len(), ITS_OWN.len(), "{what}:\n{}", lines(&own));
    assert!(other.is_empty(), "{what}:\n{}", lines(&other));
}

#[test]
fn all_of_the_zoo_by_file() {
    if !have_all("zoo::trust::all_of_the_zoo_by_file", &[Need::Root, Need::Registry]) {
        return;
    }
    // Today's form has a tar-split, and is proven as ever.
    let (_registry, reference) = pushed("podman-5.8");
    let shingle = Shingle::new();
    let report = trusting(&shingle, &reference);
    assert_eq!((&layer(&report)["mode"], &layer(&report)["trust"]), (&json!("partial"), &json!("diffid")));
    assert_eq!(layer(&report).get("toc_digest"), None);
    assert_zoo(&shingle, "podman 5.8");

    // Without any TOC a layer is pulled whole, which proves all.
    let (_registry, reference) = pushed("gzip");
    let shingle = Shingle::new();
    let report = trusting(&shingle, &reference);
    assert_eq!((&layer(&report)["mode"], &layer(&report)["trust"]), (&json!("whole"), &json!("diffid")));
    assert_zoo(&shingle, "gzip");

    let (_registry, reference) = pushed("podman-4.3");
    let shingle = Shingle::new();
    let report = trusting(&shingle, &reference);
    assert_eq!((&layer(&report)["mode"], &layer(&report)["trust"]), (&json!("partial"), &json!("toc")));
    let differences = compare_tree(&shingle.tree(&id(&report)), &zoo_tar());
    // It lost extended attributes without a value.
    let lost = |difference: &Difference| difference.expected.contains("user.empty=");
    assert!(differences.iter().all(lost) && differences.len() == 1, "{}", lines(&differences));

    for name in ["zoo.estargz", "zoo.stargz-zstd"] {
        let (written, tar) = stargz(name);
        let layout = TempDir::new().unwrap();
        image(written.clone()).write(layout.path(), "zoo");
        let registry = Registry::start();
        registry.push(layout.path(), "zoo", "zoo");
        let shingle = Shingle::new();
        let report = trusting(&shingle, &registry.reference("zoo"));
        let of = layer(&report);
        assert_eq!((&of["mode"], &of["trust"], &of["toc_digest"]), (
            &json!("partial"),
            &json!("toc"),
            &json!(written.annotations[TOC_DIGEST])
        ));
        assert!(of["toc_bytes"].as_u64() > Some(2_000), "{report}");
        assert!(!shingle.tree(&written.diff_id.to_string()).exists(), "it has a DiffID's name");
        let differences = compare_tree(&shingle.tree(&id(&report)), &tar);
        let (own, other): (Vec<_>, Vec<_>) = differences.into_iter().partition(is_its_own);
        assert_eq!(own.len(), 2, "{}", lines(&own));
        assert!(other.is_empty(), "{name}:\n{}", lines(&other));
    }
}
