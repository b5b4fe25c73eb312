//! No image that GNU tar can extract is refused, and its tree is the one that GNU tar makes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use shingle::loopback::{Content, Loopback};
use shingle_tests::cli::{Shingle, succeed};
use shingle_tests::compare::{compare_dirs, compare_tree, judges};
use shingle_tests::here;
use shingle_tests::layout::Layer;
use shingle_tests::need::{Need, have_all};
use shingle_tests::peers::{Registry, podmans_store, script};
use tempfile::TempDir;

use crate::scene::{image, lines};

/// Tars whose tree is not compared with GNU tar's, and why; the oracle judges them alone.
const NOT_LIKE_GNU_TAR: [(&str, &str); 6] = [
    ("dot-dot", "GNU tar passes over names that climb"),
    ("gnu-times", "GNU tar never counts a prefix under its own magic; Go does"),
    ("pax-acl", "the reference leaves ACL records alone, and so does tar without --acls"),
    ("through-absolute-symlink", "GNU tar makes such links last, then cannot pass them"),
    ("through-climbing-symlink", "GNU tar makes such links last, then cannot pass them"),
    ("whiteouts", "GNU tar knows no whiteouts"),
];

/// Tars with a prefix under the GNU magic, which Go sees, and with Solaris's header type and broken capabilities.
const BEYOND_THE_ORACLE: [&str; 2] = ["gnu-times", "pax-x"];

/// Tars that GNU tar cannot extract either.
const BROKEN: [&str; 3] = ["continued", "damaged", "truncated"];

pub(crate) fn tars(dir: &Path) -> Vec<(String, PathBuf)> {
    succeed(script("mktars").arg(dir));
    let mut all: Vec<_> = [dir, &here("fixtures/tar")]
        .iter()
        .flat_map(|dir| dir.read_dir().unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "tar"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| !BROKEN.contains(&name.as_str()))
        .collect();
    all.sort();
    all
}

/// Extracts with GNU tar as root; returns when it began.
fn extract(tar: &Path, to: &Path) -> i64 {
    std::fs::create_dir_all(to).unwrap();
    // File times come from the kernel's coarse clock.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64 - 1;
    let mut gnu = Command::new("/usr/bin/tar");
    // Else it dates a directory when it first leaves it, and again whenever it comes back.
    gnu.args(["--numeric-owner", "--delay-directory-restore", "--xattrs", "--xattrs-include=*", "-xpf"])
        .arg(tar)
        .arg("-C")
        .arg(to);
    let outcome = gnu.env("TZ", "UTC").output().unwrap();
    assert!(outcome.status.success(), "{}: {}", tar.display(), String::from_utf8_lossy(&outcome.stderr));
    since
}

