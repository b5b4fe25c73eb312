//! Writes the layers of an image anew, so that they can be pulled by file: `convert SOURCE DESTINATION [FORMAT]`.
//!
//! Both are locations as skopeo writes them:
//!
//! ```sh
//! cargo run -p shingle --example convert -- docker://quay.io/fedora/fedora:latest oci:fedora:latest
//! cargo run -p shingle --example convert -- oci:tests/fixtures/zoo/gzip:zoo oci-archive:zoo.tar zstd:chunked
//! ```
//!
//! For one tar without an image around it, see `pack.rs`.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;

use shingle::registry::{Client, ClientOptions};
use shingle::shingle_core::writer::WriteOptions;
use shingle::transfer::{ConvertOptions, Quiet, Which, convert};
use shingle::transport::{Location, open_destination, open_source};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(from), Some(to)) = (args.next(), args.next()) else {
        return Err("usage: convert SOURCE DESTINATION [FORMAT]".into());
    };
    let (from, to): (Location, Location) = (from.parse()?, to.parse()?);
    let mut options = ConvertOptions::default();
    // An index with everything in it; `Which::One(platform)` takes one image out.
    options.which = Which::All;
    if let Some(format) = args.next() {
        options.write = WriteOptions::new(format.parse()?);
    }
    // Asked only where a location is a registry.
    let client = Client::new(ClientOptions::default())?;
    let source = open_source(&from, &client)?;
    let destination = open_destination(&to, &client)?;
    let report = convert(&*source, destination, &options, &Quiet)?;
    for layer in &report.layers {
        println!(
            "{} -> {}, {} -> {} bytes: {}",
            layer.from, layer.to, layer.from_size, layer.to_size, layer.why
        );
        if let Some(why) = &layer.plain {
            println!("  plain zstd: {why}");
        }
    }
    println!("{} at {to} after {:.2} s", report.digest, report.seconds);
    Ok(())
}
