//! Images whose layers are written anew, and images from the store.

use std::io::Read;

use serde_json::{Value, json};
use shingle::loopback::{Content, Cut, Faults, Loopback, UploadFaults};
use shingle::pull::{PullOptions, pull};
use shingle::registry::Platform;
use shingle::store::Store;
use shingle::transfer::{
    BlobOutcome, ConvertError, ConvertOptions, ConvertReport, LayerFault, LayerOutcome, Quiet, Which,
    convert, push,
};
use shingle::transport::{Source, TransferError, open_destination, open_source};
use shingle_core::writer::{Format, WriteOptions};
use shingle_core::{Digest, Hasher, Limits, Unwrap};

use crate::{client, fixture};

const CHECKSUM: &str = "io.github.containers.zstd-chunked.manifest-checksum";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

pub(crate) fn source(location: &str) -> Box<dyn Source> {
    open_source(&location.parse().unwrap(), &client()).unwrap()
}

fn options(format: Format) -> ConvertOptions {
    let mut options = ConvertOptions::default();
    options.write = WriteOptions::new(format);
    options
}

fn try_convert(from: &str, to: &str, options: &ConvertOptions) -> Result<ConvertReport, ConvertError> {
    let destination = open_destination(&to.parse().unwrap(), &client())?;
    convert(&*source(from), destination, options, &Quiet)
}

fn chunked(from: &str, to: &str) -> ConvertReport {
    try_convert(from, to, &options(Format::ZstdChunked))
        .unwrap_or_else(|error| panic!("{from} {to}: {error:?}"))
}

/// Checks every layer of an image against its config, and returns the config's digest.
pub(crate) fn assert_whole(source: &dyn Source, manifest: &shingle::transport::Document) -> Digest {
    let parsed = manifest.manifest().unwrap();
    let config = source.small_blob(&parsed.config, 1 << 20).unwrap();
    let diff_ids = manifest.diff_ids(&config).unwrap();
    for (layer, diff_id) in parsed.layers.iter().zip(&diff_ids) {
        let (mut unwrap, mut hasher, mut bytes) =
            (Unwrap::new(&Limits::default()), Hasher::new(), Vec::new());
        source.open_blob(layer.digest, layer.size).unwrap().read_to_end(&mut bytes).unwrap();
        let mut plain = unwrap.receive(&bytes);
        while let Some(piece) = plain.next_piece().unwrap() {
            hasher.update(piece);
        }
        unwrap.finish(&layer.digest).unwrap();
        assert_eq!(hasher.finish(), *diff_id);
    }
    parsed.config.digest
}

pub(crate) fn gzip(tar: &[u8], level: u32) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
    std::io::Write::write_all(&mut gzip, tar).unwrap();
    gzip.finish().unwrap()
}

pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, body) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(body.len()).unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *body).unwrap();
    }
    tar.into_inner().unwrap()
}

/// Adds an image of gzip layers; `remarks` stand on each layer.
pub(crate) fn add_image(
    content: &mut Content,
    tag: Option<&str>,
    architecture: &str,
    blobs: &[(Vec<u8>, Digest)],
    remarks: &Value,
) -> (Digest, usize) {
    let diff_ids: Vec<_> = blobs.iter().map(|(_, diff_id)| *diff_id).collect();
    let config = json!({"architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}});
    let config = serde_json::to_vec_pretty(&config).unwrap();
    let layers: Vec<_> = blobs
        .iter()
        .map(|(blob, _)| {
            let media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
            let (size, digest) = (blob.len(), content.add_blob(blob.clone()));
            json!({"mediaType": media_type, "digest": digest, "size": size, "annotations": remarks, "data": "YQ=="})
        })
        .collect();
    let size = config.len();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "annotations": {"kept": "yes"},
        "config": {"mediaType": OCI_CONFIG, "digest": content.add_blob(config), "size": size},
        "layers": layers,
    });
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let size = manifest.len();
    (content.add_manifest(tag, OCI_MANIFEST, manifest), size)
}

fn zoo_tar() -> Vec<u8> {
    std::fs::read(fixture("zoo/zoo.tar")).unwrap()
}

