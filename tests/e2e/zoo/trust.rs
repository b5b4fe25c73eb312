//! Layers that nothing ties to their DiffID but reading them whole: by file where the user trusts the TOC.

use std::io::Read as _;

use serde_json::{Value, json};
use shingle::loopback::{Content, Cut, Faults, Loopback, RangeFault};
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
use crate::scene::{assert_tree, image, lines, noise, serve, serve_all, serve_badly, tar_of};

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
        assert_eq!(
            (&of["mode"], &of["trust"], &of["toc_digest"]),
            (&json!("partial"), &json!("toc"), &json!(written.annotations[TOC_DIGEST]))
        );
        assert!(of["toc_bytes"].as_u64() > Some(2_000), "{report}");
        assert!(!shingle.tree(&written.diff_id.to_string()).exists(), "it has a DiffID's name");
        let differences = compare_tree(&shingle.tree(&id(&report)), &tar);
        let (own, other): (Vec<_>, Vec<_>) = differences.into_iter().partition(is_its_own);
        assert_eq!(own.len(), ITS_OWN.iter().filter(|own| holds(&tar, own)).count(), "{}", lines(&own));
        // Its TOC has whole seconds only.
        let rounded = |difference: &Difference| {
            (difference.path.as_str(), difference.aspect) == ("etc/nano", "mtime")
                && difference.actual == "(1700000000, 0)"
        };
        assert!(other.iter().all(rounded) && other.len() == 1, "{name}:\n{}", lines(&other));

        // The image works as any other.
        let plain = shingle.beside("plain");
        let reference = registry.reference("zoo");
        shingle.run(&["unpack".as_ref(), reference.as_ref(), plain.as_os_str()]).done();
        assert!(plain.join("usr/bin/tool").exists() && !plain.join(ITS_OWN[0]).exists());
        let images = shingle.run(&["images", "--json"]).json();
        assert_eq!(images[0]["layers"][0]["tree"], json!(shingle.tree(&id(&report))));
        let inspected = shingle.run(&["inspect", "--json", "--tls-verify=false", &reference]).json();
        assert_eq!((&layer(&inspected)["here"], &layer(&inspected)["trust"]), (&json!(true), &json!("toc")));
        shingle.run(&["gc"]).done();
        let again = trusting(&shingle, &reference);
        assert_eq!((&layer(&again)["mode"], &layer(&again)["trust"]), (&json!("present"), &json!("toc")));
        assert_eq!((&layer(&again)["requests"], id(&again)), (&json!(0), id(&report)));

        // Who does not trust it gets it anew, whole, and the tar's tree.
        let whole = shingle.pull(&reference);
        assert_eq!((&layer(&whole)["mode"], &layer(&whole)["trust"]), (&json!("whole"), &json!("diffid")));
        assert!(layer(&whole)["why"].as_str().unwrap().contains("--trust toc"), "{whole}");
        let differences = compare_tree(&shingle.tree(&written.diff_id.to_string()), &tar);
        assert!(differences.is_empty(), "{name}:\n{}", lines(&differences));
        // What the TOC-trusted layer holds served as donors.
        assert!(layer(&whole)["files"]["hardlinked"].as_u64() > Some(5), "{whole}");
        // The image is the proven one now, and the other layer nobody's.
        assert_eq!(shingle.run(&["gc", "--json"]).json()["layers"], 1);
        assert!(!shingle.tree(&id(&report)).exists());
        shingle.run(&["rmi", &reference]).done();
        assert_eq!(shingle.run(&["gc", "--json"]).json()["layers"], 1);
    }
}

fn holds(tar: &[u8], name: &str) -> bool {
    let mut archive = tar::Archive::new(tar);
    archive.entries().unwrap().any(|entry| entry.unwrap().path_bytes() == name.as_bytes())
}

