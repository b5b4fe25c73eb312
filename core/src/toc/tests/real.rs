//! Blobs that real tools wrote.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::store::{stored, unlocated};
use crate::testing::{Layer, OLD_BLOB, fixture_bytes, pull};
use crate::{Agreed, Body, Digest, Fetched, Inventory, Limits, Locator, TocFetch};

const ESTARGZ: &[u8] = fixture_bytes!("zoo/zoo.estargz");
const STARGZ: &[u8] = fixture_bytes!("zoo/zoo.stargz-zstd");

fn fetch(blob: &[u8], locator: Locator) -> Fetched {
    let mut fetch = TocFetch::new(locator, Limits::default());
    let range = fetch.remaining();
    // Byte by byte, and more than is owed.
    for byte in &blob[range.start as usize..] {
        fetch.receive(core::slice::from_ref(byte));
    }
    assert!(fetch.remaining().is_empty());
    fetch.finish().unwrap()
}

fn from_footer(blob: &[u8]) -> Fetched {
    fetch(blob, Locator::from_footer(blob, blob.len() as u64, &Limits::default()).unwrap().unwrap())
}

fn from_annotations(blob: &[u8], checksum: &str, position: &str) -> Fetched {
    let key = |end: &str| std::format!("io.containers.zstd-chunked.manifest-{end}");
    let annotations =
        BTreeMap::from([(key("checksum"), checksum.to_string()), (key("position"), position.to_string())]);
    let locator = Locator::from_annotations(&annotations, blob.len() as u64, &Limits::default());
    fetch(blob, locator.unwrap().unwrap())
}

#[test]
fn podman_5_8() {
    let zoo = Layer::zoo();
    let Fetched { toc, tar_split } = zoo.fetched().unwrap();
    let ends: Vec<_> = toc.chunks.iter().map(|chunk| chunk.body.clone()).collect();
    assert!(ends.contains(&Body::Zeros));
    let split = tar_split.unwrap();
    assert_eq!(split.plain_len(), 46_393);
    let agreed = Agreed::new(toc.clone(), split.read(&Limits::default()).unwrap()).unwrap();
    assert!(**agreed.toc() == toc);
    let footer = from_footer(&zoo.blob);
    assert!((footer.toc, footer.tar_split) == (toc.clone(), Some(split)));
    assert!(stored(&toc) == unlocated(&toc));
    // The TOC speaks of every file that the tar holds, with the tar's digest.
    let contents = zoo.contents();
    assert_eq!(toc.files().count(), contents.len());
    for (file, entry) in toc.files() {
        assert_eq!(entry.digest(), Some(&Digest::of(&contents[&file])), "{}", entry.member().name);
    }
}

#[test]
fn podman_4_3() {
    let sum = "sha256:45abde6c759ab7799b953e088378176070fdf1e4923052291b8dbb484e810a27";
    let Fetched { toc, tar_split } = from_annotations(OLD_BLOB, sum, "224514:1732:8287:1");
    assert_eq!((tar_split, toc.tar_split_digest()), (None, None));
    assert!(from_footer(OLD_BLOB).toc == toc);
    // It is the same layer, but for the places of frames, and xattrs without a value, which it lost.
    let mut today = unlocated(&Layer::zoo().toc());
    today.tar_split_digest = None;
    today.entries.iter_mut().for_each(|entry| entry.member.xattrs.retain(|_, value| !value.is_empty()));
    assert!(unlocated(&toc) == today);
}

#[test]
fn stargz_snapshotters_zstd_chunked() {
    let sum = "sha256:81a522471bc737ef69a9c26dd7b2e67a35ae15b06b4dbb845335a74a728110bb";
    let Fetched { toc, tar_split } = from_annotations(STARGZ, sum, "282435:2299:10816:1");
    assert_eq!(tar_split, None);
    assert!(from_footer(STARGZ).toc == toc);
    assert!(toc.files().any(|(_, entry)| toc.chunks(entry).len() > 1));
    // Its frames hold the contents, though it never says where they end.
    let contents = Layer::zoo().contents().into_values().map(|content| (Digest::of(&content), content));
    let contents: BTreeMap<_, _> = contents.collect();
    let toc = alloc::sync::Arc::new(toc);
    let policy = crate::Policy { trust: crate::Trust::Toc, ..Default::default() };
    let plan = crate::testing::plan_with(&toc, &Inventory::new(), &policy);
    let (files, _) = pull(STARGZ, &plan, &BTreeMap::new(), || 10_000).unwrap();
    assert!(!files.is_empty());
    for (file, content) in files {
        let entry = toc.file(file).unwrap();
        let name = entry.member().name.to_string();
        if !name.contains("landmark") {
            assert!(contents[entry.digest().unwrap()] == content, "{name}");
        }
    }
}

#[test]
fn stargz_snapshotters_gzip() {
    let digest = "sha256:bd5800ce15760a09d962b8c4a664d3c5f90dd8a4f8cf416b586098d88fc28551";
    let key = "containerd.io/snapshot/stargz/toc.digest";
    let policy = crate::Policy { trust: crate::Trust::Toc, ..Default::default() };
    let annotations = BTreeMap::from([(key.to_string(), digest.to_string())]);
    let located = crate::Located::from_annotations(&annotations, ESTARGZ.len() as u64, &policy);
    let crate::Located::Tail(mut tail) = located.unwrap().unwrap() else { panic!() };
    tail.receive(&ESTARGZ[tail.remaining().start as usize..]);
    let crate::TailFound::Here(fetch) = tail.finish().unwrap() else { panic!() };
    assert!(fetch.remaining().is_empty());
    let toc = fetch.finish().unwrap().toc;
    assert_eq!(toc.vouched(), Some(&digest.parse().unwrap()));
    assert!(from_footer(ESTARGZ).toc == toc);
    let toc = alloc::sync::Arc::new(toc);
    let plan = crate::testing::plan_with(&toc, &Inventory::new(), &policy);
    let (files, _) = pull(ESTARGZ, &plan, &BTreeMap::new(), || 10_000).unwrap();
    let mut contents = Layer::zoo().contents().into_values().collect::<Vec<_>>();
    let mut files = files.into_values().collect::<Vec<_>>();
    contents.sort();
    files.sort();
    assert!(files == contents);
}

#[test]
fn names_that_json_cannot_hold_come_from_the_tar_split_and_are_stored() {
    let tar = fixture_bytes!("tar/not-utf8.tar");
    let lines = crate::tar_split::fixture::write(tar).unwrap().0;
    let split = crate::tar_split::fixture::read([&lines[..]]).unwrap();
    let members = split.members().map(|entry| {
        let member = entry.unwrap().member;
        let digest =
            (member.kind == crate::Kind::Regular).then(|| Digest::of(&vec![0; member.size as usize]));
        (member, digest)
    });
    let members = members.collect();
    let real = crate::Toc::from_members(members);
    let mut said = real.clone();
    for entry in &mut said.entries {
        entry.member.name = go_text(&entry.member.name);
        entry.member.link = go_text(&entry.member.link);
    }
    assert_ne!(said, real);
    let agreed = Agreed::new(said, split).unwrap();
    assert_eq!(**agreed.toc(), real);
    assert_eq!(stored(&real), real);
}

/// What Go's JSON makes of a name.
fn go_text(name: &crate::Name) -> crate::Name {
    let mut text = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text.into()
}
