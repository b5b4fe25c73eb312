//! Tables of contents and tar-splits that lie, under digests that vouch for the lie.

use serde_json::{Value, json};
use shingle_core::{Digest, compress};
use shingle_tests::chunked::Parts;
use shingle_tests::cli::Shingle;
use shingle_tests::layout::{Layer, ZSTD};
use shingle_tests::need::{Need, have_all};

use super::{Case, End, check, honest};
use crate::scene::{image, serve};

/// A lie that is caught.
fn lie(name: &str, says: &[&str], change: impl FnOnce(&mut Parts)) -> Case {
    let mut parts = honest();
    change(&mut parts);
    Case::of(name, parts.seal(), End::Refused, says)
}

/// A table or tar-split that says nothing at all, so that only the tar itself is left to believe.
fn nonsense(name: &str, change: impl FnOnce(&mut Parts)) -> Case {
    Case { end: End::Whole, ..lie(name, &[], change) }.says_only(&[])
}

fn entry(name: &'static str, key: &'static str, value: impl Into<Value>) -> Case {
    let value = value.into();
    let shown = format!("{name}: {key} = {value}");
    lie(&shown, &[&format!("\"{name}\"")], |parts| parts.entry(name)[key] = value)
}

/// An entry that is no entry.
fn odd(name: &'static str, key: &'static str, value: impl Into<Value>) -> Case {
    let value = value.into();
    nonsense(&format!("{name}: {key} = {value}"), |parts| parts.entry(name)[key] = value)
}

fn split(name: &str, change: impl FnOnce(String) -> String) -> Case {
    nonsense(name, |parts| {
        let text = String::from_utf8(std::mem::take(&mut parts.split)).unwrap();
        parts.split = change(text).into_bytes();
    })
}

#[test]
fn of_sizes_places_and_names() {
    if !have_all("hostile::lies::of_sizes_places_and_names", &[Need::Time]) {
        return;
    }
    let other = Digest::of(b"other").to_string();
    check(vec![
        entry("a", "size", 4_999),
        entry("a", "size", 5_001),
        entry("a", "size", 0),
        odd("a", "size", -1),
        odd("a", "size", u64::MAX),
        entry("f", "size", 2_000_001),
        entry("a", "offset", 1),
        entry("a", "offset", -5),
        entry("a", "offset", 1_u64 << 60),
        entry("a", "endOffset", 1),
        entry("a", "endOffset", 1_u64 << 60),
        entry("f", "chunkSize", 1),
        entry("f", "chunkSize", 1_u64 << 50),
        entry("f", "chunkOffset", 7),
        entry("a", "digest", other.clone()),
        odd("a", "digest", "sha256:zz"),
        entry("f", "chunkDigest", other),
        entry("a", "mode", 0o4755),
        entry("a", "uid", 12345),
        entry("a", "modtime", "2001-01-01T00:00:00Z"),
        odd("a", "modtime", "yesterday"),
        entry("a", "type", "dir"),
        odd("a", "type", "socket"),
        entry("a", "xattrs", json!({"security.capability": "AAAA"})),
        lie("a climbing name", &["../../evil"], |parts| parts.entry("a")["name"] = "../../evil".into()),
        lie("an absolute name", &["/evil"], |parts| parts.entry("a")["name"] = "/evil".into()),
        lie("an empty name", &[], |parts| parts.entry("a")["name"] = "".into()),
        lie("a name with NUL", &[], |parts| parts.entry("a")["name"] = "a\0b".into()),
        lie("a name too many", &[], |parts| {
            let extra = json!({"type": "reg", "name": "extra", "mode": 420});
            parts.toc["entries"].as_array_mut().unwrap().push(extra);
        }),
        lie("a name missing", &[], |parts| drop(parts.toc["entries"].as_array_mut().unwrap().pop())),
        lie("no entries", &[], |parts| parts.toc["entries"] = json!([])),
        nonsense("two files swapped", |parts| {
            parts.entry("a")["name"] = "swap".into();
            parts.entry("d/c")["name"] = "a".into();
            parts.entry("swap")["name"] = "d/c".into();
        }),
        nonsense("a chunk before any file", |parts| {
            let chunk = json!({"type": "chunk", "name": "a", "chunkSize": 5, "offset": 9});
            parts.toc["entries"].as_array_mut().unwrap().insert(0, chunk);
        }),
        nonsense("another version", |parts| parts.toc["version"] = json!(2)),
    ]);
}

