//! Pulls an image into a store, and says how much of it had to be fetched: `pull REFERENCE STORE`.
//!
//! ```sh
//! cargo run -p shingle --example pull -- quay.io/fedora/fedora:latest /tmp/store
//! ```
//!
//! `shingle demo --serve` serves two versions of an image to try it on; they are on this machine's own port, without
//! TLS, which this program takes as leave to speak plain http.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;

use shingle::pull::{LayerReport, LayerStart, Phase, PullOptions, Reporter, pull};
use shingle::registry::{Client, ClientOptions, Reference};
use shingle::store::Store;

/// Says one line for each layer. A pull reports from several threads, so what keeps state here would need a lock.
struct Lines;

impl Reporter for Lines {
    fn begin(&self, layers: &[LayerStart]) {
        println!("{} layers, {} bytes", layers.len(), layers.iter().map(|layer| layer.size).sum::<u64>());
    }

    fn phase(&self, _layer: usize, _phase: Phase) {}

    fn planned(&self, layer: usize, fetch_bytes: u64, skipped_bytes: u64) {
        println!("layer {}: {fetch_bytes} bytes to fetch, {skipped_bytes} to skip", layer + 1);
    }

    fn received(&self, _layer: usize, _bytes: u64) {}

    fn done(&self, layer: usize, report: &LayerReport) {
        println!("layer {}: {}, {} requests", layer + 1, report.mode.as_str(), report.requests);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(reference), Some(directory)) = (args.next(), args.next()) else {
        return Err("usage: pull REFERENCE STORE".into());
    };
    let reference: Reference = reference.parse()?;
    let mut options = ClientOptions::default();
    options.tls_verify = !reference.host().starts_with("127.0.0.1:");
    let client = Client::new(options)?;
    let store = Store::open(directory)?;
    let report = match pull(&store, &client, &reference, &PullOptions::default(), &Lines) {
        Ok(report) => report,
        Err(error) => {
            if let Some(hint) = error.hint() {
                println!("hint: {hint}");
            }
            // What a check refused will be refused again; what failed may work in a moment.
            let how = if error.is_refusal() { "refused" } else { "failed" };
            return Err(format!("{how}: {error}").into());
        }
    };
    let fetched: u64 = report.layers.iter().map(|layer| layer.fetched_bytes).sum();
    println!("{} fetched in {:.2} s", fetched, report.seconds);
    for layer in &report.layers {
        println!("{}", store.tree_path(&layer.identity().id()).display());
    }
    Ok(())
}
