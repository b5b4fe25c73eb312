//! Arguments of the commands that bring images from one place to another.

use std::num::NonZero;
use std::ops::RangeInclusive;

use clap::{ArgAction, Args};
use shingle::registry::{Platform, Reference};
use shingle::transport::{Location, LocationError};
use shingle_core::writer::{Format, WriteOptions};

/// Copy an image from one place to another, as it is.
///
/// Blobs stay byte for byte, and so do manifests, except that an OCI layout holds no Docker manifests: there they get
/// OCI's media types, and so another digest, while config and layers stay. Of an index, the image for this machine is
/// copied, or with --all everything. Prints the digest that the destination's name then leads to.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Places, named as for skopeo:
  docker://HOST/REPOSITORY:TAG  in a registry; docker:// may be left out
  oci:DIR[:TAG]                 in an OCI image layout; others in it stay
  oci-archive:FILE[:TAG]        in a tar of one; written anew if it is there
  docker-archive:FILE[:REF]     in a tar for docker load; layers are plain tars there
  dir:DIR                       a manifest and blobs, nothing else

Examples:
  shingle copy quay.io/fedora/fedora:latest oci:fedora:latest
  shingle copy --all alpine localhost:5000/alpine --dest-tls-verify=false
  shingle copy --platform linux/arm64 alpine docker-archive:alpine.tar:alpine:arm
  shingle copy oci-archive:app.tar docker://registry.example/app:2")]
pub(crate) struct CopyArgs {
    /// Where the image is.
    #[arg(value_name = "SRC", value_parser = location)]
    pub(crate) source: Location,
    /// Where it is to be.
    #[arg(value_name = "DST", value_parser = location)]
    pub(crate) destination: Location,
    /// Copy the images for all platforms, and the index.
    #[arg(long, short, conflicts_with = "platform")]
    pub(crate) all: bool,
    /// Which image of several: OS/ARCHITECTURE[/VARIANT] [default: linux on this machine's processor].
    #[arg(long, value_name = "PLATFORM", value_parser = super::platform)]
    pub(crate) platform: Option<Platform>,
    /// How many blobs are on their way at once.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) jobs: u32,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
}

/// Convert an image's layers to zstd:chunked on the way from one place to another.
///
/// Each layer is written anew, so that clients can pull it by file; its tar stays byte for byte, and so do config and
/// DiffIDs, which is proven on the way. Of an index, all images are converted. Layers that can be pulled by file already
/// stay, and so do attestations. Prints the digest that the destination's name then leads to.
///
/// Layers go through a file without a name in the directory for temporary files (TMPDIR), two at a time. What each became
/// is remembered in ~/.cache/shingle/conversions ($XDG_CACHE_HOME, for root /var/cache): where the destination has that
/// already, or its registry in a repository that it was brought to before, the layer is not read again.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Places are named as for skopeo: see shingle copy --help. A docker-archive holds plain tars, so it can be the source only.

Examples:
  shingle convert alpine registry.example/alpine:chunked
  shingle convert --platform linux/arm64 docker-archive:app.tar oci:app:2
  shingle convert --compression-format zstd --compression-level 19 oci:app:2 oci-archive:app.tar
  shingle convert --json alpine oci:alpine:new | jq '.layers[] | {why, from_size, to_size}'")]
pub(crate) struct ConvertArgs {
    /// Where the image is.
    #[arg(value_name = "SRC", value_parser = location)]
    pub(crate) source: Location,
    /// Where it is to be.
    #[arg(value_name = "DST", value_parser = location)]
    pub(crate) destination: Location,
    /// Only the image for OS/ARCHITECTURE[/VARIANT] [default: all].
    #[arg(long, value_name = "PLATFORM", value_parser = super::platform)]
    pub(crate) platform: Option<Platform>,
    /// Convert the images for all platforms, which is the default.
    #[arg(long, short, hide = true, conflicts_with = "platform")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) compression: CompressionArgs,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
}

/// Push an image from the store.
///
/// The store keeps files, not blobs: each layer's tar is made again from them, proven by its DiffID, and written as
/// zstd:chunked. A layer whose blob is at the destination already, pulled by file from there or pushed there before, is not
/// written again. Prints the digest that the destination's name then leads to.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Places are named as for skopeo: see shingle copy --help.

