//! Manifests, indexes and configs: the documents that lead from a name to layers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use shingle_core::Digest;

use super::Platform;
use super::error::shown;

/// The media types to ask for, the ones that name the most first.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// The media types of what leads to several images, OCI's first.
pub(crate) const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
/// The media types of an image, OCI's first.
pub(crate) const MANIFESTS: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
const SCHEMA1: [&str; 2] = [
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
];
const CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
/// What servers write that know nothing of manifests.
const GENERIC: [&str; 4] = ["", "application/json", "application/octet-stream", "text/plain"];

/// A document that another one points to.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) digest: Digest,
    pub(super) size: u64,
    // Go writes null where nothing is.
    pub(super) annotations: Option<BTreeMap<String, String>>,
    urls: Option<Vec<IgnoredAny>>,
    platform: Option<DescribedPlatform>,
}

#[derive(Clone, Debug, Deserialize)]
struct DescribedPlatform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
}

/// What a name in a registry leads to, as far as pulling needs it.
#[derive(Debug)]
pub(crate) enum Parsed {
    Index(Index),
    Manifest(Manifest),
}

/// One manifest for each platform.
#[derive(Debug, Deserialize)]
pub(crate) struct Index {
    #[serde(skip)]
    media_type: String,
    manifests: Vec<Descriptor>,
}

/// One image: a config and layers, the lowest one first.
#[derive(Debug, Deserialize)]
pub(crate) struct Manifest {
    #[serde(skip)]
    pub(super) media_type: String,
    pub(super) config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
}

impl Parsed {
    /// Returns the media type, which a document need not state itself.
    pub(crate) fn media_type(&self) -> &str {
        match self {
            Self::Index(index) => &index.media_type,
            Self::Manifest(manifest) => &manifest.media_type,
        }
    }

    /// Reads a document that came with the `Content-Type` `header`.
    pub(crate) fn parse(bytes: &[u8], header: &str) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Outline {
            schema_version: Option<u64>,
            media_type: Option<String>,
            manifests: Option<IgnoredAny>,
            layers: Option<IgnoredAny>,
            config: Option<IgnoredAny>,
        }
        let header = header.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let outline: Outline = json("manifest", bytes)?;
        let inside = outline.media_type.unwrap_or_default();
        if outline.schema_version == Some(1) || SCHEMA1.contains(&&*inside) || SCHEMA1.contains(&&*header) {
            return Err(ManifestError::Schema1);
        }
        let generic = GENERIC.contains(&&*header);
        if !(inside.is_empty() || generic || inside == header) {
            return Err(ManifestError::Ambiguous { first: shown(&header), second: shown(&inside) });
        }
        let (index, image) =
            (outline.manifests.is_some(), outline.layers.is_some() || outline.config.is_some());
        if index && image {
            // One digest, two meanings: which one is taken would depend on the reader (CVE-2021-41190).
            return Err(ManifestError::Ambiguous { first: "an index".into(), second: "a manifest".into() });
        }
        let guess = if index { INDEXES[0] } else { MANIFESTS[0] };
        let known = [&*inside, if generic { "" } else { &header }].into_iter().find(|name| !name.is_empty());
        let media_type = known.unwrap_or(guess);
        if INDEXES.contains(&media_type) {
            let index: Index = json("index", bytes)?;
            Ok(Self::Index(Index { media_type: media_type.to_owned(), ..index }))
        } else if MANIFESTS.contains(&media_type) {
            let manifest: Manifest = json("manifest", bytes)?;
            Ok(Self::Manifest(Manifest { media_type: media_type.to_owned(), ..manifest }))
        } else {
            Err(ManifestError::NotAnImage { media_type: shown(media_type) })
        }
    }
}

impl Index {
    /// Picks the manifest that suits `platform` best, the first of several.
    pub(super) fn choose(&self, platform: &Platform) -> Result<&Descriptor, ManifestError> {
        choose(&self.manifests, platform, |descriptor| {
            let offered = descriptor.platform.as_ref()?;
            Some(Platform::new(&offered.os, &offered.architecture, offered.variant.as_deref()))
        })
    }
}

/// Picks what suits `platform` best, the first of several.
pub(crate) fn choose<'a, T>(
    entries: &'a [T],
    platform: &Platform,
    platform_of: impl Fn(&T) -> Option<Platform>,
) -> Result<&'a T, ManifestError> {
    let offered: Vec<_> =
        entries.iter().filter_map(|entry| platform_of(entry).map(|offered| (offered, entry))).collect();
    let best = offered
        .iter()
        .filter_map(|(offered, entry)| Some((platform.rank(offered)?, *entry)))
        .min_by_key(|(rank, _)| *rank);
    match (best, entries) {
        (Some((_, entry)), _) => Ok(entry),
        // Nothing to choose from, and nothing said against it.
        (None, [only]) if offered.is_empty() => Ok(only),
        (None, _) => {
            // Attestations hide in indexes as unknown/unknown.
            let names =
                offered.iter().map(|(offered, _)| offered).filter(|offered| offered.os() != "unknown");
            let names: Vec<_> = names.take(20).map(|offered| shown(&offered.to_string())).collect();
            Err(ManifestError::NoPlatform { wanted: platform.to_string(), offered: names.join(", ") })
        }
    }
}

