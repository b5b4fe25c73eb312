//! Archives as `docker save` writes them: layers' tars, a config, and a list that names them.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Map;
use shingle_core::{Digest, Hasher};

use super::archive::Archive;
use super::file::{of_size, read_limited, read_section};
use super::oci::Files as _;
use super::{CONFIG_LIMIT, Descriptor, Document, Manifest, Section, Source, TransferError};
use crate::length;
use crate::registry::{Reference, diff_ids};

pub(super) const FORM: &str = "an archive of docker save";
const LIST_LIMIT: u64 = 16 << 20;
pub(super) const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(super) const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// One image as `manifest.json` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    pub(super) config: String,
    // Go writes null where nothing is.
    pub(super) repo_tags: Option<Vec<String>>,
    pub(super) layers: Option<Vec<String>>,
}

/// One image of an archive, to be read.
///
/// The archive has no manifest as registries know it, so one is made: Docker's schema 2, of the files as they lie there.
#[derive(Debug)]
pub(super) struct DockerArchiveSource {
    archive: Archive,
    manifest: Document,
    blobs: BTreeMap<Digest, Section>,
}

impl DockerArchiveSource {
    pub(super) fn open(path: &Path, reference: Option<&Reference>) -> Result<Self, TransferError> {
        let archive = Archive::open(path)?;
        let form = |problem: String| TransferError::Form { path: path.to_owned(), expected: FORM, problem };
        let find = |name: &str| {
            let missing =
                || TransferError::Missing { path: path.to_owned(), what: crate::registry::shown(name) };
            archive.find(name)?.ok_or_else(missing)
        };
        let Some(list) = archive.find("manifest.json")? else {
            return Err(form("there is no manifest.json in it".to_owned()));
        };
        let list = read_limited(&list, LIST_LIMIT, || format!("{}: manifest.json", path.display()))?;
        let list: Vec<Listed> = serde_json::from_slice(&list)
            .map_err(|error| form(format!("manifest.json cannot be read: {error}")))?;
        let listed = choose(&list, reference, path)?;
        let config =
            read_limited(&find(&listed.config)?, CONFIG_LIMIT, || format!("{}: the config", path.display()))?;
        let config_digest = Digest::of(&config);
        let names = listed.layers.as_deref().unwrap_or_default();
        let diff_ids = diff_ids(&config, names.len());
        let diff_ids = diff_ids.map_err(TransferError::document(path.display().to_string()))?;
        let mut blobs = BTreeMap::from([(config_digest, find(&listed.config)?)]);
        let mut layers = Vec::new();
        for (name, diff_id) in names.iter().zip(diff_ids) {
            let section = find(name)?;
            let (suffix, digest) = look(&section, diff_id)
                .map_err(|source| TransferError::reading(format!("{name} in {}", path.display()), source))?;
            layers.push(Descriptor::new(&format!("{LAYER}{suffix}"), digest, section.len()));
            blobs.insert(digest, section);
        }
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(MANIFEST.to_owned()),
            config: Descriptor::new(CONFIG, config_digest, length(&config)),
            layers,
            other: Map::new(),
        };
        let manifest = super::document::write(&manifest, MANIFEST);
        Ok(Self { archive, manifest, blobs })
    }

    fn blob(&self, blob: Digest, size: u64) -> Result<Section, TransferError> {
        of_size(self.blobs.get(&blob).cloned(), blob, size, self.archive.path())
    }
}

impl Source for DockerArchiveSource {
    fn top(&self) -> Result<Document, TransferError> {
        Ok(self.manifest.clone())
    }

    fn manifest(&self, wanted: &Descriptor) -> Result<Document, TransferError> {
        let (path, what) = (self.archive.path().to_owned(), format!("manifest {}", wanted.digest));
        Err(TransferError::Missing { path, what })
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

/// Picks the image with this name, or the only one.
fn choose<'a>(
    list: &'a [Listed],
    reference: Option<&Reference>,
    path: &Path,
) -> Result<&'a Listed, TransferError> {
    let tags = |listed: &'a Listed| listed.repo_tags.iter().flatten();
    let name = |problem: String| {
        let names: Vec<_> =
            list.iter().flat_map(tags).take(20).map(|tag| crate::registry::shown(tag)).collect();
        TransferError::Name { path: path.to_owned(), problem, offered: names.join(", ") }
    };
    match (reference, list) {
        (Some(wanted), list) => {
            let is = |tag: &String| tag.parse::<Reference>().is_ok_and(|tag| tag == *wanted);
            let found = list.iter().find(|listed| tags(listed).any(is));
            found.ok_or_else(|| name(format!("there is no image {wanted}")))
        }
        (None, [only]) => Ok(only),
        (None, []) => Err(name("there is no image".to_owned())),
        (None, several) => Err(name(format!("there are {} images", several.len()))),
    }
}

/// Says how a layer's file is compressed, and which digest it has. A plain tar should have its DiffID, which whoever
/// reads it checks.
fn look(section: &Section, diff_id: Digest) -> std::io::Result<(&'static str, Digest)> {
    let mut magic = [0; 4];
    let head = usize::try_from(section.len().min(4)).unwrap_or(4);
    section.read_exact_at(magic.get_mut(..head).unwrap_or_default(), 0)?;
    let suffix = match magic {
        [0x1f, 0x8b, ..] => ".gzip",
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => ".zstd",
        _ => return Ok(("", diff_id)),
    };
    let (mut reader, mut buffer, mut hasher) = (section.reader(), vec![0; 256 << 10], Hasher::new());
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            return Ok((suffix, hasher.finish()));
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
}
