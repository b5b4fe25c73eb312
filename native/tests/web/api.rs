//! What the page is given of images.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shingle::loopback::{Auth, Content, Cut, Faults, Loopback, RangeFault, Redirect};
use shingle_core::Limits;
use shingle_core::forecast::Known;

use super::served::{Served, escape, fixture};

fn demo() -> Content {
    let path = format!("{}/../tests/fixtures/demo", env!("CARGO_MANIFEST_DIR"));
    Content::from_layout(path.as_ref()).unwrap()
}

/// The bytes of a blob among the fixtures.
fn bytes(layout: &str, digest: &str) -> Vec<u8> {
    let hex = digest.strip_prefix("sha256:").unwrap();
    let path = format!("{}/../tests/fixtures/{layout}/blobs/sha256/{hex}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

fn layers(image: &Value) -> Vec<(String, u64)> {
    let layers = image["layers"].as_array().unwrap().iter();
    layers
        .map(|layer| (layer["blob"].as_str().unwrap().to_owned(), layer["size"].as_u64().unwrap()))
        .collect()
}

impl Served {
    fn image(&self, name: &str) -> Value {
        let answer = self.get(&format!("api/image?ref={}", escape(name)), &[]);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

#[test]
fn the_session_is_what_was_typed() {
    let (one, other) = (fixture("demo:v1"), fixture("demo:v2"));
    let served = Served::new(&[&one, &other]);
    let session = served.get("api/session", &[]);
    assert_eq!(session.json(), json!({ "version": env!("CARGO_PKG_VERSION"), "refs": [one, other] }));
    served.get("api/nothing", &[]).fault(404);
    served.get("api/", &[]).fault(404);
}

#[test]
fn an_image_is_described_as_its_documents_do() {
    let name = fixture("demo:v1");
    let served = Served::new(&[&name]);
    let image = served.image(&name);
    assert_eq!(image["ref"], name);
    let manifest = bytes("demo", image["digest"].as_str().unwrap());
    assert_eq!(image["manifestBytes"], manifest.len());
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let config: Value =
        serde_json::from_slice(&bytes("demo", manifest["config"]["digest"].as_str().unwrap())).unwrap();
    assert_eq!(
        image["platform"],
        format!("{}/{}", config["os"].as_str().unwrap(), config["architecture"].as_str().unwrap())
    );
    let said =
        manifest["layers"].as_array().unwrap().iter().zip(config["rootfs"]["diff_ids"].as_array().unwrap());
    let expected: Vec<Value> = said
        .map(|(layer, diff_id)| {
            json!({
                "blob": layer["digest"], "diffId": diff_id, "mediaType": layer["mediaType"],
                "size": layer["size"], "annotations": layer["annotations"],
            })
        })
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(image["layers"], Value::from(expected));
}

#[test]
fn only_named_images_and_their_layers_are_given() {
    let (named, other) = (fixture("demo:v1"), fixture("demo:v2"));
    let both = Served::new(&[&named, &other]);
    let (of_named, of_other) = (both.image(&named), both.image(&other));
    let own = layers(&of_named)[1].0.clone();
    let others = layers(&of_other).into_iter().find(|layer| !layers(&of_named).contains(layer)).unwrap().0;
    let served = Served::new(&[&named]);
    let range = ["Range: bytes=0-9"];
    served.get(&format!("api/image?ref={}", escape(&other)), &[]).fault(403);
    served.get("api/image?ref=docker.io/library/alpine", &[]).fault(403);
    served.get("api/image", &[]).fault(400);
    served.blob(&other, &others, &range).fault(403);
    let error = served.blob(&named, &others, &range).fault(403);
    assert!(error.contains(&others), "{error}");
    // Not even its own documents.
    served.blob(&named, of_named["digest"].as_str().unwrap(), &range).fault(403);
    served.blob(&named, "sha256:0", &range).fault(400);
    served.get(&format!("api/blob?ref={}", escape(&named)), &range).fault(400);
    assert_eq!(served.blob(&named, &own, &range).status, 206);
    // With both named, the layers of one are still not the other's.
    both.blob(&named, &others, &range).fault(403);
}

#[test]
fn parts_are_exactly_the_bytes() {
    let name = fixture("demo:v1");
    let registry = Loopback::start(demo()).unwrap();
    let typed = registry.reference("demo:v1");
    let served = Served::new(&["--tls-verify=false", &name, &typed]);
    for image in [&name, &typed] {
        let (blob, size) = layers(&served.image(image)).into_iter().next_back().unwrap();
        let whole = bytes("demo", &blob);
        assert_eq!(size, u64::try_from(whole.len()).unwrap());
        let last = whole.len() - 1;
        for (header, first, end) in [
            ("bytes=0-0".to_owned(), 0, 1),
            ("bytes=17-70000".to_owned(), 17, 70_001),
            (format!("bytes=0-{last}"), 0, whole.len()),
            (format!("bytes={last}-{}", last + 500), last, whole.len()),
        ] {
            let answer = served.blob(image, &blob, &[&format!("Range: {header}")]);
            assert_eq!(answer.status, 206, "{answer:?}");
            assert!(answer.body == whole[first..end], "{header}");
            let label = format!("bytes {first}-{}/{size}", end - 1);
            assert_eq!(answer.header("content-range"), Some(&*label));
            assert_eq!(answer.header("content-length"), Some(&*(end - first).to_string()));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
        }
        served.blob(image, &blob, &[]).fault(400);
        served.blob(image, &blob, &["Range: bytes=5-"]).fault(400);
        served.blob(image, &blob, &["Range: bytes=0-1,4-5"]).fault(400);
        served.blob(image, &blob, &[&format!("Range: bytes={size}-{size}")]).fault(416);
    }
}

#[test]
fn a_part_may_be_no_longer_than_it_may() {
    // What a layer's descriptor says of its size is enough to ask for too much of it.
    let mut content = demo();
    let size = 64_u64 << 20;
    let config = r#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["DIFF"]}}"#;
    let diff = shingle_core::Digest::of(b"no such tar").to_string();
    let config = config.replace("DIFF", &diff);
    let config_digest = content.add_blob(config.clone().into_bytes());
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest.to_string(),
            "size": config.len(),
        },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": diff, "size": size }],
    });
    content.add_manifest(Some("long"), media_type, manifest.to_string());
    let registry = Loopback::start(content).unwrap();
    let name = registry.reference("demo:long");
    let served = Served::new(&["--tls-verify=false", &name]);
    let error = served.blob(&name, &diff, &["Range: bytes=0-16777216"]).fault(413);
    assert!(error.contains("16777216"), "{error}");
    served.blob(&name, &diff, &[&format!("Range: bytes=0-{}", u64::MAX)]).fault(413);
    assert!(registry.log().iter().all(|line| !line.path.contains(&diff)), "nothing was asked for it");
    // Short enough, and not there.
    let error = served.blob(&name, &diff, &["Range: bytes=0-16777215"]).fault(404);
    assert!(error.contains("127.0.0.1"), "{error}");
}

#[test]
fn what_the_registry_does_is_seen_to() {
    let registry = Loopback::start(demo()).unwrap();
    let name = registry.reference("demo:v1");
    let served = Served::new(&["--tls-verify=false", &name]);
    let (blob, size) = layers(&served.image(&name)).into_iter().next_back().unwrap();
    let whole = bytes("demo", &blob);
    let part = || served.blob(&name, &blob, &["Range: bytes=1000-90000"]);
    for faults in [
        Faults { auth: Some(Auth::Bearer { uses: 2 }), ..Faults::default() },
        Faults { redirect: Some(Redirect { hops: 2, uses: 9 }), ..Faults::default() },
        Faults { cut: Some(Cut { after: 5_000, times: 1 }), ..Faults::default() },
        Faults { ranges: RangeFault::Before(500), ..Faults::default() },
    ] {
        registry.misbehave(faults.clone());
        let answer = part();
        assert_eq!(answer.status, 206, "{faults:?}: {answer:?}");
        assert!(answer.body == whole[1000..90_001], "{faults:?}");
    }
    // Without ranges nobody is sent a whole blob for a part of it.
    registry.misbehave(Faults { ranges: RangeFault::Ignored, ..Faults::default() });
    registry.clear_log();
    let error = part().fault(501);
    assert!(error.contains("no parts"), "{error}");
    let sent: u64 = registry.log().iter().map(|line| line.bytes).sum();
    assert!(sent <= size, "{sent}");
    registry.misbehave(Faults { ranges: RangeFault::Status(501), ..Faults::default() });
    part().fault(501);
    registry.misbehave(Faults { auth: Some(Auth::Denied), ..Faults::default() });
    let error = part().fault(502);
    assert!(error.contains("status 403 from the token server"), "{error}");
}

#[test]
fn where_a_blob_lies_is_asked_once() {
    let registry = Loopback::start(demo()).unwrap();
    let name = registry.reference("demo:v1");
    let served = Served::new(&["--tls-verify=false", &name]);
    let (blob, _) = layers(&served.image(&name)).into_iter().next_back().unwrap();
    let whole = bytes("demo", &blob);
    registry.misbehave(Faults { redirect: Some(Redirect { hops: 1, uses: 4 }), ..Faults::default() });
    registry.clear_log();
    for part in 0..6_u16 {
        let (first, last) = (usize::from(part) * 100, usize::from(part) * 100 + 99);
        let answer = served.blob(&name, &blob, &[&format!("Range: bytes={first}-{last}")]);
        assert_eq!(answer.status, 206, "{answer:?}");
        assert!(answer.body == whole[first..=last]);
    }
    // Once at first, and once more when the place is none any more.
    let log = registry.log();
    let asked = log.iter().filter(|line| line.path.starts_with("/v2/")).count();
    assert_eq!(asked, 2, "{log:?}");
}

#[test]
fn an_image_that_is_not_there_is_said_and_asked_for_again() {
    let registry = Loopback::start(demo()).unwrap();
    let name = registry.reference("demo:v9");
    let served = Served::new(&["--tls-verify=false", &name]);
    let answer = served.get(&format!("api/image?ref={}", escape(&name)), &[]);
    let error = answer.fault(404);
    assert!(error.contains("/demo: manifest v9: status 404"), "{error}");
    assert!(answer.json()["hint"].as_str().unwrap().contains("tag"), "{answer:?}");
    // It may be there when the page asks again.
    let asked = registry.log().len();
    served.get(&format!("api/image?ref={}", escape(&name)), &[]).fault(404);
    assert!(registry.log().len() > asked);
}

#[test]
fn what_nobody_waits_for_is_not_read() {
    let registry = Loopback::start(demo()).unwrap();
    let name = registry.reference("demo:v1");
    let served = Served::new(&["--tls-verify=false", &name]);
    let (blob, size) = layers(&served.image(&name)).into_iter().next_back().unwrap();
    // Stalls in the middle: whoever hangs up must not leave a place taken.
    registry.misbehave(Faults { stall: Some(Cut { after: 300_000, times: 100 }), ..Faults::default() });
    let head = format!(
        "GET /{}/api/blob?ref={}&digest={blob} HTTP/1.1\r\nHost: {}\r\nRange: bytes=0-{}\r\n\r\n",
        served.token,
        escape(&name),
        served.host,
        size - 1
    );
    for _ in 0..20 {
        let mut stream = served.connect();
        stream.write_all(head.as_bytes()).unwrap();
        let mut some = [0; 1_000];
        stream.read_exact(&mut some).unwrap();
        assert!(some.starts_with(b"HTTP/1.1 206 "));
    }
    registry.misbehave(Faults::default());
    let started = Instant::now();
    assert_eq!(served.get("api/session", &[]).status, 200);
    let answer = served.blob(&name, &blob, &["Range: bytes=0-9"]);
    assert_eq!(answer.status, 206);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

/// Reads an exported file: its first line, and what is known of layers.
fn exported(bytes: &[u8]) -> (Value, Vec<Known>) {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    let mut lines = text.lines();
    let head = serde_json::from_str(lines.next().unwrap()).unwrap();
    (head, lines.map(|line| Known::from_line(line.as_bytes(), &Limits::default()).unwrap()).collect())
}

#[test]
fn what_a_layer_holds_is_told_and_kept() {
    let path = format!("{}/../tests/fixtures/zoo/gzip", env!("CARGO_MANIFEST_DIR"));
    let registry = Loopback::start(Content::from_layout(path.as_ref()).unwrap()).unwrap();
    let name = registry.reference("zoo:zoo");
    let served = Served::new(&["--tls-verify=false", &name]);
    let image = served.image(&name);
    let ask = |layer: &str| served.get(&format!("api/toc?ref={}&layer={layer}", escape(&name)), &[]);
    registry.clear_log();
    let first = ask("0");
    assert_eq!((first.status, first.header("content-type")), (200, Some("application/gzip")));
    assert_eq!(first.header("cache-control"), Some("no-store"));
    let (head, known) = exported(&first.dechunked());
    assert_eq!(
        head["images"],
        json!([{
            "name": name, "digest": image["digest"], "platform": image["platform"], "layers": [1],
        }])
    );
    let layer = known[0].layer();
    assert_eq!(layer.blob.to_string(), image["layers"][0]["blob"].as_str().unwrap());
    assert_eq!(layer.diff_id.to_string(), image["layers"][0]["diffId"].as_str().unwrap());
    assert!(known.len() == 1 && known[0].why().is_some() && known[0].toc().files().count() > 10);
    let size = image["layers"][0]["size"].as_u64().unwrap();
    let sent = || registry.log().iter().map(|line| line.bytes).sum::<u64>();
    assert_eq!(sent(), size, "read once, and nothing else");
    let again = ask("0");
    assert_eq!(again.dechunked(), first.dechunked());
    assert_eq!(sent(), size, "known from before");

    ask("1").fault(404);
    ask("x").fault(400);
    ask("").fault(400);
    served.get(&format!("api/toc?ref={}", escape(&name)), &[]).fault(400);
    served.get("api/toc?ref=alpine&layer=0", &[]).fault(403);
}

#[test]
fn a_layer_that_lies_is_refused() {
    let path = format!("{}/../tests/fixtures/zoo/gzip", env!("CARGO_MANIFEST_DIR"));
    let registry = Loopback::start(Content::from_layout(path.as_ref()).unwrap()).unwrap();
    let name = registry.reference("zoo:zoo");
    let served = Served::new(&["--tls-verify=false", &name]);
    let blob = layers(&served.image(&name))[0].0.parse().unwrap();
    registry.misbehave(Faults { flip: Some((blob, 2_000)), ..Faults::default() });
    let answer = served.get(&format!("api/toc?ref={}&layer=0", escape(&name)), &[]);
    let error = answer.fault(422);
    assert!(error.starts_with("layer 1 (sha256:"), "{error}");
    assert!(!answer.json()["causes"].as_array().unwrap().is_empty());
    // And it is not kept.
    registry.misbehave(Faults::default());
    assert_eq!(served.get(&format!("api/toc?ref={}&layer=0", escape(&name)), &[]).status, 200);
}

#[test]
fn who_hangs_up_holds_up_nobody() {
    let path = format!("{}/../tests/fixtures/zoo/gzip", env!("CARGO_MANIFEST_DIR"));
    let registry = Loopback::start(Content::from_layout(path.as_ref()).unwrap()).unwrap();
    let name = registry.reference("zoo:zoo");
    let served = Served::new(&["--tls-verify=false", "--no-cache", &name]);
    served.image(&name);
    let below = format!("api/toc?ref={}&layer=0", escape(&name));
    // Two layers are read at once, and the registry says nothing more of these for half a minute.
    registry.misbehave(Faults { stall: Some(Cut { after: 1_000, times: 1_000 }), ..Faults::default() });
    for asked in 1..=6 {
        let mut stream = served.connect();
        let head = format!("GET /{}/{below} HTTP/1.1\r\nHost: {}\r\n\r\n", served.token, served.host);
        registry.clear_log();
        stream.write_all(head.as_bytes()).unwrap();
        let started = Instant::now();
        while registry.log().is_empty() {
            assert!(started.elapsed() < Duration::from_secs(20), "request {asked} waits for those before it");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    registry.misbehave(Faults::default());
    let started = Instant::now();
    assert_eq!(served.get(&below, &[]).status, 200);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}
