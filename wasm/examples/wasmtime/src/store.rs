//! What was pulled: contents by digest, and the TOCs of the layers that they belong to.
//!
//! ```text
//! DIR/objects/HEX           a content, named by its SHA-256
//! DIR/layers/diffid-HEX     a TOC, in the form of `toc.to-stored`; all its contents are there
//! DIR/layers/toc-HEX        the same of a layer that only its TOC proves
//! DIR/staging/PID           what is not proven yet
//! ```

use std::fs::{self, File};
use std::io::{Read, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::image::hex;

/// A directory that objects are kept in.
#[derive(Debug)]
pub struct Objects {
    root: PathBuf,
}

impl Objects {
    /// Opens a store, or makes one.
    ///
    /// # Errors
    /// Directories cannot be made.
    pub fn open(root: &Path) -> Result<Self> {
        for dir in ["objects", "layers", "staging"] {
            let dir = root.join(dir);
            fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Returns where a content lies, or would lie.
    ///
    /// # Errors
    /// `digest` is none.
    pub fn object(&self, digest: &str) -> Result<PathBuf> {
        Ok(self.root.join("objects").join(hex(digest)?))
    }

    /// Whether a layer is here that is proven by its DiffID.
    pub(crate) fn has_layer(&self, diff_id: &str) -> Result<bool> {
        Ok(self.layer("diffid", diff_id)?.exists())
    }

    /// Returns the TOCs of all layers.
    pub(crate) fn tocs(&self) -> Result<Vec<Vec<u8>>> {
        let mut paths: Vec<_> = fs::read_dir(self.root.join("layers"))?.collect::<Result<_, _>>()?;
        paths.sort_by_key(fs::DirEntry::file_name);
        Ok(paths.iter().map(|entry| fs::read(entry.path())).collect::<Result<_, _>>()?)
    }

    /// Makes room for what is not proven yet.
    pub(crate) fn staging(&self) -> Result<Staging<'_>> {
        let dir = self.root.join("staging").join(std::process::id().to_string());
        fs::create_dir_all(&dir)?;
        Ok(Staging { objects: self, dir })
    }

    fn layer(&self, rung: &str, digest: &str) -> Result<PathBuf> {
        Ok(self.root.join("layers").join(format!("{rung}-{}", hex(digest)?)))
    }
}

/// Files of one layer, by the index of their entry, until the layer is proven. What is left at the end is removed.
#[derive(Debug)]
pub(crate) struct Staging<'a> {
    objects: &'a Objects,
    dir: PathBuf,
}

impl Staging<'_> {
    /// Makes a file of this length, all of it a hole.
    pub(crate) fn make(&self, file: u32, size: u64) -> Result<File> {
        let made =
            File::options().read(true).write(true).create(true).truncate(true).open(self.path(file))?;
        made.set_len(size)?;
        Ok(made)
    }

    /// Opens a file for writing.
    pub(crate) fn open(&self, file: u32) -> Result<File> {
        Ok(File::options().read(true).write(true).open(self.path(file))?)
    }

    pub(crate) fn path(&self, file: u32) -> PathBuf {
        self.dir.join(file.to_string())
    }

    /// Gives a proven file the name of its content.
    pub(crate) fn keep(&self, file: u32, digest: &str) -> Result<()> {
        Ok(fs::rename(self.path(file), self.objects.object(digest)?)?)
    }

    /// Keeps the TOC of a layer, all of whose files were kept.
    pub(crate) fn keep_layer(&self, rung: &str, digest: &str, toc: &[u8]) -> Result<()> {
        let unfinished = self.dir.join("toc");
        fs::write(&unfinished, toc)?;
        Ok(fs::rename(unfinished, self.objects.layer(rung, digest)?)?)
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        // What cannot be removed now is in nobody's way.
        drop(fs::remove_dir_all(&self.dir));
    }
}

/// Copies a part of one file to another.
pub(crate) fn copy(from: &Path, at: u64, len: u64, to: &File, to_at: u64) -> Result<()> {
    let mut from = File::open(from)?;
    from.seek(SeekFrom::Start(at))?;
    let (mut from, mut to_at, mut piece) = (from.take(len), to_at, vec![0; 1 << 16]);
    loop {
        let read = from.read(&mut piece)?;
        if read == 0 {
            // A donor that is too short leaves a hole, which the proof finds.
            return Ok(());
        }
        to.write_all_at(&piece[..read], to_at)?;
        to_at += u64::try_from(read)?;
    }
}
