//! `shingle inspect`, but for `--web`.

use std::io::Read as _;

use serde_json::{Value, json};
use shingle::loopback::{Content, Loopback};
use shingle_core::Limits;
use shingle_core::forecast::Known;

use super::{Scene, made};

fn place(name: &str) -> String {
    format!("oci:{}/../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn one_image_is_an_object_and_several_are_a_list() {
    let scene = Scene::new();
    let (v1, gzip) = (place("demo:v1"), place("zoo/gzip"));
    let one = scene.run(&["inspect", "--json", &v1]).json();
    let both = scene.run(&["inspect", "--json", &v1, &gzip]).json();
    assert_eq!(one, both[0]);
    assert_eq!(both.as_array().unwrap().len(), 2);
    assert_eq!((&one["image"], &one["layers"][1]["pulled"]), (&json!(v1), &json!("by-file")));
    assert!(one["layers"][1].get("why").is_none() && one["layers"][1].get("members").is_none());
    let layer = &both[1]["layers"][0];
    assert_eq!(layer["pulled"], "whole");
    assert_eq!(layer["why"], "no table of contents (application/vnd.oci.image.layer.v1.tar+gzip)");
    assert!(!scene.home.path().join("store").exists() && !scene.home.path().join("cache").exists());
}

#[test]
fn how_far_it_must_be_proven_decides_how_it_is_pulled() {
    let scene = Scene::new();
    let old = place("zoo/podman-4.3");
    let pulled = |words: &[&str]| {
        let words = [&["inspect", "--json", &old], words].concat();
        let layer = &scene.run(&words).json()["layers"][0];
        (layer["pulled"].as_str().unwrap().to_owned(), layer["why"].clone())
    };
    let (whole, why) = pulled(&[]);
    assert_eq!(whole, "whole");
    assert!(why.as_str().unwrap().contains("tar-split"), "{why}");
    assert_eq!(pulled(&["--trust", "toc"]), ("by-file".to_owned(), Value::Null));
    // Reading the layer's table of contents makes no difference.
    assert_eq!(pulled(&["--files"]), (whole, why));
    assert_eq!(pulled(&["--files", "--trust", "toc"]).0, "by-file");
}

#[test]
fn members_are_counted_by_kind() {
    let scene = Scene::new();
    let dir = scene.home.path().join("layout");
    let first = made::tar(&[
        "d a/",
        "f a/one 12345",
        "f a/two 1234567",
        "l a/link one",
        "h a/hard a/one",
        "f a/none ",
    ]);
    let second = made::tar(&["d a/", "f a/.wh.one ", "f a/.wh..wh..opq ", "f .wh.ns/x 1"]);
    made::layout(&dir, &[first, second], &json!({}));
    let image = scene.run(&["inspect", "--files", "--json", "oci:layout"]).json();
    let counts = |files, directories, symlinks, hardlinks, whiteouts, file_bytes| {
        json!({
            "entries": files + directories + symlinks + hardlinks + whiteouts, "files": files,
            "directories": directories, "symlinks": symlinks, "hardlinks": hardlinks, "special": 0,
            "whiteouts": whiteouts, "file_bytes": file_bytes,
        })
    };
    assert_eq!(image["layers"][0]["members"], counts(3, 1, 1, 1, 0, 12));
    assert_eq!(image["layers"][1]["members"], counts(1, 1, 0, 0, 2, 1));

    let zoo = scene.run(&["inspect", "--files", "--json", &place("zoo/podman-5.8")]).json();
    let members = &zoo["layers"][0]["members"];
    assert!(
        members["special"].as_u64().unwrap() > 0 && members["chunks"].as_u64() > members["files"].as_u64()
    );
    let said = scene.run(&["inspect", "--files", &place("zoo/podman-5.8")]).ok();
    assert!(said.contains("TOTAL  FILES"), "{said}");
    // A terminal of 80 columns holds it, but for the name of an image.
    let wide = said.lines().find(|line| line.chars().count() > 80 && !line.starts_with("Image"));
    assert_eq!(wide, None, "{said}");
}

#[test]
fn what_the_config_says_is_told() {
    let scene = Scene::new();
    let dir = scene.home.path().join("layout");
    let config = json!({
        "created": "2024-02-03T04:05:06Z",
        "config": {
            "Entrypoint": ["/bin/app", "--name", "it's me"], "Cmd": ["serve"], "Env": ["A=secret", "B=2"],
            "User": "app:app", "WorkingDir": "/srv",
        },
        "history": [
            { "created": "2024-02-03T04:05:05Z", "created_by": "COPY . /srv\n  # \u{1b}[31mred", "comment": "x" },
            { "created_by": "ENV B=2", "empty_layer": true },
        ],
    });
    made::layout(&dir, &[made::tar(&["f x 1"])], &config);
    let image = scene.run(&["inspect", "--json", "oci:layout"]).json();
    assert_eq!(image["created"], config["created"]);
    let expected = json!({
        "entrypoint": config["config"]["Entrypoint"], "cmd": ["serve"], "env": 2, "user": "app:app",
        "working_dir": "/srv",
    });
    assert_eq!(image["config"], expected);
    assert_eq!(image["history"][0]["comment"], "x");
    assert_eq!(
        (&image["history"][0]["empty_layer"], &image["history"][1]["empty_layer"]),
        (&json!(false), &json!(true))
    );

    let said = scene.run(&["inspect", "--verbose", "oci:layout"]).ok();
    for line in [
        "Created  2024-02-03T04:05:06Z",
        r"Entry    /bin/app --name 'it'\''s me'",
        "Command  serve",
        "User     app:app",
        "Works in /srv",
        "Sets     2 variables",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}\n{said}");
    }
    assert!(!said.contains("secret"), "{said}");
    let (_, history) = said.split_once("\nHISTORY\n").unwrap();
    let lines: Vec<_> = history.lines().collect();
    assert_eq!(lines.len(), 2, "{history}");
    assert!(lines[0].ends_with(r"2024-02-03T04:05:05Z  COPY . /srv # \u{1b}[31mred"), "{history}");
    assert_eq!(lines[1], "-             -  ENV B=2");
    let short = scene.run(&["inspect", "oci:layout"]).ok();
    assert!(!short.contains("HISTORY"), "{short}");
}

