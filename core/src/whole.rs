//! A layer read front to back: the tar alone says everything, and its TOC is made on the way.

mod content;
mod cuts;
mod recut;
#[cfg_attr(not(feature = "writer"), path = "whole/no_split.rs")]
mod split;

use alloc::sync::Arc;
use alloc::vec::Vec;

pub use recut::Recut;

use content::{Content, ZEROS};
use cuts::Cuts;
use split::SplitWriter;

use crate::tar::{TarError, TarEvent, TarReader};
use crate::toc::{CompressedTarSplit, FileId, Toc};
use crate::unwrap::WholeBlob;
use crate::verified::VerifiedLayer;
use crate::{Digest, Hasher, Kind, Limits, Member};

/// GNU tar and its kin write in records of 20 blocks, and fill the last one with zeros.
const RECORD: u64 = 10_240;

/// Takes a layer's tar and lends the contents of its files, each with its digest at its end.
#[derive(Debug)]
pub struct WholeFetch {
    tar: TarReader,
    diff_id: Hasher,
    /// How long the tar is so far.
    len: u64,
    limits: Limits,
    members: Vec<(Member, Option<Digest>)>,
    content_bytes: u64,
    /// The file being received.
    file: Option<Content>,
    /// The chunks of the files so far.
    cuts: Cuts,
    split: Option<SplitWriter>,
    failed: Option<WholeError>,
}

/// What a step of [`WholeFetch`] brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a shell that misses one would lose content")]
pub enum WholePiece<'a> {
    /// A file with content begins.
    Begin {
        /// Which one.
        file: FileId,
        /// Its length, holes included.
        size: u64,
    },
    /// Bytes of the file that began last; what is skipped between two is a hole.
    Data {
        /// Where they belong.
        offset: u64,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The file that began last is complete.
    End {
        /// Which one.
        file: FileId,
        /// The digest of its content.
        digest: Digest,
    },
}

/// A layer that was read whole: proven, with the TOC and tar-split that were made of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct WholeLayer {
    /// The proof.
    pub verified: VerifiedLayer,
    /// The tar without its contents; `None` for a layer with sparse files, which the form cannot hold, where it would go
    /// over the limits, and without the feature `writer`.
    pub tar_split: Option<CompressedTarSplit>,
    /// Zeros at the tar's end that its writer left out of the blob, in bytes; they are proven like the rest.
    pub padding: u64,
}

impl WholeFetch {
    /// Starts at the beginning of the tar.
    pub fn new(limits: &Limits) -> Self {
        Self {
            tar: TarReader::new(limits),
            diff_id: Hasher::new(),
            len: 0,
            limits: *limits,
            members: Vec::new(),
            content_bytes: 0,
            file: None,
            cuts: Cuts::none(limits),
            split: SplitWriter::new(),
            failed: None,
        }
    }

    /// Starts like [`new`](Self::new), and cuts every file into the chunks that a zstd:chunked writer would cut it into,
    /// so that later layers can take parts of it. A sparse file is cut as it reads, holes filled with zeros.
    ///
    /// Costs another look at every byte, and another hash of those that lie behind the first chunk of their file. A
    /// layer whose TOC would grow over the limits by it has no chunks in the end.
    pub fn with_chunks(limits: &Limits) -> Self {
        Self { cuts: Cuts::new(limits), ..Self::new(limits) }
    }

    /// Takes the next bytes of the uncompressed tar. The guard must be read to its end.
    pub fn receive<'a>(&'a mut self, bytes: &'a [u8]) -> WholePieces<'a> {
        self.diff_id.update(bytes);
        self.len = self.len.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        // Zeros after the end of an archive go on for ever, in next to no blob.
        if self.len > self.limits.content {
            self.failed.get_or_insert(WholeError::TooLarge { len: self.len, limit: self.limits.content });
        }
        let Self { tar, members, content_bytes, file, cuts, split, limits, failed, .. } = self;
        WholePieces {
            events: tar.receive(bytes),
            failed,
            state: State { members, content_bytes, file, cuts, split, limits },
        }
    }

    /// Returns the digest of the tar that came so far: after its last byte, the DiffID of a layer which nobody named.
    pub fn diff_id(&self) -> Digest {
        self.diff_id.clone().finish()
    }

    /// Ends the tar and compares it with the DiffID that the image's config names.
    ///
    /// # Errors
    /// The tar ends early or is another one.
    #[expect(clippy::needless_pass_by_value, reason = "the proof is spent")]
    pub fn finish(self, blob: WholeBlob, expected: &Digest) -> Result<WholeLayer, WholeError> {
        let WholeBlob { .. } = blob;
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.tar.finish().map_err(WholeError::Tar)?;
        // Podman 4.3 left the padding of the last record out of the blob, but not out of the DiffID.
        // Zeros after the end of an archive are nobody's content, and the DiffID proves that they belong there.
        let missing = self.len.next_multiple_of(RECORD).saturating_sub(self.len);
        let mut padded = self.diff_id.clone();
        zeros(&mut padded, missing);
        let actual = self.diff_id.finish();
        let padding = if actual == *expected { 0 } else { missing };
        if padding > 0 && padded.finish() != *expected || padding == 0 && actual != *expected {
            return Err(WholeError::DiffId { expected: *expected, actual });
        }
        let toc = self.cuts.apply(Toc::from_members(self.members));
        let verified = VerifiedLayer::new(*expected, Arc::new(toc));
        let limits = self.limits;
        let is_read_back = |split: &CompressedTarSplit| {
            split.plain_len() <= limits.tar_split
                && u64::try_from(split.as_bytes().len()).is_ok_and(|len| len <= limits.tar_split_compressed)
        };
        let tar_split = self.split.map(|mut split| {
            let mut left = padding;
            while left > 0 {
                let now = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
                split.raw(ZEROS.get(..now).unwrap_or_default());
                left = left.saturating_sub(u64::try_from(now).unwrap_or(left).max(1));
            }
            split.finish()
        });
        let tar_split = tar_split.filter(is_read_back);
        Ok(WholeLayer { verified, tar_split, padding })
    }
}

