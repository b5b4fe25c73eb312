//! Layers in which anything may be a lie, all the way from their annotations to the proof.

use alloc::vec::Vec;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::stargz::FOOTERS;
use crate::{
    Agreed, CompressedTarSplit, Cost, DiffIdCheck, Fetched, Limits, Located, TailFound, Trust, decide,
};

/// What is allowed; a lie that asks for more must be refused, not tried.
fn limits() -> Limits {
    Limits {
        toc: 1 << 20,
        toc_compressed: 1 << 20,
        tar_split: 1 << 20,
        tar_split_compressed: 1 << 20,
        entries: 100,
        file: 1 << 20,
        content: 4 << 20,
        held_chunk: 600,
        window_log: 23,
        ..Limits::default()
    }
}

fn policy(trust: Trust) -> Policy {
    // Tails and gaps are short, so that the TOC does not always come with the footer.
    let cost = Cost { round_trip_us: 1000, bytes_per_second: 200_000, in_flight: 1 };
    Policy { trust, limits: limits(), cost, ..Policy::default() }
}

/// A blob, or two, and what the manifest says.
#[derive(Clone, Debug)]
struct Claimed {
    blob: Vec<u8>,
    toc_blob: Vec<u8>,
    annotations: BTreeMap<String, String>,
    diff_id: Digest,
}

/// Pulls as a shell does; `None` where anything was refused.
///
/// Whatever was claimed: nothing panics, and each file of a proven layer is what the TOC says.
fn pulled(claimed: &Claimed, policy: &Policy, piece: usize) -> Option<VerifiedLayer> {
    let Claimed { blob, toc_blob, annotations, diff_id } = claimed;
    let Fetched { toc, tar_split } = fetched(blob, toc_blob, annotations, policy)?;
    let agreed = match tar_split.as_ref().map(|split: &CompressedTarSplit| split.read(&policy.limits)) {
        None => None,
        Some(split) => Some(Agreed::new(toc.clone(), split.ok()?).ok()?),
    };
    let vouched = VouchedToc::new(toc);
    let toc = agreed.as_ref().map(Agreed::toc).or_else(|| vouched.as_ref().map(VouchedToc::toc))?.clone();
    let Decision::Partial(plan) = decide(&toc, &Inventory::new(), policy) else { return None };
    let (files, complete) = pull(blob, &plan, &BTreeMap::new(), || piece).ok()?;
    for (file, entry) in toc.files() {
        assert_eq!(files[&file].len() as u64, entry.member().size);
    }
    let verified = if let Some(agreed) = agreed {
        let mut check = DiffIdCheck::new(agreed, &plan);
        while let Some(file) = check.wants().ok()? {
            check.receive(&files[&file]).ok()?;
        }
        check.finish(complete, diff_id).ok()?
    } else {
        let mut check = TocCheck::new(vouched?, &plan);
        while let Some(file) = check.wants().ok()? {
            check.receive(&files[&file]).ok()?;
        }
        check.finish(complete).ok()?
    };
    for (file, entry) in verified.toc().files() {
        assert_eq!(entry.digest(), Some(&Digest::of(&files[&file])));
    }
    Some(verified)
}

fn fetched(
    blob: &[u8],
    toc_blob: &[u8],
    annotations: &BTreeMap<String, String>,
    policy: &Policy,
) -> Option<Fetched> {
    let located = Located::from_annotations(annotations, blob.len() as u64, policy).ok()??;
    let (mut fetch, from) = match located {
        Located::Annotated(locator) => (TocFetch::new(locator, policy.limits), blob),
        Located::Tail(mut tail) => {
            let owed = tail.remaining();
            tail.receive(&blob[owed.start as usize..owed.end as usize]);
            match tail.finish().ok()? {
                TailFound::Here(fetch) => (fetch, blob),
                TailFound::External(toc) => (toc.fetch(toc_blob.len() as u64).ok()?, toc_blob),
            }
        }
    };
    let owed = fetch.remaining();
    fetch.receive(&from[owed.start as usize..owed.end as usize]);
    fetch.finish().ok()
}

/// A lie about one field of one entry, in a TOC that is signed afterwards.
fn lie(toc: &mut Value, at: prop::sample::Index, key: &str, value: &Value) {
    let entries = toc["entries"].as_array_mut().unwrap();
    let at = at.index(entries.len());
    match key {
        "again" => entries.push(entries[at].clone()),
        "away" => drop(entries.remove(at)),
        "swap" => entries.swap(0, at),
        // What is true of another.
        "as the first's" => {
            let from = entries[0].clone();
            for key in ["offset", "innerOffset", "endOffset", "size", "digest"] {
                entries[at][key] = from[key].clone();
            }
        }
        key => entries[at][key] = value.clone(),
    }
}

