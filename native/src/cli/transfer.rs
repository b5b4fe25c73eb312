//! Arguments of the commands that bring images from one place to another.

use clap::{ArgAction, Args};
use shingle::registry::Platform;
use shingle::transport::{Location, LocationError};

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
  oci-archive:FILE[:TAG]        in a tar of one
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
