//! What a layer holds, counted.

use serde::Serialize;
use shingle::contents::{Came, LayerContents};
use shingle_core::Kind;

use crate::words::{Bytes, Thousands};

/// How many members of which kind.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Members {
    /// All of them.
    pub(super) entries: u64,
    files: u64,
    directories: u64,
    symlinks: u64,
    hardlinks: u64,
    /// Devices and named pipes.
    special: u64,
    /// Files that remove what lower layers have, or stand for that; they are no files in the end.
    whiteouts: u64,
    /// Of the files, holes included.
    file_bytes: u64,
    /// Pieces that the files are cut into; a table of contents says that, a layer that was read whole does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    chunks: Option<u64>,
}

impl Members {
    /// Short, to fit beside a layer's name in a terminal.
    pub(super) const HEAD: [&str; 9] =
        ["TOTAL", "FILES", "BYTES", "CHUNKS", "DIRS", "SYM", "HARD", "OTHER", "WHITEOUTS"];

    pub(super) fn of(layer: &LayerContents) -> Self {
        let toc = &layer.toc;
        let mut members = Self::default();
        let mut chunks = 0_u64;
        for entry in toc.entries() {
            let member = entry.member();
            members.entries += 1;
            let count = match member.kind {
                Kind::Regular if is_whiteout(member.name.as_bytes()) => &mut members.whiteouts,
                Kind::Regular => {
                    members.file_bytes = members.file_bytes.saturating_add(member.size);
                    let pieces = toc.chunks(entry).len();
                    chunks = chunks.saturating_add(pieces.try_into().unwrap_or(u64::MAX));
                    &mut members.files
                }
                Kind::Directory => &mut members.directories,
                Kind::Symlink => &mut members.symlinks,
                Kind::Hardlink => &mut members.hardlinks,
                Kind::Block | Kind::Char | Kind::Fifo => &mut members.special,
            };
            *count += 1;
        }
        members.chunks = Some(chunks).filter(|_| layer.came == Came::ByToc);
        members
    }

    pub(super) fn row(&self) -> [String; 9] {
        let bytes = Bytes(self.file_bytes).to_string();
        let chunks = self.chunks.map_or_else(|| "?".to_owned(), |chunks| Thousands(chunks).to_string());
        let [entries, files, directories, symlinks, hardlinks, special, whiteouts] = [
            self.entries,
            self.files,
            self.directories,
            self.symlinks,
            self.hardlinks,
            self.special,
            self.whiteouts,
        ]
        .map(|count| Thousands(count).to_string());
        [entries, files, bytes, chunks, directories, symlinks, hardlinks, special, whiteouts]
    }
}

fn is_whiteout(name: &[u8]) -> bool {
    let last = name.rsplit(|byte| *byte == b'/').find(|part| !part.is_empty());
    last.is_some_and(|last| last.starts_with(b".wh."))
}