/// Small files and big ones, cut into chunks in the middle, with one content twice.
fn varied() -> Vec<u8> {
    let twice = noise(7, 9_000);
    tar_of(&[
        ("a/first", noise(1, 10), 0o644, 1_000),
        ("a/second", noise(2, 3_000), 0o600, 2_000),
        ("b/long", noise(3, 150_000), 0o755, 3_000),
        ("b/empty", Vec::new(), 0o644, 4_000),
        ("b/twice", twice.clone(), 0o644, 5_000),
        ("c/twice", twice, 0o640, 6_000),
        ("c/last", noise(4, 70_000), 0o644, 7_000),
    ])
}

fn without_toc(tar: &[u8]) -> Vec<u8> {
    // The tree is compared with the tar's, of which the TOC is no part.
    tar[..tar.len() - 1024].to_vec()
}

#[test]
fn every_footer_and_contents_that_share_members() {
    let tar = varied();
    for ending in [Ending::EStargz, Ending::Legacy, Ending::External] {
        for min_chunk in [0, 5_000, 50_000, usize::MAX] {
            let what = format!("{ending:?}, {min_chunk}");
            let written = Stargz::of(&tar, Form { chunk: 20_000, min_chunk, ending }, |_| {});
            let (own, beside) = (image(written.layer.clone()), written.toc_image());
            let registry = serve_all(&[("latest", &own), ("latest-esgztoc", &beside)]);
            let shingle = Shingle::new();
            let report = trusting(&shingle, &registry.reference("t:latest"));
            assert_eq!(
                (&layer(&report)["mode"], &layer(&report)["trust"]),
                (&json!("partial"), &json!("toc")),
                "{what}"
            );
            assert_tree(&shingle.tree(&id(&report)), &without_toc(&tar), &what);
            assert!(layer(&report)["toc_bytes"].as_u64() > Some(64), "{what}");
            let (fetched, blob) = (&layer(&report)["fetched_bytes"], &layer(&report)["blob_bytes"]);
            // One content comes once, and nothing twice, but the end of the blob that was asked for too early.
            assert!(fetched.as_u64().unwrap() < blob.as_u64().unwrap() + 64_000, "{what}: {report}");

            // A second layer with one file more finds the others here, also under a DiffID.
            let more = [&without_toc(&tar)[..], &tar_of(&[("d", noise(9, 50), 0o644, 8_000)])].concat();
            let next = Stargz::of(&more, Form { chunk: 20_000, min_chunk, ending }, |_| {});
            let (own, beside) = (image(next.layer.clone()), next.toc_image());
            let registry = serve_all(&[("latest", &own), ("latest-esgztoc", &beside)]);
            let report = trusting(&shingle, &registry.reference("t:latest"));
            assert_tree(&shingle.tree(&id(&report)), &more, &what);
            assert_eq!(layer(&report)["files"]["written"], 1, "{what}: {report}");
        }
    }
}

#[test]
fn a_toc_that_should_be_elsewhere_and_is_not() {
    let form = Form { chunk: 20_000, min_chunk: 0, ending: Ending::External };
    let written = Stargz::of(&varied(), form, |_| {});
    let other = Stargz::of(&tar_of(&[("x", noise(1, 9), 0o644, 1)]), form, |_| {});
    let own = image(written.layer.clone());
    let elsewhere = other.toc_image();
    let cases = [(None, "is not there"), (Some(&elsewhere), "has none for it")];
    for (beside, problem) in cases {
        let images = [("latest", Some(&own)), ("latest-esgztoc", beside)];
        let images: Vec<_> = images.into_iter().filter_map(|(tag, image)| Some((tag, image?))).collect();
        let registry = serve_all(&images);
        let shingle = Shingle::new();
        let report = trusting(&shingle, &registry.reference("t:latest"));
        assert_eq!((&layer(&report)["mode"], &layer(&report)["trust"]), (&json!("whole"), &json!("diffid")));
        let why = layer(&report)["why"].as_str().unwrap();
        assert!(why.contains("t:latest-esgztoc") && why.contains(problem), "{why}");
        assert_tree(&shingle.tree(&written.layer.diff_id.to_string()), &written.tar, problem);
    }
    // A TOC of the right name that is another is a lie.
    let mut beside = written.toc_image();
    beside.layers[0].blob = other.toc_blob;
    let beside = Image { manifest: relabelled(&beside), ..beside };
    let registry = serve_all(&[("latest", &own), ("latest-esgztoc", &beside)]);
    let shingle = Shingle::new();
    shingle.run(&["pull", "--trust", "toc", &registry.reference("t:latest")]).refused();
    // Without a tag there is no image beside it.
    let mut content = Content::default();
    let digest = own.put(&mut content, "latest");
    let registry = Loopback::start(content).unwrap();
    let report = trusting(&Shingle::new(), &registry.reference(&format!("t@{digest}")));
    assert!(layer(&report)["why"].as_str().unwrap().contains("without a tag"), "{report}");
}

