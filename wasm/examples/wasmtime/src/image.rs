//! Images: the documents that lead from a name to layers, and where bytes come from.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::engine::Core;
use crate::layout::Layout;
use crate::registry::Registry;

/// The longest manifest or config that is read, in bytes.
pub(crate) const DOCUMENT: u64 = 8 << 20;
/// The annotation that holds an image's name in a layout.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// An image, as far as pulling it needs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Image {
    /// The reference as it was given.
    pub name: String,
    /// The manifest's digest.
    pub digest: String,
    /// The layers, the lowest one first.
    pub layers: Vec<Layer>,
}

/// A layer: what the manifest says of its blob, and the config of its tar.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Layer {
    /// The blob's digest.
    pub blob: String,
    /// The blob's length in bytes.
    pub size: u64,
    /// How it is compressed.
    pub media_type: String,
    /// What the manifest says beside it.
    pub annotations: Vec<(String, String)>,
    /// The tar's digest.
    pub diff_id: String,
}

/// A place that has images. It hands out bytes and judges nothing: what they are is for the component to say.
pub trait Source {
    /// Reads a manifest or an index: the one with this name, or with this digest.
    ///
    /// # Errors
    /// It cannot be read. `Ok(None)` where there is nothing of this name.
    fn document(&mut self, core: &mut Core, name: &Named<'_>) -> Result<Option<Vec<u8>>>;

    /// Asks for a range of a blob that is `size` bytes long.
    ///
    /// # Errors
    /// It cannot be read.
    fn range(&mut self, core: &mut Core, blob: &str, size: u64, range: Range<u64>) -> Result<Answer>;

    /// Asks for all of a blob that is `size` bytes long.
    ///
    /// # Errors
    /// It cannot be read.
    fn whole(&mut self, core: &mut Core, blob: &str, size: u64) -> Result<Box<dyn Read>>;

    /// Returns the tag that was asked for.
    fn tag(&self) -> Option<&str>;

    /// Returns the tag of the image that holds TOCs of this one's layers, and how that is called in messages.
    ///
    /// # Errors
    /// What is wrong with the thought, beside the name.
    fn beside(&self, suffix: &str) -> Result<(String, String), (String, &'static str)>;
}

/// What names a document.
#[derive(Clone, Copy, Debug)]
pub enum Named<'a> {
    /// Its digest.
    Digest(&'a str),
    /// A tag; `None` where the place has only one image.
    Tag(Option<&'a str>),
}

/// What came of asking for a range.
pub enum Answer {
    /// The bytes from its beginning on; there may be more than were asked for, or fewer.
    Part(Box<dyn Read>),
    /// No range can be had here.
    Refused,
    /// The blob from its very beginning, although a range was asked for.
    Whole(Box<dyn Read>),
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Part(_) => "Part",
            Self::Refused => "Refused",
            Self::Whole(_) => "Whole",
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    // Go writes null where nothing is.
    pub(crate) annotations: Option<BTreeMap<String, String>>,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    os: String,
    architecture: String,
}

impl Descriptor {
    pub(crate) fn is_named(&self, tag: &str) -> bool {
        self.annotations.as_ref().and_then(|all| all.get(REF_NAME)).is_some_and(|name| name == tag)
    }
}

#[derive(Deserialize)]
pub(crate) struct Index {
    pub(crate) manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
pub(crate) struct Manifest {
    config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

/// Opens `oci:DIR[:TAG]` or `http://HOST[:PORT]/REPOSITORY:TAG`, and reads what the image is made of.
///
/// # Errors
/// The reference is none of these, leads nowhere, or to something else than an image.
pub fn open(core: &mut Core, reference: &str) -> Result<(Image, Box<dyn Source>)> {
    let mut source: Box<dyn Source> =
        match (reference.strip_prefix("oci:"), reference.strip_prefix("http://")) {
            (Some(layout), _) => Box::new(Layout::open(layout)?),
            (_, Some(registry)) => Box::new(Registry::new(registry)?),
            _ => bail!("{reference:?} is neither oci:DIR[:TAG] nor http://HOST:PORT/REPOSITORY:TAG"),
        };
    let image = read(core, source.as_mut(), reference).with_context(|| format!("cannot read {reference}"))?;
    Ok((image, source))
}

fn read(core: &mut Core, source: &mut dyn Source, reference: &str) -> Result<Image> {
    let tag = source.tag().map(str::to_owned);
    let (digest, manifest) = manifest(core, source, tag.as_deref())?.context("there is no such image")?;
    let config = &manifest.config;
    let bytes = read_up_to(source.whole(core, &config.digest, config.size)?, DOCUMENT)?;
    ensure!(digest_of(&bytes) == config.digest, "the config is not what the manifest says");
    let config: Config = serde_json::from_slice(&bytes).context("the config cannot be read")?;
    let diff_ids = config.rootfs.diff_ids;
    ensure!(diff_ids.len() == manifest.layers.len(), "manifest and config differ in the number of layers");
    let layers = manifest.layers.into_iter().zip(diff_ids).map(|(layer, diff_id)| {
        hex(&layer.digest)?;
        hex(&diff_id)?;
        Ok(Layer {
            blob: layer.digest,
            size: layer.size,
            media_type: layer.media_type,
            annotations: layer.annotations.unwrap_or_default().into_iter().collect(),
            diff_id,
        })
    });
    Ok(Image { name: reference.to_owned(), digest, layers: layers.collect::<Result<_>>()? })
}

/// Reads the manifest that a tag leads to, with its digest; `None` where there is nothing of the name.
pub(crate) fn manifest(
    core: &mut Core,
    source: &mut dyn Source,
    tag: Option<&str>,
) -> Result<Option<(String, Manifest)>> {
    let Some(mut bytes) = source.document(core, &Named::Tag(tag))? else { return Ok(None) };
    if let Ok(index) = serde_json::from_slice::<Index>(&bytes) {
        // One digest, two meanings: which one is taken would depend on the reader (CVE-2021-41190).
        ensure!(serde_json::from_slice::<Manifest>(&bytes).is_err(), "it is index and manifest in one");
        let ours = index.manifests.iter().find(|entry| entry.platform.as_ref().is_some_and(is_ours));
        let only = if let [only] = &index.manifests[..] { Some(only) } else { None };
        let chosen = ours.or(only).context("there is no image for this machine")?;
        let named = Named::Digest(&chosen.digest);
        bytes = source.document(core, &named)?.context("the index leads to a manifest that is not there")?;
        ensure!(digest_of(&bytes) == chosen.digest, "the manifest is not what the index says");
    }
    let manifest = serde_json::from_slice(&bytes).context("it is not the manifest of an image")?;
    Ok(Some((digest_of(&bytes), manifest)))
}

fn is_ours(platform: &Platform) -> bool {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        "x86_64" => "amd64",
        other => other,
    };
    platform.os == "linux" && platform.architecture == architecture
}

/// Returns the digits of a digest, which are fit for a file's name.
pub(crate) fn hex(digest: &str) -> Result<&str> {
    let digits = digest.strip_prefix("sha256:").unwrap_or_default();
    let good = digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    ensure!(good, "{digest:?} is not a SHA-256 digest");
    Ok(digits)
}

pub(crate) fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", sha256(bytes))
}

/// Returns 64 hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads to the end, which must come before `limit`.
pub(crate) fn read_up_to(reader: impl Read, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    ensure!(u64::try_from(bytes.len())? <= limit, "a document is longer than {limit} bytes");
    Ok(bytes)
}