impl Manifest {
    /// Checks that this is a container image whose every layer can be pulled and understood.
    pub(crate) fn check(&self) -> Result<(), ManifestError> {
        if !CONFIGS.contains(&&*self.config.media_type) {
            return Err(ManifestError::NotAnImage { media_type: shown(&self.config.media_type) });
        }
        for (index, layer) in self.layers.iter().enumerate() {
            let media_type = shown(&layer.media_type);
            if layer.media_type.ends_with("+encrypted") {
                return Err(ManifestError::Encrypted { index, media_type });
            }
            let elsewhere = layer.urls.as_ref().is_some_and(|urls| !urls.is_empty());
            if elsewhere || ["foreign", "nondistributable"].iter().any(|word| media_type.contains(word)) {
                return Err(ManifestError::Foreign { index, media_type });
            }
            let oci = layer.media_type.strip_prefix("application/vnd.oci.image.layer.v1.tar");
            let docker = layer.media_type.strip_prefix("application/vnd.docker.image.rootfs.diff.tar");
            let known = matches!(oci, Some("" | "+gzip" | "+zstd"));
            // buildkit and others do write `.zstd`, which containers/image refuses.
            if !known && !matches!(docker, Some("" | ".gzip" | ".zstd")) {
                return Err(ManifestError::LayerType { index, media_type });
            }
        }
        Ok(())
    }

    /// Reads from the config the digest of each layer's tar.
    pub(crate) fn diff_ids(&self, config: &[u8]) -> Result<Vec<Digest>, ManifestError> {
        diff_ids(config, self.layers.len())
    }
}

/// Reads from a config the digest of each layer's tar, sure that there are as many as `layers`.
pub(crate) fn diff_ids(config: &[u8], layers: usize) -> Result<Vec<Digest>, ManifestError> {
    #[derive(Deserialize)]
    struct Config {
        rootfs: RootFs,
    }
    #[derive(Deserialize)]
    struct RootFs {
        // Go writes null where nothing is.
        diff_ids: Option<Vec<Digest>>,
    }
    let config: Config = json("config", config)?;
    let diff_ids = config.rootfs.diff_ids.unwrap_or_default();
    if diff_ids.len() != layers {
        return Err(ManifestError::LayerCount { layers, diff_ids: diff_ids.len() });
    }
    Ok(diff_ids)
}

fn json<'de, T: Deserialize<'de>>(document: &'static str, bytes: &'de [u8]) -> Result<T, ManifestError> {
    serde_json::from_slice(bytes).map_err(|error| ManifestError::malformed(document, &error))
}

/// A document that leads to no image that can be pulled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The document can be read in two ways.
    #[error("the document claims to be {first} and {second}")]
    Ambiguous {
        /// One claim.
        first: String,
        /// The other.
        second: String,
    },
    /// A layer that needs a key.
    #[error("layer {} is encrypted ({media_type})", index + 1)]
    Encrypted {
        /// The layer's place, from 0.
        index: usize,
        /// Its media type.
        media_type: String,
    },
    /// A layer that the registry does not hold.
    #[error("layer {} lies outside the registry ({media_type})", index + 1)]
    Foreign {
        /// The layer's place, from 0.
        index: usize,
        /// Its media type.
        media_type: String,
    },
    /// Manifest and config disagree on how many layers there are.
    #[error("the manifest has {layers} layers, the config {diff_ids} diff_ids")]
    LayerCount {
        /// Layers in the manifest.
        layers: usize,
        /// `diff_ids` in the config.
        diff_ids: usize,
    },
    /// A layer that is no tar, or compressed in a way unknown here.
    #[error("layer {} has media type {media_type:?}, which is not a layer's", index + 1)]
    LayerType {
        /// The layer's place, from 0.
        index: usize,
        /// Its media type.
        media_type: String,
    },
    /// Not JSON, or not with these fields.
    #[error("the {document} cannot be read: {problem}")]
    Malformed {
        /// Which document.
        document: &'static str,
        /// Where and why.
        problem: String,
    },
    /// An index that points to an index.
    #[error("the index leads to another index")]
    Nested,
    /// The image does not exist for this platform.
    #[error("there is no image for {wanted}, only for: {offered}")]
    NoPlatform {
        /// What was asked for.
        wanted: String,
        /// What there is, at most 20.
        offered: String,
    },
    /// An artifact: a chart, a signature, an attestation.
    #[error("not a container image but {media_type:?}")]
    NotAnImage {
        /// The type that gives it away.
        media_type: String,
    },
    /// The format that Docker left behind in 2017.
    #[error("the image is in the old Docker schema 1, which has no layer descriptors")]
    Schema1,
}

impl ManifestError {
    pub(crate) fn malformed(document: &'static str, error: &serde_json::Error) -> Self {
        Self::Malformed { document, problem: shown(&error.to_string()) }
    }

    /// Returns advice on what to do about it, if there is any.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Encrypted { .. } => {
                Some("decrypt the image first, for example with skopeo copy --decryption-key")
            }
            Self::Malformed { .. } => {
                Some("is this a registry? a proxy or a login page may have answered instead")
            }
            Self::NoPlatform { .. } => Some("choose another one with --platform"),
            Self::Schema1 => Some("push the image again with a current tool"),
            Self::Ambiguous { .. }
            | Self::Foreign { .. }
            | Self::LayerCount { .. }
            | Self::LayerType { .. }
            | Self::Nested
            | Self::NotAnImage { .. } => None,
        }
    }
}
