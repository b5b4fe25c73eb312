//! What the registry serves.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, FileExt as _};
use serde::Deserialize;
use shingle_core::Digest;

/// A set of manifests and blobs, served under every repository name alike.
#[derive(Clone, Debug, Default)]
pub struct Content {
    pub(super) blobs: BTreeMap<Digest, Source>,
    pub(super) manifests: BTreeMap<Digest, Document>,
    pub(super) tags: BTreeMap<String, Digest>,
}

#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) media_type: String,
    pub(super) bytes: Bytes,
}

/// The bytes of a blob.
#[derive(Clone, Debug)]
pub(super) enum Source {
    File { file: Arc<File>, size: u64 },
    Memory(Bytes),
}

impl Source {
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } => *size,
            Self::Memory(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        }
    }

    pub(super) fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut piece = vec![0; length];
        match self {
            Self::File { file, .. } => file.read_exact_at(&mut piece, offset)?,
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let part = bytes.get(start..start.saturating_add(length));
                piece.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
            }
        }
        Ok(piece)
    }
}

impl Content {
    /// Opens an OCI image layout. Its blobs are read when asked for; images without a name are tagged `latest`.
    ///
    /// # Errors
    /// A file cannot be read, or an index leads to a manifest that is not there.
    pub fn from_layout(layout: &Path) -> Result<Self, LayoutError> {
        let mut content = Self::default();
        let blobs = layout.join("blobs/sha256");
        let fail = |operation, path: &Path| {
            let path = path.to_owned();
            move |source| LayoutError::File { operation, path, source }
        };
        let dir = Dir::open_ambient_dir(layout, ambient_authority()).map_err(fail("open", layout))?;
        for entry in dir.read_dir("blobs/sha256").map_err(fail("list", &blobs))? {
            let entry = entry.map_err(fail("list", &blobs))?;
            let Some(digest) = entry.file_name().to_str().and_then(Digest::from_hex) else { continue };
            let path = blobs.join(entry.file_name());
            let file = entry.open().map_err(fail("open", &path))?;
            let size = file.metadata().map_err(fail("stat", &path))?.len();
            content.blobs.insert(digest, Source::File { file: Arc::new(file), size });
        }
        let path = layout.join("index.json");
        let index = dir.read("index.json").map_err(fail("read", &path))?;
        content.take_index(&path, &index, Depth::Layout)?;
        Ok(content)
    }

    fn take_index(&mut self, path: &Path, bytes: &[u8], depth: Depth) -> Result<(), LayoutError> {
        #[derive(Deserialize)]
        struct Index {
            manifests: Vec<Entry>,
        }
        #[derive(Deserialize)]
        struct Entry {
            #[serde(rename = "mediaType")]
            media_type: String,
            digest: Digest,
            annotations: Option<BTreeMap<String, String>>,
        }
        let index: Index = serde_json::from_slice(bytes)
            .map_err(|source| LayoutError::Index { path: path.to_owned(), source })?;
        for entry in index.manifests {
            let missing = || LayoutError::Missing { path: path.to_owned(), digest: entry.digest };
            let source = self.blobs.get(&entry.digest).ok_or_else(missing)?;
            let length = usize::try_from(source.size()).unwrap_or(usize::MAX);
            let bytes = source.read(0, length).map_err(|source| LayoutError::File {
                operation: "read",
                path: path.to_owned(),
                source,
            })?;
            if depth == Depth::Layout && entry.media_type.contains("index") {
                self.take_index(path, &bytes, Depth::Below)?;
            }
            let name = entry.annotations.and_then(|mut a| a.remove("org.opencontainers.image.ref.name"));
            let name = name.unwrap_or_else(|| "latest".to_owned());
            // Some tools write the whole reference there.
            let tag = name.rsplit([':', '/']).next().unwrap_or("latest").to_owned();
            let tag = (depth == Depth::Layout).then_some(tag);
            self.add_manifest(tag.as_deref(), &entry.media_type, bytes);
        }
        Ok(())
    }

    /// Adds a blob and returns its digest.
    pub fn add_blob(&mut self, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        self.blobs.insert(digest, Source::Memory(bytes));
        digest
    }

    /// Adds a manifest or an index and returns its digest; with a tag, the tag then names it.
    pub fn add_manifest(&mut self, tag: Option<&str>, media_type: &str, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        self.manifests.insert(digest, Document { media_type: media_type.to_owned(), bytes });
        if let Some(tag) = tag {
            self.tags.insert(tag.to_owned(), digest);
        }
        digest
    }

    pub(super) fn manifest(&self, name: &str) -> Option<(Digest, &Document)> {
        let digest = self.tags.get(name).copied().or_else(|| name.parse().ok())?;
        Some((digest, self.manifests.get(&digest)?))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Below,
    Layout,
}

/// A directory that is not an OCI image layout.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// A file that cannot be read.
    #[error("cannot {operation} {}", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's complaint.
        source: io::Error,
    },
    /// An index that is not JSON, or not an index.
    #[error("{} leads to an index that cannot be read", path.display())]
    Index {
        /// The layout's index.
        path: PathBuf,
        /// The parser's complaint.
        source: serde_json::Error,
    },
    /// A manifest that is listed but not there.
    #[error("{} leads to {digest}, which is not in the layout", path.display())]
    Missing {
        /// The layout's index.
        path: PathBuf,
        /// The manifest.
        digest: Digest,
    },
}
