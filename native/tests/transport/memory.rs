//! Layers that were converted before.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shingle::loopback::{Content, Loopback};
use shingle::pull::{PullOptions, pull};
use shingle::store::Store;
use shingle::transfer::{
    BlobOutcome, ConvertOptions, ConvertReport, LayerOutcome, Quiet, RewrittenLayer, convert, push,
};
use shingle::transport::open_destination;
use shingle_core::Digest;

use crate::client;
use crate::conversions::{add_image, assert_whole, gzip, source, tar};

struct Scene {
    from: Loopback,
    to: Loopback,
    home: tempfile::TempDir,
    /// The digest of the source's only layer.
    blob: Digest,
}

impl Scene {
    fn new() -> Self {
        let (from, to) = image();
        let blob = source(&from.reference("x:x")).top().unwrap().manifest().unwrap().layers[0].digest;
        Self { from, to, home: tempfile::tempdir().unwrap(), blob }
    }

    fn memory(&self) -> PathBuf {
        self.home.path().join("cache/conversions")
    }

    fn options(&self) -> ConvertOptions {
        let mut options = ConvertOptions::default();
        options.memory = Some(self.memory());
        options
    }

    /// Converts to a place whose image is whole afterwards; the logs are those of the conversion alone.
    fn convert(&self, to: &str, options: &ConvertOptions) -> ConvertReport {
        let destination = open_destination(&self.to.reference(to).parse().unwrap(), &client()).unwrap();
        self.from.clear_log();
        self.to.clear_log();
        let report = convert(&*source(&self.from.reference("x:x")), destination, options, &Quiet).unwrap();
        let (read, sent) = (self.reads(), self.sent());
        let there = source(&self.to.reference(to));
        assert_whole(&*there, &there.top().unwrap());
        assert_eq!(there.top().unwrap().digest, report.digest);
        let layer = &report.layers[0];
        assert_eq!(read == 0, layer.outcome == LayerOutcome::Recalled, "{layer:?}");
        assert_eq!(sent > 10_000, layer.sent == BlobOutcome::Copied, "{layer:?}");
        report
    }

    /// How often the layer was asked for.
    fn reads(&self) -> usize {
        let log = self.from.log();
        log.iter().filter(|line| line.path.contains(&self.blob.to_string())).count()
    }

    /// How many bytes of blobs went up.
    fn sent(&self) -> u64 {
        self.to.log().iter().filter(|line| line.method == "PATCH").map(|line| line.sent).sum()
    }

    fn entries(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.memory()).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

fn image() -> (Loopback, Loopback) {
    let noise: Vec<u8> =
        (0_u32..9_000).flat_map(|n| Digest::of(&n.to_le_bytes()).as_bytes()[..4].to_vec()).collect();
    let tar = tar(&[("noise", &noise)]);
    let mut content = Content::default();
    add_image(&mut content, Some("x"), "amd64", &[(gzip(&tar, 6), Digest::of(&tar))], &json!({}));
    (Loopback::start(content).unwrap(), Loopback::start(Content::default()).unwrap())
}

fn outcome(layer: &RewrittenLayer) -> (LayerOutcome, BlobOutcome) {
    (layer.outcome, layer.sent)
}

fn grow_old(path: &Path) {
    let then = rustix::fs::Timespec { tv_sec: 0, tv_nsec: 0 };
    let times = rustix::fs::Timestamps { last_access: then, last_modification: then };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::empty()).unwrap();
}

fn edit(path: &Path, edit: impl FnOnce(&mut Value)) {
    let mut entry: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    edit(&mut entry);
    std::fs::write(path, serde_json::to_vec(&entry).unwrap()).unwrap();
}

#[test]
fn what_was_converted_before_is_neither_read_nor_sent() {
    let scene = Scene::new();
    let first = scene.convert("one:a", &scene.options());
    assert_eq!(outcome(&first.layers[0]), (LayerOutcome::Rewritten, BlobOutcome::Copied));
    for (place, sent) in
        [("one:b", BlobOutcome::Present), ("two:a", BlobOutcome::Mounted), ("two:b", BlobOutcome::Present)]
    {
        let again = scene.convert(place, &scene.options());
        assert_eq!(outcome(&again.layers[0]), (LayerOutcome::Recalled, sent), "{place}");
        assert!(again.layers[0].why.contains("converted before"), "{again:?}");
        assert_eq!(again.digest, first.digest);
        let same = |report: &ConvertReport| {
            let layer = &report.layers[0];
            (layer.to, layer.to_size, layer.to_media_type.clone(), layer.toc_bytes, layer.tar_split_bytes)
        };
        assert_eq!(same(&again), same(&first));
    }
    // Where it is not, it is converted as if it never had been.
    let other = Loopback::start(Content::default()).unwrap();
    let destination = open_destination(&other.reference("one:a").parse().unwrap(), &client()).unwrap();
    let from = source(&scene.from.reference("x:x"));
    let report = convert(&*from, destination, &scene.options(), &Quiet).unwrap();
    assert_eq!(outcome(&report.layers[0]), (LayerOutcome::Rewritten, BlobOutcome::Copied));
}

