//! OCI image layouts: a directory of blobs, and an index that names images.

use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::engine::Core;
use crate::image::{Answer, DOCUMENT, Index, Named, Source, digest_of, hex, read_up_to};

/// A layout, and the image in it that is meant.
#[derive(Debug)]
pub(crate) struct Layout {
    dir: PathBuf,
    tag: Option<String>,
}

impl Layout {
    /// Takes `DIR[:TAG]` apart.
    pub(crate) fn open(text: &str) -> Result<Self> {
        let (dir, tag) = text.split_once(':').map_or((text, None), |(dir, tag)| (dir, Some(tag.to_owned())));
        let dir = Path::new(dir).to_owned();
        ensure!(dir.join("oci-layout").is_file(), "{} is no OCI image layout", dir.display());
        Ok(Self { dir, tag })
    }

    fn blob(&self, digest: &str) -> Result<File> {
        let path = self.dir.join("blobs/sha256").join(hex(digest)?);
        File::open(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

impl Source for Layout {
    fn document(&mut self, _core: &mut Core, name: &Named<'_>) -> Result<Option<Vec<u8>>> {
        let digest = match name {
            Named::Digest(digest) => (*digest).to_owned(),
            Named::Tag(tag) => {
                let index = read_up_to(File::open(self.dir.join("index.json"))?, DOCUMENT)?;
                let index: Index = serde_json::from_slice(&index).context("index.json cannot be read")?;
                let mut named =
                    index.manifests.iter().filter(|entry| tag.is_none_or(|tag| entry.is_named(tag)));
                match (named.next(), named.next(), tag) {
                    (None, ..) => return Ok(None),
                    (_, Some(_), None) => bail!("there are several images; name one: oci:DIR:TAG"),
                    (Some(entry), ..) => entry.digest.clone(),
                }
            }
        };
        let bytes = read_up_to(self.blob(&digest)?, DOCUMENT)?;
        ensure!(digest_of(&bytes) == digest, "the manifest {digest} is something else");
        Ok(Some(bytes))
    }

    fn range(&mut self, _core: &mut Core, blob: &str, size: u64, range: Range<u64>) -> Result<Answer> {
        let mut file = self.blob(blob)?;
        let length = file.metadata()?.len();
        ensure!(length == size, "the blob {blob} is {length} bytes long, the manifest says {size}");
        file.seek(SeekFrom::Start(range.start))?;
        Ok(Answer::Part(Box::new(file)))
    }

    fn whole(&mut self, _core: &mut Core, blob: &str, _size: u64) -> Result<Box<dyn Read>> {
        Ok(Box::new(self.blob(blob)?))
    }

    fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    fn beside(&self, suffix: &str) -> Result<(String, String), (String, &'static str)> {
        Err((format!("TAG{suffix}"), "is looked for in registries only"))
    }
}
