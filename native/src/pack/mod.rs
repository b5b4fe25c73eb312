//! Writes layers, on all cores.
//!
//! For programs that build images themselves: [`pack`] makes the blob of a layer from its tar, and returns what manifest
//! and config must say of it. To do so for a whole image, see [`transfer`](crate::transfer).
//!
//! ```text
//! Read ─► Splitter ─┬─► Batch ─► worker ─► Packed ─┬─► Assembler ─► Write
//!                   └─► … jobs of them …       ────┘
//! ```
//!
//! The calling thread reads and splits, `jobs` threads compress, one more assembles and writes. A batch that is cut takes
//! its place in a queue at once, and waits there to be compressed: so the blob is in order whoever is quicker, and
//! there are never more than `2 × jobs + 2` batches, of 1 MiB to 17 MiB each, whatever the layer holds.

mod error;
#[cfg(test)]
mod tests;

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

pub use error::PackError;
use shingle_core::writer::{
    Assembler, Batch, BatchEncoder, Packed, Splitter, TarEnd, WriteOptions, WrittenLayer, start,
};

/// How much of the tar is read at once.
const PIECE: usize = 256 * 1024;

/// How to write a layer, and with how many threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackOptions {
    /// The form of the blob. It alone decides about the bytes.
    pub write: WriteOptions,
    /// How many threads compress. With one, the caller's does everything.
    pub jobs: NonZero<usize>,
}

impl PackOptions {
    /// Takes as many threads as there are cores.
    pub fn new(write: WriteOptions) -> Self {
        Self { write, jobs: thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN) }
    }
}

impl Default for PackOptions {
    fn default() -> Self {
        Self::new(WriteOptions::default())
    }
}

/// A place in the blob: a batch that somebody is compressing.
type Place = Receiver<Packed>;
/// A batch, and the way to its place.
type Job = (Batch, SyncSender<Packed>);

/// Reads a tar to its end and writes the layer's blob.
///
/// `progress` is told how many bytes of the tar were read since it was last called. Whatever fails ends everything, and
/// what was written by then is worth nothing.
///
/// # Errors
/// The tar cannot be read or is cut short, or the blob cannot be written.
pub fn pack(
    tar: impl Read,
    options: &PackOptions,
    out: impl Write + Send,
    progress: &dyn Fn(u64),
) -> Result<WrittenLayer, PackError> {
    let (splitter, assembler) = start(&options.write);
    let source = Source { tar, splitter, progress };
    if options.jobs.get() == 1 {
        return alone(source, assembler, &options.write, out);
    }
    let jobs = options.jobs.get();
    thread::scope(|scope| {
        let (jobs_in, jobs_out) = channel::<Job>();
        let (places_in, places_out) = sync_channel::<Place>(jobs.saturating_add(1));
        let (end_in, end_out) = channel::<TarEnd>();
        // Owned by the workers alone: when the last one is gone, so are the jobs that nobody will do.
        let jobs_out = Arc::new(Mutex::new(jobs_out));
        for _ in 0..jobs {
            let (jobs_out, write) = (Arc::clone(&jobs_out), &options.write);
            scope.spawn(move || work(&jobs_out, write));
        }
        drop(jobs_out);
        let writer = scope.spawn(move || assemble(assembler, &places_out, &end_out, out));

        let read = source.read(|batch| {
            let (packed_in, packed_out) = sync_channel(1);
            // Places are few, so jobs are too. Nobody waits for a place once the writer has failed.
            places_in.send(packed_out).is_ok() && jobs_in.send((batch, packed_in)).is_ok()
        });
        let failed = match read {
            Ok(Some(end)) => {
                // The writer is gone if it failed, and says so itself.
                let _gone = end_in.send(end).is_err();
                None
            }
            Ok(None) => None,
            Err(error) => Some(error),
        };
        drop((places_in, jobs_in, end_in));
        let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        failed.map_or(written, Err)
    })
}

/// Does everything in one thread.
fn alone<R: Read>(
    source: Source<'_, R>,
    mut assembler: Assembler,
    options: &WriteOptions,
    mut out: impl Write,
) -> Result<WrittenLayer, PackError> {
    let mut encoder = BatchEncoder::new(options);
    let mut failed = None;
    let end = source.read(|batch| {
        let packed = assembler.accept(batch.compress(&mut encoder));
        let written = packed.map_err(PackError::from).and_then(|blob| write(&mut out, &blob));
        failed = written.err();
        failed.is_none()
    })?;
    match (end, failed) {
        (Some(end), None) => finish(assembler, end, out),
        (_, Some(error)) => Err(error),
        (None, None) => Err(PackError::Stopped),
    }
}

/// What is read, and who is told.
struct Source<'a, R> {
    tar: R,
    splitter: Splitter,
    progress: &'a dyn Fn(u64),
}

impl<R: Read> Source<'_, R> {
    /// Reads the tar to its end and hands out batches, for as long as they are taken.
    ///
    /// Returns `None` if they were not.
    fn read(mut self, mut take: impl FnMut(Batch) -> bool) -> Result<Option<TarEnd>, PackError> {
        let mut piece = vec![0; PIECE];
        loop {
            let len = match self.tar.read(&mut piece) {
                Ok(0) => break,
                Ok(len) => len,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(PackError::Read { source }),
            };
            self.splitter.receive(piece.get(..len).unwrap_or(&piece));
            (self.progress)(crate::count(len));
            while let Some(batch) = self.splitter.next_batch() {
                if !take(batch) {
                    return Ok(None);
                }
            }
        }
        let (batches, end) = self.splitter.finish()?;
        Ok(batches.into_iter().all(take).then_some(end))
    }
}

/// Compresses batches until there are no more.
fn work(jobs: &Mutex<Receiver<Job>>, options: &WriteOptions) {
    let mut encoder = BatchEncoder::new(options);
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((batch, place)) = job else { return };
        // The place is gone if the writer has failed.
        let _gone = place.send(batch.compress(&mut encoder));
    }
}

/// Takes batches from their places, in order, and writes the blob.
fn assemble(
    mut assembler: Assembler,
    places: &Receiver<Place>,
    end: &Receiver<TarEnd>,
    mut out: impl Write,
) -> Result<WrittenLayer, PackError> {
    for place in places {
        // A worker that panicked leaves its place empty; the panic is passed on when the threads are joined.
        let packed = place.recv().map_err(|_gone| PackError::Stopped)?;
        write(&mut out, &assembler.accept(packed)?)?;
    }
    let end = end.recv().map_err(|_gone| PackError::Stopped)?;
    finish(assembler, end, out)
}

fn finish(assembler: Assembler, end: TarEnd, mut out: impl Write) -> Result<WrittenLayer, PackError> {
    let (tail, layer) = assembler.finish(end)?;
    write(&mut out, &tail)?;
    out.flush().map_err(|source| PackError::Write { source })?;
    Ok(layer)
}

fn write(out: &mut impl Write, bytes: &[u8]) -> Result<(), PackError> {
    out.write_all(bytes).map_err(|source| PackError::Write { source })
}
