//! A tar-split held against the tar, as the tar goes by.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::tar::Entry;
use crate::tar_split::{Faulty, RecordError, SplitFile, TarSplit, TarSplitReader, Tolerated};
use crate::toc::CompressedTarSplit;
use crate::zstd::Decoder;
use crate::{Crc64, Limits, Name};

use super::{Code, Findings, Place};

/// How far to look for the record of a member that is not where it should be.
const AHEAD: usize = 10_000;

/// Where a tar-split and its tar stand.
#[derive(Debug)]
pub(super) struct SplitCheck {
    split: TarSplit,
    /// Its raw bytes, joined.
    said: Vec<u8>,
    faulty: Vec<Faulty>,
    /// The records of files by name, made once it is needed.
    by_name: Option<Vec<usize>>,
    /// The next record of a file.
    file: usize,
    /// How many raw bytes were compared.
    raw: usize,
    /// How many there were before the last record of a file.
    aligned: usize,
    /// The first place since the last record of a file where they differ.
    differs: Option<Difference>,
    /// The record of the member that is being read, and the checksum of its content so far.
    member: Option<(Option<usize>, Crc64, u64)>,
    /// What our own reader has against it.
    refused: Option<String>,
}

#[derive(Debug)]
struct Difference {
    tar_offset: u64,
    expected: String,
    actual: String,
}

impl SplitCheck {
    /// Reads the records; `None` when nothing can be compared with them.
    pub(super) fn read(
        compressed: &[u8],
        plain_len: u64,
        limits: &Limits,
        findings: &mut Findings,
    ) -> Option<Self> {
        let mut decoder = Decoder::new(limits.window_log);
        let mut reader = TarSplitReader::tolerant(limits);
        let mut plain = alloc::vec![0; 128 * 1024];
        let (mut rest, mut total) = (compressed, 0_u64);
        let mut stopped = None;
        let problem = loop {
            let progress = match decoder.decode(rest, &mut plain) {
                Ok(progress) => progress,
                Err(error) => break Some(format!("{error}")),
            };
            rest = rest.get(progress.read..).unwrap_or_default();
            if progress.read == 0 && progress.written == 0 {
                let whole = decoder.at_frame_end() && rest.is_empty();
                break (!whole).then(|| "it ends inside a frame".into());
            }
            total = total.saturating_add(u64::try_from(progress.written).unwrap_or(u64::MAX));
            if let Err(error) = reader.receive(plain.get(..progress.written).unwrap_or_default()) {
                stopped = Some(error);
                break None;
            }
        };
        if let Some(problem) = problem {
            findings.add(Code::SplitZstd, Place::default(), "", problem);
            return None;
        }
        if let Some(error) = stopped {
            findings.add(Code::SplitRecord, place_of(&error), "", error);
            return None;
        }
        if total != plain_len {
            findings.add(Code::SplitLength, Place::default(), plain_len, total);
        }
        let Tolerated { split, raw, faulty, tail } = reader.finish_tolerant();
        check_end(&split, &raw, &tail, findings);
        for Faulty { error, .. } in &faulty {
            findings.add(Code::SplitRecord, place_of(error), "", error);
        }
        if faulty.is_empty()
            && let Err(error) = CompressedTarSplit::from_store(compressed.to_vec(), total).read(limits)
        {
            // Told in other words once the tar is there, if it has anything to do with the tar.
            return Some(Self { refused: Some(format!("{error}")), ..Self::new(split, raw, faulty) });
        }
        Some(Self::new(split, raw, faulty))
    }

    fn new(split: TarSplit, said: Vec<u8>, faulty: Vec<Faulty>) -> Self {
        Self {
            split,
            said,
            faulty,
            by_name: None,
            file: 0,
            raw: 0,
            aligned: 0,
            differs: None,
            member: None,
            refused: None,
        }
    }

