//! `shingle plan`: the forecast is what the pull then does.

use std::path::PathBuf;

use serde_json::{Value, json};
use shingle::loopback::{Faults, Loopback, RangeFault};

use super::{Scene, fixture};

fn path(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name).display().to_string()
}

fn plan(scene: &Scene, words: &[&str]) -> Value {
    let words: Vec<_> = ["plan", "--tls-verify=false", "--json"].iter().chain(words).copied().collect();
    scene.run(&words).json()
}

fn pull(scene: &Scene, words: &[&str]) -> Value {
    let words: Vec<_> = ["pull", "--tls-verify=false", "--json"].iter().chain(words).copied().collect();
    scene.run(&words).json()
}

/// Holds a forecast against what the pull did. What a pull whole reads for the table of contents it does not tell apart.
fn assert_agree(plan: &Value, pull: &Value) {
    assert_eq!(plan["digest"], pull["digest"]);
    let (planned, pulled) = (plan["layers"].as_array().unwrap(), pull["layers"].as_array().unwrap());
    assert_eq!(planned.len(), pulled.len());
    let mut sums = [0; 2];
    for (planned, pulled) in planned.iter().zip(pulled) {
        let both =
            ["blob", "diff_id", "media_type", "blob_bytes", "mode", "why", "fetched_bytes", "requests"];
        let partial = ["toc_bytes", "reused_bytes"];
        let keys: Vec<_> = match planned["mode"].as_str().unwrap() {
            "partial" => both.into_iter().chain(partial).collect(),
            _ => both.to_vec(),
        };
        for key in keys {
            assert_eq!(planned[key], pulled[key], "{key}\n{planned}\n{pulled}");
        }
        sums[0] += pulled["fetched_bytes"].as_u64().unwrap();
        sums[1] += pulled["requests"].as_u64().unwrap();
    }
    assert_eq!(plan["total"]["fetched_bytes"], sums[0]);
    assert_eq!(plan["total"]["requests"], sums[1]);
}

fn modes(report: &Value) -> Vec<&str> {
    report["layers"].as_array().unwrap().iter().map(|layer| layer["mode"].as_str().unwrap()).collect()
}

/// Plans a pull with these options from the store, then pulls, one layer after the other.
fn agree(scene: &Scene, words: &[&str], expected: &[&str]) {
    let forecast = plan(scene, words);
    assert_eq!(modes(&forecast), expected, "{words:?}");
    assert_agree(&forecast, &pull(scene, words));
    let again = plan(scene, words);
    assert!(modes(&again).iter().all(|mode| *mode == "present"), "{again}");
    assert_eq!(again["total"]["requests"], 0);
}

#[test]
fn a_forecast_is_what_the_pull_then_does() {
    let (scene, demo) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let (v1, v2) = (demo.reference("demo:v1"), demo.reference("demo:v2"));
    agree(&scene, &[&v1], &["partial", "partial"]);
    // Only what v1 has not: of some of its files parts.
    let forecast = plan(&scene, &[&v2]);
    let files = &forecast["layers"][1]["files"];
    assert!(files["held"].as_u64() > Some(0) && files["fetched"].as_u64() > Some(0), "{files}");
    agree(&scene, &[&v2], &["present", "partial"]);
    // The link decides what is bridged, for both alike.
    for cost in [["--round-trip-ms", "0"], ["--round-trip-ms", "1000"], ["--bandwidth", "1"], ["--jobs", "1"]]
    {
        let scene = Scene::new();
        let words = |image| [cost[0], cost[1], image];
        agree(&scene, &words(&v1), &["partial", "partial"]);
        agree(&scene, &words(&v2), &["present", "partial"]);
    }
}

#[test]
fn of_each_form_too() {
    for (form, mode) in [("podman-5.8", "partial"), ("podman-4.3", "whole"), ("gzip", "whole")] {
        let (scene, zoo) = (Scene::new(), Loopback::start(fixture(&format!("zoo/{form}"))).unwrap());
        let image = zoo.reference("zoo:zoo");
        // The padding is found missing at the blob's end; until then nobody can tell.
        if form == "podman-4.3" {
            let (forecast, pulled) = (plan(&scene, &[&image]), pull(&scene, &[&image]));
            assert_eq!(modes(&forecast), [mode]);
            for key in ["fetched_bytes", "requests"] {
                assert_eq!(forecast["layers"][0][key], pulled["layers"][0][key], "{form}");
            }
            let scene = Scene::new();
            agree(&scene, &["--trust", "toc", &image], &["partial"]);
            continue;
        }
        agree(&scene, &[&image], &[mode]);
        agree(&Scene::new(), &["--trust", "toc", &image], &[mode]);
    }
}

#[test]
fn of_registries_without_ranges_too() {
    for ranges in [RangeFault::Ignored, RangeFault::Multipart] {
        let (scene, demo) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
        let faults = Faults { ranges, ..Faults::default() };
        demo.misbehave(faults);
        agree(&scene, &[&demo.reference("demo:v1")], &["whole", "whole"]);
    }
}

