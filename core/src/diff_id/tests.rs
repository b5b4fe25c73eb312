//! The last rung holds, whoever lies.

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::testing::{Files, Layer, layer, made, noise, plan, pull};
use crate::{
    Class, Complete, DiffIdCheck, DiffIdError, Digest, FileId, HeldChunk, Inventory, Plan, VerifiedLayer,
};

fn small() -> Layer {
    let (a, b, c) = (noise(1, 300), noise(2, 700), noise(3, 90));
    layer(&[made("one", [&a]), made("several", [&b, &a]), made("last", [&c])], |_| {})
}

fn pulled(layer: &Layer) -> (Plan, Files, Complete) {
    let plan = plan(layer.agreed().toc(), &Inventory::new());
    let (files, complete) = pull(&layer.blob, &plan, &BTreeMap::new(), || 1000).unwrap();
    (plan, files, complete)
}

fn run(
    mut check: DiffIdCheck,
    files: &Files,
    complete: Complete,
    expected: &Digest,
) -> Result<VerifiedLayer, DiffIdError> {
    while let Some(file) = check.wants()? {
        for piece in files[&file].chunks(100) {
            check.receive(piece)?;
        }
    }
    check.finish(complete, expected)
}

#[test]
fn what_is_right_is_verified_with_and_without_the_plan() {
    for layer in [small(), Layer::zoo()] {
        let (plan, files, complete) = pulled(&layer);
        let verified =
            run(DiffIdCheck::thorough(layer.agreed()), &files, complete, &layer.diff_id()).unwrap();
        assert_eq!((verified.diff_id(), verified.toc()), (Some(&layer.diff_id()), layer.agreed().toc()));
        let (_, complete) = pull(&layer.blob, &plan, &BTreeMap::new(), || 1000).unwrap();
        let after = DiffIdCheck::new(layer.agreed(), &plan);
        assert!(run(after, &files, complete, &layer.diff_id()).is_ok());
    }
}

#[test]
fn each_wrong_content_is_found_and_named() {
    let layer = small();
    for index in 0..3 {
        let (_, mut files, complete) = pulled(&layer);
        let file = FileId::new(index);
        let content = files.get_mut(&file).unwrap();
        let expected = Digest::of(content);
        content[50] ^= 1;
        let actual = Digest::of(content);
        let name = layer.toc().file(file).unwrap().member().name.clone();
        let error =
            run(DiffIdCheck::thorough(layer.agreed()), &files, complete, &layer.diff_id()).unwrap_err();
        assert_eq!(error, DiffIdError::Content { file, name, expected, actual });
    }
}

#[test]
fn after_a_plan_a_wrong_content_is_another_tar() {
    let layer = small();
    let (plan, mut files, complete) = pulled(&layer);
    files.get_mut(&FileId::new(0)).unwrap()[0] ^= 1;
    let check = DiffIdCheck::new(layer.agreed(), &plan);
    let error = run(check, &files, complete, &layer.diff_id()).unwrap_err();
    assert!(matches!(error, DiffIdError::Mismatch { .. }), "{error}");
}

#[test]
fn files_too_long_or_too_short_are_named() {
    let layer = small();
    let (_, mut files, complete) = pulled(&layer);
    files.get_mut(&FileId::new(1)).unwrap().push(0);
    let error = run(DiffIdCheck::thorough(layer.agreed()), &files, complete, &layer.diff_id()).unwrap_err();
    assert_eq!(error.to_string(), "\"several\": it is 1 bytes longer than the layer says");

    let (_, mut files, complete) = pulled(&layer);
    files.get_mut(&FileId::new(1)).unwrap().truncate(990);
    let error = run(DiffIdCheck::thorough(layer.agreed()), &files, complete, &layer.diff_id()).unwrap_err();
    assert_eq!(error.to_string(), "\"several\": it is 10 bytes shorter than the layer says");
}

#[test]
fn an_error_repeats() {
    let layer = small();
    let (_, mut files, complete) = pulled(&layer);
    files.get_mut(&FileId::new(2)).unwrap()[0] ^= 1;
    let mut check = DiffIdCheck::thorough(layer.agreed());
    while let Ok(Some(file)) = check.wants() {
        check.receive(&files[&file]).unwrap();
    }
    let error = check.wants().unwrap_err();
    assert_eq!(check.receive(b"").unwrap_err(), error);
    assert_eq!(check.finish(complete, &layer.diff_id()).unwrap_err(), error);
}

#[test]
fn not_all_of_it_is_not_enough() {
    let layer = small();
    let (_, files, complete) = pulled(&layer);
    let mut check = DiffIdCheck::thorough(layer.agreed());
    let file = check.wants().unwrap().unwrap();
    check.receive(&files[&file]).unwrap();
    let error = check.finish(complete, &layer.diff_id()).unwrap_err();
    assert!(matches!(error, DiffIdError::Length { more: false, .. }), "{error}");
}

