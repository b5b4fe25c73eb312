//! One image: its layers' files and chunks, as numbers.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::bytes::{Bits, UNLOCATED, index, number};
use super::contents::{Contents, Key};
use super::nodes::Nodes;
use crate::{Body, Chunk, Digest, Inventory, Toc};

/// One layer of an image, lowest first.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by whoever looks")]
pub struct Layer<'a> {
    /// Its checked TOC. Nothing of it is kept but numbers and names: it may be dropped afterwards.
    pub toc: &'a Toc,
    /// The digest of its blob, if known.
    pub blob: Option<Digest>,
    /// Its DiffID, if known.
    pub diff_id: Option<Digest>,
    /// The length of its blob in bytes.
    pub blob_len: u64,
    /// How a pull would take it.
    pub pulled: Pulled,
}

/// How a pull takes a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Pulled {
    /// By file: its TOC says where each chunk lies. One that does not say so is pulled whole.
    ByFile,
    /// Front to back, whatever is held.
    Whole,
}

/// Everything that is kept of an image.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) label: String,
    /// As listed, repeated ones too.
    pub(super) layers: Vec<LayerRow>,
    /// Every regular file with content, each layer's once, in the order of layers and of their tars.
    pub(super) files: Vec<File>,
    /// The chunks of the files that are cut, holes left out.
    pub(super) pieces: Vec<Piece>,
    /// Every name.
    pub(super) nodes: Nodes,
    /// Uncompressed bytes of holes.
    pub(super) holes: u64,
}

#[derive(Clone, Debug)]
pub(super) struct LayerRow {
    pub(super) blob: Option<Digest>,
    pub(super) diff_id: Option<Digest>,
    pub(super) blob_len: u64,
    pub(super) whole: bool,
    /// The same for the same layer in any image.
    pub(super) identity: u32,
    /// The earlier layer of the same image that this one repeats.
    pub(super) repeats: Option<u32>,
    pub(super) files: Range<u32>,
}

/// A regular file with content.
#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    pub(super) content: u32,
    /// The index of its entry in its layer's TOC.
    pub(super) entry: u32,
    /// Where its pieces begin; they end where the next file's do.
    pub(super) pieces: u32,
    pub(super) layer: u16,
    pub(super) flags: u8,
    /// Bytes that are no holes.
    pub(super) data: u64,
    pub(super) compressed: u64,
}

/// A chunk of a file that is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) content: u32,
    pub(super) flags: u8,
    pub(super) len: u64,
    pub(super) compressed: u64,
}

/// The first file of the image with this content.
pub(super) const FIRST_FILE: u8 = 1;
/// The first chunk of the image with this content, a file in one piece included.
pub(super) const FIRST_PIECE: u8 = 2;
/// The first file or chunk of the image with this content.
pub(super) const FIRST: u8 = 4;
/// The file is more than one chunk that is all of it.
pub(super) const CUT: u8 = 8;

/// A chunk, or a file in one piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atom {
    pub(super) content: u32,
    pub(super) len: u64,
    pub(super) compressed: u64,
}

impl From<&Piece> for Atom {
    fn from(piece: &Piece) -> Self {
        Self { content: piece.content, len: piece.len, compressed: piece.compressed }
    }
}

impl From<&File> for Atom {
    fn from(file: &File) -> Self {
        Self { content: file.content, len: file.data, compressed: file.compressed }
    }
}

impl File {
    pub(super) const fn is(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }
}