/// The manifest of an image whose blob was exchanged, as if it had always been that one.
fn relabelled(image: &Image) -> Value {
    let mut manifest = image.manifest.clone();
    let blob = &image.layers[0].blob;
    manifest["layers"][0]["digest"] = json!(Digest::of(blob).to_string());
    manifest["layers"][0]["size"] = json!(blob.len());
    manifest
}

#[test]
fn lies_are_refused_and_leave_nothing() {
    let tar = varied();
    let form = Form { chunk: 20_000, min_chunk: 5_000, ending: Ending::EStargz };
    let lying = |lie: &dyn Fn(&mut Value)| Stargz::of(&tar, form, lie).layer;
    let other_toc = {
        let mut layer = lying(&|_| {});
        layer.annotations.insert(TOC_DIGEST.to_owned(), Digest::EMPTY.to_string());
        layer
    };
    let entry = |name: &'static str, key: &'static str, value: Value| {
        lying(&move |toc: &mut Value| {
            let entries = toc["entries"].as_array_mut().unwrap();
            entries.iter_mut().find(|entry| entry["name"] == name).unwrap()[key] = value.clone();
        })
    };
    let altered = {
        let mut layer = lying(&|_| {});
        layer.blob[100_000] ^= 1;
        layer
    };
    let cases = [
        ("another TOC", other_toc),
        ("data altered on the way", altered),
        ("another file of the right chunks", entry("b/long", "digest", json!(Digest::of(b"x").to_string()))),
        ("a chunk of something else", entry("b/twice", "chunkDigest", json!(Digest::of(b"x").to_string()))),
        ("before the frame", entry("c/last", "innerOffset", json!(-1))),
        ("beyond the frame", entry("c/last", "innerOffset", json!(1_u64 << 38))),
        ("outside the blob", entry("c/last", "offset", json!(1_u64 << 38))),
    ];
    for (what, layer) in cases {
        let registry = serve(&image(layer));
        let shingle = Shingle::new();
        let outcome = shingle.run(&["pull", "--trust", "toc", &registry.reference("t:latest")]);
        assert_eq!(outcome.code, Some(1), "{what}: {}", outcome.stderr);
        assert_eq!(shingle.root().join("trees").read_dir().unwrap().count(), 0, "{what}");
        assert!(shingle.run(&["images", "--json"]).json().as_array().unwrap().is_empty(), "{what}");
    }
}

