//! Tars of layouts and images: read where they lie, never unpacked.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use shingle_core::tar::{TarEvent, TarReader};
use shingle_core::{Hasher, Kind, Limits, Unwrap};

use super::file::open_named;
use super::oci::Files;
use super::spool::Spool;
use super::{Section, TransferError};
use crate::length;

const BLOCK: u64 = 512;
/// Links to links to links: Linux gives up after 40.
const MOST_LINKS: u32 = 40;

/// A tar's table of members. Only headers were read; contents stay where they are.
#[derive(Debug)]
pub(super) struct Archive {
    path: PathBuf,
    tar: Section,
    members: BTreeMap<PathBuf, Member>,
}

#[derive(Debug)]
enum Member {
    File {
        start: u64,
        len: u64,
    },
    /// To another member, by its path from the archive's root.
    Link(PathBuf),
    /// Two members have the name: which one counts would depend on the reader.
    Twice,
}

impl Archive {
    /// Reads the headers of a tar; one that is compressed is decompressed to a temporary file first.
    pub(super) fn open(path: &Path) -> Result<Self, TransferError> {
        let tar = decompressed(path, open_named(path)?)?;
        let members = read_headers(path, &tar)?;
        Ok(Self { path: path.to_owned(), tar, members })
    }

    /// Returns a member that is a file; links to it count as it.
    pub(super) fn find(&self, name: &str) -> Result<Option<Section>, TransferError> {
        let Some(mut name) = clean(Path::new(name)) else { return Ok(None) };
        for _ in 0..MOST_LINKS {
            match self.members.get(&name) {
                Some(Member::File { start, len }) => return Ok(Some(self.tar.part(*start, *len))),
                Some(Member::Link(target)) => name = target.clone(),
                Some(Member::Twice) => return Err(self.form(format!("it holds {} twice", name.display()))),
                None => return Ok(None),
            }
        }
        Err(self.form(format!("{} is a link that leads nowhere", name.display())))
    }

    fn form(&self, problem: String) -> TransferError {
        TransferError::Form { path: self.path.clone(), expected: "an archive of an image", problem }
    }
}

impl Files for Archive {
    fn path(&self) -> &Path {
        &self.path
    }

    fn open(&self, name: &str) -> Result<Option<Section>, TransferError> {
        self.find(name)
    }
}

fn decompressed(path: &Path, file: Section) -> Result<Section, TransferError> {
    let mut magic = [0; 4];
    let head = usize::try_from(file.len().min(4)).unwrap_or(4);
    let reading = |source| TransferError::reading(path.display().to_string(), source);
    file.read_exact_at(magic.get_mut(..head).unwrap_or_default(), 0).map_err(reading)?;
    if !matches!(magic, [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18]) {
        return Ok(file);
    }
    let (mut unwrap, mut hasher, mut spool) = (Unwrap::new(&Limits::default()), Hasher::new(), Spool::new()?);
    let form = |error: shingle_core::UnwrapError| TransferError::Form {
        path: path.to_owned(),
        expected: "an archive of an image",
        problem: error.to_string(),
    };
    let (mut reader, mut buffer) = (file.reader(), vec![0; 256 << 10]);
    loop {
        let count = reader.read(&mut buffer).map_err(reading)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        let mut plain = unwrap.receive(bytes);
        while let Some(piece) = plain.next_piece().map_err(form)? {
            spool.write_all(piece).map_err(TransferError::file("write to", std::env::temp_dir()))?;
        }
    }
    // Nothing says which digest it should have; that it came to its end is what counts here.
    unwrap.finish(&hasher.finish()).map_err(form)?;
    Ok(spool.finish().0)
}

fn read_headers(path: &Path, tar: &Section) -> Result<BTreeMap<PathBuf, Member>, TransferError> {
    let form = |problem: String| TransferError::Form {
        path: path.to_owned(),
        expected: "an archive of an image",
        problem,
    };
    let mut members = BTreeMap::new();
    let mut reader = TarReader::new(&Limits::default());
    let (mut at, mut block) = (0_u64, [0_u8; 512]);
    while at < tar.len() {
        // Up to the next header or piece of one: contents need not begin or end at a block.
        let count = BLOCK.saturating_sub(at % BLOCK).min(tar.len().saturating_sub(at));
        let piece = block.get_mut(..usize::try_from(count).unwrap_or(0)).unwrap_or_default();
        tar.read_exact_at(piece, at)
            .map_err(|source| TransferError::reading(path.display().to_string(), source))?;
        at = at.saturating_add(count);
        let mut found = None;
        let mut events = reader.receive(piece);
        while let Some(event) = events.next_event().map_err(|error| form(error.to_string()))? {
            if let TarEvent::Member(entry) = event {
                found = Some(entry);
            }
        }
        drop(events);
        let Some(entry) = found else { continue };
        let start = at;
        if reader.pass_content(entry.stored) {
            at = at.saturating_add(entry.stored);
            if at > tar.len() {
                let size = tar.len();
                return Err(form(format!("it ends at byte {size}, inside {}", entry.member.name)));
            }
        }
        let Some(name) = text(entry.member.name.as_bytes()).and_then(clean) else { continue };
        let target = || text(entry.member.link.as_bytes());
        let member = match entry.member.kind {
            Kind::Regular if !entry.is_sparse() => Member::File { start, len: entry.stored },
            Kind::Hardlink => match target().and_then(clean) {
                Some(target) => Member::Link(target),
                None => continue,
            },
            Kind::Symlink => {
                let beside = name.parent().unwrap_or_else(|| Path::new(""));
                match target().and_then(|target| clean(&beside.join(target))) {
                    Some(target) => Member::Link(target),
                    None => continue,
                }
            }
            _ => continue,
        };
        members.entry(name).and_modify(|first| *first = Member::Twice).or_insert(member);
    }
    reader.finish().map_err(|error| form(error.to_string()))?;
    Ok(members)
}

fn text(bytes: &[u8]) -> Option<&Path> {
    std::str::from_utf8(bytes).ok().map(Path::new)
}

/// Brings a path into its shortest form; `None` for one that leads out of the archive.
fn clean(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            Component::ParentDir if clean.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (length(clean.as_os_str().as_encoded_bytes()) > 0).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out() {
        for (path, expected) in [
            ("a/b", Some("a/b")),
            ("./a//b/", Some("a/b")),
            ("a/../b", Some("b")),
            ("../b", None),
            ("a/../../b", None),
            ("/etc/passwd", None),
            (".", None),
        ] {
            assert_eq!(clean(Path::new(path)), expected.map(PathBuf::from), "{path}");
        }
    }
}
