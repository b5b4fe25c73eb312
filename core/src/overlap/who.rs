//! Single contents: who has them, how often, and what a path is made of.

use alloc::vec::Vec;

use super::bytes::{Amount, Bits, Bytes, number};
use super::census::Census;
use super::contents::NONE;
use super::image::{CUT, Image};
use super::nodes::Sight;
use super::view::{Standing, standing};
use super::{ImageId, NodeId, Overlap};
use crate::{Digest, Kind, Timestamp};

/// An image that has a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Holding {
    /// The image.
    pub image: ImageId,
    /// The content's length. Two images that name two lengths for one digest hold two contents.
    pub len: u64,
    /// Files that are this content, hidden ones too.
    pub files: u32,
    /// Places in files of more than one chunk where it is a chunk.
    pub chunks: u32,
    /// The first path that has it, if any has in the end.
    pub node: Option<NodeId>,
}

/// A content that an image has more than once.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Duplicate {
    /// The content.
    pub digest: Digest,
    /// Its files beyond the first.
    pub more: Amount,
    /// The paths that have it, hidden ones and further names of hard links left out; fewer than the files, where
    /// hidden ones are among them.
    pub nodes: Vec<NodeId>,
}

/// A file's content that several images have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct SharedContent {
    /// The content.
    pub digest: Digest,
    /// How many images have it as a file.
    pub images: u32,
    /// Its bytes, as in the first of them.
    pub bytes: Bytes,
    /// The first image that has it.
    pub first: ImageId,
}

/// All about one path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeDetails {
    /// What it is.
    pub kind: Kind,
    /// The permission bits, with setuid, setgid and sticky.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// When it was changed last; 1970 where the layer does not say.
    pub mtime: Timestamp,
    /// The layer, from 0, and the index in that layer's TOC of the entry that says all this; `None` for a directory that no
    /// layer lists.
    pub member: Option<(u32, u32)>,
    /// What other images have of it; `None` for what is no regular file with content.
    pub state: Option<State>,
    /// Whether it is one more name of a file that comes earlier in the walk.
    pub again: bool,
    /// The digest of the file's content.
    pub digest: Option<Digest>,
    /// The file's length, holes included; 0 for what is no regular file.
    pub size: u64,
    /// The file's bytes.
    pub bytes: Bytes,
    /// The layer that has it, from 0, and the index of its entry in that layer's TOC; of a regular file with content.
    pub origin: Option<(u32, u32)>,
    /// The other images that have the file's content as a file.
    pub also_in: Vec<ImageId>,
    /// Its chunks in order, holes left out.
    pub pieces: Vec<PieceDetails>,
    /// What was here before and nobody sees.
    pub wasted: Amount,
}

/// One chunk of a file, or all of a file in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct PieceDetails {
    /// Its digest.
    pub digest: Digest,
    /// Its bytes.
    pub bytes: Bytes,
    /// How many images have it, this one included.
    pub images: u32,
}

/// What other images have of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a view has one colour for each")]
pub enum State {
    /// Some chunks, but not the file.
    Partly,
    /// The file.
    Shared,
    /// Nothing.
    Unique,
    /// No name leads to it in the end.
    Wasted,
}

impl Overlap {
    /// Returns which images have a file or a chunk with this digest.
    pub fn holders(&self, digest: &Digest) -> Vec<Holding> {
        let contents = self.contents.find(digest);
        let each = |image: &Image, id: ImageId| {
            let each = contents.iter().filter_map(|content| {
                let len = self.contents.key(*content)?.len;
                image.holding(*content).map(|(files, chunks, node)| Holding {
                    image: id,
                    len,
                    files,
                    chunks,
                    node,
                })
            });
            each.collect::<Vec<_>>()
        };
        let images = (0..).map(ImageId).zip(&self.images);
        images.flat_map(|(id, image)| each(image, id)).collect()
    }

    /// Returns the contents that an image's files have more than once: those first that come to most beyond the first,
    /// at most `limit`.
    pub fn duplicates(&self, image: ImageId, limit: usize) -> Vec<Duplicate> {
        let Some(image) = self.get(image) else { return Vec::new() };
        let mut files: Vec<(u32, u32)> = image.files().map(|(file, row)| (row.content, file)).collect();
        files.sort_unstable();
        let mut found: Vec<(Amount, u32)> = Vec::new();
        for same in files.chunk_by(|a, b| a.0 == b.0) {
            let mut more = Amount::default();
            for file in same.iter().skip(1).filter_map(|(_, file)| image.file(*file)) {
                more.add(file.data, file.compressed);
            }
            if let (1.., Some((content, _))) = (more.count, same.first()) {
                found.push((more, *content));
            }
        }
        drop(files);
        let digest = |content: u32| self.contents.key(content).map(|key| key.digest);
        found.sort_unstable_by_key(|(more, content)| {
            (core::cmp::Reverse(more.bytes.logical), digest(*content))
        });
        found.truncate(limit);
        let mut of: Vec<(u32, usize)> =
            found.iter().enumerate().map(|(at, (_, content))| (*content, at)).collect();
        of.sort_unstable();
        let mut nodes = alloc::vec![Vec::new(); found.len()];
        for (node, row) in image.nodes.iter() {
            if row.kind != Kind::Regular || row.sight != Sight::Seen {
                continue;
            }
            let content = image.file(row.what).map(|file| file.content);
            let at =
                content.and_then(|content| of.binary_search_by_key(&content, |(content, _)| *content).ok());
            let list = at.and_then(|at| of.get(at)).and_then(|(_, at)| nodes.get_mut(*at));
            if let Some(list) = list {
                list.push(NodeId(node));
            }
        }
        let all = found.into_iter().zip(nodes);
        all.filter_map(|((more, content), nodes)| Some(Duplicate { digest: digest(content)?, more, nodes }))
            .collect()
    }

