//! What must hold of any images.

use alloc::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// No one of them begins another, so that two files are the same only if their chunks are.
const CHUNKS: [&str; 6] = ["one", "two", "three", "four", "five", "0100"];

/// A name, the chunks, the mode; without chunks, an empty file.
type File = (&'static str, Vec<&'static str>, u32);

fn file() -> impl Strategy<Value = File> {
    let names = prop::sample::select(vec![
        "a",
        "b",
        "c",
        "d/a",
        "d/b",
        "d/e/a",
        "d.x",
        ".wh.a",
        ".wh.d",
        "d/.wh.a",
        "d/.wh..wh..opq",
        "d/e/.wh.b",
    ]);
    (names, prop::collection::vec(prop::sample::select(&CHUNKS[..]), 0..4), 0..2_u32)
}

fn layer() -> impl Strategy<Value = Vec<File>> {
    prop::collection::vec(file(), 0..7)
}

fn images(count: core::ops::Range<usize>) -> impl Strategy<Value = Vec<Vec<Vec<File>>>> {
    prop::collection::vec(prop::collection::vec(layer(), 0..4), count)
}

fn lines(layer: &[File]) -> Vec<String> {
    let line = |(name, chunks, mode): &File| {
        let chunks = if chunks.is_empty() || name.contains(".wh.") { "-".into() } else { chunks.join(",") };
        format!("f {name} {chunks} mode=60{mode}")
    };
    layer.iter().map(line).collect()
}