#[test]
fn a_given_image_is_like_one_that_was_pulled() {
    let (scene, demo) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let (v1, v2) = (demo.reference("demo:v1"), demo.reference("demo:v2"));
    let given = plan(&scene, &["--full", "--given", &v1, &v2]);
    assert_eq!(plan(&scene, &["--given-nothing", &v2]), plan(&scene, &[&v2]));
    assert!(!scene.home.path().join("store").exists(), "who only looks makes no store");
    pull(&scene, &[&v1]);
    // Which of several places a chunk is taken from may differ; what is fetched may not.
    let stored = plan(&scene, &["--full", "--given-store", &v2]);
    for layer in 0..2 {
        for key in ["mode", "toc_bytes", "fetched_bytes", "requests", "reused_bytes", "files", "ranges"] {
            assert_eq!(given["layers"][layer][key], stored["layers"][layer][key], "{key}");
        }
    }
    assert_eq!(given["total"], stored["total"]);
    // With images given, the store is not looked at.
    let other = plan(&scene, &["--given", &v2, &v1]);
    assert_eq!(modes(&other), ["present", "partial"]);
    assert_eq!(modes(&plan(&scene, &["--given", &v2, "--given-store", &v1])), ["present", "present"]);

    // A whole layer counts by its files.
    let (gzip, chunked) = (path("zoo/gzip"), path("zoo/podman-5.8"));
    let (gzip, chunked) = (format!("oci:{gzip}"), format!("oci:{chunked}"));
    let said = scene.run(&["plan", "--given", &gzip, &chunked]);
    assert!(
        said.stderr.contains("is read whole") && said.stderr.contains("no table of contents"),
        "{}",
        said.stderr
    );
    assert!(said.ok().contains("present"));
}

#[test]
fn an_image_costs_the_same_wherever_it_lies() {
    let (scene, demo) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let layout = path("demo");
    let expected =
        plan(&scene, &["--full", "--given", &demo.reference("demo:v1"), &demo.reference("demo:v2")]);
    let archive = format!("oci-archive:{}", scene.home.path().join("a.tar").display());
    let dir = format!("dir:{}", scene.home.path().join("d").display());
    let (v1, v2) = (format!("oci:{layout}:v1"), format!("oci:{layout}:v2"));
    scene.run(&["copy", &v2, &archive]).ok();
    scene.run(&["copy", &v2, &dir]).ok();
    for image in [&v2, &archive, &dir] {
        let mut found = plan(&scene, &["--full", "--given", &v1, image]);
        assert_eq!(found["image"], **image);
        found["image"] = expected["image"].clone();
        assert_eq!(found, expected, "{image}");
    }
}

#[test]
fn the_keys_stand_in_the_order_that_is_agreed() {
    let scene = Scene::new();
    let layout = path("demo");
    let (v1, v2) = (format!("oci:{layout}:v1"), format!("oci:{layout}:v2"));
    let line = scene.run(&["plan", "--json", "--given", &v1, &v2]).ok();
    let numbers_out: String = line.trim_end().chars().filter(|c| !c.is_ascii_digit()).collect();
    let layer = |mode: &str| format!("\"mode\":\"{mode}\",\"toc_bytes\":,\"fetched_bytes\":,\"requests\":");
    let present = format!("{}}}", layer("present"));
    let partial = format!(
        "{},\"bridged_bytes\":,\"content_bytes\":,\"reused_bytes\":,\"files\":{{\"total\":,\"held\":,\"twins\":,\
         \"assembled\":,\"fetched\":}}}}",
        layer("partial")
    );
    let total = "\"total\":{\"blob_bytes\":,\"toc_bytes\":,\"fetched_bytes\":,\"requests\":,\"bridged_bytes\":,\
                 \"content_bytes\":,\"reused_bytes\":}}";
    let parts = [&*present, &partial, total];
    let mut rest = &*numbers_out;
    for part in parts {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("no {part}\nin {rest}")).1;
    }
    assert_eq!(rest, "");
    assert!(line.starts_with(&format!("{{\"image\":\"{v2}\",\"digest\":\"sha256:")), "{line}");
    assert!(line.contains("\"layers\":[{\"blob\":\"sha256:"), "{line}");
    let whole = scene.run(&["plan", "--json", &format!("oci:{}", path("zoo/gzip"))]).ok();
    assert!(whole.contains("\"mode\":\"whole\",\"why\":\"no table of contents ("), "{whole}");
    let why = whole.find("\"why\"").unwrap();
    assert!(whole[why..].contains("\",\"toc_bytes\":0,\"fetched_bytes\":"), "{whole}");
}

#[test]
fn a_layer_that_an_image_has_twice_is_fetched_once() {
    let scene = Scene::new();
    // The demo's upper layer, once more on top.
    let image = twice(scene.home.path());
    let report = plan(&scene, &[&image]);
    assert_eq!(modes(&report), ["partial", "partial", "present"], "{report}");
    assert_eq!(report["layers"][2]["fetched_bytes"], 0);
    let single = plan(&scene, &[&format!("oci:{}:v1", path("demo"))]);
    assert_eq!(report["total"]["fetched_bytes"], single["total"]["fetched_bytes"]);
}

