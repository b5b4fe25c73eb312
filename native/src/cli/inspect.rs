//! Arguments of `shingle inspect`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{LookArgs, Place, plan::place};

/// Show images and their layers without pulling them.
///
/// Reads manifest and config of each, no layer; changes nothing here. PULLED says whether a layer can be pulled by file, TOC what
/// reading its table of contents costs. With --web, a page in the browser shows what the images hold and share.
#[derive(Args, Debug)]
#[command(after_long_help = "\
With --verbose, why a layer is pulled whole, the lengths of tables of contents and tar-splits, and the
steps that made the image. With --json, all of that: {\"image\", \"digest\", \"index\", \"id\",
\"platform\", \"media_type\", \"size\", \"created\", \"config\", \"history\", \"layers\"}; of several images,
a list of those.

The page is served on a port of this machine, until Ctrl-C, at an address that nobody can guess, and
reads the named images through it: as this command would, from the same places. Whoever has the
address can read these images. Where there is no display it is only printed.

Examples:
  shingle inspect quay.io/fedora/fedora:latest
  shingle inspect --platform linux/s390x --json alpine
  shingle inspect --files app:1 app:2
  shingle inspect --export app.shingle-tocs app:1 app:2
  shingle inspect --web app:1 app:2
  shingle inspect --web --no-open --port 8080 oci:layout:app")]
pub(crate) struct InspectArgs {
    /// Images: docker://REF (or REF), oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:REF], dir:DIR.
    #[arg(value_name = "REF", required = true, num_args = 1.., value_parser = place)]
    pub(crate) images: Vec<Place>,
    /// Count what the layers hold, too, which reads tables of contents; a layer without one is read to its end, once.
    #[arg(long, conflicts_with_all = ["web", "export"])]
    pub(crate) files: bool,
    /// Write what is known of the images to FILE, or - for stdout, to be looked at elsewhere: on the page, for example.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "web")]
    pub(crate) export: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) web: WebArgs,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// The page in the browser.
#[derive(Args, Debug)]
pub(crate) struct WebArgs {
    /// Show the images on a page in the browser, until Ctrl-C.
    #[arg(long)]
    pub(crate) web: bool,
    /// The port of 127.0.0.1 to serve the page on [default: a free one].
    #[arg(long, value_name = "N", requires = "web", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// Only print the page's address.
    #[arg(long, requires = "web")]
    pub(crate) no_open: bool,
    /// Serve the page in DIR, as `cargo xtask web` leaves it in web-inspector/dist, not the one that is built in.
    #[arg(long, value_name = "DIR", requires = "web", value_hint = ValueHint::DirPath, hide_short_help = true)]
    pub(crate) page: Option<PathBuf>,
}
