//! Refusals, redirects and repetitions.

use std::time::{Duration, Instant};

use shingle::loopback::{Content, Faults, RangeFault, Redirect, Refuse};
use shingle::registry::{Client, Fault, OnWhole, Platform, Reference};
use shingle_core::http::Refusal;

use crate::{Scene, drain, layout, message, options};

#[test]
fn a_refused_range_leaves_the_whole_blob() {
    for (ranges, text) in [
        (
            RangeFault::Status(416),
            "status 416: ranges are not supported (UNSUPPORTED: scripted refusal of ranges)",
        ),
        (
            RangeFault::Status(400),
            "status 400: ranges are not supported (UNSUPPORTED: scripted refusal of ranges)",
        ),
        (
            RangeFault::Status(501),
            "status 501: ranges are not supported (UNSUPPORTED: scripted refusal of ranges)",
        ),
        (RangeFault::Status(403), "status 403 (UNSUPPORTED: scripted refusal of ranges)"),
        (RangeFault::Multipart, "the body is multipart/byteranges, which was not asked for"),
        (RangeFault::Elsewhere, "the body holds bytes 20..30 where 10..20 were asked for"),
    ] {
        let scene = Scene::misbehaving(Faults { ranges, ..Faults::default() });
        let (blob, bytes) = scene.layer();
        let error = blob.open_range(10..20, OnWhole::Keep).expect_err("a refusal");
        let asked = format!("{}/some/zoo: blob {} bytes 10..20", scene.registry.address(), blob.digest());
        assert_eq!(error.to_string(), format!("{asked}: {text}"));
        assert!(error.leaves_whole() && !error.is_transient());
        assert_eq!(blob.traffic().requests, 1, "a refusal is not asked for again");
        assert_eq!(drain(&mut blob.open_whole().unwrap()).unwrap(), bytes);
    }
}

#[test]
fn another_blob_size_is_named() {
    let scene = Scene::misbehaving(Faults { total: Some(1000), ..Faults::default() });
    let (blob, _) = scene.layer();
    let error = blob.open_range(10..20, OnWhole::Cut).expect_err("two sizes");
    let text = message(&error, |fault| matches!(fault, Fault::Refused { .. }));
    assert!(text.ends_with("the blob is 1000 bytes long there, its descriptor states 228888"), "{text}");
    assert!(!error.leaves_whole());

    let wrong = scene.client.blob(&scene.reference, blob.digest(), 228_887);
    let error = wrong.open_whole().expect_err("two sizes");
    assert!(error.to_string().contains("228888 bytes long there, its descriptor states 228887"), "{error}");
}

#[test]
fn busy_and_broken_servers_are_asked_again() {
    for status in [408, 429, 500, 502, 503, 504] {
        let refuse = Refuse { status, times: 4, retry_after: Some("0".to_owned()) };
        let scene = Scene::misbehaving(Faults { refuse: Some(refuse), ..Faults::default() });
        let (blob, bytes) = scene.layer();
        let mut body = blob.open_range(10..20, OnWhole::Cut).unwrap();
        assert_eq!(drain(&mut body).unwrap(), bytes[10..20]);
        assert_eq!(blob.traffic().requests, 5);
        assert_eq!(scene.blob_statuses(), [status, status, status, status, 206]);
        let refuse = Refuse { status, times: 5, retry_after: None };
        scene.registry.misbehave(Faults { refuse: Some(refuse), ..Faults::default() });
        let error = scene.image().expect_err("five refusals");
        let text = message(&error, |fault| matches!(fault, Fault::Refused { .. }));
        assert!(text.contains("try again later (TOOMANYREQUESTS: scripted refusal)"), "{text}");
    }
}

#[test]
fn retry_after_is_honoured_up_to_the_cap() {
    let mut patient = options(2);
    patient.backoff.cap = Duration::from_millis(40);
    let refuse = Refuse { status: 429, times: 1, retry_after: Some("3600".to_owned()) };
    let mut scene = Scene::misbehaving(Faults { refuse: Some(refuse), ..Faults::default() });
    scene.client = Client::new(patient).unwrap();
    let started = Instant::now();
    scene.image().unwrap();
    assert!(started.elapsed() >= Duration::from_millis(40));
}

