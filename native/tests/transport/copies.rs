//! Images from every kind of place to every other.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use shingle::loopback::{Content, Faults, Loopback, UploadFaults};
use shingle::registry::Platform;
use shingle::transfer::{BlobOutcome, CopyOptions, CopyReport, Quiet, Which, copy};
use shingle::transport::{Location, TransferError, open_destination, open_source};
use shingle_core::Digest;

use crate::{client, fixture};

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn try_copy(from: &str, to: &str, which: Which) -> Result<CopyReport, TransferError> {
    let (from, to): (Location, Location) = (from.parse().unwrap(), to.parse().unwrap());
    let source = open_source(&from, &client())?;
    let destination = open_destination(&to, &client())?;
    let mut options = CopyOptions::default();
    options.which = which;
    copy(&*source, destination, &options, &Quiet)
}

fn here() -> Which {
    Which::One(Platform::host())
}

/// What an image is, wherever it lies: its config and its layers' tars.
fn content(location: &str) -> (Digest, Vec<Digest>) {
    let source = open_source(&location.parse().unwrap(), &client()).unwrap();
    let top = source.top().unwrap();
    let manifest = top.manifest().unwrap();
    let config = source.small_blob(&manifest.config, 1 << 20).unwrap();
    let diff_ids = top.diff_ids(&config).unwrap();
    for (layer, diff_id) in manifest.layers.iter().zip(&diff_ids) {
        let mut unwrap = shingle_core::Unwrap::new(&shingle_core::Limits::default());
        let (mut hasher, mut bytes) = (shingle_core::Hasher::new(), Vec::new());
        let mut reader = source.open_blob(layer.digest, layer.size).unwrap();
        std::io::Read::read_to_end(&mut reader, &mut bytes).unwrap();
        let mut plain = unwrap.receive(&bytes);
        while let Some(piece) = plain.next_piece().unwrap() {
            hasher.update(piece);
        }
        unwrap.finish(&layer.digest).unwrap();
        assert_eq!(hasher.finish(), *diff_id, "{location}");
    }
    (manifest.config.digest, diff_ids)
}

/// One image in Docker's form, for a registry: gzip layers, one of them there twice.
fn docker_image(content: &mut Content, tag: Option<&str>, architecture: &str) -> (Digest, usize) {
    let tar = |name: &str| {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(4);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("{name}-{architecture}"), &b"text"[..]).unwrap();
        tar.into_inner().unwrap()
    };
    let gzip = |tar: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, tar).unwrap();
        gzip.finish().unwrap()
    };
    let tars = [tar("a"), tar("b"), tar("a")];
    let config = json!({
        "architecture": architecture, "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": tars.iter().map(|tar| Digest::of(tar)).collect::<Vec<_>>()},
    });
    let config = serde_json::to_vec(&config).unwrap();
    let descriptor = |media_type: &str, digest: Digest, size: usize| json!({"mediaType": media_type, "digest": digest, "size": size});
    let layers: Vec<Value> = tars
        .iter()
        .map(|tar| {
            let blob = gzip(tar);
            let size = blob.len();
            let digest = content.add_blob(blob);
            descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", digest, size)
        })
        .collect();
    let size = config.len();
    let config = content.add_blob(config);
    let manifest = json!({
        "schemaVersion": 2, "mediaType": DOCKER_MANIFEST,
        "config": descriptor("application/vnd.docker.container.image.v1+json", config, size),
        "layers": layers,
    });
    let manifest = serde_json::to_vec_pretty(&manifest).unwrap();
    let size = manifest.len();
    (content.add_manifest(tag, DOCKER_MANIFEST, manifest), size)
}