#[test]
fn every_tar_that_gnu_tar_extracts() {
    if !have_all("tars::every_tar_that_gnu_tar_extracts", &[Need::Root, Need::Python]) {
        return;
    }
    let dir = TempDir::new().unwrap();
    let mut wrong = Vec::new();
    let all = tars(&dir.path().join("tars"));
    for (index, (name, path)) in all.iter().enumerate() {
        let tar = std::fs::read(path).unwrap();
        let layers = [("tar", Layer::plain(&tar)), ("gzip", Layer::gzip(&tar)), ("zstd", Layer::zstd(&tar))];
        let mut content = Content::default();
        for (form, layer) in &layers {
            image(layer.clone()).put(&mut content, form);
        }
        let registry = Loopback::start(content).unwrap();
        let unlike = NOT_LIKE_GNU_TAR.iter().any(|(unlike, _)| unlike == name);
        let gnu = dir.path().join(index.to_string());
        let since = if unlike { 0 } else { extract(path, &gnu) };
        let judged = judges(&tar) && !BEYOND_THE_ORACLE.contains(&name.as_str());
        for (form, layer) in layers {
            let shingle = Shingle::new();
            let outcome = shingle.run(&["pull", "--quiet", &registry.reference(&format!("t:{form}"))]);
            if outcome.code != Some(0) {
                wrong.push(format!("{name} ({form}): exit {:?}: {}", outcome.code, outcome.stderr));
                continue;
            }
            let tree = shingle.tree(&layer.diff_id.to_string());
            if judged {
                let differences = compare_tree(&tree, &tar);
                if !differences.is_empty() {
                    wrong.push(format!("{name} ({form}) by the oracle:\n{}", lines(&differences)));
                }
            }
            if !unlike {
                let differences = compare_dirs(&tree, &gnu, since);
                if !differences.is_empty() {
                    wrong.push(format!("{name} ({form}) by GNU tar:\n{}", lines(&differences)));
                }
                if form != "zstd" {
                    continue;
                }
                let plain = shingle.beside("plain");
                let reference = registry.reference(&format!("t:{form}"));
                let outcome = shingle.run(&["unpack".as_ref(), reference.as_ref(), plain.as_os_str()]);
                if outcome.code != Some(0) {
                    wrong.push(format!(
                        "{name} ({form}): unpack: exit {:?}: {}",
                        outcome.code, outcome.stderr
                    ));
                } else if let differences @ [_, ..] = compare_dirs(&plain, &gnu, since).as_slice() {
                    wrong.push(format!("{name} ({form}) unpacked, by GNU tar:\n{}", lines(differences)));
                }
            }
        }
    }
    assert!(all.len() > 80, "only {} tars", all.len());
    assert!(wrong.is_empty(), "{} of {} × 3:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn every_tar_that_podman_pushes() {
    if !have_all(
        "tars::every_tar_that_podman_pushes",
        &[Need::Root, Need::Python, Need::Registry, Need::Podman],
    ) {
        return;
    }
    // Podman sees this directory as /work.
    let dir = TempDir::new().unwrap();
    let registry = Registry::start();
    let all = tars(&dir.path().join("tars"));
    // What it cannot import, or not push by file, it says; the rest is what it would give to anyone.
    let push = r#"
        for tar in /work/tars/*.tar; do
            name=$(basename "$tar" .tar)
            podman import -q "$tar" "localhost/$name" >/dev/null 2>&1 || continue
            podman push -q --compression-format=zstd:chunked --force-compression --tls-verify=false \
                "localhost/$name" "docker://$REGISTRY/$name" >/dev/null 2>&1 && echo "$name"
        done"#;
    let mut podman = script("trixie-podman");
    podman.env("WORK", dir.path()).args([
        "run",
        "--",
        "env",
        &format!("REGISTRY={}", registry.reference("tars")),
    ]);
    let store = podmans_store();
    let pushed = succeed(podman.args(["bash", "-c", push]));
    drop(store);
    let pushed: Vec<_> = pushed.lines().collect();
    assert!(pushed.len() > 30, "podman pushed only {pushed:?}");
    let (mut wrong, mut partial, mut compared) = (Vec::new(), 0, 0);
    for name in &pushed {
        let (_, path) = all.iter().find(|(other, _)| other == name).unwrap();
        let shingle = Shingle::new();
        let outcome = shingle.run(&["pull", "--json", &registry.reference(&format!("tars/{name}"))]);
        if outcome.code != Some(0) {
            wrong.push(format!("{name}: exit {:?}: {}", outcome.code, outcome.stderr));
            continue;
        }
        let report = outcome.json();
        partial += usize::from(report["layers"][0]["mode"] == "partial");
        let tar = std::fs::read(path).unwrap();
        let diff_id = shingle_core::Digest::of(&tar).to_string();
        if !judges(&tar) || report["layers"][0]["diff_id"] != diff_id {
            continue;
        }
        compared += 1;
        let differences = compare_tree(&shingle.tree(&diff_id), &tar);
        if !differences.is_empty() {
            wrong.push(format!("{name}:\n{}", lines(&differences)));
        }
    }
    let counts = format!(
        "podman pushed {} of {}: {partial} came by file, {compared} were compared",
        pushed.len(),
        all.len()
    );
    println!("{counts}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(partial * 2 > pushed.len() && compared * 2 > pushed.len(), "{counts}");
}
