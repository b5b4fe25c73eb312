//! Verification of images where they lie: every layer, read once, held against everything that is said of it.
//!
//! For checking what another tool wrote: [`images`] finds what to check, [`layer`] reads one blob and returns every
//! difference, not only the first. A pull needs none of this, it proves what it takes.

use std::io::Read;
use std::ops::Range;
use std::sync::mpsc::sync_channel;

use shingle_core::verify::{Claims, Verified, Verify};
use shingle_core::{Digest, Limits};

use crate::length;
use crate::registry::{ManifestError, Platform};
use crate::transport::{Descriptor, Document, Index, Manifest, Source, TransferError};

/// How much is read at once, in bytes.
const PIECE: usize = 256 * 1024;
/// How many pieces may wait for the verification.
const PIECES: usize = 16;

/// One image of a source: its manifest and config are what their digests say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Image {
    /// The platform that the index names, if there is an index.
    pub platform: Option<Platform>,
    /// The platform that the config names, if it names one.
    pub machine: Option<Platform>,
    /// The manifest's digest.
    pub manifest: Digest,
    /// The config's digest.
    pub config: Digest,
    /// What is said of each layer, the lowest one first.
    pub layers: Vec<Claims>,
}

/// Finds the images of a source: the one there is, or those of an index, all of them or that of `platform`.
///
/// # Errors
/// A document is not there, is none, or is not what the digest that led to it says; none suits `platform`.
pub fn images(source: &dyn Source, platform: Option<&Platform>) -> Result<Vec<Image>, TransferError> {
    if let Some(platform) = platform {
        return Ok(vec![Documents::find(source, platform)?.into()]);
    }
    let top = source.top()?;
    if !top.is_index() {
        return Ok(vec![Documents::new(source, top, None)?.into()]);
    }
    let index = index(&top)?;
    let (mut images, mut other) = (Vec::new(), None);
    // Build tools put statements about images among them, and people anything.
    let attested =
        |descriptor: &&Descriptor| descriptor.platform().is_some_and(|named| named.os() == "unknown");
    let all = index.all(|| what("index", &top))?;
    for descriptor in all.iter().filter(|descriptor| !attested(descriptor)) {
        match Documents::named(source, descriptor) {
            Err(error @ TransferError::Document { source: ManifestError::NotAnImage { .. }, .. }) => {
                other.get_or_insert(error);
            }
            image => images.push(image?.into()),
        }
    }
    match other {
        Some(error) if images.is_empty() => Err(error),
        _ => Ok(images),
    }
}

/// An image's documents, each what the digest that led to it says.
pub(crate) struct Documents {
    /// The platform that the index names, if there is an index.
    platform: Option<Platform>,
    /// The platform that the config names, if it names one.
    pub(crate) machine: Option<Platform>,
    /// The digest of the index that led to it, if one did.
    pub(crate) index: Option<Digest>,
    pub(crate) manifest: Document,
    pub(crate) config: Vec<u8>,
    pub(crate) config_digest: Digest,
    /// What the manifest says of each layer, with the DiffID that the config has for it, the lowest one first.
    pub(crate) layers: Vec<(Descriptor, Digest)>,
}

impl Documents {
    /// Finds the one image that is meant.
    pub(crate) fn find(source: &dyn Source, platform: &Platform) -> Result<Self, TransferError> {
        let top = source.top()?;
        if !top.is_index() {
            return Self::new(source, top, None);
        }
        let index = index(&top)?;
        let chosen = index.choose(platform).map_err(TransferError::document(what("index", &top)))?;
        Ok(Self { index: Some(top.digest), ..Self::named(source, chosen)? })
    }

    fn named(source: &dyn Source, descriptor: &Descriptor) -> Result<Self, TransferError> {
        Self::new(source, source.manifest(descriptor)?, descriptor.platform())
    }

