//! What it looks like while layers are read whole for what is in them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use shingle::contents::Watcher;
use shingle_core::{Digest, Reason};

use super::{plain_bar, short};
use crate::printer::Printer;
use crate::words::Bytes;

/// Reports to a person; bars where stderr is a terminal, else only the lines.
#[derive(Debug)]
pub(crate) struct ReadProgress<'a> {
    printer: &'a Printer,
    drawn: Option<MultiProgress>,
    bars: Mutex<BTreeMap<Digest, ProgressBar>>,
}

impl<'a> ReadProgress<'a> {
    pub(crate) fn new(printer: &'a Printer) -> Self {
        let drawn = || MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        Self { printer, drawn: printer.draws().then(drawn), bars: Mutex::default() }
    }
}

impl Watcher for ReadProgress<'_> {
    fn whole(&self, image: &str, blob: &Digest, size: u64, why: &Reason) {
        let name = short(blob);
        let say = || {
            self.printer.say(format_args!("Layer {name} of {image} is read whole, {}: {why}.", Bytes(size)));
        };
        let Some(drawn) = &self.drawn else { return say() };
        drawn.suspend(say);
        let bar = drawn.add(plain_bar(size));
        bar.set_prefix(format!("{:10} {name}", "Reading"));
        self.bars.lock().unwrap_or_else(PoisonError::into_inner).insert(*blob, bar);
    }

    fn received(&self, blob: &Digest, bytes: u64) {
        if let Some(bar) = self.bars.lock().unwrap_or_else(PoisonError::into_inner).get(blob) {
            bar.inc(bytes);
            bar.set_message(format!("{} / {}", Bytes(bar.position()), Bytes(bar.length().unwrap_or(0))));
        }
    }

    fn done(&self, blob: &Digest) {
        if let Some(bar) = self.bars.lock().unwrap_or_else(PoisonError::into_inner).remove(blob) {
            bar.finish_and_clear();
        }
    }
}

impl Drop for ReadProgress<'_> {
    fn drop(&mut self) {
        if let Some(drawn) = &self.drawn {
            // A terminal that is gone needs no tidying.
            drop(drawn.clear());
        }
    }
}
