//! The vectors of `docs/zstd-chunked.md`: what a pull refuses is wrong here too, and is told by name.

use alloc::collections::BTreeMap;
use alloc::string::ToString as _;

use proptest::prelude::*;
use serde_json::Value;

use super::{claims, lines, verify};
use crate::testing::{ZOO_BLOB, fixture_bytes};
use crate::toc::Place;
use crate::toc::said::{Rules, Said};
use crate::verify::{Findings, LayerForm};
use crate::{Digest, Limits, Toc, decompress};

#[test]
fn what_one_reader_of_tocs_refuses_the_other_does_too() {
    let document: Value = serde_json::from_slice(fixture_bytes!("chunked/toc.json")).unwrap();
    let data_end = document["data_end"].as_u64().unwrap();
    let limits = Limits::default();
    for vector in document["vectors"].as_array().unwrap() {
        let toc = vector["toc"].as_str().unwrap().as_bytes();
        // Contents that share a frame are read by us alone: podman fails the file.
        for inner_offsets in [false, true] {
            let rules = Rules { data_end, inner_offsets, unique_names: false, limits: &limits };
            let mut findings = Findings::default();
            Said::read(toc, &rules, &mut findings);
            let refused = Toc::parse(toc, Place::Blob { data_end, stargz: inner_offsets }, &limits).is_err();
            let stricter = !inner_offsets && vector["toc"].as_str().unwrap().contains("innerOffset");
            let same = refused == (findings.wrong() > 0) || (stricter && findings.wrong() > 0);
            assert!(same, "{}: {refused} {:#?}", vector["name"], findings.list());
        }
    }
}

proptest! {
    #[test]
    fn any_changed_number_is_refused_by_both_or_by_none(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..8_usize, -2..300_000_i64, 0..4), 1..4),
    ) {
        const KEYS: [&str; 8] =
            ["size", "offset", "endOffset", "chunkSize", "chunkOffset", "innerOffset", "mode", "uid"];
        let json = decompress(&ZOO_BLOB[224_656..][..1735], 1 << 20).unwrap();
        let mut toc: Value = serde_json::from_slice(&json).unwrap();
        let entries = toc["entries"].as_array_mut().unwrap();
        for (at, key, value, how) in changes {
            let place = &mut entries[at.index(36)][KEYS[key]];
            *place = match (how, place.as_i64()) {
                (0, _) => Value::Null,
                (1, Some(before)) => (before + value % 3).into(),
                _ => value.into(),
            };
        }
        let (text, data_end, limits) = (toc.to_string(), 224_648, Limits::default());
        let rules = Rules { data_end, inner_offsets: true, unique_names: false, limits: &limits };
        let mut findings = Findings::default();
        Said::read(text.as_bytes(), &rules, &mut findings);
        let parsed = Toc::parse(text.as_bytes(), Place::Blob { data_end, stargz: true }, &limits);
        prop_assert_eq!(parsed.is_err(), findings.wrong() > 0, "{:?} {:#?}", parsed.err(), findings.list());
    }
}

#[test]
fn the_minimal_layer_is_right() {
    let (blob, tar) =
        (fixture_bytes!("chunked/minimal/layer.zst"), fixture_bytes!("chunked/minimal/layer.tar"));
    let layer: Value = serde_json::from_slice(fixture_bytes!("chunked/minimal/layer.json")).unwrap();
    let annotations: BTreeMap<_, _> = serde_json::from_value(layer["annotations"].clone()).unwrap();
    let verified = verify(blob, claims(blob, annotations, Digest::of(tar)), 3);
    assert_eq!(
        (verified.findings.wrong(), verified.form),
        (0, LayerForm::ZstdChunked),
        "{:#?}",
        lines(&verified)
    );
}
