//! Runs of zero bytes.

/// The fewest zero bytes that are a hole.
pub const HOLE: usize = 1024;

/// Wherever a hole lies, two neighbours of every `STRIDE`-th byte lie in it.
const STRIDE: usize = HOLE / 2;

/// Returns how many zeros the bytes begin with.
pub(super) fn leading(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<32>();
    let zero_blocks = blocks.iter().take_while(|block| **block == [0; 32]).count();
    let known = zero_blocks.saturating_mul(32);
    let rest = bytes.get(known..).unwrap_or_default();
    known.saturating_add(rest.iter().take_while(|byte| **byte == 0).count())
}

/// Returns how many zeros the bytes end with.
pub(super) fn trailing(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|byte| **byte == 0).count()
}

/// Returns where the first run of at least [`HOLE`] zeros begins.
///
/// Looks at two bytes in a thousand, and closer only where both are zero.
pub(super) fn hole(bytes: &[u8]) -> Option<usize> {
    let is_zero = |at: usize| bytes.get(at) == Some(&0);
    let mut probe = STRIDE.saturating_sub(1);
    while let Some((before, after)) = bytes.split_at_checked(probe) {
        let next = probe.saturating_add(STRIDE);
        if !is_zero(probe) || !is_zero(next) {
            // A hole over `next` but not over `probe` is found at `next`.
            if next >= bytes.len() {
                return None;
            }
            probe = next;
            continue;
        }
        let (before_probe, from_probe) = (trailing(before), leading(after));
        if before_probe.saturating_add(from_probe) >= HOLE {
            return probe.checked_sub(before_probe);
        }
        probe = next;
    }
    None
}
