//! The members whose headers a tar-split holds.

use crate::member::Name;
use crate::tar::{Entry, TarError, TarEvent, TarReader};

use super::{RawCursor, TarSplit};

/// Yields one member for each file of a tar-split, in the order of the tar.
///
/// All raw bytes are read as the one stream that they are cut from: where a writer cut them means nothing, and after
/// the end of the archive nothing does. (podman parses each record by itself, and so refuses layers that it wrote.)
#[derive(Debug)]
pub struct Members<'a> {
    split: &'a TarSplit,
    raw: RawCursor,
    tar: TarReader,
    /// The next file.
    index: usize,
    done: bool,
}

impl<'a> Members<'a> {
    pub(super) fn new(split: &'a TarSplit) -> Self {
        Self { split, raw: RawCursor::default(), tar: TarReader::new(&split.limits), index: 0, done: false }
    }

    fn step(&mut self) -> Result<Option<Entry>, TarSplitError> {
        let index = self.index;
        let mut found = None::<Entry>;
        while let Some(bytes) = self.split.raw_before(index, &mut self.raw) {
            let mut events = self.tar.receive(bytes);
            while let Some(event) =
                events.next_event().map_err(|source| TarSplitError::Tar { file: index, source })?
            {
                match event {
                    TarEvent::Member(entry) => {
                        if found.is_some() || self.split.file(index).is_none() {
                            return Err(TarSplitError::NoRecord { file: index, name: entry.member.name });
                        }
                        found = Some(entry);
                    }
                    TarEvent::Data { bytes, .. } => {
                        let name = found.map(|entry| entry.member.name).unwrap_or_default();
                        return Err(TarSplitError::LooseContent { file: index, name, actual: bytes.len() });
                    }
                    TarEvent::EndMember | TarEvent::Raw(_) => {}
                }
            }
        }
        let Some(file) = self.split.file(index) else { return Ok(None) };
        let Some(entry) = found else {
            return Err(TarSplitError::NoHeader { file: index, name: file.name.into() });
        };
        if entry.member.name.as_bytes() != file.name {
            let (expected, actual) = (entry.member.name, file.name.into());
            return Err(TarSplitError::Name { file: index, expected, actual });
        }
        if entry.is_sparse() {
            return Err(TarSplitError::Sparse { file: index, name: entry.member.name });
        }
        // The reference writes down the size that a link claims, though no content follows.
        let claim = entry.stored == 0 && entry.member.size == file.size && !self.tar.ignores_payload();
        if !claim && !self.tar.pass_content(file.size) {
            let (expected, actual) = (entry.stored, file.size);
            return Err(TarSplitError::Size { file: index, name: entry.member.name, expected, actual });
        }
        self.index = index.saturating_add(1);
        Ok(Some(entry))
    }

    fn end(&mut self) -> Result<(), TarSplitError> {
        let tar = core::mem::replace(&mut self.tar, TarReader::new(&self.split.limits));
        tar.finish().map_err(|source| TarSplitError::Tar { file: self.index, source })
    }
}

impl Iterator for Members<'_> {
    type Item = Result<Entry, TarSplitError>;

    /// Yields the next member; the iterator ends after an error.
    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = match self.step() {
            Ok(None) => self.end().map(|()| None),
            step => step,
        };
        self.done = !matches!(step, Ok(Some(_)));
        step.transpose()
    }
}

/// A tar-split whose records and headers are not of the same tar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum TarSplitError {
    /// Content lies among the headers instead of in a record of its own.
    #[error("tar-split: {actual} bytes of the content of {name} lie before file {file}")]
    LooseContent {
        /// The file before which they lie, counted from 0.
        file: usize,
        /// The member's name.
        name: Name,
        /// How many bytes, at least.
        actual: usize,
    },
    /// A file is called otherwise than its header says.
    #[error("tar-split: file {file} is called {actual}, but its header says {expected}")]
    Name {
        /// Which file, counted from 0.
        file: usize,
        /// The name in the header.
        expected: Name,
        /// The name in the record.
        actual: Name,
    },
    /// A file has no header before it.
    #[error("tar-split: file {file}, {name}, has no tar header")]
    NoHeader {
        /// Which file, counted from 0.
        file: usize,
        /// The name in the record.
        name: Name,
    },
    /// A header has no file after it.
    #[error("tar-split: the tar header of {name} has no record, where file {file} should be")]
    NoRecord {
        /// Which file it should be, counted from 0.
        file: usize,
        /// The name in the header.
        name: Name,
    },
    /// A file's content has another length than its header says.
    #[error("tar-split: file {file}, {name}, has {actual} bytes, but its header says {expected}")]
    Size {
        /// Which file, counted from 0.
        file: usize,
        /// The member's name.
        name: Name,
        /// The length of content after the header.
        expected: u64,
        /// The length in the record.
        actual: u64,
    },
    /// A sparse file, whose map of holes tar-split has no place for.
    #[error("tar-split: file {file}, {name}, is sparse, and cannot be built again")]
    Sparse {
        /// Which file, counted from 0.
        file: usize,
        /// The member's name.
        name: Name,
    },
    /// A header cannot be read.
    #[error("tar-split: cannot read the header of file {file}")]
    Tar {
        /// Which file, counted from 0.
        file: usize,
        /// What is wrong with it; its offsets count contents too.
        source: TarError,
    },
}
