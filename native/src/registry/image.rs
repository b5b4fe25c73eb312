//! From a reference to an image: every document on the way checked against the digest that led to it.

use std::collections::BTreeMap;

use reqwest::header::CONTENT_TYPE;
use shingle_core::Digest;

use super::client::Shared;
use super::exchange::{Request, bounded};
use super::manifest::{ACCEPT, Descriptor, Manifest, Parsed};
use super::{Asked, Fault, ManifestError, Platform, Reference, RegistryError};
use crate::length;
use crate::transport::{CONFIG_LIMIT, Document, MANIFEST_LIMIT};

/// An image as its registry describes it; every document matched its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolvedImage {
    /// What was asked for.
    pub reference: Reference,
    /// The digest of the image's own manifest.
    pub manifest_digest: Digest,
    /// The digest of the index that led to it, if one did.
    pub index_digest: Option<Digest>,
    /// The image's manifest.
    pub manifest: Vec<u8>,
    /// The manifest's media type.
    pub media_type: String,
    /// The image's config.
    pub config: Vec<u8>,
    /// The config's digest, which is the image's id.
    pub config_digest: Digest,
    /// The layers, the lowest one first.
    pub layers: Vec<LayerDescriptor>,
}

/// A layer as manifest and config describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerDescriptor {
    /// The digest of the blob.
    pub digest: Digest,
    /// The blob's size in bytes.
    pub size: u64,
    /// The blob's media type: a tar, compressed or not.
    pub media_type: String,
    /// Where the TOC lies, among other things; Docker's manifests have none.
    pub annotations: BTreeMap<String, String>,
    /// The digest of the tar.
    pub diff_id: Digest,
}

/// A blob as a manifest alone describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlobDescriptor {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// What the manifest says of it.
    pub annotations: BTreeMap<String, String>,
}

/// Fetches a manifest for its layers alone: whatever its config is, and whatever the layers are.
pub(super) async fn blobs_of(
    shared: &Shared,
    reference: &Reference,
) -> Result<Vec<BlobDescriptor>, RegistryError> {
    let asked = Asked::new(reference, format!("manifest {}", reference.manifest()));
    let layers = match Fetched::manifest(shared, reference, None).await?.document(&asked)? {
        Parsed::Manifest(manifest) => manifest.layers,
        Parsed::Index(_) => return Err(RegistryError::new(&asked, ManifestError::Nested)),
    };
    let blobs = layers.into_iter().map(|layer| BlobDescriptor {
        digest: layer.digest,
        size: layer.size,
        annotations: layer.annotations.unwrap_or_default(),
    });
    Ok(blobs.collect())
}

pub(super) async fn resolve(
    shared: &Shared,
    reference: &Reference,
    platform: &Platform,
) -> Result<ResolvedImage, RegistryError> {
    let asked = Asked::new(reference, format!("manifest {}", reference.manifest()));
    let fail = |error: ManifestError| RegistryError::new(&asked, error);
    let top = Fetched::manifest(shared, reference, None).await?;
    let (index_digest, own, manifest) = match top.document(&asked)? {
        Parsed::Manifest(manifest) => (None, top, manifest),
        Parsed::Index(index) => {
            let chosen = index.choose(platform).map_err(fail)?;
            let own =
                Fetched::manifest(shared, &reference.with_digest(chosen.digest), Some(chosen.size)).await?;
            match own.document(&asked)? {
                Parsed::Manifest(manifest) => (Some(top.digest), own, manifest),
                Parsed::Index(_) => return Err(fail(ManifestError::Nested)),
            }
        }
    };
    manifest.check().map_err(fail)?;
    let config = Fetched::config(shared, reference, &manifest.config).await?;
    let diff_ids = manifest.diff_ids(&config.bytes).map_err(fail)?;
    let Manifest { media_type, layers, .. } = manifest;
    let layers = layers.into_iter().zip(diff_ids).map(|(layer, diff_id)| LayerDescriptor {
        digest: layer.digest,
        size: layer.size,
        media_type: layer.media_type,
        annotations: layer.annotations.unwrap_or_default(),
        diff_id,
    });
    Ok(ResolvedImage {
        reference: reference.clone(),
        manifest_digest: own.digest,
        index_digest,
        manifest: own.bytes,
        media_type,
        config: config.bytes,
        config_digest: config.digest,
        layers: layers.collect(),
    })
}

/// Fetches what a reference names, manifest or index, checked against its digest where the reference has one.
pub(super) async fn document(
    shared: &Shared,
    reference: &Reference,
    size: Option<u64>,
) -> Result<Document, RegistryError> {
    let fetched = Fetched::manifest(shared, reference, size).await?;
    let asked = Asked::new(reference, format!("manifest {}", reference.manifest()));
    Document::new(fetched.bytes, &fetched.content_type).map_err(|error| RegistryError::new(&asked, error))
}

/// A document that matches its digest, where one was known.
struct Fetched {
    bytes: Vec<u8>,
    digest: Digest,
    content_type: String,
}

impl Fetched {
    async fn manifest(
        shared: &Shared,
        reference: &Reference,
        size: Option<u64>,
    ) -> Result<Self, RegistryError> {
        let name = reference.manifest();
        let request = Request {
            reference,
            asked: Asked::new(reference, format!("manifest {name}")),
            path: format!("manifests/{name}"),
            accept: ACCEPT,
            range: None,
            stated: size,
            memory: None,
        };
        Self::fetch(shared, &request, reference.digest(), MANIFEST_LIMIT).await
    }

    async fn config(
        shared: &Shared,
        reference: &Reference,
        config: &Descriptor,
    ) -> Result<Self, RegistryError> {
        let request = Request {
            reference,
            asked: Asked::new(reference, format!("config {}", config.digest)),
            path: format!("blobs/{}", config.digest),
            accept: "*/*",
            range: None,
            stated: Some(config.size),
            memory: None,
        };
        Self::fetch(shared, &request, Some(config.digest), CONFIG_LIMIT).await
    }

    async fn fetch(
        shared: &Shared,
        request: &Request<'_>,
        expected: Option<Digest>,
        limit: u64,
    ) -> Result<Self, RegistryError> {
        let fail = |fault: Fault| RegistryError::new(&request.asked, fault);
        if request.stated.is_some_and(|stated| stated > limit) {
            return Err(fail(Fault::TooLarge { limit }));
        }
        let (bytes, content_type, told) = shared
            .retrying(async || {
                let response = shared.exchange(request).await?.response;
                let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
                let content_type = header(CONTENT_TYPE.as_str()).unwrap_or("").to_owned();
                let told = header("docker-content-digest").and_then(|text| text.parse::<Digest>().ok());
                let bytes = bounded(response, limit, shared.options.timeouts.stall).await.map_err(fail)?;
                Ok((bytes, content_type, told))
            })
            .await?;
        let (actual, digest) = (length(&bytes), Digest::of(&bytes));
        if let Some(stated) = request.stated.filter(|stated| *stated != actual) {
            return Err(fail(Fault::Size { stated, actual }));
        }
        // The header proves nothing, but where it disagrees something went wrong on the way.
        match expected.or(told) {
            Some(expected) if expected != digest => Err(fail(Fault::Digest { expected, actual: digest })),
            _ => Ok(Self { bytes, digest, content_type }),
        }
    }

    fn document(&self, asked: &Asked) -> Result<Parsed, RegistryError> {
        Parsed::parse(&self.bytes, &self.content_type).map_err(|error| RegistryError::new(asked, error))
    }
}
