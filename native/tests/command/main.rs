//! The command itself: what it prints where, and with which status it leaves.

#![allow(clippy::disallowed_methods, reason = "a test looks at what the command left")]
#![allow(clippy::unwrap_used, reason = "a test that goes wrong should panic")]

mod cat;
mod chunks;
mod documents;
mod inspect;
mod ls;
mod made;
mod overlap;
mod places;
mod plan;
mod verify;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use shingle::loopback::{Content, Cut, Faults, Loopback};
use tempfile::TempDir;

/// A directory to work in, and the command with an environment that says nothing.
struct Scene {
    home: TempDir,
}

/// What a command said.
#[must_use]
struct Said {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Scene {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shingle"));
        command.env_clear().env("HOME", self.home.path()).current_dir(self.home.path());
        // Not this machine's settings.
        command.env("CONTAINERS_STORAGE_CONF", "/dev/null");
        command.env("XDG_CACHE_HOME", self.home.path().join("cache"));
        command.arg("--root").arg(self.home.path().join("store")).args(words);
        command
    }

    fn run(&self, words: &[&str]) -> Said {
        Said::by(&mut self.command(words))
    }
}

impl Said {
    fn by(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Returns stdout, sure that all went well.
    fn ok(self) -> String {
        assert_eq!(self.status, 0, "{}", self.stderr);
        self.stdout
    }

    fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    /// Returns stderr, sure that it failed in this way and said nothing on stdout.
    fn failed(self, status: i32) -> String {
        assert_eq!((self.status, &*self.stdout), (status, ""), "{}", self.stderr);
        self.stderr
    }
}

fn fixture(name: &str) -> Content {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name);
    Content::from_layout(&path).unwrap()
}

