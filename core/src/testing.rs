//! Tests only: the zoo, and a small writer of zstd:chunked layers in which lies can be planted.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use alloc::{format, vec};

use serde_json::{Value, json};

use crate::tar_split::fixture;
use crate::{
    Agreed, Complete, Decision, Digest, FetchError, Fetched, FileId, Inventory, Limits, Locator, Plan,
    Policy, Source, Toc, TocError, TocFetch, compress, decide,
};

pub(crate) mod stargz;

macro_rules! fixture_bytes {
    ($path:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/", $path)).as_slice()
    };
}
pub(crate) use fixture_bytes;

/// Podman 5.8.6's blob of the zoo.
pub(crate) const ZOO_BLOB: &[u8] = fixture_bytes!(
    "zoo/podman-5.8/blobs/sha256/0306b1830c52cf89dc10748a1d15ecdc00138069de068da02b97c5e7e9abe9b7"
);
pub(crate) const OLD_BLOB: &[u8] = fixture_bytes!(
    "zoo/podman-4.3/blobs/sha256/b8474a99c8061bb57c1195fb1e0fdf79bf37278f593d24c08c1277fb1e3b1387"
);
pub(crate) const GZIP_BLOB: &[u8] =
    fixture_bytes!("zoo/gzip/blobs/sha256/9ffe8ea191a3882922e8fb648416335c80f3e4cfd2e15ecc82af7c1ad5fc8a90");
pub(crate) const ZOO_TAR: &[u8] = fixture_bytes!("zoo/zoo.tar");

const KEY: &str = "io.github.containers.zstd-chunked.";

/// The annotations that podman put on the zoo.
pub(crate) fn zoo_annotations() -> BTreeMap<String, String> {
    annotations(
        "sha256:7475740a7ef13c460a9dda30ad604887692bbe1ad513668fc197fed3dca694a8",
        "224656:1735:6018:1",
        "226399:2417:46393",
    )
}

fn annotations(checksum: &str, position: &str, tar_split: &str) -> BTreeMap<String, String> {
    [("manifest-checksum", checksum), ("manifest-position", position), ("tarsplit-position", tar_split)]
        .map(|(key, value)| (format!("{KEY}{key}"), value.to_string()))
        .into()
}

/// A blob with its annotations.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) blob: Vec<u8>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) tar: Vec<u8>,
    /// Where the data frames end.
    pub(crate) data_end: usize,
}

/// A regular file, in chunks; with no chunks, a directory.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) name: &'static str,
    pub(crate) chunks: Vec<Vec<u8>>,
    /// What lies in the blob instead of the frame of one chunk.
    pub(crate) instead: BTreeMap<usize, Vec<u8>>,
    /// What the tar holds instead.
    pub(crate) in_tar: Option<Vec<u8>>,
}

pub(crate) fn made<const N: usize>(name: &'static str, chunks: [&[u8]; N]) -> Made {
    Made { name, chunks: chunks.map(<[u8]>::to_vec).into(), instead: BTreeMap::new(), in_tar: None }
}

/// Bytes that do not compress to nothing, different for each seed.
pub(crate) fn noise(seed: u32, len: usize) -> Vec<u8> {
    let mut x = seed;
    let step = |_| {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        x.to_be_bytes()[0] & 0x3f
    };
    (0..len).map(step).collect()
}

/// Writes a layer as today's podman does; `lie` may change the TOC before its digest is taken.
pub(crate) fn layer(members: &[Made], lie: impl FnOnce(&mut Value)) -> Layer {
    let (mut blob, mut tar, mut meta) = (Vec::new(), Vec::new(), Vec::new());
    let mut entries = Vec::new();
    for Made { name, chunks, instead, in_tar } in members {
        let content = chunks.concat();
        let header = header(name, content.len());
        tar.extend_from_slice(&header);
        meta.extend_from_slice(&header);
        let kind = if name.ends_with('/') { "dir" } else { "reg" };
        let mut entry = json!({"type": kind, "name": name, "mode": 0o644, "modtime": "1970-01-01T00:00:07Z"});
        if content.is_empty() {
            entries.push(entry);
            continue;
        }
        blob.extend(compress(&meta));
        let mut offset = 0;
        let mut more = Vec::new();
        for (at, chunk) in chunks.iter().enumerate() {
            let line =
                if at == 0 { &mut entry } else { more.push_mut(json!({"type": "chunk", "name": name})) };
            line["offset"] = blob.len().into();
            if chunks.len() > 1 {
                line["chunkSize"] = chunk.len().into();
                line["chunkOffset"] = offset.into();
                line["chunkDigest"] = Digest::of(chunk).to_string().into();
            }
            offset += chunk.len();
            blob.extend(instead.get(&at).cloned().unwrap_or_else(|| compress(chunk)));
        }
        entry["size"] = content.len().into();
        entry["digest"] = Digest::of(&content).to_string().into();
        entry["endOffset"] = blob.len().into();
        entries.push(entry);
        entries.extend(more);
        let content = in_tar.as_ref().unwrap_or(&content);
        tar.extend_from_slice(content);
        meta = vec![0; content.len().next_multiple_of(512) - content.len()];
        tar.extend_from_slice(&meta);
    }
    meta.extend([0; 1024]);
    tar.extend([0; 1024]);
    blob.extend(compress(&meta));
    let data_end = blob.len();
    let lines = fixture::write(&tar).unwrap().0;
    let split = compress(&lines);
    let mut toc = json!({"version": 1, "entries": entries, "tarSplitDigest": Digest::of(&split).to_string()});
    lie(&mut toc);
    let json = toc.to_string();
    let toc = compress(json.as_bytes());
    let position = format!("{}:{}:{}:1", append(&mut blob, &toc), toc.len(), json.len());
    let tar_split = format!("{}:{}:{}", append(&mut blob, &split), split.len(), lines.len());
    let annotations = annotations(&Digest::of(&toc).to_string(), &position, &tar_split);
    Layer { blob, annotations, tar, data_end }
}

