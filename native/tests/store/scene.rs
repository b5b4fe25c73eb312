//! A registry with layers made here, and a store to pull them into.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use shingle::loopback::{Content, Loopback};
use shingle::pull::{PullError, PullOptions, PullReport, Quiet, pull};
use shingle::registry::{Client, ClientOptions, Reference};
use shingle::store::Store;
use shingle_core::{ChunkPiece, Chunker, Digest, Limits, LinkMode, Unwrap, WholeFetch, compress};

/// One member of a tar.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) kind: u8,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) link: String,
    pub(crate) device: (u32, u32),
    /// A regular file's content, as the chunks it is cut into.
    pub(crate) chunks: Vec<Vec<u8>>,
}

pub(crate) fn file(name: &str, content: &[u8]) -> Made {
    chunked(name, &[content])
}

pub(crate) fn chunked(name: &str, chunks: &[&[u8]]) -> Made {
    let chunks = chunks.iter().map(|chunk| chunk.to_vec()).collect();
    Made { name: name.into(), kind: b'0', mode: 0o644, uid: 0, link: String::new(), device: (0, 0), chunks }
}

pub(crate) fn dir(name: &str) -> Made {
    Made { kind: b'5', mode: 0o755, ..chunked(name, &[]) }
}

pub(crate) fn device(name: &str, major: u32, minor: u32) -> Made {
    Made { kind: b'3', device: (major, minor), ..chunked(name, &[]) }
}

/// A layer as it lies in the registry.
#[derive(Clone)]
pub(crate) struct Layer {
    blob: Vec<u8>,
    media_type: &'static str,
    annotations: BTreeMap<String, String>,
    pub(crate) diff_id: Digest,
}

/// A layer without a TOC.
pub(crate) fn plain(members: &[Made]) -> Layer {
    let tar = tar(members);
    let media_type = "application/vnd.oci.image.layer.v1.tar";
    Layer { diff_id: Digest::of(&tar), blob: tar, media_type, annotations: BTreeMap::new() }
}

/// The same layer, compressed in its own right: nothing says what is in it.
pub(crate) fn compressed(members: &[Made], how: &str) -> Layer {
    let Layer { blob, diff_id, .. } = plain(members);
    let (blob, media_type) = match how {
        "gzip" => (gzip(&blob), "application/vnd.oci.image.layer.v1.tar+gzip"),
        "zstd" => (compress(&blob), "application/vnd.oci.image.layer.v1.tar+zstd"),
        _ => (blob, "application/vnd.oci.image.layer.v1.tar"),
    };
    Layer { blob, diff_id, media_type, annotations: BTreeMap::new() }
}

/// A gzip member of stored blocks.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks: Vec<_> = bytes.chunks(65_535).collect();
    for (at, block) in blocks.iter().enumerate() {
        let len = u16::try_from(block.len()).unwrap();
        packed.push(u8::from(at + 1 == blocks.len()));
        packed.extend(len.to_le_bytes());
        packed.extend((!len).to_le_bytes());
        packed.extend(*block);
    }
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1)))
    });
    packed.extend((!crc).to_le_bytes());
    packed.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    packed
}

/// A file, cut where podman would cut it.
pub(crate) fn cut(name: &str, content: &[u8]) -> Made {
    let mut chunker = Chunker::new();
    let mut ends = Vec::new();
    for last in [false, true] {
        let mut pieces = if last { chunker.finish() } else { chunker.receive(content) };
        while let Some(piece) = pieces.next_piece() {
            if let ChunkPiece::End(cut) = piece {
                ends.push(
                    usize::try_from(cut.offset).unwrap()..usize::try_from(cut.offset + cut.len).unwrap(),
                );
            }
        }
    }
    let chunks: Vec<_> = ends.into_iter().map(|range| &content[range]).collect();
    chunked(name, &chunks)
}

