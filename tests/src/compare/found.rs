//! A directory as it lies on disk.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use shingle_core::{Digest, Hasher};

use super::{Kind, Shape};

/// One name on disk.
#[derive(Clone, Debug)]
pub struct Found {
    /// What it is.
    pub shape: Shape,
    /// Device and inode number.
    pub inode: (u64, u64),
}

/// Reads a directory and all below it, by path relative to it; the directory itself is the empty path.
///
/// # Errors
/// Whatever cannot be read.
pub fn scan(root: &Path) -> io::Result<BTreeMap<Vec<u8>, Found>> {
    let mut all = BTreeMap::new();
    let mut left = vec![Vec::new()];
    while let Some(path) = left.pop() {
        let full = root.join(OsStr::from_bytes(&path));
        let found = look(&full)?;
        if found.shape.kind == Kind::Directory {
            for entry in fs::read_dir(&full)? {
                let mut child = path.clone();
                if !child.is_empty() {
                    child.push(b'/');
                }
                child.extend_from_slice(entry?.file_name().as_bytes());
                left.push(child);
            }
        }
        all.insert(path, found);
    }
    Ok(all)
}

fn look(path: &Path) -> io::Result<Found> {
    let stat = fs::symlink_metadata(path)?;
    let file_type = stat.file_type();
    let kind = match () {
        () if file_type.is_dir() => Kind::Directory,
        () if file_type.is_symlink() => Kind::Symlink,
        () if file_type.is_block_device() => Kind::Block,
        () if file_type.is_char_device() => Kind::Char,
        () if file_type.is_fifo() => Kind::Fifo,
        () if file_type.is_file() => Kind::Regular,
        () => Kind::Other,
    };
    let mut shape = Shape {
        kind,
        mode: stat.mode() & 0o7777,
        uid: stat.uid().into(),
        gid: stat.gid().into(),
        mtime: (stat.mtime(), stat.mtime_nsec()),
        xattrs: xattrs(path)?,
        ..Shape::default()
    };
    match kind {
        Kind::Regular => (shape.size, shape.content) = (stat.len(), Some(digest(path)?)),
        Kind::Symlink => shape.link = fs::read_link(path)?.as_os_str().as_bytes().to_vec(),
        Kind::Block | Kind::Char => {
            let device = stat.rdev();
            shape.device = (rustix::fs::major(device).into(), rustix::fs::minor(device).into());
        }
        _ => {}
    }
    Ok(Found { shape, inode: (stat.dev(), stat.ino()) })
}

fn digest(path: &Path) -> io::Result<Digest> {
    let mut file = fs::File::open(path)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

fn xattrs(path: &Path) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut names = vec![0; 1 << 16];
    let length = match rustix::fs::llistxattr(path, &mut names) {
        Err(rustix::io::Errno::OPNOTSUPP) => 0,
        other => other?,
    };
    names.truncate(length);
    let mut all = BTreeMap::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 1 << 16];
        let length = rustix::fs::lgetxattr(path, name, &mut value)?;
        value.truncate(length);
        all.insert(name.to_vec(), value);
    }
    Ok(all)
}
