//! A stream between two threads.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How many pieces may wait; with pieces of 256 KiB, two megabytes.
const PIECES: usize = 8;

/// Makes a stream: what is sent at one end is read at the other.
pub(super) fn pipe() -> (Sender, Reader) {
    let (send, receive) = sync_channel(PIECES);
    (Sender(send), Reader { receive, piece: Vec::new(), at: 0 })
}

/// The end that bytes go into.
#[derive(Debug)]
pub(super) struct Sender(SyncSender<Vec<u8>>);

/// Nobody reads any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unheard;

impl Sender {
    /// Waits until there is room.
    pub(super) fn send(&self, piece: Vec<u8>) -> Result<(), Unheard> {
        self.0.send(piece).map_err(|_unsent| Unheard)
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
