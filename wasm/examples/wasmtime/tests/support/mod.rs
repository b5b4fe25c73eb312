//! What the tests of the host share: the component, images made by hand, and a registry that misbehaves as told.

#![allow(dead_code, reason = "no test uses all of it")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use shingle_wasmtime_host::{Bounds, Guest};

/// Returns a file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(path)
}

/// Returns the built component; `None`, said aloud, where it was not built.
///
/// # Panics
/// Under `CI=true`, where nothing may be left out.
pub(crate) fn component() -> Option<PathBuf> {
    let built = repository("target/wasm/shingle_core.wasm");
    let path = std::env::var_os("SHINGLE_COMPONENT").map_or(built, PathBuf::from);
    if path.exists() {
        return Some(path);
    }
    println!("left out: needs {}; run `cargo xtask wasm --only component`", path.display());
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "the component was not built");
    None
}

/// Loads the component with bounds; its machine code is kept for the next test.
pub(crate) fn guest(bounds: Bounds) -> Option<Guest> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cwasm");
    Some(Guest::load(&component()?, Some(&cache), bounds).unwrap())
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// One zstd frame with `bytes` as they are.
pub(crate) fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut frame = frame_head();
    let mut blocks = bytes.chunks(1 << 17).peekable();
    while let Some(block) = blocks.next() {
        block_head(&mut frame, block.len(), 0, blocks.peek().is_none());
        frame.extend_from_slice(block);
    }
    frame
}

/// One zstd frame that is `blocks` times four bytes long, and holds as many times 128 KiB of `byte`.
pub(crate) fn bomb(byte: u8, blocks: usize) -> Vec<u8> {
    let mut frame = frame_head();
    for index in 1..=blocks {
        block_head(&mut frame, 1 << 17, 1, index == blocks);
        frame.push(byte);
    }
    frame
}

/// Magic number, a descriptor without size and checksum, and a window of 8 MiB (RFC 8878, section 3.1.1).
fn frame_head() -> Vec<u8> {
    vec![0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3]
}

fn block_head(frame: &mut Vec<u8>, len: usize, kind: u32, last: bool) {
    let head = u32::try_from(len).unwrap() << 3 | kind << 1 | u32::from(last);
    frame.extend_from_slice(&head.to_le_bytes()[..3]);
}

/// Writes a layout with one image of one layer: `data`, and a TOC that lies behind it and is compressed already. With
/// `toc_len`, that is how long the manifest says that its text is.
pub(crate) fn chunked(dir: &Path, data: &[u8], toc: &[u8], toc_len: usize) {
    let mut blob = data.to_vec();
    blob.extend_from_slice(&[0x50, 0x2a, 0x4d, 0x18]);
    blob.extend_from_slice(&u32::try_from(toc.len()).unwrap().to_le_bytes());
    let position = format!("{}:{}:{toc_len}:1", blob.len(), toc.len());
    blob.extend_from_slice(toc);
    blob.extend_from_slice(&[0; 72]);
    let key = "io.github.containers.zstd-chunked.manifest";
    image(
        dir,
        &blob,
        "zstd",
        &[(&format!("{key}-checksum"), &digest(toc)), (&format!("{key}-position"), &position)],
    );
}

/// Writes a layout with one image of one layer.
pub(crate) fn image(dir: &Path, blob: &[u8], form: &str, annotations: &[(&str, &str)]) {
    let blobs = dir.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let put = |bytes: &[u8]| std::fs::write(blobs.join(&digest(bytes)[7..]), bytes).unwrap();
    let config = format!(r#"{{"rootfs":{{"diff_ids":["{}"]}}}}"#, digest(b"no such tar"));
    let notes: Vec<_> = annotations.iter().map(|(key, value)| format!("{key:?}:{value:?}")).collect();
    let manifest = format!(
        r#"{{"config":{{"digest":"{}","size":{}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar+{form}","digest":"{}","size":{},"annotations":{{{}}}}}]}}"#,
        digest(config.as_bytes()),
        config.len(),
        digest(blob),
        blob.len(),
        notes.join(","),
    );
    let index = format!(
        r#"{{"manifests":[{{"digest":"{}","size":{},"annotations":{{"org.opencontainers.image.ref.name":"x"}}}}]}}"#,
        digest(manifest.as_bytes()),
        manifest.len(),
    );
    put(blob);
    put(config.as_bytes());
    put(manifest.as_bytes());
    std::fs::write(dir.join("index.json"), index).unwrap();
    std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

/// How a registry answers when a range of a blob is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As it should, but every body breaks off after so many bytes.
    Broken(usize),
    /// As it should, but what is long never ends.
    Endless,
    /// As it should.
    Good,
    /// With the whole blob.
    Whole,
}

/// Serves the blobs of a layout on a port of this machine, and the manifest with this digest under any tag; returns
/// the reference. The thread ends with the process.
pub(crate) fn serve(layout: &Path, manifest: &str, manner: Manner) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let reference = format!("http://{}/some/image:x", listener.local_addr().unwrap());
    let serving: Arc<(PathBuf, String)> = Arc::new((layout.join("blobs/sha256"), manifest.to_owned()));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serving = Arc::clone(&serving);
            std::thread::spawn(move || answer(&stream, &serving.0, &serving.1, manner));
        }
    });
    reference
}

/// Answers one request and closes.
fn answer(mut stream: &TcpStream, blobs: &Path, manifest: &str, manner: Manner) -> Option<()> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let asked = headers
        .iter()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
    let name = if path.contains("/manifests/") { manifest } else { path.rsplit_once('/')?.1 };
    let Ok(bytes) = std::fs::read(blobs.join(name.strip_prefix("sha256:")?)) else {
        return stream
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .ok();
    };
    let (asked, whole) = (asked.filter(|_| manner != Manner::Whole), bytes.len());
    let (first, last) = match &asked {
        None => (0, whole - 1),
        Some(range) => {
            let (first, last) = range.split_once('-')?;
            (first.parse().ok()?, last.parse::<usize>().ok()?.min(whole - 1))
        }
    };
    let status = if asked.is_some() { "206 Partial Content" } else { "200 OK" };
    let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    if asked.is_some() {
        head += &format!("Content-Range: bytes {first}-{last}/{whole}\r\n");
    }
    let endless = manner == Manner::Endless && whole > 1 << 16;
    if !endless {
        head += &format!("Content-Length: {}\r\n", last + 1 - first);
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
    let body = &bytes[first..=last];
    match (manner, asked) {
        (Manner::Broken(after), Some(_)) => stream.write_all(&body[..after.min(body.len())]).ok(),
        (Manner::Endless, _) if endless => {
            stream.write_all(body).ok()?;
            loop {
                stream.write_all(&[0; 1 << 16]).ok()?;
            }
        }
        _ => stream.write_all(body).ok(),
    }
}

/// Returns an empty directory of this name.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hosts").join(name);
    drop(std::fs::remove_dir_all(&dir));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}
