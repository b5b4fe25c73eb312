//! Bringing images from one place to another: as they are, or with their layers written anew.

mod carry;
mod convert;
mod copy;
mod error;
mod good;
mod memory;
mod pipe;
mod push;
mod report;
mod rewrite;
mod tars;
mod tree;

pub use convert::{ConvertOptions, convert};
pub use copy::{CopyOptions, copy};
pub use error::{ConvertError, LayerFault};
pub use push::push;
pub use report::{
    BlobOutcome, BlobReport, BlobStart, ConvertReport, CopyReport, LayerOutcome, Quiet, RewrittenLayer,
    Watcher,
};
pub use tree::Which;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::transport::TransferError;

/// Does `work` for each of `count` numbers on a few threads; the first error stops all.
pub(crate) fn in_parallel<E: Send + From<TransferError>>(
    threads: usize,
    count: usize,
    stop: &AtomicBool,
    work: impl Fn(usize) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let (next, failure) = (AtomicUsize::new(0), Mutex::new(None));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1)) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    if let Err(error) = work(number) {
                        // What came first is the cause; the others only stopped.
                        if !stop.swap(true, Ordering::Relaxed) {
                            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        }
                    }
                }
            });
        }
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None if stop.load(Ordering::Relaxed) => Err(TransferError::Stopped.into()),
        None => Ok(()),
    }
}
