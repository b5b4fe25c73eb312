//! Writes a layer's blob from its tar: `pack TAR BLOB [FORMAT [LEVEL [JOBS]]]`.
//!
//! Prints what the layer's descriptor must say, and how long it took.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_types,
    reason = "an example of its own, outside any store"
)]

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::time::Instant;

use shingle::pack::{PackOptions, pack};
use shingle_core::writer::WriteOptions;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(tar), Some(blob)) = (args.next(), args.next()) else {
        return Err("usage: pack TAR BLOB [FORMAT [LEVEL [JOBS]]]".into());
    };
    let mut write = WriteOptions::new(args.next().as_deref().unwrap_or("zstd:chunked").parse()?);
    if let Some(level) = args.next() {
        write.level = level.parse()?;
    }
    let mut options = PackOptions::new(write);
    if let Some(jobs) = args.next() {
        options.jobs = jobs.parse()?;
    }
    let begun = Instant::now();
    let layer = pack(File::open(tar)?, &options, BufWriter::new(File::create(blob)?), &|_read| {})?;
    let seconds = begun.elapsed().as_secs_f64();
    println!("{} bytes of tar in {seconds:.2} s", layer.tar_len);
    println!("DiffID {}", layer.diff_id);
    println!("blob {}, {} bytes ({})", layer.blob, layer.blob_len, layer.format);
    println!("TOC {} bytes, tar-split {} bytes", layer.toc_len, layer.tar_split_len);
    if let Some(reason) = layer.plain {
        println!("not chunked: {reason}");
    }
    for (key, value) in layer.annotations {
        println!("{key}={value}");
    }
    Ok(())
}
