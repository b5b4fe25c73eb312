//! What `shingle plan` forecasts is what `shingle pull` then does, from a real registry and in every form.

use serde_json::Value;
use shingle_tests::chunked::Parts;
use shingle_tests::cli::Shingle;
use shingle_tests::here;
use shingle_tests::layout::{Image, Layer};
use shingle_tests::need::{Need, have_all};
use shingle_tests::peers::Registry;
use shingle_tests::stargz::{Ending, Form, Stargz};

use crate::scene::{image, noise, serve, serve_all, tar_of};

/// Forecasts a pull and holds it against the pull, layer by layer; returns the forecast.
fn agree(shingle: &Shingle, words: &[&str], what: &str) -> Value {
    let run = |command: &str| {
        let words: Vec<_> = [command, "--json"].iter().chain(words).copied().collect();
        shingle.run(&words).json()
    };
    let (planned, pulled) = (run("plan"), run("pull"));
    assert_eq!(planned["digest"], pulled["digest"], "{what}");
    let layers = |report: &Value| report["layers"].as_array().unwrap().clone();
    assert_eq!(layers(&planned).len(), layers(&pulled).len(), "{what}");
    let mut sums = (0, 0);
    for (planned, pulled) in layers(&planned).iter().zip(&layers(&pulled)) {
        let keys: &[_] = match planned["mode"].as_str() {
            Some("partial") => &["toc_bytes", "reused_bytes"],
            _ => &[],
        };
        for key in ["blob", "diff_id", "mode", "fetched_bytes", "requests"].iter().chain(keys) {
            assert_eq!(planned[key], pulled[key], "{what}: {key}\n{planned}\n{pulled}");
        }
        sums.0 += pulled["fetched_bytes"].as_u64().unwrap();
        sums.1 += pulled["requests"].as_u64().unwrap();
    }
    let total = &planned["total"];
    assert_eq!(
        (total["fetched_bytes"].as_u64(), total["requests"].as_u64()),
        (Some(sums.0), Some(sums.1)),
        "{what}"
    );
    planned
}

/// Versions of an image of one layer, each with some files changed, a long one in the middle, and one more.
fn versions(count: u64) -> Vec<Image> {
    let version = |version: u64| {
        let names: Vec<_> = (0..60 + version).map(|file| format!("file{file:03}")).collect();
        let mut files: Vec<_> = names
            .iter()
            .zip(0..)
            .map(|(name, file)| {
                let seed = if file % 11 == version % 11 { 1_000 * version + file } else { file };
                (name.as_str(), noise(seed, 500 + 700 * file as usize), 0o644, 1_700_000_000)
            })
            .collect();
        let mut long = noise(7, 600_000);
        long.splice(300_000..300_010, noise(version, 10));
        files.push(("long", long, 0o644, 1_700_000_000));
        image(Parts::of(&tar_of(&files), 64 << 10).seal())
    };
    (0..count).map(version).collect()
}

#[test]
fn of_ten_images_in_sequence_from_a_real_registry() {
    if !have_all("plan::of_ten_images_in_sequence_from_a_real_registry", &[Need::Registry]) {
        return;
    }
    let (registry, shingle) = (Registry::start(), Shingle::new());
    let mut before = String::new();
    for (number, image) in versions(10).iter().enumerate() {
        let layout = shingle.beside(&format!("layout{number}"));
        image.write(&layout, "v");
        let name = format!("v{number}");
        registry.push(&layout, "v", &name);
        let reference = registry.reference(&name);
        let forecast = agree(&shingle, &[&reference], &name);
        assert_eq!(forecast["layers"][0]["mode"], "partial");
        if number == 1 {
            // A machine that has the one before, and nothing else.
            let given = Shingle::new().run(&["plan", "--json", "--given", &before, &reference]).json();
            assert_eq!(given, forecast);
        }
        let blob = forecast["total"]["blob_bytes"].as_u64().unwrap();
        assert!(number == 0 || forecast["total"]["fetched_bytes"].as_u64().unwrap() * 2 < blob, "{forecast}");
        before = reference;
    }
}

#[test]
fn what_it_reads_is_the_tables_alone() {
    if !have_all("plan::what_it_reads_is_the_tables_alone", &[Need::Registry]) {
        return;
    }
    let registry = Registry::start();
    registry.push(&here("fixtures/demo"), "v1", "demo");
    let mark = registry.mark();
    let report = Shingle::new().run(&["plan", "--json", &registry.reference("demo")]).json();
    let config = 4_096;
    let toc = report["total"]["toc_bytes"].as_u64().unwrap();
    assert!((toc..toc + config).contains(&registry.blob_bytes_since(mark)), "{report}");
}