#[test]
fn what_is_known_goes_to_a_file() {
    let scene = Scene::new();
    let path = format!("{}/../tests/fixtures/zoo/gzip", env!("CARGO_MANIFEST_DIR"));
    let registry = Loopback::start(Content::from_layout(path.as_ref()).unwrap()).unwrap();
    let (v1, gzip) = (place("demo:v1"), registry.reference("zoo:zoo"));
    let words = ["inspect", "--tls-verify=false", "--export", "known.shingle-tocs", &v1, &gzip];
    let said = scene.run(&words);
    assert!(
        said.stderr.contains("Wrote what is known of 2 images in 3 layers to known.shingle-tocs"),
        "{}",
        said.stderr
    );
    assert_eq!(said.ok(), "");
    let file = std::fs::read(scene.home.path().join("known.shingle-tocs")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*file).read_to_string(&mut text).unwrap();
    let mut lines = text.lines();
    let head: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(head["images"][0]["name"], v1);
    assert_eq!(head["images"][1]["layers"], json!([3]));
    let known: Vec<_> =
        lines.map(|line| Known::from_line(line.as_bytes(), &Limits::default()).unwrap()).collect();
    assert!(known[0].why().is_none() && known[2].why().is_some());

    // Again, to stdout, without reading the layer again.
    registry.clear_log();
    let mut command = scene.command(&["inspect", "--tls-verify=false", "--export", "-", &v1, &gzip]);
    let output = command.output().unwrap();
    assert!(output.status.success());
    assert!(output.stdout == file);
    assert!(registry.log().iter().all(|line| !line.path.contains(&known[2].layer().blob.to_string())));

    let report = scene.run(&["inspect", "--json", "--export", "other", &v1]).json();
    assert_eq!(
        (&report["file"], &report["layers"], &report["images"]),
        (&json!("other"), &json!(2), &json!(1))
    );
    let error = scene.run(&["inspect", "--json", "--export", "-", &v1]).failed(2);
    assert!(error.contains("--export to a file"), "{error}");
    let error = scene.run(&["inspect", "--export", "no/such/place", &v1]).failed(2);
    assert!(error.contains("cannot open") && error.contains("no/such"), "{error}");
    let error = scene.run(&["inspect", "--export", "x", "--web", &v1]).failed(2);
    assert!(error.contains("cannot be used with"), "{error}");
}

#[test]
fn each_failure_names_its_image() {
    let scene = Scene::new();
    let v1 = place("demo:v1");
    for words in [&["inspect"][..], &["inspect", "--files"], &["inspect", "--export", "x"]] {
        let error = scene.run(&[words, &[&v1, "oci:nowhere"]].concat()).failed(2);
        assert!(error.starts_with("error: cannot look at oci:nowhere\n"), "{error}");
    }
    assert!(!scene.home.path().join("x").exists());
}
