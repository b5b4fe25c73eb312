//! What a copy, a push or a conversion looks like while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use shingle::transfer::{BlobOutcome, BlobReport, BlobStart, LayerOutcome, RewrittenLayer, Watcher};

use super::{plain_bar, short};
use crate::printer::Printer;
use crate::words::{Bytes, Count, Percent};

/// Reports to a person; bars where stderr is a terminal, else only the lines.
#[derive(Debug)]
pub(crate) struct TransferProgress<'a> {
    printer: &'a Printer,
    title: String,
    bars: Option<MultiProgress>,
    blobs: OnceLock<Vec<Blob>>,
    /// Held while the lines of one blob are printed, so that they stay together.
    printing: Mutex<()>,
}

/// One blob on its way.
#[derive(Debug)]
struct Blob {
    name: String,
    size: u64,
    fetched: AtomicU64,
    sent: AtomicU64,
    bar: OnceLock<ProgressBar>,
}

impl<'a> TransferProgress<'a> {
    pub(crate) fn new(printer: &'a Printer, title: String) -> Self {
        let bars = || MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let bars = printer.draws().then(bars);
        Self { printer, title, bars, blobs: OnceLock::new(), printing: Mutex::new(()) }
    }

    /// Prints without tearing the bars.
    fn print(&self, lines: impl FnOnce(&Printer)) {
        let _together = self.printing.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.bars {
            Some(bars) => bars.suspend(|| lines(self.printer)),
            None => lines(self.printer),
        }
    }

    fn moved(&self, number: usize, bytes: u64, counter: fn(&Blob) -> &AtomicU64) {
        let (Some(blob), Some(bars)) = (self.blobs.get().and_then(|blobs| blobs.get(number)), &self.bars)
        else {
            return;
        };
        counter(blob).fetch_add(bytes, Ordering::Relaxed);
        let bar = blob.bar.get_or_init(|| bars.add(plain_bar(blob.size)));
        let (fetched, sent) = (blob.fetched.load(Ordering::Relaxed), blob.sent.load(Ordering::Relaxed));
        let (word, here) = if sent > 0 { ("Sending", sent) } else { ("Reading", fetched) };
        bar.set_position(here.min(blob.size));
        bar.set_prefix(format!("{word:10} {}", blob.name));
        bar.set_message(format!("{} / {}", Bytes(here), Bytes(blob.size)));
    }

    fn clear(&self, number: usize) {
        let blob = self.blobs.get().and_then(|blobs| blobs.get(number));
        if let Some(bar) = blob.and_then(|blob| blob.bar.get()) {
            bar.finish_and_clear();
        }
    }
}

impl Drop for TransferProgress<'_> {
    fn drop(&mut self) {
        // What failed leaves bars behind, and its error comes next.
        if let Some(bars) = &self.bars {
            drop(bars.clear());
        }
    }
}

impl Watcher for TransferProgress<'_> {
    fn begin(&self, blobs: &[BlobStart]) {
        let size = blobs.iter().map(|blob| blob.size).sum();
        let count = Count(blobs.len().try_into().unwrap_or(u64::MAX), "blob");
        self.print(|printer| printer.say(format_args!("{}: {count}, {}", self.title, Bytes(size))));
        let blob = |start: &BlobStart| Blob {
            name: short(&start.digest),
            size: start.size,
            fetched: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            bar: OnceLock::new(),
        };
        self.blobs.get_or_init(|| blobs.iter().map(blob).collect());
    }

    fn fetched(&self, number: usize, bytes: u64) {
        self.moved(number, bytes, |blob| &blob.fetched);
    }

    fn sent(&self, number: usize, bytes: u64) {
        self.moved(number, bytes, |blob| &blob.sent);
    }

    fn done(&self, number: usize, report: &BlobReport) {
        self.clear(number);
        let outcome = words(report.outcome);
        let (name, size) = (short(&report.digest), Bytes(report.size));
        self.print(|printer| {
            printer.say_of(format_args!("Blob {name}"), format_args!("  {size}, {outcome}"));
            if printer.verbose() {
                printer.say(format_args!("  {}", report.digest));
            }
        });
    }

    fn rewritten(&self, number: usize, report: &RewrittenLayer) {
        self.clear(number);
        self.print(|printer| say_layer(printer, report));
    }
}

const fn words(outcome: BlobOutcome) -> &'static str {
    match outcome {
        BlobOutcome::Copied => "copied",
        BlobOutcome::Mounted => "taken from another repository of the registry",
        BlobOutcome::Present => "already there",
        _ => "done",
    }
}

/// Says what became of one layer.
fn say_layer(printer: &Printer, report: &RewrittenLayer) {
    let (before, after) = (Bytes(report.from_size), Bytes(report.to_size));
    let name = format!("Layer {}", short(&report.from));
    let why = &report.why;
    if report.outcome == LayerOutcome::Kept {
        printer.say_of(name, format_args!("  {before}, kept: {why} ({})", words(report.sent)));
    } else {
        let percent = Percent { part: report.to_size, whole: report.from_size };
        printer.say_of(name, format_args!("  {before} -> {after} ({percent}), {}", short(&report.to)));
        printer.say(format_args!(
            "  {} -> {}: {why}",
            tail(&report.from_media_type),
            tail(&report.to_media_type)
        ));
        match &report.plain {
            Some(reason) => printer.say(format_args!("  plain zstd, which is pulled whole: {reason}")),
            None if report.toc_bytes > 0 => printer.say(format_args!(
                "  TOC {}, tar-split {}",
                Bytes(report.toc_bytes),
                Bytes(report.tar_split_bytes)
            )),
            None => {}
        }
        if report.sent != BlobOutcome::Copied {
            printer.say(format_args!("  {}", words(report.sent)));
        }
    }
    if printer.verbose() {
        printer.say(format_args!("  blob    {}", report.to));
        printer.say(format_args!("  DiffID  {}", report.diff_id));
    }
}

/// The part of a layer's media type that tells it from others.
fn tail(media_type: &str) -> &str {
    media_type.rfind(".tar").and_then(|at| media_type.get(at + 1..)).unwrap_or(media_type)
}
