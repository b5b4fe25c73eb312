//! How much a blob may claim before it is refused.

/// Upper bounds on everything that hostile input can ask for, in bytes unless said otherwise.
///
/// A claim above a limit is refused before anything is allocated for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The TOC as it lies in the blob; the reference stops at 150 MiB.
    pub toc_compressed: u64,
    /// The TOC's JSON text.
    pub toc: u64,
    /// The tar-split as it lies in the blob; the reference has no limit.
    pub tar_split_compressed: u64,
    /// The tar-split's JSON lines; these hold every tar header, about 700 bytes an entry in base64.
    pub tar_split: u64,
    /// Entries in one layer, chunk entries included, and files in its tree, parents never listed included; a count.
    pub entries: usize,
    /// One member's tar metadata: its PAX records and GNU long names together.
    pub tar_metadata: usize,
    /// What all members of a tar say of themselves: names, links and extended attributes, where a global header says
    /// it of each of them as often as there are members; more than a tar-split's limit leaves room for.
    pub tar_metadata_total: u64,
    /// Fragments in one sparse file's map; a count.
    pub sparse_fragments: usize,
    /// A path's length; Linux stops at 4,096 for one call, tars may hold longer ones.
    pub path: usize,
    /// Nesting of directories; a count.
    pub depth: usize,
    /// One file's logical length; XFS stops at 2^63 − 1.
    pub file: u64,
    /// All files of one layer together, holes included: what a DiffID must be computed over.
    pub content: u64,
    /// A chunk up to this long is held back until its digest matched; a longer one is lent as it decodes.
    pub held_chunk: u64,
    /// The decoder's window as a power of two; 27 (128 MiB) is what `zstd -d` takes without being asked.
    pub window_log: u32,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            toc_compressed: 150 * MIB,
            toc: 150 * MIB,
            tar_split_compressed: 150 * MIB,
            tar_split: 512 * MIB,
            entries: 1_000_000,
            tar_metadata: 1 << 20,
            tar_metadata_total: 512 * MIB,
            sparse_fragments: 1_000_000,
            path: 16_384,
            depth: 1_024,
            file: 1 << 60,
            content: 1 << 40,
            held_chunk: MIB,
            window_log: 27,
        }
    }
}