    /// Takes bytes that are no content.
    pub(super) fn raw(&mut self, bytes: &[u8], tar_offset: u64) {
        let end = self.raw.saturating_add(bytes.len());
        let said = self.said.get(self.raw.min(self.said.len())..);
        let said = said.and_then(|said| said.get(..bytes.len().min(said.len()))).unwrap_or_default();
        if self.differs.is_none() && said != bytes {
            let same = said.iter().zip(bytes).take_while(|(said, real)| said == real).count();
            let excerpt = |bytes: &[u8]| match bytes.get(same..) {
                None | Some([]) => "no more bytes".into(),
                Some(rest) => {
                    format!("\"{}\"", rest.get(..rest.len().min(16)).unwrap_or_default().escape_ascii())
                }
            };
            let at = tar_offset.saturating_add(u64::try_from(same).unwrap_or(u64::MAX));
            self.differs =
                Some(Difference { tar_offset: at, expected: excerpt(said), actual: excerpt(bytes) });
        }
        self.raw = end;
    }

    /// Takes a member whose headers came before; `tar_offset` is where its content begins.
    pub(super) fn member(&mut self, entry: &Entry, tar_offset: u64, findings: &mut Findings) {
        let name = &entry.member.name;
        if entry.is_sparse() {
            findings.add(Code::SplitSparse, Place::name(name).of_tar(tar_offset), "", "");
        }
        let here = self.split.file(self.file);
        let named = here.map_or_else(|| "no more files".into(), |file| format!("{}", Name::from(file.name)));
        // A name that could not be read is no other name.
        let is_here = here.is_some_and(|here| here.name == name.as_bytes() || self.is_faulty(here.index));
        let more = here.is_some();
        let found = if is_here { Some(self.file) } else { self.ahead(name.as_bytes()) };
        // Without content the record may be left out: nobody needs it to build the tar.
        if let Some(index) = found {
            for skipped in self.file..index {
                let name = self.split.file(skipped).map(|file| Name::from(file.name)).unwrap_or_default();
                findings.add(Code::SplitExtra, Place::name(&name), "", "");
            }
            self.align(index, tar_offset, Some(name), findings);
            self.file = index.saturating_add(1);
        } else if entry.stored > 0 {
            // A record in the right place is this member's, under whatever name.
            if more && self.split.raw_end(self.file) == self.raw {
                self.align(self.file, tar_offset, Some(name), findings);
                self.file = self.file.saturating_add(1);
            }
            findings.add(Code::SplitName, Place::name(name).of_tar(tar_offset), named, name);
        }
        self.member = Some((found, Crc64::new(), entry.stored));
        if let Some(file) =
            found.and_then(|index| self.split.file(index)).filter(|file| !self.is_faulty(file.index))
        {
            // The reference writes down the size that a link claims, though no content follows.
            let claim = entry.stored == 0 && entry.member.size == file.size;
            if file.size != entry.stored && !claim {
                findings.add(Code::SplitSize, Place::name(name), file.size, entry.stored);
            }
        }
    }

    /// Finds the next record of a name. Every member without content asks, where the writer left its record out.
    fn ahead(&mut self, name: &[u8]) -> Option<usize> {
        let split = &self.split;
        let key = |index: usize| (split.file(index).map_or(&[][..], |file| file.name), index);
        let by_name = self.by_name.get_or_insert_with(|| {
            let mut all: Vec<usize> = (0..split.len()).collect();
            all.sort_unstable_by_key(|index| key(*index));
            all
        });
        let at = by_name.partition_point(|index| key(*index) < (name, self.file));
        let near = self.file..self.file.saturating_add(AHEAD);
        by_name.get(at).copied().filter(|index| key(*index).0 == name && near.contains(index))
    }

    /// Takes bytes of the content of the last member.
    pub(super) fn data(&mut self, bytes: &[u8]) {
        if let Some((Some(_), crc, _)) = &mut self.member {
            crc.update(bytes);
        }
    }

