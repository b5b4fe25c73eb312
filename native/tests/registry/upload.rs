//! Uploads, and everything that can befall them.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shingle::loopback::{Auth, Content, Cut, Faults, Loopback, Refuse, UploadFaults};
use shingle::registry::{Client, Fault, Reference, RegistryError};
use shingle::transport::Section;
use shingle_core::Digest;

use crate::{message, options};

const MIB: usize = 1 << 20;

struct Scene {
    registry: Loopback,
    client: Client,
    reference: Reference,
    bytes: Vec<u8>,
    section: Section,
    digest: Digest,
}

impl Scene {
    fn new(faults: Faults) -> Self {
        Self::with_piece(faults, 256 << 20)
    }

    fn with_piece(faults: Faults, upload_piece: u64) -> Self {
        let registry = Loopback::start(Content::default()).unwrap();
        registry.misbehave(faults);
        let reference = registry.reference("some/where:v1").parse().unwrap();
        let mut options = options(5);
        options.upload_piece = upload_piece;
        // Nothing here is told by silence, and a busy machine must not be taken for it: pieces are counted.
        options.timeouts.stall = Duration::from_secs(30);
        let client = Client::new(options).unwrap();
        let bytes: Vec<u8> = (0_u32..).flat_map(|n| n.to_le_bytes()).take(5 * MIB + 3).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let section = Section::of_file(file.into()).unwrap();
        let digest = Digest::of(&bytes);
        Self { registry, client, reference, bytes, section, digest }
    }

    fn put(&self) -> Result<(), RegistryError> {
        self.client.put_blob(&self.reference, self.digest, &self.section, None, &|_| {})
    }

    /// The lengths of the pieces that were sent, also in vain.
    fn pieces(&self) -> Vec<u64> {
        let log = self.registry.log();
        log.iter().filter(|line| line.method == "PATCH").map(|line| line.sent).collect()
    }

    fn assert_there(&self, what: &str) {
        assert!(self.client.has_blob(&self.reference, self.digest).unwrap(), "{what}");
        let blob = self.client.blob(&self.reference, self.digest, self.section.len());
        let mut body = blob.open_whole().unwrap();
        assert!(crate::drain(&mut body).unwrap() == self.bytes, "{what}");
    }
}

#[test]
fn a_blob_goes_up_in_one_piece_and_is_there() {
    let scene = Scene::new(Faults::default());
    assert!(!scene.client.has_blob(&scene.reference, scene.digest).unwrap());
    let told = AtomicU64::new(0);
    let progress = |bytes| {
        told.fetch_add(bytes, Ordering::Relaxed);
    };
    scene.client.put_blob(&scene.reference, scene.digest, &scene.section, None, &progress).unwrap();
    scene.assert_there("plain");
    assert_eq!(scene.pieces(), [scene.section.len()]);
    assert_eq!(told.into_inner(), scene.section.len());
}

#[test]
fn whatever_befalls_an_upload_the_blob_is_whole() {
    let cut = |after, times| UploadFaults { cut: Some(Cut { after, times }), ..UploadFaults::default() };
    let uploads = UploadFaults::default();
    let cases = [
        ("absolute", UploadFaults { absolute: true, ..uploads.clone() }),
        ("cut early", cut(0, 2)),
        ("cut", cut(1_000_000, 3)),
        ("cut often", cut(700_000, 7)),
        ("forgotten", UploadFaults { forget: 2, ..uploads.clone() }),
        ("lagging", UploadFaults { lag: 3, ..uploads.clone() }),
        ("answers lost", UploadFaults { lose_answers: 1, ..uploads.clone() }),
        ("no pieces", UploadFaults { no_pieces: true, ..uploads.clone() }),
        ("spoilt", UploadFaults { spoil: 1, ..uploads.clone() }),
        ("small", UploadFaults { limit: Some(2 << 20), ..uploads.clone() }),
        ("smaller than any piece", UploadFaults { limit: Some(1 << 10), ..uploads.clone() }),
        ("large pieces", UploadFaults { least_piece: Some(3 << 20), ..uploads }),
    ];
    for piece in [256 << 20, 1_500_000] {
        for (what, uploads) in &cases {
            let scene = Scene::with_piece(Faults { uploads: uploads.clone(), ..Faults::default() }, piece);
            scene
                .put()
                .unwrap_or_else(|error| panic!("{what}, {piece}: {error}: {:#?}", scene.registry.log()));
            scene.assert_there(what);
        }
    }
}

#[test]
fn a_cut_upload_goes_on_where_it_stands() {
    let uploads = UploadFaults { cut: Some(Cut { after: 3 << 20, times: 1 }), ..UploadFaults::default() };
    let scene = Scene::new(Faults { uploads, ..Faults::default() });
    scene.put().unwrap();
    assert_eq!(scene.pieces(), [5 * (1 << 20) + 3, 2 * (1 << 20) + 3]);
}

#[test]
fn pieces_are_as_large_as_the_registry_wants_them() {
    let uploads = UploadFaults { least_piece: Some(2 << 20), ..UploadFaults::default() };
    let scene = Scene::with_piece(Faults { uploads, ..Faults::default() }, 1 << 20);
    scene.put().unwrap();
    assert_eq!(scene.pieces(), [2 << 20, 2 << 20, (1 << 20) + 3]);
    let uploads = UploadFaults { limit: Some(2 << 20), ..UploadFaults::default() };
    let scene = Scene::new(Faults { uploads, ..Faults::default() });
    scene.put().unwrap();
    let taken: Vec<_> = scene.pieces().into_iter().filter(|piece| *piece <= 2 << 20).collect();
    assert_eq!(taken.iter().sum::<u64>(), scene.section.len());
}

