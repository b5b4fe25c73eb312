//! Removing images, pulls beside one another, pulls cut short, donors gone bad.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use shingle::loopback::{Cut, Faults, Loopback};
use shingle_tests::chunked::Parts;
use shingle_tests::cli::Shingle;
use shingle_tests::tree::{change, listing};

use crate::scene::{File, assert_tree, image, noise, serve_all, tar_of};

/// Two images of one layer each, the second with one file changed.
pub(crate) struct Versions {
    pub(crate) registry: Loopback,
    pub(crate) one: Vec<u8>,
    pub(crate) two: Vec<u8>,
    pub(crate) one_id: String,
    pub(crate) two_id: String,
    /// The length of the second blob.
    pub(crate) two_blob: u64,
}

/// Serves them as `t:one` and `t:two`.
pub(crate) fn two_versions() -> Versions {
    let mut files: Vec<File<'_>> = Vec::new();
    let names: Vec<_> = (0..40).map(|index| format!("dir/file{index:02}")).collect();
    for (index, name) in names.iter().enumerate() {
        files.push((name, noise(index as u64, 10_000 + 1_000 * index), 0o644, 1_700_000_000));
    }
    let one = tar_of(&files);
    files[7].1 = noise(1007, 20_000);
    let two = tar_of(&files);
    let seal = |tar: &[u8]| Parts::of(tar, 64 << 10).seal();
    let (layer_one, layer_two) = (seal(&one), seal(&two));
    let (one_id, two_id) = (layer_one.diff_id.to_string(), layer_two.diff_id.to_string());
    let two_blob = layer_two.blob.len() as u64;
    let registry = serve_all(&[("one", &image(layer_one)), ("two", &image(layer_two))]);
    Versions { registry, one, two, one_id, two_id, two_blob }
}

impl Versions {
    fn reference(&self, tag: &str) -> String {
        self.registry.reference(&format!("t:{tag}"))
    }
}

fn staging(shingle: &Shingle) -> Vec<PathBuf> {
    let entries = shingle.root().join("staging").read_dir();
    entries.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

fn objects(shingle: &Shingle) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for shelf in shingle.root().join("objects").read_dir().unwrap() {
        all.extend(shelf.unwrap().path().read_dir().unwrap().map(|entry| entry.unwrap().path()));
    }
    all.sort();
    all
}

#[test]
fn gc_removes_what_is_not_needed_and_only_that() {
    let scene = two_versions();
    let shingle = Shingle::new();
    shingle.pull(&scene.reference("two"));
    let only_two = listing(shingle.root());

    let shingle = Shingle::new();
    shingle.pull(&scene.reference("one"));
    shingle.pull(&scene.reference("two"));
    shingle.run(&["gc"]).done();
    assert_tree(&shingle.tree(&scene.one_id), &scene.one, "gc without rmi takes nothing");
    shingle.run(&["rmi", &scene.reference("one")]).done();
    shingle.run(&["gc"]).done();
    assert!(!shingle.tree(&scene.one_id).exists());
    assert_tree(&shingle.tree(&scene.two_id), &scene.two, "after gc");
    let left: Vec<_> = listing(shingle.root()).into_keys().collect();
    assert_eq!(left, only_two.into_keys().collect::<Vec<_>>(), "as if the first had never been here");

    shingle.run(&["rmi", &scene.reference("two")]).done();
    shingle.run(&["gc"]).done();
    assert_eq!(objects(&shingle), Vec::<PathBuf>::new());
    assert!(shingle.root().join("trees").read_dir().unwrap().next().is_none());
    let report = shingle.pull(&scene.reference("two"));
    assert_eq!(report["layers"][0]["mode"], "partial", "{report}");
    assert_tree(&shingle.tree(&scene.two_id), &scene.two, "pulled anew");
}

#[test]
fn an_image_that_is_not_here_cannot_be_removed() {
    let outcome = Shingle::new().run(&["rmi", "localhost/never/pulled:1"]).failed();
    assert!(outcome.stderr.contains("never/pulled"), "{}", outcome.stderr);
}

#[test]
fn two_pulls_of_one_image_at_once() {
    let scene = two_versions();
    let shingle = Shingle::new();
    for _ in 0..5 {
        pull_at_once(&shingle, &[scene.reference("two"), scene.reference("two"), scene.reference("two")]);
        assert_tree(&shingle.tree(&scene.two_id), &scene.two, "pulled thrice at once");
        shingle.run(&["rmi", &scene.reference("two")]).done();
        shingle.run(&["gc"]).done();
    }
}

