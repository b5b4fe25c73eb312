//! How long the overlap of ten images with 200,000 files each takes, and how much memory.
//!
//! ```text
//! cargo run --release -p shingle-core --example overlap [IMAGES [FILES]]
//! ```
//!
//! Each image has a tenth of its files to itself; the others come from a pool of twice as many as one image holds. One
//! file in twenty is cut into five chunks. Times are those on a processor, as Linux counts them: others may be at work, too.
//! Peak memory is what Linux says of the whole process, so it has a TOC in it,
//! and its JSON while it is read.
#![expect(clippy::print_stdout, reason = "it is a measurement")]

use std::fmt::Write as _;

use shingle_core::overlap::{Layer, Measure, Overlap, Pulled};
use shingle_core::{Digest, Limits, Toc};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().expect("a number"));
    let images: u64 = arguments.next().unwrap_or(10);
    let files: u64 = arguments.next().unwrap_or(200_000);
    let limits = Limits::default();
    let mut overlap = Overlap::new();
    let mut adding = 0;
    for image in 0..images {
        let toc = Toc::from_stored(json(image, files).as_bytes(), &limits).expect("a good TOC");
        if image == 0 {
            println!("{:40} {:>9} peak {:>6} MiB", "one TOC, read", "", peak());
        }
        let start = processor();
        let layer = Layer { toc: &toc, blob: None, diff_id: None, blob_len: 0, pulled: Pulled::ByFile };
        overlap.add_image(format!("image {image}"), &[layer], &limits).expect("a tree");
        adding += processor() - start;
        if image == 0 {
            println!("{:40} {:>6} ms peak {:>6} MiB", "the first image added", adding, peak());
        }
    }
    println!("{:40} {:>6} ms peak {:>6} MiB", "all added", adding, peak());
    println!("{:40} {:>9} now  {:>6} MiB", "kept of them, and the process", "", memory("VmRSS:"));
    let first = overlap.image(0).expect("an image");
    let last = overlap.image(overlap.len().saturating_sub(1)).expect("an image");
    timed("summary", || overlap.summary().distinct.count);
    timed("matrix", || overlap.matrix().files.len());
    timed("view of one image", || overlap.view(first, Measure::Compressed).map(|view| view.parents.len()));
    timed("diff of two images", || overlap.diff(first, last).map(|diff| diff.changes.len()));
    timed("order of pulls", || overlap.pull_order().steps.len());
    timed("duplicates", || overlap.duplicates(first, 100).len());
    timed("shared contents", || overlap.shared_contents(100).len());
    timed("holders of a digest", || overlap.holders(&digest(7)).len());
    timed("details of a path", || {
        overlap.node(first, 1000).and_then(|node| overlap.details(first, node)).is_some()
    });
}

fn timed<T: std::fmt::Debug>(what: &str, work: impl FnOnce() -> T) {
    let start = processor();
    let result = work();
    println!("{what:40} {:>6} ms peak {:>6} MiB: {result:?}", processor() - start, peak());
}

fn digest(content: u64) -> Digest {
    Digest::of(&content.to_le_bytes())
}

/// A TOC in the form of our store.
fn json(image: u64, files: u64) -> String {
    let mut json = String::from(r#"{"version":1,"entries":["#);
    for file in 0..files {
        // A tenth belongs to this image alone, the rest is taken from a pool by a stride of its own.
        let content = if file % 10 == 0 {
            (image + 2).wrapping_mul(1 << 40) + file
        } else {
            (file * 2 + (file / 16 + image) % 2) % (2 * files)
        };
        let (size, mode) = (1000 + content % 100_000, 0o644 + image % 2);
        let comma = if file == 0 { "" } else { "," };
        let name = format!("usr/lib/package{}/part{}/file{file}.so", file / 200, file / 10 % 20);
        let entry =
            format!(r#""name":"{name}","mode":{mode},"modtime":"2026-01-01T00:00:00Z","size":{size}"#);
        let whole = digest(content);
        if file % 20 != 0 {
            let _ = write!(json, r#"{comma}{{"type":"reg",{entry},"digest":"{whole}"}}"#);
            continue;
        }
        for chunk in 0..5 {
            let offset = chunk * (size / 5);
            let len = if chunk == 4 { size - offset } else { size / 5 };
            let digest = digest(content * 8 + chunk + (1 << 60));
            let chunk = format!(r#""chunkOffset":{offset},"chunkSize":{len},"chunkDigest":"{digest}""#);
            let _ = if offset == 0 {
                write!(json, r#"{comma}{{"type":"reg",{entry},"digest":"{whole}",{chunk}}}"#)
            } else {
                write!(json, r#",{{"type":"chunk","name":"{name}",{chunk}}}"#)
            };
        }
    }
    json.push_str("]}");
    json
}

/// How long this thread has been on a processor, in milliseconds; 0 where that is not known.
fn processor() -> u64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    times.split(' ').next().and_then(|time| time.parse::<u64>().ok()).unwrap_or(0) / 1_000_000
}

/// The most memory that this process ever had, in MiB.
fn peak() -> u64 {
    memory("VmHWM:")
}

/// What Linux says of this process's memory, in MiB; 0 where that is not known.
fn memory(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}