#[test]
fn of_the_tar_split() {
    if !have_all("hostile::lies::of_the_tar_split", &[Need::Time]) {
        return;
    }
    check(vec![
        lie("another digest", &[], |parts| {
            parts.toc["tarSplitDigest"] = Digest::of(b"other").to_string().into();
        }),
        lie("empty", &[], |parts| parts.split.clear()),
        split("not JSON", |_| "tar".repeat(999)),
        split("another name", |text| text.replacen("\"d/b\"", "\"d/x\"", 1)),
        split("another size", |text| text.replacen("\"size\":5000", "\"size\":5001", 1)),
        split("a huge size", |text| text.replacen("\"size\":5000", "\"size\":9223372036854775807", 1)),
        split("a negative size", |text| text.replacen("\"size\":5000", "\"size\":-5000", 1)),
        split("a record missing", |text| text.lines().skip(1).map(|line| format!("{line}\n")).collect()),
        split("records swapped", |text| {
            let mut lines: Vec<_> = text.lines().collect();
            lines.swap(1, 3);
            lines.iter().map(|line| format!("{line}\n")).collect()
        }),
        split("half of it", |text| text[..text.len() / 2].to_owned()),
        split("base64 that is none", |text| text.replacen("\"payload\":\"", "\"payload\":\"!", 1)),
        lie("a length that lies", &[], |parts| parts.split_len = Some(5)),
        nonsense("not zstd", |parts| parts.packed_split = Some(b"not zstd".to_vec())),
    ]);
}

#[test]
fn of_the_annotations() {
    if !have_all("hostile::lies::of_the_annotations", &[Need::Time]) {
        return;
    }
    let key = |name: &str| format!("io.github.containers.zstd-chunked.{name}");
    let say = |name: &str, key: String, value: &str, end| {
        let mut layer = honest().seal();
        layer.annotations.insert(key, value.to_owned());
        Case::of(name, layer, end, &[])
    };
    let position = key("manifest-position");
    let checksum = key("manifest-checksum");
    let other = Digest::of(b"other").to_string();
    check(vec![
        say("another checksum", checksum, &other, End::Refused),
        say("past the end", position.clone(), "99999999:10:20:1", End::Whole),
        say("overflowing", position.clone(), "18446744073709551615:18446744073709551615:20:1", End::Whole),
        say("of nothing", position.clone(), "0:0:0:1", End::Whole),
        say("a length beyond reason", position, "5:100:99999999999999:1", End::Whole),
        nonsense("a table that is not JSON", |parts| parts.packed_toc = Some(compress(b"<html>"))),
        lie("a table that is not zstd", &[], |parts| parts.packed_toc = Some(b"<html>".to_vec())),
        lie("a length that lies", &[], |parts| parts.toc_len = Some(5)),
    ]);
}

/// A zstd frame of as many equal bytes, in 4 bytes for each 128 KiB.
fn bomb(byte: u8, mebibytes: usize) -> Vec<u8> {
    // Magic; no checksum, no size; a window of 128 KiB (RFC 8878 §3.1.1.1).
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for block in (0..mebibytes * 8).rev() {
        let header = u32::from(block == 0) | 1 << 1 | (128 << 10) << 3;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(byte);
    }
    frame
}

