//! How much one answer holds.
//!
//! A few bytes of a blob can decode to gigabytes. What a call returns lies in the module's memory until the host has
//! read it, so there is an end to it, and the rest waits for the next call.

/// Once an answer holds this many bytes, it ends. What it held last may have brought it above.
const FULL: usize = 4 << 20;

/// What lies in memory beside the bytes of one element of a list.
const ELEMENT: usize = 64;

/// Counts what an answer holds.
#[derive(Debug, Default)]
pub(super) struct Room(usize);

impl Room {
    /// Counts one more element with this many bytes.
    pub(super) const fn take(&mut self, bytes: usize) {
        self.0 = self.0.saturating_add(bytes).saturating_add(ELEMENT);
    }

    /// Whether the answer ends here.
    pub(super) const fn is_full(&self) -> bool {
        self.0 >= FULL
    }
}
