//! Tokens for anonymous pulls.

use shingle::loopback::{Auth, Faults};
use shingle::registry::{Fault, OnWhole};

use crate::{Scene, drain, message};

fn asking(auth: Auth) -> Scene {
    Scene::misbehaving(Faults { auth: Some(auth), ..Faults::default() })
}

fn tokens(scene: &Scene) -> usize {
    scene.registry.log().iter().filter(|line| line.path.starts_with("/token?")).count()
}

#[test]
fn a_token_is_fetched_once_and_kept() {
    let scene = asking(Auth::Bearer { uses: u32::MAX });
    scene.image().unwrap();
    scene.image().unwrap();
    assert_eq!(tokens(&scene), 1);
    let log = scene.registry.log();
    let token = log.iter().find(|line| line.path.starts_with("/token?")).unwrap();
    assert_eq!(token.path, "/token?service=loopback&scope=repository%3Asome%2Fzoo%3Apull");
    assert_eq!(log.iter().filter(|line| line.status == 401 && line.path != "/v2/").count(), 1);
}

#[test]
fn many_threads_fetch_one_token() {
    let scene = asking(Auth::Bearer { uses: u32::MAX });
    let (blob, bytes) = scene.layer();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let mut body = blob.open_range(10..20, OnWhole::Cut).unwrap();
                assert_eq!(drain(&mut body).unwrap(), bytes[10..20]);
            });
        }
    });
    assert_eq!(tokens(&scene), 1);
}

#[test]
fn a_token_that_expired_is_renewed() {
    let scene = asking(Auth::Bearer { uses: 2 });
    let (blob, bytes) = scene.layer();
    for _ in 0..6 {
        let mut body = blob.open_range(10..20, OnWhole::Cut).unwrap();
        assert_eq!(drain(&mut body).unwrap(), bytes[10..20]);
    }
    assert_eq!(tokens(&scene), 3);
}

#[test]
fn a_token_that_is_not_enough_is_not_fetched_for_ever() {
    let scene = asking(Auth::Bearer { uses: 0 });
    let error = scene.image().expect_err("no access");
    let text = message(&error, |fault| matches!(fault, Fault::Refused { .. }));
    assert!(text.contains("status 401: not authenticated (UNAUTHORIZED: authentication required)"), "{text}");
    assert!(error.hint().unwrap().contains("private"));
    assert_eq!(tokens(&scene), 1);
}

#[test]
fn credentials_are_not_there_to_be_given() {
    let error = asking(Auth::Basic).image().expect_err("no credentials");
    let text = message(&error, |fault| matches!(fault, Fault::Credentials { .. }));
    assert!(text.ends_with("the registry asks for credentials (basic)"), "{text}");
    assert!(error.hint().unwrap().contains("not supported yet"));

    let error = asking(Auth::Denied).image().expect_err("no token");
    let text = message(&error, |fault| matches!(fault, Fault::Token { .. }));
    assert!(
        text.contains("status 403 from the token server 127.0.0.1 (DENIED: no tokens for strangers)"),
        "{text}"
    );
}
