//! Manifests and indexes as they are copied and rewritten: fields that mean nothing here stay.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shingle_core::Digest;

use super::TransferError;
use crate::length;
use crate::registry::{ManifestError, Parsed, Platform};

/// The most that all manifests of an index may measure together; one platform takes some kilobytes.
const ALL_LIMIT: u64 = 64 << 20;

/// A manifest or an index, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What they are.
    pub media_type: String,
    /// Their digest.
    pub digest: Digest,
}

/// A document or blob that a document points to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Descriptor {
    /// What it is; some old indexes leave it out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Where else it may be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urls: Option<Vec<String>>,
    /// Remarks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// All other fields.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u64,
    /// What this is; may be left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The config.
    pub config: Descriptor,
    /// The layers, the lowest one first.
    pub layers: Vec<Descriptor>,
    /// All other fields, such as annotations.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Images of several platforms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Index {
    /// Always 2.
    pub schema_version: u64,
    /// What this is; may be left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The images, in order of preference.
    pub manifests: Vec<Descriptor>,
    /// All other fields, such as annotations.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Document {
    /// Reads a document that came with the media type `stated`, which may be empty.
    ///
    /// # Errors
    /// It is neither manifest nor index, or claims to be two things.
    pub fn new(bytes: Vec<u8>, stated: &str) -> Result<Self, ManifestError> {
        let media_type = Parsed::parse(&bytes, stated)?.media_type().to_owned();
        let digest = Digest::of(&bytes);
        Ok(Self { bytes, media_type, digest })
    }

    /// Whether this leads to several images.
    pub fn is_index(&self) -> bool {
        crate::registry::INDEXES.contains(&&*self.media_type)
    }

    /// Reads it as an image's manifest.
    ///
    /// # Errors
    /// It lacks what a manifest must have.
    pub fn manifest(&self) -> Result<Manifest, ManifestError> {
        read("manifest", &self.bytes)
    }

    /// Reads it as an index.
    ///
    /// # Errors
    /// It lacks what an index must have.
    pub fn index(&self) -> Result<Index, ManifestError> {
        read("index", &self.bytes)
    }

    /// Returns a descriptor of this document.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(&self.media_type, self.digest, length(&self.bytes))
    }

    /// Checks that this is the manifest of a container image whose layers can all be read.
    ///
    /// # Errors
    /// It is an artifact or an index, or has layers that lie elsewhere or are encrypted.
    pub fn check(&self) -> Result<(), ManifestError> {
        match Parsed::parse(&self.bytes, &self.media_type)? {
            Parsed::Manifest(manifest) => manifest.check(),
            Parsed::Index(_) => Err(ManifestError::Nested),
        }
    }

    /// Checks like [`check`](Self::check), and returns from its config
    /// the digest of each layer's tar.
    ///
    /// # Errors
    /// It is an artifact, or has layers that lie elsewhere or are encrypted, or another number than the config.
    pub fn diff_ids(&self, config: &[u8]) -> Result<Vec<Digest>, ManifestError> {
        match Parsed::parse(&self.bytes, &self.media_type)? {
            Parsed::Manifest(manifest) => {
                manifest.check()?;
                manifest.diff_ids(config)
            }
            Parsed::Index(_) => Err(ManifestError::Nested),
        }
    }
}

impl Descriptor {
    /// Describes something.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        let (media_type, other) = (media_type.to_owned(), Map::new());
        Self { media_type, digest, size, urls: None, annotations: None, other }
    }

    /// Makes it lead to something else of the same kind: what it says of the thing itself goes, what it says about it stays.
    pub(crate) fn lead_to(&mut self, other: Self) {
        (self.digest, self.size, self.media_type) = (other.digest, other.size, other.media_type);
        // A copy of the content, which registries may put there.
        self.other.remove("data");
    }

    /// Returns one of its annotations.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(name).map(String::as_str)
    }

    /// Returns the platform of the image it leads to, if that is said.
    pub fn platform(&self) -> Option<Platform> {
        let platform = self.other.get("platform")?;
        let field = |name: &str| platform.get(name).and_then(Value::as_str);
        Some(Platform::new(field("os").unwrap_or(""), field("architecture").unwrap_or(""), field("variant")))
    }

    /// Whether it lies outside the registry, where copying it may not be allowed.
    pub fn is_foreign(&self) -> bool {
        let elsewhere = self.urls.as_ref().is_some_and(|urls| !urls.is_empty());
        elsewhere || ["foreign", "nondistributable"].iter().any(|word| self.media_type.contains(word))
    }
}

impl Index {
    /// Returns what leads to the manifests, if all of them can be held at once.
    ///
    /// # Errors
    /// They are longer together than those of any honest index; naming one of four megabytes again and again costs it
    /// nothing.
    pub fn all(&self, what: impl FnOnce() -> String) -> Result<&[Descriptor], TransferError> {
        let size = self.manifests.iter().fold(0_u64, |sum, entry| sum.saturating_add(entry.size));
        if size > ALL_LIMIT {
            let what = format!("everything that {} leads to", what());
            return Err(TransferError::TooLarge { what, size, limit: ALL_LIMIT });
        }
        Ok(&self.manifests)
    }

    /// Picks the image that suits `platform` best.
    ///
    /// # Errors
    /// None does.
    pub fn choose(&self, platform: &Platform) -> Result<&Descriptor, ManifestError> {
        crate::registry::choose(&self.manifests, platform, Descriptor::platform)
    }
}

/// Fails unless `bytes` are what a descriptor says.
pub(crate) fn check(
    bytes: &[u8],
    wanted: &Descriptor,
    what: impl Fn() -> String,
) -> Result<(), TransferError> {
    if length(bytes) != wanted.size {
        return Err(TransferError::Size { what: what(), stated: wanted.size, actual: length(bytes) });
    }
    let actual = Digest::of(bytes);
    if actual != wanted.digest {
        return Err(TransferError::Digest { what: what(), expected: wanted.digest, actual });
    }
    Ok(())
}

fn read<'de, T: Deserialize<'de>>(document: &'static str, bytes: &'de [u8]) -> Result<T, ManifestError> {
    serde_json::from_slice(bytes).map_err(|error| ManifestError::malformed(document, &error))
}

/// Writes a document as registries like them: compact, fields in their usual order.
pub(crate) fn write(document: &impl Serialize, media_type: &str) -> Document {
    // Strings, numbers and maps with string keys: nothing in them can fail to be JSON.
    let bytes = serde_json::to_vec(document).unwrap_or_default();
    Document { digest: Digest::of(&bytes), media_type: media_type.to_owned(), bytes }
}