#[test]
fn a_refusal_for_good_is_not_asked_again() {
    let refuse = Refuse { status: 403, times: 9, retry_after: None };
    let scene = Scene::misbehaving(Faults { refuse: Some(refuse), ..Faults::default() });
    let error = scene.image().expect_err("a refusal");
    assert!(error.hint().unwrap().contains("private"));
    assert_eq!(scene.registry.log().iter().filter(|line| line.status == 403).count(), 1);
}

#[test]
fn a_redirect_is_paid_once_and_without_credentials() {
    let redirect = Redirect { uses: u32::MAX, hops: 2 };
    let auth = shingle::loopback::Auth::Bearer { uses: u32::MAX };
    let faults = Faults { redirect: Some(redirect), auth: Some(auth), ..Faults::default() };
    let scene = Scene::misbehaving(faults);
    let (blob, bytes) = scene.layer();
    for start in [10, 20, 30] {
        let mut body = blob.open_range(start..start + 5, OnWhole::Cut).unwrap();
        let start = usize::try_from(start).unwrap();
        assert_eq!(drain(&mut body).unwrap(), bytes[start..start + 5]);
    }
    assert_eq!(scene.blob_statuses(), [401, 307, 302, 206, 206, 206]);
    let log = scene.registry.log();
    assert!(log.iter().filter(|line| line.path.contains("signature")).all(|line| !line.authorized));
}

#[test]
fn an_expired_location_is_asked_for_again() {
    let redirect = Redirect { uses: 2, hops: 1 };
    let scene = Scene::misbehaving(Faults { redirect: Some(redirect), ..Faults::default() });
    let (blob, _) = scene.layer();
    for _ in 0..4 {
        drain(&mut blob.open_range(10..20, OnWhole::Cut).unwrap()).unwrap();
    }
    assert_eq!(scene.blob_statuses(), [307, 206, 206, 403, 307, 206, 206]);
    // A location that is refused when it is fresh is refused for good.
    let redirect = Redirect { uses: 0, hops: 1 };
    scene.registry.misbehave(Faults { redirect: Some(redirect), ..Faults::default() });
    scene.registry.clear_log();
    let error = blob.open_range(10..20, OnWhole::Cut).expect_err("a refusal");
    message(&error, |f| matches!(f, Fault::Refused { refusal: Refusal::Refused { status: 403 }, .. }));
    assert_eq!(scene.blob_statuses(), [403, 307, 403]);
}

#[test]
fn redirects_end_somewhere() {
    let redirect = Redirect { uses: 1, hops: 6 };
    let scene = Scene::misbehaving(Faults { redirect: Some(redirect), ..Faults::default() });
    let error = scene.layer().0.open_whole().expect_err("a chain of redirects");
    let text = message(&error, |fault| matches!(fault, Fault::Redirect { .. }));
    assert!(text.ends_with("redirected more than 5 times"), "{text}");
}

#[test]
fn plain_http_needs_permission() {
    let scene = Scene::patient(Content::from_layout(&layout("gzip")).unwrap(), 2);
    assert!(scene.image().is_ok());
    scene.registry.clear_log();
    let mut strict = options(2);
    strict.tls_verify = true;
    let strict = Client::new(strict).unwrap();
    let error = strict.fetch_manifest(&scene.reference, &Platform::host()).expect_err("http only");
    message(&error, |fault| matches!(fault, Fault::Connection { .. }));
    assert!(error.hint().unwrap().contains("--tls-verify=false"));
    assert!(!error.is_transient(), "no number of tries teaches a server TLS: {error:?}");
    assert_eq!(scene.registry.log(), []);
}

#[test]
fn nobody_there_is_said_after_a_few_tries() {
    let scene = Scene::zoo();
    let reference: Reference = scene.reference.clone();
    let client = scene.client.clone();
    drop(scene);
    let error = client.fetch_manifest(&reference, &Platform::host()).expect_err("nobody there");
    let text = message(&error, |fault| matches!(fault, Fault::Connection { .. }));
    assert!(text.ends_with("manifest zoo: no answer"), "{text}");
    let mut causes = Vec::new();
    let mut next = std::error::Error::source(&error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    assert!(causes.last().unwrap().contains("refused"), "{causes:?}");
}
