//! Registries that answer ranges each in their own way, and registries in trouble: the pull succeeds.

use shingle::loopback::{Auth, Cut, Faults, RangeFault, Redirect, Refuse};
use shingle_tests::cli::Shingle;

use crate::gc::two_versions;
use crate::scene::assert_tree;

/// Pulls the second version upon the first from a registry that misbehaves from then on; returns the blob bytes sent,
/// in parts of the blob's length.
fn pull_badly(faults: Faults, what: &str) -> f64 {
    let scene = two_versions();
    let shingle = Shingle::new();
    shingle.pull(&scene.registry.reference("t:one"));
    scene.registry.misbehave(faults);
    scene.registry.clear_log();
    let outcome = shingle.run(&["pull", "--json", &scene.registry.reference("t:two")]);
    assert_eq!(outcome.code, Some(0), "{what}: {}", outcome.stderr);
    assert_tree(&shingle.tree(&scene.two_id), &scene.two, what);
    let manifests = |path: &str| path.contains("/manifests/") || path.starts_with("/token");
    let sent: u64 =
        scene.registry.log().iter().filter(|line| !manifests(&line.path)).map(|line| line.bytes).sum();
    sent as f64 / scene.two_blob as f64
}

#[test]
fn an_honest_registry_sends_little() {
    let sent = pull_badly(Faults::default(), "honest");
    assert!(sent < 0.2, "{sent:.2} blobs");
}

#[test]
fn a_whole_blob_in_place_of_a_range_is_used() {
    let sent =
        pull_badly(Faults { ranges: RangeFault::Ignored, ..Faults::default() }, "200 with the whole blob");
    assert!((0.9..1.2).contains(&sent), "{sent:.2} blobs");
}

#[test]
fn a_refusal_of_ranges_means_a_whole_pull() {
    for status in [400, 403, 416, 501] {
        let faults = Faults { ranges: RangeFault::Status(status), ..Faults::default() };
        let sent = pull_badly(faults, &format!("status {status}"));
        assert!((0.9..1.2).contains(&sent), "status {status}: {sent:.2} blobs");
    }
}

#[test]
fn odd_answers_to_ranges() {
    let table = [
        RangeFault::Before(100),
        RangeFault::Elsewhere,
        RangeFault::Mislabelled,
        RangeFault::Multipart,
        // Slices that small are trouble, not progress.
        RangeFault::Short(80_000),
        RangeFault::Unlabelled,
    ];
    for ranges in table {
        let sent = pull_badly(Faults { ranges, ..Faults::default() }, &format!("{ranges:?}"));
        assert!(sent < 1.5, "{ranges:?}: {sent:.2} blobs");
    }
}

#[test]
fn bodies_cut_short_are_resumed() {
    for after in [0, 1, 100, 5_000] {
        let faults = Faults { cut: Some(Cut { after, times: 3 }), ..Faults::default() };
        let sent = pull_badly(faults, &format!("cut after {after}"));
        assert!(sent < 0.3, "cut after {after}: {sent:.2} blobs");
    }
}

#[test]
fn trouble_that_passes() {
    for (status, retry_after) in [(429, Some("0")), (429, None), (500, None), (502, None), (503, Some("0"))] {
        let retry_after = retry_after.map(str::to_owned);
        let refuse = Some(Refuse { status, times: 2, retry_after });
        pull_badly(Faults { refuse, ..Faults::default() }, &format!("status {status} twice"));
    }
}

#[test]
fn redirects_tokens_and_both() {
    let redirect = |uses, hops| Some(Redirect { uses, hops });
    let table = [
        ("redirect", redirect(u32::MAX, 1), None),
        ("a location for one use", redirect(1, 1), None),
        ("three hops", redirect(u32::MAX, 3), None),
        ("token", None, Some(Auth::Bearer { uses: u32::MAX })),
        ("a token for two uses", None, Some(Auth::Bearer { uses: 2 })),
        ("token and redirect", redirect(2, 2), Some(Auth::Bearer { uses: 3 })),
    ];
    for (what, redirect, auth) in table {
        let sent = pull_badly(Faults { redirect, auth, ..Faults::default() }, what);
        assert!(sent < 0.2, "{what}: {sent:.2} blobs");
    }
}
