//! The reference reads what Shingle writes: podman 5.4.2 pulls converted images by file, from a real registry.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::MutexGuard;

use serde_json::Value;
use shingle_tests::cli::{Shingle, succeed};
use shingle_tests::here;
use shingle_tests::layout::{Image, Layer, write_index};
use shingle_tests::need::{Need, have_all};
use shingle_tests::peers::{Registry, podmans_store, script};
use tempfile::TempDir;

use crate::scene::{image, noise, tar_of};

const NEEDS: [Need; 3] = [Need::Root, Need::Registry, Need::Podman];

/// Converts an image of a layout into the registry and returns the report.
fn convert(shingle: &Shingle, layout: &Path, tag: &str, to: &str) -> Value {
    let from = format!("oci:{}:{tag}", layout.display());
    let to = format!("docker://{to}");
    shingle.run(&["convert", "--json", "--dest-tls-verify=false", &from, &to]).json()
}

/// What podman said of one pull.
#[derive(Debug)]
struct Pulled {
    status: i32,
    /// Its log at level debug.
    log: String,
}

impl Pulled {
    /// Whether the layers came by file. Podman says so only in its log.
    fn by_file(&self) -> bool {
        self.log.contains("Created zstd:chunked differ for blob")
            && !self.log.contains("Failed to retrieve partial blob")
    }
}

/// Takes podman's store for this test, and empties it: a layer that is there already is not pulled at all.
fn empty_store() -> MutexGuard<'static, ()> {
    let store = podmans_store();
    succeed(script("trixie-podman").args(["run", "--", "podman", "rmi", "--all", "--force"]));
    store
}

/// Pulls images one after the other in one store of podman's; `keep` leaves each for the next to take from.
fn podman_pulls(dir: &Path, images: &[(&str, String)], keep: bool) -> BTreeMap<String, Pulled> {
    let logs = dir.join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    let list: String = images.iter().map(|(name, words)| format!("{name} {words}\n")).collect();
    std::fs::write(dir.join("list"), list).unwrap();
    let pull = format!(
        r#"while read -r name words; do
            podman --log-level=debug pull -q $words >/work/logs/$name.log 2>&1 </dev/null
            echo "$name $?"
            {}
        done </work/list"#,
        if keep { "" } else { "podman rmi -af >/dev/null 2>&1 </dev/null" }
    );
    let mut podman = script("trixie-podman");
    let statuses = succeed(podman.env("WORK", dir).args(["run", "--", "bash", "-c", &pull]));
    let pulled = statuses.lines().map(|line| {
        let (name, status) = line.split_once(' ').unwrap();
        let log = std::fs::read(logs.join(format!("{name}.log"))).unwrap();
        let log = String::from_utf8_lossy(&log).into_owned();
        (name.to_owned(), Pulled { status: status.parse().unwrap(), log })
    });
    pulled.collect()
}

