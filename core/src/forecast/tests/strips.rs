//! Strips cover their blobs, and add up to what plans ask for.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::{all, bridging, fixtures, members, of, of_stargz};
use crate::forecast::{Content, Known, Layout, Machine, Mode, State, Strip};
use crate::testing::layer;
use crate::testing::stargz::{Footer, stargz};
use crate::{Class, HeldChunk, Inventory, LinkMode, Trust};

fn sum(strip: &Strip, state: State) -> u64 {
    strip.stretches.iter().filter(|row| row.state == state).map(|row| row.end - row.start).sum()
}

/// Whether a strip is all of a blob.
pub(super) fn covers(strip: &Strip, known: &Known) -> bool {
    let mut at = 0;
    for row in &strip.stretches {
        if row.start != at || row.end <= row.start {
            return false;
        }
        at = row.end;
    }
    at == known.layer().blob_len && at == strip.blob_bytes
}

fn strip(machine: &Machine, known: &Known, gap: u64) -> (Strip, Mode, [u64; 2]) {
    let forecast = machine.forecast(&[known], LinkMode::Auto, &bridging(gap, Trust::Toc)).unwrap();
    let figures = forecast.layers().next().unwrap();
    let read = [figures.fetched_bytes - figures.toc_bytes, figures.bridged_bytes];
    (forecast.strip(0).unwrap(), figures.mode.clone(), read)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_strip_covers_its_blob_and_adds_up(
        picks in prop::collection::vec(any::<bool>(), 1..40),
        gap in prop_oneof![Just(0), 0..5_000_u64, Just(1 << 40)],
    ) {
        for known in all() {
            let mut picks = picks.iter().cycle();
            let (toc, mut held) = (known.toc(), Inventory::new());
            for (_, entry) in toc.files() {
                let object = *entry.digest().unwrap();
                if *picks.next().unwrap() {
                    held.add_file(object, entry.member().size, Class::of(entry.member()));
                }
                for chunk in toc.chunks(entry) {
                    if *picks.next().unwrap() {
                        held.add_chunk(chunk.digest, HeldChunk { object, offset: chunk.offset, len: chunk.len });
                    }
                }
            }
            let machine = Machine { inventory: held, ..Machine::new() };
            let (strip, mode, [read, bridged]) = strip(&machine, &known, gap);
            prop_assert!(covers(&strip, &known), "{strip:?}");
            match mode {
                Mode::Partial => {
                    prop_assert_eq!(sum(&strip, State::Fetched) + sum(&strip, State::Bridged), read);
                    prop_assert_eq!(sum(&strip, State::Bridged), bridged);
                }
                Mode::Whole(_) => prop_assert_eq!(sum(&strip, State::Fetched), known.layer().blob_len),
                Mode::Present => prop_assert!(false, "it has no layer"),
            }
            // Two neighbours are two things.
            for pair in strip.stretches.windows(2) {
                prop_assert!(pair[0].chunk.or(pair[1].chunk).is_some() || pair[0].state != pair[1].state);
            }
        }
    }
}

#[test]
fn frames_of_a_file_say_whose_they_are() {
    let known = of(&layer(&members(), |_| {}));
    let (strip, _, _) = strip(&Machine::new(), &known, 0);
    let toc = known.toc();
    let rows: Vec<_> = strip.stretches.iter().filter_map(|row| Some((row.chunk?, row.state))).collect();
    // `cut` begins like `a`, ends like `z`, and `same` is all of `a`: those frames are not asked for again.
    let [a, cut, same, z] = ["dir/a", "dir/cut", "dir/same", "z"].map(|name| {
        let at = toc.entries().iter().position(|entry| entry.member().name.as_bytes() == name.as_bytes());
        u32::try_from(at.unwrap()).unwrap()
    });
    use State::{Fetched, Reused};
    assert_eq!(
        rows,
        [
            ((a, 0), Fetched),
            ((cut, 0), Reused),
            ((cut, 1), Fetched),
            ((cut, 2), Fetched),
            ((same, 0), Reused),
            ((z, 0), Reused)
        ]
    );
}

#[test]
fn what_is_here_is_reused_and_what_is_whole_is_fetched() {
    let known = of(&layer(&members(), |_| {}));
    let mut machine = Machine::new();
    machine.add(&known);
    let (here, mode, read) = strip(&machine, &known, 0);
    assert_eq!((mode, read), (Mode::Present, [0, 0]));
    assert!(here.stretches.iter().all(|row| match row.state {
        State::Reused => row.chunk.is_some(),
        State::Fetched | State::Bridged => false,
        State::Skipped | State::Toc | State::TarSplit | State::Footer => row.chunk.is_none(),
    }));
    let blob = stargz(&members(), Footer::EStargz, 0, |_| {});
    let known = of_stargz(&blob);
    let forecast = Machine::new().forecast(&[&known], LinkMode::Auto, &bridging(0, Trust::DiffId)).unwrap();
    let whole = forecast.strip(0).unwrap();
    assert!(covers(&whole, &known));
    assert_eq!(sum(&whole, State::Skipped) + sum(&whole, State::Reused), 0);
    assert_eq!(sum(&whole, State::Fetched), blob.data_end as u64);
    assert_eq!(forecast.strip(1), None);
}

#[test]
fn frames_that_several_share_come_once() {
    for footer in [Footer::EStargz, Footer::Zstd] {
        let known = of_stargz(&stargz(&members(), footer, 100_000, |_| {}));
        let layout = Layout::of(known.toc(), known.layer().blob_len).stretches;
        let frames = layout.iter().filter(|(_, content)| matches!(content, Content::Frames { .. }));
        let one: Vec<_> = frames.collect();
        assert!(matches!(one[..], [(_, Content::Frames { entry: 1, chunk: 0 })]), "{layout:?}");
    }
}

#[test]
fn what_lies_behind_the_data() {
    use Content::{Footer as Foot, Gap, TarSplit, Toc};
    let kinds = |known: &Known| {
        let layout = Layout::of(known.toc(), known.layer().blob_len).stretches;
        let rest =
            layout.into_iter().skip_while(|(_, content)| matches!(content, Gap | Content::Frames { .. }));
        rest.map(|(range, content)| (content, range.end - range.start)).collect::<Vec<_>>()
    };
    let [today, old, estargz] = fixtures().try_into().unwrap();
    assert_eq!(kinds(&today), [(Toc, 1735), (Gap, 8), (TarSplit, 2417), (Foot, 72)]);
    assert_eq!(kinds(&old), [(Toc, 1732), (Foot, 48)]);
    assert!(matches!(kinds(&estargz)[..], [(Toc, _), (Foot, 51)]));
    for (footer, len) in [(Footer::Legacy, 47), (Footer::EStargz, 51)] {
        let known = of_stargz(&stargz(&members(), footer, 0, |_| {}));
        assert!(matches!(kinds(&known)[..], [(Toc, _), (Foot, at)] if at == len), "{:?}", kinds(&known));
    }
    // A TOC in another image is not in this blob.
    let known = of_stargz(&stargz(&members(), Footer::External, 0, |_| {}));
    assert!(matches!(kinds(&known)[..], [(Foot, _)]), "{:?}", kinds(&known));
}
