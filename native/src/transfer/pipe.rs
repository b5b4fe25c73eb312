//! A stream between two threads.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How much is sent at once: small files come by the thousand, and each wake-up costs more than a few copied bytes.
const PIECE: usize = 256 << 10;
/// How many pieces may wait; two megabytes.
const PIECES: usize = 8;

/// Makes a stream: what is sent at one end is read at the other.
pub(super) fn pipe() -> (Sender, Reader) {
    let (send, receive) = sync_channel(PIECES);
    (Sender { send, piece: Vec::new() }, Reader { receive, piece: Vec::new(), at: 0 })
}

/// The end that bytes go into. Dropped without [`finish`](Self::finish), it keeps the last of them.
#[derive(Debug)]
pub(super) struct Sender {
    send: SyncSender<Vec<u8>>,
    /// What was not sent yet, less than [`PIECE`].
    piece: Vec<u8>,
}

/// Nobody reads any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unheard;

impl Sender {
    /// Takes bytes; waits until there is room for them.
    pub(super) fn send(&mut self, mut bytes: &[u8]) -> Result<(), Unheard> {
        while !bytes.is_empty() {
            let room = PIECE.saturating_sub(self.piece.len()).min(bytes.len());
            let (now, later) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            if self.piece.capacity() == 0 {
                self.piece.reserve_exact(PIECE);
            }
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() >= PIECE {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Ends the stream.
    pub(super) fn finish(mut self) -> Result<(), Unheard> {
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Unheard> {
        self.send.send(std::mem::take(&mut self.piece)).map_err(|_unsent| Unheard)
    }
}

/// The end that bytes come out of. It ends where the sender is dropped, also where that gave up: whoever reads asks how
/// it went on the other side.
#[derive(Debug)]
pub(super) struct Reader {
    receive: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    /// At most the piece's length.
    at: usize,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            match self.receive.recv() {
                Ok(piece) => (self.piece, self.at) = (piece, 0),
                Err(_) => return Ok(0),
            }
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        let (to, from) = (buffer.get_mut(..len).unwrap_or_default(), rest.get(..len).unwrap_or_default());
        to.copy_from_slice(from);
        self.at += len;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let bytes: Vec<u8> = (0..900_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        for step in [1_000, 300_000, 262_144, 900_000] {
            let (mut send, mut read) = pipe();
            let (sent, read) = std::thread::scope(|scope| {
                let sending = scope.spawn(|| {
                    bytes.chunks(step).try_for_each(|piece| send.send(piece)).and_then(|()| send.finish())
                });
                let mut all = Vec::new();
                read.read_to_end(&mut all).unwrap();
                (sending.join().unwrap(), all)
            });
            sent.unwrap();
            assert!(read == bytes, "{step}");
        }
    }

    #[test]
    fn who_is_not_heard_learns_it() {
        let (mut send, read) = pipe();
        drop(read);
        assert!(send.send(&vec![0; PIECE]).is_err());
    }
}
