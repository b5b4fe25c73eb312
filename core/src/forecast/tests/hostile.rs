//! Lines that were made to hurt: whatever is read of them can be shown and planned with.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::strips::covers;
use super::{all, members, of, of_stargz};
use crate::forecast::{Known, KnownError, Machine};
use crate::overlap::Overlap;
use crate::testing::layer;
use crate::testing::stargz::{Footer, stargz};
use crate::{Cost, Limits, LinkMode, Policy, Trust};

/// Does everything with a layer that a page does.
fn used(known: &Known) {
    let bare = Cost { round_trip_us: u64::MAX, bytes_per_second: 0, in_flight: 0 };
    let mut full = Machine::new();
    full.add(known);
    for machine in [Machine::new(), full] {
        for (trust, cost) in [(Trust::DiffId, Policy::default().cost), (Trust::Toc, bare)] {
            let policy = Policy { trust, cost, ..Policy::default() };
            let Ok(forecast) = machine.forecast(&[known, known], LinkMode::Auto, &policy) else { continue };
            assert!(forecast.microseconds() > 0 || forecast.total().fetched_bytes == 0);
            for layer in 0..2 {
                assert!(covers(&forecast.strip(layer).unwrap(), known));
            }
        }
    }
    let mut overlap = Overlap::new();
    if let Ok(image) = overlap.add_image("a", &[known.overlap_layer()], &Limits::default()) {
        assert_eq!(overlap.summary().images.len(), 1);
        assert!(overlap.diff(image, image).is_some());
    }
    let again = Known::from_line(&known.to_line(), &Limits::default());
    assert_eq!(again.as_ref(), Ok(known));
}

/// Finds all numbers, each by the way that leads there.
fn numbers(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(at.to_string()),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, one)| numbers(one, &format!("{at}/{index}"), found));
        }
        Value::Object(map) => map.iter().for_each(|(key, one)| numbers(one, &format!("{at}/{key}"), found)),
        _ => {}
    }
}

fn extreme() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(1),
        Just(u64::MAX),
        Just(u64::MAX - 1),
        Just(i64::MAX.unsigned_abs()),
        Just(1 << 53),
        0..20_000_u64,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn numbers_that_are_not_what_they_were_hurt_nobody(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), extreme()), 1..5),
    ) {
        let lines: Vec<Known> = all();
        let mut line: Value = serde_json::from_slice(&which.get(&lines).to_line()).unwrap();
        let mut found = Vec::new();
        numbers(&line, "", &mut found);
        for (place, value) in changes {
            let place: &String = place.get(&found);
            *line.pointer_mut(place).unwrap() = value.into();
        }
        if let Ok(known) = Known::from_line(&serde_json::to_vec(&line).unwrap(), &Limits::default()) {
            used(&known);
        }
    }
}

#[test]
fn the_largest_numbers_that_hold_together() {
    let known = of(&layer(&members(), |_| {}));
    let mut line: Value = serde_json::from_slice(&known.to_line()).unwrap();
    for key in ["blobLen", "tocBytes", "tocRequests"] {
        line[key] = u64::MAX.into();
    }
    line["toc"]["blob"]["dataEnd"] = (u64::MAX - 9).into();
    // One in the data, one backwards.
    line["toc"]["blob"]["toc"] = json!([0, u64::MAX]);
    line["toc"]["blob"]["tarSplit"] = json!([u64::MAX, 3]);
    let entries = line["toc"]["entries"].as_array_mut().unwrap();
    let last = entries.iter_mut().rfind(|entry| entry.get("framesRaw").is_some()).unwrap();
    last["framesRaw"] = json!([u64::MAX / 2, u64::MAX - 9]);
    let known = Known::from_line(&serde_json::to_vec(&line).unwrap(), &Limits::default()).unwrap();
    used(&known);
    let forecast = Machine::new().forecast(&[&known], LinkMode::Auto, &Policy::default()).unwrap();
    assert_eq!(forecast.total().fetched_bytes, u64::MAX);
}

#[test]
fn what_is_said_twice_is_not_understood() {
    let known = of_stargz(&stargz(&members(), Footer::Zstd, 0, |_| {}));
    let line = String::from_utf8(known.to_line()).unwrap();
    let read = |line: &str| Known::from_line(line.as_bytes(), &Limits::default());
    assert!(read(&line).is_ok());
    let fields: BTreeMap<String, Value> = serde_json::from_str(&line).unwrap();
    for key in fields.keys().filter(|key| *key != "toc") {
        let twice = line.replacen('{', &format!("{{{}:{},", json!(key), fields[key]), 1);
        assert!(matches!(read(&twice), Err(KnownError::Line { .. })), "{key}");
    }
    let toc = "\"toc\":{";
    for more in ["\"blob\":{\"dataEnd\":1},", "\"blob\":null,"] {
        let twice = line.replacen(toc, &format!("{toc}{more}"), 1);
        assert!(matches!(read(&twice), Err(KnownError::Toc(_))), "{more}");
    }
}
