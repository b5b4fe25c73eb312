//! Plain directories of one image, in the making.

use std::path::Path;

use super::directory::FORM;
use super::file::open_regular;
use super::pending::{PendingDir, PendingFile, Target};
use super::{Descriptor, Destination, Document, Holds, Place, Role, Section, TransferError};

const VERSION: &str = "Directory Transport Version: ";

/// A directory of one image, in place of an earlier one.
#[derive(Debug)]
pub(super) struct DirDestination {
    pending: PendingDir,
}

impl DirDestination {
    pub(super) fn open(path: &Path) -> Result<Self, TransferError> {
        let target = Target::find(path)?;
        may_go(&target)?;
        Ok(Self { pending: PendingDir::create(target)? })
    }

    fn create(&self, name: &str) -> Result<PendingFile, TransferError> {
        let path = self.pending.target.path.join(name);
        let parent = self.pending.dir().try_clone().map_err(TransferError::file("open", &path))?;
        PendingFile::create(Target { parent, name: name.into(), path })
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), TransferError> {
        let file = self.create(name)?;
        file.write_at(bytes, 0)?;
        file.finish()
    }
}

/// Fails unless what has the name may go: nothing, an empty directory, or an image that was put there like this one.
fn may_go(target: &Target) -> Result<(), TransferError> {
    match target.held()? {
        None => return Ok(()),
        Some(kind) if !kind.is_dir() => return Err(target.unfit(kind, "a directory")),
        Some(_) => {}
    }
    let path = &target.path;
    let dir = target.parent.open_dir(&target.name).map_err(TransferError::file("open", path))?;
    if dir.entries().map_err(TransferError::file("list", path))?.next().is_none() {
        return Ok(());
    }
    if let Some(version) = open_regular(&dir, path, "version")? {
        let what = || path.join("version").display().to_string();
        if super::file::read_limited(&version, 4096, what)?.starts_with(VERSION.as_bytes()) {
            return Ok(());
        }
    }
    let problem = "it holds something else".to_owned();
    Err(TransferError::Form { path: path.to_owned(), expected: FORM, problem })
}

impl Destination for DirDestination {
    fn holds(&self) -> Holds {
        Holds::Any
    }

    fn has_blob(&self, blob: &Descriptor) -> Result<bool, TransferError> {
        Ok(self.pending.dir().exists(blob.digest.to_hex()))
    }

    fn put_blob(
        &self,
        blob: &Descriptor,
        _role: Role,
        content: &Section,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), TransferError> {
        self.create(&blob.digest.to_hex())?.take(blob, content, progress)
    }

    fn put_document(&self, document: &Document, place: Place) -> Result<(), TransferError> {
        match place {
            Place::Top => self.write("manifest.json", &document.bytes),
            Place::Below => {
                self.write(&format!("{}.manifest.json", document.digest.to_hex()), &document.bytes)
            }
        }
    }

    fn commit(self: Box<Self>) -> Result<(), TransferError> {
        self.write("version", format!("{VERSION}1.1\n").as_bytes())?;
        self.pending.finish(may_go)
    }
}