#[test]
fn layers_become_what_is_asked_for_and_their_tars_stay() {
    let work = tempfile::tempdir().unwrap();
    let gzip = format!("oci:{}", fixture("zoo/gzip").display());
    let before = source(&gzip).top().unwrap().manifest().unwrap();
    let at = |name: &str| format!("oci:{}:x", work.path().join(name).display());
    let mut last = gzip;
    for (name, format, compressed, annotated) in [
        ("chunked", Format::ZstdChunked, "+zstd", true),
        ("gzip", Format::Gzip, "+gzip", false),
        ("zstd", Format::Zstd, "+zstd", false),
        ("chunked-again", Format::ZstdChunked, "+zstd", true),
    ] {
        let report = try_convert(&last, &at(name), &options(format)).unwrap();
        assert_eq!(report.layers[0].outcome, LayerOutcome::Rewritten, "{name}");
        let there = source(&at(name));
        let top = there.top().unwrap();
        assert_eq!((top.digest, top.media_type.as_str()), (report.digest, OCI_MANIFEST));
        assert_eq!(assert_whole(&*there, &top), before.config.digest, "{name}");
        let layer = &top.manifest().unwrap().layers[0];
        assert!(layer.media_type.ends_with(compressed), "{name}: {}", layer.media_type);
        assert_eq!(layer.annotation(CHECKSUM).is_some(), annotated, "{name}");
        assert_eq!((report.layers[0].to, report.layers[0].to_size), (layer.digest, layer.size));
        assert_eq!(report.layers[0].toc_bytes > 0, annotated);
        last = at(name);
    }
    let same = |name: &str| source(&at(name)).top().unwrap().digest;
    assert_eq!(same("chunked"), same("chunked-again"), "what lies between leaves no trace");
}

#[test]
fn what_is_good_stays_unless_forced() {
    let (to, work) = (Loopback::start(Content::default()).unwrap(), tempfile::tempdir().unwrap());
    let zoo = format!("oci:{}", fixture("zoo/podman-5.8").display());
    let original = source(&zoo).top().unwrap();
    let report = chunked(&zoo, &to.reference("zoo:x"));
    assert_eq!((report.digest, report.changed_from), (original.digest, None));
    assert_eq!(report.layers[0].outcome, LayerOutcome::Kept);
    assert_eq!(source(&to.reference("zoo:x")).top().unwrap(), original);
    let mut forced = options(Format::ZstdChunked);
    forced.force = true;
    let at = format!("oci:{}", work.path().join("forced").display());
    let report = try_convert(&zoo, &at, &forced).unwrap();
    assert_eq!(report.layers[0].outcome, LayerOutcome::Rewritten);
    assert_eq!(report.changed_from, Some(original.digest));
    // One whose annotations lead elsewhere is not good.
    let blob = original.manifest().unwrap().layers[0].clone();
    let mut served = Content::from_layout(&fixture("zoo/podman-5.8")).unwrap();
    let mut document: Value = serde_json::from_slice(&original.bytes).unwrap();
    document["layers"][0]["annotations"][CHECKSUM] = json!(Digest::of(b"another"));
    served.add_manifest(Some("lie"), OCI_MANIFEST, serde_json::to_vec(&document).unwrap());
    let lying = Loopback::start(served).unwrap();
    let report = chunked(&lying.reference("zoo:lie"), &to.reference("zoo:mended"));
    assert_eq!(report.layers[0].outcome, LayerOutcome::Rewritten, "{report:?}");
    assert!(report.layers[0].why.contains(&blob.annotation(CHECKSUM).unwrap()[7..]), "{report:?}");
    let mended = source(&to.reference("zoo:mended"));
    assert_whole(&*mended, &mended.top().unwrap());
}

#[test]
fn stale_remarks_go_and_others_stay() {
    let tar = zoo_tar();
    let remarks = json!({
        "containerd.io/snapshot/stargz/toc.digest": "sha256:0",
        "io.containers.estargz.uncompressed-size": "1",
        "io.containers.zstd-chunked.manifest-position": "1:2:3:1",
        "io.github.containers.zstd-chunked.tarsplit-checksum": "x",
        "org.example.kept": "yes",
    });
    let mut content = Content::default();
    add_image(&mut content, Some("x"), "amd64", &[(gzip(&tar, 6), Digest::of(&tar))], &remarks);
    let registry = Loopback::start(content).unwrap();
    let work = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("dir:{}", work.path().join(name).display());
    let names = |location: &str| -> Vec<String> {
        let manifest = source(location).top().unwrap().manifest().unwrap();
        assert_eq!(manifest.other["annotations"]["kept"], "yes");
        manifest.layers[0].annotations.clone().unwrap().into_keys().collect()
    };
    chunked(&registry.reference("x:x"), &at("chunked"));
    let ours = ["manifest-checksum", "manifest-position", "tarsplit-position"];
    let mut expected: Vec<_> = ours.map(|name| format!("io.github.containers.zstd-chunked.{name}")).into();
    expected.push("org.example.kept".to_owned());
    assert_eq!(names(&at("chunked")), expected);
    try_convert(&at("chunked"), &at("gzip"), &options(Format::Gzip)).unwrap();
    assert_eq!(names(&at("gzip")), ["org.example.kept"]);
}

