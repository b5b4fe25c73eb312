//! Tables of contents kept for the next reading.
//!
//! One file for each layer and each way of knowing it, in a directory that is the user's alone. Its first line is the digest
//! of all that follows: what is known of the layer, as a line of JSON, then the table of contents, compressed. Written under
//! another name and renamed, so that any number of processes may read and write at once. A file that is cut, altered,
//! of another version, too long or no file at all is as good as none, and the next reading replaces it; a directory that
//! cannot be written only makes the next reading as long as this one.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cap_std::fs::{Dir, File};
use rustix::fs::{self, FileType, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use serde::{Deserialize, Serialize};
use shingle_core::{Digest, Limits, Toc, Trust};

use super::image::Layer;
use crate::store::random_name;
use crate::{length, private};

/// What a file begins with. The number counts up when files mean something else.
const MAGIC: &str = "shingle-toc 1 ";
/// What all files may measure together unless said otherwise, in bytes: some thousand layers.
const ROOM: u64 = 1 << 30;
/// What an honest line about a layer measures at most, in bytes.
const LINE: u64 = 64 << 10;
/// After this time a file that never got its name belongs to nobody.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// The directory.
#[derive(Debug)]
pub struct Cache {
    dir: Dir,
    room: u64,
}

/// How a layer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Known {
    /// By its TOC, which describes the tar that has the DiffID.
    DiffId,
    /// By its TOC, which nothing but the manifest vouches for.
    Toc,
    /// By reading all of it.
    Whole,
}

/// What is kept of a layer.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) toc: Toc,
    /// What finding the TOC took, in bytes.
    pub(super) toc_bytes: u64,
    /// The same in requests.
    pub(super) toc_requests: u64,
}

/// What a file says of its layer: all that the TOC depends on.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    known: Known,
    blob: Digest,
    blob_bytes: u64,
    diff_id: Digest,
    /// What led to the TOC; nothing of a layer that was read whole.
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    about: About,
    toc_bytes: u64,
    toc_requests: u64,
}

impl Cache {
    /// Opens the cache in a directory, which is made if need be; `None` where that does not work, or where others could look
    /// or write there. Relative paths are of no use.
    pub fn open(path: impl AsRef<Path>) -> Option<Self> {
        private::open(path.as_ref()).map(|dir| Self { dir, room: ROOM })
    }

    /// Returns where the cache is when nobody says: in `tocs` of the directory that the environment variable
    /// `SHINGLE_CACHE` names, else of `shingle` in the user's cache directory, for root of `/var/cache/shingle`.
    pub fn default_path() -> Option<PathBuf> {
        Some(private::cache_path()?.join("tocs"))
    }

    /// Sets how many bytes all files may measure together, 1 GiB unless said otherwise. When more are there, those go that
    /// were not read for longest.
    #[must_use]
    pub fn with_room(self, bytes: u64) -> Self {
        Self { room: bytes, ..self }
    }

