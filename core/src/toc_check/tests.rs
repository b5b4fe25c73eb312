//! What a TOC says is held against every file, and what comes of it never says that it is more.

mod hostile;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use super::*;
use crate::testing::stargz::{Footer, Stargz, stargz, trusting};
use crate::testing::{Files, Layer, OLD_BLOB, made, noise, plan_with, pull};
use crate::{
    Class, Decision, HeldChunk, Identity, Inventory, Locator, Policy, Reason, TocFetch, Trust, decide,
};

fn layer() -> Stargz {
    let (a, b) = (noise(1, 300), noise(2, 500));
    let members =
        [made("one", [&a]), made("two", [&a, &b]), made("twin", [&a]), made("empty", []), made("dir/", [])];
    stargz(&members, Footer::EStargz, 0, |_| {})
}

fn planned(layer: &Stargz, inventory: &Inventory) -> Plan {
    plan_with(layer.vouched().toc(), inventory, &trusting())
}

fn check(
    layer: &Stargz,
    plan: &Plan,
    files: &Files,
    complete: Complete,
) -> Result<(VerifiedLayer, Vec<usize>), DiffIdError> {
    let mut check = TocCheck::new(layer.vouched(), plan);
    let mut read = Vec::new();
    while let Some(file) = check.wants()? {
        read.push(file.index());
        files[&file].chunks(7).try_for_each(|piece| check.receive(piece))?;
    }
    Ok((check.finish(complete)?, read))
}

#[test]
fn an_honest_layer_is_proven_by_its_toc_and_by_nothing_else() {
    let layer = layer();
    let plan = planned(&layer, &Inventory::new());
    let (files, complete) = pull(&layer.blob, &plan, &BTreeMap::new(), || 100).unwrap();
    let (verified, read) = check(&layer, &plan, &files, complete).unwrap();
    let digest = *layer.vouched().toc().vouched().unwrap();
    assert_eq!((verified.identity(), verified.diff_id()), (&Identity::Toc(digest), None));
    assert_eq!(verified.identity().trust(), Trust::Toc);
    assert_eq!(read, [1], "the file of one chunk and its twin were proven on the way");
    // Neither the TOC's digest nor any DiffID that could be one.
    let id = verified.identity().id();
    assert_eq!(id, Digest::of(["@TOC=", &digest.to_hex()].concat().as_bytes()));
    assert_ne!(id, Identity::DiffId(digest).id());
}

#[test]
fn what_comes_from_donors_is_read_back() {
    let layer = layer();
    let (a, both) = (noise(1, 300), [noise(1, 300), noise(2, 500)].concat());
    let mut whole = Inventory::new();
    whole.add_file(Digest::of(&a), 300, Class::from_bytes([1; 16]));
    let mut part = Inventory::new();
    let object = [b"before", &a[..]].concat();
    part.add_chunk(Digest::of(&a), HeldChunk { object: Digest::of(&object), offset: 6, len: 300 });
    let mut objects = BTreeMap::from([(Digest::of(&a), a), (Digest::of(&object), object)]);
    for (inventory, all) in [(whole, [0, 1, 2].as_slice()), (part, &[0, 1])] {
        let plan = planned(&layer, &inventory);
        let (files, complete) = pull(&layer.blob, &plan, &objects, || 100).unwrap();
        let (_, read) = check(&layer, &plan, &files, complete).unwrap();
        assert_eq!(read, all);
        // A donor that rotted away is found, with nothing but the TOC to hold it against.
        let kept = objects.clone();
        objects.values_mut().for_each(|object| object[10] ^= 1);
        let (files, complete) = pull(&layer.blob, &plan, &objects, || 100).unwrap();
        let error = check(&layer, &plan, &files, complete).unwrap_err();
        assert!(matches!(error, DiffIdError::Content { .. }), "{error}");
        objects = kept;
    }
    assert!(layer.contents.contains_key(&Digest::of(&both)));
}

