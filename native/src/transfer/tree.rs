//! The documents of a transfer: one image's manifest, or an index with the manifests it names.

use std::collections::BTreeSet;

use shingle_core::Digest;

use crate::registry::{ManifestError, Platform};
use crate::transport::{
    Descriptor, Destination, Document, Holds, Index, Manifest, Place, Role, Source, TransferError, write,
};

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Which images of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one or all")]
pub enum Which {
    /// All of them, and the index.
    All,
    /// The one that suits a platform.
    One(Platform),
}

/// What is to be brought over.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) index: Option<(Document, Index)>,
    /// In the index's order; without an index, one.
    pub(super) images: Vec<Image>,
}

#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) document: Document,
    pub(super) manifest: Manifest,
    /// The platform that the index gives it.
    pub(super) platform: Option<Platform>,
}

impl Tree {
    /// Reads the documents.
    pub(super) fn read(source: &dyn Source, which: &Which) -> Result<Self, TransferError> {
        let top = source.top()?;
        if !top.is_index() {
            return Ok(Self { index: None, images: vec![Image::new(top, None)?] });
        }
        let what = || format!("index {}", top.digest);
        let index = top.index().map_err(TransferError::document(what()))?;
        let read = |wanted: &Descriptor| {
            let document = source.manifest(wanted)?;
            if document.is_index() {
                return Err(TransferError::Document { what: what(), source: ManifestError::Nested });
            }
            Image::new(document, wanted.platform())
        };
        if let Which::One(platform) = which {
            let chosen = index.choose(platform).map_err(TransferError::document(what()))?;
            return Ok(Self { index: None, images: vec![read(chosen)?] });
        }
        let images = index.all(what)?.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { index: Some((top, index)), images })
    }

    /// Returns the digest of the document at the top.
    pub(super) fn digest(&self) -> Option<Digest> {
        let single = || self.images.first().map(|image| image.document.digest);
        self.index.as_ref().map(|(document, _)| document.digest).or_else(single)
    }

    /// Returns every blob once.
    pub(super) fn blobs(&self) -> Vec<(Descriptor, Role)> {
        let mut seen = BTreeSet::new();
        let roles = self.images.iter().flat_map(|image| {
            let layers = image.manifest.layers.iter().map(|layer| (layer, Role::Layer));
            std::iter::once((&image.manifest.config, Role::Config)).chain(layers)
        });
        roles.filter(|(blob, _)| seen.insert(blob.digest)).map(|(blob, role)| (blob.clone(), role)).collect()
    }

    /// Brings the documents into the form that a place can hold. What it can hold as it is stays byte for byte.
    pub(super) fn fit(&mut self, holds: Holds) -> Result<(), TransferError> {
        match holds {
            Holds::OneImage if self.index.is_some() => Err(TransferError::OneImage),
            Holds::Oci => {
                self.images.iter_mut().for_each(Image::become_oci);
                self.renew_index(true);
                Ok(())
            }
            Holds::OneImage | Holds::Any => Ok(()),
        }
    }

    /// Writes the index anew where the manifests it names changed, or where it must become OCI's.
    pub(super) fn renew_index(&mut self, oci: bool) {
        let Some((document, index)) = &mut self.index else { return };
        let mut changed = oci && document.media_type != OCI_INDEX;
        for (entry, image) in index.manifests.iter_mut().zip(&self.images) {
            let now = image.document.descriptor();
            if entry.digest != now.digest {
                changed = true;
                entry.lead_to(now);
            }
        }
        if changed {
            if oci {
                index.media_type = Some(OCI_INDEX.to_owned());
            }
            *document = write(index, if oci { OCI_INDEX } else { &document.media_type });
        }
    }

    /// Hands the documents over, what names others after what they name; returns the one at the top.
    pub(super) fn put(&self, destination: &dyn Destination) -> Result<Document, TransferError> {
        let mut top = None;
        let place = if self.index.is_some() { Place::Below } else { Place::Top };
        let mut seen = BTreeSet::new();
        for image in &self.images {
            if seen.insert(image.document.digest) {
                destination.put_document(&image.document, place)?;
            }
            top = Some(&image.document);
        }
        if let Some((document, _)) = &self.index {
            destination.put_document(document, Place::Top)?;
            top = Some(document);
        }
        // A tree has an image or an index.
        top.cloned().ok_or(TransferError::Stopped)
    }
}

impl Image {
    fn new(document: Document, platform: Option<Platform>) -> Result<Self, TransferError> {
        let what = format!("manifest {}", document.digest);
        let manifest = document.manifest().map_err(TransferError::document(what.clone()))?;
        if let Some(index) = manifest.layers.iter().position(Descriptor::is_foreign) {
            let media_type = manifest.layers.get(index).map(|layer| layer.media_type.clone());
            let source = ManifestError::Foreign { index, media_type: media_type.unwrap_or_default() };
            return Err(TransferError::Document { what, source });
        }
        Ok(Self { document, manifest, platform })
    }

    /// Whether this says something about another image, and is none itself.
    pub(super) fn is_attestation(&self) -> bool {
        self.platform.as_ref().is_some_and(|platform| platform.os() == "unknown")
    }

    /// Gives everything in it OCI's media types; the blobs stay as they are, the config's too.
    pub(super) fn become_oci(&mut self) {
        if self.document.media_type == OCI_MANIFEST {
            return;
        }
        self.renew();
    }

    /// Writes the manifest anew, as OCI's.
    pub(super) fn renew(&mut self) {
        let manifest = &mut self.manifest;
        manifest.media_type = Some(OCI_MANIFEST.to_owned());
        for blob in std::iter::once(&mut manifest.config).chain(&mut manifest.layers) {
            if let Some(oci) = oci_type(&blob.media_type) {
                blob.media_type = oci.to_owned();
            }
        }
        self.document = write(&self.manifest, OCI_MANIFEST);
    }
}

/// Returns OCI's word for one of Docker's media types.
fn oci_type(docker: &str) -> Option<&'static str> {
    Some(match docker {
        "application/vnd.docker.container.image.v1+json" => "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.image.rootfs.diff.tar" => "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip" => "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.diff.tar.zstd" => "application/vnd.oci.image.layer.v1.tar+zstd",
        _ => return None,
    })
}
