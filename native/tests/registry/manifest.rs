//! From a name to layers.

use serde_json::{Value, json};
use shingle::loopback::{Content, Faults};
use shingle::registry::{Fault, ManifestError, Platform};
use shingle_core::Digest;

use crate::{Scene, layout, message};

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// Adds an image with layers of these media types and returns its manifest.
fn image(content: &mut Content, config_type: &str, layers: &[&str], diff_ids: usize) -> Value {
    let ids = vec![Digest::EMPTY.to_string(); diff_ids];
    let config = json!({"os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}}).to_string();
    let size = config.len();
    let config = content.add_blob(config);
    let layer = |media_type: &&str| json!({"mediaType": media_type, "digest": Digest::EMPTY, "size": 0});
    json!({
        "schemaVersion": 2,
        "config": {"mediaType": config_type, "digest": config, "size": size},
        "layers": layers.iter().map(layer).collect::<Vec<_>>(),
    })
}

fn refusal(media_type: &str, manifest: &Value, mut content: Content) -> String {
    content.add_manifest(Some("zoo"), media_type, manifest.to_string());
    let error = Scene::with(content).image().expect_err("a refusal");
    message(&error, |fault| matches!(fault, Fault::Manifest(_) | Fault::TooLarge { .. } | Fault::Size { .. }))
}

#[test]
fn resolves_a_podman_image() {
    let scene = Scene::zoo();
    let image = scene.image().unwrap();
    assert_eq!(image.index_digest, None);
    assert_eq!(image.media_type, OCI_MANIFEST);
    assert_eq!(image.manifest_digest, Digest::of(&image.manifest));
    assert_eq!(image.config_digest, Digest::of(&image.config));
    let [layer] = &image.layers[..] else { panic!("one layer") };
    assert_eq!(layer.size, 228_888);
    assert_eq!(
        layer.diff_id.to_string(),
        "sha256:a2527a3ac3fbbc68cb94bf7a9614dba688de48aca5878827259a73910a7b7eb2"
    );
    let position = &layer.annotations["io.github.containers.zstd-chunked.manifest-position"];
    assert_eq!(position, "224656:1735:6018:1");

    let pinned =
        scene.client.fetch_manifest(&scene.reference.with_digest(image.manifest_digest), &Platform::host());
    assert_eq!(pinned.unwrap().layers, image.layers);
}

#[test]
fn chooses_from_an_index_of_either_kind() {
    for (list, single, config) in
        [(OCI_INDEX, OCI_MANIFEST, OCI_CONFIG), (DOCKER_LIST, DOCKER_MANIFEST, DOCKER_CONFIG)]
    {
        let mut content = Content::default();
        let mut entries = Vec::new();
        for (count, platform) in [("amd64", ""), ("arm64", "v8"), ("unknown", "")].into_iter().enumerate() {
            let layer = OCI_LAYER;
            let manifest = image(&mut content, config, &vec![layer; count], count).to_string();
            let digest = content.add_manifest(None, single, manifest.clone());
            let os = if platform.0 == "unknown" { "unknown" } else { "linux" };
            entries.push(json!({
                "mediaType": single, "digest": digest, "size": manifest.len(), "annotations": null,
                "platform": {"os": os, "architecture": platform.0, "variant": platform.1},
            }));
        }
        let index = json!({"schemaVersion": 2, "mediaType": list, "manifests": entries}).to_string();
        let index_digest = content.add_manifest(Some("zoo"), list, index);
        let scene = Scene::with(content);
        let fetch =
            |platform: &str| scene.client.fetch_manifest(&scene.reference, &platform.parse().unwrap());
        let arm = fetch("linux/arm64").unwrap();
        assert_eq!((arm.layers.len(), arm.index_digest), (1, Some(index_digest)));
        assert_eq!(arm.manifest_digest, Digest::of(&arm.manifest));
        assert_eq!(fetch("linux/amd64").unwrap().layers.len(), 0);
        let error = fetch("linux/s390x").expect_err("no such image");
        let text =
            message(&error, |fault| matches!(fault, Fault::Manifest(ManifestError::NoPlatform { .. })));
        assert!(text.ends_with("no image for linux/s390x, only for: linux/amd64, linux/arm64/v8"), "{text}");
    }
}

#[test]
fn refuses_what_cannot_be_pulled_and_names_it() {
    let docker_foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let oci_foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    let encrypted = "application/vnd.oci.image.layer.v1.tar+zstd+encrypted";
    let table = [
        (OCI_CONFIG, vec![OCI_LAYER, encrypted], 2, "layer 2 is encrypted"),
        (OCI_CONFIG, vec![oci_foreign], 1, "layer 1 lies outside the registry"),
        (DOCKER_CONFIG, vec![docker_foreign], 1, "layer 1 lies outside the registry"),
        (OCI_CONFIG, vec!["application/x-squashfs"], 1, "not a layer's"),
        (OCI_CONFIG, vec![OCI_LAYER], 2, "the manifest has 1 layers, the config 2 diff_ids"),
        (
            "application/vnd.cncf.helm.config.v1+json",
            vec![],
            0,
            "not a container image but \"application/vnd.cncf.helm",
        ),
    ];
    for (config, layers, diff_ids, reason) in table {
        let mut content = Content::default();
        let manifest = image(&mut content, config, &layers, diff_ids);
        let text = refusal(OCI_MANIFEST, &manifest, content);
        assert!(text.contains(reason), "{text}");
    }
    let mut content = Content::default();
    let mut manifest = image(&mut content, OCI_CONFIG, &[OCI_LAYER], 1);
    manifest["layers"][0]["urls"] = json!(["https://elsewhere"]);
    assert!(refusal(OCI_MANIFEST, &manifest, content).contains("outside the registry"));
}

#[test]
fn refuses_documents_of_two_minds_and_of_old() {
    let mut content = Content::default();
    let mut both = image(&mut content, OCI_CONFIG, &[], 0);
    let liar = both.clone();
    both["manifests"] = json!([]);
    assert!(refusal(OCI_MANIFEST, &both, content.clone()).contains("an index and a manifest"));
    let mut liar = liar;
    liar["mediaType"] = json!(DOCKER_MANIFEST);
    assert!(refusal(OCI_MANIFEST, &liar, content.clone()).contains("claims to be"));
    let old = json!({"schemaVersion": 1, "fsLayers": []});
    for media_type in ["application/vnd.docker.distribution.manifest.v1+prettyjws", "application/json"] {
        assert!(refusal(media_type, &old, Content::default()).contains("schema 1"));
    }
    let nested = content.add_manifest(None, OCI_INDEX, r#"{"manifests":[]}"#);
    let index = json!({"manifests": [{"mediaType": OCI_INDEX, "digest": nested, "size": 16}]});
    assert!(refusal(OCI_INDEX, &index, content).contains("another index"));
    let artifact = json!({"mediaType": "application/vnd.oci.artifact.manifest.v1+json"});
    assert!(
        refusal("application/vnd.oci.artifact.manifest.v1+json", &artifact, Content::default())
            .contains("not a container image")
    );
}

#[test]
fn refuses_documents_that_are_too_long() {
    let long = json!({"padding": "x".repeat(5 << 20)});
    assert!(refusal(OCI_MANIFEST, &long, Content::default()).contains("longer than 4194304 bytes"));
    let mut content = Content::default();
    let mut manifest = image(&mut content, OCI_CONFIG, &[], 0);
    manifest["config"]["size"] = json!(9 << 20);
    assert!(refusal(OCI_MANIFEST, &manifest, content).contains("longer than 8388608 bytes"));
}

#[test]
fn believes_no_document_but_its_digest() {
    let scene = Scene::zoo();
    let image = scene.image().unwrap();
    let other = Faults { manifest: Some("{\"schemaVersion\":2}".into()), ..Faults::default() };
    scene.registry.misbehave(other.clone());
    let pinned = scene.reference.with_digest(image.manifest_digest);
    for reference in [&pinned, &scene.reference] {
        // By tag the header disagrees: it proves nothing, but something went wrong on the way.
        let error = scene.client.fetch_manifest(reference, &Platform::host()).expect_err("other bytes");
        message(&error, |fault| matches!(fault, Fault::Digest { .. }));
    }
    let agreeing = Faults { digest_header: Some(image.manifest_digest), ..other };
    scene.registry.misbehave(agreeing);
    let error = scene.client.fetch_manifest(&pinned, &Platform::host()).expect_err("other bytes");
    message(&error, |fault| matches!(fault, Fault::Digest { .. }));

    scene.registry.misbehave(Faults { flip: Some((image.config_digest, 100)), ..Faults::default() });
    let text = message(&scene.image().expect_err("a flipped bit"), |f| matches!(f, Fault::Digest { .. }));
    assert!(text.contains(&format!("config {}", image.config_digest)), "{text}");
}

#[test]
fn says_where_garbage_came_from() {
    let html = "<html>\u{1b}[2J please log in</html>";
    let faults = Faults {
        manifest: Some(html.into()),
        digest_header: Some(Digest::of(html.as_bytes())),
        ..Faults::default()
    };
    let scene = Scene::misbehaving(faults);
    let error = scene.image().expect_err("garbage");
    let text = message(&error, |fault| matches!(fault, Fault::Manifest(ManifestError::Malformed { .. })));
    assert!(text.starts_with(&format!("{}/some/zoo: manifest zoo: ", scene.registry.address())), "{text}");
    assert!(error.hint().unwrap().contains("is this a registry?"));

    let missing = scene.registry.reference("some/zoo:nope").parse().unwrap();
    let error = scene.client.fetch_manifest(&missing, &Platform::host()).expect_err("no such tag");
    let text = message(&error, |fault| matches!(fault, Fault::Refused { .. }));
    assert!(
        text.ends_with("manifest nope: status 404: not there (MANIFEST_UNKNOWN: manifest unknown)"),
        "{text}"
    );
}

#[test]
fn every_layout_in_the_zoo_resolves() {
    for name in ["podman-5.8", "podman-4.3", "gzip"] {
        let mut scene = Scene::with(Content::from_layout(&layout(name)).unwrap());
        if name == "podman-4.3" {
            // That podman wrote no name.
            let tags = ["some/zoo:zoo", "some/zoo:latest"].map(|tag| scene.registry.reference(tag));
            let found = tags.iter().find(|tag| {
                let reference = tag.parse().unwrap();
                scene.client.fetch_manifest(&reference, &Platform::host()).is_ok()
            });
            scene.reference = found.unwrap().parse().unwrap();
        }
        assert_eq!(scene.image().unwrap().layers.len(), 1, "{name}");
    }
    Content::from_layout(&layout("nowhere")).expect_err("no layout");
}
