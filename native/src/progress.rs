//! What a pull looks like while it runs: one bar for each layer in flight, and lines for those that are done.

mod reading;
mod transfer;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use shingle::pull::{LayerMode, LayerReport, LayerStart, Phase, Reporter};
use shingle_core::{Digest, Trust};

pub(crate) use reading::ReadProgress;
pub(crate) use transfer::{TransferProgress, Work};

use crate::printer::Printer;
use crate::words::{Bytes, Count, Percent, Thousands, total};

/// Reports to a person; bars where stderr is a terminal, else only the lines.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    printer: &'a Printer,
    image: String,
    bars: Option<MultiProgress>,
    layers: OnceLock<Vec<Layer>>,
    /// Held while the lines of one layer are printed, so that they stay together.
    printing: Mutex<()>,
}

/// One layer in flight.
#[derive(Debug)]
struct Layer {
    name: String,
    size: u64,
    received: AtomicU64,
    skipped: AtomicU64,
    phase: RwLock<&'static str>,
    bar: OnceLock<ProgressBar>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(printer: &'a Printer, image: String) -> Self {
        let bars = || MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        Self {
            printer,
            image,
            bars: printer.draws().then(bars),
            layers: OnceLock::new(),
            printing: Mutex::new(()),
        }
    }

    fn layer(&self, index: usize) -> Option<&Layer> {
        self.layers.get()?.get(index)
    }

    /// Prints without tearing the bars.
    fn print(&self, lines: impl FnOnce(&Printer)) {
        let _together = self.printing.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.bars {
            Some(bars) => bars.suspend(|| lines(self.printer)),
            None => lines(self.printer),
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        // A pull that failed leaves bars behind, and its error comes next.
        if let Some(bars) = &self.bars {
            drop(bars.clear());
        }
    }
}

impl Reporter for Progress<'_> {
    fn begin(&self, layers: &[LayerStart]) {
        let layer = |start: &LayerStart| Layer {
            name: short(&start.blob),
            size: start.size,
            received: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            phase: RwLock::new("Waiting"),
            bar: OnceLock::new(),
        };
        let size = total(layers.iter().map(|layer| layer.size));
        let count = Count(layers.len().try_into().unwrap_or(u64::MAX), "layer");
        self.print(|printer| printer.say(format_args!("Pulling {}: {count}, {}", self.image, Bytes(size))));
        self.layers.get_or_init(|| layers.iter().map(layer).collect());
    }

    fn received(&self, layer: usize, bytes: u64) {
        if let Some(layer) = self.layer(layer) {
            layer.received.fetch_add(bytes, Ordering::Relaxed);
            layer.draw();
        }
    }

    fn planned(&self, layer: usize, _fetch_bytes: u64, skipped_bytes: u64) {
        if let Some(layer) = self.layer(layer) {
            layer.skipped.store(skipped_bytes, Ordering::Relaxed);
            layer.draw();
        }
    }

    fn phase(&self, layer: usize, phase: Phase) {
        let (Some(layer), Some(bars)) = (self.layer(layer), &self.bars) else { return };
        let word = match phase {
            Phase::Waiting => "Waiting",
            Phase::Toc => "Reading",
            Phase::Fetching => "Fetching",
            Phase::Indexing => "Indexing",
            Phase::Verifying => "Verifying",
            Phase::Publishing => "Publishing",
            _ => "",
        };
        *layer.phase.write().unwrap_or_else(PoisonError::into_inner) = word;
        if word != "Waiting" {
            // An image may have more layers than the terminal has lines: only those at work get one.
            layer.bar.get_or_init(|| bars.add(plain_bar(layer.size)));
        }
        layer.draw();
    }

    fn done(&self, layer: usize, report: &LayerReport) {
        if let Some(bar) = self.layer(layer).and_then(|layer| layer.bar.get()) {
            bar.finish_and_clear();
        }
        self.print(|printer| say_layer(printer, report));
    }
}

