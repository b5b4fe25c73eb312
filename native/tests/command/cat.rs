//! `shingle cat`: the file and nothing else, and nothing of it unless it is proven.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use shingle::loopback::{Cut, Faults, Loopback, RangeFault};
use shingle_core::Digest;

use super::{Said, Scene, fixture, made};

fn path(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name).display().to_string()
}

/// The regular files of the zoo with their contents, holes filled in.
fn zoo() -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(std::io::Cursor::new(std::fs::read(path("zoo/zoo.tar")).unwrap()));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        if entry.header().entry_type().is_file() {
            let name = String::from_utf8(entry.path_bytes().to_vec()).unwrap();
            files.insert(name.trim_start_matches("./").to_owned(), content);
        }
    }
    files
}

/// Returns the bytes that come out.
fn cat(scene: &Scene, words: &[&str]) -> Vec<u8> {
    let output = scene.command(&[&["cat"], words].concat()).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn report(scene: &Scene, words: &[&str]) -> Value {
    scene.run(&[&["cat", "--json", "-o", "out", "--tls-verify=false"], words].concat()).json()
}

/// The blob ranges that were asked for.
fn ranges(registry: &Loopback) -> Vec<(String, u64, u64)> {
    let log = registry.log();
    let asked = log.iter().filter(|logged| logged.path.contains("/blobs/"));
    let ranged = asked.filter_map(|logged| {
        let (start, end) = logged.range.as_ref()?.strip_prefix("bytes=")?.split_once('-')?;
        let digest = logged.path.rsplit('/').next()?.to_owned();
        Some((digest, start.parse().ok()?, end.parse::<u64>().ok()? + 1))
    });
    ranged.collect()
}

#[test]
fn every_file_of_every_form_comes_out_as_it_is() {
    let (scene, zoo) = (Scene::new(), zoo());
    assert!(zoo.len() > 12, "{}", zoo.len());
    for form in ["podman-5.8", "podman-4.3", "gzip"] {
        let image = format!("oci:{}", path(&format!("zoo/{form}")));
        for (name, content) in zoo.iter().filter(|(name, _)| !name.contains(".wh.")) {
            assert!(cat(&scene, &["-q", &image, name]) == *content, "{form}: {name}");
        }
        let linked = cat(&scene, &["-q", &image, "/usr/bin/../bin/sh"]);
        assert!(linked == zoo["usr/bin/tool"], "{form}: a link leads there");
    }
}

#[test]
fn only_the_files_frames_are_fetched() {
    let (scene, registry) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let v2 = registry.reference("demo:v2");
    let listed = scene.run(&["ls", "-R", "--json", "--tls-verify=false", &v2]).json();
    let files = listed["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "regular");
    let mut lower = 0;
    for entry in files.step_by(9) {
        registry.clear_log();
        let report = report(&scene, &["--no-cache", &v2, entry["path"].as_str().unwrap()]);
        for key in ["path", "layer", "blob", "digest"] {
            assert_eq!(report[key], entry[key], "{key}");
        }
        assert_eq!(report["bytes"], entry["size"]);
        assert_eq!(report["fetched_bytes"], entry["compressed_bytes"], "{entry}");
        let content = std::fs::read(scene.home.path().join("out")).unwrap();
        assert_eq!(Digest::of(&content).to_string(), entry["digest"]);
        // The registry's own word for it: one range for each table of contents, then the file's.
        let asked = ranges(&registry);
        let tocs = usize::try_from(report["toc_requests"].as_u64().unwrap()).unwrap();
        let (for_tocs, for_file) = asked.split_at(tocs);
        let sum =
            |ranges: &[(String, u64, u64)]| ranges.iter().map(|(_, start, end)| end - start).sum::<u64>();
        assert_eq!(sum(for_tocs), report["toc_bytes"].as_u64().unwrap());
        assert_eq!(sum(for_file), report["fetched_bytes"].as_u64().unwrap());
        assert_eq!(json!(for_file.len()), report["requests"]);
        assert!(for_file.iter().all(|(blob, ..)| *blob == entry["blob"].as_str().unwrap()));
        // What the upper layer has, needs no look at the lower one.
        let layers: std::collections::BTreeSet<_> = asked.iter().map(|(blob, ..)| blob).collect();
        assert_eq!(json!(3 - layers.len()), report["layer"]);
        lower += u64::from(report["layer"] == 1);
    }
    assert!(lower > 0, "some are in the lower layer");
}

#[test]
fn nothing_of_a_file_that_was_altered_gets_out() {
    let (scene, registry) = (Scene::new(), Loopback::start(fixture("zoo/podman-5.8")).unwrap());
    let image = registry.reference("zoo:zoo");
    let plan = |name: &str| {
        let listed = scene.run(&["ls", "--json", "--tls-verify=false", &image, name]).json();
        let blob: Digest = listed["entries"][0]["blob"].as_str().unwrap().parse().unwrap();
        registry.clear_log();
        report(&scene, &[&image, name]);
        let (_, start, end) = ranges(&registry).pop().unwrap();
        (blob, start..end, listed["entries"][0]["digest"].as_str().unwrap().to_owned())
    };
    for name in ["etc/same-a", "usr/bin/tool", "etc/big-and-tail"] {
        let (blob, frames, digest) = plan(name);
        // The last byte of a frame may be its checksum, the first its magic: both are found, and so is what lies between.
        for at in [frames.start, frames.start + 40, frames.end - 1, frames.end - 20] {
            registry.misbehave(Faults { flip: Some((blob, at)), ..Faults::default() });
            let output = scene.command(&["cat", "--tls-verify=false", &image, name]).output().unwrap();
            assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{name} {at}");
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains(&format!("because: \"./{name}\": ")) && said.contains("hint: "), "{said}");
            let decoded = !said.contains("cannot be decoded");
            assert!(!decoded || said.contains("sha256:"), "{said}");
            assert!(name != "etc/same-a" || !decoded || said.contains(&digest), "{said}");
        }
        registry.misbehave(Faults::default());
        let said = scene.run(&["cat", "--json", "--tls-verify=false", "-o", "new", &image, name]);
        assert_eq!(said.json()["digest"], digest);
    }
    // Nor is a file touched that was to be written over.
    let (blob, frames, _) = plan("etc/same-a");
    std::fs::write(scene.home.path().join("kept"), "before").unwrap();
    registry.misbehave(Faults { flip: Some((blob, frames.start + 40)), ..Faults::default() });
    let _said = scene.run(&["cat", "--tls-verify=false", "-o", "kept", &image, "etc/same-a"]).failed(1);
    assert_eq!(std::fs::read(scene.home.path().join("kept")).unwrap(), b"before");
}

#[test]
fn a_layer_without_a_table_is_read_to_its_end_and_proven() {
    let (scene, registry) = (Scene::new(), Loopback::start(fixture("zoo/gzip")).unwrap());
    let (image, zoo) = (registry.reference("zoo:zoo"), zoo());
    let said = scene.run(&["cat", "--tls-verify=false", &image, "etc/nano"]);
    assert!(
        said.stderr.contains("is read whole") && said.stderr.contains("to its end for this file"),
        "{}",
        said.stderr
    );
    assert_eq!(said.ok().as_bytes(), zoo["etc/nano"]);
    registry.clear_log();
    let again = report(&scene, &[&image, "etc/nano"]);
    assert_eq!(
        (&again["whole"], &again["toc_bytes"], &again["requests"]),
        (&json!(true), &json!(0), &json!(1))
    );
    let blob = again["blob"].as_str().unwrap();
    let asked = registry.log().iter().filter(|logged| logged.path.contains(blob)).count();
    assert_eq!(asked, 1, "what is in it was kept");
    // Far behind the file, in a part of the blob that has nothing to do with it.
    let len = again["fetched_bytes"].as_u64().unwrap();
    registry.misbehave(Faults { flip: Some((blob.parse().unwrap(), len - 40)), ..Faults::default() });
    let said = scene.run(&["cat", "--tls-verify=false", &image, "etc/nano"]).failed(1);
    assert!(said.contains("hint: "), "{said}");
}

#[test]
fn a_registry_in_trouble_is_asked_again() {
    let (scene, registry) = (Scene::new(), Loopback::start(fixture("zoo/podman-5.8")).unwrap());
    let (image, zoo) = (registry.reference("zoo:zoo"), zoo());
    registry.misbehave(Faults { cut: Some(Cut { after: 700, times: 3 }), ..Faults::default() });
    assert!(
        cat(&scene, &["--no-cache", "--tls-verify=false", &image, "usr/bin/tool"]) == zoo["usr/bin/tool"]
    );
    // One that serves no ranges is read whole.
    registry.misbehave(Faults { ranges: RangeFault::Ignored, ..Faults::default() });
    let output = scene.run(&["cat", "--no-cache", "--tls-verify=false", "-o", "out", &image, "usr/bin/tool"]);
    assert!(output.stderr.contains("does not serve ranges"), "{}", output.stderr);
    output.ok();
    assert!(std::fs::read(scene.home.path().join("out")).unwrap() == zoo["usr/bin/tool"]);
}

#[test]
fn what_the_store_has_is_not_fetched() {
    let (scene, registry) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let (v1, v2) = (registry.reference("demo:v1"), registry.reference("demo:v2"));
    scene.run(&["pull", "--tls-verify=false", &v1]).ok();
    let held = report(&scene, &[&v2, "opt/tiler/LICENSE"]);
    assert_eq!((&held["fetched_bytes"], &held["requests"]), (&json!(0), &json!(0)));
    assert_eq!(held["reused_bytes"], held["bytes"]);
    let content = std::fs::read(scene.home.path().join("out")).unwrap();
    assert_eq!(Digest::of(&content).to_string(), held["digest"]);
    // A file that grew: parts of it are here.
    let listed = scene.run(&["ls", "-R", "--json", "--tls-verify=false", &v2]).json();
    let files =
        listed["entries"].as_array().unwrap().iter().filter(|entry| entry["size"].as_u64() > Some(100_000));
    let partly = files.map(|entry| report(&scene, &[&v2, entry["path"].as_str().unwrap()])).find(|report| {
        report["reused_bytes"].as_u64() > Some(0) && report["fetched_bytes"].as_u64() > Some(0)
    });
    let content = std::fs::read(scene.home.path().join("out")).unwrap();
    assert_eq!(Digest::of(&content).to_string(), partly.expect("one file is there in part")["digest"]);
    // An object that is not what its name says any more.
    let hex = held["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    let object = scene.home.path().join("store/objects").join(&hex[..2]).join(&hex[2..]);
    let len = object.metadata().unwrap().len();
    std::fs::remove_file(&object).unwrap();
    std::fs::write(&object, vec![b'x'; usize::try_from(len).unwrap()]).unwrap();
    let fetched = report(&scene, &[&v2, "opt/tiler/LICENSE"]);
    assert_eq!((&fetched["reused_bytes"], &fetched["requests"]), (&json!(0), &json!(1)));
    let content = std::fs::read(scene.home.path().join("out")).unwrap();
    assert_eq!(Digest::of(&content).to_string(), held["digest"]);
}

/// Three layers in which much is hidden, linked and odd.
pub(super) fn odd(scene: &Scene) -> String {
    let layers = [
        made::tar(&[
            "d etc",
            "f etc/os name=1",
            "f etc/gone here",
            "f etc/%ffraw odd",
            "f etc/%1b[2J escape",
            "l loop loop",
            "l a b",
            "l b a",
            "d opt",
            "f opt/x lower",
            "d data",
            "f data/one 1",
            "f data/two 2",
            "l lib usr/lib",
            "d usr",
            "d usr/lib",
            "f usr/lib/so library",
        ]),
        made::tar(&[
            "f etc/.wh.gone ",
            "f etc/os name=2",
            "f opt/.wh..wh..opq ",
            "f opt/y upper",
            "h etc/same etc/os",
        ]),
        made::tar(&["f .wh.data ", "d data", "f data/three 3", "l current etc/os"]),
    ];
    made::layout(&scene.home.path().join("odd"), &layers, &json!({}));
    "oci:odd".to_owned()
}

#[test]
fn paths_lead_where_a_container_would_find_them() {
    let scene = Scene::new();
    let odd = odd(&scene);
    for (path, content) in [
        ("etc/os", "name=2"),
        ("/etc/same", "name=2"),
        ("current", "name=2"),
        ("../current", "name=2"),
        ("opt/y", "upper"),
        ("data/three", "3"),
        ("lib/so", "library"),
        ("lib/../lib/./so", "library"),
    ] {
        assert_eq!(String::from_utf8(cat(&scene, &["-q", &odd, path])).unwrap(), content, "{path}");
    }
    for (path, said) in [
        ("etc/gone", "because: there is no \"etc/gone\"\nhint: \"etc\" is there, `shingle ls`"),
        ("etc/soo", "hint: in \"etc\" there is \"os\""),
        ("opt/x", "hint: in \"opt\" there is \"y\""),
        ("data/one", "because: there is no \"data/one\"\n"),
        ("nowhere/x/y", "hint: the root directory is there, `shingle ls`"),
        ("etc", "because: \"etc\" is a directory\n"),
        ("/", "because: the root directory is a directory\n"),
        ("etc/os/", "because: \"etc/os\" is not a directory\n"),
        ("loop", "because: \"loop\" leads through more than 40 symbolic links"),
        ("a/x", " leads through more than 40 symbolic links"),
    ] {
        let error = scene.run(&["cat", "-q", &odd, path]).failed(2);
        assert!(error.contains(said), "{path}: {error}");
    }
    let zoo = format!("oci:{}", path("zoo/podman-5.8"));
    let error = scene.run(&["cat", &zoo, "dev/null"]).failed(2);
    assert!(error.contains("\"dev/null\" is no regular file: a character device"), "{error}");
    let error = scene.run(&["cat", "--json", &zoo, "etc/nano"]).failed(2);
    assert!(error.contains("--json: needs --output"), "{error}");
    let mut raw = scene.command(&["cat", "-q", &odd]);
    raw.arg(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"etc/\xffraw"));
    assert_eq!(Said::by(&mut raw).ok(), "odd");
    assert!(cat(&scene, &[&zoo, "etc/empty"]).is_empty());
}
