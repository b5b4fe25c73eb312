//! Directories that are this user's alone, below the user's cache.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _};

/// Returns where this program's caches are when nobody says: what `SHINGLE_CACHE` names, else `shingle` in the user's
/// cache directory, for root in `/var/cache`. `None` for a user without a home.
pub(crate) fn cache_path() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("SHINGLE_CACHE").or_else(|| {
        let caches = set("XDG_CACHE_HOME").or_else(|| {
            let root = rustix::process::geteuid().is_root();
            if root { Some("/var/cache".into()) } else { set("HOME").map(|home| home.join(".cache")) }
        });
        Some(caches?.join("shingle"))
    })
}

/// Opens a directory, or makes it; `None` where neither works, or where others could look or write there.
pub(crate) fn open(path: &Path) -> Option<Dir> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty())?;
    Dir::create_ambient_dir_all(parent, ambient_authority()).ok()?;
    let (parent, name) = (Dir::open_ambient_dir(parent, ambient_authority()).ok()?, path.file_name()?);
    let mut private = DirBuilder::new();
    private.mode(0o700);
    match parent.create_dir_with(name, &private) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return None,
        _ => {}
    }
    let dir = parent.open_dir(name).ok()?;
    let stat = rustix::fs::fstat(&dir).ok()?;
    let ours = stat.st_uid == rustix::process::geteuid().as_raw() && stat.st_mode & 0o077 == 0;
    ours.then_some(dir)
}
