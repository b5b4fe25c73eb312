//! Which members of the tar are which entries of the TOC, whatever their order.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::Name;
use crate::agree::text_of;
use crate::toc::said::Said;

use super::{Code, Findings, Place};

/// Matches members to entries as the members come.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Which entries were met.
    met: Vec<bool>,
    /// The first entry that was not.
    next: usize,
    /// The entries in the order of the tar.
    sequence: Vec<usize>,
    /// Members that are no entry: the entry met before each, its name, and where in the tar it lies.
    missing: Vec<(Option<usize>, Name, u64)>,
    /// Entries by name, made once it is needed; of each name, those that were met are taken off the front.
    by_name: Option<BTreeMap<Name, VecDeque<usize>>>,
}

impl Order {
    /// Finds the entry of the next member, whose content begins at `tar_offset`.
    pub(super) fn find(&mut self, name: &Name, tar_offset: u64, said: &Said) -> Option<usize> {
        self.met.resize(said.entries.len(), false);
        while self.met.get(self.next) == Some(&true) {
            self.next = self.next.saturating_add(1);
        }
        let wanted = text_of(name);
        let is_it = |index: &usize| {
            said.entries
                .get(*index)
                .is_some_and(|entry| entry.member.name == *name || entry.member.name == wanted)
        };
        let found = Some(self.next).filter(is_it).or_else(|| self.look_up(name, &wanted, said));
        let Some(found) = found else {
            self.missing.push((self.sequence.last().copied(), name.clone(), tar_offset));
            return None;
        };
        if let Some(met) = self.met.get_mut(found) {
            *met = true;
        }
        self.sequence.push(found);
        Some(found)
    }

    fn look_up(&mut self, name: &Name, wanted: &Name, said: &Said) -> Option<usize> {
        let by_name = self.by_name.get_or_insert_with(|| {
            let mut by_name = BTreeMap::<Name, VecDeque<usize>>::new();
            for (index, entry) in said.entries.iter().enumerate() {
                by_name.entry(entry.member.name.clone()).or_default().push_back(index);
            }
            by_name
        });
        let key = if by_name.contains_key(name) { name } else { wanted };
        let indexes = by_name.get_mut(key)?;
        while indexes.front().is_some_and(|index| self.met.get(*index) != Some(&false)) {
            indexes.pop_front();
        }
        indexes.front().copied()
    }

    /// Tells of entries that were not met, if the tar was read to its end, and of those out of place.
    pub(super) fn finish(mut self, said: &Said, tar_ended: bool, findings: &mut Findings) {
        self.met.resize(said.entries.len(), false);
        for (before, name, tar_offset) in core::mem::take(&mut self.missing) {
            // One that was not met, in the very place of one that is missing, is the same by another name.
            let here = before.map_or(0, |before| before.saturating_add(1));
            match said.entries.get(here).filter(|_| self.met.get(here) == Some(&false)) {
                Some(entry) => {
                    if let Some(met) = self.met.get_mut(here) {
                        *met = true;
                    }
                    let place = Place::entry(entry.index, &name).field("name");
                    // One that cannot be read was told of.
                    if entry.readable {
                        findings.add(Code::EntryField, place, &entry.member.name, &name);
                    }
                }
                None => findings.add(Code::EntryMissing, Place::name(&name).of_tar(tar_offset), "", ""),
            }
        }
        if tar_ended {
            for (entry, _) in said.entries.iter().zip(&self.met).filter(|(_, met)| !**met) {
                // One without a name was told of already.
                if entry.readable || !entry.member.name.is_empty() {
                    findings.add(Code::EntryExtra, Place::entry(entry.index, &entry.member.name), "", "");
                }
            }
        }
        let kept = longest_ascending(&self.sequence);
        let mut kept = kept.into_iter().peekable();
        let name = |index: Option<usize>| {
            let entry = index.and_then(|index| said.entries.get(index));
            entry.map_or_else(|| "nothing".to_string(), |entry| entry.member.name.to_string())
        };
        for (at, index) in self.sequence.iter().enumerate() {
            if kept.next_if_eq(&at).is_some() {
                continue;
            }
            let Some(entry) = said.entries.get(*index) else { continue };
            let before = at.checked_sub(1).and_then(|before| self.sequence.get(before)).copied();
            let place = Place::entry(entry.index, &entry.member.name);
            findings.add(Code::EntryOrder, place, name(index.checked_sub(1)), name(before));
        }
    }
}

/// Returns the places of a longest subsequence that ascends: what is not in it is out of place, and no less would do.
fn longest_ascending(sequence: &[usize]) -> Vec<usize> {
    // `tails[n]`: the place of the least number that ends an ascending subsequence of n + 1.
    let mut tails = Vec::<usize>::new();
    let mut before = Vec::<Option<usize>>::with_capacity(sequence.len());
    let at = |place: &usize| sequence.get(*place).copied().unwrap_or(usize::MAX);
    for (place, number) in sequence.iter().enumerate() {
        let len = tails.partition_point(|tail| at(tail) < *number);
        before.push(len.checked_sub(1).and_then(|last| tails.get(last)).copied());
        match tails.get_mut(len) {
            Some(tail) => *tail = place,
            None => tails.push(place),
        }
    }
    let mut kept = Vec::with_capacity(tails.len());
    let mut place = tails.last().copied();
    while let Some(here) = place {
        kept.push(here);
        place = before.get(here).copied().flatten();
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::toc::said::Rules;

    #[test]
    fn what_is_out_of_place_is_as_little_as_can_be() {
        assert_eq!(longest_ascending(&[0, 1, 2]), [0, 1, 2]);
        assert_eq!(longest_ascending(&[3, 0, 1, 2]), [1, 2, 3]);
        assert_eq!(longest_ascending(&[1, 2, 3, 0]), [0, 1, 2]);
        assert!(longest_ascending(&[]).is_empty());
    }

    /// Minutes, if each is looked for from the first on.
    #[test]
    fn entries_of_one_name_are_found_one_after_the_other() {
        let names = ["b"].into_iter().chain(core::iter::repeat_n("a", 100_000));
        let entries = names.map(|name| alloc::format!(r#"{{"type":"dir","name":"{name}"}}"#));
        let json = alloc::format!(r#"{{"version":1,"entries":[{}]}}"#, entries.collect::<Vec<_>>().join(","));
        let limits = crate::Limits::default();
        let rules = Rules { data_end: 9, inner_offsets: false, unique_names: false, limits: &limits };
        let said = Said::read(json.as_bytes(), &rules, &mut Findings::default()).unwrap();
        let mut order = Order::default();
        for index in 1..=100_000 {
            assert_eq!(order.find(&"a".into(), 0, &said), Some(index));
        }
        assert_eq!(order.find(&"a".into(), 0, &said), None);
        assert_eq!(order.find(&"b".into(), 0, &said), Some(0));
    }

    proptest! {
        #[test]
        fn what_is_kept_ascends_and_one_move_costs_one(len in 1..40_usize, from: prop::sample::Index, to: prop::sample::Index) {
            let mut sequence: Vec<_> = (0..len).collect();
            let moved = sequence.remove(from.index(len));
            sequence.insert(to.index(len), moved);
            let kept = longest_ascending(&sequence);
            prop_assert!(kept.len() + 1 >= len);
            prop_assert!(kept.windows(2).all(|pair| pair[0] < pair[1] && sequence[pair[0]] < sequence[pair[1]]));
        }
    }
}