#[test]
fn an_index_is_converted_whole_and_each_blob_once() {
    let shared = tar(&[("shared", &[7; 100_000])]);
    let own = |name: &str| tar(&[(name, name.as_bytes())]);
    let layer = |tar: &[u8]| (gzip(tar, 6), Digest::of(tar));
    let mut content = Content::default();
    let mut entries = Vec::new();
    for (architecture, variant) in [("amd64", None), ("arm64", Some("v8"))] {
        let layers = [layer(&shared), layer(&own(architecture))];
        let (digest, size) = add_image(&mut content, None, architecture, &layers, &json!(null));
        entries.push(json!({
            "mediaType": OCI_MANIFEST, "digest": digest, "size": size, "annotations": {"note": architecture},
            "platform": {"os": "linux", "architecture": architecture, "variant": variant}, "data": "YQ==",
        }));
    }
    let statement = br#"{"_type":"https://in-toto.io/Statement/v0.1"}"#;
    let attestation = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": content.add_blob(&b"{}"[..]), "size": 2},
        "layers": [{"mediaType": "application/vnd.in-toto+json", "size": statement.len(),
                    "digest": content.add_blob(&statement[..])}],
    });
    let attestation = serde_json::to_vec(&attestation).unwrap();
    let size = attestation.len();
    let attestation = content.add_manifest(None, OCI_MANIFEST, attestation);
    entries.push(json!({
        "mediaType": OCI_MANIFEST, "digest": attestation, "size": size,
        "annotations": {"vnd.docker.reference.type": "attestation-manifest",
                        "vnd.docker.reference.digest": entries[0]["digest"]},
        "platform": {"os": "unknown", "architecture": "unknown"},
    }));
    let index =
        json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries, "annotations": {"a": "b"}});
    content.add_manifest(Some("x"), OCI_INDEX, serde_json::to_vec(&index).unwrap());
    let (from, to) = (Loopback::start(content).unwrap(), Loopback::start(Content::default()).unwrap());

    let report = chunked(&from.reference("x:x"), &to.reference("y:y"));
    assert_eq!((report.images, report.layers.len(), report.others.len()), (3, 3, 4), "{report:#?}");
    let there = source(&to.reference("y:y"));
    let top = there.top().unwrap();
    assert_eq!((top.digest, top.media_type.as_str()), (report.digest, OCI_INDEX));
    let now = top.index().unwrap();
    assert_eq!(now.other["annotations"]["a"], "b");
    for (entry, before) in now.manifests.iter().zip(&entries) {
        assert_eq!(entry.other["platform"], before["platform"]);
        let manifest = there.manifest(entry).unwrap();
        if entry.platform().unwrap().os() == "unknown" {
            assert_eq!(entry.digest, attestation, "an attestation stays byte for byte");
            let speaks_of = entry.annotation("vnd.docker.reference.digest").unwrap();
            assert_eq!(
                speaks_of,
                now.manifests[0].digest.to_string(),
                "and still speaks of an image that is there"
            );
        } else {
            assert_eq!(entry.annotation("note"), before["annotations"]["note"].as_str());
            let layers = manifest.manifest().unwrap().layers;
            let copies = [entry].into_iter().chain(&layers).filter_map(|leads| leads.other.get("data"));
            assert_eq!(copies.count(), 0, "a copy of what it was before is not what it is now");
            assert_whole(&*there, &manifest);
            assert!(manifest.manifest().unwrap().layers.iter().all(|layer| layer.media_type == ZSTD));
        }
    }
    let uploads = to.log().iter().filter(|line| line.method == "POST").count();
    assert_eq!(uploads, 7, "each blob goes up once");
    let manifests: Vec<_> = to.log().into_iter().filter(|line| line.path.contains("/manifests/")).collect();
    assert_eq!(manifests.iter().filter(|line| line.method == "PUT").count(), 4);
    assert!(
        manifests.iter().rfind(|line| line.method == "PUT").unwrap().path.ends_with("/y"),
        "the index is last"
    );

    let mut one = options(Format::ZstdChunked);
    one.which = Which::One("linux/arm64".parse().unwrap());
    let report = try_convert(&from.reference("x:x"), &to.reference("z:z"), &one).unwrap();
    assert_eq!((report.images, report.layers.len()), (1, 2));
    assert_eq!(report.digest, now.manifests[1].digest, "an image comes out the same, alone or in its index");
}

