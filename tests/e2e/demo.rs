//! `shingle demo` shows what Shingle does to someone who has neither registry, network nor root.

use shingle_tests::cli::Shingle;
use shingle_tests::need::{Need, have_all};

#[test]
fn without_arguments_or_network() {
    let outcome = Shingle::new().run(&["demo"]).done();
    assert!(outcome.stderr.contains("The second pull skipped"), "{}", outcome.stderr);
}

#[test]
fn without_root() {
    if have_all("demo::without_root", &[Need::Root]) {
        Shingle::as_user(65534, 65534).run(&["demo"]).done();
    }
}
