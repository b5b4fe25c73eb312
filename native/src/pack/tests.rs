use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use shingle_core::writer::Format;
use shingle_core::{Limits, Unwrap};

use super::*;

const ZOO: &[u8] = include_bytes!("../../../tests/fixtures/zoo/zoo.tar");

fn with_jobs(jobs: usize, format: Format) -> PackOptions {
    let mut write = WriteOptions::new(format);
    write.level = 1;
    PackOptions { write, jobs: NonZero::new(jobs).unwrap() }
}

/// Many batches: incompressible, and of no chunks, so that every thread has something to do.
fn large() -> Vec<u8> {
    let mut x = 7_u64;
    let step = |_| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    };
    (0..2 << 20).map(step).flat_map(u64::to_le_bytes).collect()
}

/// Gives so many bytes, and then fails; panics if `panics` is set.
struct Breaks {
    left: usize,
    panics: bool,
}

impl Breaks {
    fn step(&mut self, len: usize) -> io::Result<usize> {
        assert!(!(self.panics && self.left == 0), "as it was told to");
        let len = len.min(self.left);
        self.left -= len;
        if len == 0 { Err(io::Error::other("broken")) } else { Ok(len) }
    }
}

impl Read for Breaks {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        self.step(piece.len())
    }
}

impl Write for Breaks {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.step(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    for (tar, format) in [(ZOO, Format::ZstdChunked), (&large()[..], Format::Zstd), (&large(), Format::Gzip)]
    {
        let packed = |jobs| {
            let (mut blob, read) = (Vec::new(), AtomicU64::new(0));
            let progress = |len| {
                read.fetch_add(len, Ordering::Relaxed);
            };
            let layer = pack(tar, &with_jobs(jobs, format), &mut blob, &progress).unwrap();
            assert_eq!(read.into_inner(), crate::length(tar));
            (blob, layer)
        };
        let one = packed(1);
        for jobs in [2, 3, 8] {
            assert_eq!(packed(jobs), one, "{jobs} threads, {format}");
        }
        let mut unwrap = Unwrap::new(&Limits::default());
        let mut plain = Vec::new();
        let mut pieces = unwrap.receive(&one.0);
        while let Some(piece) = pieces.next_piece().unwrap() {
            plain.extend_from_slice(piece);
        }
        assert!(plain == tar);
    }
}

#[test]
fn a_reader_or_a_writer_that_fails_ends_it() {
    for jobs in [1, 2, 5] {
        let options = with_jobs(jobs, Format::Zstd);
        for left in [0, 1, 10 << 20] {
            let tar = Breaks { left, panics: false };
            let error = pack(tar, &options, io::sink(), &|_| {}).unwrap_err();
            assert!(matches!(error, PackError::Read { .. }), "{jobs} threads, {left} bytes: {error:?}");
            let out = Breaks { left, panics: false };
            let error = pack(&large()[..], &options, out, &|_| {}).unwrap_err();
            assert!(matches!(error, PackError::Write { .. }), "{jobs} threads, {left} bytes: {error:?}");
        }
    }
}

#[test]
fn a_panic_is_passed_on() {
    for jobs in [1, 2, 5] {
        let options = with_jobs(jobs, Format::Zstd);
        for left in [0, 10 << 20] {
            let tar = || pack(Breaks { left, panics: true }, &options, io::sink(), &|_| {});
            assert!(std::panic::catch_unwind(tar).is_err(), "{jobs} threads, {left} bytes");
            let out = || pack(&large()[..], &options, Breaks { left, panics: true }, &|_| {});
            assert!(std::panic::catch_unwind(out).is_err(), "{jobs} threads, {left} bytes");
        }
    }
}

#[test]
fn a_tar_that_is_cut_short_is_an_error() {
    for jobs in [1, 2] {
        let options = with_jobs(jobs, Format::ZstdChunked);
        let error = pack(&ZOO[..200_000], &options, io::sink(), &|_| {}).unwrap_err();
        assert!(matches!(error, PackError::Tar(_)), "{error:?}");
    }
}