#[test]
fn two_blobs_of_one_tar_become_one() {
    let tar = zoo_tar();
    let blobs = [(gzip(&tar, 1), Digest::of(&tar)), (gzip(&tar, 9), Digest::of(&tar))];
    let mut content = Content::default();
    add_image(&mut content, Some("x"), "amd64", &blobs, &json!({}));
    let (from, to) = (Loopback::start(content).unwrap(), Loopback::start(Content::default()).unwrap());
    let report = chunked(&from.reference("x:x"), &to.reference("y:y"));
    assert_eq!(report.layers[0].to, report.layers[1].to);
    let sent: Vec<_> = report.layers.iter().map(|layer| layer.sent).collect();
    assert!(sent.contains(&BlobOutcome::Copied) && sent.contains(&BlobOutcome::Present), "{sent:?}");
    assert_eq!(to.log().iter().filter(|line| line.method == "PATCH").count(), 2, "a config and a layer");
    let there = source(&to.reference("y:y"));
    assert_whole(&*there, &there.top().unwrap());
}

#[test]
fn another_tar_than_the_config_says_is_refused_with_both_digests() {
    let (tar, other) = (zoo_tar(), Digest::of(b"another tar"));
    let mut content = Content::default();
    add_image(&mut content, Some("lie"), "amd64", &[(gzip(&tar, 6), other)], &json!({}));
    let mut cut = gzip(&tar, 6);
    cut.truncate(cut.len() / 2);
    add_image(&mut content, Some("cut"), "amd64", &[(cut, Digest::of(&tar))], &json!({}));
    let from = Loopback::start(content).unwrap();
    let work = tempfile::tempdir().unwrap();
    let at = format!("oci-archive:{}", work.path().join("x.tar").display());
    let error = try_convert(&from.reference("x:lie"), &at, &options(Format::ZstdChunked)).unwrap_err();
    let ConvertError::Layer { source, .. } = &error else { panic!("{error:?}") };
    let said = source.to_string();
    assert!(said.contains(&other.to_string()) && said.contains(&Digest::of(&tar).to_string()), "{said}");
    assert!(error.is_refusal());
    let error = try_convert(&from.reference("x:cut"), &at, &options(Format::ZstdChunked)).unwrap_err();
    let ConvertError::Layer { source, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(**source, LayerFault::Unwrap(_)), "{source:?}");
    assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 0);
}

#[test]
fn podman_4_3_dropped_padding_which_is_put_back() {
    let to = Loopback::start(Content::default()).unwrap();
    let report = chunked(&format!("oci:{}", fixture("zoo/podman-4.3").display()), &to.reference("zoo:x"));
    assert!(report.layers[0].why.contains("padding"), "{report:?}");
    let there = source(&to.reference("zoo:x"));
    assert_whole(&*there, &there.top().unwrap());
}

#[test]
fn what_is_no_image_is_not_converted() {
    let mut content = Content::default();
    let chart = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": content.add_blob(&b"{}"[..]), "size": 2},
        "layers": [],
    });
    content.add_manifest(Some("x"), OCI_MANIFEST, serde_json::to_vec(&chart).unwrap());
    let from = Loopback::start(content).unwrap();
    let to = Loopback::start(Content::default()).unwrap();
    let error =
        try_convert(&from.reference("c:x"), &to.reference("c:x"), &options(Format::Gzip)).unwrap_err();
    assert!(matches!(&error, ConvertError::Transfer(TransferError::Document { .. })), "{error:?}");
    let work = tempfile::tempdir().unwrap();
    let at = format!("docker-archive:{}", work.path().join("x.tar").display());
    let zoo = format!("oci:{}", fixture("zoo/gzip").display());
    let error = try_convert(&zoo, &at, &options(Format::ZstdChunked)).unwrap_err();
    assert!(error.hint().unwrap().contains("shingle copy"), "{error:?}");
}