#[test]
fn bombs() {
    if !have_all("hostile::lies::bombs", &[Need::Time]) {
        return;
    }
    let file = |mebibytes: usize| {
        // A file whose one frame is far longer than the file.
        let mut parts = honest();
        let start = parts.entry("a")["offset"].as_u64().unwrap() as usize;
        parts.frames.truncate(start);
        parts.frames.extend(bomb(b'x', mebibytes));
        parts.entry("a")["endOffset"] = json!(parts.frames.len());
        parts.seal()
    };
    check(vec![
        lie("a table of 4 GiB that claims 1 MiB", &[], |parts| {
            parts.packed_toc = Some(bomb(b' ', 4096));
            parts.toc_len = Some(1 << 20);
        }),
        nonsense("a table of 4 GiB that says so", |parts| {
            parts.packed_toc = Some(bomb(b' ', 4096));
            parts.toc_len = Some(4 << 30);
        }),
        nonsense("a table of 400 MiB of spaces", |parts| {
            parts.packed_toc = Some(bomb(b' ', 400));
            parts.toc_len = Some(400 << 20);
        }),
        nonsense("a tar-split of 1 GiB of newlines", |parts| {
            parts.packed_split = Some(bomb(b'\n', 1024));
            parts.split_len = Some(1 << 30);
        }),
        nonsense("a tar-split of 1 GiB in one line", |parts| {
            parts.packed_split = Some(bomb(b'A', 1024));
            parts.split_len = Some(1 << 30);
        }),
        Case::of("a file's frame of 16 GiB", file(16 << 10), End::Refused, &[]),
        Case::of("a whole layer of 4 GiB of noise in its headers", bomb_layer(b'x'), End::Refused, &[]),
    ]);
}

fn bomb_layer(byte: u8) -> Layer {
    Layer::new(ZSTD, bomb(byte, 4096), b"")
}

/// Names that lead out of a careless extractor's root are a right tar; they must stay inside all the same.
#[test]
fn no_name_leads_out_of_the_tree() {
    let outside = tempfile::TempDir::new().unwrap();
    let victim = outside.path().join("victim");
    std::fs::write(&victim, "untouched").unwrap();
    let up = "../".repeat(20);
    let inside = outside.path().to_str().unwrap().trim_start_matches('/');
    let plans: [Vec<(String, Option<String>)>; 5] = [
        vec![(format!("{up}{inside}/victim"), None)],
        vec![(format!("/{inside}/victim"), None)],
        vec![("link".to_owned(), Some(format!("/{inside}"))), ("link/victim".to_owned(), None)],
        vec![("link".to_owned(), Some(format!("{up}{inside}"))), ("link/victim".to_owned(), None)],
        vec![("link".to_owned(), Some(format!("/{inside}/victim"))), ("link".to_owned(), None)],
    ];
    for plan in plans {
        let tar = tar(&plan);
        for layer in [Parts::of(&tar, 1 << 20).seal(), Layer::gzip(&tar)] {
            let registry = serve(&image(layer));
            let shingle = Shingle::new();
            let outcome = shingle.run(&["pull", &registry.reference("t")]);
            assert!(matches!(outcome.code, Some(0 | 1)), "{plan:?}: {}", outcome.stderr);
            let reference = registry.reference("t");
            if outcome.code == Some(0) {
                let to = shingle.beside("plain");
                shingle.run(&["unpack".as_ref(), reference.as_ref(), to.as_os_str()]).done();
            }
            assert_eq!(std::fs::read_to_string(&victim).unwrap(), "untouched", "{plan:?}");
            assert_eq!(outside.path().read_dir().unwrap().count(), 1, "{plan:?}");
        }
    }
}

/// Writes files and symbolic links, with names that the `tar` crate would not write by itself.
fn tar(plan: &[(String, Option<String>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, link) in plan {
        let mut header = tar::Header::new_gnu();
        let body = if link.is_some() { "" } else { "overwritten" };
        header.set_size(body.len() as u64);
        header.set_mode(0o644);
        header.set_uid(rustix::process::geteuid().as_raw().into());
        header.set_gid(rustix::process::getegid().as_raw().into());
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(if link.is_some() { tar::EntryType::Symlink } else { tar::EntryType::Regular });
        if let Some(link) = link {
            header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        }
        header.set_cksum();
        tar.append(&header, body.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}