impl Layer {
    fn draw(&self) {
        let Some(bar) = self.bar.get() else { return };
        let skipped = self.skipped.load(Ordering::Relaxed);
        let here = self.received.load(Ordering::Relaxed).saturating_add(skipped).min(self.size);
        let phase = *self.phase.read().unwrap_or_else(PoisonError::into_inner);
        let skipped = match skipped {
            0 => String::new(),
            skipped => format!(" (skipped: {})", Bytes(skipped)),
        };
        bar.set_position(here);
        bar.set_prefix(format!("{phase:10} {}", self.name));
        bar.set_message(format!("{} / {}{skipped}", Bytes(here), Bytes(self.size)));
    }
}

fn plain_bar(size: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template("{prefix} [{bar:12}] {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_bad| ProgressStyle::default_bar()).progress_chars("=> "));
    // Something moves also while nothing comes.
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// One bar for one long piece of work, where stderr is a terminal.
#[derive(Debug)]
pub(crate) struct Meter {
    bar: Option<ProgressBar>,
}

impl Meter {
    /// Starts `what` (`Verifying`) of `name`, which is `size` bytes long.
    pub(crate) fn new(printer: &Printer, what: &str, name: &str, size: u64) -> Self {
        let bar = printer.draws().then(|| {
            let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template("{prefix} [{bar:12}] {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_bad| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.set_prefix(format!("{what:10} {name}"));
            bar
        });
        Self { bar }
    }

    /// Hears that so many bytes more are done.
    pub(crate) fn add(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
            let size = bar.length().unwrap_or(0);
            bar.set_message(format!("{} / {}", Bytes(bar.position()), Bytes(size)));
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The first 12 digits, as podman shows a digest.
pub(crate) fn short(digest: &Digest) -> String {
    digest.to_hex().chars().take(12).collect()
}

/// Says how one layer came here.
fn say_layer(printer: &Printer, report: &LayerReport) {
    let size = Bytes(report.blob_bytes);
    let skipped = report.blob_bytes.saturating_sub(report.fetched_bytes);
    let percent = Percent { part: skipped, whole: report.blob_bytes };
    printer.say_of(
        format_args!("Layer {}", short(&report.blob)),
        format_args!("  {size} / {size} (skipped: {} = {percent})", Bytes(skipped)),
    );
    let fetched = format!("{} in {}", Bytes(report.fetched_bytes), Count(report.requests, "request"));
    let files = report.files;
    let files = format!(
        "{} hard-linked, {} reflinked, {} copied, {} written",
        Thousands(files.hardlinked),
        Thousands(files.reflinked),
        Thousands(files.copied),
        Thousands(files.written)
    );
    let rung = match report.trust {
        Trust::DiffId => "proven by DiffID",
        Trust::Toc => "proven by its TOC alone",
    };
    match report.mode {
        LayerMode::Present => printer.say(format_args!("  already here, {rung}")),
        LayerMode::Partial => {
            printer.say(format_args!("  fetched {fetched} (TOC {}), {rung}", Bytes(report.toc_bytes)));
            printer.say(format_args!("  files: {files}"));
        }
        // Whole, and what may come after it.
        _ => {
            let why = report.why.as_deref().unwrap_or("no reason is known");
            printer.say(format_args!("  fetched {fetched}, {rung}, whole: {why}"));
            printer.say(format_args!("  files: {files}"));
        }
    }
    if let Some(chunks) = report.chunks_indexed {
        printer.say(format_args!("  indexed {}", Count(chunks, "chunk")));
    }
    if printer.verbose() {
        printer.say(format_args!("  blob    {}", report.blob));
        match &report.toc_digest {
            Some(toc) => {
                printer.say(format_args!("  DiffID  {}, not proven", report.diff_id));
                printer.say(format_args!("  TOC     {toc}"));
            }
            None => printer.say(format_args!("  DiffID  {}", report.diff_id)),
        }
        printer.say(format_args!("  type    {}", report.media_type));
    }
}