    /// Returns what is known of a layer in one way, if anything is.
    pub(super) fn get(&self, layer: &Layer, known: Known, limits: &Limits) -> Option<Kept> {
        let about = About::new(layer, known);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = fs::openat(&self.dir, about.name(), flags, Mode::empty()).ok()?;
        if FileType::from_raw_mode(fs::fstat(&file).ok()?.st_mode) != FileType::RegularFile {
            return None;
        }
        let file = File::from(file);
        let limit = limits.toc_compressed.saturating_add(LINE);
        let mut bytes = Vec::new();
        (&file).take(limit.saturating_add(1)).read_to_end(&mut bytes).ok()?;
        let kept = about.read(&bytes, limit, limits)?;
        // Whoever reads it wants it to stay; if that does not work, it may go a little sooner.
        let now = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
        };
        let _told = fs::futimens(&file, &now);
        Some(kept)
    }

    /// Keeps what is known of a layer. What cannot be kept is read again.
    pub(super) fn put(&self, layer: &Layer, known: Known, kept: &Kept, limits: &Limits) {
        let about = About::new(layer, known);
        let name = about.name();
        let Some(bytes) = about.write(kept) else { return };
        if length(&bytes) > limits.toc_compressed {
            return;
        }
        let Ok(random) = random_name() else { return };
        let temporary = format!(".{random}.tmp");
        let write = || {
            self.dir.create(&temporary)?.write_all(&bytes)?;
            self.dir.rename(&temporary, &self.dir, &name).or_else(|_taken| {
                // By what is no file.
                self.dir.remove_dir_all(&name)?;
                self.dir.rename(&temporary, &self.dir, &name)
            })
        };
        if write().is_err() {
            let _gone = self.dir.remove_file(&temporary);
        }
        self.tidy();
    }

    /// Removes the files that were not read for longest, if all are too much together.
    fn tidy(&self) {
        let Ok(entries) = self.dir.entries() else { return };
        let mut total = 0_u64;
        let mut files = Vec::new();
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let used =
                metadata.modified().map_or(SystemTime::UNIX_EPOCH, cap_std::time::SystemTime::into_std);
            let name = entry.file_name();
            // Another process is about to name it.
            let fresh = used.elapsed().is_ok_and(|age| age < ABANDONED);
            if name.as_encoded_bytes().starts_with(b".") && fresh {
                continue;
            }
            total = total.saturating_add(metadata.len());
            files.push((used, name, metadata.len()));
        }
        files.sort();
        for (_, name, len) in files {
            if total <= self.room {
                break;
            }
            // Another process may have been quicker.
            let _gone = self.dir.remove_file(&name);
            total = total.saturating_sub(len);
        }
    }
}

impl Known {
    /// Returns the ways to know a layer by its TOC that are good enough, better ones first.
    pub(super) const fn by_toc(trust: Trust) -> &'static [Self] {
        match trust {
            Trust::DiffId => &[Self::DiffId],
            Trust::Toc => &[Self::DiffId, Self::Toc],
        }
    }

    pub(super) const fn trust(self) -> Trust {
        match self {
            Self::DiffId | Self::Whole => Trust::DiffId,
            Self::Toc => Trust::Toc,
        }
    }
}

impl About {
    fn new(layer: &Layer, known: Known) -> Self {
        let annotations = match known {
            Known::Whole => BTreeMap::new(),
            Known::DiffId | Known::Toc => layer.annotations.clone(),
        };
        let Layer { digest: blob, size: blob_bytes, diff_id, .. } = *layer;
        Self { known, blob, blob_bytes, diff_id, annotations }
    }

    /// The name of its file.
    fn name(&self) -> String {
        let all = serde_json::to_vec(self).unwrap_or_default();
        Digest::of(&all).to_hex()
    }

    fn write(self, kept: &Kept) -> Option<Vec<u8>> {
        let text = match self.known {
            Known::Whole => kept.toc.to_stored(),
            Known::DiffId | Known::Toc => return None,
        };
        let line = Line { about: self, toc_bytes: kept.toc_bytes, toc_requests: kept.toc_requests };
        let mut rest = serde_json::to_vec(&line).ok()?;
        if length(&rest) >= LINE {
            return None;
        }
        rest.push(b'\n');
        rest.extend(shingle_core::compress(&text));
        let mut file = format!("{MAGIC}{}\n", Digest::of(&rest)).into_bytes();
        file.append(&mut rest);
        Some(file)
    }

    /// Reads a file, if it is whole and about this.
    fn read(&self, file: &[u8], limit: u64, limits: &Limits) -> Option<Kept> {
        if length(file) > limit {
            return None;
        }
        let (first, rest) = cut_line(file)?;
        let digest: Digest = str::from_utf8(first).ok()?.strip_prefix(MAGIC)?.parse().ok()?;
        if Digest::of(rest) != digest {
            return None;
        }
        let (line, compressed) = cut_line(rest)?;
        let line: Line = serde_json::from_slice(line).ok()?;
        if line.about != *self {
            return None;
        }
        let text = shingle_core::decompress(compressed, limits.toc).ok()?;
        let toc = match self.known {
            Known::Whole => Toc::from_stored(&text, limits).ok()?,
            Known::DiffId | Known::Toc => return None,
        };
        Some(Kept { toc, toc_bytes: line.toc_bytes, toc_requests: line.toc_requests })
    }
}

/// Parts a line from what follows it.
fn cut_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((bytes.get(..at)?, bytes.get(at.saturating_add(1)..)?))
}

#[cfg(test)]
mod tests;