/// Lends the contents that some bytes of a tar hold.
#[derive(Debug)]
#[must_use = "what is not read here is lost"]
pub struct WholePieces<'a> {
    events: crate::tar::TarEvents<'a>,
    failed: &'a mut Option<WholeError>,
    state: State<'a>,
}

#[derive(Debug)]
struct State<'a> {
    members: &'a mut Vec<(Member, Option<Digest>)>,
    content_bytes: &'a mut u64,
    file: &'a mut Option<Content>,
    cuts: &'a mut Cuts,
    split: &'a mut Option<SplitWriter>,
    limits: &'a Limits,
}

impl<'a> WholePieces<'a> {
    /// Returns the next step, or `None` when all bytes were used.
    ///
    /// # Errors
    /// The bytes are no tar, or go over a limit. The error repeats from then on.
    pub fn next_piece(&mut self) -> Result<Option<WholePiece<'a>>, WholeError> {
        if let Some(error) = &*self.failed {
            return Err(error.clone());
        }
        self.step().inspect_err(|error| *self.failed = Some(error.clone()))
    }

    fn step(&mut self) -> Result<Option<WholePiece<'a>>, WholeError> {
        while let Some(event) = self.events.next_event().map_err(WholeError::Tar)? {
            if let Some(piece) = self.state.take(event)? {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

impl State<'_> {
    fn take<'e>(&mut self, event: TarEvent<'e>) -> Result<Option<WholePiece<'e>>, WholeError> {
        match event {
            TarEvent::Raw(bytes) => {
                if let Some(split) = self.split {
                    split.raw(bytes);
                }
                // No store would read it back.
                if self.split.as_ref().is_some_and(|split| split.plain_len() > self.limits.tar_split) {
                    *self.split = None;
                }
                Ok(None)
            }
            TarEvent::Member(entry) => self.member(entry),
            TarEvent::Data { offset, bytes } => {
                if let Some(content) = self.file {
                    content.receive(offset, bytes, &mut self.cuts.budget);
                }
                if let Some(split) = self.split {
                    split.data(bytes);
                }
                Ok(Some(WholePiece::Data { offset, bytes }))
            }
            TarEvent::EndMember => {
                if let Some(split) = self.split {
                    split.end();
                }
                let Some(content) = self.file.take() else { return Ok(None) };
                let file = FileId::new(self.members.len().saturating_sub(1));
                let Some((member, digest)) = self.members.last_mut() else { return Ok(None) };
                let (content, chunks) = content.finish(member.size, &mut self.cuts.budget);
                if let Some(chunks) = chunks {
                    self.cuts.add(file, chunks);
                }
                *digest = Some(content);
                Ok(Some(WholePiece::End { file, digest: content }))
            }
        }
    }

    fn member(&mut self, entry: crate::tar::Entry) -> Result<Option<WholePiece<'static>>, WholeError> {
        if entry.is_sparse() {
            *self.split = None;
        }
        if let Some(split) = self.split {
            split.begin(&entry.member, entry.stored);
        }
        let member = entry.member;
        let file = FileId::new(self.members.len());
        let (size, regular) = (member.size, member.kind == Kind::Regular);
        let cut = self.cuts.budget.enter(&member.name);
        self.members.push((member, regular.then_some(Digest::EMPTY)));
        if !regular || size == 0 {
            return Ok(None);
        }
        *self.content_bytes = self.content_bytes.saturating_add(size);
        if size > self.limits.file || *self.content_bytes > self.limits.content {
            return Err(WholeError::TooLarge { len: *self.content_bytes, limit: self.limits.content });
        }
        *self.file = Some(Content::new(cut));
        Ok(Some(WholePiece::Begin { file, size }))
    }
}

fn zeros(hasher: &mut Hasher, len: u64) {
    let mut left = len;
    while left > 0 {
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
        hasher.update(ZEROS.get(..now).unwrap_or_default());
        left = left.saturating_sub(u64::try_from(now).unwrap_or(left).max(1));
    }
}

/// A tar that is not the one the image names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum WholeError {
    /// It has another digest.
    #[error("the layer's tar is {actual}, the image says {expected} (DiffID)")]
    DiffId {
        /// The DiffID in the image's config.
        expected: Digest,
        /// The digest of the tar.
        actual: Digest,
    },
    /// It is no tar.
    #[error("{0}")]
    Tar(TarError),
    /// Its files are too large together, or all that there is.
    #[error("the layer comes to {len} bytes or more, the limit is {limit}")]
    TooLarge {
        /// The length so far.
        len: u64,
        /// The limit.
        limit: u64,
    },
}

impl WholeError {
    /// Whether the tar is another one than the image says, or grows without end; else it is only not understood.
    pub const fn is_lie(&self) -> bool {
        match self {
            Self::DiffId { .. } | Self::TooLarge { .. } => true,
            Self::Tar(_) => false,
        }
    }
}

#[cfg(test)]
mod tests;
