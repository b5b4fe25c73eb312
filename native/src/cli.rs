//! The command line, as it is typed.

mod inspect;
mod look;
mod overlap;
mod plan;
mod transfer;
mod verify;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use shingle::registry::{Platform, Reference, ReferenceError};
use shingle_core::{LinkMode, Trust};

pub(crate) use inspect::InspectArgs;
pub(crate) use look::{CatArgs, ChunksArgs, LsArgs};
pub(crate) use overlap::{DiffArgs, LookArgs, OverlapArgs};
pub(crate) use plan::{Place, PlanArgs};
pub(crate) use transfer::{CompressionArgs, ConvertArgs, CopyArgs, PushArgs};
pub(crate) use verify::VerifyArgs;

/// Pulls container images by file, not by layer.
///
/// A zstd:chunked layer says at its end which files it holds. Shingle reads that first, takes from its store every
/// file and chunk that is there already, fetches only the rest, and proves that the layer came out whole.
#[derive(Debug, Parser)]
#[command(name = "shingle", version, max_term_width = 100, subcommand_required = true)]
#[command(arg_required_else_help = true)]
#[command(after_help = "Try it without network or root: shingle demo")]
#[command(after_long_help = "\
Exit status:
  0  done
  1  verify found a difference, or a check refused what came: a digest, a size or a table of
     contents is not what it should be
  2  anything else: usage, network, disk

Examples:
  shingle demo
  shingle pull quay.io/fedora/fedora:latest
  shingle plan quay.io/fedora/fedora:rawhide
  shingle overlap app:1 app:2 app:3
  shingle unpack quay.io/fedora/fedora:latest ./rootfs
  shingle convert alpine registry.example/alpine:chunked
  shingle --root /srv/shingle images --json")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The store [default: /var/lib/shingle for root, else shingle in the user's data directory].
    #[arg(long, value_name = "DIR", env = "SHINGLE_ROOT", hide_env_values = true, global = true)]
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) root: Option<PathBuf>,
    /// Say nothing but results and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Say more: whole digests, and where things lie.
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Write the result as JSON to stdout, and errors as JSON to stderr: {"error", "causes", "hint"}.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to use colours; auto obeys NO_COLOR.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColorWhen::Auto, global = true)]
    pub(crate) color: ColorWhen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

