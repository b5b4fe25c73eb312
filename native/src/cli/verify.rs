//! Arguments of `shingle verify`.

use clap::{ArgAction, Args};
use shingle::registry::Platform;
use shingle::transport::Location;

/// Check that everything an image says of itself is true.
///
/// Reads every layer once, where it lies, and holds its manifest, annotations, footer, table of contents, tar-split,
/// frames, tar and DiffID against each other. Tells every difference with its place and both values; notes are about
/// what is unusual and misleads nobody. Changes nothing.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Exit status:
  0  nothing is wrong
  1  something disagrees
  2  the image could not be read

Examples:
  shingle verify quay.io/fedora/fedora:latest
  shingle verify oci:./layout:app --layer 2
  shingle verify --platform linux/arm64 docker://registry.example/app:2
  shingle verify --json oci-archive:app.tar | jq '.layers[] | select(.wrong > 0)'")]
pub(crate) struct VerifyArgs {
    /// The image: docker://REF (or REF), oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:REF], dir:DIR.
    #[arg(value_name = "SRC", value_parser = super::transfer::location)]
    pub(crate) source: Location,
    /// Only this layer, counted from 1, the lowest one; can be given more than once [default: all].
    #[arg(long = "layer", value_name = "N")]
    pub(crate) layers: Vec<usize>,
    /// Which image of several: OS/ARCHITECTURE[/VARIANT] [default: all].
    #[arg(long, value_name = "PLATFORM", value_parser = super::platform)]
    pub(crate) platform: Option<Platform>,
    /// Insist on https and a valid certificate; false also allows plain http.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub(crate) tls_verify: bool,
}
