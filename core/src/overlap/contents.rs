//! Contents as small numbers: what two images share is then a comparison of integers.

use alloc::vec::Vec;

use super::bytes::{index, number};
use crate::Digest;

/// No content: of a directory, of an empty file.
pub(super) const NONE: u32 = u32::MAX;

/// A content as TOCs name it: of a file, or of a chunk. The same digest with another length is another content, as it
/// is to [`decide`](crate::decide).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) digest: Digest,
    pub(super) len: u64,
}

/// Every content that was seen, by number.
///
/// Sorted lists instead of a hash table: digests in a TOC are its writer's to choose, and there is no randomness here
/// to keep chosen ones from falling into one bucket.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    keys: Vec<Key>,
    /// All numbers, in the order of their keys.
    sorted: Vec<u32>,
}

impl Contents {
    pub(super) const fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn key(&self, content: u32) -> Option<&Key> {
        self.keys.get(index(content))
    }

    /// Returns the numbers of `keys`, each of which comes with its place in the answer; places are dense from 0.
    pub(super) fn intern(&mut self, mut keys: Vec<(Key, u32)>) -> Vec<u32> {
        keys.sort_unstable();
        let mut numbers = alloc::vec![NONE; keys.len()];
        let before = core::mem::take(&mut self.sorted);
        let mut rest = before.as_slice();
        let (mut sorted, mut new) = (Vec::with_capacity(before.len()), Vec::new());
        let mut last: Option<(Key, u32)> = None;
        for (key, place) in keys {
            let content = match last {
                Some((same, content)) if same == key => content,
                _ => {
                    let below = self.below(rest, &key);
                    let (smaller, others) = rest.split_at_checked(below).unwrap_or((rest, &[]));
                    sorted.extend_from_slice(smaller);
                    rest = others;
                    let known = rest.first().copied().filter(|first| self.key(*first) == Some(&key));
                    known.unwrap_or_else(|| {
                        let content = number(self.keys.len().saturating_add(new.len()));
                        new.push(key);
                        sorted.push(content);
                        content
                    })
                }
            };
            last = Some((key, content));
            if let Some(slot) = numbers.get_mut(index(place)) {
                *slot = content;
            }
        }
        sorted.extend_from_slice(rest);
        sorted.shrink_to_fit();
        self.sorted = sorted;
        // The largest list of all has no slack.
        self.keys.reserve_exact(new.len());
        self.keys.append(&mut new);
        numbers
    }

    /// Returns every content with this digest: one, if nobody lies.
    pub(super) fn find(&self, digest: &Digest) -> &[u32] {
        let digest_of = |content: &u32| self.key(*content).map(|key| key.digest);
        let start = self.sorted.partition_point(|content| digest_of(content) < Some(*digest));
        let from = self.sorted.get(start..).unwrap_or_default();
        let len = from.partition_point(|content| digest_of(content) == Some(*digest));
        from.get(..len).unwrap_or_default()
    }

    /// Returns how many of `sorted` have smaller keys: steps that double, then a search inside the last one.
    fn below(&self, sorted: &[u32], key: &Key) -> usize {
        let smaller = |content: &u32| self.key(*content).is_some_and(|other| other < key);
        let mut step = 1_usize;
        while sorted.get(step).is_some_and(smaller) {
            step = step.saturating_mul(2);
        }
        let window = sorted.get(..step.saturating_add(1)).unwrap_or(sorted);
        window.partition_point(smaller)
    }
}
