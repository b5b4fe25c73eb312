//! Arguments of the commands that compare images.

use clap::Args;
use shingle_core::Trust;

use super::{CacheArgs, Place, SourceArgs, plan::place};

/// How images are looked at without pulling them.
#[derive(Args, Debug)]
pub(crate) struct LookArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// How far a pull must prove a layer: with diffid, layers that only the manifest's word vouches for count as pulled
    /// whole, with toc they are pulled by file [default: diffid].
    #[arg(long, value_name = "RUNG", value_parser = super::trust())]
    pub(crate) trust: Option<Trust>,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
}

/// Show what images share, without pulling them.
///
/// Reads manifests, configs and tables of contents, about a fiftieth of the bytes, and compares the images by what their
/// files and chunks contain, at whatever path. A layer without a table of contents is read to its end, once: what it holds
/// is kept for the next time. Changes nothing else here.
#[derive(Args, Debug)]
#[command(after_long_help = "\
What is counted: each image as the set of its contents, each content once (BYTES), those of files that
upper layers hide too, because a pull takes them all. UNIQUE is in no other image, SHARED in some
other; TWICE are files that the image has again; WASTED are files that no name leads to in the end.

Bytes are those of compressed chunks, as they lie in the blobs. Where a layer had to be read whole,
nobody can tell what its files take compressed: then, or with --logical, they are uncompressed, holes
left out. With --files only whole files count as shared, not parts of them.

Of the matrix, each row tells how much of its image the images of the columns have.

The order of pulls is the one that fetches least, on a machine that has nothing, or with --store what
the store has. It matters where
layers are pulled whole. Tables of contents and what is bridged between ranges are not counted in it:
shingle plan forecasts those.

JSON: images (with layers), matrix.{files,chunks}[row][column], shared_by, distinct, distinct_chunks,
shared_contents, directories (with --depth), store (with --store: of each image {layers, files,
chunks}), order, read. Bytes are {logical, compressed, unlocated}:
where unlocated is not 0, compressed is not all. Images are named by their place in images, from 0.

Exit status:
  0  done
  1  a pull would refuse an image: a digest, a size or a table of contents is not what it should be
  2  anything else: usage, network, disk

Examples:
  shingle overlap app:1 app:2 app:3
  shingle overlap --files --logical debian:12 debian:13
  shingle overlap --depth 2 --path usr app:1 app:2      # where in the tree it is
  shingle overlap --top 0 oci:build:old oci:build:new   # without lists of single files
  shingle overlap --store app:1 app:2                   # what of them is on this machine
  shingle overlap --json app:1 app:2 | jq '.matrix.chunks[1][0].compressed'")]
pub(crate) struct OverlapArgs {
    /// Images: docker://REF (or REF), oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:REF], dir:DIR.
    #[arg(value_name = "REF", required = true, num_args = 1.., value_parser = place)]
    pub(crate) images: Vec<Place>,
    /// Count only whole files as shared, not chunks of them.
    #[arg(long)]
    pub(crate) files: bool,
    /// Count uncompressed bytes.
    #[arg(long)]
    pub(crate) logical: bool,
    /// Show what the store has of each image, too, and the order of pulls into it.
    #[arg(long)]
    pub(crate) store: bool,
    /// How many of the biggest shared files and duplicates to list.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
    /// Show directories, too, so many levels deep [default: 1 with --path].
    #[arg(long, value_name = "N")]
    pub(crate) depth: Option<usize>,
    /// Show the directories below DIR.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<String>,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// Show what differs between two images, without pulling them.
///
/// Reads manifests, configs and tables of contents, and compares the images path by path, as a container sees them. A layer
/// without a table of contents is read to its end, once: what it holds is kept for the next time.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Changes, sorted by path:
  A  added: only the new image has the path
  D  removed: only the old one has it
  M  another content, kind of file or link; perhaps other properties, too
  P  other properties only: mode, owner, mtime, xattrs
  R  renamed: the same content, at a path that only the new image has

BYTES is the file in the new image (of D in the old one), uncompressed, holes left out. FETCH is what a
machine that has the old image lacks of it: compressed chunks, as they lie in the new image's blobs; ?
where the layer was read whole, so that nobody can tell.

JSON: old, new, changes (status, kind, old, new, properties, bytes, fresh), summary (added, removed,
content, properties, renamed, same, new_files, new_chunks), read. Bytes are {logical, compressed,
unlocated}: where unlocated is not 0, compressed is not all.

Exit status:
  0  done, also where the images differ, unless --exit-code is given
  1  a pull would refuse an image; with --exit-code, also: they differ
  2  anything else: usage, network, disk

Examples:
  shingle diff app:1 app:2
  shingle diff app:1 app:2 usr/lib                 # there and below
  shingle diff --stat debian:12 debian:13
  shingle diff --ignore-mtime oci:build:1 oci:build:2
  shingle diff --exit-code --stat app:1 app:2 > /dev/null || echo they differ
  shingle diff --json app:1 app:2 | jq -r '.changes[] | select(.status == \"added\") | .new'")]
pub(crate) struct DiffArgs {
    /// The old image: docker://REF (or REF), oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:REF], dir:DIR.
    #[arg(value_name = "OLD", value_parser = place)]
    pub(crate) old: Place,
    /// The new image.
    #[arg(value_name = "NEW", value_parser = place)]
    pub(crate) new: Place,
    /// Only this path and what is below it.
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// Show how much differs, not what.
    #[arg(long)]
    pub(crate) stat: bool,
    /// Leave out paths that differ in nothing but their times.
    #[arg(long)]
    pub(crate) ignore_mtime: bool,
    /// Leave with status 1 if the images differ.
    #[arg(long)]
    pub(crate) exit_code: bool,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}
