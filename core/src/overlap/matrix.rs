//! Each image against each other one.

use alloc::vec::Vec;

use super::bytes::{Bits, Bytes};
use super::census::hold;
use super::image::Image;
use super::{ImageId, Overlap};

/// How many bytes of each image are in each other one, every content counted once.
///
/// `files[a][b]`: bytes of image `a` that are in image `b`, compressed as they are in `a`. On the diagonal, all of the
/// image. Logical bytes at file granularity are the same both ways, as long as both TOCs know the same holes.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Matrix {
    /// At file granularity.
    pub files: Vec<Vec<Bytes>>,
    /// At chunk granularity. Less than at file granularity only by what files repeat of themselves.
    pub chunks: Vec<Vec<Bytes>>,
}

impl Overlap {
    /// Compares each image with each other one.
    pub fn matrix(&self) -> Matrix {
        let row = || Vec::with_capacity(self.images.len());
        let mut matrix = Matrix {
            files: self.images.iter().map(|_| row()).collect(),
            chunks: self.images.iter().map(|_| row()).collect(),
        };
        let len = self.contents.len();
        let (mut files, mut any, mut scratch) = (Bits::new(len), Bits::new(len), Bits::new(len));
        for b in &self.images {
            files.clear();
            any.clear();
            hold(b, &mut files, &mut any);
            for ((a, of_files), of_chunks) in
                self.images.iter().zip(&mut matrix.files).zip(&mut matrix.chunks)
            {
                of_files.push(shared_files(a, &files));
                of_chunks.push(shared_chunks(a, &any, &mut scratch));
            }
        }
        matrix
    }

    /// Returns what of `a` is in `b`: at file granularity, and at chunk granularity.
    pub(super) fn pair(&self, a: ImageId, b: ImageId) -> Option<(Bytes, Bytes)> {
        self.get(b)?;
        let (files, any) = self.held(b);
        let mut scratch = Bits::new(self.contents.len());
        let a = self.get(a)?;
        Some((shared_files(a, &files), shared_chunks(a, &any, &mut scratch)))
    }
}

fn shared_files(a: &Image, files: &Bits) -> Bytes {
    let mut bytes = Bytes::default();
    for file in a.distinct_files().filter(|file| files.contains(file.content)) {
        bytes.add(file.data, file.compressed);
    }
    bytes
}

fn shared_chunks(a: &Image, any: &Bits, scratch: &mut Bits) -> Bytes {
    // Chunks of files that are held whole are held, whatever cut the other image's TOC has.
    scratch.clear();
    for (file, _) in a.cut_files().filter(|(_, row)| any.contains(row.content)) {
        for atom in a.atoms(file) {
            scratch.insert(atom.content);
        }
    }
    let mut bytes = Bytes::default();
    for atom in a.distinct_atoms() {
        if any.contains(atom.content) || scratch.contains(atom.content) {
            bytes.add(atom.len, atom.compressed);
        }
    }
    bytes
}
