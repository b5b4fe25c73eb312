//! Exported files: what is known of images, without the images, to be looked at elsewhere.
//!
//! Lines, compressed as gzip: first which images there are, and of each the numbers of its layers' lines, then a line for
//! each layer, once however many images have it. [`Known::to_line`](shingle_core::forecast::Known::to_line) writes those.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use shingle_core::forecast::{Known, KnownError};
use shingle_core::{Digest, Policy};

use super::Contents;
use crate::transport::{TransferError, replace_file};
use crate::{count, length};

/// What the first line calls the format.
const FORMAT: &str = "shingle-tocs";
const VERSION: u32 = 1;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Exported {
    /// How many images there are.
    pub images: u64,
    /// How many layers, each once.
    pub layers: u64,
    /// How long the file is before it is compressed, in bytes.
    pub plain_bytes: u64,
}

/// Images that could not be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A layer that contradicts itself.
    #[error("{image}, layer {}", index + 1)]
    Layer {
        /// What the image is called.
        image: String,
        /// The layer's place in the image, from 0 at the bottom.
        index: usize,
        /// What is wrong with it.
        source: Box<KnownError>,
    },
    /// The file.
    #[error(transparent)]
    File(#[from] TransferError),
    /// Nobody takes what is written.
    #[error("cannot write what is exported")]
    Write(#[from] io::Error),
}

/// The first line.
#[derive(Serialize)]
struct Head<'a> {
    format: &'static str,
    version: u32,
    images: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    digest: Digest,
    platform: Option<String>,
    /// Lines, from 1.
    layers: Vec<u64>,
}

/// Writes what is known of images; `policy` is that of the pulls that are spoken of.
///
/// # Errors
/// Nobody takes it, or a layer is shorter than its TOC says.
pub fn export(images: &[Contents], policy: &Policy, to: impl Write) -> Result<Exported, ExportError> {
    let mut lines: Vec<Known> = Vec::new();
    let mut numbers = BTreeMap::new();
    let mut listed = Vec::new();
    for image in images {
        let mut layers = Vec::new();
        for (index, layer) in image.layers.iter().enumerate() {
            let key = (layer.blob, layer.diff_id, &layer.media_type);
            let number = match numbers.get(&key) {
                Some(number) => *number,
                None => {
                    let known = layer.known(policy);
                    lines.push(known.map_err(|source| ExportError::Layer {
                        image: image.name.clone(),
                        index,
                        source: Box::new(source),
                    })?);
                    let number = count(lines.len());
                    numbers.insert(key, number);
                    number
                }
            };
            layers.push(number);
        }
        let platform = image.platform.as_ref().map(ToString::to_string);
        listed.push(Listed { name: &image.name, digest: image.digest, platform, layers });
    }
    let head = Head { format: FORMAT, version: VERSION, images: listed };
    let mut gzip = GzEncoder::new(to, Compression::new(6));
    let mut plain_bytes = 0_u64;
    let mut write = |line: &[u8]| {
        plain_bytes = plain_bytes.saturating_add(length(line)).saturating_add(1);
        gzip.write_all(line).and_then(|()| gzip.write_all(b"\n"))
    };
    write(&serde_json::to_vec(&head).map_err(io::Error::from)?)?;
    for line in &lines {
        write(&line.to_line())?;
    }
    gzip.finish()?.flush()?;
    Ok(Exported { images: count(images.len()), layers: count(lines.len()), plain_bytes })
}

/// Writes what is known of images to a file, in place of the one that is there, which stays until all is written.
///
/// # Errors
/// As of [`export`], or the file cannot be written.
pub fn export_to(
    path: impl AsRef<Path>,
    images: &[Contents],
    policy: &Policy,
) -> Result<Exported, ExportError> {
    let mut exported = None;
    let path = path.as_ref();
    replace_file(path, |to| {
        let written = export(images, policy, to).map_err(|error| match error {
            ExportError::Write(source) => TransferError::file("write", path)(source).into(),
            error => error,
        });
        exported = Some(written?);
        Ok::<_, ExportError>(())
    })?;
    exported.ok_or_else(|| io::Error::from(io::ErrorKind::WriteZero).into())
}