#[test]
fn an_upload_that_is_cut_changes_nothing_about_the_result() {
    let zoo = format!("oci:{}", fixture("zoo/gzip").display());
    let (whole, cut) =
        (Loopback::start(Content::default()).unwrap(), Loopback::start(Content::default()).unwrap());
    let uploads = UploadFaults { cut: Some(Cut { after: 100_000, times: 2 }), ..UploadFaults::default() };
    cut.misbehave(Faults { uploads, ..Faults::default() });
    let (first, second) = (chunked(&zoo, &whole.reference("z:z")), chunked(&zoo, &cut.reference("z:z")));
    assert_eq!(first.digest, second.digest);
    let there = source(&cut.reference("z:z"));
    assert_whole(&*there, &there.top().unwrap());
}

#[test]
fn the_store_gives_back_the_tars_it_was_given() {
    let work = tempfile::tempdir().unwrap();
    let store = Store::open(work.path().join("store")).unwrap();
    // A path that comes twice: the earlier content is in no tree, and still in the tar.
    let twice = tar(&[("a", b"first"), ("b", &[1; 300_000]), ("a", b"second"), ("empty", b"")]);
    let mut served = Content::from_layout(&fixture("zoo/podman-5.8")).unwrap();
    add_image(&mut served, Some("twice"), "amd64", &[(gzip(&twice, 6), Digest::of(&twice))], &json!({}));
    let sparse = std::fs::read(fixture("tar/sparse-1.0.tar")).unwrap();
    add_image(&mut served, Some("sparse"), "amd64", &[(gzip(&sparse, 6), Digest::of(&sparse))], &json!({}));
    let from = Loopback::start(served).unwrap();
    let to = Loopback::start(Content::default()).unwrap();
    let mut pulled = PullOptions::default();
    pulled.platform = "linux/amd64".parse::<Platform>().unwrap();
    let pushed = |name: &str, to: &str, format: Format| {
        let reference = from.reference(&format!("x:{name}")).parse().unwrap();
        pull(&store, &client(), &reference, &pulled, &shingle::pull::Quiet).unwrap();
        let image = store.image(&reference.to_string()).unwrap().unwrap();
        let destination = open_destination(&to.parse().unwrap(), &client()).unwrap();
        push(&store, &image, destination, &options(format), &Quiet)
    };
    for (name, format) in [("zoo", Format::ZstdChunked), ("zoo", Format::Gzip), ("twice", Format::Zstd)] {
        let place = to.reference(&format!("p:{name}-{}", format.suffix()));
        let report = pushed(name, &place, format).unwrap();
        let there = source(&place);
        let top = there.top().unwrap();
        assert_eq!(top.digest, report.digest);
        let before = source(&from.reference(&format!("x:{name}")));
        assert_eq!(assert_whole(&*there, &top), before.top().unwrap().manifest().unwrap().config.digest);
    }
    let error = pushed("sparse", &to.reference("p:sparse"), Format::ZstdChunked).unwrap_err();
    let ConvertError::Layer { source: fault, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(**fault, LayerFault::NotKept { .. }), "{fault:?}");
    assert!(error.hint().unwrap().contains("shingle convert"));
    // To where it came from: nothing needs to be written.
    let report = pushed("zoo", &from.reference("other:zoo"), Format::ZstdChunked).unwrap();
    let layer = &report.layers[0];
    assert_eq!((layer.outcome, layer.sent), (LayerOutcome::Kept, BlobOutcome::Present), "{report:?}");
    assert_eq!(
        source(&from.reference("other:zoo")).top().unwrap(),
        source(&from.reference("x:zoo")).top().unwrap()
    );
}