#[test]
fn each_wrong_file_is_found_and_named() {
    let layer = layer();
    let plan = planned(&layer, &Inventory::new());
    let fetched = || pull(&layer.blob, &plan, &BTreeMap::new(), || 100).unwrap();
    let spoil = |change: fn(&mut Vec<u8>)| {
        let (mut files, complete) = fetched();
        files.values_mut().filter(|content| content.len() == 800).for_each(change);
        check(&layer, &plan, &files, complete).unwrap_err()
    };
    let flipped = spoil(|content| content[799] ^= 1);
    assert!(matches!(&flipped, DiffIdError::Content { name, .. } if *name == "two".into()), "{flipped}");
    assert!(matches!(
        spoil(|content| content.push(0)),
        DiffIdError::Length { difference: 1, more: true, .. }
    ));
    let short = spoil(|content| content.truncate(790));
    assert_eq!(short.to_string(), "\"two\": it is 10 bytes shorter than the layer says");
    // It repeats, and there is no proof.
    let mut check = TocCheck::new(layer.vouched(), &plan);
    check.wants().unwrap();
    assert_eq!(
        check.wants().unwrap_err().to_string(),
        "\"two\": it is 800 bytes shorter than the layer says"
    );
    assert!(check.receive(b"x").is_err());
    assert!(check.finish(fetched().1).is_err());
}

#[test]
fn a_check_is_of_its_own_plan_and_toc() {
    let layer = layer();
    let plan = planned(&layer, &Inventory::new());
    let other = planned(&layer, &Inventory::new());
    let (files, complete) = pull(&layer.blob, &other, &BTreeMap::new(), || 100).unwrap();
    assert_eq!(check(&layer, &plan, &files, complete).unwrap_err(), DiffIdError::OtherPlan);
    // A plan of another TOC proves nothing on the way: everything is read back.
    let another = stargz(&[made("one", [&noise(9, 300)]), made("two", [b"2"])], Footer::EStargz, 0, |_| {});
    let mut check = TocCheck::new(layer.vouched(), &planned(&another, &Inventory::new()));
    assert_eq!(check.wants().unwrap().map(FileId::index), Some(0));
}

/// A TOC whose file has chunks of the right digests, which make another file than it says.
#[test]
fn chunks_that_make_another_file_are_no_proof() {
    let layer = {
        let members = [made("two", [&noise(1, 300), &noise(2, 500)])];
        stargz(&members, Footer::EStargz, 0, |toc| {
            toc["entries"][0]["digest"] = Digest::of(b"other").to_string().into();
        })
    };
    let plan = planned(&layer, &Inventory::new());
    let (files, complete) = pull(&layer.blob, &plan, &BTreeMap::new(), || 100).unwrap();
    let error = check(&layer, &plan, &files, complete).unwrap_err();
    assert!(matches!(error, DiffIdError::Content { expected, .. } if expected == Digest::of(b"other")));
}

#[test]
fn nothing_unvouched_is_planned_or_proven() {
    let locator = Locator::from_footer(OLD_BLOB, OLD_BLOB.len() as u64, &crate::Limits::default());
    let mut fetch = TocFetch::new(locator.unwrap().unwrap(), crate::Limits::default());
    let owed = fetch.remaining();
    fetch.receive(&OLD_BLOB[owed.start as usize..owed.end as usize]);
    let toc = fetch.finish().unwrap().toc;
    let decision = decide(&Arc::new(toc.clone()), &Inventory::new(), &trusting());
    assert!(matches!(decision, Decision::Whole(Reason::Unvouched)));
    assert!(VouchedToc::new(toc).is_none());
    // Whoever wants the DiffID gets no plan for a TOC alone, and hears how to.
    let stargz = layer();
    let decision = decide(stargz.vouched().toc(), &Inventory::new(), &Policy::default());
    let Decision::Whole(reason) = decision else { panic!() };
    assert!(reason == Reason::NoTarSplit && reason.to_string().contains("--trust toc"));
    // One with a tar-split is planned either way.
    let zoo = Layer::zoo();
    let decision = decide(zoo.agreed().toc(), &Inventory::new(), &trusting());
    assert!(matches!(decision, Decision::Partial(_)));
}

#[test]
fn the_words_for_rungs() {
    for trust in [Trust::DiffId, Trust::Toc] {
        assert_eq!(trust.to_string().parse(), Ok(trust));
        let json = serde_json::to_string(&trust).unwrap();
        assert_eq!(serde_json::from_str::<Trust>(&json).unwrap(), trust);
    }
    assert_eq!("TOC".parse::<Trust>().unwrap_err().to_string(), "expected diffid or toc");
    assert!(Trust::Toc < Trust::DiffId && Trust::default() == Trust::DiffId);
}
