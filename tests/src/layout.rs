//! Writes images: into the loopback registry, or as an OCI layout on disk.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use shingle::loopback::Content;
use shingle_core::Digest;

/// The media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
/// The media type of a gzip layer.
pub const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The media type of a zstd layer, zstd:chunked or not.
pub const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

/// One layer as a registry holds it.
#[derive(Clone, Debug)]
pub struct Layer {
    /// How it is compressed.
    pub media_type: String,
    /// The blob.
    pub blob: Vec<u8>,
    /// What the config will say of the tar.
    pub diff_id: Digest,
    /// What the manifest will say beside it.
    pub annotations: BTreeMap<String, String>,
}

impl Layer {
    /// A tar as it is.
    pub fn plain(tar: &[u8]) -> Self {
        Self::new(TAR, tar.to_vec(), tar)
    }

    /// A tar in gzip.
    pub fn gzip(tar: &[u8]) -> Self {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(tar).unwrap();
        Self::new(GZIP, encoder.finish().unwrap(), tar)
    }

    /// A tar in one zstd frame.
    pub fn zstd(tar: &[u8]) -> Self {
        Self::new(ZSTD, shingle_core::compress(tar), tar)
    }

    /// Any blob, with the digest of a tar.
    pub fn new(media_type: &str, blob: Vec<u8>, tar: &[u8]) -> Self {
        let diff_id = Digest::of(tar);
        Self { media_type: media_type.to_owned(), blob, diff_id, annotations: BTreeMap::new() }
    }

    /// Returns the digest of the blob.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.blob)
    }
}

/// An image: its layers from the bottom up, and its documents, which may be changed before they are written.
#[derive(Clone, Debug)]
pub struct Image {
    /// The layers.
    pub layers: Vec<Layer>,
    /// The image config.
    pub config: Value,
    /// The manifest but for its config.
    pub manifest: Value,
}

impl Image {
    /// Describes the layers as a writer would.
    pub fn new(layers: Vec<Layer>) -> Self {
        let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id.to_string()).collect();
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let described: Vec<_> = layers
            .iter()
            .map(|layer| {
                let mut descriptor = descriptor(&layer.media_type, &layer.blob);
                if !layer.annotations.is_empty() {
                    descriptor["annotations"] = json!(layer.annotations);
                }
                descriptor
            })
            .collect();
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": described});
        Self { layers, config, manifest }
    }

    /// Adds the image to what a loopback registry serves, under a tag; returns the manifest's digest.
    pub fn put(&self, content: &mut Content, tag: &str) -> Digest {
        let (config, manifest) = self.documents();
        content.add_blob(config);
        for layer in &self.layers {
            content.add_blob(layer.blob.clone());
        }
        content.add_manifest(Some(tag), MANIFEST, manifest)
    }

    /// Writes the image as an OCI layout with one tag.
    ///
    /// # Panics
    /// When the directory cannot be written.
    pub fn write(&self, layout: &Path, tag: &str) {
        let mut entry = self.write_blobs(&layout.join("blobs/sha256"));
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
        write_top(layout, &entry);
    }

    /// Writes config, manifest and layers below `blobs`; returns the manifest's descriptor.
    fn write_blobs(&self, blobs: &Path) -> Value {
        std::fs::create_dir_all(blobs).unwrap();
        let put = |bytes: &[u8]| std::fs::write(blobs.join(Digest::of(bytes).to_hex()), bytes).unwrap();
        let (config, manifest) = self.documents();
        put(&config);
        put(&manifest);
        self.layers.iter().for_each(|layer| put(&layer.blob));
        descriptor(MANIFEST, &manifest)
    }

    fn documents(&self) -> (Vec<u8>, Vec<u8>) {
        let config = self.config.to_string().into_bytes();
        let mut manifest = self.manifest.clone();
        if manifest.get("config").is_none() {
            manifest["config"] = descriptor(CONFIG, &config);
        }
        (config, manifest.to_string().into_bytes())
    }
}

/// Writes images, each for an architecture of Linux, as an OCI layout with one tag for the index of them all.
///
/// # Panics
/// When the directory cannot be written.
pub fn write_index(layout: &Path, tag: &str, images: &[(&str, Image)]) {
    let blobs = layout.join("blobs/sha256");
    let manifests = images.iter().map(|(architecture, image)| {
        let mut entry = image.write_blobs(&blobs);
        entry["platform"] = json!({"os": "linux", "architecture": architecture});
        entry
    });
    let manifests: Vec<_> = manifests.collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).to_string();
    std::fs::write(blobs.join(Digest::of(index.as_bytes()).to_hex()), &index).unwrap();
    let mut entry = descriptor(INDEX, index.as_bytes());
    entry["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
    write_top(layout, &entry);
}

fn write_top(layout: &Path, entry: &Value) {
    let index = json!({"schemaVersion": 2, "manifests": [entry]});
    std::fs::write(layout.join("index.json"), index.to_string()).unwrap();
    std::fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(bytes).to_string(), "size": bytes.len()})
}
