//! How many images hold each content.

use alloc::vec::Vec;

use super::bytes::{Bits, index};
use super::image::{FIRST, FIRST_FILE, Image};
use super::{ImageId, Overlap};

/// Counts by content.
#[derive(Debug)]
pub(super) struct Census {
    /// Images that hold it as a file.
    as_file: Vec<u32>,
    /// Images that hold it as a file, as a chunk, or hold a file it is in.
    as_any: Vec<u32>,
}

impl Census {
    pub(super) fn as_file(&self, content: u32) -> u32 {
        self.as_file.get(index(content)).copied().unwrap_or(0)
    }

    pub(super) fn as_any(&self, content: u32) -> u32 {
        self.as_any.get(index(content)).copied().unwrap_or(0)
    }
}

impl Overlap {
    pub(super) fn census(&self) -> Census {
        let len = self.contents.len();
        let mut census = Census { as_file: alloc::vec![0; len], as_any: alloc::vec![0; len] };
        let count = |counts: &mut [u32], content: u32| {
            if let Some(count) = counts.get_mut(index(content)) {
                *count = count.saturating_add(1);
            }
        };
        for image in &self.images {
            for file in &image.files {
                if file.is(FIRST_FILE) {
                    count(&mut census.as_file, file.content);
                }
                if file.is(FIRST) {
                    count(&mut census.as_any, file.content);
                }
            }
            for piece in image.pieces.iter().filter(|piece| piece.flags & FIRST != 0) {
                count(&mut census.as_any, piece.content);
            }
        }
        // Who holds a file holds its chunks, even where its own TOC does not cut it.
        let of_files = census.as_any.clone();
        for image in &self.images {
            for (file, row) in image.cut_files() {
                let held = of_files.get(index(row.content)).copied().unwrap_or(0);
                for atom in image.atoms(file) {
                    if let Some(count) = census.as_any.get_mut(index(atom.content)) {
                        *count = held.max(*count);
                    }
                }
            }
        }
        census
    }

    /// Returns the contents of an image's files, and those of its files and chunks.
    pub(super) fn held(&self, image: ImageId) -> (Bits, Bits) {
        let (mut files, mut any) = (Bits::new(self.contents.len()), Bits::new(self.contents.len()));
        if let Some(image) = self.get(image) {
            hold(image, &mut files, &mut any);
        }
        (files, any)
    }
}

/// Adds what an image holds.
pub(super) fn hold(image: &Image, files: &mut Bits, any: &mut Bits) {
    for file in &image.files {
        files.insert(file.content);
        any.insert(file.content);
    }
    for piece in &image.pieces {
        any.insert(piece.content);
    }
}
