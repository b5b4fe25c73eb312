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
    type Case<'a> = (&'a str, Box<dyn Fn(&Path) + 'a>, &'a str);
    let cases: [Case<'_>; 9] = [
        (
            "no version",
            Box::new(|dir| std::fs::remove_file(dir.join("oci-layout")).unwrap()),
            "no file oci-layout",
        ),
        (
            "version 2",
            Box::new(|dir| {
                std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"2.0"}"#).unwrap();
            }),
            "version is \"2.0\"",
        ),
        ("no index", Box::new(|dir| std::fs::remove_file(dir.join("index.json")).unwrap()), "no index.json"),
        ("no JSON", Box::new(|dir| std::fs::write(dir.join("index.json"), "{").unwrap()), "cannot be read"),
        (
            "a huge index",
            Box::new(|dir| {
                let file = tempfile::NamedTempFile::new_in(dir).unwrap();
                file.as_file().set_len(1 << 40).unwrap();
                file.persist(dir.join("index.json")).unwrap();
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

/// A name, and a content or the target of a link.
type Member<'a> = (&'a str, Result<&'a [u8], &'a str>);

fn archive(path: &Path, members: &[Member<'_>]) {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        // Names that the tar library itself would refuse.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_mode(0o644);
        let bytes = content.unwrap_or_default();
        header.set_size(u64::try_from(bytes.len()).unwrap());
        if let Err(target) = content {
            header.set_entry_type(tar::EntryType::Symlink);
            header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target.as_bytes());
        }
        header.set_cksum();
        tar.append(&header, bytes).unwrap();
    }
    std::fs::write(path, tar.into_inner().unwrap()).unwrap();
}

#[test]
fn archives_of_docker_save_are_read_and_lie_in_vain() {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("x.tar");
    let layer = vec![0; 1024];
    let config = format!(r#"{{"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#, Digest::of(&layer));
    let list = |config: &str, layers: &[&str]| {
        serde_json::to_vec(
            &serde_json::json!([{"Config": config, "RepoTags": ["a:1", "b:2"], "Layers": layers}]),
        )
        .unwrap()
    };
    let honest = list("c.json", &["one/layer.tar"]);
    let (config, layer) = (config.as_bytes(), layer.as_slice());
    let good: [&[Member<'_>]; 3] = [
        &[("manifest.json", Ok(&honest)), ("c.json", Ok(config)), ("one/layer.tar", Ok(layer))],
        // As docker save did it: layers that two images share are links, and what they lead to may come later.
        &[
            ("c.json", Ok(config)),
            ("one/layer.tar", Err("../two/layer.tar")),
            ("two/layer.tar", Ok(layer)),
            ("manifest.json", Ok(&honest)),
        ],
        &[("./manifest.json", Ok(&honest)), ("./c.json", Ok(config)), ("./one/layer.tar", Ok(layer))],
    ];
    for members in good {
        archive(&path, members);
        for name in ["", ":a:1", ":docker.io/library/b:2"] {
            read_all(&*open("docker-archive", &path, name).unwrap());
        }
        let error = open("docker-archive", &path, ":a:2").map(drop).unwrap_err();
        assert_eq!(error.hint().unwrap(), "name one of: a:1, b:2");
    }
    let outside = list("/etc/hostname", &["one/layer.tar"]);
    let above = list("../../etc/hostname", &["one/layer.tar"]);
    let many = list("c.json", &["one/layer.tar", "one/layer.tar"]);
    type Case<'a> = (&'a str, &'a [Member<'a>], &'a str);
    let bad: [Case<'_>; 8] = [
        ("nothing in it", &[("x", Ok(b"y"))], "no manifest.json"),
        (
            "an absolute path",
            &[("manifest.json", Ok(&outside)), ("one/layer.tar", Ok(layer))],
            "/etc/hostname is not in",
        ),
        (
            "a path upwards",
            &[("manifest.json", Ok(&above)), ("one/layer.tar", Ok(layer))],
            "etc/hostname is not in",
        ),
        (
            "a link out",
            &[("manifest.json", Ok(&honest)), ("c.json", Err("/etc/hostname")), ("one/layer.tar", Ok(layer))],
            "c.json is not in",
        ),
        (
            "links in a circle",
            &[("manifest.json", Ok(&honest)), ("c.json", Err("d.json")), ("d.json", Err("c.json"))],
            "leads nowhere",
        ),
        (
            "a member twice",
            &[("manifest.json", Ok(&honest)), ("manifest.json", Ok(&above)), ("c.json", Ok(config))],
            "holds manifest.json twice",
        ),
        (
            "more layers than digests",
            &[("manifest.json", Ok(&many)), ("c.json", Ok(config)), ("one/layer.tar", Ok(layer))],
            "",
        ),
        ("no JSON", &[("manifest.json", Ok(b"{"))], "cannot be read"),
    ];
    for (what, members, expected) in bad {
        archive(&path, members);
        let error = open("docker-archive", &path, "").map(drop).unwrap_err();
        assert!(error.to_string().contains(expected), "{what}: {error}");
    }
    // One cut short, and one that is no tar at all.
    archive(&path, good[0]);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1600]).unwrap();
    let error = open("docker-archive", &path, "").map(drop).unwrap_err();
    assert!(error.to_string().contains("inside \"one/layer.tar\""), "{error}");
    std::fs::write(&path, "not a tar at all, but a text that is longer than a header would be: ".repeat(20))
        .unwrap();
    assert!(matches!(open("docker-archive", &path, "").map(drop), Err(TransferError::Form { .. })));
}

#[test]
fn schema_1_and_foreign_layers_are_told() {
    let mut content = Content::default();
    content.add_manifest(
        Some("old"),
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        &br#"{"schemaVersion":1,"fsLayers":[]}"#[..],
    );
    let registry = Loopback::start(content).unwrap();
    let source = open_source(&registry.reference("x:old").parse().unwrap(), &client()).unwrap();
    let error = source.top().unwrap_err();
    assert!(error.to_string().contains("schema 1") && error.is_refusal(), "{error}");
}