impl Image {
    /// Returns the chunks of a file that are no holes.
    pub(super) fn atoms(&self, file: u32) -> impl Iterator<Item = Atom> + use<'_> {
        let whole = self.file(file).filter(|row| !row.is(CUT));
        whole.into_iter().map(Atom::from).chain(self.pieces_of(file).iter().map(Atom::from))
    }

    /// Returns every chunk of the image, each content once.
    pub(super) fn distinct_atoms(&self) -> impl Iterator<Item = Atom> + use<'_> {
        let files = self.files.iter().filter(|file| file.is(FIRST_PIECE)).map(Atom::from);
        let pieces = self.pieces.iter().filter(|piece| piece.flags & FIRST_PIECE != 0).map(Atom::from);
        files.chain(pieces)
    }

    /// Returns every file of the image, each content once.
    pub(super) fn distinct_files(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is(FIRST_FILE))
    }

    /// Returns the files that are cut, numbered.
    pub(super) fn cut_files(&self) -> impl Iterator<Item = (u32, &File)> {
        self.files().filter(|(_, file)| file.is(CUT))
    }

    /// Returns the files, numbered.
    pub(super) fn files(&self) -> impl Iterator<Item = (u32, &File)> {
        (0_u32..).zip(&self.files)
    }

    pub(super) fn file(&self, file: u32) -> Option<&File> {
        self.files.get(index(file))
    }

    /// Returns the layers that are not repetitions.
    pub(super) fn own_layers(&self) -> impl Iterator<Item = &LayerRow> {
        self.layers.iter().filter(|layer| layer.repeats.is_none())
    }

    fn pieces_of(&self, file: u32) -> &[Piece] {
        let start = |file: u32| self.files.get(index(file)).map(|row| index(row.pieces));
        let Some(from) = start(file) else { return &[] };
        let to = start(file.saturating_add(1)).unwrap_or(self.pieces.len());
        self.pieces.get(from..to).unwrap_or_default()
    }
}

/// Files and pieces while contents have no numbers yet.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) files: Vec<File>,
    pub(super) pieces: Vec<Piece>,
    pub(super) holes: u64,
    /// The contents of files, then those of pieces follow when numbered.
    keys: Vec<(Key, u32)>,
    piece_keys: Vec<Key>,
}

impl Gathered {
    /// Takes what an inventory says is held: files in one piece, and chunks that no file is said to have.
    pub(super) fn held(inventory: &Inventory) -> Self {
        let mut gathered = Self::default();
        for (digest, held) in inventory.chunks() {
            gathered.pieces.push(Piece { content: 0, flags: 0, len: held.len, compressed: UNLOCATED });
            gathered.piece_keys.push(Key { digest: *digest, len: held.len });
        }
        // The first file's pieces begin behind them, so they are no file's.
        let pieces = number(gathered.pieces.len());
        for (digest, held) in inventory.files().filter(|(_, held)| held.size > 0) {
            gathered.keys.push((Key { digest: *digest, len: held.size }, number(gathered.files.len())));
            let (data, compressed) = (held.size, UNLOCATED);
            gathered.files.push(File { content: 0, entry: 0, pieces, layer: 0, flags: 0, data, compressed });
        }
        gathered
    }

    /// Adds the files of a layer; returns which they are and whether all of them can be fetched.
    pub(super) fn add(&mut self, layer: u16, toc: &Toc) -> (Range<u32>, bool) {
        let start = number(self.files.len());
        let compressed = frame_bytes(toc);
        let mut compressed = compressed.iter().copied();
        let mut located = true;
        for (entry, row) in toc.entries().iter().enumerate() {
            let chunks = toc.chunks(row);
            let (Some(digest), true) = (row.digest(), row.is_file()) else { continue };
            let size = row.member().size;
            let mut file = File {
                content: 0,
                entry: number(entry),
                pieces: number(self.pieces.len()),
                layer,
                flags: 0,
                data: 0,
                compressed: 0,
            };
            let one = matches!(chunks, [Chunk { body: Body::Frames(_) | Body::Unlocated, .. }]);
            file.flags = if one { 0 } else { CUT };
            for (chunk, compressed) in chunks.iter().zip(&mut compressed) {
                if chunk.body == Body::Zeros {
                    self.holes = self.holes.saturating_add(chunk.len);
                    continue;
                }
                file.data = file.data.saturating_add(chunk.len);
                located &= compressed != UNLOCATED;
                file.compressed = match (file.compressed, compressed) {
                    (UNLOCATED, _) | (_, UNLOCATED) => UNLOCATED,
                    (sum, more) => sum.saturating_add(more).min(UNLOCATED.saturating_sub(1)),
                };
                if !one {
                    self.pieces.push(Piece { content: 0, flags: 0, len: chunk.len, compressed });
                    self.piece_keys.push(Key { digest: chunk.digest, len: chunk.len });
                }
            }
            self.keys.push((Key { digest: *digest, len: size }, number(self.files.len())));
            self.files.push(file);
        }
        (start..number(self.files.len()), located)
    }

