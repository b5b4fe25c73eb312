//! Which contents are the same.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::Digest;

/// Returns for each content the first that has the same digest and length; itself for all that have no digest.
///
/// Sorted by the digests' first bytes, which tell apart all but those that somebody made to be alike, so that 16 bytes
/// for each content are enough while this runs, and 4 from then on.
pub(super) fn firsts<'a>(len: usize, content: impl Fn(usize) -> Option<(&'a Digest, u64)>) -> Vec<u32> {
    let place = |index: u32| usize::try_from(index).unwrap_or(usize::MAX);
    let mut sorted: Vec<(u64, u32)> = Vec::with_capacity(len);
    let mut firsts = Vec::with_capacity(len);
    for index in (0..len).filter_map(|index| u32::try_from(index).ok()) {
        firsts.push(index);
        if let Some((digest, _)) = content(place(index)) {
            let head = digest.as_bytes().first_chunk().copied().unwrap_or_default();
            sorted.push((u64::from_be_bytes(head), index));
        }
    }
    let compare = |one: &(u64, u32), other: &(u64, u32)| match one.0.cmp(&other.0) {
        Ordering::Equal => content(place(one.1)).cmp(&content(place(other.1))),
        order => order,
    };
    sorted.sort_unstable_by(|one, other| compare(one, other).then(one.1.cmp(&other.1)));
    for alike in sorted.chunk_by(|one, other| compare(one, other).is_eq()) {
        let Some(((_, first), rest)) = alike.split_first() else { continue };
        for (_, index) in rest {
            if let Some(slot) = firsts.get_mut(place(*index)) {
                *slot = *first;
            }
        }
    }
    firsts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_of_each_content(contents in prop::collection::vec((any::<bool>(), 0_u8..3, 0_u8..3, 0_u64..3), 0..60)) {
            // With the same first bytes, and with others.
            let digest = |(_, head, tail, _): &(bool, u8, u8, u64)| {
                let mut bytes = [0; 32];
                (bytes[0], bytes[31]) = (*head, *tail);
                Digest::from_bytes(bytes)
            };
            let digests: Vec<_> = contents.iter().map(digest).collect();
            let content = |index: usize| contents[index].0.then(|| (&digests[index], contents[index].3));
            let firsts = firsts(contents.len(), content);
            for (index, first) in firsts.iter().enumerate() {
                let same = |other: &usize| content(*other) == content(index);
                let expected = if contents[index].0 { (0..=index).find(same).unwrap() } else { index };
                prop_assert_eq!(usize::try_from(*first).unwrap(), expected);
            }
        }
    }
}