#[test]
fn a_blob_is_not_good_because_another_of_the_same_tar_is() {
    let work = tempfile::tempdir().unwrap();
    let store = Store::open(work.path().join("store")).unwrap();
    let mut served = Content::from_layout(&fixture("zoo/podman-5.8")).unwrap();
    let plain = shingle_core::compress(&zoo_tar());
    let (size, digest) = (plain.len(), served.add_blob(plain));
    let zoo = format!("oci:{}", fixture("zoo/podman-5.8").display());
    let mut manifest: Value = serde_json::from_slice(&source(&zoo).top().unwrap().bytes).unwrap();
    manifest["layers"] = json!([{"mediaType": ZSTD, "digest": digest, "size": size}]);
    served.add_manifest(Some("plain"), OCI_MANIFEST, serde_json::to_vec(&manifest).unwrap());
    let from = Loopback::start(served).unwrap();
    let mut pulled = PullOptions::default();
    pulled.platform = "linux/amd64".parse().unwrap();
    for name in ["zoo", "plain"] {
        let reference = from.reference(&format!("x:{name}")).parse().unwrap();
        pull(&store, &client(), &reference, &pulled, &shingle::pull::Quiet).unwrap();
    }
    let image = store.image(&from.reference("x:plain")).unwrap().unwrap();
    let destination = open_destination(&from.reference("x:new").parse().unwrap(), &client()).unwrap();
    let report = push(&store, &image, destination, &ConvertOptions::default(), &Quiet).unwrap();
    assert_eq!(report.layers[0].outcome, LayerOutcome::Rewritten, "{report:?}");
    assert!(report.layers[0].toc_bytes > 0);
}

#[test]
fn what_rests_on_a_toc_alone_is_not_pushed() {
    let work = tempfile::tempdir().unwrap();
    let store = Store::open(work.path().join("store")).unwrap();
    let from = Loopback::start(Content::from_layout(&fixture("zoo/podman-4.3")).unwrap()).unwrap();
    let to = Loopback::start(Content::default()).unwrap();
    let reference = from.reference("x:zoo").parse().unwrap();
    let mut pulled = PullOptions::default();
    pulled.policy.trust = shingle_core::Trust::Toc;
    pull(&store, &client(), &reference, &pulled, &shingle::pull::Quiet).unwrap();
    let image = store.image(&reference.to_string()).unwrap().unwrap();
    assert!(image.layers[0].toc_digest.is_some());
    let destination = open_destination(&to.reference("p:p").parse().unwrap(), &client()).unwrap();
    let error = push(&store, &image, destination, &ConvertOptions::default(), &Quiet).unwrap_err();
    let ConvertError::Layer { source: fault, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(**fault, LayerFault::NotKept { .. }), "{fault:?}");
    assert!(error.hint().unwrap().contains("shingle convert"));
}

#[test]
fn files_that_were_changed_in_the_store_are_found() {
    let work = tempfile::tempdir().unwrap();
    let store = Store::open(work.path().join("store")).unwrap();
    let tar = tar(&[("file", &[1; 5_000])]);
    let mut served = Content::default();
    add_image(&mut served, Some("x"), "amd64", &[(gzip(&tar, 6), Digest::of(&tar))], &json!({}));
    let from = Loopback::start(served).unwrap();
    let reference = from.reference("x:x").parse().unwrap();
    let mut pulled = PullOptions::default();
    pulled.platform = "linux/amd64".parse().unwrap();
    pull(&store, &client(), &reference, &pulled, &shingle::pull::Quiet).unwrap();
    let image = store.image(&reference.to_string()).unwrap().unwrap();
    let path = store.tree_path(&Digest::of(&tar)).join("file");
    let faults = [("longer", vec![1; 5_001]), ("shorter", vec![1; 4_999]), ("other", vec![2; 5_000])];
    for (what, bytes) in faults {
        std::fs::write(&path, bytes).unwrap();
        let at = format!("oci:{}", work.path().join(what).display());
        let destination = open_destination(&at.parse().unwrap(), &client()).unwrap();
        let error = push(&store, &image, destination, &ConvertOptions::default(), &Quiet).unwrap_err();
        let ConvertError::Layer { source: fault, .. } = &error else { panic!("{error:?}") };
        let LayerFault::Changed { path, digest } = &**fault else { panic!("{what}: {fault:?}") };
        assert_eq!((path.as_bytes(), *digest), (&b"file"[..], Digest::of(&[1; 5_000])), "{what}");
        assert!(error.hint().unwrap().contains("shingle gc"));
        open_source(&at.parse().unwrap(), &client()).map(drop).unwrap_err();
    }
}