fn docker_list(content: &mut Content, tag: &str) -> Digest {
    let entries: Vec<Value> = ["amd64", "arm64"]
        .map(|architecture| {
            let (digest, size) = docker_image(content, None, architecture);
            json!({
                "mediaType": DOCKER_MANIFEST, "digest": digest, "size": size,
                "platform": {"os": "linux", "architecture": architecture, "os.features": ["kept"]},
            })
        })
        .into();
    let list = json!({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": entries});
    content.add_manifest(Some(tag), DOCKER_LIST, serde_json::to_vec(&list).unwrap())
}

fn places(registry: &Loopback, work: &Path, round: &str) -> BTreeMap<&'static str, String> {
    let path = |name: &str| work.join(format!("{name}-{round}")).display().to_string();
    BTreeMap::from([
        ("registry", format!("docker://{}", registry.reference(&format!("r{round}/image:v1")))),
        ("oci", format!("oci:{}:v1", path("oci"))),
        ("oci-archive", format!("oci-archive:{}:v1", path("oci-archive"))),
        ("docker-archive", format!("docker-archive:{}:some/image:v1", path("docker-archive"))),
        ("dir", format!("dir:{}", path("dir"))),
    ])
}

#[test]
fn every_place_to_every_other() {
    let mut served = Content::default();
    let (docker, _) = docker_image(&mut served, Some("docker"), "amd64");
    let from = Loopback::start(served).unwrap();
    let oci = Loopback::start(Content::from_layout(&fixture("demo")).unwrap()).unwrap();
    for (kind, original, digest) in [
        ("docker", from.reference("x:docker"), docker),
        (
            "oci",
            oci.reference("x:v1"),
            open_source(&oci.reference("x:v1").parse().unwrap(), &client()).unwrap().top().unwrap().digest,
        ),
    ] {
        let expected = content(&original);
        let (to, work) = (Loopback::start(Content::default()).unwrap(), tempfile::tempdir().unwrap());
        for (first, from) in &places(&to, work.path(), "0") {
            let report = try_copy(&original, from, here()).unwrap();
            let keeps = kind == "oci" && *first != "docker-archive" || matches!(*first, "registry" | "dir");
            if keeps {
                assert_eq!((report.digest, report.changed_from), (digest, None), "{kind} {first}");
            }
            assert_eq!(content(from), expected, "{kind} {first}");
            for (second, to) in &places(&to, work.path(), &format!("{first}-{kind}").replace('.', "-")) {
                let before = open_source(&from.parse().unwrap(), &client()).unwrap().top().unwrap();
                let report = try_copy(from, to, here()).unwrap_or_else(|e| panic!("{first} {second}: {e:?}"));
                assert_eq!(content(to), expected, "{kind} {first} {second}");
                let oci = before.media_type == OCI_MANIFEST;
                if matches!(*second, "registry" | "dir") || oci && second.starts_with("oci") {
                    assert_eq!(report.digest, before.digest, "{kind} {first} {second}");
                    let after = open_source(&to.parse().unwrap(), &client()).unwrap().top().unwrap();
                    assert_eq!(after, before, "{kind} {first} {second}");
                }
            }
        }
        assert!(
            std::fs::read_dir(work.path())
                .unwrap()
                .all(|entry| { !entry.unwrap().file_name().to_string_lossy().ends_with(".tmp") })
        );
    }
}

#[test]
fn an_index_is_copied_whole_or_for_one_platform() {
    let mut served = Content::default();
    let list = docker_list(&mut served, "list");
    let registry = Loopback::start(served).unwrap();
    let (to, work) = (Loopback::start(Content::default()).unwrap(), tempfile::tempdir().unwrap());
    let source = registry.reference("x:list");
    for (name, place) in &places(&to, work.path(), "all") {
        let copied = try_copy(&source, place, Which::All);
        if *name == "docker-archive" {
            assert!(matches!(copied, Err(TransferError::OneImage)));
            continue;
        }
        let report = copied.unwrap();
        // Two layers and a config for each platform: what is there twice goes once.
        assert_eq!((report.images, report.blobs.len()), (2, 6), "{name}");
        let there = open_source(&place.parse().unwrap(), &client()).unwrap();
        let index = there.top().unwrap();
        assert_eq!(index.digest, report.digest);
        let oci = name.starts_with("oci");
        assert_eq!(index.digest == list, !oci, "{name}");
        assert_eq!(index.media_type, if oci { OCI_INDEX } else { DOCKER_LIST });
        let entries = index.index().unwrap().manifests;
        for (entry, architecture) in entries.iter().zip(["amd64", "arm64"]) {
            assert_eq!(entry.platform().unwrap().architecture(), architecture);
            assert_eq!(entry.other["platform"]["os.features"], json!(["kept"]));
            let manifest = there.manifest(entry).unwrap();
            assert_eq!(manifest.media_type, if oci { OCI_MANIFEST } else { DOCKER_MANIFEST });
        }
    }
    for (name, place) in &places(&to, work.path(), "one") {
        let report = try_copy(&source, place, Which::One("linux/arm64".parse().unwrap())).unwrap();
        assert_eq!(report.images, 1, "{name}");
        let (config, _) = content(place);
        let there = open_source(&place.parse().unwrap(), &client()).unwrap();
        let manifest = there.top().unwrap().manifest().unwrap();
        let config_bytes = there.small_blob(&manifest.config, 1 << 20).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&config_bytes).unwrap()["architecture"], "arm64");
        assert_eq!(config, Digest::of(&config_bytes));
    }
    let error = try_copy(
        &source,
        &format!("dir:{}/none", work.path().display()),
        Which::One("linux/s390x".parse().unwrap()),
    );
    assert!(error.unwrap_err().hint().unwrap().contains("--platform"));
}