fn lies() -> impl Strategy<Value = Vec<(prop::sample::Index, &'static str, Value)>> {
    let keys = [
        "offset",
        "innerOffset",
        "endOffset",
        "size",
        "chunkSize",
        "chunkOffset",
        "chunkType",
        "type",
        "name",
        "linkName",
        "chunkDigest",
        "digest",
        "mode",
        "modtime",
        "again",
        "away",
        "swap",
        "as the first's",
    ];
    let values = prop_oneof![
        3 => (0..2000_i64).prop_map(|number| json!(number)),
        1 => prop::sample::select(alloc::vec![
            json!(i64::MAX), json!(i64::MIN), json!(-1), json!(1 << 20), json!(null), json!("zeros"), json!("reg"),
            json!("chunk"), json!("hardlink"), json!("one"), json!("two"), json!("../.."), json!(""),
            json!(Digest::EMPTY.to_string()), json!(Digest::of(&noise(1, 300)).to_string()),
        ]),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(keys.to_vec()), values), 0..3)
}

/// Bytes that are others, and an end that is missing.
fn damage() -> impl Strategy<Value = (Vec<(prop::sample::Index, u8)>, Option<prop::sample::Index>)> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2);
    let cut = prop_oneof![6 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)];
    (changes, cut)
}

fn damaged(
    blob: &mut Vec<u8>,
    (changes, cut): &(Vec<(prop::sample::Index, u8)>, Option<prop::sample::Index>),
) {
    for (at, byte) in changes {
        let at = at.index(blob.len());
        blob[at] = *byte;
    }
    if let Some(cut) = cut {
        blob.truncate(cut.index(blob.len()) + 1);
    }
}

fn members() -> Vec<crate::testing::Made> {
    let (a, b, long) = (noise(1, 300), noise(2, 500), noise(3, 5000));
    Vec::from([
        made("one", [&a]),
        made("two", [&a, &b, &[0; 1100]]),
        made("twin", [&a]),
        made("empty", []),
        made("dir/", []),
        made("dir/long", [&long]),
        made(".prefetch.landmark", [b"\x0f"]),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_stargzs_toc_says_nothing_else_is_proven(
        footer in prop::sample::select(FOOTERS.to_vec()),
        min_chunk in prop::sample::select(alloc::vec![0_usize, 1500, 100_000]),
        lies in lies(),
        damage in damage(),
        piece in 1..3000_usize,
    ) {
        let layer = stargz(&members(), footer, min_chunk, |toc| {
            lies.iter().for_each(|(at, key, value)| lie(toc, *at, key, value));
        });
        let Stargz { mut blob, toc_blob, annotations, .. } = layer;
        damaged(&mut blob, &damage);
        let claimed = Claimed { blob, toc_blob, annotations, diff_id: Digest::EMPTY };
        let verified = pulled(&claimed, &policy(Trust::Toc), piece);
        prop_assert!(verified.iter().all(|verified| verified.diff_id().is_none()));
        let honest = lies.is_empty() && damage.0.is_empty() && damage.1.is_none();
        prop_assert!(!honest || verified.is_some());
        prop_assert!(pulled(&claimed, &policy(Trust::DiffId), piece).is_none());
    }

    #[test]
    fn whatever_todays_toc_says_nothing_but_the_tar_is_proven(
        lies in lies(),
        damage in damage(),
        piece in 1..3000_usize,
        trust in prop::sample::select(alloc::vec![Trust::Toc, Trust::DiffId]),
    ) {
        let layer = crate::testing::layer(&members(), |toc| {
            lies.iter().for_each(|(at, key, value)| lie(toc, *at, key, value));
        });
        let diff_id = layer.diff_id();
        let mut blob = layer.blob;
        damaged(&mut blob, &damage);
        let claimed = Claimed { blob, toc_blob: Vec::new(), annotations: layer.annotations, diff_id };
        let verified = pulled(&claimed, &policy(trust), piece);
        // There is a tar-split, so it is the DiffID or nothing.
        prop_assert!(verified.iter().all(|verified| verified.diff_id() == Some(&diff_id)));
        let honest = lies.is_empty() && damage.0.is_empty() && damage.1.is_none();
        prop_assert!(!honest || verified.is_some());
    }
}
