//! Tar-splits for tests: of any tar, written by our own writer, and the one that podman wrote of the zoo.

use alloc::vec::Vec;

use crate::crc64::Crc64;
use crate::limits::Limits;
use crate::tar::{TarError, TarEvent, TarReader};

use super::{LeanSplitWriter, TarSplit, TarSplitReadError, TarSplitReader, TarSplitWriter};

pub(crate) const ZOO: &[u8] = include_bytes!("../../../tests/fixtures/zoo/zoo.tar");
#[cfg(feature = "c-zstd")]
const ZOO_BLOB: &[u8] = include_bytes!(concat!(
    "../../../tests/fixtures/zoo/podman-5.8/blobs/sha256/",
    "0306b1830c52cf89dc10748a1d15ecdc00138069de068da02b97c5e7e9abe9b7"
));

/// The lines that podman 5.8.6 wrote; their place is in the manifest's annotations.
#[cfg(feature = "c-zstd")]
pub(crate) fn zoo_lines() -> Vec<u8> {
    let mut lines = Vec::with_capacity(46393);
    zstd_safe::decompress(&mut lines, &ZOO_BLOB[226399..][..2417]).unwrap();
    lines
}

/// Writes the lines of a tar, and returns its contents by member.
pub(crate) fn write(tar: &[u8]) -> Result<(Vec<u8>, Vec<Vec<u8>>), TarError> {
    let (mut reader, mut writer) = (TarReader::new(&Limits::default()), TarSplitWriter::new());
    let (mut lines, mut contents) = (Vec::new(), Vec::<Vec<u8>>::new());
    let mut names = Vec::new();
    let mut events = reader.receive(tar);
    while let Some(event) = events.next_event()? {
        match event {
            TarEvent::Raw(bytes) => writer.raw(bytes, &mut lines),
            TarEvent::Member(entry) => {
                names.push(entry.member.name);
                contents.push(Vec::new());
            }
            TarEvent::Data { bytes, .. } => contents.last_mut().unwrap().extend_from_slice(bytes),
            TarEvent::EndMember => {
                let (name, content) = (names.last().unwrap(), contents.last().unwrap());
                writer.file(name.as_bytes(), content.len() as u64, Crc64::of(content), &mut lines);
            }
        }
    }
    drop(events);
    reader.finish()?;
    writer.finish(&mut lines);
    Ok((lines, contents))
}

/// Writes the lines of a tar, trimmed as our own layers have them.
pub(crate) fn write_lean(tar: &[u8]) -> Vec<u8> {
    let (mut reader, mut writer) = (TarReader::new(&Limits::default()), LeanSplitWriter::default());
    let (mut lines, mut content, mut name) = (Vec::new(), Vec::<u8>::new(), None);
    let mut events = reader.receive(tar);
    while let Some(event) = events.next_event().unwrap() {
        match event {
            TarEvent::Raw(bytes) => writer.raw(bytes, events.is_tail(), &mut lines),
            TarEvent::Member(entry) => {
                writer.member(&mut lines);
                name = Some(entry.member.name);
            }
            TarEvent::Data { bytes, .. } => content.extend_from_slice(bytes),
            TarEvent::EndMember if content.is_empty() => {}
            TarEvent::EndMember => {
                let name = name.take().unwrap_or_default();
                writer.content(name.as_bytes(), content.len() as u64, Crc64::of(&content), &mut lines);
                content.clear();
            }
        }
    }
    writer.finish(&mut lines);
    lines
}

pub(crate) fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<TarSplit, TarSplitReadError> {
    let mut reader = TarSplitReader::new(&Limits::default());
    for piece in pieces {
        reader.receive(piece)?;
    }
    reader.finish()
}