#[test]
fn nothing_goes_twice_and_mounts_move_nothing() {
    let to = Loopback::start(Content::default()).unwrap();
    let layout = format!("oci:{}:v1", fixture("demo").display());
    let (a, b) = (to.reference("a/x:v1"), to.reference("b/x:v1"));
    let outcomes = |report: &CopyReport| report.blobs.iter().map(|blob| blob.outcome).collect::<Vec<_>>();
    let patches = || to.log().iter().filter(|line| line.method == "PATCH").count();
    let first = try_copy(&layout, &a, here()).unwrap();
    assert_eq!((outcomes(&first), patches()), (vec![BlobOutcome::Copied; 3], 3));
    let again = try_copy(&layout, &a, here()).unwrap();
    assert_eq!((outcomes(&again), patches()), (vec![BlobOutcome::Present; 3], 3));
    let mounted = try_copy(&a, &b, here()).unwrap();
    assert_eq!((outcomes(&mounted), patches()), (vec![BlobOutcome::Mounted; 3], 3));
    assert_eq!((mounted.copied_bytes, mounted.digest), (0, first.digest));
    let uploads = UploadFaults { refuse_mounts: true, ..UploadFaults::default() };
    to.misbehave(Faults { uploads, ..Faults::default() });
    let carried = try_copy(&a, &to.reference("c/x:v1"), here()).unwrap();
    assert_eq!((outcomes(&carried), patches()), (vec![BlobOutcome::Copied; 3], 6));
    let posts = to.log().iter().filter(|line| line.path.contains("/v2/c/x") && line.method == "POST").count();
    assert_eq!(posts, 3, "the upload that a refused mount opens is used");
    let last = to.log().last().unwrap().path.clone();
    assert!(last.contains("/manifests/"), "{last}");
}

#[test]
fn a_digest_in_a_name_is_meant() {
    let (to, demo) =
        (Loopback::start(Content::default()).unwrap(), format!("oci:{}:v1", fixture("demo").display()));
    let digest = open_source(&demo.parse().unwrap(), &client()).unwrap().top().unwrap().digest;
    let place = |digest: Digest| format!("docker://{}", to.reference(&format!("a/x@{digest}")));
    assert_eq!(try_copy(&demo, &place(digest), here()).unwrap().digest, digest);
    let error = try_copy(&demo, &place(Digest::of(b"other")), here()).unwrap_err();
    assert!(matches!(error, TransferError::Digest { .. }), "{error:?}");
}

#[test]
fn a_layout_keeps_its_other_images_and_moves_a_tag() {
    let work = tempfile::tempdir().unwrap();
    let demo = |tag: &str| format!("oci:{}:{tag}", fixture("demo").display());
    let there = |tag: &str| format!("oci:{}:{tag}", work.path().display());
    let v1 = try_copy(&demo("v1"), &there("a"), here()).unwrap().digest;
    let v2 = try_copy(&demo("v2"), &there("b"), here()).unwrap().digest;
    let top = |tag: &str| open_source(&there(tag).parse().unwrap(), &client()).unwrap().top().unwrap().digest;
    assert_eq!((top("a"), top("b")), (v1, v2));
    try_copy(&demo("v2"), &there("a"), here()).unwrap();
    assert_eq!((top("a"), top("b")), (v2, v2));
    let index: Value =
        serde_json::from_slice(&std::fs::read(work.path().join("index.json")).unwrap()).unwrap();
    let names: Vec<_> =
        index["manifests"].as_array().unwrap().iter().map(|entry| &entry["annotations"]).collect();
    assert_eq!(names.len(), 3, "as skopeo has it, the old image stays without a name: {index}");
    assert_eq!(names.iter().filter(|name| name.is_null()).count(), 1, "{index}");
}