    /// Returns how many contents these are at most.
    pub(super) fn len(&self) -> usize {
        self.files.len().saturating_add(self.pieces.len())
    }

    /// Gives all contents their numbers, and marks the first of each.
    pub(super) fn number(&mut self, contents: &mut Contents) {
        let mut keys = core::mem::take(&mut self.keys);
        let first = number(self.files.len());
        let piece_keys = core::mem::take(&mut self.piece_keys);
        keys.extend((first..).zip(piece_keys).map(|(place, key)| (key, place)));
        let numbers = contents.intern(keys);
        let (of_files, of_pieces) = numbers.split_at_checked(self.files.len()).unwrap_or_default();
        for (file, content) in self.files.iter_mut().zip(of_files) {
            file.content = *content;
        }
        for (piece, content) in self.pieces.iter_mut().zip(of_pieces) {
            piece.content = *content;
        }
        let mut seen = [(); 3].map(|()| Bits::new(contents.len()));
        let [as_file, as_piece, as_any] = &mut seen;
        let flag = |seen: &mut Bits, content, flag| if seen.insert(content) { flag } else { 0 };
        for file in &mut self.files {
            file.flags |= flag(as_file, file.content, FIRST_FILE) | flag(as_any, file.content, FIRST);
            if file.flags & CUT == 0 {
                file.flags |= flag(as_piece, file.content, FIRST_PIECE);
            }
        }
        for piece in &mut self.pieces {
            piece.flags |= flag(as_piece, piece.content, FIRST_PIECE) | flag(as_any, piece.content, FIRST);
        }
    }

    /// Returns the file of an entry.
    pub(super) fn file_of(&self, layers: &[LayerRow], layer: u32, entry: u32) -> Option<u32> {
        let range = layers.get(index(layer))?.files.clone();
        let rows = self.files.get(index(range.start)..index(range.end))?;
        let at = rows.binary_search_by_key(&entry, |row| row.entry).ok()?;
        Some(range.start.saturating_add(number(at)))
    }
}

/// Returns for each chunk of a TOC, in its order, how many bytes of the blob it takes; [`UNLOCATED`] where that is not
/// known, 0 for holes.
///
/// Where several chunks lie in one frame, its bytes are shared out between them by their lengths, so that a sum over
/// all of them is the frame.
fn frame_bytes(toc: &Toc) -> Vec<u64> {
    let mut bytes = Vec::new();
    let mut group: Option<(&Range<u64>, Vec<u64>)> = None;
    for chunk in toc.entries().iter().filter(|entry| entry.is_file()).flat_map(|entry| toc.chunks(entry)) {
        match (&chunk.body, &mut group) {
            (Body::Frames(frames), Some((same, lens))) if frames == *same => lens.push(chunk.len),
            (Body::Frames(frames), group) => {
                share_out(group.take(), &mut bytes);
                *group = Some((frames, alloc::vec![chunk.len]));
            }
            (Body::Unlocated, group) => {
                share_out(group.take(), &mut bytes);
                bytes.push(UNLOCATED);
            }
            (Body::Zeros, group) => {
                share_out(group.take(), &mut bytes);
                bytes.push(0);
            }
        }
    }
    share_out(group, &mut bytes);
    bytes
}

fn share_out(group: Option<(&Range<u64>, Vec<u64>)>, bytes: &mut Vec<u64>) {
    let Some((frames, lens)) = group else { return };
    let mut left = frames.end.saturating_sub(frames.start);
    let mut len_left = lens.iter().fold(0_u128, |sum, len| sum.saturating_add(u128::from(*len)));
    for len in lens {
        let share = u128::from(left).saturating_mul(u128::from(len)).checked_div(len_left).unwrap_or(0);
        let share = u64::try_from(share).unwrap_or(u64::MAX).min(left);
        bytes.push(share);
        left = left.saturating_sub(share);
        len_left = len_left.saturating_sub(u128::from(len));
    }
}