    /// Returns the files that several images have: those first that most bytes are saved by, at most `limit`.
    pub fn shared_contents(&self, limit: usize) -> Vec<SharedContent> {
        let census = self.census();
        let mut seen = Bits::new(self.contents.len());
        let mut found = Vec::new();
        for (first, image) in (0..).map(ImageId).zip(&self.images) {
            for file in image.distinct_files() {
                let images = census.as_file(file.content);
                if images > 1 && seen.insert(file.content) {
                    found.push((first, file, images));
                }
            }
        }
        let digest = |content: u32| self.contents.key(content).map(|key| key.digest);
        let order = |(_, file, images): &(ImageId, &super::image::File, u32)| {
            let saved = file.data.saturating_mul(u64::from(images.saturating_sub(1)));
            (core::cmp::Reverse(saved), digest(file.content))
        };
        if limit < found.len() {
            // Only what is shown needs to be in order.
            found.select_nth_unstable_by_key(limit, order);
            found.truncate(limit);
        }
        found.sort_unstable_by_key(order);
        let shown = found.into_iter().filter_map(|(first, file, images)| {
            let mut bytes = Bytes::default();
            bytes.add(file.data, file.compressed);
            Some(SharedContent { digest: digest(file.content)?, images, bytes, first })
        });
        shown.collect()
    }

    /// Returns all about a path; `None` for none of this overlap.
    pub fn details(&self, image: ImageId, node: NodeId) -> Option<NodeDetails> {
        let this = self.get(image)?;
        let row = this.nodes.get(node.0)?;
        let mut wasted = Amount::default();
        for file in this.nodes.wasted_at(node.0).filter_map(|file| this.file(file)) {
            wasted.add(file.data, file.compressed);
        }
        let mut details = NodeDetails {
            kind: row.kind,
            mode: u32::from(row.mode),
            uid: row.uid,
            gid: row.gid,
            mtime: Timestamp { seconds: row.seconds, nanoseconds: row.nanoseconds },
            member: (row.entry != NONE).then_some((u32::from(row.layer), row.entry)),
            state: None,
            again: row.sight == Sight::Again,
            digest: None,
            size: 0,
            bytes: Bytes::default(),
            origin: None,
            also_in: Vec::new(),
            pieces: Vec::new(),
            wasted,
        };
        if let Some(file) = this.file(row.what).filter(|_| row.kind == Kind::Regular) {
            let census = self.census();
            details.state = Some(match (row.sight, standing(this, row.what, &census)) {
                (Sight::Gone, _) => State::Wasted,
                (_, Standing::Shared) => State::Shared,
                (_, Standing::Partly) => State::Partly,
                (_, Standing::Unique) => State::Unique,
            });
            let key = self.contents.key(file.content)?;
            (details.digest, details.size) = (Some(key.digest), key.len);
            details.bytes.add(file.data, file.compressed);
            details.origin = Some((u32::from(file.layer), file.entry));
            let others = (0..).map(ImageId).zip(&self.images).filter(|(id, _)| *id != image);
            let also =
                others.filter(|(_, other)| other.distinct_files().any(|own| own.content == file.content));
            details.also_in = also.map(|(id, _)| id).collect();
            details.pieces = self.pieces(this, row.what, &census);
        }
        Some(details)
    }

    fn pieces(&self, image: &Image, file: u32, census: &Census) -> Vec<PieceDetails> {
        let pieces = image.atoms(file).filter_map(|atom| {
            let mut bytes = Bytes::default();
            bytes.add(atom.len, atom.compressed);
            let digest = self.contents.key(atom.content)?.digest;
            Some(PieceDetails { digest, bytes, images: census.as_any(atom.content) })
        });
        pieces.collect()
    }
}

impl Image {
    /// Returns how many files and chunks are this content, and the first path that has it.
    fn holding(&self, content: u32) -> Option<(u32, u32, Option<NodeId>)> {
        let files = self.files.iter().filter(|file| file.content == content).count();
        let chunks = self.pieces.iter().filter(|piece| piece.content == content).count();
        if files == 0 && chunks == 0 {
            return None;
        }
        let has = |file: u32| {
            let row = self.file(file);
            row.is_some_and(|row| row.content == content)
                || row.is_some_and(|row| row.is(CUT)) && self.atoms(file).any(|atom| atom.content == content)
        };
        let node = self
            .nodes
            .iter()
            .find(|(_, row)| row.kind == Kind::Regular && row.sight != Sight::Gone && has(row.what));
        Some((number(files), number(chunks), node.map(|(node, _)| NodeId(node))))
    }
}
