//! A tar of files that arrive one after the other, each with its length known or learnt as it comes.

use super::TransferError;
use super::pending::{PendingFile, Target};
use crate::length;

const BLOCK: u64 = 512;

/// A tar in the making. The same files give the same bytes: owners are root, times are 0.
#[derive(Debug)]
pub(super) struct TarFile {
    file: PendingFile,
    at: u64,
}

/// A member in the making.
#[derive(Debug)]
pub(super) struct Member<'a> {
    tar: &'a mut TarFile,
    header: u64,
}

impl TarFile {
    pub(super) fn create(target: Target) -> Result<Self, TransferError> {
        Ok(Self { file: PendingFile::create(target)?, at: 0 })
    }

    /// Adds an empty directory.
    pub(super) fn directory(&mut self, name: &str) -> Result<(), TransferError> {
        self.append(&header(name, 0, b'5', 0o755))
    }

    /// Adds a file.
    pub(super) fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), TransferError> {
        let mut member = self.begin()?;
        member.append(bytes)?;
        member.finish(name)
    }

    /// Begins a file whose name and length will be known at its end.
    pub(super) fn begin(&mut self) -> Result<Member<'_>, TransferError> {
        let header = self.at;
        self.at = self.at.saturating_add(BLOCK);
        Ok(Member { tar: self, header })
    }

    /// Ends the tar and gives it its name.
    pub(super) fn finish(mut self) -> Result<(), TransferError> {
        self.append(&[0; 1024])?;
        self.file.cut(self.at)?;
        self.file.finish()
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        self.file.write_at(bytes, self.at)?;
        self.at = self.at.saturating_add(length(bytes));
        Ok(())
    }
}

impl Member<'_> {
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        self.tar.append(bytes)
    }

    /// Takes the file out again.
    pub(super) fn withdraw(self) {
        // What follows is written over it; what is longer at the end, cut off.
        self.tar.at = self.header;
    }

    /// Ends the file.
    pub(super) fn finish(self, name: &str) -> Result<(), TransferError> {
        let size = self.tar.at.saturating_sub(self.header).saturating_sub(BLOCK);
        self.tar.file.write_at(&header(name, size, b'0', 0o644), self.header)?;
        let padding = size.next_multiple_of(BLOCK).saturating_sub(size);
        self.tar.append([0; 512].get(..usize::try_from(padding).unwrap_or(0)).unwrap_or_default())
    }
}

/// Makes a ustar header; a size beyond its eleven digits is written in binary, as GNU tar and Go do.
fn header(name: &str, size: u64, kind: u8, mode: u32) -> [u8; 512] {
    let mut header = [0_u8; 512];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(field) = header.get_mut(at..at.saturating_add(bytes.len())) {
            field.copy_from_slice(bytes);
        }
    };
    // All names here are digests and words of ours, far below 100 bytes.
    put(0, name.as_bytes().get(..name.len().min(100)).unwrap_or_default());
    put(100, format!("{mode:07o}\0").as_bytes());
    put(108, b"0000000\x000000000\0");
    if size < 1 << 33 {
        put(124, format!("{size:011o}\0").as_bytes());
    } else {
        put(124, &[0x80, 0, 0, 0]);
        put(128, &size.to_be_bytes());
    }
    put(136, b"00000000000\0        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    if let Some(field) = header.get_mut(148..156) {
        field.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    header
}

#[cfg(test)]
mod tests {
    use super::header;

    #[test]
    fn headers_can_be_read() {
        for size in [0, 7, (1 << 33) - 1, 1 << 33, 1 << 40] {
            let bytes = header("blobs/sha256/ab", size, b'0', 0o644);
            let read = tar::Header::from_byte_slice(&bytes);
            assert_eq!(read.size().unwrap(), size);
            assert_eq!(read.path().unwrap().to_str(), Some("blobs/sha256/ab"));
            assert_eq!((read.mode().unwrap(), read.uid().unwrap(), read.mtime().unwrap()), (0o644, 0, 0));
            let mut unsummed = bytes;
            unsummed[148..156].fill(b' ');
            assert_eq!(read.cksum().unwrap(), unsummed.iter().map(|byte| u32::from(*byte)).sum::<u32>());
        }
    }
}
