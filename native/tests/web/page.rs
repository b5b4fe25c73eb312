//! The page's own files, and the command around them.

use super::served::{Served, command, fixture, write_page};

#[test]
fn the_page_comes_with_what_keeps_it_safe() {
    let served = Served::new(&[&fixture("demo:v1")]);
    for name in ["", "index.html"] {
        let index = served.get(name, &[]);
        assert_eq!((index.status, index.header("content-type")), (200, Some("text/html; charset=utf-8")));
        let text = String::from_utf8(index.body.clone()).unwrap();
        assert!(text.contains(r#"<meta name="shingle-helper" content="1"><title>"#), "{text}");
        assert!(!text.contains("<!-- helper -->"));
        assert_eq!(index.header("cache-control"), Some("no-cache"));
    }
    let wasm = served.get("assets/core-0123abcd.wasm", &[]);
    assert_eq!(wasm.body, b"\0asm\x01\0\0\0");
    assert_eq!(wasm.header("content-type"), Some("application/wasm"));
    assert!(wasm.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(served.get("icon.svg", &[]).header("content-type"), Some("image/svg+xml"));
    for path in ["", "api/session", "icon.svg", "nothing", "api/image"] {
        let answer = served.get(path, &[]);
        let policy = "default-src 'none'; script-src 'self'; frame-ancestors 'none'";
        assert_eq!(answer.header("content-security-policy"), Some(policy), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
    }
}

#[test]
fn nothing_else_on_the_disk_is_served() {
    let served = Served::new(&[&fixture("demo:v1")]);
    std::fs::write(served.home.path().join("secret"), "secret").unwrap();
    for path in [
        "../secret",
        "%2e%2e/secret",
        "assets/../../secret",
        "..%2fsecret",
        "/etc/passwd",
        "assets",
        "assets/",
        "page/index.html",
        "index.html/",
        "index.html%00",
    ] {
        let answer = served.get(path, &[]);
        assert_eq!((answer.status, &*answer.body), (404, &b""[..]), "{path}");
    }
}

#[test]
fn a_link_in_the_page_leads_nowhere() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("secret"), "secret").unwrap();
    let page = write_page(&home);
    std::os::unix::fs::symlink("../secret", page.join("link")).unwrap();
    let page = shingle::web::Page::open(&page).unwrap();
    let said = format!("{page:?}");
    assert!(said.contains("icon.svg") && !said.contains("link"), "{said}");
}

#[test]
fn it_ends_well_when_it_is_told_to() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let served = Served::new(&[&fixture("demo:v1")]);
        // A connection that is open keeps it no longer.
        let _open = served.connect();
        assert_eq!(served.get("", &[]).status, 200);
        assert_eq!(served.end(signal).code(), Some(0));
    }
}

#[test]
fn the_page_is_built_in_or_said_not_to_be() {
    let home = tempfile::tempdir().unwrap();
    let image = fixture("demo:v1");
    if shingle::web::Page::embedded().unwrap().is_none() {
        let output = command(&home, &[&image]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{said}");
        assert!(said.contains("hint: `cargo xtask web` builds it"), "{said}");
        return;
    }
    let served = Served::start(home, &[&image]);
    let index = served.get("", &[]);
    let text = String::from_utf8(index.body.clone()).unwrap();
    assert_eq!(index.status, 200);
    assert!(text.contains(r#"<meta name="shingle-helper" content="1">"#), "{text}");
    // Everything that it names is there.
    let names =
        ["src=\"./", "href=\"./"].map(|before| text.split(before).skip(1).map(|rest| rest.split('"').next()));
    let names: Vec<_> = names.into_iter().flatten().flatten().collect();
    assert!(names.len() > 2, "{text}");
    for name in names {
        assert_eq!(served.get(name, &[]).status, 200, "{name}");
    }
}

#[test]
fn what_it_cannot_serve_it_says() {
    let home = tempfile::tempdir().unwrap();
    let image = fixture("demo:v1");
    let fails = |words: &[&str]| {
        let output = command(&home, words).arg(&image).output().unwrap();
        assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = fails(&["--page", "nowhere"]);
    assert!(said.contains("cannot read nowhere"), "{said}");
    std::fs::create_dir(home.path().join("empty")).unwrap();
    let said = fails(&["--page", "empty"]);
    assert!(said.contains("empty is not the page: it has no index.html"), "{said}");
    assert!(said.contains("hint: `cargo xtask web`"), "{said}");
    let page = write_page(&home);
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = fails(&["--page", page.to_str().unwrap(), "--port", &port]);
    assert!(said.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{said}");
    let said = fails(&["--page", page.to_str().unwrap(), "oci:nowhere"]);
    assert!(said.contains("cannot look at oci:nowhere"), "{said}");
}
