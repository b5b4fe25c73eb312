//! What a copy, a push or a conversion looks like while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use shingle::transfer::{BlobOutcome, BlobReport, BlobStart, Watcher};

use super::{plain_bar, short};
use crate::printer::Printer;
use crate::words::{Bytes, Count};

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
        let outcome = match report.outcome {
            BlobOutcome::Copied => "copied",
            BlobOutcome::Mounted => "taken from another repository of the registry",
            BlobOutcome::Present => "already there",
            _ => "done",
        };
        let (name, size) = (short(&report.digest), Bytes(report.size));
        self.print(|printer| {
            printer.say_of(format_args!("Blob {name}"), format_args!("  {size}, {outcome}"));
            if printer.verbose() {
                printer.say(format_args!("  {}", report.digest));
            }
        });
    }
}
