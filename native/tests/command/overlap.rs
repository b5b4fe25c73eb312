//! `shingle overlap` and `shingle diff`: what images share and differ in, read from their tables of contents.

use std::path::PathBuf;

use serde_json::Value;
use shingle::loopback::Loopback;

use super::{Scene, fixture};

fn layout(name: &str) -> String {
    format!("oci:{}/../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn json(scene: &Scene, words: &[&str]) -> Value {
    scene.run(&[words, &["--json"]].concat()).json()
}

fn overlap(scene: &Scene, words: &[&str]) -> Value {
    json(scene, &[&["overlap", "--tls-verify=false"], words].concat())
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// Adds up a figure of all layers.
fn sum(layers: &Value, key: &str) -> u64 {
    layers.as_array().unwrap().iter().map(|layer| number(&layer[key])).sum()
}

/// What the registry sent of blobs, config included.
fn sent(registry: &Loopback) -> u64 {
    registry
        .log()
        .iter()
        .filter(|request| request.path.contains("/blobs/"))
        .map(|request| request.bytes)
        .sum()
}

/// The files of the cache, and nothing else that may lie there.
fn cached(scene: &Scene) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(scene.home.path().join("cache/shingle/tocs")) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn an_overlap_is_what_a_pull_then_skips() {
    let (scene, demo) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let (v1, v2) = (demo.reference("demo:v1"), demo.reference("demo:v2"));
    let report = overlap(&scene, &[&v1, &v2]);
    assert!(!scene.home.path().join("store").exists(), "who only looks makes no store");
    let bridged = |forecast: &Value| number(&forecast["total"]["bridged_bytes"]);
    for (held, wanted, step) in [(None, &v1, 0), (Some(&v1), &v2, 1)] {
        let scene = Scene::new();
        if let Some(held) = held {
            json(&scene, &["pull", "--tls-verify=false", held]);
        }
        let forecast = json(&scene, &["plan", "--tls-verify=false", wanted]);
        let pulled = json(&scene, &["pull", "--tls-verify=false", wanted]);
        let fetched = sum(&pulled["layers"], "fetched_bytes") - sum(&pulled["layers"], "toc_bytes");
        // The order says what is fetched, but for what is bridged.
        assert_eq!(number(&report["order"]["steps"][step]["bytes"]), fetched - bridged(&forecast));
        let has = &report["matrix"]["chunks"][step];
        let (all, shared) = (number(&has[step]["compressed"]), number(&has[0]["compressed"]));
        if held.is_some() {
            assert_eq!(all - shared, fetched - bridged(&forecast));
        }
    }
    // What is read is what a pull reads for the same.
    let read = &report["read"];
    let layers = report["images"].as_array().unwrap().iter().map(|image| &image["layers"]);
    assert_eq!(number(&read["bytes"]), layers.map(|layers| sum(layers, "read_bytes")).sum::<u64>());
    assert_eq!(number(&read["requests"]), 3, "the lower layer is one");
    assert!(number(&read["bytes"]) * 40 < number(&read["blob_bytes"]), "{read}");
    assert_eq!(report["images"][0]["layers"][0]["also_in"], serde_json::json!([1]));
    assert_eq!(number(&report["images"][1]["layers"][0]["read_bytes"]), 0, "read for the first image");
}

#[test]
fn a_layer_is_read_whole_once() {
    let (scene, zoo) = (Scene::new(), Loopback::start(fixture("zoo/gzip")).unwrap());
    let (image, chunked) = (zoo.reference("zoo:zoo"), layout("zoo/podman-5.8"));
    let said = scene.run(&["overlap", "--tls-verify=false", &image, &chunked]);
    assert!(said.stderr.contains(" is read whole, ") && said.stderr.contains("no table of contents"));
    assert!(said.stderr.contains("bytes are uncompressed"), "{}", said.stderr);
    let first = said.ok();
    assert!(first.contains("(chunks, uncompressed)"), "{first}");
    let blob = sent(&zoo);
    zoo.clear_log();
    let again = overlap(&scene, &[&image, &chunked]);
    let layer = &again["images"][0]["layers"][0];
    assert!(sent(&zoo) * 2 < blob, "only the config comes again");
    assert_eq!((&layer["from"], &layer["from_cache"]), (&"whole".into(), &true.into()), "{layer}");
    assert_eq!((&layer["pulled"], number(&layer["read_bytes"])), (&"whole".into(), 0));
    // Both are the same tree.
    let (all, shared) = (&again["matrix"]["files"][0][0], &again["matrix"]["files"][0][1]);
    assert_eq!(all["logical"], shared["logical"]);
    // Without the cache it is read again.
    let anew = overlap(&scene, &["--no-cache", &image, &chunked]);
    assert_eq!(anew["images"][0]["layers"][0]["read_bytes"], anew["images"][0]["layers"][0]["blob_bytes"]);
    // So is what is given to a plan.
    zoo.clear_log();
    let said = scene.run(&["plan", "--tls-verify=false", "--given", &image, &chunked]);
    assert!(said.stderr.contains("1 layer had been read before"), "{}", said.stderr);
    let planned = said.ok();
    assert!(sent(&zoo) * 2 < blob);
    let said = scene.run(&["plan", "--tls-verify=false", "--no-cache", "--given", &image, &chunked]);
    assert!(said.stderr.contains(" is read whole, "), "{}", said.stderr);
    assert_eq!(said.ok(), planned);
}

#[test]
fn a_spoiled_cache_is_replaced() {
    let (scene, zoo) = (Scene::new(), Loopback::start(fixture("zoo/gzip")).unwrap());
    let image = zoo.reference("zoo:zoo");
    let expected = overlap(&scene, &[&image]);
    let read = |report: &Value| number(&report["read"]["bytes"]);
    assert!(read(&expected) > 0);
    let [file] = &cached(&scene)[..] else { panic!("{:?}", cached(&scene)) };
    let good = std::fs::read(file).unwrap();
    let spoil = |how: &dyn Fn()| {
        std::fs::remove_file(file).unwrap();
        how();
        let report = overlap(&scene, &[&image]);
        assert_eq!(report, expected);
        assert_eq!(cached(&scene), std::slice::from_ref(file));
        assert_eq!(std::fs::read(file).unwrap(), good);
        assert!(std::fs::symlink_metadata(file).unwrap().is_file());
        assert_eq!(read(&overlap(&scene, &[&image])), 0);
    };
    spoil(&|| std::fs::write(file, &good[..good.len() / 2]).unwrap());
    spoil(&|| {
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 0x40;
        std::fs::write(file, bad).unwrap();
    });
    spoil(&|| std::fs::create_dir(file).unwrap());
    spoil(&|| std::os::unix::fs::symlink("/dev/zero", file).unwrap());
    // Where nothing can be kept, all is as without.
    std::fs::remove_dir_all(scene.home.path().join("cache")).unwrap();
    std::fs::write(scene.home.path().join("cache"), "").unwrap();
    assert_eq!(overlap(&scene, &[&image]), expected);
}

#[test]
fn what_the_store_holds_is_not_read() {
    let (scene, zoo) = (Scene::new(), Loopback::start(fixture("zoo/gzip")).unwrap());
    let image = zoo.reference("zoo:zoo");
    json(&scene, &["pull", "--tls-verify=false", &image]);
    let report = overlap(&scene, &[&image]);
    let layer = &report["images"][0]["layers"][0];
    assert_eq!((&layer["from"], number(&layer["read_bytes"])), (&"store".into(), 0));
    let anew = overlap(&scene, &["--no-cache", &image]);
    assert!(number(&anew["read"]["bytes"]) > 0);
    for key in ["files", "distinct", "duplicates", "wasted", "hole_bytes"] {
        assert_eq!(report["images"][0][key], anew["images"][0][key], "{key}");
    }
}

#[test]
fn a_vouched_toc_is_enough_to_look_at() {
    let scene = Scene::new();
    let (old, today) = (layout("zoo/podman-4.3"), layout("zoo/podman-5.8"));
    let look = |words: &[&str]| {
        let report = overlap(&scene, words);
        report["images"][0]["layers"][0].clone()
    };
    let layer = look(&[&old, &today]);
    assert_eq!(
        (&layer["from"], &layer["pulled"], &layer["trust"]),
        (&"toc".into(), &"whole".into(), &"toc".into())
    );
    assert!(layer["why"].as_str().unwrap().contains("--trust toc"), "{layer}");
    assert_eq!(number(&layer["toc_bytes"]), 0, "a pull would not read it");
    let layer = look(&["--trust", "toc", &old, &today]);
    assert_eq!(
        (&layer["from"], &layer["pulled"], &layer["why"]),
        (&"toc".into(), &"by-file".into(), &Value::Null)
    );
    assert!(number(&layer["toc_bytes"]) > 0);
    // Pulled whole, it costs its blob.
    let report = overlap(&scene, &[&old]);
    assert_eq!(report["order"]["steps"][0]["bytes"], report["images"][0]["blob_bytes"]);
}

#[test]
fn for_people_there_are_tables_and_a_sentence() {
    let scene = Scene::new();
    let (v1, v2) = (layout("demo:v1"), layout("demo:v2"));
    let text = scene.run(&["overlap", "--top", "2", "--depth", "1", &v1, &v2]).ok();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("#  BLOBS") && lines[2].ends_with("demo:v2"), "{text}");
    let row =
        |start: &str| lines.iter().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{text}"));
    assert_eq!(row("2   932.0KiB  93%").trim_end(), "2   932.0KiB  93%               -");
    assert!(row("04d8cf0bf279").ends_with("  1 2"), "{text}");
    assert!(row("1: opt/").contains("1.8MiB") || row("1: opt/").contains("KiB"), "{text}");
    assert_eq!(lines.iter().filter(|line| line.contains("libgutter.so")).count(), 1, "{text}");
    assert!(!text.contains("libroof"), "only two: {text}");
    let last = lines.last().unwrap();
    assert!(last.starts_with("Read 31.6KiB of 1.8MiB (1.73%) in 3 requests"), "{text}");
    // Single files count for less where only whole ones do.
    let cell = |words: &[&str]| {
        let report = overlap(&scene, &[words, &[&*v1, &*v2]].concat());
        (
            report["matrix"]["files"][1][0]["compressed"].clone(),
            report["matrix"]["chunks"][1][0]["compressed"].clone(),
        )
    };
    let (files, chunks) = cell(&[]);
    assert!(number(&files) < number(&chunks));
    assert!(scene.run(&["overlap", "--files", &v1, &v2]).ok().contains("whole files, compressed"));
    assert!(scene.run(&["overlap", "--logical", &v1, &v2]).ok().contains("chunks, uncompressed"));
    let text = scene.run(&["overlap", "--path", "usr/share", &v1]).ok();
    assert!(text.contains("1: usr/share/doc/") && !text.contains("1: opt/"), "{text}");
    let error = scene.run(&["overlap", "--path", "nowhere", &v1]).failed(2);
    assert_eq!(error, "error: no image has nowhere\n");
}

#[test]
fn a_diff_says_what_became_of_each_path() {
    let scene = Scene::new();
    let (v1, v2) = (layout("demo:v1"), layout("demo:v2"));
    let diff = |words: &[&str]| json(&scene, &[&["diff"], words].concat());
    let report = diff(&[&v1, &v2]);
    let changes = report["changes"].as_array().unwrap();
    let of = |path: &str| {
        let found = changes.iter().find(|change| change["new"] == path || change["old"] == path);
        found.unwrap_or_else(|| panic!("no {path}"))
    };
    assert_eq!(of("opt/tiler")["status"], "content");
    assert_eq!(of("opt/tiler-1.1/CHANGES")["status"], "removed");
    assert_eq!(of("opt/tiler-1.2/share/plans/plan-new.txt")["status"], "added");
    let renamed = of("opt/tiler-1.2/LICENSE");
    assert_eq!((&renamed["status"], &renamed["old"]), (&"renamed".into(), &"opt/tiler-1.1/LICENSE".into()));
    assert_eq!(
        (of("opt/tiler-1.2/lib")["kind"].as_str(), renamed["kind"].as_str()),
        (Some("dir"), Some("reg"))
    );
    let sorted = changes
        .iter()
        .filter_map(|change| change["new"].as_str())
        .map(|path| path.split('/').collect::<Vec<_>>());
    assert!(sorted.is_sorted());
    // Of the new database only parts are new.
    let database = of("opt/tiler-1.2/share/records.db");
    assert!(number(&database["fresh"]["logical"]) * 4 < number(&database["bytes"]["logical"]), "{database}");
    let summary = &report["summary"];
    assert_eq!(
        number(&summary["new_chunks"]["compressed"]),
        number(&summary["added"]["fresh"]["compressed"])
    );
    let counted =
        ["added", "removed", "content", "properties", "renamed"].map(|key| number(&summary[key]["count"]));
    assert_eq!(counted.iter().sum::<u64>(), u64::try_from(changes.len()).unwrap());
    // A path, and what is below it.
    let part = diff(&[&v1, &v2, "/opt/tiler-1.2/share/"]);
    assert!(number(&part["summary"]["added"]["count"]) < number(&summary["added"]["count"]));
    assert_eq!(diff(&[&v1, &v2, "opt/tiler"])["changes"].as_array().unwrap().len(), 1);
    let error = scene.run(&["diff", &v1, &v2, "nowhere"]).failed(2);
    assert_eq!(error, "error: neither image has nowhere\n");
}

#[test]
fn a_diff_for_people_has_letters_and_asks_for_no_status() {
    let scene = Scene::new();
    let (v1, v2) = (layout("demo:v1"), layout("demo:v2"));
    let said = scene.run(&["diff", &v1, &v2]);
    assert!(said.stderr.contains("R renamed"), "{}", said.stderr);
    let text = said.ok();
    assert!(
        text.contains("\nR  10.7KiB   0B       -           opt/{tiler-1.1 => tiler-1.2}/LICENSE\n"),
        "{text}"
    );
    assert!(text.contains("\nD  -         -        -           opt/tiler-1.1/\n"), "{text}");
    assert!(text.contains("\nrenamed     124    "), "{text}");
    let stat = scene.run(&["diff", "--stat", &v1, &v2]).ok();
    assert!(stat.starts_with("CHANGE ") && !stat.contains("LICENSE"), "{stat}");
    assert_eq!(scene.run(&["diff", "--exit-code", &v1, &v2]).status, 1);
    let same = scene.run(&["diff", "--exit-code", &v1, &v1]);
    assert!(same.stdout.starts_with("CHANGE "), "{}", same.stdout);
    let status = same.status;
    assert_eq!(status, 0);
    // The same tar in other forms is the same tree.
    let (gzip, chunked) = (layout("zoo/gzip"), layout("zoo/podman-5.8"));
    scene.run(&["diff", "--exit-code", &gzip, &chunked]).ok();
}

#[test]
fn what_the_store_has_of_an_image_is_what_a_pull_skips() {
    let (scene, demo) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let (v1, v2) = (demo.reference("demo:v1"), demo.reference("demo:v2"));
    let error = scene.run(&["overlap", "--tls-verify=false", "--store", &v1]).failed(2);
    assert!(error.contains("there is no store ") && error.contains("hint: --root"), "{error}");

    json(&scene, &["pull", "--tls-verify=false", &v1]);
    let report = overlap(&scene, &["--store", &v2, &v1]);
    assert!(overlap(&scene, &[&v2, &v1]).get("store").is_none());
    // What is in the store and in no other image is still in no other image.
    for key in ["matrix", "shared_by", "images"] {
        let without = overlap(&scene, &[&v2, &v1]);
        assert_eq!(report[key], without[key], "{key}");
    }
    let (store, images) = (&report["store"], &report["images"]);
    assert_eq!((number(&store[0]["layers"]), number(&store[1]["layers"])), (1, 2));
    assert_eq!(store[1]["chunks"], report["matrix"]["chunks"][1][1]);
    assert_eq!(store[0]["image"], 0);
    let forecast = json(&scene, &["plan", "--tls-verify=false", &v2]);
    let total = |key: &str| number(&forecast["total"][key]);
    let fetched = total("fetched_bytes") - total("toc_bytes") - total("bridged_bytes");
    let of = |bytes: &Value| number(&bytes["compressed"]);
    assert_eq!(of(&images[0]["distinct_chunks"]) - of(&store[0]["chunks"]), fetched);
    let order = &report["order"];
    let steps = order["steps"].as_array().unwrap();
    assert_eq!((steps.len(), number(&order["bytes"])), (2, fetched));
    let costs: Vec<_> = steps.iter().map(|step| (number(&step["image"]), number(&step["bytes"]))).collect();
    assert!(costs.contains(&(0, fetched)) && costs.contains(&(1, 0)), "{costs:?}");

    let said = scene.run(&["overlap", "--tls-verify=false", "--store", &v2]).ok();
    assert!(said.contains("What the store has of each image (chunks, compressed):\n#  BYTES"), "{said}");
    assert!(said.contains("  1 of 2  "), "{said}");
}

#[test]
fn each_failure_names_its_image() {
    let (scene, demo) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let (there, gone) = (demo.reference("demo:v1"), demo.reference("demo:none"));
    for command in ["overlap", "diff"] {
        let error = scene.run(&[command, "--tls-verify=false", &there, &gone]).failed(2);
        assert!(error.starts_with(&format!("error: cannot look at {gone}\n")), "{error}");
        let error = scene.run(&[command, &layout("demo:v1"), "oci:nowhere"]).failed(2);
        assert!(error.starts_with("error: cannot look at oci:nowhere\n"), "{error}");
    }
}
