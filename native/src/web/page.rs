//! The page: its files, and the headers that each goes out with.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::WebError;
use crate::count;

/// What was there when this was built, see `build.rs`.
const EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

const INDEX: &str = "index.html";
/// Where `index.html` is told that there is somebody to ask.
const PLACE: &str = "<!-- helper -->";
const HELPER: &str = r#"<meta name="shingle-helper" content="1">"#;
/// How the policy is announced in `index.html`.
const POLICY: &str = r#"http-equiv="Content-Security-Policy""#;

/// What the files of a page may measure together, in bytes.
const ROOM: u64 = 128 << 20;
/// How many there may be.
const FILES: usize = 2_000;
/// How deep.
const DEPTH: u32 = 8;

/// The files of the page that shows what images share.
#[derive(Clone, Debug)]
pub struct Page {
    files: BTreeMap<String, Bytes>,
    policy: String,
}

/// A file of a page, as it goes out.
pub(super) struct PageFile<'a> {
    pub(super) bytes: &'a Bytes,
    pub(super) media_type: &'static str,
    pub(super) caching: &'static str,
}

impl Page {
    /// Returns the page that this was built with, if it was built with one.
    ///
    /// # Errors
    /// It is not the page that is expected.
    pub fn embedded() -> Result<Option<Self>, WebError> {
        if EMBEDDED.is_empty() {
            return Ok(None);
        }
        let files = EMBEDDED.iter().map(|(name, bytes)| ((*name).to_owned(), Bytes::from_static(bytes)));
        Self::new(files.collect(), Path::new("the page that was built in")).map(Some)
    }

    /// Reads a page from a directory; what changes there later is not seen.
    ///
    /// # Errors
    /// The directory cannot be read, or holds something else.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, WebError> {
        let path = directory.as_ref();
        let dir = Dir::open_ambient_dir(path, ambient_authority())
            .map_err(|source| WebError::ReadPage { path: path.to_owned(), source })?;
        let mut files = BTreeMap::new();
        let mut room = ROOM;
        read(&dir, path, "", DEPTH, &mut room, &mut files)?;
        Self::new(files, path)
    }

    fn new(mut files: BTreeMap<String, Bytes>, path: &Path) -> Result<Self, WebError> {
        let fail = |problem| WebError::Page { path: path.to_owned(), problem };
        let index = files.get(INDEX).ok_or_else(|| fail("it has no index.html"))?;
        let index = std::str::from_utf8(index).map_err(|_not_utf8| fail("its index.html is not UTF-8"))?;
        let policy = policy(index).ok_or_else(|| fail("its index.html has no Content-Security-Policy"))?;
        if !index.contains(PLACE) {
            return Err(fail("its index.html has no <!-- helper -->"));
        }
        let index = index.replacen(PLACE, HELPER, 1);
        files.insert(INDEX.to_owned(), index.into());
        Ok(Self { files, policy })
    }

    /// Returns the policy that the page asks for, and that it is in no frame.
    pub(super) fn policy(&self) -> &str {
        &self.policy
    }

    /// Finds a file by its name below the page's address.
    pub(super) fn file(&self, name: &str) -> Option<PageFile<'_>> {
        let name = if name.is_empty() { INDEX } else { name };
        let bytes = self.files.get(name)?;
        let caching = if is_hashed(name) { "private, max-age=31536000, immutable" } else { "no-cache" };
        Some(PageFile { bytes, media_type: media_type(name), caching })
    }
}

/// Reads the policy out of `<meta http-equiv="Content-Security-Policy" content="…">`.
fn policy(index: &str) -> Option<String> {
    let (_, rest) = index.split_once(POLICY)?;
    let (attributes, _) = rest.split_once('>')?;
    let (_, value) = attributes.split_once("content=\"")?;
    let (policy, _) = value.split_once('"')?;
    let words: Vec<_> = policy.split_whitespace().collect();
    let policy = words.join(" ");
    let policy = policy.trim_end_matches([';', ' ']);
    let plain = !policy.is_empty() && policy.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    plain.then(|| format!("{policy}; frame-ancestors 'none'"))
}

