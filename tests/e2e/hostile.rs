//! Bad input is refused: with a message that says where and what, with the store as it was, and in bounded memory.

mod lies;

use shingle::loopback::{Cut, Faults, Refuse};
use shingle_core::Digest;
use shingle_tests::chunked::Parts;
use shingle_tests::cli::{Outcome, Shingle};
use shingle_tests::layout::{GZIP, Image, Layer, ZSTD};
use shingle_tests::need::{Need, have_all};
use shingle_tests::tree::{change, listing};

use crate::scene::{assert_tree, image, noise, serve, serve_badly, tar_of};

/// The most memory that refusing anything may take, in KiB.
const MOST_MEMORY: u64 = 200 << 10;

/// How a pull should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// With exit status 1.
    Refused,
    /// With exit status 2: the registry does not work.
    Failed,
    /// With the right tree: what is wrong does not matter.
    Right,
    /// With the right tree, but nothing in the table of contents was believed.
    Whole,
}

/// One bad image, or one bad registry.
struct Case {
    name: String,
    image: Image,
    faults: Faults,
    end: End,
    /// Parts of the message.
    says: Vec<String>,
}

impl Case {
    fn of(name: &str, layer: Layer, end: End, says: &[&str]) -> Self {
        // Whatever is wrong, the message names the layer.
        let mut all =
            if end == End::Refused { vec![layer.digest().to_hex()[..12].to_owned()] } else { Vec::new() };
        all.extend(says.iter().map(|part| (*part).to_owned()));
        Self { name: name.to_owned(), image: image(layer), faults: Faults::default(), end, says: all }
    }

    fn faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    fn changed(mut self, change: impl FnOnce(&mut Image)) -> Self {
        change(&mut self.image);
        self
    }

    /// The layer has nothing to do with it.
    fn says_only(self, says: &[&str]) -> Self {
        Self { says: says.iter().map(|part| (*part).to_owned()).collect(), ..self }
    }
}

fn tar() -> Vec<u8> {
    let file = |name, seed, length| (name, noise(seed, length), 0o644, 1_700_000_000);
    tar_of(&[
        file("a", 1, 5_000),
        file("d/b", 2, 90_000),
        file("d/c", 3, 100),
        file("e", 4, 0),
        file("f", 5, 2_000_000),
    ])
}

fn honest() -> Parts {
    Parts::of(&tar(), 32 << 10)
}

