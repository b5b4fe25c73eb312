//! What a machine holds, as plain data: the shell's answer to [`crate::Toc::wanted`].

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::{Body, Class, Digest, Toc};

/// The files and chunks that could serve as donors for one layer.
///
/// An entry is a claim, not a proof: what is taken from a donor is proven with the layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    files: BTreeMap<Digest, HeldFile>,
    chunks: BTreeMap<Digest, HeldChunk>,
}

/// A whole file that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldFile {
    /// Its length in bytes.
    pub size: u64,
    /// The metadata classes that it is held under, each an inode that can be hard-linked.
    pub classes: Vec<Class>,
}

/// A chunk that is held inside a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, made by the shell")]
pub struct HeldChunk {
    /// The file's content.
    pub object: Digest,
    /// Where the chunk begins in it.
    pub offset: u64,
    /// The chunk's length in bytes.
    pub len: u64,
}

impl Inventory {
    /// Knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a whole file under one metadata class. Of two claims with different sizes the first stays.
    pub fn add_file(&mut self, digest: Digest, size: u64, class: Class) {
        let held = self.files.entry(digest).or_insert_with(|| HeldFile { size, classes: Vec::new() });
        if held.size == size && !held.classes.contains(&class) {
            held.classes.push(class);
        }
    }

    /// Adds a chunk; of several places the first stays.
    pub fn add_chunk(&mut self, digest: Digest, chunk: HeldChunk) {
        self.chunks.entry(digest).or_insert(chunk);
    }

    /// Adds everything that a layer holds: its files, each under its own metadata, and the chunks of those that have
    /// several.
    pub fn add_toc(&mut self, toc: &Toc) {
        for (_, entry) in toc.files() {
            let Some(object) = entry.digest().copied() else { continue };
            self.add_file(object, entry.member().size, Class::of(entry.member()));
            let chunks = toc.chunks(entry);
            if chunks.len() > 1 {
                for chunk in chunks.iter().filter(|chunk| chunk.body != Body::Zeros) {
                    self.add_chunk(chunk.digest, HeldChunk { object, offset: chunk.offset, len: chunk.len });
                }
            }
        }
    }

    /// Adds everything that another inventory knows, as if it had been said after what is known here.
    pub fn add_all(&mut self, other: &Self) {
        for (digest, held) in &other.files {
            for class in &held.classes {
                self.add_file(*digest, held.size, *class);
            }
        }
        for (digest, chunk) in &other.chunks {
            self.add_chunk(*digest, *chunk);
        }
    }

    /// Returns every whole file, by the order of their digests.
    pub fn files(&self) -> impl Iterator<Item = (&Digest, &HeldFile)> {
        self.files.iter()
    }

    /// Returns every chunk that lies in a file, by the order of their digests.
    pub fn chunks(&self) -> impl Iterator<Item = (&Digest, &HeldChunk)> {
        self.chunks.iter()
    }

    /// Whether a place of a chunk is known.
    pub fn has_chunk(&self, digest: &Digest) -> bool {
        self.chunks.contains_key(digest)
    }

    /// Strikes out a content that turned out corrupt or gone, with every chunk in it; or a chunk that is not where
    /// it was said to be.
    pub fn strike(&mut self, digest: &Digest) {
        self.files.remove(digest);
        self.chunks.retain(|key, chunk| key != digest && chunk.object != *digest);
    }

    /// Returns the whole file with this digest if it has this size.
    pub fn file(&self, digest: &Digest, size: u64) -> Option<&HeldFile> {
        self.files.get(digest).filter(|held| held.size == size)
    }

    /// Returns where a chunk with this digest and length lies: a part of a file, or all of one.
    pub fn chunk(&self, digest: &Digest, len: u64) -> Option<HeldChunk> {
        if self.file(digest, len).is_some() {
            return Some(HeldChunk { object: *digest, offset: 0, len });
        }
        self.chunks.get(digest).copied().filter(|chunk| chunk.len == len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_first_stays() {
        let (a, b, part) = (Digest::of(b"a"), Digest::of(b"b"), Digest::of(b"part"));
        let class = |byte: u8| Class::from_bytes([byte; 16]);
        let chunk = |offset| HeldChunk { object: a, offset, len: 4 };
        let (mut one, mut other) = (Inventory::new(), Inventory::new());
        one.add_file(a, 10, class(1));
        one.add_chunk(part, chunk(0));
        other.add_file(a, 10, class(2));
        other.add_file(b, 20, class(1));
        other.add_chunk(part, chunk(4));
        let mut both = one.clone();
        both.add_all(&other);
        assert_eq!(both.file(&a, 10).unwrap().classes, [class(1), class(2)]);
        assert!(both.file(&b, 20).is_some());
        assert_eq!(both.chunk(&part, 4), Some(chunk(0)));
        // A claim of another size is none.
        let mut lied = one.clone();
        let mut liar = Inventory::new();
        liar.add_file(a, 11, class(2));
        lied.add_all(&liar);
        assert_eq!(lied, one);
        let mut empty = Inventory::new();
        empty.add_all(&both);
        assert_eq!(empty, both);
    }
}
