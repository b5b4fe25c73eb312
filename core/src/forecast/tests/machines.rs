//! What machines have, and what they are said to need.

use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{all, members, of, of_stargz, said};
use crate::forecast::{FileMethods, ForecastError, Known, KnownError, LayerForecast, Machine, Mode};
use crate::testing::stargz::{FOOTERS, Footer, stargz, trusting};
use crate::testing::{Made, layer, made, noise};
use crate::{Limits, LinkMode, Policy, Reason, Toc, Trust, WholeFetch};

fn one(machine: &Machine, known: &Known, policy: &Policy) -> LayerForecast {
    machine.forecast(&[known], LinkMode::Auto, policy).unwrap().layers().next().unwrap().clone()
}

#[test]
fn figures_are_those_of_the_plan() {
    for known in all().iter().filter(|known| known.why().is_none()) {
        let policy = trusting();
        let crate::Decision::Partial(plan) = crate::decide(known.toc(), &crate::Inventory::new(), &policy)
        else {
            panic!("by file")
        };
        let (summary, forecast) = (plan.summary(), one(&Machine::new(), known, &policy));
        assert_eq!(forecast.mode, Mode::Partial);
        assert_eq!(forecast.blob_bytes, known.layer().blob_len);
        assert!(forecast.toc_bytes > 0);
        assert_eq!(forecast.fetched_bytes, known.toc_bytes() + summary.request_bytes);
        assert_eq!(forecast.requests, known.toc_requests() + summary.requests);
        let bytes = (forecast.bridged_bytes, forecast.content_bytes, forecast.reused_bytes);
        assert_eq!(bytes, (summary.bridged_bytes, summary.content_bytes, summary.reused_bytes));
        let FileMethods { total, twins, assembled, fetched, .. } = forecast.files;
        assert_eq!(
            (total, twins, assembled, fetched),
            (summary.files, summary.twins, summary.assembled, summary.fetched)
        );
    }
}

#[test]
fn files_are_counted_by_what_is_tried_first() {
    let known = |members: &[Made], mode: fn(&mut serde_json::Value)| {
        of_stargz(&stargz(members, Footer::Zstd, 0, |toc| {
            toc["entries"].as_array_mut().unwrap().iter_mut().for_each(mode);
        }))
    };
    let mut more = members();
    more.push(made("new", [&noise(9, 70)]));
    let wanted = known(&more, |_| {});
    let counted = |held: &Known, link| {
        let mut machine = Machine::new();
        machine.add(held);
        let forecast = machine.forecast(&[&wanted], link, &trusting()).unwrap();
        let FileMethods { total, hardlinked, cloned, copied, twins, assembled, fetched } =
            forecast.total().files;
        assert_eq!((total, twins, assembled, fetched), (5, 0, 0, 1));
        [hardlinked, cloned, copied]
    };
    // `dir/a` and `dir/same` are one content, which is held under both.
    let same = known(&members(), |entry| {
        if entry["name"] == "dir/a" || entry["name"] == "z" {
            entry["mode"] = 0o600.into();
        }
    });
    assert_eq!(counted(&same, LinkMode::Auto), [3, 1, 0]);
    assert_eq!(counted(&same, LinkMode::Hardlink), [3, 1, 0]);
    assert_eq!(counted(&same, LinkMode::Reflink), [0, 4, 0]);
    assert_eq!(counted(&same, LinkMode::Copy), [0, 0, 4]);
    let other = known(&members(), |entry| entry["mode"] = 0o600.into());
    assert_eq!(counted(&other, LinkMode::Auto), [0, 4, 0]);
}

#[test]
fn what_is_here_or_repeated_costs_nothing() {
    let known = of(&layer(&members(), |_| {}));
    let mut machine = Machine::new();
    assert!(!machine.has(&known));
    let twice = machine.forecast(&[&known, &known], LinkMode::Auto, &Policy::default()).unwrap();
    let modes: Vec<_> = twice.layers().map(|layer| layer.mode.clone()).collect();
    assert_eq!(modes, [Mode::Partial, Mode::Present]);
    assert_eq!(twice.total().blob_bytes, 2 * known.layer().blob_len);
    // By the TOC's word a layer is its blob, too.
    let mut other = known.clone();
    other.layer.blob = crate::Digest::of(b"other");
    let by_toc = machine.forecast(&[&known, &other], LinkMode::Auto, &trusting()).unwrap();
    assert_eq!(by_toc.layers().filter(|layer| layer.mode == Mode::Present).count(), 0);
    machine.add(&known);
    assert!(machine.has(&known));
    let here = one(&machine, &known, &Policy::default());
    assert_eq!((here.mode, here.fetched_bytes, here.requests, here.toc_bytes), (Mode::Present, 0, 0, 0));
}

#[test]
fn what_only_the_toc_proves_is_taken_whole_by_who_wants_more() {
    for footer in FOOTERS {
        let blob = stargz(&members(), footer, 0, |_| {});
        let by_file = of_stargz(&blob);
        assert_eq!((by_file.trust(), by_file.why()), (Trust::Toc, None));
        assert_eq!(one(&Machine::new(), &by_file, &trusting()).mode, Mode::Partial);
        // Nothing is read of a blob that can hold no tar-split.
        let whole = one(&Machine::new(), &by_file, &Policy::default());
        assert_eq!(whole.mode, Mode::Whole(Reason::NoTarSplit.to_string()));
        let blob_len = by_file.layer().blob_len;
        assert_eq!((whole.toc_bytes, whole.fetched_bytes, whole.requests), (0, blob_len, 1));
        assert_eq!((whole.content_bytes, whole.files), (0, FileMethods::default()));
        // Pulled by its TOC it is another layer than by its DiffID.
        let mut machine = Machine::new();
        machine.add(&by_file);
        assert_eq!(one(&machine, &by_file, &trusting()).mode, Mode::Present);
        assert!(matches!(one(&machine, &by_file, &Policy::default()).mode, Mode::Whole(_)));
    }
}