/// containers/storage 1.47 to 1.53 wrote tar-splits that no TOC vouches for.
#[test]
fn a_tar_split_that_nothing_vouches_for_is_none() {
    let tar = varied();
    let mut parts = shingle_tests::chunked::Parts::of(&tar, 20_000);
    parts.toc["tarSplitDigest"] = json!("");
    let registry = serve(&image(parts.seal()));
    let shingle = Shingle::new();
    let report = trusting(&shingle, &registry.reference("t:latest"));
    assert_eq!((&layer(&report)["mode"], &layer(&report)["trust"]), (&json!("partial"), &json!("toc")));
    assert_tree(&shingle.tree(&id(&report)), &tar, "trusted");
    let record =
        std::fs::read(shingle.root().join("layers").join(&id(&report)[7..]).join("record.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    assert_eq!((&record["trust"], &record["tar_split_bytes"]), (&json!("toc"), &json!(0)));
    assert_eq!(record["toc_digest"], layer(&report)["toc_digest"]);
    let report = shingle.pull(&registry.reference("t:latest"));
    assert_eq!((&layer(&report)["mode"], &layer(&report)["trust"]), (&json!("whole"), &json!("diffid")));
    assert_tree(&shingle.tree(&Digest::of(&tar).to_string()), &tar, "proven");
}

/// An image may claim any DiffID, also the name of a layer that is here on its TOC's word alone.
#[test]
fn a_diffid_is_never_satisfied_by_a_toc() {
    let form = Form { chunk: 20_000, min_chunk: 0, ending: Ending::EStargz };
    let trusted = Stargz::of(&varied(), form, |_| {}).layer;
    let registry = serve(&image(trusted));
    let shingle = Shingle::new();
    let report = trusting(&shingle, &registry.reference("t:latest"));
    let mut claiming = Layer::gzip(&tar_of(&[("other", noise(1, 9), 0o644, 1)]));
    claiming.diff_id = id(&report).parse().unwrap();
    let registry = serve(&image(claiming));
    for trust in ["diffid", "toc"] {
        let outcome = shingle.run(&["pull", "--trust", trust, &registry.reference("u:latest")]);
        assert_eq!(outcome.code, Some(1), "{trust}: {}", outcome.stderr);
    }
}

/// Two blobs with one DiffID are one layer only for those who have it proven.
#[test]
fn one_claimed_diffid_is_not_one_layer() {
    let form = Form { chunk: 20_000, min_chunk: 0, ending: Ending::EStargz };
    let one = Stargz::of(&varied(), form, |_| {});
    let mut two = Stargz::of(&tar_of(&[("other", noise(1, 9), 0o644, 1)]), form, |_| {});
    two.layer.diff_id = one.layer.diff_id;
    let registry = serve(&Image::new(vec![one.layer.clone(), two.layer, one.layer]));
    let shingle = Shingle::new();
    let report = trusting(&shingle, &registry.reference("t:latest"));
    let layers = report["layers"].as_array().unwrap();
    let toc = |at: usize| layers[at]["toc_digest"].as_str().unwrap();
    assert!(toc(0) == toc(2) && toc(0) != toc(1), "{report}");
    assert_eq!(layers[2]["mode"], "present");
    let plain = shingle.beside("plain");
    let reference = registry.reference("t:latest");
    shingle.run(&["unpack".as_ref(), reference.as_ref(), plain.as_os_str()]).done();
    assert!(plain.join("other").exists() && plain.join("c/last").exists());
}

#[test]
fn what_a_layer_is_proven_by_is_said() {
    let form = Form { chunk: 20_000, min_chunk: 0, ending: Ending::EStargz };
    let registry = serve(&image(Stargz::of(&varied(), form, |_| {}).layer));
    let reference = registry.reference("t:latest");
    let shingle = Shingle::new();
    let says = |words: &[&str]| shingle.run(words).done().stderr;
    let trusted = ["pull", "--trust", "toc", &reference];
    assert!(says(&trusted).contains("proven by its TOC alone"));
    assert!(says(&trusted).contains("already here, proven by its TOC alone"));
    assert!(says(&["pull", &reference]).contains("proven by DiffID, whole"));
    // The stronger proof is good enough for those who ask for less.
    assert!(says(&trusted).contains("already here, proven by DiffID"));
}

/// A registry may answer the request for a blob's end in any way that it answers others.
#[test]
fn registries_that_are_odd_about_the_end_of_a_blob() {
    let form = Form { chunk: 20_000, min_chunk: 5_000, ending: Ending::EStargz };
    let tar = varied();
    let written = Stargz::of(&tar, form, |_| {});
    let cut = Some(Cut { after: 1_000, times: 2 });
    let odd = |ranges| Faults { ranges, ..Faults::default() };
    let cases = [
        (odd(RangeFault::Ignored), "whole"),
        (odd(RangeFault::Status(416)), "whole"),
        (odd(RangeFault::Before(100)), "partial"),
        (odd(RangeFault::Unlabelled), "partial"),
        (Faults { cut, ..Faults::default() }, "partial"),
    ];
    for (faults, mode) in cases {
        let what = format!("{faults:?}");
        let registry = serve_badly(&image(written.layer.clone()), faults);
        let shingle = Shingle::new();
        let report = trusting(&shingle, &registry.reference("t:latest"));
        assert_eq!(layer(&report)["mode"], mode, "{what}: {report}");
        if mode == "partial" {
            assert_tree(&shingle.tree(&id(&report)), &without_toc(&tar), &what);
        } else {
            assert_tree(&shingle.tree(&written.layer.diff_id.to_string()), &written.tar, &what);
            // A whole blob that came in place of its end was not asked for again.
            let blob = layer(&report)["blob_bytes"].as_u64().unwrap();
            assert!(layer(&report)["fetched_bytes"].as_u64().unwrap() < blob + 1_000, "{what}: {report}");
        }
    }
}

/// Docker's manifests have media types of their own, and no annotations.
#[test]
fn dockers_media_types_and_odd_streams_are_read_whole() {
    let tar = varied();
    let (half, rest) = tar.split_at(tar.len() / 3);
    let gzip = |plain: &[u8]| Layer::gzip(plain).blob;
    let zstd = shingle_core::compress;
    let skippable = [&b"\x5a\x2a\x4d\x18\x05\0\0\0"[..], b"notes"].concat();
    let docker = "application/vnd.docker.image.rootfs.diff.tar";
    let oci = "application/vnd.oci.image.layer.v1.tar";
    let cases = [
        (format!("{docker}.gzip"), gzip(&tar)),
        (format!("{docker}.gzip"), [gzip(half), gzip(b""), gzip(rest)].concat()),
        (format!("{docker}.zstd"), zstd(&tar)),
        (
            format!("{docker}.zstd"),
            [&skippable[..], &zstd(half), &zstd(b""), &skippable, &zstd(rest)].concat(),
        ),
        (docker.to_owned(), tar.clone()),
        (format!("{oci}+gzip"), [gzip(half), gzip(rest), vec![0; 300]].concat()),
        (format!("{oci}+zstd"), [zstd(b""), zstd(half), zstd(rest), skippable.clone()].concat()),
        (oci.to_owned(), tar.clone()),
        // Whatever the label says, the bytes decide.
        (format!("{oci}+gzip"), zstd(&tar)),
    ];
    for (media_type, blob) in cases {
        let mut image = image(Layer::new(&media_type, blob, &tar));
        let (manifest, config_type) = if media_type.starts_with(docker) {
            let manifest = "application/vnd.docker.distribution.manifest.v2+json";
            (manifest, "application/vnd.docker.container.image.v1+json")
        } else {
            (shingle_tests::layout::MANIFEST, "application/vnd.oci.image.config.v1+json")
        };
        let config = image.config.to_string();
        image.manifest["config"] = json!({
            "mediaType": config_type,
            "digest": Digest::of(config.as_bytes()).to_string(),
            "size": config.len(),
        });
        image.manifest["mediaType"] = json!(manifest);
        let mut content = Content::default();
        content.add_blob(config);
        content.add_blob(image.layers[0].blob.clone());
        content.add_manifest(Some("latest"), manifest, image.manifest.to_string());
        let registry = Loopback::start(content).unwrap();
        let shingle = Shingle::new();
        let report = trusting(&shingle, &registry.reference("t:latest"));
        assert_eq!(
            (&layer(&report)["mode"], &layer(&report)["trust"]),
            (&json!("whole"), &json!("diffid")),
            "{media_type}"
        );
        assert_tree(&shingle.tree(&Digest::of(&tar).to_string()), &tar, &media_type);
    }
}