Examples:
  shingle push app:2 registry.example/app:2
  shingle push app:2 oci:app:2
  shingle push --compression-format gzip app:2 oci-archive:app.tar")]
pub(crate) struct PushArgs {
    /// An image in the store.
    #[arg(value_name = "IMAGE", value_parser = super::reference)]
    pub(crate) reference: Reference,
    /// Where it is to be.
    #[arg(value_name = "DST", value_parser = location)]
    pub(crate) destination: Location,
    #[command(flatten)]
    pub(crate) compression: CompressionArgs,
    /// Insist on https and a valid certificate; false also allows plain http.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub(crate) tls_verify: bool,
}

/// How layers are written.
#[derive(Args, Debug)]
pub(crate) struct CompressionArgs {
    /// The form of the layers: gzip, zstd or zstd:chunked, as podman names them.
    #[arg(long, value_name = "FORMAT", default_value_t = Format::ZstdChunked, value_parser = format())]
    #[arg(alias = "dest-compress-format")]
    pub(crate) compression_format: Format,
    /// How hard to compress: 1 to 9 for gzip, 1 to 22 for zstd [default: 6 for gzip, 7 for zstd].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=22))]
    #[arg(alias = "dest-compress-level")]
    pub(crate) compression_level: Option<i32>,
    /// On how many cores [default: all].
    #[arg(long, value_name = "N", value_parser = jobs)]
    pub(crate) jobs: Option<NonZero<usize>>,
    /// Write layers anew that have this form already, or were converted before.
    #[arg(long, alias = "force-compression")]
    pub(crate) force: bool,
    /// The form of the manifest, for those who are used to say it.
    #[arg(long, short, value_name = "FORMAT", hide = true, value_parser = manifest_format)]
    pub(crate) format: Option<()>,
}

impl CompressionArgs {
    /// Returns what they say; fails with the levels that there are.
    pub(crate) fn options(&self) -> Result<WriteOptions, RangeInclusive<i32>> {
        let mut options = WriteOptions::new(self.compression_format);
        options.level = self.compression_level.unwrap_or(options.level);
        let levels = self.compression_format.levels();
        if levels.contains(&options.level) { Ok(options) } else { Err(levels) }
    }
}

fn jobs(text: &str) -> Result<NonZero<usize>, String> {
    let most = NonZero::new(1024).unwrap_or(NonZero::<usize>::MIN);
    text.parse()
        .ok()
        .filter(|jobs| *jobs <= most)
        .ok_or_else(|| format!("a number from 1 to {most} is needed"))
}

fn format() -> impl clap::builder::TypedValueParser<Value = Format> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(["gzip", "zstd", "zstd:chunked"])
        .try_map(|name| name.parse::<Format>())
}

/// Reads podman's `--format`, which has one answer here.
fn manifest_format(text: &str) -> Result<(), String> {
    match text {
        "oci" => Ok(()),
        "gzip" | "zstd" | "zstd:chunked" => Err("this is the form of the manifest\n\nhint: that of the layers is --compression-format".to_owned()),
        _ => Err("manifests are written in OCI's form: Docker's has no place for what a layer is pulled by file with\n\nhint: leave --format out".to_owned()),
    }
}

/// How to talk to the registries at both ends.
#[derive(Args, Debug)]
pub(crate) struct TlsArgs {
    /// Insist on https and a valid certificate; false also allows plain http.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub(crate) tls_verify: bool,
    /// The same, of the source only.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub(crate) src_tls_verify: Option<bool>,
    /// The same, of the destination only.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub(crate) dest_tls_verify: Option<bool>,
}

impl TlsArgs {
    pub(crate) fn source(&self) -> bool {
        self.src_tls_verify.unwrap_or(self.tls_verify)
    }

    pub(crate) fn destination(&self) -> bool {
        self.dest_tls_verify.unwrap_or(self.tls_verify)
    }
}

/// Reads a place; its advice goes where clap shows the error.
pub(super) fn location(text: &str) -> Result<Location, String> {
    text.parse().map_err(|error: LocationError| {
        let said = match &error {
            LocationError::Reference(error) => error.fault.to_string(),
            other => other.to_string(),
        };
        match error.hint() {
            Some(hint) => format!("{said}\n\nhint: {hint}"),
            None => said,
        }
    })
}