/// The same layer as podman would push it.
pub(crate) fn zstd_chunked(members: &[Made]) -> Layer {
    let tar = tar(members);
    let (mut blob, mut entries) = (Vec::new(), Vec::new());
    for made in members {
        blob.extend(compress(&header(made)));
        let content = made.chunks.concat();
        let word = match made.kind {
            b'5' => "dir",
            b'3' => "char",
            _ => "reg",
        };
        let mut entry = json!({"type": word, "name": made.name, "mode": made.mode, "uid": made.uid,
            "modtime": "1970-01-01T00:00:07Z", "devMajor": made.device.0, "devMinor": made.device.1});
        let (mut more, mut offset) = (Vec::new(), 0);
        for (at, chunk) in made.chunks.iter().enumerate() {
            let mut next = json!({"type": "chunk", "name": made.name});
            let line = if at == 0 { &mut entry } else { &mut next };
            line["offset"] = blob.len().into();
            line["chunkSize"] = chunk.len().into();
            line["chunkOffset"] = offset.into();
            line["chunkDigest"] = Digest::of(chunk).to_string().into();
            offset += chunk.len();
            blob.extend(compress(chunk));
            if at > 0 {
                more.push(next);
            }
        }
        if !content.is_empty() {
            entry["size"] = content.len().into();
            entry["digest"] = Digest::of(&content).to_string().into();
            entry["endOffset"] = blob.len().into();
        }
        entries.push(entry);
        entries.extend(more);
    }
    blob.extend(compress(&[0; 1024]));
    let (split, split_len) = tar_split(&tar);
    let toc: Value =
        json!({"version": 1, "entries": entries, "tarSplitDigest": Digest::of(&split).to_string()});
    let toc = toc.to_string();
    let packed = compress(toc.as_bytes());
    let position = format!("{}:{}:{}:1", append(&mut blob, &packed), packed.len(), toc.len());
    let split_position = format!("{}:{}:{split_len}", append(&mut blob, &split), split.len());
    let key = |name: &str| format!("io.github.containers.zstd-chunked.{name}");
    let annotations = BTreeMap::from([
        (key("manifest-checksum"), Digest::of(&packed).to_string()),
        (key("manifest-position"), position),
        (key("tarsplit-position"), split_position),
    ]);
    let media_type = "application/vnd.oci.image.layer.v1.tar+zstd";
    Layer { blob, media_type, annotations, diff_id: Digest::of(&tar) }
}

/// The layer in an image that says it is another.
pub(crate) fn mistaken(layer: Layer) -> Layer {
    Layer { diff_id: Digest::of(b"another"), ..layer }
}

/// The layer with its data spoilt but its TOC whole.
pub(crate) fn spoilt(mut layer: Layer) -> Layer {
    let at = 200;
    layer.blob[at..at + 64].fill(0xff);
    layer
}

fn append(blob: &mut Vec<u8>, bytes: &[u8]) -> usize {
    blob.extend([0x50, 0x2a, 0x4d, 0x18]);
    blob.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    blob.extend_from_slice(bytes);
    blob.len() - bytes.len()
}

fn tar_split(tar: &[u8]) -> (Vec<u8>, u64) {
    let limits = Limits::default();
    let mut unwrap = Unwrap::new(&limits);
    let mut plain = unwrap.receive(tar);
    while plain.next_piece().unwrap().is_some() {}
    drop(plain);
    let mut fetch = WholeFetch::new(&limits);
    let mut pieces = fetch.receive(tar);
    while pieces.next_piece().unwrap().is_some() {}
    drop(pieces);
    let layer = fetch.finish(unwrap.finish(&Digest::of(tar)).unwrap(), &Digest::of(tar)).unwrap();
    let split = layer.tar_split.unwrap();
    (split.as_bytes().to_vec(), split.plain_len())
}