    /// Takes the end of the last member; `known` says whether its content is what the blob held.
    pub(super) fn end(&mut self, name: &Name, known: bool, findings: &mut Findings) {
        let Some((Some(index), crc, stored)) = self.member.take() else { return };
        let Some(SplitFile { crc: expected, size, .. }) = self.split.file(index) else { return };
        let actual = crc.finish();
        if known && stored > 0 && size == stored && expected != actual && !self.is_faulty(index) {
            let hex = |crc: u64| format!("{crc:016x}");
            findings.add(Code::SplitCrc, Place::name(name), hex(expected), hex(actual));
        }
    }

    /// Takes the end of the tar.
    pub(super) fn finish(mut self, tar_len: u64, findings: &mut Findings) {
        let files = self.split.len();
        for index in self.file..files {
            let name = self.split.file(index).map(|file| Name::from(file.name)).unwrap_or_default();
            findings.add(Code::SplitExtra, Place::name(&name), "", "");
        }
        self.align(files, tar_len, None, findings);
        let told = [Code::SplitBytes, Code::SplitName, Code::SplitExtra, Code::SplitSize, Code::SplitSparse];
        if let Some(refused) = self.refused.filter(|_| !told.iter().any(|code| findings.has(*code))) {
            findings.add(Code::SplitRefused, Place::default(), "", refused);
        }
    }

    /// Ends a stretch of raw bytes where the content of the file `index` comes.
    fn align(&mut self, index: usize, tar_offset: u64, name: Option<&Name>, findings: &mut Findings) {
        let due = self.split.raw_end(index);
        // Bytes of records that could not be read are not there to be compared.
        let gap = self
            .faulty
            .iter()
            .any(|faulty| faulty.error.is_lost() && self.file <= faulty.file && faulty.file <= index);
        let place = Place { name: name.cloned(), ..Place::default() };
        match self.differs.take() {
            _ if gap => {}
            Some(Difference { tar_offset, expected, actual }) => {
                findings.add(Code::SplitBytes, place.of_tar(tar_offset), expected, actual);
            }
            None if self.raw != due => {
                let count = |end: usize| format!("{} bytes", end.saturating_sub(self.aligned));
                findings.add(Code::SplitBytes, place.of_tar(tar_offset), count(due), count(self.raw));
            }
            None => {}
        }
        self.raw = due;
        self.aligned = due;
    }

    fn is_faulty(&self, file: usize) -> bool {
        let about_file = |error: &RecordError| {
            matches!(
                error,
                RecordError::Checksum { .. } | RecordError::Size { .. } | RecordError::Base64 { .. }
            )
        };
        self.faulty.iter().any(|faulty| faulty.file == file && about_file(&faulty.error))
    }
}

/// Notes an end that podman cannot read, though it writes such ends itself.
///
/// It takes each record for a tar of its own, behind what the last content owes of padding. A tar of nothing is fine, and
/// so is one zero block; of a second, no less than all must be there.
fn check_end(split: &TarSplit, raw: &[u8], tail: &[usize], findings: &mut Findings) {
    let last = split.len().checked_sub(1);
    let mut start = last.map_or(0, |last| split.raw_end(last));
    let size = last.and_then(|last| split.file(last)).map_or(0, |file| file.size);
    let mut owed = usize::try_from(size.wrapping_neg() & 511).unwrap_or(0);
    for end in tail {
        let record = raw.get(start..*end).unwrap_or_default();
        start = *end;
        let rest = record.get(owed..).unwrap_or_default();
        owed = owed.saturating_sub(record.len());
        let block = rest.get(..rest.len().min(512)).unwrap_or_default();
        let is_end = block.iter().all(|byte| *byte == 0);
        if is_end && !matches!(rest.len(), 0 | 512 | 1024..) {
            findings.add(Code::SplitCut, Place::default(), "", format!("{} bytes", rest.len()));
        }
    }
}

fn place_of(error: &RecordError) -> Place {
    Place { record: error.record(), ..Place::default() }
}
