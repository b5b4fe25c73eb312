//! One layer, written anew into a temporary file and sent on while it grows.

use std::io::{self, Write};
use std::sync::{Condvar, Mutex, PoisonError};

use shingle_core::writer::WrittenLayer;

use super::convert::Work;
use super::error::LayerFault;
use super::pipe::pipe;
use super::report::BlobOutcome;
use super::tars::Layer;
use crate::pack::{PackOptions, pack};
use crate::transport::{Ahead, Descriptor, Role, Section, Spool, TransferError};

/// What tar fills up with zeros: twenty blocks.
const RECORD: u64 = 10_240;

/// A layer that was written anew.
pub(super) struct Rewritten<'a> {
    pub(super) written: WrittenLayer,
    content: Section,
    /// What is on its way already.
    ahead: Option<Ahead<'a>>,
}

impl<'a> Work<'a> {
    /// Writes a layer anew; its tar is the one that the config names. Says so in `why` where that took more than reading.
    pub(super) fn rewrite_proven(
        &self,
        number: usize,
        layer: &Layer,
        why: &mut String,
    ) -> Result<Rewritten<'a>, LayerFault> {
        let done = self.rewrite(number, layer, 0)?;
        if done.written.diff_id == layer.diff_id {
            return Ok(done);
        }
        let Rewritten { written, ahead, .. } = done;
        // What was sent is worth nothing.
        drop(ahead);
        // Podman 4.3 left the padding of the last record out of the blob, but not out of the DiffID.
        let padding = written.tar_len.next_multiple_of(RECORD).saturating_sub(written.tar_len);
        let other = || self.tars.other_tar(layer, written.diff_id);
        if padding == 0 {
            return Err(other());
        }
        let padded = self.rewrite(number, layer, padding)?;
        if padded.written.diff_id != layer.diff_id {
            return Err(other());
        }
        why.push_str("; the padding that its writer dropped was put back");
        Ok(padded)
    }

    /// Brings a new blob over, unless it is there.
    pub(super) fn deliver(
        &self,
        number: usize,
        to: &Descriptor,
        rewritten: Rewritten<'_>,
    ) -> Result<BlobOutcome, LayerFault> {
        let destination = self.carrier.destination;
        if !self.take(&to.digest) || destination.has_blob(to)? {
            return Ok(BlobOutcome::Present);
        }
        if let Some(ahead) = rewritten.ahead {
            ahead.keep(to.digest);
        }
        let sent = |bytes| self.carrier.watcher.sent(number, bytes);
        destination.put_blob(to, Role::Layer, &rewritten.content, &sent)?;
        Ok(BlobOutcome::Copied)
    }

    /// Writes a layer to a temporary file, with so many zeros behind its tar. Where that spares time, what is written is
    /// sent before all of it is; whose blob it is, and whether it is wanted, is known only afterwards.
    fn rewrite(&self, number: usize, layer: &Layer, padding: u64) -> Result<Rewritten<'a>, LayerFault> {
        let mut options = PackOptions::new(self.options.write);
        options.jobs = self.options.jobs;
        let mut spool = Spool::unhashed()?;
        // What is written anew although it is what it should be is most likely there.
        let mut ahead = if self.options.force { None } else { self.carrier.destination.ahead() };
        let growth = Growth::default();
        let (mut send, tar) = pipe();
        let read = |bytes| self.carrier.watcher.fetched(number, bytes);
        let (sent, packed) = std::thread::scope(|scope| {
            let sending = scope.spawn(move || {
                self.tars.send(layer, &mut send, &read)?;
                // Who does not listen any more has said why.
                let zeros = vec![0; usize::try_from(padding).unwrap_or(0)];
                let _heard = send.send(&zeros).and_then(|()| send.finish());
                Ok::<_, LayerFault>(())
            });
            if let Some(ahead) = &mut ahead {
                scope.spawn(|| growth.follow(ahead));
            }
            let packed = pack(tar, &options, Growing { spool: &mut spool, growth: &growth }, &|_| {});
            (sending.join().unwrap_or(Err(TransferError::Stopped.into())), packed)
        });
        // What is wrong with the blob explains what is wrong with the tar in it.
        sent?;
        let written = packed?;
        // Whoever wrote the blob hashed it, byte by byte as it went there.
        let content = spool.finish_as(written.blob);
        Ok(Rewritten { written, content, ahead })
    }
}

/// How far a spool has come, for whoever follows it.
#[derive(Default)]
struct Growth {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    so_far: Option<Section>,
    ended: bool,
}

impl Growth {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Waits until there is so much; `None` when it has ended. What is there in the end is for somebody else, who knows
    /// by then whether it is wanted.
    fn wait(&self, wanted: u64) -> Option<Section> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let short = |state: &mut State| {
            !state.ended && state.so_far.as_ref().is_none_or(|so_far| so_far.len() < wanted)
        };
        let state = self.changed.wait_while(state, short).unwrap_or_else(PoisonError::into_inner);
        if state.ended { None } else { state.so_far.clone() }
    }

    fn follow(&self, ahead: &mut Ahead<'_>) {
        while let Some(so_far) = self.wait(ahead.wants()) {
            if !ahead.send(&so_far) {
                return;
            }
        }
    }
}

/// Writes to a spool and says how far it has come; dropped, that it has ended.
struct Growing<'a> {
    spool: &'a mut Spool,
    growth: &'a Growth,
}

impl Write for Growing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.spool.write(bytes)?;
        self.growth.change(|state| state.so_far = Some(self.spool.so_far()));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.spool.flush()
    }
}

impl Drop for Growing<'_> {
    fn drop(&mut self) {
        self.growth.change(|state| state.ended = true);
    }
}
