//! OCI image layouts in the making: directories, and tars of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, openat};
use serde_json::Map;
use shingle_core::Digest;

use super::destination::copy_checked;
use super::file::open_regular;
use super::oci::{DirFiles, FORM, Files as _, REF_NAME, check_version, read_index};
use super::pending::{PendingFile, Target, sync};
use super::tar_write::TarFile;
use super::{Descriptor, Destination, Document, Holds, Index, Place, Role, Section, TransferError};

const VERSION: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A layout to which an image is added, or which is made for it.
#[derive(Debug)]
pub(super) struct OciDestination {
    dir: Dir,
    path: PathBuf,
    tag: Option<String>,
    top: Mutex<Option<Descriptor>>,
}

impl OciDestination {
    pub(super) fn open(path: &Path, tag: Option<String>) -> Result<Self, TransferError> {
        let authority = ambient_authority();
        Dir::create_ambient_dir_all(path, authority).map_err(TransferError::file("create", path))?;
        let dir = Dir::open_ambient_dir(path, authority).map_err(TransferError::file("open", path))?;
        let mut entries = dir.entries().map_err(TransferError::file("list", path))?;
        if !dir.exists("oci-layout") && !dir.exists("blobs") && entries.next().is_some() {
            let problem = "it holds something else".to_owned();
            return Err(TransferError::Form { path: path.to_owned(), expected: FORM, problem });
        }
        // What cannot be added to in the end is not begun.
        let files = DirFiles::open(path)?;
        if files.open("oci-layout")?.is_some() {
            check_version(&files)?;
        }
        if let Some(index) = files.open("index.json")? {
            read_index(path, &index)?;
        }
        dir.create_dir_all("blobs/sha256").map_err(TransferError::file("create", path.join("blobs")))?;
        Ok(Self { dir, path: path.to_owned(), tag, top: Mutex::default() })
    }

    fn pending(&self, name: &str) -> Result<PendingFile, TransferError> {
        let path = self.path.join(name);
        let (below, name) = name.rsplit_once('/').unwrap_or((".", name));
        let parent = self.dir.open_dir(below).map_err(TransferError::file("open", &path))?;
        PendingFile::create(Target { parent, name: name.into(), path })
    }
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.to_hex())
}

impl Destination for OciDestination {
    fn holds(&self) -> Holds {
        Holds::Oci
    }

    fn has_blob(&self, blob: &Descriptor) -> Result<bool, TransferError> {
        let there = open_regular(&self.dir, &self.path, &blob_name(&blob.digest))?;
        Ok(there.is_some_and(|section| section.len() == blob.size))
    }

    fn put_blob(
        &self,
        blob: &Descriptor,
        _role: Role,
        content: &Section,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), TransferError> {
        self.pending(&blob_name(&blob.digest))?.take(blob, content, progress)
    }

    fn put_document(&self, document: &Document, place: Place) -> Result<(), TransferError> {
        let file = self.pending(&blob_name(&document.digest))?;
        file.write_at(&document.bytes, 0)?;
        file.finish()?;
        if place == Place::Top {
            let named = named(document, self.tag.as_deref());
            *self.top.lock().unwrap_or_else(PoisonError::into_inner) = Some(named);
        }
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), TransferError> {
        let Some(top) = self.top.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        let fail = |operation| TransferError::file(operation, &self.path);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let lock = openat(&self.dir, ".", flags, Mode::empty()).map_err(fail("open"))?;
        // Somebody else may be adding another image.
        flock(&lock, FlockOperation::LockExclusive).map_err(fail("lock"))?;
        sync(&self.dir, &self.path)?;
        let mut index = match open_regular(&self.dir, &self.path, "index.json")? {
            Some(section) => read_index(&self.path, &section)?,
            None => empty_index(),
        };
        add(&mut index, top);
        for (name, bytes) in
            [("oci-layout", VERSION), ("index.json", &super::document::write(&index, INDEX).bytes)]
        {
            if name == "index.json" || !self.dir.exists(name) {
                let file = self.pending(name)?;
                file.write_at(bytes, 0)?;
                file.finish()?;
            }
        }
        Ok(())
    }
}

fn empty_index() -> Index {
    let media_type = Some(INDEX.to_owned());
    Index { schema_version: 2, media_type, manifests: Vec::new(), other: Map::new() }
}

fn named(document: &Document, tag: Option<&str>) -> Descriptor {
    let mut descriptor = document.descriptor();
    descriptor.annotations = tag.map(|tag| [(REF_NAME.to_owned(), tag.to_owned())].into());
    descriptor
}

/// Adds an image to an index by skopeo's rules: another one that has the name loses it, but stays; an image that is
/// listed already gets the name.
fn add(index: &mut Index, new: Descriptor) {
    let name = new.annotation(REF_NAME).map(str::to_owned);
    for entry in index.manifests.iter_mut().filter(|_| name.is_some()) {
        if entry.annotation(REF_NAME) == name.as_deref() {
            entry.annotations = entry.annotations.take().and_then(|mut annotations| {
                annotations.remove(REF_NAME);
                (!annotations.is_empty()).then_some(annotations)
            });
        }
    }
    let unnamed = |entry: &&mut Descriptor| {
        entry.digest == new.digest && (name.is_none() || entry.annotation(REF_NAME).is_none())
    };
    match index.manifests.iter_mut().find(unnamed) {
        Some(entry) => {
            let annotations = entry.annotations.get_or_insert_default();
            annotations.extend(new.annotations.unwrap_or_default());
            if annotations.is_empty() {
                entry.annotations = None;
            }
        }
        None => index.manifests.push(new),
    }
}

/// A tar of a layout with one image, in place of whatever has its name.
#[derive(Debug)]
pub(super) struct OciArchiveDestination {
    tag: Option<String>,
    state: Mutex<Archived>,
}

#[derive(Debug)]
struct Archived {
    tar: TarFile,
    held: BTreeSet<Digest>,
    top: Option<Descriptor>,
}

impl OciArchiveDestination {
    pub(super) fn open(path: &Path, tag: Option<String>) -> Result<Self, TransferError> {
        let mut tar = TarFile::create(Target::of_file(path)?)?;
        tar.directory("blobs/")?;
        tar.directory("blobs/sha256/")?;
        Ok(Self { tag, state: Mutex::new(Archived { tar, held: BTreeSet::new(), top: None }) })
    }
}

impl Destination for OciArchiveDestination {
    fn holds(&self) -> Holds {
        Holds::Oci
    }

    fn has_blob(&self, blob: &Descriptor) -> Result<bool, TransferError> {
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner).held.contains(&blob.digest))
    }

    fn put_blob(
        &self,
        blob: &Descriptor,
        _role: Role,
        content: &Section,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), TransferError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut member = state.tar.begin()?;
        copy_checked(blob, content, progress, |bytes| member.append(bytes))?;
        member.finish(&blob_name(&blob.digest))?;
        state.held.insert(blob.digest);
        Ok(())
    }

    fn put_document(&self, document: &Document, place: Place) -> Result<(), TransferError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.held.insert(document.digest) {
            state.tar.file(&blob_name(&document.digest), &document.bytes)?;
        }
        if place == Place::Top {
            state.top = Some(named(document, self.tag.as_deref()));
        }
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), TransferError> {
        let Archived { mut tar, top, .. } = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut index = empty_index();
        index.manifests.extend(top);
        tar.file("oci-layout", VERSION)?;
        tar.file("index.json", &super::document::write(&index, INDEX).bytes)?;
        tar.finish()
    }
}