/// Whether a name has the digest of its content in it, as Vite writes them: `assets/NAME-XXXXXXXX.EXTENSION`.
fn is_hashed(name: &str) -> bool {
    let stem = name.strip_prefix("assets/").and_then(|name| name.rsplit_once('.'));
    let hash = stem.and_then(|(stem, _)| stem.get(stem.len().checked_sub(9)?..)?.strip_prefix('-'));
    hash.is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Reads the files of a directory, and of those below it; links and what is no file are left out.
fn read(
    dir: &Dir,
    path: &Path,
    prefix: &str,
    depth: u32,
    room: &mut u64,
    files: &mut BTreeMap<String, Bytes>,
) -> Result<(), WebError> {
    let at = |name: &str| -> PathBuf { path.join(prefix).join(name) };
    let fail = |name: &str, source| WebError::ReadPage { path: at(name), source };
    for entry in dir.entries().map_err(|source| fail("", source))? {
        let entry = entry.map_err(|source| fail("", source))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let kind = entry.file_type().map_err(|source| fail(&name, source))?;
        if kind.is_dir() {
            let Some(depth) = depth.checked_sub(1) else {
                return Err(WebError::Page { path: at(&name), problem: "it is too deep for a page" });
            };
            let below = entry.open_dir().map_err(|source| fail(&name, source))?;
            read(&below, path, &format!("{prefix}{name}/"), depth, room, files)?;
        } else if kind.is_file() {
            let file = entry.open().map_err(|source| fail(&name, source))?;
            let mut bytes = Vec::new();
            let limit = room.saturating_add(1);
            file.take(limit).read_to_end(&mut bytes).map_err(|source| fail(&name, source))?;
            let left = room.checked_sub(count(bytes.len())).filter(|_| files.len() < FILES);
            let Some(left) = left else {
                return Err(WebError::Page { path: path.to_owned(), problem: "it is too large for a page" });
            };
            *room = left;
            files.insert(format!("{prefix}{name}"), bytes.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(index: &str) -> Result<Page, WebError> {
        let files = [("index.html", index), ("assets/app-AbCd_-12.js", ""), ("assets/app.js", "")];
        let files = files.map(|(name, text)| (name.to_owned(), Bytes::from(text.to_owned())));
        Page::new(files.into(), Path::new("page"))
    }

    #[test]
    fn the_policy_is_the_pages_own() {
        let index = include_str!("../../../web-inspector/index.html");
        let page = page(index).unwrap();
        let (policy, _) = page.policy().split_once("; frame-ancestors 'none'").unwrap();
        assert!(index.contains(&format!("content=\"{policy}\"")), "{policy}");
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        let sent = std::str::from_utf8(page.file("").unwrap().bytes).unwrap();
        assert!(sent.contains(HELPER) && !sent.contains(PLACE));
    }

    #[test]
    fn another_page_is_refused() {
        for (index, problem) in [
            ("<!-- helper -->", "has no Content-Security-Policy"),
            (r#"<meta http-equiv="Content-Security-Policy" content=""><!-- helper -->"#, "has no Content-S"),
            (r#"<meta http-equiv="Content-Security-Policy" content="default-src 'none'">"#, "has no <!--"),
        ] {
            let error = page(index).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn only_what_is_hashed_stays() {
        let index = include_str!("../../../web-inspector/index.html");
        let page = page(index).unwrap();
        let caching = |name| page.file(name).unwrap().caching;
        assert!(caching("assets/app-AbCd_-12.js").contains("immutable"));
        assert_eq!((caching("assets/app.js"), caching("")), ("no-cache", "no-cache"));
        assert!(page.file("assets").is_none() && page.file("../index.html").is_none());
    }
}