/// Writes a layout of an image whose last layer comes twice, and returns where it lies.
fn twice(home: &std::path::Path) -> String {
    let dir = home.join("twice");
    let blobs = dir.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let demo = PathBuf::from(path("demo"));
    let index: Value = serde_json::from_slice(&std::fs::read(demo.join("index.json")).unwrap()).unwrap();
    let read = |digest: &Value| {
        let hex = digest.as_str().unwrap().trim_start_matches("sha256:");
        std::fs::read(demo.join("blobs/sha256").join(hex)).unwrap()
    };
    let write = |bytes: &[u8]| {
        let digest = shingle_core::Digest::of(bytes);
        std::fs::write(blobs.join(digest.to_hex()), bytes).unwrap();
        json!({ "digest": digest.to_string(), "size": bytes.len() })
    };
    let is_v1 = |entry: &&Value| entry["annotations"]["org.opencontainers.image.ref.name"] == "v1";
    let entry = index["manifests"].as_array().unwrap().iter().find(is_v1).unwrap();
    let mut manifest: Value = serde_json::from_slice(&read(&entry["digest"])).unwrap();
    let mut config: Value = serde_json::from_slice(&read(&manifest["config"]["digest"])).unwrap();
    let repeat = |list: &mut Value| {
        let list = list.as_array_mut().unwrap();
        list.push(list.last().unwrap().clone());
    };
    repeat(&mut config["rootfs"]["diff_ids"]);
    repeat(&mut manifest["layers"]);
    for layer in manifest["layers"].as_array().unwrap() {
        write(&read(&layer["digest"]));
    }
    let config = write(&serde_json::to_vec(&config).unwrap());
    manifest["config"]["digest"] = config["digest"].clone();
    manifest["config"]["size"] = config["size"].clone();
    let mut top = write(&serde_json::to_vec(&manifest).unwrap());
    top["mediaType"] = entry["mediaType"].clone();
    let index = json!({ "schemaVersion": 2, "manifests": [top] });
    std::fs::write(dir.join("index.json"), index.to_string()).unwrap();
    std::fs::write(dir.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").unwrap();
    format!("oci:{}", dir.display())
}

#[test]
fn for_people_it_is_a_table_and_a_sentence() {
    let scene = Scene::new();
    let layout = path("demo");
    let (v1, v2) = (format!("oci:{layout}:v1"), format!("oci:{layout}:v2"));
    let table = scene.run(&["plan", "--links", "--given", &v1, &v2]).ok();
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("LAYER"), "{table}");
    assert!(lines[1].contains("present") && lines[2].contains("partial"), "{table}");
    assert_eq!(lines.iter().filter(|line| line.contains(" MB/s")).count(), 9, "{table}");
    let last = lines.last().unwrap();
    assert!(last.starts_with("Would fetch ") && last.ends_with("%."), "{table}");
    let said = scene.run(&["plan", &format!("oci:{}", path("zoo/gzip"))]);
    assert!(said.stderr.contains("Nothing is taken to be here."), "{}", said.stderr);
    assert!(said.stderr.contains("would be pulled whole: no table of contents"), "{}", said.stderr);
}

#[test]
fn each_failure_has_its_status() {
    let (scene, demo) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let error = scene.run(&["plan", "--tls-verify=false", &demo.reference("demo:none")]).failed(2);
    assert!(error.starts_with("error: cannot plan the pull of "), "{error}");
    let v1 = demo.reference("demo:v1");
    let error = scene.run(&["plan", "--tls-verify=false", "--given", "oci:nowhere", &v1]).failed(2);
    assert!(error.starts_with("error: cannot look at oci:nowhere, which is given"), "{error}");
    let error = scene.run(&["plan", "--tls-verify=false", "--given-store", &v1]).failed(2);
    assert!(error.contains("there is no store"), "{error}");
    scene.run(&["plan", "--given-nothing", "--given-store", &v1]).failed(2);
    // A table of contents that is not what its digest says.
    let layout = scene.home.path().join("bent");
    scene
        .run(&["copy", &format!("oci:{}", path("zoo/podman-5.8")), &format!("oci:{}", layout.display())])
        .ok();
    let image = format!("oci:{}", layout.display());
    let report = plan(&scene, &[&image]);
    let hex = report["layers"][0]["blob"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    let blob = layout.join("blobs/sha256").join(hex);
    let mut bytes = std::fs::read(&blob).unwrap();
    // It lies just before the tar-split and the footer, at the end.
    let toc = bytes.len() - usize::try_from(report["layers"][0]["toc_bytes"].as_u64().unwrap()).unwrap();
    for byte in &mut bytes[toc..] {
        *byte ^= 1;
    }
    std::fs::write(&blob, bytes).unwrap();
    for words in [&["plan", &*image][..], &["plan", "--given", &image, &image]] {
        let error = scene.run(words).failed(1);
        assert!(error.contains("layer 1 (") && error.contains("hint: "), "{error}");
    }
}