fn tar(members: &[Made]) -> Vec<u8> {
    let mut tar = Vec::new();
    for made in members {
        tar.extend(header(made));
        tar.extend(made.chunks.concat());
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.extend([0; 1024]);
    tar
}

/// The header; a name over 100 bytes comes as a GNU long name before it.
fn header(made: &Made) -> Vec<u8> {
    let mut blocks = Vec::new();
    if made.name.len() > 100 {
        let name = format!("{}\0", made.name);
        blocks.extend(block("././@LongLink", b'L', 0, 0, name.len(), "", (0, 0)));
        blocks.extend(name.as_bytes());
        blocks.resize(blocks.len().next_multiple_of(512), 0);
    }
    let size = made.chunks.iter().map(Vec::len).sum();
    blocks.extend(block(&made.name, made.kind, made.mode, made.uid, size, &made.link, made.device));
    blocks
}

fn block(
    name: &str,
    kind: u8,
    mode: u32,
    uid: u32,
    size: usize,
    link: &str,
    device: (u32, u32),
) -> [u8; 512] {
    let mut block = [0; 512];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, &name.as_bytes()[..name.len().min(100)]);
    put(100, format!("{mode:07o}").as_bytes());
    put(108, format!("{uid:07o}").as_bytes());
    put(116, format!("{:07o}", 0).as_bytes());
    put(124, format!("{size:011o}").as_bytes());
    put(136, format!("{:011o}", 7).as_bytes());
    put(148, b"        ");
    put(156, &[kind]);
    put(157, link.as_bytes());
    put(257, b"ustar  \0");
    put(329, format!("{:07o}", device.0).as_bytes());
    put(337, format!("{:07o}", device.1).as_bytes());
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

/// A registry, and a store beside it.
pub(crate) struct Scene {
    registry: Loopback,
    client: Client,
    pub(crate) options: PullOptions,
    pub(crate) directory: tempfile::TempDir,
}

impl Scene {
    /// Serves images of these layers; the first is tagged `0`.
    pub(crate) fn new(images: &[&[&Layer]]) -> Self {
        let mut content = Content::default();
        for (tag, layers) in images.iter().enumerate() {
            let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id.to_string()).collect();
            let config = json!({"architecture": "amd64", "os": "linux",
                "rootfs": {"type": "layers", "diff_ids": diff_ids}});
            let config = config.to_string();
            let descriptors: Vec<_> = layers
                .iter()
                .map(|layer| {
                    let digest = content.add_blob(layer.blob.clone()).to_string();
                    json!({"mediaType": layer.media_type, "digest": digest, "size": layer.blob.len(),
                        "annotations": layer.annotations})
                })
                .collect();
            let media_type = "application/vnd.oci.image.manifest.v1+json";
            let manifest = json!({"schemaVersion": 2, "mediaType": media_type, "layers": descriptors,
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": config.len(),
                    "digest": content.add_blob(config).to_string()}});
            content.add_manifest(Some(&tag.to_string()), media_type, manifest.to_string());
        }
        let mut options = ClientOptions::default();
        options.tls_verify = false;
        Self {
            registry: Loopback::start(content).unwrap(),
            client: Client::new(options).unwrap(),
            options: PullOptions::default(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(self.root()).unwrap()
    }

    pub(crate) fn reference(&self, tag: usize) -> Reference {
        self.registry.reference(&format!("some/image:{tag}")).parse().unwrap()
    }

    pub(crate) fn try_pull(&self, tag: usize) -> Result<PullReport, PullError> {
        pull(&self.store(), &self.client, &self.reference(tag), &self.options, &Quiet)
    }

    #[track_caller]
    pub(crate) fn pull(&self, tag: usize) -> PullReport {
        self.try_pull(tag).unwrap_or_else(|error| panic!("{error:?}"))
    }

    pub(crate) fn linking(mut self, mode: LinkMode) -> Self {
        self.options.link_mode = mode;
        self
    }

    pub(crate) fn tree(&self, layer: &Layer) -> PathBuf {
        self.store().tree_path(&layer.diff_id)
    }

    /// The paths of all objects, below `objects/`.
    pub(crate) fn objects(&self) -> Vec<String> {
        let mut objects = Vec::new();
        for shard in std::fs::read_dir(self.root().join("objects")).unwrap() {
            let shard = shard.unwrap();
            for object in std::fs::read_dir(shard.path()).unwrap() {
                let (shard, name) = (shard.file_name(), object.unwrap().file_name());
                objects.push(format!("{}/{}", shard.display(), name.display()));
            }
        }
        objects.sort();
        objects
    }
}
