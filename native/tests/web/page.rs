//! The page's own files, and the command around them.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

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
fn the_browser_is_invited_and_its_command_line_tells_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (page, told) = (write_page(&home), home.path().join("told"));
    let programs = home.path().join("programs");
    std::fs::create_dir(&programs).unwrap();
    std::fs::write(
        programs.join("xdg-open"),
        format!("#!/bin/sh\necho \"$*\" >'{0}.new' && mv '{0}.new' '{0}'\n", told.display()),
    )
    .unwrap();
    std::fs::set_permissions(programs.join("xdg-open"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = command(&home, &["--page", page.to_str().unwrap(), &fixture("demo:v1")]);
    command.env("DISPLAY", ":9").env("PATH", format!("{}:/usr/bin:/bin", programs.display()));
    let served = Served::run(home, command);
    let started = Instant::now();
    while !told.exists() {
        assert!(started.elapsed() < Duration::from_secs(20), "nothing was opened");
        std::thread::sleep(Duration::from_millis(5));
    }
    let opened = std::fs::read_to_string(&told).unwrap();
    let path = opened.trim_end().strip_prefix(&format!("http://{}/", served.host)).unwrap();
    assert!(path.len() == 32 && !opened.contains(&served.token), "{opened}");

    let ask = |method: &str, path: &str, more: &str| {
        served.say(&format!("{method} /{path} HTTP/1.1\r\nHost: {}{more}", served.host))
    };
    // It leads nobody whom a page sends, and to nothing below it.
    assert_eq!(ask("GET", path, "\r\nSec-Fetch-Site: cross-site").status, 403);
    assert_eq!(ask("HEAD", path, "").status, 404);
    assert_eq!(ask("GET", &format!("{path}/api/session"), "").status, 404);
    let invited = ask("GET", path, "\r\nSec-Fetch-Site: none");
    assert_eq!((invited.status, invited.body.len()), (303, 0));
    assert_eq!(invited.header("location"), Some(&*format!("/{}/", served.token)));
    assert_eq!(invited.header("cache-control"), Some("no-store"));
    assert_eq!(ask("GET", path, "").status, 404, "only once");
    assert_eq!(served.get("", &[]).status, 200);
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