#[test]
fn what_is_taken_whole_leaves_files_and_no_chunks() {
    let blob = stargz(&members(), Footer::EStargz, 0, |_| {});
    let by_file = of_stargz(&blob);
    let basis = super::found(blob.fetch(&trusting()), &trusting());
    let (bytes, requests) = (by_file.toc_bytes(), by_file.toc_requests());
    let whole = Known::from_basis(said(&blob.blob), &basis, bytes, requests, &Policy::default()).unwrap();
    assert_eq!(whole.why(), Some(&*Reason::NoTarSplit.to_string()));
    let target = of(&layer(&[made("part", [&noise(2, 900)]), made("all", [&noise(1, 300)])], |_| {}));
    let held = |known: &Known| {
        let mut machine = Machine::new();
        machine.add(known);
        let files = one(&machine, &target, &Policy::default()).files;
        (files.cloned + files.hardlinked, files.assembled, files.fetched)
    };
    assert_eq!(held(&by_file), (1, 1, 0));
    assert_eq!(held(&whole), (1, 0, 1));
}

#[test]
fn a_layer_read_whole_is_whole_whatever_is_wanted() {
    let toc =
        Toc::from_stored(&of(&layer(&members(), |_| {})).toc().to_stored(), &Limits::default()).unwrap();
    let known = Known::from_whole(said(b"blob"), Arc::new(toc), "it is so", 7, 2);
    for policy in [Policy::default(), trusting()] {
        let whole = one(&Machine::new(), &known, &policy);
        assert_eq!(whole.mode, Mode::Whole("it is so".into()));
        assert_eq!((whole.toc_bytes, whole.fetched_bytes, whole.requests), (7, 11, 3));
    }
    let empty =
        Known::from_toc(said(b"blob"), Arc::clone(known.toc()), Trust::DiffId, 0, 0, &Policy::default());
    assert_eq!(empty, Err(KnownError::Unlocated));
}

#[test]
fn a_member_without_a_place_is_refused_as_a_pull_refuses_it() {
    let bad = of_stargz(&stargz(&members(), Footer::Zstd, 0, |toc| {
        let linked = serde_json::json!({"type": "hardlink", "name": "x", "linkName": "nothing"});
        toc["entries"].as_array_mut().unwrap().push(linked);
    }));
    let good = of(&layer(&members(), |_| {}));
    let forecast = |layers: &[&Known], policy: &Policy| {
        Machine::new().forecast(layers, LinkMode::Auto, policy).map(|forecast| forecast.total().requests)
    };
    assert!(matches!(forecast(&[&good, &bad], &trusting()), Err(ForecastError::Tree { layer: 1, .. })));
    // Read whole it would be refused, too, but not before.
    assert!(forecast(&[&good, &bad], &Policy::default()).is_ok());
}

#[test]
fn a_blob_shorter_than_its_toc_says_is_none() {
    let layer = layer(&members(), |_| {});
    let mut short = said(&layer.blob);
    short.blob_len = layer.locator().range().end - 1;
    let basis = super::found(layer.fetch(), &Policy::default());
    let error = Known::from_basis(short, &basis, 0, 0, &Policy::default()).unwrap_err();
    assert!(matches!(error, KnownError::PastEnd { .. }) && error.is_lie());
}

#[test]
fn time_is_bytes_and_round_trips() {
    let known = of(&layer(&members(), |_| {}));
    let cost = crate::Cost { round_trip_us: 30_000, bytes_per_second: 1_000, in_flight: 3 };
    let forecast = Machine::new();
    let forecast =
        forecast.forecast(&[&known], LinkMode::Auto, &Policy { cost, ..Policy::default() }).unwrap();
    let total = forecast.total();
    let expected = total.fetched_bytes * 1_000 + total.requests.div_ceil(3) * 30_000;
    assert_eq!(forecast.microseconds(), expected);
    let stopped = crate::Cost { bytes_per_second: 0, in_flight: 0, ..cost };
    assert_eq!((stopped.microseconds(1, 0), stopped.microseconds(0, 2)), (u64::MAX, 60_000));
    assert_eq!(crate::Cost { round_trip_us: u64::MAX, ..cost }.microseconds(u64::MAX, u64::MAX), u64::MAX);
}

#[test]
fn a_layer_that_nobody_named_is_known_by_its_own_digests() {
    let layer = layer(&members(), |_| {});
    let mut unwrap = crate::Unwrap::new(&Limits::default());
    let mut tar = WholeFetch::new(&Limits::default());
    for bytes in layer.blob.chunks(100) {
        let mut plain = unwrap.receive(bytes);
        while let Some(piece) = plain.next_piece().unwrap() {
            let mut pieces = tar.receive(piece);
            while pieces.next_piece().unwrap().is_some() {}
        }
    }
    assert_eq!((unwrap.digest(), tar.diff_id()), (crate::Digest::of(&layer.blob), layer.diff_id()));
    let (blob, diff_id) = (unwrap.digest(), tar.diff_id());
    let whole = tar.finish(unwrap.finish(&blob).unwrap(), &diff_id).unwrap();
    assert_eq!((whole.verified.diff_id(), whole.padding), (Some(&layer.diff_id()), 0));
}