#[test]
fn another_diff_id_is_refused() {
    let layer = small();
    let (_, files, complete) = pulled(&layer);
    let error = run(DiffIdCheck::thorough(layer.agreed()), &files, complete, &Digest::EMPTY).unwrap_err();
    assert_eq!(error, DiffIdError::Mismatch { expected: Digest::EMPTY, actual: layer.diff_id() });
    assert!(error.to_string().contains(&layer.diff_id().to_hex()));
}

#[test]
fn another_plans_end_is_no_proof() {
    let layer = small();
    let (plan, files, _) = pulled(&layer);
    let (_, _, other) = pulled(&layer);
    let error = run(DiffIdCheck::new(layer.agreed(), &plan), &files, other, &layer.diff_id()).unwrap_err();
    assert_eq!(error, DiffIdError::OtherPlan);
}

#[test]
fn another_layers_plan_proves_nothing() {
    let honest = layer(&[made("f", [&noise(3, 90)])], |_| {});
    let evil = layer(&[made("evil", [&noise(1, 300), &noise(2, 700)])], |toc| {
        toc["entries"][0]["digest"] = Digest::of(b"what everybody runs").to_string().into();
    });
    let (plan, _, complete) = pulled(&honest);
    let check = DiffIdCheck::new(evil.agreed(), &plan);
    let error = run(check, &evil.contents(), complete, &evil.diff_id()).unwrap_err();
    assert!(matches!(error, DiffIdError::Content { .. }), "{error}");
}

/// Verifies a layer after its plan and returns what the store would be told.
fn attack(layer: &Layer, inventory: &Inventory, objects: &BTreeMap<Digest, Vec<u8>>) -> DiffIdError {
    let plan = plan(layer.agreed().toc(), inventory);
    let (files, complete) = pull(&layer.blob, &plan, objects, || 1000).unwrap();
    assert!(files == layer.contents(), "the attack is on the name, not on the tar");
    run(DiffIdCheck::new(layer.agreed(), &plan), &files, complete, &layer.diff_id()).unwrap_err()
}

#[test]
fn a_file_of_several_chunks_whose_digest_lies_is_caught() {
    let (a, b, target) = (noise(1, 300), noise(2, 700), Digest::of(b"what everybody runs"));
    let layer = layer(&[made("evil", [&a, &b])], |toc| {
        toc["entries"][0]["digest"] = target.to_string().into();
    });
    let error = attack(&layer, &Inventory::new(), &BTreeMap::new());
    assert!(matches!(error, DiffIdError::Content { expected, .. } if expected == target), "{error}");
}

#[test]
fn a_file_of_one_zeros_chunk_whose_digest_lies_is_caught() {
    let target = Digest::of(b"what everybody runs");
    let layer = layer(&[made("evil", [&[0; 2000]])], |toc| {
        toc["entries"][0]["digest"] = target.to_string().into();
        toc["entries"][0]["chunkType"] = "zeros".into();
    });
    let error = attack(&layer, &Inventory::new(), &BTreeMap::new());
    assert!(matches!(error, DiffIdError::Content { expected, .. } if expected == target), "{error}");
}

#[test]
fn a_donors_chunk_that_is_something_else_is_caught() {
    let (object, target) = (noise(8, 1000), Digest::of(b"what everybody runs"));
    let layer = layer(&[made("evil", [&object[100..400]])], |toc| {
        toc["entries"][0]["digest"] = target.to_string().into();
    });
    let mut inventory = Inventory::new();
    // An earlier layer of the same author said so, and was not asked to prove it.
    inventory.add_chunk(target, HeldChunk { object: Digest::of(&object), offset: 100, len: 300 });
    let objects = BTreeMap::from([(Digest::of(&object), object.clone())]);
    let error = attack(&layer, &inventory, &objects);
    assert!(matches!(error, DiffIdError::Content { expected, .. } if expected == target), "{error}");
}

#[test]
fn a_held_file_that_rotted_is_found_by_the_full_check() {
    let layer = small();
    let toc = layer.toc();
    let mut inventory = Inventory::new();
    let mut objects = BTreeMap::new();
    for (file, content) in layer.contents() {
        inventory.add_file(
            Digest::of(&content),
            content.len() as u64,
            Class::of(toc.file(file).unwrap().member()),
        );
        objects.insert(Digest::of(&content), content);
    }
    let rotten = Digest::of(&noise(1, 300));
    objects.get_mut(&rotten).unwrap()[7] ^= 4;
    let plan = plan(layer.agreed().toc(), &inventory);
    let (files, complete) = pull(&layer.blob, &plan, &objects, || 1000).unwrap();
    let error = run(DiffIdCheck::new(layer.agreed(), &plan), &files, complete, &layer.diff_id());
    assert!(matches!(error, Err(DiffIdError::Mismatch { .. })));
    let (_, complete) = pull(&layer.blob, &plan, &objects, || 1000).unwrap();
    let error = run(DiffIdCheck::thorough(layer.agreed()), &files, complete, &layer.diff_id());
    assert!(matches!(error, Err(DiffIdError::Content { expected, .. }) if expected == rotten));
}
