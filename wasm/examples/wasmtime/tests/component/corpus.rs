//! Layers to begin with: the fixtures, and what becomes of them when they are made to lie.

use crate::random::Random;
use crate::support::{digest, repository, stored};

/// What a manifest and a config say of a layer, and its blob.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) blob: Vec<u8>,
    pub(crate) annotations: Vec<(String, String)>,
    pub(crate) diff_id: String,
}

const CHECKSUM: &str = "io.github.containers.zstd-chunked.manifest-checksum";
const POSITION: &str = "io.github.containers.zstd-chunked.manifest-position";
const TAR_SPLIT: &str = "io.github.containers.zstd-chunked.tarsplit-position";

/// Returns layers of every form that is read by file, and one that is not.
pub(crate) fn layers() -> Vec<Layer> {
    let mut layers = vec![minimal(&toc(), &tar_split())];
    for layout in ["zoo/podman-5.8", "zoo/podman-4.3", "zoo/gzip"] {
        layers.push(of_layout(layout));
    }
    layers.push(Layer {
        blob: fixture("zoo/zoo.estargz"),
        annotations: vec![(
            "containerd.io/snapshot/stargz/toc.digest".into(),
            "sha256:bd5800ce15760a09d962b8c4a664d3c5f90dd8a4f8cf416b586098d88fc28551".into(),
        )],
        diff_id: "sha256:976037823d3953a5150030024281243885d66a28746ebf2701ed9254b7d7ec61".into(),
    });
    layers
}

pub(crate) fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(repository("tests/fixtures").join(path)).unwrap()
}

fn toc() -> Vec<u8> {
    fixture("chunked/minimal/toc.json")
}

fn tar_split() -> Vec<u8> {
    fixture("chunked/minimal/tar-split.jsonl")
}

/// The only layer of the only image of a layout.
fn of_layout(path: &str) -> Layer {
    let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    let blob = |digest: &serde_json::Value| {
        let hex = digest.as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned();
        fixture(&format!("{path}/blobs/sha256/{hex}"))
    };
    let index = json(&fixture(&format!("{path}/index.json")));
    let manifest = json(&blob(&index["manifests"][0]["digest"]));
    let config = json(&blob(&manifest["config"]["digest"]));
    let layer = &manifest["layers"][0];
    let annotations = layer["annotations"].as_object().cloned().unwrap_or_default();
    Layer {
        blob: blob(&layer["digest"]),
        annotations: annotations
            .into_iter()
            .map(|(key, value)| (key, value.as_str().unwrap().to_owned()))
            .collect(),
        diff_id: config["rootfs"]["diff_ids"][0].as_str().unwrap().to_owned(),
    }
}

/// The layer of `chunked/minimal` with another TOC and tar-split, whose digests are right.
fn minimal(toc: &[u8], tar_split: &[u8]) -> Layer {
    let (original, tar) = (fixture("chunked/minimal/layer.zst"), fixture("chunked/minimal/layer.tar"));
    // The data end where the first skippable frame begins.
    let magic = [0x50, 0x2a, 0x4d, 0x18];
    let end = original.windows(4).position(|bytes| bytes == magic).unwrap();
    let mut blob = original[..end].to_vec();
    let mut skippable = |bytes: &[u8]| {
        blob.extend_from_slice(&magic);
        blob.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_le_bytes());
        let at = blob.len();
        blob.extend_from_slice(bytes);
        at
    };
    let split = stored(tar_split);
    let key = b"\"tarSplitDigest\":\"";
    let mut json = toc.to_vec();
    if let Some(at) = json.windows(key.len()).position(|bytes| bytes == key) {
        let (from, to) = (at + key.len(), (at + key.len() + 71).min(json.len()));
        drop(json.splice(from..to, digest(&split).into_bytes()));
    }
    let compressed = stored(&json);
    let (toc_at, split_at) = (skippable(&compressed), skippable(&split));
    let annotations = [
        (CHECKSUM, digest(&compressed)),
        (POSITION, format!("{toc_at}:{}:{}:1", compressed.len(), json.len())),
        (TAR_SPLIT, format!("{split_at}:{}:{}", split.len(), tar_split.len())),
    ];
    Layer {
        blob,
        annotations: annotations.map(|(key, value)| (key.to_owned(), value)).into(),
        diff_id: digest(&tar),
    }
}

/// Returns a layer that lies, or not.
pub(crate) fn mutated(random: &mut Random, layers: &[Layer]) -> Layer {
    match random.below(8) {
        // What vouches for TOC and tar-split is right, so that they are read.
        0..=3 => {
            let (mut toc, mut split) = (toc(), tar_split());
            if random.once_in(2) {
                random.mutate(&mut toc);
            }
            if random.once_in(3) {
                random.mutate(&mut split);
            }
            let mut layer = minimal(&toc, &split);
            if random.once_in(3) {
                let at = random.below(layer.blob.len());
                layer.blob[at] ^= 1 << random.below(8);
            }
            layer
        }
        4 => random.pick(layers).unwrap().clone(),
        _ => {
            let mut layer = random.pick(layers).unwrap().clone();
            if random.once_in(2) {
                random.mutate(&mut layer.blob);
            }
            if random.once_in(3) && !layer.annotations.is_empty() {
                let which = random.below(layer.annotations.len());
                let (_, value) = &mut layer.annotations[which];
                let mut bytes = value.clone().into_bytes();
                random.mutate(&mut bytes);
                *value = String::from_utf8_lossy(&bytes).into_owned();
            }
            layer
        }
    }
}