#[test]
fn of_estargz_with_its_contents_anywhere() {
    let files: Vec<_> = (0..30).map(|file| (format!("file{file:02}"), noise(file, 9_000))).collect();
    let tar = |extra: &[(String, Vec<u8>)]| {
        let files = files.iter().chain(extra);
        tar_of(
            &files
                .map(|(name, body)| (name.as_str(), body.clone(), 0o644, 1_700_000_000))
                .collect::<Vec<_>>(),
        )
    };
    for ending in [Ending::EStargz, Ending::Legacy, Ending::External] {
        let shingle = Shingle::new();
        for extra in [&[][..], &[("more".to_owned(), noise(99, 20_000))]] {
            let written = Stargz::of(&tar(extra), Form { chunk: 20_000, min_chunk: 0, ending }, |_| {});
            let (own, beside) = (image(written.layer.clone()), written.toc_image());
            let registry = serve_all(&[("latest", &own), ("latest-esgztoc", &beside)]);
            let reference = registry.reference("t:latest");
            let what = format!("{ending:?}");
            // Nothing ties it to the DiffID: another machine would pull it whole.
            let whole = Shingle::new();
            assert_eq!(agree(&whole, &[&reference], &what)["layers"][0]["mode"], "whole");
            let forecast = agree(&shingle, &["--trust", "toc", &reference], &what);
            assert_eq!(forecast["layers"][0]["mode"], "partial", "{what}: {forecast}");
            let again = agree(&shingle, &["--trust", "toc", &reference], &what);
            assert_eq!(again["layers"][0]["mode"], "present");
            let given = ["plan", "--json", "--trust", "toc", "--given", &reference, &reference];
            assert_eq!(Shingle::new().run(&given).json()["layers"][0]["mode"], "present");
        }
        // Without the image beside it, it says so and is pulled whole.
        let written =
            Stargz::of(&tar(&[]), Form { chunk: 20_000, min_chunk: 0, ending: Ending::External }, |_| {});
        let registry = serve(&image(written.layer));
        let forecast = agree(&Shingle::new(), &["--trust", "toc", &registry.reference("t:latest")], "alone");
        assert!(forecast["layers"][0]["why"].as_str().unwrap().contains("latest-esgztoc"), "{forecast}");
    }
}

#[test]
fn of_what_no_table_describes() {
    let tar = tar_of(&[("a", noise(1, 50_000), 0o644, 1), ("b", noise(2, 10_000), 0o644, 1)]);
    for layer in [Layer::plain(&tar), Layer::gzip(&tar), Layer::zstd(&tar)] {
        let what = layer.media_type.clone();
        // What was whole gives its files, pulled or given.
        let more = tar_of(&[("a", noise(1, 50_000), 0o644, 1), ("c", noise(3, 9_000), 0o644, 1)]);
        let next = image(Parts::of(&more, 64 << 10).seal());
        let registry = serve_all(&[("whole", &image(layer)), ("next", &next)]);
        let (shingle, whole) = (Shingle::new(), registry.reference("t:whole"));
        let forecast = agree(&shingle, &[&whole], &what);
        assert_eq!(forecast["layers"][0]["mode"], "whole");
        let reference = registry.reference("t:next");
        let given = Shingle::new().run(&["plan", "--json", "--given", &whole, &reference]).json();
        assert_eq!(given, agree(&shingle, &[&reference], &what));
        assert_eq!(given["layers"][0]["files"]["held"], 1, "{given}");
    }
}

#[test]
fn a_table_that_lies_is_refused() {
    let tar = tar_of(&[("a", noise(1, 5_000), 0o644, 1)]);
    let mut parts = Parts::of(&tar, 64 << 10);
    parts.entry("a")["size"] = 4_999.into();
    let registry = serve(&image(parts.seal()));
    let reference = registry.reference("t:latest");
    let lied = Shingle::new().run(&["plan", &reference]).refused();
    assert!(lied.stderr.contains("layer 1 (") && lied.stderr.contains("\"a\""), "{}", lied.stderr);
    let given = Shingle::new().run(&["plan", "--given", &reference, &reference]).refused();
    assert!(given.stderr.contains("which is given"), "{}", given.stderr);
}