    fn new(
        source: &dyn Source,
        document: Document,
        platform: Option<Platform>,
    ) -> Result<Self, TransferError> {
        let fail = || TransferError::document(what("manifest", &document));
        let manifest: Manifest = document.manifest().map_err(fail())?;
        document.check().map_err(fail())?;
        let config = source.small_blob(&manifest.config, crate::transport::CONFIG_LIMIT)?;
        let diff_ids = document.diff_ids(&config).map_err(fail())?;
        Ok(Self {
            platform,
            machine: machine(&config),
            index: None,
            config,
            config_digest: manifest.config.digest,
            layers: manifest.layers.into_iter().zip(diff_ids).collect(),
            manifest: document,
        })
    }
}

impl From<Documents> for Image {
    fn from(documents: Documents) -> Self {
        let Documents { platform, machine, index: _, manifest, config: _, config_digest, layers } = documents;
        let claims = |(layer, diff_id): (Descriptor, Digest)| Claims {
            blob: layer.digest,
            size: layer.size,
            media_type: layer.media_type,
            annotations: layer.annotations.unwrap_or_default(),
            diff_id: Some(diff_id),
        };
        let layers = layers.into_iter().map(claims).collect();
        Self { platform, machine, manifest: manifest.digest, config: config_digest, layers }
    }
}

fn what(kind: &str, document: &Document) -> String {
    format!("{kind} {}", document.digest)
}

fn index(top: &Document) -> Result<Index, TransferError> {
    top.index().map_err(TransferError::document(what("index", top)))
}

/// Reads from a config which machine the image is for.
fn machine(config: &[u8]) -> Option<Platform> {
    #[derive(serde::Deserialize)]
    struct Config {
        os: String,
        architecture: String,
        #[serde(default)]
        variant: Option<String>,
    }
    let config: Config = serde_json::from_slice(config).ok()?;
    Some(Platform::new(&config.os, &config.architecture, config.variant.as_deref()))
}

/// Reads a layer's blob, first its end and then all of it, and compares everything with everything.
///
/// What is wrong with the layer is in the result. `progress` hears of the bytes that were read front to back.
///
/// # Errors
/// The blob is not there, or cannot be read.
pub fn layer(
    source: &dyn Source,
    claims: Claims,
    limits: &Limits,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Verified, TransferError> {
    let (blob, stated) = (claims.blob, claims.size);
    let (mut reader, len) = match source.open_blob(blob, stated) {
        Ok(reader) => (reader, stated),
        // One of another length is worth a look, too.
        Err(TransferError::Size { actual, .. }) => (source.open_blob(blob, actual)?, actual),
        Err(error) => return Err(error),
    };
    let mut verify = Verify::of_len(claims, len, limits);
    while let Some(range) = verify.wants() {
        match read_ahead(source, blob, len, range) {
            Ok(bytes) => verify.offer(&bytes),
            Err(error) => verify.withhold(&error.to_string()),
        }
    }
    let (send, pieces) = sync_channel::<Vec<u8>>(PIECES);
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            loop {
                let mut piece = Vec::with_capacity(PIECE);
                let count = (&mut reader).take(crate::count(PIECE)).read_to_end(&mut piece)?;
                if count == 0 || send.send(piece).is_err() {
                    return Ok(());
                }
            }
        });
        for piece in pieces {
            progress(length(&piece));
            verify.receive(&piece);
        }
        match reading.join() {
            Ok(Ok(())) => Ok(verify.finish()),
            Ok(Err(error)) => Err(TransferError::reading(format!("blob {blob}"), error)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Reads part of a blob before the rest; from a source that gives no parts, by reading up to it.
fn read_ahead(
    source: &dyn Source,
    blob: Digest,
    len: u64,
    range: Range<u64>,
) -> Result<Vec<u8>, TransferError> {
    source.read_range(blob, len, range.clone()).or_else(|refused| {
        let mut reader = source.open_blob(blob, len)?;
        let mut bytes = Vec::new();
        let wanted = range.end.saturating_sub(range.start);
        let passed = std::io::copy(&mut (&mut reader).take(range.start), &mut std::io::sink());
        let read = passed.and_then(|_| reader.take(wanted).read_to_end(&mut bytes));
        read.map_err(|error| TransferError::reading(format!("blob {blob}"), error))?;
        if length(&bytes) == wanted { Ok(bytes) } else { Err(refused) }
    })
}
