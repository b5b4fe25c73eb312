//! Reading images where they lie, and refusing what is not what it says it is.

use std::io::Read;
use std::path::Path;

use shingle::loopback::{Content, Loopback};
use shingle::transport::{Source, TransferError, open_source};
use shingle_core::Digest;

use crate::{client, fixture, open};

/// Reads everything of a one-platform image, and checks it.
fn read_all(source: &dyn Source) -> (Digest, Vec<Digest>) {
    let top = source.top().unwrap();
    assert!(!top.is_index());
    assert_eq!(Digest::of(&top.bytes), top.digest);
    let manifest = top.manifest().unwrap();
    let mut digests = Vec::new();
    for blob in std::iter::once(&manifest.config).chain(&manifest.layers) {
        let mut bytes = Vec::new();
        source.open_blob(blob.digest, blob.size).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(Digest::of(&bytes), blob.digest);
        let part = source.read_range(blob.digest, blob.size, 3..17).unwrap();
        assert_eq!(part, bytes[3..17]);
        digests.push(blob.digest);
    }
    (top.digest, digests)
}

/// A tar of a directory, every member under `prefix`.
fn tar_of(dir: &Path, prefix: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all(prefix, dir).unwrap();
    tar.into_inner().unwrap()
}

#[test]
fn an_image_is_the_same_in_a_registry_a_layout_and_an_archive() {
    let layout = fixture("demo");
    let registry = Loopback::start(Content::from_layout(&layout).unwrap()).unwrap();
    let location = registry.reference("demo:v1").parse().unwrap();
    let expected = read_all(&*open_source(&location, &client()).unwrap());
    assert_eq!(read_all(&*open("oci", &layout, ":v1").unwrap()), expected);
    let work = tempfile::tempdir().unwrap();
    for (name, prefix, packed) in [("a.tar", "./", false), ("b.tar", "", false), ("c.tar.gz", "./", true)] {
        let path = work.path().join(name);
        let mut tar = tar_of(&layout, prefix);
        if packed {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut gzip, &tar).unwrap();
            tar = gzip.finish().unwrap();
        }
        std::fs::write(&path, tar).unwrap();
        assert_eq!(read_all(&*open("oci-archive", &path, ":v1").unwrap()), expected, "{name}");
    }
}

#[test]
fn a_name_that_is_missing_or_wanting_is_answered_with_those_there_are() {
    for name in ["", ":v3"] {
        let error = open("oci", &fixture("demo"), name).map(drop).unwrap_err();
        assert!(matches!(error, TransferError::Name { .. }), "{error:?}");
        assert_eq!(error.hint().unwrap(), "name one of: v1, v2");
        assert!(!error.is_refusal());
    }
    open("oci", &fixture("zoo/gzip"), "").unwrap();
}

/// A copy of the zoo's layout, to be spoilt.
fn spoilt(spoil: impl FnOnce(&Path)) -> tempfile::TempDir {
    let work = tempfile::tempdir().unwrap();
    let from = fixture("zoo/gzip");
    std::fs::create_dir_all(work.path().join("blobs/sha256")).unwrap();
    for name in ["oci-layout", "index.json"] {
        std::fs::copy(from.join(name), work.path().join(name)).unwrap();
    }
    for entry in std::fs::read_dir(from.join("blobs/sha256")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), work.path().join("blobs/sha256").join(entry.file_name())).unwrap();
    }
    spoil(work.path());
    work
}

const MANIFEST: &str = "blobs/sha256/b19958d8a4f915d1f46292336f2b5723ebb3f1a9ed32a1ab93cf5b451981adef";

#[test]
fn layouts_that_lie_are_refused() {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    std::fs::copy(fixture("zoo/gzip").join(MANIFEST), &secret).unwrap();
    let link = |to: &Path, dir: &Path, name: &str| {
        std::fs::remove_file(dir.join(name)).unwrap();
        std::os::unix::fs::symlink(to, dir.join(name)).unwrap();
    };
    let cases: [(&str, Box<dyn Fn(&Path)>, &str); 9] = [
        (
            "no version",
            Box::new(|dir| std::fs::remove_file(dir.join("oci-layout")).unwrap()),
            "no file oci-layout",
        ),
        (
            "version 2",
            Box::new(|dir| {
                std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"2.0"}"#).unwrap()
            }),
            "version is \"2.0\"",
        ),
        ("no index", Box::new(|dir| std::fs::remove_file(dir.join("index.json")).unwrap()), "no index.json"),
        ("no JSON", Box::new(|dir| std::fs::write(dir.join("index.json"), "{").unwrap()), "cannot be read"),
        (
            "a huge index",
            Box::new(|dir| {
                std::fs::File::create(dir.join("index.json")).unwrap().set_len(1 << 40).unwrap();
            }),
            "the limit is",
        ),
        ("a link out of the manifest", Box::new(|dir| link(&secret, dir, MANIFEST)), "cannot open"),
        ("a link out of the index", Box::new(|dir| link(&secret, dir, "index.json")), "cannot open"),
        (
            "a changed manifest",
            Box::new(|dir| {
                let mut bytes = std::fs::read(dir.join(MANIFEST)).unwrap();
                bytes[20] ^= 1;
                std::fs::write(dir.join(MANIFEST), bytes).unwrap();
            }),
            "the content has digest",
        ),
        (
            "a longer manifest",
            Box::new(|dir| {
                let mut bytes = std::fs::read(dir.join(MANIFEST)).unwrap();
                bytes.push(b' ');
                std::fs::write(dir.join(MANIFEST), bytes).unwrap();
            }),
            "its descriptor states 404",
        ),
    ];
    for (what, spoil, expected) in cases {
        let work = spoilt(spoil);
        let error = open("oci", work.path(), "").and_then(|source| source.top()).unwrap_err();
        let said = format!("{error}");
        assert!(said.contains(expected), "{what}: {said}");
    }
    // Nobody waits for a fifo's writer.
    let work = spoilt(|dir| {
        std::fs::remove_file(dir.join("index.json")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, dir.join("index.json"), rustix::fs::Mode::RUSR).unwrap();
    });
    let error = open("oci", work.path(), "").map(drop).unwrap_err();
    assert!(matches!(error, TransferError::File { operation: "read", .. }), "{error:?}");
}