fn made(layer: &[File]) -> Made {
    let lines = lines(layer);
    Made::of(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn of(images: &[Vec<Vec<File>>]) -> Overlap {
    let mut overlap = Overlap::new();
    for layers in images {
        let layers: Vec<_> = layers.iter().map(|layer| made(layer)).collect();
        add(&mut overlap, "", &layers).unwrap();
    }
    overlap
}

/// The files of an image, and their chunks, by definition.
fn contents(layers: &[Vec<File>]) -> (BTreeSet<Vec<&'static str>>, BTreeSet<&'static str>) {
    let mut files = BTreeSet::new();
    for (name, chunks, _) in layers.iter().flatten() {
        if !name.contains(".wh.") && !chunks.is_empty() {
            files.insert(chunks.clone());
        }
    }
    let chunks = files.iter().flatten().copied().filter(|chunk| !chunk.starts_with('0')).collect();
    (files, chunks)
}

fn data<'a>(chunks: impl IntoIterator<Item = &'a &'static str>) -> u64 {
    chunks.into_iter().filter(|chunk| !chunk.starts_with('0')).map(|chunk| chunk.len() as u64).sum()
}

fn sum(amounts: impl IntoIterator<Item = Amount>) -> Amount {
    let mut all = Amount::default();
    for Amount { count, bytes } in amounts {
        all.count += count;
        all.bytes.logical += bytes.logical;
        all.bytes.compressed += bytes.compressed;
        all.bytes.unlocated += bytes.unlocated;
    }
    all
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..count {
        let longer = |order: Vec<usize>| {
            (0..=order.len()).map(move |at| {
                let mut order = order.clone();
                order.insert(at, next);
                order
            })
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

proptest! {
    #[test]
    fn the_matrix_is_that_of_sets(images in images(1..5)) {
        let Matrix { files, chunks } = of(&images).matrix();
        let sets: Vec<_> = images.iter().map(|layers| contents(layers)).collect();
        for (a, of_a) in sets.iter().enumerate() {
            for (b, of_b) in sets.iter().enumerate() {
                let of_files: u64 = of_a.0.intersection(&of_b.0).map(data).sum();
                prop_assert_eq!(files[a][b].logical, of_files);
                prop_assert_eq!(chunks[a][b].logical, data(of_a.1.intersection(&of_b.1)));
                prop_assert_eq!(files[a][b].logical, files[b][a].logical);
                prop_assert_eq!(chunks[a][b].logical, chunks[b][a].logical);
                prop_assert!(files[a][b].compressed <= files[a][a].compressed);
                prop_assert!(chunks[a][b].compressed <= chunks[a][a].compressed);
            }
        }
    }

    #[test]
    fn the_parts_are_the_whole(images in images(1..5)) {
        let overlap = of(&images);
        let (summary, matrix) = (overlap.summary(), overlap.matrix());
        prop_assert_eq!(sum(summary.shared_by.iter().map(|by| by.files)), summary.distinct);
        prop_assert_eq!(sum(summary.shared_by.iter().map(|by| by.chunks)), summary.distinct_chunks);
        let sets: Vec<_> = images.iter().map(|layers| contents(layers)).collect();
        let union: BTreeSet<_> = sets.iter().flat_map(|(_, chunks)| chunks).collect();
        prop_assert_eq!(summary.distinct_chunks.bytes.logical, data(union.iter().copied()));
        for (number, image) in summary.images.iter().enumerate() {
            prop_assert_eq!(sum([image.distinct, image.duplicates]), image.files);
            prop_assert_eq!(sum([image.unique, image.shared]), image.distinct);
            prop_assert_eq!(sum([image.unique_chunks, image.shared_chunks]), image.distinct_chunks);
            prop_assert_eq!(matrix.files[number][number], image.distinct.bytes);
            prop_assert_eq!(matrix.chunks[number][number], image.distinct_chunks.bytes);
            let layers = sum(image.layers.iter().map(|layer| layer.files));
            prop_assert_eq!(layers, image.files);
            let duplicates = overlap.duplicates(id(number), usize::MAX);
            prop_assert_eq!(sum(duplicates.iter().map(|duplicate| duplicate.more)), image.duplicates);
        }
    }

    #[test]
    fn a_view_sums_up(images in images(2..4)) {
        let overlap = of(&images);
        for (number, image) in overlap.summary().images.iter().enumerate() {
            for measure in [Measure::Logical, Measure::Compressed] {
                let view = overlap.view(id(number), measure).unwrap();
                let all = view.shared[0] + view.unique[0] + view.partly[0] + view.wasted[0];
                let expected = match measure {
                    Measure::Logical => image.files.bytes.logical,
                    Measure::Compressed => image.files.bytes.compressed,
                };
                prop_assert_eq!(all, expected);
                prop_assert_eq!(u64::from(view.files[0]), image.files.count);
                for node in 0..view.parents.len() {
                    prop_assert!(view.partly_shared[node] <= view.partly[node]);
                    prop_assert!(view.ends[node] as usize > node);
                    let parent = view.parents[node] as usize;
                    prop_assert!(parent < node || node == 0);
                    prop_assert!(view.ends[parent] >= view.ends[node]);
                    let name = overlap.path(id(number), NodeId(node as u32)).unwrap();
                    prop_assert_eq!(overlap.find(id(number), name.as_bytes()), Some(NodeId(node as u32)));
                }
            }
        }
    }

    #[test]
    fn without_a_layer_nothing_is_more(images in images(2..4), image in any::<prop::sample::Index>(), layer in any::<prop::sample::Index>()) {
        let mut fewer = images.clone();
        let layered: Vec<_> = (0..images.len()).filter(|image| !images[*image].is_empty()).collect();
        if layered.is_empty() {
            return Ok(());
        }
        let image = layered[image.index(layered.len())];
        fewer[image].remove(layer.index(images[image].len()));
        let (before, after) = (of(&images), of(&fewer));
        let pairs = [(before.matrix().files, after.matrix().files), (before.matrix().chunks, after.matrix().chunks)];
        for (before, after) in pairs {
            for (before, after) in before.iter().flatten().zip(after.iter().flatten()) {
                prop_assert!(after.logical <= before.logical);
            }
        }
        let (before, after) = (before.summary(), after.summary());
        prop_assert!(after.distinct.bytes.logical <= before.distinct.bytes.logical);
        prop_assert!(after.images[image].files.bytes.logical <= before.images[image].files.bytes.logical);
    }

    #[test]
    fn there_and_back(images in images(2..3)) {
        let overlap = of(&images);
        for image in [id(0), id(1)] {
            let same = overlap.diff(image, image).unwrap();
            prop_assert_eq!(same.changes, []);
            prop_assert_eq!(same.summary.new_chunks, Bytes::default());
        }
        let (there, back) = (overlap.diff(id(0), id(1)).unwrap(), overlap.diff(id(1), id(0)).unwrap());
        let counts = |summary: DiffSummary| {
            [summary.changed, summary.metadata, summary.renamed, summary.same].map(|amount| amount.count)
        };
        prop_assert_eq!(counts(there.summary), counts(back.summary));
        prop_assert_eq!(there.summary.added.count, back.summary.removed.count);
        prop_assert_eq!(there.summary.removed.bytes, back.summary.added.bytes);
        let matrix = overlap.matrix();
        let new = matrix.files[1][1].logical - matrix.files[1][0].logical;
        prop_assert_eq!(there.summary.new_files.logical, new);
        for change in &there.changes {
            prop_assert!(change.fresh.logical <= change.bytes.logical);
            prop_assert!(change.changed != Changed::Metadata || change.fields.any());
        }
        // Every path of the new image that is there is the same, changed, added or renamed.
        let view = overlap.view(id(1), Measure::Logical).unwrap();
        let seen = view.gone.iter().filter(|gone| !**gone).count() as u64;
        let told = there.changes.iter().filter(|change| change.new.is_some()).count() as u64;
        prop_assert_eq!(there.summary.same.count + told, seen);
    }

    #[test]
    fn the_order_of_images_does_not_matter(images in images(2..4)) {
        let matrix = of(&images).matrix();
        let mut reversed = images;
        reversed.reverse();
        let mut other = of(&reversed).matrix();
        for cells in [&mut other.files, &mut other.chunks] {
            cells.reverse();
            cells.iter_mut().for_each(|row| row.reverse());
        }
        prop_assert_eq!(matrix, other);
    }

    #[test]
    fn no_order_of_pulls_costs_less(images in images(1..5), wholes in any::<u16>(), repeated in layer()) {
        let mut overlap = Overlap::new();
        for (number, layers) in images.iter().enumerate() {
            let mut layers: Vec<_> = layers.iter().map(|layer| made(layer)).collect();
            if wholes & (256 << number) != 0 {
                layers.push(Made { diff_id: Some(Digest::of(b"base")), ..made(&repeated) });
            }
            for (layer, made) in layers.iter_mut().enumerate() {
                made.blob_len = 20;
                if (wholes >> (number + layer)) & 1 != 0 {
                    made.pulled = Pulled::Whole;
                }
            }
            add(&mut overlap, "", &layers).unwrap();
        }
        let found = overlap.pull_order();
        prop_assert!(found.exact);
        let given: Vec<_> = found.steps.iter().map(|step| step.image).collect();
        prop_assert_eq!(&overlap.pull_cost(&given).unwrap().steps, &found.steps);
        let mut first = None;
        let mut orders = permutations(images.len());
        orders.sort();
        for order in orders {
            let order: Vec<_> = order.into_iter().map(id).collect();
            let bytes = overlap.pull_cost(&order).unwrap().bytes;
            prop_assert!(found.bytes <= bytes);
            if bytes == found.bytes {
                first.get_or_insert(order);
            }
        }
        prop_assert_eq!(Some(given), first, "of several, the first by their numbers");
        let greedy: Vec<_> = overlap.greedy().into_iter().map(ImageId).collect();
        prop_assert!(overlap.pull_cost(&greedy).unwrap().bytes >= found.bytes);
        prop_assert_eq!(greedy.len(), images.len());
    }
}
