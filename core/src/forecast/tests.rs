//! What must hold of any forecast, and tables of what machines have.

mod hostile;
mod lines;
mod machines;
mod strips;

use alloc::collections::BTreeMap;
use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Known, KnownLayer};
use crate::testing::stargz::{FOOTERS, Stargz, stargz, trusting};
use crate::testing::{Layer, Made, OLD_BLOB, fixture_bytes, layer, made, noise};
use crate::{Basis, Cost, Digest, LayerSaid, Look, Opened, Policy, TailFound, TocFetch, Trust};

/// What an image would say of a blob.
fn said(blob: &[u8]) -> KnownLayer {
    KnownLayer {
        blob: Digest::of(blob),
        blob_len: blob.len() as u64,
        diff_id: Digest::of(Digest::of(blob).as_bytes()),
        media_type: "application/vnd.oci.image.layer.v1.tar+zstd".into(),
    }
}

fn found(fetch: TocFetch, policy: &Policy) -> Basis {
    match fetch.open(policy).unwrap() {
        Opened::Found(basis) => basis,
        Opened::Whole(reason) => panic!("{reason}"),
    }
}

/// Looks at a blob as a shell does, and knows it.
fn look(
    blob: &[u8],
    beside: &[u8],
    annotations: &BTreeMap<alloc::string::String, alloc::string::String>,
    policy: &Policy,
) -> Known {
    let (mut bytes, mut requests) = (0, 0);
    let layer = LayerSaid { media_type: "some type", size: blob.len() as u64, annotations };
    let (mut fetch, from) = match Look::new(&layer, policy) {
        Look::Whole(reason) => panic!("{reason}"),
        Look::Toc(fetch) => (fetch, blob),
        Look::Tail(mut tail) => {
            let range = tail.remaining();
            (bytes, requests) = (range.end - range.start, 1);
            tail.receive(&blob[range.start as usize..]);
            match tail.finish().unwrap() {
                TailFound::Here(fetch) => (fetch, blob),
                TailFound::External(toc) => (toc.fetch(beside.len() as u64).unwrap(), beside),
            }
        }
    };
    let range = fetch.remaining();
    if !range.is_empty() {
        (bytes, requests) = (bytes + range.end - range.start, requests + 1);
        fetch.receive(&from[range.start as usize..range.end as usize]);
    }
    Known::from_basis(said(blob), &found(fetch, policy), bytes, requests, policy).unwrap()
}

fn of(layer: &Layer) -> Known {
    look(&layer.blob, b"", &layer.annotations, &Policy::default())
}

fn of_stargz(layer: &Stargz) -> Known {
    look(&layer.blob, &layer.toc_blob, &layer.annotations, &trusting())
}

/// Blobs that real tools wrote, in all forms.
fn fixtures() -> Vec<Known> {
    let annotations = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect::<BTreeMap<_, _>>()
    };
    let old = annotations(&[
        (
            "io.containers.zstd-chunked.manifest-checksum",
            "sha256:45abde6c759ab7799b953e088378176070fdf1e4923052291b8dbb484e810a27",
        ),
        ("io.containers.zstd-chunked.manifest-position", "224514:1732:8287:1"),
    ]);
    let estargz = annotations(&[(
        "containerd.io/snapshot/stargz/toc.digest",
        "sha256:bd5800ce15760a09d962b8c4a664d3c5f90dd8a4f8cf416b586098d88fc28551",
    )]);
    let estargz_blob = fixture_bytes!("zoo/zoo.estargz");
    alloc::vec![
        of(&Layer::zoo()),
        look(OLD_BLOB, b"", &old, &trusting()),
        look(estargz_blob, b"", &estargz, &trusting()),
    ]
}

/// A few files, of which some are alike and one has a hole.
fn members() -> Vec<Made> {
    let (a, b, c) = (noise(1, 300), noise(2, 900), noise(3, 50));
    alloc::vec![
        made("dir/", []),
        made("dir/a", [&a]),
        made("dir/cut", [&a, &b, &c]),
        made("dir/same", [&a]),
        made("z", [&c]),
        made("empty", []),
    ]
}

/// Everything that there is to forecast.
fn all() -> Vec<Known> {
    let mut all = fixtures();
    all.push(of(&layer(&members(), |_| {})));
    for footer in FOOTERS {
        for min_chunk in [0, 1_000, 10_000] {
            all.push(of_stargz(&stargz(&members(), footer, min_chunk, |_| {})));
        }
    }
    let whole = Known::from_whole(said(b"some blob"), Arc::clone(all[0].toc()), "it is so", 5, 1);
    all.push(Known {
        toc: Arc::new(crate::Toc::from_stored(&whole.toc.to_stored(), &crate::Limits::default()).unwrap()),
        ..whole
    });
    all
}

/// A policy by which any gap up to this is bridged.
fn bridging(gap: u64, trust: Trust) -> Policy {
    let cost = Cost { round_trip_us: 1_000_000, bytes_per_second: gap, in_flight: 1 };
    Policy { cost, trust, ..Policy::default() }
}