#[test]
fn an_image_from_pull_to_gc() {
    let (scene, registry) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let (v1, v2) = (registry.reference("demo:v1"), registry.reference("demo:v2"));
    let pull = |image: &str| scene.run(&["pull", "--tls-verify=false", "--json", image]).json();

    let inspected = scene.run(&["inspect", "--tls-verify=false", "--json", &v1]).json();
    assert!(!scene.home.path().join("store").exists(), "who only looks makes no store");
    assert_eq!(inspected["layers"][1]["toc"]["form"], "today");
    assert_eq!(inspected["layers"][1]["here"], false);

    let first = pull(&v1);
    let modes = |report: &Value| -> Vec<String> {
        let layers = report["layers"].as_array().unwrap().iter();
        layers.map(|layer| layer["mode"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(modes(&first), ["partial", "partial"]);
    assert_eq!(first["digest"], inspected["digest"]);
    let second = pull(&v2);
    assert_eq!(modes(&second), ["present", "partial"]);
    let layer = &second["layers"][1];
    assert!(layer["fetched_bytes"].as_u64().unwrap() * 8 < layer["blob_bytes"].as_u64().unwrap(), "{layer}");

    let images = scene.run(&["images"]).ok();
    assert_eq!(images.lines().count(), 3, "{images}");
    assert!(images.lines().nth(2).unwrap().contains("  v2   "), "{images}");

    scene.run(&["unpack", &v2, "rootfs"]).ok();
    let rootfs = scene.home.path().join("rootfs");
    assert_eq!(std::fs::read_link(rootfs.join("opt/tiler")).unwrap(), PathBuf::from("tiler-1.2"));
    assert!(std::fs::read_to_string(rootfs.join("opt/tiler/CHANGES")).unwrap().starts_with("1.2:"));
    let error = scene.run(&["unpack", &v2, "rootfs"]).failed(2);
    assert!(error.starts_with("error: rootfs is not empty\nhint: "), "{error}");

    assert_eq!(scene.run(&["rmi", &v1]).ok(), format!("Removed {v1}\n"));
    let freed = scene.run(&["gc", "--json"]).json();
    assert_eq!(freed["layers"], 1);
    assert!(freed["bytes"].as_u64().unwrap() > 0);
    let error = scene.run(&["unpack", &v1, "again"]).failed(2);
    assert!(error.contains("hint: pull it first"), "{error}");
    scene.run(&["unpack", &v2, "again"]).ok();
}

#[test]
fn many_processes_may_make_one_store() {
    let (scene, registry) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let spawn = |tag: &str| {
        let mut command = scene.command(&["pull", "--tls-verify=false", &registry.reference(tag)]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let pulls: Vec<_> = ["demo:v1", "demo:v2", "demo:v1", "demo:v2"].map(spawn).into();
    for pull in pulls {
        let output = pull.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(scene.run(&["images", "--json"]).json().as_array().unwrap().len(), 2);
    assert_eq!(std::fs::read_dir(scene.home.path().join("store/staging")).unwrap().count(), 0);
}

#[test]
fn people_hear_on_stderr_and_programs_on_stdout() {
    let (scene, registry) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let image = registry.reference("demo:v1");
    let said = scene.run(&["pull", "--tls-verify=false", &image]);
    assert!(said.stderr.contains("798.3KiB / 798.3KiB (skipped: "), "{}", said.stderr);
    assert!(!said.stderr.contains('\u{1b}'), "no colours and no bars where there is no terminal");
    let digest = said.ok();
    assert!(digest.starts_with("sha256:") && digest.lines().count() == 1, "{digest}");
    let again = scene.run(&["pull", "--quiet", "--tls-verify", "false", &image]);
    assert_eq!((&*again.stderr, &again.stdout), ("", &digest));
}

#[test]
fn the_status_tells_refused_from_failed() {
    let (scene, registry) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let pull = |name: &str| scene.run(&["pull", "--tls-verify=false", "--json", &registry.reference(name)]);
    let error: Value = serde_json::from_str(&pull("demo:v9").failed(2)).unwrap();
    assert!(error["hint"].as_str().unwrap().contains("tag"), "{error}");

    // The config of v1 names these DiffIDs; a layer of v2 is not one of them.
    let mut lying = fixture("demo");
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json", "size": 283,
            "digest": "sha256:4c8cac81fc63cb675f68f35920bba16d32b65f9cf6b148a684865249bbbf6e28"
        },
        "layers": [
            layer("04d8cf0bf2795638861024b7d91bf3a41b296cb36703e7826a02562b82eab94d", 221_109),
            layer("5c4f2fee33bb042a3449a08f4d5856f0ff4db5e8b133b28006bbfec7b8c493e5", 835_061)
        ]
    });
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    lying.add_manifest(Some("lie"), media_type, manifest.to_string());
    let registry = Loopback::start(lying).unwrap();
    let said = scene.run(&["pull", "--tls-verify=false", &registry.reference("demo:lie")]);
    let error = said.failed(1);
    assert!(error.contains("layer 2 (sha256:5c4f2fee33bb"), "{error}");
    assert!(scene.run(&["images", "--json"]).json().as_array().unwrap().is_empty());
}

fn layer(digest: &str, size: u64) -> Value {
    let media_type = "application/vnd.oci.image.layer.v1.tar+zstd";
    serde_json::json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": size })
}

#[test]
fn a_registry_that_hangs_up_costs_no_more_than_a_retry() {
    let (scene, registry) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    registry.misbehave(Faults { cut: Some(Cut { after: 1_000, times: 1 }), ..Faults::default() });
    scene.run(&["pull", "--tls-verify=false", &registry.reference("demo:v1")]).ok();
}

#[test]
fn mistakes_in_the_command_line_are_said_with_advice() {
    let scene = Scene::new();
    let error = scene.run(&["pull", "quay.io/Fedora/x"]).failed(2);
    assert!(error.contains("hint: write the repository in lower case"), "{error}");
    let error = scene.run(&["pull", "--link-mode", "symlink", "x"]).failed(2);
    assert!(error.contains("auto, hardlink, reflink, copy"), "{error}");
    let error = scene.run(&["rmi", "x"]).failed(2);
    assert!(error.contains("docker.io/library/x:latest is not in the store"), "{error}");
    let error = scene.run(&["pull", "--json", "quay.io/Fedora/x"]).failed(2);
    let error: Value = serde_json::from_str(&error).unwrap();
    assert_eq!(error["hint"], "write the repository in lower case");
    let error = scene.run(&["pull", "--json"]).failed(2);
    assert!(
        error.starts_with(r#"{"error":"the following required arguments were not provided: <REF>..."}"#),
        "{error}"
    );
    assert!(scene.run(&["pull", "--help"]).ok().contains("Examples:"));
}

#[test]
fn settings_come_from_the_command_line_then_from_storage_conf() {
    let (scene, registry) = (Scene::new(), Loopback::start(fixture("zoo/gzip")).unwrap());
    let image = registry.reference("gzip:zoo");
    let conf = scene.home.path().join("storage.conf");
    let mut root = 0;
    let mut pull = |text: &str, words: &[&str]| {
        std::fs::write(&conf, text).unwrap();
        root += 1;
        let root = scene.home.path().join(root.to_string());
        let mut command = scene.command(&["pull", "--tls-verify=false", &image, "--root"]);
        Said::by(command.arg(root).args(words).env("CONTAINERS_STORAGE_CONF", &conf))
    };
    let options = |lines: &str| format!("[storage.options.pull_options]\n{lines}\n");
    let yes = options("convert_images = \"true\"\nuse_hard_links = \"true\"");
    let no = options("convert_images = \"false\"\nenable_partial_images = \"false\"");
    for (text, words, expected) in [
        ("", &[][..], false),
        ("", &["--convert"], true),
        (&no, &[], false),
        (&no, &["--convert"], true),
        (&no, &["--convert=true"], true),
        (&yes, &[], true),
        (&yes, &["--convert=false"], false),
    ] {
        let report = pull(text, &[words, &["--json"]].concat()).json();
        let indexed = &report["layers"][0]["chunks_indexed"];
        assert_eq!(indexed.as_u64().is_some(), expected, "{text} {words:?}: {report}");
    }
    let toc = options("insecure_allow_unpredictable_image_contents = \"true\"");
    for (text, words, expected) in [
        (
            "",
            &[][..],
            ["convert    false, says nobody", "link mode  auto, says nobody", "Settings are from "],
        ),
        (
            &yes,
            &[],
            ["convert    true, says storage.conf", "mode  hardlink, says storage.conf", "/storage.conf too:"],
        ),
        (
            &yes,
            &["--convert=false", "--link-mode=copy"],
            ["convert    false, says the command line", "link mode  copy, says the command line", ""],
        ),
        (&no, &["--convert"], ["true, says the command line", "auto, says nobody", "which is ignored"]),
        (&toc, &[], ["trust      toc, says storage.conf", "", ""]),
        (&toc, &["--trust=diffid"], ["trust      diffid, says the command line", "", ""]),
    ] {
        let said = pull(text, &[words, &["--verbose"]].concat()).stderr;
        assert!(expected.iter().all(|words| said.contains(words)), "{said}");
    }
    let said = pull(&options("convert_images = true"), &[]).failed(2);
    assert!(
        said.contains("/storage.conf, line 2: invalid type: boolean `true`, expected a string\n"),
        "{said}"
    );
    assert!(said.contains("hint: the values of pull_options are strings"), "{said}");
    let said = pull("", &["--convert"]).stderr;
    assert!(said.contains("\n  indexed 2 chunks\n"), "{said}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let scene = Scene::new();
    for words in [&["completions", "zsh"][..], &["man"], &["--help"], &["images"]] {
        let mut command = scene.command(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
    }
}

#[test]
fn the_demo_leaves_what_it_says() {
    let scene = Scene::new();
    let said = scene.run(&["demo", "--keep", "kept"]);
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert!(said.stderr.contains("The second pull skipped 9"), "{}", said.stderr);
    let said = scene.run(&["demo", "--keep", "kept"]);
    assert!(said.failed(2).starts_with("error: kept is not empty\n"));
}

#[test]
fn pages_and_scripts_are_written() {
    let scene = Scene::new();
    let pages = scene.run(&["man", "pages"]).ok();
    for page in ["shingle.1", "shingle-pull.1", "shingle-unpack.1"] {
        assert!(pages.contains(page), "{pages}");
        assert!(std::fs::read_to_string(scene.home.path().join("pages").join(page)).unwrap().contains(".TH"));
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(scene.run(&["completions", shell]).ok().contains("shingle"), "{shell}");
    }
}

#[test]
fn images_go_from_place_to_place() {
    let (scene, registry) = (Scene::new(), Loopback::start(fixture("demo")).unwrap());
    let v1 = registry.reference("demo:v1");
    let copied = scene.run(&["copy", "--tls-verify=false", &v1, "oci:layout:v1"]);
    assert!(copied.stderr.contains("Copied 1 image"), "{}", copied.stderr);
    let digest = copied.ok();
    assert!(digest.starts_with("sha256:") && digest.lines().count() == 1, "{digest}");
    let report = scene.run(&["copy", "--json", "oci:layout:v1", "dir:plain"]).json();
    assert_eq!((report["digest"].as_str(), report["images"].as_u64()), (Some(digest.trim()), Some(1)));
    assert_eq!(report["destination"], "dir:plain");

    let gzip =
        ["convert", "--compression-format", "gzip", "--jobs", "1", "dir:plain", "oci-archive:gzip.tar:x"];
    let said = scene.run(&gzip);
    assert!(said.stderr.contains("tar+zstd -> tar+gzip: it was zstd"), "{}", said.stderr);
    said.ok();
    let said = scene.run(&["convert", "-q", "oci-archive:gzip.tar", "oci:layout:new"]);
    assert_eq!(said.stderr, "");
    said.ok();
    let kept = scene.run(&["convert", "--json", "oci:layout:new", "oci:layout:kept"]).json();
    assert_eq!(kept["compression_format"], "zstd:chunked");
    assert!(kept["layers"].as_array().unwrap().iter().all(|layer| layer["outcome"] == "kept"), "{kept}");

    scene.run(&["pull", "--tls-verify=false", &v1]).ok();
    let pushed = scene.run(&["push", "--json", &v1, "oci:fresh:pushed"]).json();
    assert_eq!(pushed["digest"], kept["digest"], "from the store it is the same image");
    let there = scene.run(&["push", "--tls-verify=false", &v1, &registry.reference("other:v1")]);
    assert!(there.stderr.contains(" s: 2 layers kept.\n"), "{}", there.stderr);
    assert_eq!(there.ok(), digest);
}

#[test]
fn sizes_that_cannot_be_added_up_are_only_shown() {
    let (scene, mut lying) = (Scene::new(), fixture("demo"));
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json", "size": 283,
            "digest": "sha256:4c8cac81fc63cb675f68f35920bba16d32b65f9cf6b148a684865249bbbf6e28"
        },
        "layers": [layer(&"a".repeat(64), u64::MAX), layer(&"b".repeat(64), u64::MAX)]
    });
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    lying.add_manifest(Some("lie"), media_type, manifest.to_string());
    let registry = Loopback::start(lying).unwrap();
    let lie = registry.reference("demo:lie");
    assert!(scene.run(&["inspect", "--tls-verify=false", &lie]).ok().contains("16.0EiB"));
    for words in [&["pull", &lie][..], &["copy", &lie, "dir:x"], &["convert", &lie, "dir:x"]] {
        let said = Said::by(scene.command(words).arg("--tls-verify=false"));
        assert!(said.stderr.contains("2 layers, 16.0EiB") || said.stderr.contains("3 blobs, 16.0EiB"));
        let said = said.failed(2);
        assert!(said.contains("error: cannot "), "{said}");
    }
}

#[test]
fn what_cannot_go_there_says_why() {
    let scene = Scene::new();
    let demo =
        format!("oci:{}", PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/demo").display());
    let v1 = format!("{demo}:v1");
    for (words, status, expected) in [
        (&["copy", &demo, "dir:x"][..], 2, "hint: name one of: v1, v2"),
        (&["copy", "containers-storage:x", "dir:x"], 2, "podman save"),
        (&["copy", "--all", "--platform", "linux/arm64", &v1, "dir:x"], 2, "cannot be used with"),
        (&["copy", "oci:none", "dir:x"], 2, "because: cannot open none"),
        (&["convert", &v1, "docker-archive:x.tar"], 2, "hint: use `shingle copy`"),
        (
            &["convert", "--compression-format", "xz", &v1, "dir:x"],
            2,
            "possible values: gzip, zstd, zstd:chunked",
        ),
        (&["push", "nothing:1", "dir:x"], 2, "hint: pull it first"),
    ] {
        let said = scene.run(words).failed(status);
        assert!(said.contains(expected), "{words:?}: {said}");
    }
    scene.run(&["copy", &v1, "dir:lie"]).ok();
    let layer = std::fs::read_dir(scene.home.path().join("lie")).unwrap().map(|entry| entry.unwrap().path());
    let layer = layer.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let mut bytes = std::fs::read(&layer).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&layer, bytes).unwrap();
    for words in [&["copy", "dir:lie", "oci:out:x"][..], &["convert", "--force", "dir:lie", "oci:out:x"]] {
        let said = scene.run(words).failed(1);
        assert!(said.contains("sha256:"), "{words:?}: {said}");
    }
    assert!(!scene.home.path().join("out/index.json").exists());
    std::fs::write(scene.home.path().join("lie/manifest.json"), r#"{"config":{},"layers":[]}"#).unwrap();
    let said = scene.run(&["copy", "dir:lie", "oci:out:x"]).failed(1);
    assert!(!said.contains("login page"), "no registry was asked: {said}");
}
