//! The command, running, and a client that says exactly what it is told to.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// A page in few words.
pub(crate) const INDEX: &str = "<!doctype html><meta http-equiv=\"Content-Security-Policy\" \
    content=\"default-src 'none'; script-src 'self'\"><!-- helper --><title>Page</title>";

/// `shingle inspect --web`, until it is dropped.
pub(crate) struct Served {
    pub(crate) home: TempDir,
    child: Child,
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
    /// What the address has behind the host, without slashes.
    pub(crate) token: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Writes a small page into a directory.
pub(crate) fn write_page(home: &TempDir) -> PathBuf {
    let page = home.path().join("page");
    std::fs::create_dir_all(page.join("assets")).unwrap();
    std::fs::write(page.join("index.html"), INDEX).unwrap();
    std::fs::write(page.join("assets/core-0123abcd.wasm"), b"\0asm\x01\0\0\0").unwrap();
    std::fs::write(page.join("icon.svg"), "<svg/>").unwrap();
    page
}

/// The command with an environment that says nothing, least of all where a browser is.
pub(crate) fn command(home: &TempDir, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shingle"));
    command.env_clear().env("HOME", home.path()).current_dir(home.path());
    command.env("CONTAINERS_STORAGE_CONF", "/dev/null").env("XDG_CACHE_HOME", home.path().join("cache"));
    command.arg("--root").arg(home.path().join("store")).args(["inspect", "--web"]).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The name of an image among the fixtures.
pub(crate) fn fixture(name: &str) -> String {
    format!("oci:{}/../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

impl Served {
    /// Starts serving these images, with other words for the command line.
    pub(crate) fn new(images: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let page = write_page(&home);
        Self::start(home, &[&["--page", page.to_str().unwrap()], images].concat())
    }

    /// Starts serving with these words.
    pub(crate) fn start(home: TempDir, words: &[&str]) -> Self {
        let command = command(&home, words);
        Self::run(home, command)
    }

    /// Starts serving with this command.
    pub(crate) fn run(home: TempDir, mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("http://").and_then(|rest| rest.strip_suffix('/'));
        let (host, token) = address.and_then(|rest| rest.split_once('/')).unwrap_or_else(|| {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("no address: {line:?} {said}")
        });
        let (host, token) = (host.to_owned(), token.to_owned());
        Self { home, child, host, token }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Sends a request as it is written, but for what its end needs.
    pub(crate) fn say(&self, head: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::read(&bytes)
    }

    /// Asks for something below the address, with more headers.
    pub(crate) fn get(&self, below: &str, headers: &[&str]) -> Answer {
        let (host, token) = (&self.host, &self.token);
        let headers: String = headers.iter().map(|header| format!("\r\n{header}")).collect();
        self.say(&format!("GET /{token}/{below} HTTP/1.1\r\nHost: {host}{headers}"))
    }

    /// Asks for a part of a blob.
    pub(crate) fn blob(&self, image: &str, digest: &str, headers: &[&str]) -> Answer {
        self.get(&format!("api/blob?ref={}&digest={digest}", escape(image)), headers)
    }

    /// Asks it to leave.
    pub(crate) fn end(mut self, signal: rustix::process::Signal) -> ExitStatus {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, signal).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Answer {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer with a head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        Self { status, headers: headers.collect(), body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(other, _)| other == name);
        let value = found.next().map(|(_, value)| &**value);
        assert!(found.next().is_none(), "{name} twice");
        value
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Returns the body without what chunked transfer puts between its pieces.
    pub(crate) fn dechunked(&self) -> Vec<u8> {
        assert_eq!(self.header("transfer-encoding"), Some("chunked"), "{self:?}");
        let (mut left, mut all) = (&self.body[..], Vec::new());
        loop {
            let end = left.windows(2).position(|two| two == b"\r\n").expect("a whole answer");
            let len = usize::from_str_radix(std::str::from_utf8(&left[..end]).unwrap(), 16).unwrap();
            if len == 0 {
                return all;
            }
            all.extend_from_slice(&left[end + 2..end + 2 + len]);
            left = &left[end + 2 + len + 2..];
        }
    }

    /// Returns what went wrong, sure that it is told as it should be.
    pub(crate) fn fault(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let fault = self.json();
        assert!(fault["causes"].is_array() && fault.get("hint").is_some(), "{fault}");
        fault["message"].as_str().unwrap().to_owned()
    }
}

/// Writes a name as a part of a query.
pub(crate) fn escape(text: &str) -> String {
    let escaped = text.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    escaped.collect()
}