#[test]
fn what_a_layout_says_of_other_images_stays_as_it_is() {
    let work = tempfile::tempdir().unwrap();
    let demo = format!("oci:{}:v1", fixture("demo").display());
    let there = format!("oci:{}:a", work.path().display());
    let old = json!({"digest": Digest::of(b"old"), "size": 3, "urls": [], "odd": {"a": [1, null]}});
    let index = json!({"schemaVersion": 2, "manifests": [old], "odd": true});
    std::fs::create_dir(work.path().join("blobs")).unwrap();
    std::fs::write(work.path().join("index.json"), serde_json::to_vec(&index).unwrap()).unwrap();
    try_copy(&demo, &there, here()).unwrap();
    let now: Value = serde_json::from_slice(&std::fs::read(work.path().join("index.json")).unwrap()).unwrap();
    assert_eq!((&now["manifests"][0], &now["odd"]), (&old, &json!(true)));
    assert_eq!(now["manifests"].as_array().unwrap().len(), 2);
}

#[test]
fn a_layout_that_cannot_be_added_to_is_left_alone() {
    let demo = format!("oci:{}:v1", fixture("demo").display());
    let (v1, v2) = (r#"{"imageLayoutVersion":"1.0.0"}"#, r#"{"imageLayoutVersion":"2.0.0"}"#);
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    for (layout, index) in [(v2, index), ("{", index), (v1, "{")] {
        let work = tempfile::tempdir().unwrap();
        std::fs::write(work.path().join("oci-layout"), layout).unwrap();
        std::fs::write(work.path().join("index.json"), index).unwrap();
        let error = try_copy(&demo, &format!("oci:{}:x", work.path().display()), here()).unwrap_err();
        assert!(matches!(error, TransferError::Form { .. }), "{error:?}");
        assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 2, "no blob was brought");
    }
}

#[test]
fn an_index_that_leads_to_more_than_there_is_room_for_is_refused() {
    let mut content = Content::default();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "annotations": {"a": "a".repeat(1 << 20)}, "layers": [],
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": Digest::of(b""), "size": 0},
    });
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let size = manifest.len();
    let digest = content.add_manifest(None, OCI_MANIFEST, manifest);
    let entry = json!({"mediaType": OCI_MANIFEST, "digest": digest, "size": size});
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": vec![entry; 10_000]});
    content.add_manifest(Some("x"), OCI_INDEX, serde_json::to_vec(&index).unwrap());
    let (from, work) = (Loopback::start(content).unwrap(), tempfile::tempdir().unwrap());
    let error = try_copy(&from.reference("x:x"), &format!("oci:{}", work.path().display()), Which::All);
    assert!(matches!(error, Err(TransferError::TooLarge { .. })), "{error:?}");
    let source = open_source(&from.reference("x:x").parse().unwrap(), &client()).unwrap();
    let error = shingle::verify::images(&*source, None);
    assert!(matches!(error, Err(TransferError::TooLarge { .. })), "{error:?}");
    assert!(
        from.log().iter().all(|line| !line.path.contains(&digest.to_string())),
        "nothing is fetched for it"
    );
}

#[test]
fn a_copy_that_fails_leaves_no_trace_and_takes_nothing_away() {
    let work = tempfile::tempdir().unwrap();
    let mut served = Content::from_layout(&fixture("demo")).unwrap();
    let lost = served.add_manifest(Some("lost"), OCI_MANIFEST, serde_json::to_vec(&json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": Digest::of(b"lost"), "size": 4},
        "layers": [],
    })).unwrap());
    let registry = Loopback::start(served).unwrap();
    let to = Loopback::start(Content::default()).unwrap();
    for (name, place) in &places(&to, work.path(), "0") {
        if *name != "docker-archive" {
            try_copy(&registry.reference("x:v1"), place, here()).unwrap();
        }
    }
    let listing = || {
        let mut names: Vec<_> =
            std::fs::read_dir(work.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = listing();
    for (name, place) in &places(&to, work.path(), "0") {
        let error = try_copy(&registry.reference("x:lost"), place, here()).unwrap_err();
        assert!(matches!(error, TransferError::Registry(_)), "{name}: {error:?}");
        assert_eq!(listing(), before, "{name}");
        if *name != "docker-archive" {
            let top = open_source(&place.parse().unwrap(), &client()).unwrap().top().unwrap();
            assert_ne!(top.digest, lost, "{name}");
        }
    }
}

#[test]
fn what_would_be_lost_is_not_overwritten() {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("mine");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("thesis.txt"), "irreplaceable").unwrap();
    let demo = format!("oci:{}:v1", fixture("demo").display());
    for transport in ["dir", "oci"] {
        let error = try_copy(&demo, &format!("{transport}:{}", path.display()), here()).unwrap_err();
        assert!(matches!(error, TransferError::Form { .. }), "{error:?}");
    }
    let error =
        try_copy(&demo, &format!("docker-archive:{}/thesis.txt", path.display()), here()).unwrap_err();
    assert!(matches!(error, TransferError::Exists { .. }), "{error:?}");
    assert_eq!(std::fs::read(path.join("thesis.txt")).unwrap(), b"irreplaceable");
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1);
}

