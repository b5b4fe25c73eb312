//! Who gets in.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use super::served::{Answer, Served, fixture};

#[test]
fn only_who_knows_the_address_learns_anything() {
    let served = Served::new(&[&fixture("demo:v1")]);
    let (host, token) = (&served.host, &served.token);
    let other: String = token.chars().map(|digit| if digit == '0' { '1' } else { '0' }).collect();
    let almost = format!("{}{}", &token[..31], if token.ends_with('0') { '1' } else { '0' });
    assert_eq!(served.get("", &[]).status, 200);
    for path in [
        "/".to_owned(),
        "/index.html".to_owned(),
        "/api/session".to_owned(),
        format!("/{token}"),
        format!("//{token}/"),
        format!("/{other}/"),
        format!("/{almost}/api/session"),
        format!("/{}/api/session", &token[..31]),
        format!("/{token}0/api/session"),
        format!("/{}/api/session", token.to_ascii_uppercase() + "A"),
        format!("/%{:02x}{}/", token.as_bytes()[0], &token[1..]),
    ] {
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            let answer = served.say(&format!("{method} {path} HTTP/1.1\r\nHost: {host}"));
            assert_eq!((answer.status, &*answer.body), (404, &b""[..]), "{method} {path}");
            assert!(answer.header("content-type").is_none() && answer.header("allow").is_none());
        }
    }
}

#[test]
fn a_name_that_leads_here_is_no_way_in() {
    let served = Served::new(&[&fixture("demo:v1")]);
    let (host, token) = (&served.host, &served.token);
    let port = host.rsplit_once(':').unwrap().1;
    let ask = |lines: &str| served.say(&format!("GET /{token}/api/session HTTP/1.1{lines}"));
    assert_eq!(ask(&format!("\r\nHost: {host}")).status, 200);
    for lines in [
        format!("\r\nHost: evil.example:{port}"),
        format!("\r\nHost: localhost:{port}"),
        "\r\nHost: 127.0.0.1".to_owned(),
        format!("\r\nHost: 127.0.0.1:{port}.evil.example"),
        format!("\r\nHost: [::1]:{port}"),
        format!("\r\nHost: {host}\r\nHost: evil.example"),
        format!("\r\nHost: evil.example\r\nHost: {host}"),
        "\r\nHost:".to_owned(),
        String::new(),
    ] {
        let answer = ask(&lines);
        assert!((400..500).contains(&answer.status) && answer.body.is_empty(), "{lines:?}: {answer:?}");
    }
    let absolute = |authority: &str| {
        served.say(&format!("GET http://{authority}/{token}/ HTTP/1.1\r\nHost: {host}")).status
    };
    assert_eq!((absolute(host), absolute("evil.example")), (200, 421));
}

#[test]
fn another_site_is_no_way_in() {
    let served = Served::new(&[&fixture("demo:v1")]);
    for (sites, status) in [
        (&["same-origin"][..], 200),
        (&["none"], 200),
        (&["cross-site"], 403),
        (&["same-site"], 403),
        (&["same-origin", "cross-site"], 403),
        (&["cross-site", "same-origin"], 403),
        (&[""], 403),
    ] {
        let headers: Vec<String> = sites.iter().map(|site| format!("Sec-Fetch-Site: {site}")).collect();
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        for path in ["", "api/session", "assets/core-0123abcd.wasm"] {
            let answer = served.get(path, &headers);
            assert_eq!(answer.status, status, "{sites:?} {path}");
            assert!(status == 200 || answer.body.is_empty());
            assert!(answer.header("access-control-allow-origin").is_none());
        }
    }
}

#[test]
fn only_looking_is_allowed() {
    let served = Served::new(&[&fixture("demo:v1")]);
    let (host, token) = (&served.host, &served.token);
    for path in ["", "api/session", "api/blob"] {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"] {
            let answer = served.say(&format!("{method} /{token}/{path} HTTP/1.1\r\nHost: {host}"));
            // What CONNECT asks for is no path.
            let expected = if method == "CONNECT" { 400..500 } else { 405..406 };
            assert!(expected.contains(&answer.status), "{method} {path}: {answer:?}");
            assert!(answer.status != 405 || answer.header("allow") == Some("GET, HEAD"));
            assert!(answer.body.is_empty());
        }
        let answer = served.say(&format!("HEAD /{token}/{path} HTTP/1.1\r\nHost: {host}"));
        assert!(answer.body.is_empty());
        let whole = served.get(path, &[]);
        assert_eq!(answer.status, whole.status);
        assert_eq!(answer.header("content-length"), Some(&*whole.body.len().to_string()), "{path}");
    }
}

#[test]
fn a_connection_is_not_kept_for_a_stranger() {
    let served = Served::new(&[&fixture("demo:v1")]);
    let mut stream = served.connect();
    // Without a word on what becomes of the connection, HTTP/1.1 keeps it.
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", served.host).as_bytes()).unwrap();
    let started = std::time::Instant::now();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(Answer::read(&bytes).status, 404);
    assert!(started.elapsed() < std::time::Duration::from_secs(20));
}

#[test]
fn it_listens_on_this_machine_alone() {
    let served = Served::new(&[&fixture("demo:v1")]);
    let port: u16 = served.host.rsplit_once(':').unwrap().1.parse().unwrap();
    // All of 127/8 is this machine; only one address of it is listened on.
    assert!(TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), port)).is_err());
}

#[test]
fn long_heads_are_refused_and_many_connections_wait() {
    let served = Served::new(&[&fixture("demo:v1")]);
    let long = format!("X-Long: {}", "a".repeat(60 << 10));
    let mut stream = served.connect();
    let head = format!("GET /{}/ HTTP/1.1\r\nHost: {}\r\n{long}\r\n\r\n", served.token, served.host);
    // The answer may come before all of it was sent.
    let _cut = stream.write_all(head.as_bytes());
    let mut bytes = Vec::new();
    let _cut = stream.read_to_end(&mut bytes);
    assert!(bytes.is_empty() || Answer::read(&bytes).status == 431, "{}", String::from_utf8_lossy(&bytes));

    // Sixteen connections that ask for nothing: the next one is served when one of them goes.
    let mut idle: Vec<TcpStream> = Vec::new();
    for _ in 0..16 {
        let mut stream = served.connect();
        let head = format!("GET /{}/api/session HTTP/1.1\r\nHost: {}\r\n\r\n", served.token, served.host);
        stream.write_all(head.as_bytes()).unwrap();
        assert!(stream.read(&mut [0; 1]).unwrap() > 0);
        idle.push(stream);
    }
    let mut next = served.connect();
    let head = format!("GET /{}/api/session HTTP/1.1\r\nHost: {}\r\n\r\n", served.token, served.host);
    next.write_all(head.as_bytes()).unwrap();
    next.set_read_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
    assert!(next.read(&mut [0; 1]).is_err(), "a seventeenth is not served");
    idle.pop();
    next.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    assert!(next.read(&mut [0; 1]).unwrap() > 0);
}
