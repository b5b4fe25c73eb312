//! OCI image layouts: a directory of blobs, and an index that names images.

use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::Deserialize;
use shingle_core::Digest;

use super::document::check;
use super::file::{of_size, open_regular, read_limited, read_section};
use super::{Descriptor, Document, Index, MANIFEST_LIMIT, Section, Source, TransferError};

/// The annotation that holds an image's name in a layout.
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The longest `index.json` that is read: one entry takes some 300 bytes.
pub(super) const INDEX_LIMIT: u64 = 64 << 20;
pub(super) const FORM: &str = "an OCI image layout";

/// A layout whose bytes can be had by path: a directory, or a tar of one.
pub(super) trait Files: Send + Sync {
    /// Returns the place, for messages.
    fn path(&self) -> &Path;

    /// Opens a regular file; `None` where there is nothing of the name.
    fn open(&self, name: &str) -> Result<Option<Section>, TransferError>;
}

/// A directory.
#[derive(Debug)]
pub(super) struct DirFiles {
    dir: Dir,
    path: PathBuf,
}

impl DirFiles {
    pub(super) fn open(path: &Path) -> Result<Self, TransferError> {
        let dir = Dir::open_ambient_dir(path, ambient_authority());
        Ok(Self { dir: dir.map_err(TransferError::file("open", path))?, path: path.to_owned() })
    }
}

impl Files for DirFiles {
    fn path(&self) -> &Path {
        &self.path
    }

    fn open(&self, name: &str) -> Result<Option<Section>, TransferError> {
        open_regular(&self.dir, &self.path, name)
    }
}

/// One image or index of a layout, to be read.
pub(super) struct OciSource<F> {
    files: F,
    top: Descriptor,
}

impl OciSource<DirFiles> {
    pub(super) fn open(path: &Path, tag: Option<&str>) -> Result<Self, TransferError> {
        Self::new(DirFiles::open(path)?, tag)
    }
}

impl<F: Files> OciSource<F> {
    pub(super) fn new(files: F, tag: Option<&str>) -> Result<Self, TransferError> {
        check_version(&files)?;
        let index = files.open("index.json")?.ok_or_else(|| TransferError::Form {
            path: files.path().to_owned(),
            expected: FORM,
            problem: "there is no index.json in it".to_owned(),
        })?;
        let index = read_index(files.path(), &index)?;
        let top = choose(&index, tag, files.path())?.clone();
        Ok(Self { files, top })
    }

    fn blob(&self, blob: Digest, size: u64) -> Result<Section, TransferError> {
        let name = format!("blobs/sha256/{}", blob.to_hex());
        of_size(self.files.open(&name)?, blob, size, self.files.path())
    }
}

impl<F: Files> Source for OciSource<F> {
    fn top(&self) -> Result<Document, TransferError> {
        self.manifest(&self.top)
    }

    fn manifest(&self, wanted: &Descriptor) -> Result<Document, TransferError> {
        let what = || format!("manifest {} in {}", wanted.digest, self.files.path().display());
        let bytes = read_limited(&self.blob(wanted.digest, wanted.size)?, MANIFEST_LIMIT, what)?;
        check(&bytes, wanted, what)?;
        Document::new(bytes, &wanted.media_type).map_err(TransferError::document(what()))
    }

    fn open_blob(&self, blob: Digest, size: u64) -> Result<Box<dyn Read + Send>, TransferError> {
        Ok(Box::new(self.blob(blob, size)?.reader()))
    }

    fn read_range(&self, blob: Digest, size: u64, range: Range<u64>) -> Result<Vec<u8>, TransferError> {
        read_section(&self.blob(blob, size)?, range, || format!("blob {blob}"))
    }

    fn local(&self, blob: Digest, size: u64) -> Result<Option<Section>, TransferError> {
        self.blob(blob, size).map(Some)
    }
}

/// Fails unless the layout says that it is one of version 1.
pub(super) fn check_version(files: &impl Files) -> Result<(), TransferError> {
    #[derive(Deserialize)]
    struct Layout {
        #[serde(rename = "imageLayoutVersion")]
        version: String,
    }
    let form =
        |problem: String| TransferError::Form { path: files.path().to_owned(), expected: FORM, problem };
    let Some(section) = files.open("oci-layout")? else {
        return Err(form("there is no file oci-layout in it".to_owned()));
    };
    let bytes = read_limited(&section, 4096, || "oci-layout".to_owned())?;
    let layout: Layout = serde_json::from_slice(&bytes)
        .map_err(|error| form(format!("oci-layout cannot be read: {error}")))?;
    if !layout.version.starts_with("1.") {
        let version: String = layout.version.chars().take(40).collect();
        return Err(form(format!("its version is {version:?}, not 1")));
    }
    Ok(())
}

/// Reads a layout's `index.json`.
pub(super) fn read_index(path: &Path, section: &Section) -> Result<Index, TransferError> {
    let bytes = read_limited(section, INDEX_LIMIT, || format!("{}/index.json", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| TransferError::Form {
        path: path.to_owned(),
        expected: FORM,
        problem: format!("index.json cannot be read: {error}"),
    })
}

/// Picks the image with this name, or the only one.
fn choose<'a>(index: &'a Index, tag: Option<&str>, path: &Path) -> Result<&'a Descriptor, TransferError> {
    let name = |problem: String| {
        let names = index.manifests.iter().filter_map(|entry| entry.annotation(REF_NAME));
        let names: Vec<_> = names.take(20).map(crate::registry::shown).collect();
        TransferError::Name { path: path.to_owned(), problem, offered: names.join(", ") }
    };
    match (tag, &index.manifests[..]) {
        (Some(tag), entries) => {
            let named = |entry: &&Descriptor| entry.annotation(REF_NAME) == Some(tag);
            entries.iter().find(named).ok_or_else(|| name(format!("there is no image {tag}")))
        }
        (None, [only]) => Ok(only),
        (None, []) => Err(name("there is no image".to_owned())),
        (None, several) => Err(name(format!("there are {} images", several.len()))),
    }
}