#[test]
fn a_registry_that_is_busy_is_asked_again() {
    let refuse = Refuse { status: 503, times: 3, retry_after: None };
    let scene = Scene::new(Faults { refuse: Some(refuse), ..Faults::default() });
    scene.put().unwrap();
    scene.assert_there("busy");
    let refuse = Refuse { status: 403, times: u32::MAX, retry_after: None };
    let scene = Scene::new(Faults { refuse: Some(refuse), ..Faults::default() });
    let error = scene.put().unwrap_err();
    let said = message(&error, |fault| matches!(fault, Fault::NotTaken { status: 403, .. }));
    assert!(said.ends_with("status 403 (TOOMANYREQUESTS: scripted refusal)"), "{said}");
    assert!(error.hint().unwrap().contains("logging in"));
    assert_eq!(scene.registry.log().len(), 2, "one look for https or http, one try");
}

#[test]
fn a_registry_that_loses_what_it_took_is_not_fed_for_ever() {
    for (lapse, ends_well) in [(3, true), (200, false)] {
        let uploads = UploadFaults { lapse, ..UploadFaults::default() };
        let scene = Scene::with_piece(Faults { uploads, ..Faults::default() }, 1 << 20);
        assert_eq!(scene.put().is_ok(), ends_well, "{:#?}", scene.registry.log());
        assert!(scene.pieces().len() < 150, "{:#?}", scene.registry.log());
    }
}

#[test]
fn another_digest_than_said_is_an_error_in_the_end() {
    let uploads = UploadFaults { spoil: u32::MAX, ..UploadFaults::default() };
    let scene = Scene::new(Faults { uploads, ..Faults::default() });
    let said =
        message(&scene.put().unwrap_err(), |fault| matches!(fault, Fault::NotTaken { status: 400, .. }));
    assert!(said.contains("DIGEST_INVALID"), "{said}");
    assert!(!scene.client.has_blob(&scene.reference, scene.digest).unwrap());
}

#[test]
fn tokens_are_asked_for_with_the_right_to_push() {
    let scene = Scene::new(Faults { auth: Some(Auth::Bearer { uses: 2 }), ..Faults::default() });
    scene.put().unwrap();
    let log = scene.registry.log();
    let tokens: Vec<_> = log.iter().filter(|line| line.path.starts_with("/token?")).collect();
    assert!(!tokens.is_empty());
    let scope = "scope=repository%3Asome%2Fwhere%3Apull%2Cpush";
    assert!(tokens.iter().all(|line| line.path.contains(scope)), "{tokens:?}");
    let scene = Scene::new(Faults { auth: Some(Auth::Basic), ..Faults::default() });
    let error = scene.put().unwrap_err();
    message(&error, |fault| matches!(fault, Fault::Credentials { .. }));
}

#[test]
fn no_token_goes_along_to_another_host() {
    let other = Loopback::start(Content::default()).unwrap();
    let elsewhere = other.reference("").split('/').next().map(str::to_owned);
    let uploads = UploadFaults { elsewhere, ..UploadFaults::default() };
    let auth = Some(Auth::Bearer { uses: u32::MAX });
    let scene = Scene::new(Faults { uploads, auth, ..Faults::default() });
    // Nobody there knows of the upload, so nothing comes of it but what was sent.
    message(&scene.put().unwrap_err(), |fault| matches!(fault, Fault::NotTaken { status: 404, .. }));
    let log = other.log();
    assert!(log.iter().any(|line| line.method == "PATCH" && line.sent > 0), "{log:#?}");
    assert!(log.iter().all(|line| !line.authorized), "{log:#?}");
    assert!(scene.registry.log().iter().any(|line| line.authorized));
}

#[test]
fn a_blob_of_another_repository_is_mounted() {
    for refuse_mounts in [false, true] {
        let uploads = UploadFaults { refuse_mounts, ..UploadFaults::default() };
        let auth = Some(Auth::Bearer { uses: u32::MAX });
        let scene = Scene::new(Faults { uploads, auth, ..Faults::default() });
        scene.put().unwrap();
        let other: Reference = scene.registry.reference("else/where:v1").parse().unwrap();
        let session = scene.client.mount_blob(&other, scene.digest, &scene.reference).unwrap();
        assert_eq!(session.is_some(), refuse_mounts);
        if session.is_some() {
            scene.client.put_blob(&other, scene.digest, &scene.section, session, &|_| {}).unwrap();
        }
        assert!(scene.client.has_blob(&other, scene.digest).unwrap());
        let log = scene.registry.log();
        // With a new token the one before is worth nothing here. A registry that says so while it is still being sent to
        // may be taken for one that hung up, and the blob then goes in smaller pieces: so how many there are is no matter.
        let taken = log.iter().filter(|line| line.method == "PATCH" && line.status == 202).count();
        assert_eq!(taken > 1, refuse_mounts, "{taken} pieces");
        assert_eq!(scene.registry.pushed("else/where"), [scene.digest]);
    }
}