#[test]
fn two_pulls_of_images_that_share_files_and_a_gc_at_once() {
    let scene = two_versions();
    let shingle = Shingle::new();
    for _ in 0..5 {
        std::thread::scope(|scope| {
            scope.spawn(|| pull_at_once(&shingle, &[scene.reference("one"), scene.reference("two")]));
            scope.spawn(|| {
                for _ in 0..3 {
                    shingle.run(&["gc"]).done();
                }
            });
        });
        assert_tree(&shingle.tree(&scene.one_id), &scene.one, "beside two");
        assert_tree(&shingle.tree(&scene.two_id), &scene.two, "beside one");
        assert_eq!(staging(&shingle), Vec::<PathBuf>::new());
        shingle.run(&["rmi", &scene.reference("one"), &scene.reference("two")]).done();
        shingle.run(&["gc"]).done();
    }
}

fn pull_at_once(shingle: &Shingle, references: &[String]) {
    std::thread::scope(|scope| {
        for reference in references {
            scope.spawn(|| shingle.pull(reference));
        }
    });
}

#[test]
fn killed_anywhere_the_next_pull_is_fine() {
    let scene = two_versions();
    let shingle = Shingle::new();
    shingle.pull(&scene.reference("one"));
    let before = listing(shingle.root());
    let mut seconds = 0.05;
    // From the process's first moment to past its end, and at set points of the body.
    for round in 0..24_u32 {
        let stalled = round % 2 == 0;
        let stall = stalled.then_some(Cut { after: u64::from(round) * 1_000, times: 1 });
        scene.registry.misbehave(Faults { stall, ..Faults::default() });
        let mut command = shingle.command(&["pull", "--quiet", &scene.reference("two")]);
        let mut child =
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        // A kill at a moment of its own is the whole point.
        std::thread::sleep(Duration::from_secs_f64(if stalled {
            0.15
        } else {
            seconds * f64::from(round) / 20.0
        }));
        child.kill().unwrap();
        let ended = child.wait().unwrap().success();
        scene.registry.misbehave(Faults::default());
        assert_tree(&shingle.tree(&scene.one_id), &scene.one, "the first image, after a kill");
        if round % 3 == 0 {
            let start = std::time::Instant::now();
            shingle.pull(&scene.reference("two"));
            seconds = start.elapsed().as_secs_f64();
            assert_tree(&shingle.tree(&scene.two_id), &scene.two, &format!("after kill {round}"));
        }
        if round % 3 == 0 || ended {
            shingle.run(&["rmi", &scene.reference("two")]).done();
        }
        shingle.run(&["gc"]).done();
        assert_eq!(staging(&shingle), Vec::<PathBuf>::new(), "after kill {round}");
    }
    assert_eq!(change(&before, &listing(shingle.root())), None, "after all kills and a gc");
}

/// Flips one byte of an object, which makes every link of it wrong, but leaves its length and time.
fn corrupt(object: &Path) {
    let stat = object.metadata().unwrap();
    let mut bytes = std::fs::read(object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::set_permissions(object, PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::write(object, bytes).unwrap();
    let time = rustix::fs::Timespec { tv_sec: stat.mtime(), tv_nsec: stat.mtime_nsec() };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(rustix::fs::CWD, object, &times, rustix::fs::AtFlags::empty()).unwrap();
    std::fs::set_permissions(object, stat.permissions()).unwrap();
}

#[test]
fn a_donor_gone_bad_is_quarantined_and_fetched_instead() {
    for mode in ["auto", "hardlink", "reflink", "copy"] {
        let scene = two_versions();
        let shingle = Shingle::new();
        shingle.pull(&scene.reference("one"));
        let objects = objects(&shingle);
        corrupt(&objects[3]);
        corrupt(&objects[11]);
        let outcome = shingle.run(&["pull", "--json", "--link-mode", mode, &scene.reference("two")]);
        let report = outcome.json();
        assert_tree(&shingle.tree(&scene.two_id), &scene.two, mode);
        let fetched = report["layers"][0]["fetched_bytes"].as_u64().unwrap();
        assert!(fetched < scene.two_blob * 2, "{mode}: {report}");
        let quarantined = shingle.root().join("quarantine").read_dir().unwrap().count();
        // The file that changed is no donor; its object may have been one of the two.
        assert!((1..=2).contains(&quarantined), "{mode}: {quarantined} in quarantine");
    }
}

#[test]
fn a_donor_that_is_gone_is_fetched_instead() {
    let scene = two_versions();
    let shingle = Shingle::new();
    shingle.pull(&scene.reference("one"));
    let objects = objects(&shingle);
    for object in [&objects[0], &objects[20], &objects[39]] {
        std::fs::remove_file(object).unwrap();
    }
    shingle.pull(&scene.reference("two"));
    assert_tree(&shingle.tree(&scene.two_id), &scene.two, "without three donors");
}

#[test]
fn a_store_that_lost_its_index_finds_its_donors_again() {
    let scene = two_versions();
    let shingle = Shingle::new();
    shingle.pull(&scene.reference("one"));
    for file in shingle.root().join("index").read_dir().unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let report = shingle.pull(&scene.reference("two"));
    assert_tree(&shingle.tree(&scene.two_id), &scene.two, "without an index");
    assert!(report["layers"][0]["fetched_bytes"].as_u64().unwrap() < scene.two_blob / 4, "{report}");
}