/// What to do; each command's arguments carry its description.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Pull(PullArgs),
    Plan(PlanArgs),
    Overlap(OverlapArgs),
    Diff(DiffArgs),
    Images(ImagesArgs),
    Inspect(InspectArgs),
    Ls(LsArgs),
    Cat(CatArgs),
    Chunks(ChunksArgs),
    Unpack(UnpackArgs),
    Verify(VerifyArgs),
    Copy(CopyArgs),
    Convert(ConvertArgs),
    Push(PushArgs),
    Rmi(RmiArgs),
    Gc(GcArgs),
    Demo(DemoArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Pull images into the store.
///
/// Layers are proven by the digests that the image's manifest and config name, and published only then. Each becomes
/// a directory below the store's trees/. A layer without a table of contents is pulled whole, and says why.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Link modes, strongest first:
  hardlink  shares disk and memory; only where owner, mode, time and xattrs agree, else as below
  reflink   shares disk; needs a file system such as XFS or Btrfs
  copy      shares nothing
  auto      the strongest that fits each file and that the file system allows

Trust:
  diffid    the layer's tar is rebuilt and is the one that the image's config names (default)
  toc       layers without a tar-split (eStargz, podman 4.3) come by file too: the manifest vouches
            for their table of contents, and that for every file; nothing shows that it is the
            tar's. All others are proven as ever

Podman's storage.conf is read too, its [storage.options.pull_options]: convert_images = \"true\"
stands for --convert, use_hard_links = \"true\" for --link-mode hardlink, and
insecure_allow_unpredictable_image_contents = \"true\" for --trust toc. The command line counts
more; --verbose says who decided.

Examples:
  shingle pull quay.io/fedora/fedora:latest
  shingle pull --trust toc registry.example/app:esgz
  shingle pull --convert docker.io/library/debian:12   # gzip; later pulls reuse parts of its files
  shingle pull --link-mode reflink --strict registry.example/app:2
  shingle pull --platform linux/arm64 alpine
  shingle pull --tls-verify=false localhost:5000/app:2
  shingle pull --json app:2 | jq '.layers[].fetched_bytes'")]
pub(crate) struct PullArgs {
    /// Images: HOST/REPOSITORY:TAG or @DIGEST; what is left out is filled up as podman does.
    #[arg(value_name = "REF", required = true, value_parser = reference)]
    pub(crate) references: Vec<Reference>,
    #[command(flatten)]
    pub(crate) link: LinkArgs,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// How far a layer must be proven: diffid, else it is pulled whole; toc is enough where nothing better can be had
    /// [default: diffid].
    #[arg(long, value_name = "RUNG", value_parser = trust())]
    pub(crate) trust: Option<Trust>,
    /// Index the chunks of layers that are pulled whole too, so that later pulls reuse parts of their files.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) convert: Option<bool>,
    #[command(flatten)]
    pub(crate) cost: CostArgs,
}

/// What the link to the registry is like.
#[derive(Args, Debug)]
pub(crate) struct CostArgs {
    /// How many requests run at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) jobs: Option<u32>,
    /// What a request costs: milliseconds to its first byte. Decides which gaps are fetched rather than skipped.
    #[arg(long, value_name = "MS", hide_short_help = true)]
    pub(crate) round_trip_ms: Option<u32>,
    /// What a byte costs: how many the link carries in a second.
    #[arg(long, value_name = "BYTES", hide_short_help = true, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) bandwidth: Option<u64>,
}

/// How files that are here already get into a tree.
#[derive(Args, Debug)]
pub(crate) struct LinkArgs {
    /// How files that are here already get into the tree: auto, hardlink, reflink or copy.
    #[arg(long, value_name = "MODE", value_parser = link_mode())]
    pub(crate) link_mode: Option<LinkMode>,
    /// Fail rather than use a weaker way than the mode names.
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Where images come from.
#[derive(Args, Debug)]
pub(crate) struct SourceArgs {
    /// Which image of several: OS/ARCHITECTURE[/VARIANT] [default: linux on this machine's processor].
    #[arg(long, value_name = "PLATFORM", value_parser = platform)]
    pub(crate) platform: Option<Platform>,
    /// Insist on https and a valid certificate; false also allows plain http.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub(crate) tls_verify: bool,
}

/// What is kept of layers that were read before.
#[derive(Args, Debug)]
pub(crate) struct CacheArgs {
    /// Read all tables of contents anew, and keep none; those kept are in ~/.cache/shingle/tocs, for root in
    /// /var/cache/shingle/tocs, or in tocs of $SHINGLE_CACHE.
    #[arg(long)]
    pub(crate) no_cache: bool,
}

/// List the images in the store.
///
/// SIZE is what the layers' blobs measure in the registry, compressed.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  shingle images
  shingle images --json | jq -r '.[].image'")]
pub(crate) struct ImagesArgs {}

/// Write an image's files to a directory.
///
/// Applies the layers of an image in the store, lowest first, whiteouts included. Files are reflinked where the file
/// system can, else copied, so that nothing done to them reaches the store; hardlink shares them with it, for trees
/// that are only read.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  shingle unpack quay.io/fedora/fedora:latest ./rootfs
  shingle unpack --link-mode reflink --strict app:2 /srv/app
  shingle unpack --link-mode hardlink app:2 /srv/app     # to read, not to change")]
pub(crate) struct UnpackArgs {
    /// An image in the store.
    #[arg(value_name = "REF", value_parser = reference)]
    pub(crate) reference: Reference,
    /// Where to: a directory that is empty or not there yet.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) target: PathBuf,
    #[command(flatten)]
    pub(crate) link: LinkArgs,
}

/// Remove images from the store.
///
/// Only the names go; layers stay until gc, and those that another image needs stay for good.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  shingle rmi quay.io/fedora/fedora:latest
  shingle rmi app:1 app:2 && shingle gc")]
pub(crate) struct RmiArgs {
    /// Images in the store.
    #[arg(value_name = "REF", required = true, value_parser = reference)]
    pub(crate) references: Vec<Reference>,
}

/// Free the space of everything that no image needs.
///
/// Waits until no pull runs.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  shingle gc
  shingle gc --json | jq .bytes")]
pub(crate) struct GcArgs {}

/// Pull two versions of a small image from inside this program, to see what it does.
///
/// Needs neither network nor root. Uses a store of its own, never the one of --root, and leaves it there to look at.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  shingle demo
  shingle demo --keep ./demo
  shingle demo --serve              # and pull from it in another terminal")]
pub(crate) struct DemoArgs {
    /// Keep the store in DIR, empty or not there yet [default: a new directory for temporary files].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "serve")]
    pub(crate) keep: Option<PathBuf>,
    /// Only serve the two versions, until Ctrl-C, and say how to pull them.
    #[arg(long)]
    pub(crate) serve: bool,
}

/// Print a completion script for a shell.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  shingle completions bash > ~/.local/share/bash-completion/completions/shingle
  shingle completions zsh > ~/.zfunc/_shingle
  shingle completions fish > ~/.config/fish/completions/shingle.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Print the manual page, or write all of them to a directory.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  shingle man | man -l -
  shingle man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Where to write shingle.1, shingle-pull.1 and so on.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) directory: Option<PathBuf>,
}

/// Reads a reference; its advice goes where clap shows the error.
fn reference(text: &str) -> Result<Reference, String> {
    let elsewhere = text.split_once(':').filter(|(transport, _)| {
        matches!(*transport, "oci" | "oci-archive" | "docker-archive" | "dir" | "containers-storage")
    });
    if let Some((transport, _)) = elsewhere {
        return Err(format!(
            "the name of an image in a registry is needed, not a place\n\nhint: `shingle copy {transport}:… \
             docker://HOST/REPOSITORY:TAG` brings an image to one; plan, verify, copy and convert read places themselves"
        ));
    }
    text.parse().map_err(|error: ReferenceError| match error.hint() {
        Some(hint) => format!("{}\n\nhint: {hint}", error.fault),
        None => error.fault.to_string(),
    })
}

fn platform(text: &str) -> Result<Platform, shingle::registry::PlatformError> {
    text.parse()
}

fn trust() -> impl clap::builder::TypedValueParser<Value = Trust> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(["diffid", "toc"]).try_map(|name| name.parse::<Trust>())
}

fn link_mode() -> impl clap::builder::TypedValueParser<Value = LinkMode> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(["auto", "hardlink", "reflink", "copy"])
        .try_map(|name| name.parse::<LinkMode>())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        for command in Cli::command().get_subcommands_mut() {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Examples:\n  shingle"), "{}", command.get_name());
        }
    }

    #[test]
    fn tls_verify_takes_its_value_either_way() {
        for (words, expected) in [
            (&["--tls-verify=false", "a"][..], false),
            (&["--tls-verify", "false", "a"], false),
            (&["--tls-verify=true", "a"], true),
            (&["a"], true),
        ] {
            let words = ["shingle", "pull"].iter().chain(words);
            let Command::Pull(args) = Cli::try_parse_from(words).unwrap().command else { panic!("not pull") };
            assert_eq!(args.source.tls_verify, expected);
        }
    }
}