#[test]
fn other_settings_force_and_no_memory_convert() {
    let scene = Scene::new();
    scene.convert("one:a", &scene.options());
    let mut level = scene.options();
    level.write.level = 1;
    let report = scene.convert("two:level", &level);
    assert_eq!(report.layers[0].outcome, LayerOutcome::Rewritten);
    assert_eq!(scene.entries().len(), 2);
    let mut force = scene.options();
    force.force = true;
    assert_eq!(scene.convert("one:force", &force).layers[0].outcome, LayerOutcome::Rewritten);
    let without = ConvertOptions::default();
    assert_eq!(scene.convert("one:without", &without).layers[0].outcome, LayerOutcome::Rewritten);
    assert_eq!(scene.entries().len(), 2);
}

#[test]
fn what_is_broken_or_says_something_else_is_as_good_as_nothing() {
    let scene = Scene::new();
    let first = scene.convert("one:a", &scene.options());
    let entry = scene.entries().remove(0);
    let honest = std::fs::read(&entry).unwrap();
    type Tamper = fn(&Path);
    let tampered: [(&str, Tamper); 7] = [
        ("another DiffID", |path| edit(path, |entry| entry["diff_id"] = json!(Digest::of(b"other")))),
        ("a blob that is nowhere", |path| edit(path, |entry| entry["blob"] = json!(Digest::of(b"none")))),
        ("another key", |path| edit(path, |entry| entry["key"] = json!("blob x"))),
        ("no size", |path| edit(path, |entry| entry["size"] = json!("long"))),
        ("nonsense", |path| std::fs::write(path, "{\"key\": 1").unwrap()),
        ("nothing", |path| std::fs::write(path, "").unwrap()),
        ("a directory", |path| {
            std::fs::remove_file(path).unwrap();
            std::fs::create_dir(path).unwrap();
        }),
    ];
    for (number, (what, tamper)) in tampered.into_iter().enumerate() {
        tamper(&entry);
        let report = scene.convert(&format!("one:{number}"), &scene.options());
        assert_eq!(outcome(&report.layers[0]), (LayerOutcome::Rewritten, BlobOutcome::Present), "{what}");
        assert_eq!(report.digest, first.digest, "{what}");
        if entry.is_dir() {
            assert_eq!(scene.entries(), [entry.as_path()], "no temporary file stays");
            std::fs::remove_dir(&entry).unwrap();
            std::fs::write(&entry, &honest).unwrap();
        }
        assert_eq!(scene.convert("one:again", &scene.options()).layers[0].outcome, LayerOutcome::Recalled);
    }
    // A repository that is gone, and no repository at all.
    edit(&entry, |entry| entry["places"] = json!([scene.to.reference("gone"), "::", ""]));
    assert_eq!(scene.convert("three:a", &scene.options()).layers[0].outcome, LayerOutcome::Rewritten);
}

#[test]
fn a_memory_that_others_can_write_to_or_nobody_can_is_none() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    scene.convert("one:a", &scene.options());
    let mode =
        |mode| std::fs::set_permissions(scene.memory(), std::fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(std::fs::metadata(scene.memory()).unwrap().permissions().mode() & 0o777, 0o700);
    mode(0o770);
    assert_eq!(scene.convert("one:b", &scene.options()).layers[0].outcome, LayerOutcome::Rewritten);
    mode(0o700);
    assert_eq!(scene.convert("one:c", &scene.options()).layers[0].outcome, LayerOutcome::Recalled);
    let mut options = scene.options();
    let file = scene.home.path().join("file");
    std::fs::write(&file, "").unwrap();
    for path in [file.join("conversions"), file.clone(), PathBuf::from("/proc/none/conversions")] {
        options.memory = Some(path);
        assert_eq!(scene.convert("one:d", &options).layers[0].outcome, LayerOutcome::Rewritten);
    }
}

#[test]
fn the_oldest_are_forgotten() {
    let scene = Scene::new();
    scene.convert("one:a", &scene.options());
    let old = scene.entries().remove(0);
    grow_old(&old);
    for number in 0..4_095 {
        std::fs::write(scene.memory().join(format!("{number}.json")), "").unwrap();
    }
    assert_eq!(scene.convert("one:b", &scene.options()).layers[0].outcome, LayerOutcome::Recalled);
    grow_old(&old);
    std::fs::write(scene.memory().join("one-more.json"), "").unwrap();
    assert_eq!(scene.convert("one:c", &scene.options()).layers[0].outcome, LayerOutcome::Rewritten);
    assert_eq!(scene.entries().len(), 3_073);
}

#[test]
fn what_was_pushed_before_is_not_pushed_again() {
    let scene = Scene::new();
    let store = Store::open(scene.home.path().join("store")).unwrap();
    let reference = scene.from.reference("x:x").parse().unwrap();
    let mut pulled = PullOptions::default();
    pulled.platform = "linux/amd64".parse().unwrap();
    pull(&store, &client(), &reference, &pulled, &shingle::pull::Quiet).unwrap();
    let image = store.image(&reference.to_string()).unwrap().unwrap();
    let pushed = |to: &str| {
        let destination = open_destination(&scene.to.reference(to).parse().unwrap(), &client()).unwrap();
        push(&store, &image, destination, &scene.options(), &Quiet).unwrap()
    };
    let first = pushed("one:a");
    assert_eq!(outcome(&first.layers[0]), (LayerOutcome::Rewritten, BlobOutcome::Copied));
    let second = pushed("two:a");
    assert_eq!(outcome(&second.layers[0]), (LayerOutcome::Recalled, BlobOutcome::Mounted));
    assert_eq!(first.digest, second.digest);
    // A blob is not known by the tar that a config says is in it.
    assert_eq!(scene.convert("two:b", &scene.options()).layers[0].outcome, LayerOutcome::Rewritten);
}
