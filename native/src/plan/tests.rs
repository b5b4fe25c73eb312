//! The core's forecast for a machine that is only thought of is the plan's.

use shingle_core::forecast::{Known, LayerForecast, Machine, Mode, State};
use shingle_core::{Cost, LinkMode, Policy, Trust};

use super::*;
use crate::contents::{Quiet, ReadOptions, read};
use crate::registry::{Client, ClientOptions};
use crate::transport::open_source;

fn source(image: &str) -> Box<dyn Source> {
    let reference = format!("oci:{}/../tests/fixtures/{image}", env!("CARGO_MANIFEST_DIR"));
    let client = Client::new(ClientOptions::default()).unwrap();
    open_source(&reference.parse().unwrap(), &client).unwrap()
}

fn known(image: &str, policy: &Policy) -> Vec<Known> {
    let options = ReadOptions { policy: *policy, ..ReadOptions::default() };
    let contents = read(image, &*source(image), &options, &Quiet).unwrap();
    contents.layers.iter().map(|layer| layer.known(policy).unwrap()).collect()
}

/// Holds both forecasts of one pull against each other.
fn agree(given: &[&str], image: &str, policy: &Policy) -> Vec<&'static str> {
    let options = PlanOptions { policy: *policy, ..PlanOptions::default() };
    let (mut has, mut machine) = (Given::nothing(), Machine::new());
    for before in given {
        has.add_image(before, &*source(before), &options, &Quiet).unwrap();
        known(before, policy).iter().for_each(|layer| machine.add(layer));
    }
    let report = plan(image, &*source(image), &has, &options).unwrap();
    let layers = known(image, policy);
    // What an exported file says of the layers is as good.
    let lines: Vec<_> =
        layers.iter().map(|layer| Known::from_line(&layer.to_line(), &policy.limits).unwrap()).collect();
    for layers in [&layers, &lines] {
        let layers: Vec<_> = layers.iter().collect();
        let forecast = machine.forecast(&layers, LinkMode::Auto, policy).unwrap();
        let total = forecast.total();
        let Total {
            blob_bytes,
            toc_bytes,
            fetched_bytes,
            requests,
            bridged_bytes,
            content_bytes,
            reused_bytes,
        } = report.total;
        assert_eq!((total.blob_bytes, total.toc_bytes), (blob_bytes, toc_bytes));
        assert_eq!((total.fetched_bytes, total.requests), (fetched_bytes, requests));
        let bytes = (total.bridged_bytes, total.content_bytes, total.reused_bytes);
        assert_eq!(bytes, (bridged_bytes, content_bytes, reused_bytes));
        assert_eq!(forecast.layers().len(), report.layers.len());
        for (number, (layer, planned)) in forecast.layers().zip(&report.layers).enumerate() {
            assert_same(layer, planned);
            let strip = forecast.strip(number).unwrap();
            let sum = |state| -> u64 {
                strip.stretches.iter().filter(|row| row.state == state).map(|row| row.end - row.start).sum()
            };
            if let Forecast::Partial(partial) = &planned.forecast {
                assert_eq!(
                    sum(State::Fetched) + sum(State::Bridged),
                    partial.fetched_bytes - partial.toc_bytes
                );
                assert_eq!(sum(State::Bridged), partial.bridged_bytes);
            }
        }
    }
    report.layers.iter().map(|layer| layer.forecast.as_str()).collect()
}

fn assert_same(layer: &LayerForecast, planned: &LayerPlan) {
    assert_eq!(layer.blob_bytes, planned.blob_bytes);
    assert_eq!((layer.fetched_bytes, layer.requests), planned.forecast.price());
    match (&layer.mode, &planned.forecast) {
        (Mode::Present, Forecast::Present(_)) => {}
        (Mode::Whole(why), Forecast::Whole(whole)) => {
            assert_eq!((why, layer.toc_bytes), (&whole.why, whole.toc_bytes));
        }
        (Mode::Partial, Forecast::Partial(partial)) => {
            assert_eq!(layer.toc_bytes, partial.toc_bytes);
            let files = &layer.files;
            let held = files.hardlinked + files.cloned + files.copied;
            let Files { total, held: planned_held, twins, assembled, fetched } = partial.files;
            assert_eq!((files.total, held), (total, planned_held));
            assert_eq!((files.twins, files.assembled, files.fetched), (twins, assembled, fetched));
        }
        (mode, forecast) => panic!("{mode:?}, planned {forecast:?}"),
    }
}

#[test]
fn a_machine_that_is_thought_of_is_one_that_is_given() {
    let diff_id = Policy::default();
    let mut toc = Policy::default();
    toc.trust = Trust::Toc;
    let mut slow = Policy::default();
    slow.cost = Cost { round_trip_us: 1_000_000, ..slow.cost };
    let mut near = Policy::default();
    near.cost = Cost { round_trip_us: 0, ..near.cost };
    for policy in [diff_id, toc, slow, near] {
        assert_eq!(agree(&[], "demo:v1", &policy), ["partial", "partial"]);
        assert_eq!(agree(&["demo:v1"], "demo:v2", &policy), ["present", "partial"]);
        assert_eq!(agree(&["demo:v1", "demo:v2"], "demo:v2", &policy), ["present", "present"]);
        assert_eq!(agree(&["demo:v2"], "zoo/podman-5.8", &policy), ["partial"]);
        assert_eq!(agree(&["zoo/podman-5.8"], "zoo/gzip", &policy).len(), 1);
        assert_eq!(agree(&["zoo/gzip"], "zoo/podman-5.8", &policy).len(), 1);
    }
    // Written by podman 4.3: only its TOC proves it.
    assert_eq!(agree(&["demo:v1"], "zoo/podman-4.3", &diff_id), ["whole"]);
    assert_eq!(agree(&["demo:v1"], "zoo/podman-4.3", &toc), ["partial"]);
    assert_eq!(agree(&["zoo/podman-4.3"], "zoo/podman-4.3", &toc), ["present"]);
    assert_eq!(agree(&["zoo/podman-4.3"], "zoo/podman-5.8", &diff_id), ["present"]);
    assert_eq!(agree(&["zoo/podman-4.3"], "zoo/podman-5.8", &toc), ["partial"]);
}
