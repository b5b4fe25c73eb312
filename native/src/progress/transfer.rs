//! What a copy, a push or a conversion looks like while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use shingle::transfer::{BlobOutcome, BlobReport, BlobStart, LayerOutcome, RewrittenLayer, Watcher};

use super::{plain_bar, short};
use crate::printer::Printer;
use crate::words::{Bytes, Count, Percent, total};

/// Reports to a person; bars where stderr is a terminal, else only the lines.
#[derive(Debug)]
pub(crate) struct TransferProgress<'a> {
    printer: &'a Printer,
    title: String,
    work: Work,
    bars: Option<MultiProgress>,
    blobs: OnceLock<Vec<Blob>>,
    /// Held while the lines of one blob are printed, so that they stay together.
    printing: Mutex<()>,
}

/// What is done to blobs, and so how much of it is known beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// What is read is sent.
    Copy,
    /// A blob of known size is read; how long the new one will be, its end says.
    Convert,
    /// A tar is read out of the store; how long it is, its end says.
    Push,
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
    /// Starts with a title such as `Copying a to b`.
    pub(crate) fn new(printer: &'a Printer, work: Work, title: String) -> Self {
        let bars = || MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let bars = printer.draws().then(bars);
        Self { printer, title, work, bars, blobs: OnceLock::new(), printing: Mutex::new(()) }
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
        let Shown { word, position, message } = shown(self.work, blob.size, fetched, sent);
        bar.set_position(position);
        bar.set_prefix(format!("{word:10} {}", blob.name));
        bar.set_message(message);
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
        let size = total(blobs.iter().map(|blob| blob.size));
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

/// One blob's bar.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    word: &'static str,
    position: u64,
    message: String,
}

fn shown(work: Work, size: u64, fetched: u64, sent: u64) -> Shown {
    let of = |here: u64| format!("{} / {}", Bytes(here.min(size)), Bytes(size));
    match work {
        // A copy, or a blob that comes along as it is from a file on this machine.
        _ if sent > 0 && (work == Work::Copy || fetched == 0) => {
            Shown { word: "Sending", position: sent.min(size), message: of(sent) }
        }
        Work::Copy => Shown { word: "Reading", position: fetched.min(size), message: of(fetched) },
        // The bar is what was read; a share of something unknown cannot be drawn.
        Work::Convert => {
            let word = if sent > 0 && fetched >= size { "Sending" } else { "Reading" };
            let message =
                if sent > 0 { format!("{}, sent {}", of(fetched), Bytes(sent)) } else { of(fetched) };
            Shown { word, position: fetched.min(size), message }
        }
        Work::Push if sent > 0 => Shown {
            word: "Sending",
            position: size,
            message: format!("{} of files, sent {}", Bytes(fetched), Bytes(sent)),
        },
        Work::Push => Shown { word: "Reading", position: 0, message: format!("{} of files", Bytes(fetched)) },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_never_says_more_than_there_is() {
        let mib = |mib: u64| mib << 20;
        for (work, fetched, sent, word, position, message) in [
            (Work::Copy, 3, 0, "Reading", 3, "3.0MiB / 10.0MiB"),
            (Work::Copy, 10, 4, "Sending", 4, "4.0MiB / 10.0MiB"),
            (Work::Convert, 3, 0, "Reading", 3, "3.0MiB / 10.0MiB"),
            (Work::Convert, 3, 1, "Reading", 3, "3.0MiB / 10.0MiB, sent 1.0MiB"),
            (Work::Convert, 10, 12, "Sending", 10, "10.0MiB / 10.0MiB, sent 12.0MiB"),
            (Work::Convert, 0, 4, "Sending", 4, "4.0MiB / 10.0MiB"),
            // A blob that is read a second time.
            (Work::Convert, 13, 0, "Reading", 10, "10.0MiB / 10.0MiB"),
            (Work::Push, 25, 0, "Reading", 0, "25.0MiB of files"),
            (Work::Push, 25, 4, "Sending", 10, "25.0MiB of files, sent 4.0MiB"),
        ] {
            let expected = Shown { word, position: mib(position), message: message.to_owned() };
            assert_eq!(shown(work, mib(10), mib(fetched), mib(sent)), expected, "{work:?} {fetched} {sent}");
        }
    }
}