/// Runs cases against one store that holds an image with some of the same files, and collects what goes wrong.
fn check(cases: Vec<Case>) {
    let shingle = Shingle::new();
    let donor =
        tar_of(&[("donor", noise(2, 90_000), 0o644, 1_700_000_000), ("other", noise(9, 999), 0o600, 5)]);
    shingle.pull(&serve(&image(Parts::of(&donor, 1 << 20).seal())).reference("donor"));
    let before = listing(shingle.root());
    let mut wrong = Vec::new();
    for case in cases {
        let registry = serve_badly(&case.image, case.faults.clone());
        let reference = registry.reference("hostile/image:latest");
        let outcome = shingle.pull_measured(&reference);
        if let Some(problem) = judge(&case, &outcome) {
            wrong.push(format!("{}: {problem}\n    {}", case.name, message(&outcome)));
        }
        if outcome.code == Some(0) {
            let diff_id = case.image.layers[0].diff_id.to_string();
            assert_tree(&shingle.tree(&diff_id), &tar(), &case.name);
            shingle.run(&["rmi", &reference]).done();
            shingle.run(&["gc"]).done();
        }
        if let Some(change) = change(&before, &listing(shingle.root())) {
            wrong.push(format!("{}: {change}", case.name));
            shingle.run(&["gc"]).done();
        }
        let staged = shingle.root().join("staging").read_dir().unwrap().count();
        assert_eq!(staged, 0, "{}: left in staging", case.name);
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Joins what the command says of its failure.
fn message(outcome: &Outcome) -> String {
    let said: serde_json::Value = serde_json::from_str(&outcome.stderr).unwrap_or_default();
    let causes = said["causes"].as_array().into_iter().flatten();
    let parts = [&said["error"]].into_iter().chain(causes).filter_map(|part| part.as_str());
    parts.collect::<Vec<_>>().join(": ")
}

fn judge(case: &Case, outcome: &Outcome) -> Option<String> {
    let expected = match case.end {
        End::Right | End::Whole => 0,
        End::Refused => 1,
        End::Failed => 2,
    };
    if outcome.code != Some(expected) {
        return Some(format!("exit status {:?}, expected {expected}: {}", outcome.code, outcome.stdout));
    }
    let message = message(outcome);
    if let Some(silent) = case.says.iter().find(|part| !message.contains(part.as_str())) {
        return Some(format!("the message lacks {silent:?}"));
    }
    if case.end == End::Whole {
        let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        let layer = &report["layers"][0];
        if layer["mode"] != "whole" || layer["why"].as_str().is_none_or(str::is_empty) {
            return Some(format!("not whole with a reason: {report}"));
        }
    }
    let peak = outcome.peak.unwrap_or(0);
    (peak > MOST_MEMORY).then(|| format!("it took {} MiB of memory", peak >> 10))
}

#[test]
fn wrong_digests_on_each_rung() {
    if !have_all("hostile::wrong_digests_on_each_rung", &[Need::Time]) {
        return;
    }
    let layer = honest().seal();
    let blob = layer.digest();
    let flip = |offset: u64| Faults { flip: Some((blob, offset)), ..Faults::default() };
    let position = |key: &str| -> u64 {
        let value = &layer.annotations[&format!("io.github.containers.zstd-chunked.{key}-position")];
        value.split(':').next().unwrap().parse().unwrap()
    };
    let other = Digest::of(b"other");
    let honest_image = image(layer.clone());
    let config = Digest::of(honest_image.config.to_string().as_bytes());
    let says_other = [other.to_hex()];
    let says_other: Vec<_> = says_other.iter().map(|hex| &hex[..12]).collect();
    let case = |name: &str, says: &[&str]| Case::of(name, layer.clone(), End::Refused, says);
    check(vec![
        Case::of("nothing", layer.clone(), End::Right, &[]),
        case("manifest", &[])
            .says_only(&says_other)
            .faults(Faults { digest_header: Some(other), ..Faults::default() }),
        case("config", &[])
            .says_only(&["config"])
            .faults(Faults { flip: Some((config, 20)), ..Faults::default() }),
        case("table of contents", &[]).faults(flip(position("manifest") + 9)),
        case("tar-split", &[]).faults(flip(position("tarsplit") + 9)),
        case("chunk", &[]).faults(flip(1_500_000)),
        case("DiffID", &says_other)
            .changed(|image| image.config["rootfs"]["diff_ids"][0] = other.to_string().into()),
        Case::of("gzip blob", Layer::gzip(&tar()), End::Refused, &[])
            .faults(Faults { flip: Some((Layer::gzip(&tar()).digest(), 70_000)), ..Faults::default() }),
        Case::of("gzip DiffID", Layer { diff_id: other, ..Layer::gzip(&tar()) }, End::Refused, &says_other),
        Case::of("zstd DiffID", Layer { diff_id: other, ..Layer::zstd(&tar()) }, End::Refused, &says_other),
    ]);
}

#[test]
fn truncated_and_garbage_blobs() {
    if !have_all("hostile::truncated_and_garbage_blobs", &[Need::Time]) {
        return;
    }
    let mut cases = Vec::new();
    let full = honest().seal();
    for keep in [0, 1, 100, 5_000, full.blob.len() / 2] {
        // The manifest tells the truth about the blob, and the annotations point past its end or into nothing.
        let layer = Layer { blob: full.blob[..keep].to_vec(), ..full.clone() };
        cases.push(Case::of(&format!("zstd:chunked cut to {keep}"), layer, End::Refused, &[]));
    }
    for (name, layer) in
        [("gzip", Layer::gzip(&tar())), ("zstd", Layer::zstd(&tar())), ("tar", Layer::plain(&tar()))]
    {
        for keep in [0, 1, 600, layer.blob.len() / 2] {
            let layer = Layer { blob: layer.blob[..keep].to_vec(), ..layer.clone() };
            cases.push(Case::of(&format!("{name} cut to {keep}"), layer, End::Refused, &[]));
        }
    }
    for media_type in [GZIP, ZSTD, "application/vnd.oci.image.layer.v1.tar"] {
        let blob = b"<html><body>Please log in</body></html>".repeat(50);
        cases.push(Case::of(
            &format!("HTML as {media_type}"),
            Layer::new(media_type, blob, &tar()),
            End::Refused,
            &[],
        ));
        let blob = noise(77, 100_000);
        cases.push(Case::of(
            &format!("noise as {media_type}"),
            Layer::new(media_type, blob, &tar()),
            End::Refused,
            &[],
        ));
    }
    check(cases);
}

#[test]
fn nonsense_from_the_registry() {
    if !have_all("hostile::nonsense_from_the_registry", &[Need::Time]) {
        return;
    }
    let layer = honest().seal();
    let case =
        |name: &str, end, faults| Case::of(name, layer.clone(), end, &[]).says_only(&[]).faults(faults);
    let manifest = |text: &str| Faults { manifest: Some(text.to_owned().into()), ..Faults::default() };
    let refuse = |status| Refuse { status, times: u32::MAX, retry_after: Some("0".to_owned()) };
    let refuse = |status| Faults { refuse: Some(refuse(status)), ..Faults::default() };
    let mut cases = Vec::new();
    for text in [
        "",
        "<html></html>",
        "{}",
        "[]",
        "null",
        r#"{"schemaVersion":2,"layers":7}"#,
        "{\"schemaVersion\":1}",
    ] {
        cases.push(case(&format!("manifest {text:?}"), End::Refused, manifest(text)));
    }
    for status in [400, 401, 403, 404, 500, 503] {
        cases.push(case(&format!("status {status} for ever"), End::Failed, refuse(status)));
    }
    let cut = |after| Faults { cut: Some(Cut { after, times: u32::MAX }), ..Faults::default() };
    cases.push(case("bodies always cut at once", End::Failed, cut(0)));
    cases.push(case(
        "a length that is not the blob's",
        End::Right,
        Faults { total: Some(5), ..Faults::default() },
    ));
    cases.push(
        case("no diff_ids", End::Refused, Faults::default())
            .changed(|image| image.config["rootfs"]["diff_ids"] = serde_json::json!([])),
    );
    cases.push(case("too many diff_ids", End::Refused, Faults::default()).changed(|image| {
        let id = image.config["rootfs"]["diff_ids"][0].clone();
        image.config["rootfs"]["diff_ids"] = serde_json::json!([id, id]);
    }));
    cases.push(
        case("a blob longer than the manifest says", End::Refused, Faults::default())
            .changed(|image| image.manifest["layers"][0]["size"] = 1000.into()),
    );
    cases.push(
        case("a size below zero", End::Refused, Faults::default())
            .changed(|image| image.manifest["layers"][0]["size"] = (-1).into()),
    );
    cases.push(
        case("a digest of another kind", End::Refused, Faults::default())
            .changed(|image| image.manifest["layers"][0]["digest"] = "md5:00".into()),
    );
    check(cases);
}
