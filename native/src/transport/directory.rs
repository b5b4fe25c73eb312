//! Plain directories of one image: a manifest, and blobs by their digests' digits.

use std::io::Read;
use std::ops::Range;
use std::path::Path;

use shingle_core::Digest;

use super::document::check;
use super::file::{of_size, read_limited, read_section};
use super::oci::{DirFiles, Files as _};
use super::{Descriptor, Document, MANIFEST_LIMIT, Section, Source, TransferError};

pub(super) const FORM: &str = "a directory that skopeo's dir: made";

/// The image in a directory, to be read.
#[derive(Debug)]
pub(super) struct DirSource {
    files: DirFiles,
}

impl DirSource {
    pub(super) fn open(path: &Path) -> Result<Self, TransferError> {
        Ok(Self { files: DirFiles::open(path)? })
    }

    fn blob(&self, blob: Digest, size: u64) -> Result<Section, TransferError> {
        of_size(self.files.open(&blob.to_hex())?, blob, size, self.files.path())
    }
}

impl Source for DirSource {
    fn top(&self) -> Result<Document, TransferError> {
        let what = || format!("{}/manifest.json", self.files.path().display());
        let section = self.files.open("manifest.json")?.ok_or_else(|| TransferError::Form {
            path: self.files.path().to_owned(),
            expected: FORM,
            problem: "there is no manifest.json in it".to_owned(),
        })?;
        let bytes = read_limited(&section, MANIFEST_LIMIT, what)?;
        Document::new(bytes, "").map_err(TransferError::document(what()))
    }

    fn manifest(&self, wanted: &Descriptor) -> Result<Document, TransferError> {
        let what = || format!("manifest {} in {}", wanted.digest, self.files.path().display());
        let section = self.files.open(&format!("{}.manifest.json", wanted.digest.to_hex()))?;
        let section = of_size(section, wanted.digest, wanted.size, self.files.path())?;
        let bytes = read_limited(&section, MANIFEST_LIMIT, what)?;
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
