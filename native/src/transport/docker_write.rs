//! Archives for `docker load`, in the making.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use shingle_core::{Digest, Hasher, Limits, Unwrap};

use super::destination::copy_checked;
use super::docker_archive::Listed;
use super::pending::Target;
use super::tar_write::TarFile;
use super::{
    CONFIG_LIMIT, Descriptor, Destination, Document, Holds, Manifest, Place, Role, Section, TransferError,
};
use crate::length;
use crate::registry::{Reference, diff_ids};

/// An archive with one image. Its layers are plain tars, whatever they come as.
#[derive(Debug)]
pub(super) struct DockerArchiveDestination {
    path: std::path::PathBuf,
    reference: Option<Reference>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tar: TarFile,
    /// The digest of each layer's tar, by its blob.
    layers: BTreeMap<Digest, Digest>,
    configs: BTreeMap<Digest, Vec<u8>>,
    manifest: Option<Manifest>,
}

impl DockerArchiveDestination {
    pub(super) fn open(path: &Path, reference: Option<Reference>) -> Result<Self, TransferError> {
        let target = Target::find(path)?;
        if target.held()?.is_some() {
            return Err(TransferError::Exists { path: path.to_owned() });
        }
        let state = State {
            tar: TarFile::create(target)?,
            layers: BTreeMap::new(),
            configs: BTreeMap::new(),
            manifest: None,
        };
        Ok(Self { path: path.to_owned(), reference, state: Mutex::new(state) })
    }
}

impl State {
    fn layer(
        &mut self,
        blob: &Descriptor,
        content: &Section,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), TransferError> {
        let what = || format!("blob {}", blob.digest);
        let fail = |source| TransferError::Unpack { what: what(), source };
        let mut member = self.tar.begin()?;
        let (mut unwrap, mut hasher) = (Unwrap::new(&Limits::default()), Hasher::new());
        let (mut reader, mut buffer) = (content.reader(), vec![0; 256 << 10]);
        loop {
            let count = reader.read(&mut buffer).map_err(|source| TransferError::reading(what(), source))?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            let mut plain = unwrap.receive(bytes);
            while let Some(piece) = plain.next_piece().map_err(fail)? {
                hasher.update(piece);
                member.append(piece)?;
            }
            progress(length(bytes));
        }
        unwrap.finish(&blob.digest).map_err(fail)?;
        let diff_id = hasher.finish();
        if self.layers.values().any(|held| *held == diff_id) {
            // Two blobs of one tar; the member is dropped.
            member.withdraw();
        } else {
            member.finish(&layer_name(&diff_id))?;
        }
        self.layers.insert(blob.digest, diff_id);
        Ok(())
    }
}

fn layer_name(diff_id: &Digest) -> String {
    format!("{}.tar", diff_id.to_hex())
}

impl Destination for DockerArchiveDestination {
    fn holds(&self) -> Holds {
        Holds::OneImage
    }

    fn has_blob(&self, blob: &Descriptor) -> Result<bool, TransferError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(state.layers.contains_key(&blob.digest) || state.configs.contains_key(&blob.digest))
    }

    fn put_blob(
        &self,
        blob: &Descriptor,
        role: Role,
        content: &Section,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), TransferError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if role == Role::Layer {
            return state.layer(blob, content, progress);
        }
        if blob.size > CONFIG_LIMIT {
            let what = format!("config {}", blob.digest);
            return Err(TransferError::TooLarge { what, size: blob.size, limit: CONFIG_LIMIT });
        }
        let mut config = Vec::new();
        copy_checked(blob, content, progress, |bytes| {
            config.extend_from_slice(bytes);
            Ok(())
        })?;
        state.tar.file(&format!("{}.json", blob.digest.to_hex()), &config)?;
        state.configs.insert(blob.digest, config);
        Ok(())
    }

    fn put_document(&self, document: &Document, _place: Place) -> Result<(), TransferError> {
        let manifest =
            document.manifest().map_err(TransferError::document(format!("manifest {}", document.digest)))?;
        self.state.lock().unwrap_or_else(PoisonError::into_inner).manifest = Some(manifest);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), TransferError> {
        let State { mut tar, layers, configs, manifest } =
            self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some(manifest) = manifest else { return Ok(()) };
        let what = format!("config {}", manifest.config.digest);
        let config = configs.get(&manifest.config.digest).map(Vec::as_slice).unwrap_or_default();
        let diff_ids = diff_ids(config, manifest.layers.len()).map_err(TransferError::document(what))?;
        let mut names = Vec::new();
        for (layer, expected) in manifest.layers.iter().zip(diff_ids) {
            let missing =
                || TransferError::Missing { path: self.path.clone(), what: format!("blob {}", layer.digest) };
            let actual = *layers.get(&layer.digest).ok_or_else(missing)?;
            if actual != expected {
                let what = format!("the tar of blob {} (DiffID)", layer.digest);
                return Err(TransferError::Digest { what, expected, actual });
            }
            names.push(layer_name(&actual));
        }
        let listed = Listed {
            config: format!("{}.json", manifest.config.digest.to_hex()),
            repo_tags: Some(self.reference.iter().map(Reference::to_string).collect()),
            layers: Some(names),
        };
        let list = serde_json::to_vec(&[listed]).unwrap_or_default();
        tar.file("manifest.json", &list)?;
        tar.finish()
    }
}