#[test]
fn podman_pulls_every_tar_by_file_or_whole() {
    if !have_all(
        "reference::podman_pulls_every_tar_by_file_or_whole",
        &[&NEEDS[..], &[Need::Python]].concat(),
    ) {
        return;
    }
    // Podman sees this directory as /work.
    let dir = TempDir::new().unwrap();
    let registry = Registry::start();
    let mut all = crate::tars::tars(&dir.path().join("tars"));
    all.push(("zoo".to_owned(), here("fixtures/zoo/zoo.tar")));
    let (mut chunked, mut why) = (Vec::new(), BTreeMap::new());
    let shingle = Shingle::new();
    for (index, (name, path)) in all.iter().enumerate() {
        let tar = std::fs::read(path).unwrap();
        let layout = dir.path().join("layouts").join(index.to_string());
        image(Layer::gzip(&tar)).write(&layout, "x");
        registry.push(&layout, "x", &format!("plain/{name}:x"));
        let report = convert(&shingle, &layout, "x", &registry.reference(&format!("tars/{name}:x")));
        let layer = &report["layers"][0];
        if layer["toc_bytes"].as_u64() > Some(0) {
            chunked.push(name.as_str());
        } else {
            why.insert(name.as_str(), layer["plain"].as_str().unwrap().to_owned());
        }
    }
    let ours: Vec<_> =
        all.iter().map(|(name, _)| (&**name, registry.reference(&format!("tars/{name}:x")))).collect();
    let _store = empty_store();
    let pulled = podman_pulls(dir.path(), &ours, false);
    // What podman cannot pull in its plain form either is not ours to mend.
    let failed = ours.iter().filter(|(name, _)| pulled[*name].status != 0);
    let plain: Vec<_> =
        failed.map(|(name, _)| (*name, registry.reference(&format!("plain/{name}:x")))).collect();
    let plain = podman_pulls(dir.path(), &plain, false);
    let mut wrong = Vec::new();
    for (name, pulled) in &pulled {
        let tail = |log: &str| log.lines().rev().take(3).collect::<Vec<_>>().join("\n    ");
        if pulled.status != 0 {
            if plain[name].status == 0 {
                wrong.push(format!("{name}: podman refuses it:\n    {}", tail(&pulled.log)));
            }
        } else if chunked.contains(&&**name) && !pulled.by_file() {
            wrong.push(format!("{name}: podman pulled it whole:\n    {}", tail(&pulled.log)));
        }
    }
    let by_file = pulled.values().filter(|pulled| pulled.status == 0 && pulled.by_file()).count();
    let neither = plain.values().filter(|plain| plain.status != 0).count();
    println!(
        "of {} tars {} became zstd:chunked; podman pulled {by_file} by file and can pull {neither} in no form",
        all.len(),
        chunked.len()
    );
    for (name, reason) in &why {
        println!("  plain: {name}: {reason}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(pulled["zoo"].by_file() && by_file > 40, "only {by_file}");
}

#[test]
fn podman_skips_what_it_has() {
    if !have_all("reference::podman_skips_what_it_has", &NEEDS) {
        return;
    }
    let dir = TempDir::new().unwrap();
    let registry = Registry::start();
    let shingle = Shingle::new();
    let file = |name, seed| (name, noise(seed, 400_000), 0o644, 1_700_000_000);
    let (one, two) = (
        tar_of(&[file("a", 1), file("b", 2), file("c", 3), file("d", 4), file("e", 5)]),
        tar_of(&[file("a", 1), file("b", 2), file("changed", 6), file("d", 4), file("e", 5)]),
    );
    for (name, tar) in [("one", &one), ("two", &two)] {
        let layout = dir.path().join(name);
        image(Layer::gzip(tar)).write(&layout, "x");
        let report = convert(&shingle, &layout, "x", &registry.reference(&format!("skips:{name}")));
        assert_eq!(report["layers"][0]["diff_id"], Layer::plain(tar).diff_id.to_string());
    }
    let _store = empty_store();
    let first = podman_pulls(dir.path(), &[("one", registry.reference("skips:one"))], true);
    assert!(first["one"].status == 0 && first["one"].by_file(), "{first:?}");
    let mark = registry.mark();
    let second = podman_pulls(dir.path(), &[("two", registry.reference("skips:two"))], false);
    assert!(second["two"].status == 0 && second["two"].by_file(), "{second:?}");
    let sent = registry.blob_bytes_since(mark);
    println!("podman's next pull: {sent} bytes of a layer of {} bytes", two.len());
    assert!(sent < 500_000, "{sent} bytes for one new file of 400,000");
}

#[test]
fn podman_pulls_both_platforms_of_an_index() {
    if !have_all("reference::podman_pulls_both_platforms_of_an_index", &NEEDS) {
        return;
    }
    let dir = TempDir::new().unwrap();
    let registry = Registry::start();
    let layout = dir.path().join("layout");
    let platforms = ["amd64", "arm64"];
    let images: Vec<_> = platforms
        .iter()
        .enumerate()
        .map(|(seed, architecture)| {
            let seed = seed as u64;
            let base = tar_of(&[("base", noise(1, 300_000), 0o644, 1_700_000_000)]);
            let own = tar_of(&[("own", noise(10 + seed, 200_000), 0o755, 1_700_000_000)]);
            let mut image = Image::new(vec![Layer::gzip(&base), Layer::gzip(&own)]);
            image.config["architecture"] = Value::from(*architecture);
            (*architecture, image)
        })
        .collect();
    write_index(&layout, "both", &images);
    let shingle = Shingle::new();
    let reference = registry.reference("both:x");
    let report = convert(&shingle, &layout, "both", &reference);
    assert_eq!(report["images"], 2, "{report}");
    let pulls: Vec<_> = platforms
        .iter()
        .map(|platform| (*platform, format!("--platform=linux/{platform} {reference}")))
        .collect();
    let _store = empty_store();
    for (platform, pulled) in podman_pulls(dir.path(), &pulls, false) {
        assert!(pulled.status == 0 && pulled.by_file(), "{platform}: {}", pulled.log);
    }
    // The configs are what they were, so the DiffIDs are.
    for (platform, image) in &images {
        let mut skopeo = std::process::Command::new("skopeo");
        skopeo.args(["inspect", "--config", "--raw", "--tls-verify=false", "--override-arch", platform]);
        let config = succeed(skopeo.arg(format!("docker://{reference}")));
        assert_eq!(config.trim_end(), image.config.to_string());
    }
}
