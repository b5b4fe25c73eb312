//! Arguments of what looks into an image: `shingle ls`, `cat` and `chunks`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{CacheArgs, Place, SourceArgs};

/// List the files of an image without pulling it.
///
/// Shows a directory as a container would see it: all layers stacked, removed files gone. Reads manifest, config and each
/// layer's table of contents. A layer without one, gzip for example, is read to its end, once: what is in it is kept.
/// Changes nothing else here.
#[derive(Args, Debug)]
#[command(after_long_help = "\
MODE, LINKS, OWNER, SIZE and MODIFIED (UTC) are as `ls -ln` has them; COMPRESSED is what fetching the
file's content takes, \"?\" where its layer was read whole. A link in PATH is followed inside the
image. What a terminal would act on, and bytes that are not UTF-8, are escaped in names.

With --json: {\"image\", \"digest\", \"path\", \"entries\": [{\"path\", \"kind\", \"mode\", \"links\", \"uid\",
\"gid\", \"size\", \"compressed_bytes\", \"mtime\", \"target\", \"digest\", \"device\", \"layer\", \"blob\"}],
\"read_bytes\", \"requests\"}; what an entry has not is left out, path_hex and target_hex are there for
names that are not UTF-8, and layer counts from 1, the lowest one.

Exit status:
  0  done
  1  a layer is not what the image says
  2  anything else: nothing of that name, usage, network, disk

Examples:
  shingle ls quay.io/fedora/fedora:latest
  shingle ls quay.io/fedora/fedora:latest /etc/ssl
  shingle ls -R --layers oci:layout:app /usr/share | less
  shingle ls --deleted app:2                   # what upper layers remove or replace, too
  shingle ls -R --json app:2 / | jq '.entries[] | select(.size > 1000000) | .path'")]
pub(crate) struct LsArgs {
    /// The image: docker://REF (or REF), oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:REF], dir:DIR.
    #[arg(value_name = "REF", value_parser = super::plan::place)]
    pub(crate) image: Place,
    /// A directory or a file in it [default: the root].
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<OsString>,
    /// List what is in the directories below, too.
    #[arg(long, short = 'R')]
    pub(crate) recursive: bool,
    /// Say which layer each comes from, counted from 1, the lowest one.
    #[arg(long)]
    pub(crate) layers: bool,
    /// List what layers hold and upper layers remove, replace or hide, too, after the others.
    #[arg(long)]
    pub(crate) deleted: bool,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
}

/// Write a file of an image to stdout without pulling the image.
///
/// Fetches the frames of that file alone, or takes it from the store, if that has it. Nothing is written before each chunk,
/// and then the whole file, is what the layer's table of contents says, for which the manifest vouches. (That the layer's
/// tar says the same, only a pull proves.) A layer without a table of contents, gzip for example, is read to its end: to
/// know what is in it, which is kept, and again for the file, which is handed out only when the whole layer is proven.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Tables of contents are read from the top layer down, as far as it takes. Links in PATH are followed
inside the image. The content is put aside in a file without a name in TMPDIR until it is proven.
--verbose says what was read.

With --json, which needs --output: {\"image\", \"path\", \"layer\", \"blob\", \"bytes\", \"digest\",
\"toc_bytes\", \"toc_requests\", \"fetched_bytes\", \"requests\", \"reused_bytes\", \"whole\"}.

Exit status:
  0  done
  1  the file, or its layer, is not what the image says; nothing was written
  2  anything else: no such file, usage, network, disk

Examples:
  shingle cat quay.io/fedora/fedora:latest /etc/os-release
  shingle cat oci:layout:app /usr/bin/app > app
  shingle cat -o app --verbose registry.example/app:2 /usr/bin/app
  shingle cat docker-archive:app.tar /var/lib/dpkg/status | grep -c ^Package:")]
pub(crate) struct CatArgs {
    /// The image: docker://REF (or REF), oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:REF], dir:DIR.
    #[arg(value_name = "REF", value_parser = super::plan::place)]
    pub(crate) image: Place,
    /// A regular file in it, or a link to one.
    #[arg(value_name = "PATH")]
    pub(crate) path: OsString,
    /// Write to FILE instead, over what is there.
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
}

/// Show where the chunks of files lie in an image's layers.
///
/// Lists each layer's blob front to back: the frames of every chunk with its file and digest, what lies between them, and
/// the table of contents, the tar-split and the footer at its end. Reads manifest, config and tables of contents.
#[derive(Args, Debug)]
#[command(after_long_help = "\
OFFSET and LENGTH are of the blob, PLAIN is the length of what is in the frames, AT where that belongs
in the file. A gap is what no file's content lies in: tar headers and padding. A hole is zeros that no
puller fetches; it has no offset, and stands after the chunk before it. A chunk that is shared lies in
the same frames as the one before it. Of layers without a table of contents nobody knows any of this.

With --json: {\"image\", \"digest\", \"layers\": [{\"layer\", \"blob\", \"blob_bytes\", \"why\",
\"parts\": [{\"kind\": \"frames|shared|gap|hole|toc|tar-split|footer\", \"offset\", \"length\", \"plain\", \"at\",
\"path\", \"digest\"}]}]}.

Examples:
  shingle chunks quay.io/fedora/fedora:latest
  shingle chunks --layer 2 oci:layout:app
  shingle chunks oci:layout:app /usr/bin/app
  shingle chunks --json app:2 | jq '[.layers[].parts[] | select(.kind == \"gap\").length] | add'")]
pub(crate) struct ChunksArgs {
    /// The image: docker://REF (or REF), oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:REF], dir:DIR.
    #[arg(value_name = "REF", value_parser = super::plan::place)]
    pub(crate) image: Place,
    /// Only the chunks of this file, in the layer that a container has it from, or in --layer.
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<OsString>,
    /// Only this layer, counted from 1, the lowest one; can be given more than once [default: all].
    #[arg(long = "layer", value_name = "N")]
    pub(crate) layers: Vec<usize>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
}
