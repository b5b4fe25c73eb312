//! Arguments of `shingle plan`.

use clap::Args;
use shingle::transport::Location;
use shingle_core::Trust;

use super::{CacheArgs, CostArgs, SourceArgs};

/// Forecast what pulling an image would cost, without pulling it.
///
/// Reads manifest, config and each layer's table of contents, and says per layer and in total how many bytes would be
/// fetched in how many requests, and where the files would come from. It is what a pull with the same options then does;
/// only what a registry redirects or has repeated, and what one layer takes from another that came sooner, nobody can know
/// before. Changes nothing here.
#[derive(Args, Debug)]
#[command(after_long_help = "\
What is taken to be here, if nothing is said: what the store holds, if there is one. A given image
stands for all its layers, as if they had been pulled. A layer of it without a table of contents is
read to its end to know its files, and costs its bytes; only its table of contents is kept, so that
this happens once (--no-cache).

MODE is what the layer's pull will be called: partial (by file), whole or present. Of FILES, HELD are
taken from what is here as they are, TWIN are the same as another of the layer, ASSEMBLED are put
together from parts that are here, FETCHED are fetched in whole or in part.

Exit status:
  0  done
  1  a pull would refuse the image, or an image that is given
  2  anything else: usage, network, disk

Examples:
  shingle plan quay.io/fedora/fedora:latest
  shingle plan --given app:1 app:2                  # has app:1 and nothing else
  shingle plan --given-store --given base:3 app:2   # has what the store has, and base:3
  shingle plan --given-nothing app:2
  shingle plan --given oci:old:app oci:new:app
  shingle plan --links app:2                        # over slower and faster links, too
  shingle plan --json app:2 | jq .total.fetched_bytes
  shingle plan --json --full app:2 | jq '.layers[].ranges'")]
pub(crate) struct PlanArgs {
    /// The image: docker://REF (or REF), oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:REF], dir:DIR.
    #[arg(value_name = "REF", value_parser = place)]
    pub(crate) image: Place,
    /// An image that the machine has, named like REF; can be given more than once. Nothing else is here then.
    #[arg(long, value_name = "REF", value_parser = place)]
    pub(crate) given: Vec<Place>,
    /// What the store holds is here, beside what --given says.
    #[arg(long)]
    pub(crate) given_store: bool,
    /// Nothing is here.
    #[arg(long, conflicts_with_all = ["given", "given_store"])]
    pub(crate) given_nothing: bool,
    /// List every range and where each file comes from, too; needs --json.
    #[arg(long)]
    pub(crate) full: bool,
    /// Say what the pull would cost over slower and faster links, too; not with --json.
    #[arg(long)]
    pub(crate) links: bool,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// How far a layer must be proven: diffid, else it is pulled whole; toc is enough where nothing better can be had
    /// [default: diffid].
    #[arg(long, value_name = "RUNG", value_parser = super::trust())]
    pub(crate) trust: Option<Trust>,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    #[command(flatten)]
    pub(crate) cost: CostArgs,
}

/// A place of an image, and how it was typed.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) typed: String,
    pub(crate) location: Location,
}

/// Reads a place.
pub(super) fn place(text: &str) -> Result<Place, String> {
    Ok(Place { typed: text.to_owned(), location: super::transfer::location(text)? })
}