impl ExportError {
    /// Whether a layer was refused; otherwise something on this machine failed.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Layer { .. })
    }

    /// Returns what the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Layer { .. } => Some("the layer was pushed broken: have it pushed again".to_owned()),
            Self::File(error) => error.hint(),
            Self::Write(_) => None,
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test looks at what was written")]
mod tests {
    use std::io::Read as _;

    use serde_json::Value;
    use shingle_core::Limits;

    use super::*;
    use crate::contents::{Quiet, ReadOptions, read_all};
    use crate::registry::{Client, ClientOptions};
    use crate::transport::{Source, open_source};

    fn contents(names: &[&str]) -> Vec<Contents> {
        let client = Client::new(ClientOptions::default()).unwrap();
        let open = |name: &&str| {
            let place = format!("oci:{}/../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
            open_source(&place.parse().unwrap(), &client).unwrap()
        };
        let sources: Vec<Box<dyn Source>> = names.iter().map(open).collect();
        let named: Vec<_> = names.iter().copied().zip(sources.iter().map(|source| &**source)).collect();
        read_all(&named, &ReadOptions::default(), &Quiet).unwrap()
    }

    #[test]
    fn what_is_written_is_what_is_known() {
        let images = contents(&["demo:v1", "demo:v2", "zoo/gzip", "demo:v1"]);
        let policy = Policy::default();
        let mut bytes = Vec::new();
        let exported = export(&images, &policy, &mut bytes).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap();
        assert_eq!(exported.plain_bytes, length(text.as_bytes()));
        let mut lines = text.lines();
        let head: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        assert_eq!((&head["format"], &head["version"]), (&"shingle-tocs".into(), &1.into()));
        let numbers = |image: usize| head["images"][image]["layers"].to_string();
        assert_eq!([0, 1, 2, 3].map(numbers), ["[1,2]", "[1,3]", "[4]", "[1,2]"]);
        let known: Vec<_> =
            lines.map(|line| Known::from_line(line.as_bytes(), &Limits::default()).unwrap()).collect();
        assert_eq!((exported.images, exported.layers, known.len()), (4, 4, 4));
        for (image, listed) in images.iter().zip(head["images"].as_array().unwrap()) {
            assert_eq!(listed["name"], *image.name);
            assert_eq!(listed["digest"], image.digest.to_string());
            assert_eq!(listed["platform"], image.platform.as_ref().unwrap().to_string());
            for (layer, number) in image.layers.iter().zip(listed["layers"].as_array().unwrap()) {
                let known = &known[usize::try_from(number.as_u64().unwrap()).unwrap() - 1];
                assert_eq!(*known, layer.known(&policy).unwrap());
            }
        }
    }

    #[test]
    fn a_file_is_replaced_when_all_is_written() {
        let images = contents(&["demo:v1"]);
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("demo.shingle-tocs");
        let names = || home.path().read_dir().unwrap().count();
        let exported = export_to(&path, &images, &Policy::default()).unwrap();
        let first = std::fs::read(&path).unwrap();
        assert_eq!((exported.layers, names()), (2, 1));
        assert_eq!(export_to(&path, &images, &Policy::default()).unwrap(), exported);
        assert_eq!((std::fs::read(&path).unwrap(), names()), (first.clone(), 1));

        // A layer that ends before its TOC does.
        let mut broken = images;
        broken[0].layers[1].blob_bytes = 10;
        let error = export_to(&path, &broken, &Policy::default()).unwrap_err();
        assert!(error.is_refusal() && error.to_string() == "demo:v1, layer 2", "{error}");
        assert_eq!((std::fs::read(&path).unwrap(), names()), (first, 1));
    }
}