/// Appends a skippable frame and returns where its content begins.
fn append(blob: &mut Vec<u8>, bytes: &[u8]) -> usize {
    blob.extend([0x50, 0x2a, 0x4d, 0x18]);
    blob.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    blob.extend_from_slice(bytes);
    blob.len() - bytes.len()
}

pub(crate) fn header(name: &str, size: usize) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, "00000000007");
    put(148, "        ");
    put(156, if name.ends_with('/') { "5" } else { "0" });
    put(257, "ustar\x0000");
    let sum = header.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header
}

impl Layer {
    pub(crate) fn zoo() -> Self {
        let (blob, tar) = (ZOO_BLOB.to_vec(), ZOO_TAR.to_vec());
        Self { blob, annotations: zoo_annotations(), tar, data_end: 224_648 }
    }

    pub(crate) fn locator(&self) -> Locator {
        let len = self.blob.len() as u64;
        Locator::from_annotations(&self.annotations, len, &Limits::default()).unwrap().unwrap()
    }

    /// A fetch of TOC and tar-split that has all its bytes.
    pub(crate) fn fetch(&self) -> TocFetch {
        let mut fetch = TocFetch::new(self.locator(), Limits::default());
        let range = fetch.remaining();
        fetch.receive(&self.blob[range.start as usize..range.end as usize]);
        fetch
    }

    pub(crate) fn fetched(&self) -> Result<Fetched, TocError> {
        self.fetch().finish()
    }

    pub(crate) fn toc(&self) -> Toc {
        self.fetched().unwrap().toc
    }

    pub(crate) fn agreed(&self) -> Agreed {
        let Fetched { toc, tar_split } = self.fetched().unwrap();
        Agreed::new(toc, tar_split.unwrap().read(&Limits::default()).unwrap()).unwrap()
    }

    pub(crate) fn diff_id(&self) -> Digest {
        Digest::of(&self.tar)
    }

    /// The content of every regular file that has any, as the tar holds it.
    pub(crate) fn contents(&self) -> BTreeMap<FileId, Vec<u8>> {
        let (_, contents) = fixture::write(&self.tar).unwrap();
        let contents = contents.into_iter().enumerate().filter(|(_, content)| !content.is_empty());
        contents.map(|(index, content)| (FileId::new(index), content)).collect()
    }
}

pub(crate) fn plan(toc: &Arc<Toc>, inventory: &Inventory) -> Plan {
    plan_with(toc, inventory, &Policy::default())
}

pub(crate) fn plan_with(toc: &Arc<Toc>, inventory: &Inventory, policy: &Policy) -> Plan {
    match decide(toc, inventory, policy) {
        Decision::Partial(plan) => plan,
        Decision::Whole(reason) => panic!("{reason}"),
    }
}

pub(crate) type Files = BTreeMap<FileId, Vec<u8>>;

/// Carries out a plan in memory; `cut` says how long the next piece of a body is, `objects` what donors hold.
pub(crate) fn pull(
    blob: &[u8],
    plan: &Plan,
    objects: &BTreeMap<Digest, Vec<u8>>,
    mut cut: impl FnMut() -> usize,
) -> Result<(Files, Complete), FetchError> {
    let mut files = blank(plan, objects);
    let (mut ledger, fetches) = plan.start();
    for mut fetch in fetches {
        while !fetch.remaining().is_empty() {
            let at = fetch.remaining().start as usize;
            let end = (at + cut()).min(fetch.remaining().end as usize).min(blob.len());
            if at == end {
                break;
            }
            let mut chunks = fetch.receive(&blob[at..end]);
            while let Some(lent) = chunks.next_chunk()? {
                let file = files.get_mut(&lent.file).unwrap();
                file[lent.offset as usize..][..lent.bytes.len()].copy_from_slice(lent.bytes);
            }
        }
        ledger.credit(fetch.finish()?);
    }
    twins(plan, &mut files);
    Ok((files, ledger.close().unwrap()))
}

/// The files before anything is fetched: what donors hold, and zeros.
pub(crate) fn blank(plan: &Plan, objects: &BTreeMap<Digest, Vec<u8>>) -> Files {
    let mut files = Files::new();
    for planned in plan.files() {
        let size = plan.toc().file(planned.file).unwrap().member().size as usize;
        let content = match &planned.source {
            Source::Held { digest, .. } => objects[digest].clone(),
            Source::Twin { .. } => Vec::new(),
            Source::Assembled { donated, .. } => {
                let mut content = vec![0; size];
                for piece in donated {
                    let (from, len) = (piece.chunk.offset as usize, piece.chunk.len as usize);
                    let bytes = &objects[&piece.chunk.object][from..from + len];
                    content[piece.offset as usize..][..len].copy_from_slice(bytes);
                }
                content
            }
        };
        files.insert(planned.file, content);
    }
    files
}

/// Fills in the files that repeat earlier ones.
pub(crate) fn twins(plan: &Plan, files: &mut Files) {
    for planned in plan.files() {
        if let Source::Twin { of, .. } = planned.source {
            files.insert(planned.file, files[&of].clone());
        }
    }
}
