//! `shingle ls`

use std::path::PathBuf;

use serde_json::{Value, json};

use super::Scene;
use super::cat::odd;

fn zoo(form: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/zoo").join(form);
    format!("oci:{}", path.display())
}

fn names(listed: &Value) -> Vec<&str> {
    listed["entries"].as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap()).collect()
}

#[test]
fn a_directory_as_a_container_sees_it() {
    let scene = Scene::new();
    let odd = odd(&scene);
    let said = scene.run(&["ls", "-q", "--layers", &odd, "etc"]).ok();
    let expected = "\
MODE        LINKS  OWNER  SIZE  COMPRESSED  MODIFIED          LAYER  NAME
-rw-r--r--      1  0:0      6B           ?  2023-11-14 22:13  1      \\u{1b}[2J
-rw-r--r--      2  0:0      6B           ?  2023-11-14 22:13  2      os
-rw-r--r--      2  0:0      6B           ?  2023-11-14 22:13  2      same
-rw-r--r--      1  0:0      3B           ?  2023-11-14 22:13  1      \\xffraw
";
    assert_eq!(said, expected);
    let listed = scene.run(&["ls", "--json", "-R", &odd]).json();
    let raw = "etc/\u{fffd}raw";
    let expected = [
        "a",
        "b",
        "current",
        "data",
        "data/three",
        "etc",
        "etc/\u{1b}[2J",
        "etc/os",
        "etc/same",
        raw,
        "lib",
        "loop",
        "opt",
        "opt/y",
        "usr",
        "usr/lib",
        "usr/lib/so",
    ];
    assert_eq!(names(&listed), expected);
    let entry = |path: &str| {
        listed["entries"].as_array().unwrap().iter().find(|entry| entry["path"] == path).unwrap().clone()
    };
    assert_eq!(entry(raw)["path_hex"], "6574632fff726177");
    assert_eq!((&entry("lib")["kind"], &entry("lib")["target"]), (&json!("symlink"), &json!("usr/lib")));
    assert_eq!((&entry("etc/same")["links"], &entry("etc/same")["layer"]), (&json!(2), &json!(2)));
    assert!(entry("usr/lib/so").get("compressed_bytes").is_none(), "nobody knows");
    // A link to a directory stands for it, another link for itself.
    assert_eq!(names(&scene.run(&["ls", "--json", &odd, "/lib"]).json()), ["usr/lib/so"]);
    assert_eq!(
        scene.run(&["ls", &odd, "lib/so"]).ok().lines().nth(1).unwrap().rsplit("  ").next(),
        Some("usr/lib/so")
    );
    for link in ["current", "loop"] {
        let said = scene.run(&["ls", &odd, link]).ok();
        assert!(said.lines().count() == 2 && said.contains(&format!("{link} -> ")), "{said}");
    }
    for (path, expected) in [
        ("etc/gone", "there is no \"etc/gone\""),
        ("loop/x", "more than 40"),
        ("etc/os/x", "not a directory"),
    ] {
        let error = scene.run(&["ls", "-q", &odd, path]).failed(2);
        assert!(error.starts_with("error: cannot list oci:odd\n") && error.contains(expected), "{error}");
    }
}

#[test]
fn what_upper_layers_take_away_is_listed_when_asked_for() {
    let scene = Scene::new();
    let odd = odd(&scene);
    let deleted = |words: &[&str]| {
        let listed = scene.run(&[&["ls", "--json", "--deleted", &odd], words].concat()).json();
        let gone = listed["entries"].as_array().unwrap().iter().filter(|entry| entry["deleted"] == true);
        let gone = gone.map(|entry| format!("{} {}", entry["layer"], entry["path"].as_str().unwrap()));
        gone.collect::<Vec<_>>()
    };
    assert_eq!(deleted(&["-R"]), ["1 data/one", "1 data/two", "1 etc/gone", "1 etc/os", "1 opt/x"]);
    assert_eq!(deleted(&["opt"]), ["1 opt/x"]);
    assert!(deleted(&[]).is_empty());
    let said = scene.run(&["ls", "-q", "--deleted", &odd, "data"]).ok();
    let (there, gone) = said.split_once("\n\nRemoved, replaced or hidden by upper layers:\n").unwrap();
    assert!(
        there.ends_with("three") && gone.lines().skip(1).all(|line| line.contains("  1      ")),
        "{said}"
    );
}

#[test]
fn every_form_of_the_zoo_lists_the_same() {
    let scene = Scene::new();
    let list = |form: &str| {
        let mut listed = scene.run(&["ls", "--json", "-R", &zoo(form)]).json();
        for entry in listed["entries"].as_array_mut().unwrap() {
            let entry = entry.as_object_mut().unwrap();
            let known = entry.remove("compressed_bytes").is_some();
            let sized = entry.get("size").is_some_and(|size| *size != 0);
            assert_eq!(known, sized && form != "gzip" || entry.get("size") == Some(&json!(0)), "{entry:?}");
            entry.remove("blob");
        }
        listed["entries"].take()
    };
    let podman = list("podman-5.8");
    assert!(podman.as_array().unwrap().len() > 40, "{podman}");
    assert_eq!(list("gzip"), podman);
    let line = scene.run(&["ls", "-v", &zoo("podman-5.8"), "usr/bin"]);
    assert!(
        line.stderr.contains("Read 4.1KiB in 1 request for the tables of contents of 1 layer"),
        "{}",
        line.stderr
    );
    let text = line.ok();
    assert!(text.contains("-rwxr-xr-x      2  0:0    300,000      77,"), "{text}");
}