#[test]
fn only_files_and_images_are_replaced() {
    let work = tempfile::tempdir().unwrap();
    let demo = format!("oci:{}:v1", fixture("demo").display());
    let at = |name: &str| work.path().join(name);
    std::fs::create_dir(at("directory")).unwrap();
    std::fs::write(at("directory/thesis.txt"), "irreplaceable").unwrap();
    std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    for (name, target) in [("to a socket", "socket"), ("to nowhere", "none"), ("to all", "directory")] {
        std::os::unix::fs::symlink(at(target), at(name)).unwrap();
    }
    let listing = || {
        let names = std::fs::read_dir(work.path()).unwrap().map(|entry| entry.unwrap());
        let mut names: Vec<_> = names.map(|entry| (entry.file_name(), entry.file_type().unwrap())).collect();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        format!("{names:?}")
    };
    let before = listing();
    for name in ["directory", "socket", "to a socket", "to nowhere", "to all"] {
        for transport in ["oci-archive", "docker-archive", "dir"] {
            let error = try_copy(&demo, &format!("{transport}:{}", at(name).display()), here()).unwrap_err();
            assert_eq!(listing(), before, "{transport} {name}: {error:?}");
        }
    }
}

#[test]
fn what_came_meanwhile_is_not_taken_away() {
    let work = tempfile::tempdir().unwrap();
    let place = work.path().join("place");
    let demo =
        open_source(&format!("oci:{}:v1", fixture("demo").display()).parse().unwrap(), &client()).unwrap();
    let destination =
        open_destination(&format!("dir:{}", place.display()).parse().unwrap(), &client()).unwrap();
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("thesis.txt"), "irreplaceable").unwrap();
    let error = copy(&*demo, destination, &CopyOptions::default(), &Quiet).unwrap_err();
    assert!(matches!(error, TransferError::Form { .. }), "{error:?}");
    assert_eq!(std::fs::read(place.join("thesis.txt")).unwrap(), b"irreplaceable");
    assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn what_is_not_what_its_digest_says_is_copied_nowhere() {
    let work = tempfile::tempdir().unwrap();
    let layout = work.path().join("layout");
    std::fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
    for name in ["oci-layout", "index.json"] {
        std::fs::copy(fixture("demo").join(name), layout.join(name)).unwrap();
    }
    for entry in std::fs::read_dir(fixture("demo/blobs/sha256")).unwrap() {
        let entry = entry.unwrap();
        let mut bytes = std::fs::read(entry.path()).unwrap();
        if bytes.len() > 100_000 {
            bytes[50_000] ^= 1;
        }
        std::fs::write(layout.join("blobs/sha256").join(entry.file_name()), bytes).unwrap();
    }
    let spoilt = format!("oci:{}:v1", layout.display());
    let (to, work) = (Loopback::start(Content::default()).unwrap(), tempfile::tempdir().unwrap());
    for (name, place) in &places(&to, work.path(), "0") {
        let error = try_copy(&spoilt, place, here()).unwrap_err();
        assert!(error.is_refusal(), "{name}: {error:?}");
        let expected = matches!(error, TransferError::Digest { .. } | TransferError::Unpack { .. });
        assert!(expected, "{name}: {error:?}");
    }
    assert!(
        to.log().iter().all(|line| line.method != "PATCH" || line.sent < 1000),
        "found before it is sent"
    );
}
