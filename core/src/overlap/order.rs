//! In which order to pull, where bytes depend on it.

use alloc::vec::Vec;

use super::bytes::{Bits, UNLOCATED, index, number};
use super::census::hold;
use super::image::{FIRST, Image, LayerRow};
use super::{ImageId, Overlap};

/// Up to so many images every order is considered; beyond, images are chosen one by one.
const EXACT: usize = 12;

/// An order of pulls onto a machine that holds nothing, and what it costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct PullOrder {
    /// The pulls, first to last.
    pub steps: Vec<PullStep>,
    /// What they cost together.
    pub bytes: u64,
    /// Whether no order costs less. If not, it was found by looking one step ahead.
    pub exact: bool,
}

/// One pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct PullStep {
    /// The image.
    pub image: ImageId,
    /// The bytes of frames of what is not held yet, and of the blobs that are pulled whole.
    pub bytes: u64,
    /// Of these, the bytes of blobs that are pulled whole.
    pub whole_bytes: u64,
}

/// What a step costs.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    frames: u64,
    whole: u64,
}

impl Cost {
    const fn all(self) -> u64 {
        self.frames.saturating_add(self.whole)
    }
}

/// What a machine holds.
struct Machine {
    /// Contents of files and chunks.
    any: Bits,
    files: Bits,
    /// Layers, by identity.
    layers: Bits,
}

impl Overlap {
    /// Finds an order of pulling all images that costs least.
    ///
    /// What is counted: of a layer that is pulled by file, the frames of what neither the images before nor an earlier
    /// file of the same layer hold; of one that is pulled whole, its blob; of a layer that an image before has, nothing.
    /// Layers of one image do not serve one another, because a pull takes several at once. A chunk that lies in
    /// several files of a layer goes by the first of them. TOCs, tar-splits, gaps that are bridged and requests are not
    /// counted: [`decide`](crate::decide) forecasts those. Between layers that are pulled by file and compressed alike
    /// the order makes no difference; it does where layers are pulled whole, which is best done before others that
    /// can reuse what they bring.
    ///
    /// Exact for up to 12 images. For more it is greedy: the image is next that would gain least by waiting for all
    /// others. Of orders that cost the same it is the one that comes first by the numbers of the images.
    pub fn pull_order(&self) -> PullOrder {
        let order = if self.images.len() <= EXACT { self.exact() } else { self.greedy() };
        PullOrder { exact: self.images.len() <= EXACT, ..self.cost_of(order) }
    }

    /// Returns what an order costs, counted as in [`pull_order`](Self::pull_order); `None` if it names no image of this
    /// overlap. Images may be left out; one that is pulled twice costs nothing the second time. It is never called
    /// exact.
    pub fn pull_cost(&self, order: &[ImageId]) -> Option<PullOrder> {
        if order.iter().any(|image| self.get(*image).is_none()) {
            return None;
        }
        Some(self.cost_of(order.iter().map(|image| image.0)))
    }

    fn cost_of(&self, order: impl IntoIterator<Item = u32>) -> PullOrder {
        let mut machine = self.machine();
        let mut counted = Bits::new(self.contents.len());
        let mut found = PullOrder::default();
        for number in order {
            let Some(image) = self.images.get(index(number)) else { continue };
            let cost = machine.cost(image, &mut counted);
            machine.take(image);
            found.bytes = found.bytes.saturating_add(cost.all());
            found.steps.push(PullStep { image: ImageId(number), bytes: cost.all(), whole_bytes: cost.whole });
        }
        found
    }

    fn machine(&self) -> Machine {
        let len = self.contents.len();
        Machine { any: Bits::new(len), files: Bits::new(len), layers: Bits::new(self.identities.len()) }
    }

    /// Considers every set of images that may be there already, and every next one.
    fn exact(&self) -> Vec<u32> {
        let count = self.images.len();
        let sets = 1_usize << count.min(EXACT);
        let costs: Vec<Vec<u64>> = self.costs(sets);
        let cost = |image: usize, held: usize| {
            costs.get(image).and_then(|costs| costs.get(held)).copied().unwrap_or(u64::MAX)
        };
        // By what is held: the least that the rest costs.
        let mut least = alloc::vec![0_u64; sets];
        for held in (0..sets.saturating_sub(1)).rev() {
            let next = (0..count).filter(|image| held & (1 << image) == 0).map(|image| {
                let rest = least.get(held | (1 << image)).copied().unwrap_or(u64::MAX);
                cost(image, held).saturating_add(rest)
            });
            let best = next.min().unwrap_or(0);
            if let Some(slot) = least.get_mut(held) {
                *slot = best;
            }
        }
        let (mut order, mut held) = (Vec::new(), 0_usize);
        while order.len() < count {
            let best = least.get(held).copied().unwrap_or(0);
            let leads = |image: &usize| {
                let rest = least.get(held | (1 << image)).copied().unwrap_or(u64::MAX);
                held & (1 << image) == 0 && cost(*image, held).saturating_add(rest) == best
            };
            let Some(image) = (0..count).find(leads) else { break };
            order.push(number(image));
            held |= 1 << image;
        }
        order
    }

    /// Returns for each image and each set of images that are held what it costs.
    fn costs(&self, sets: usize) -> Vec<Vec<u64>> {
        // By content: the images that hold it.
        let mut holders = alloc::vec![0_u16; self.contents.len()];
        let mut layers = alloc::vec![0_u16; self.identities.len()];
        for (at, image) in self.images.iter().enumerate() {
            let bit = 1_u16 << at;
            let files = image.files.iter().filter(|file| file.is(FIRST)).map(|file| file.content);
            let pieces = image.pieces.iter().filter(|piece| piece.flags & FIRST != 0);
            for content in files.chain(pieces.map(|piece| piece.content)) {
                if let Some(holders) = holders.get_mut(index(content)) {
                    *holders |= bit;
                }
            }
            for layer in image.own_layers() {
                if let Some(layers) = layers.get_mut(index(layer.identity)) {
                    *layers |= bit;
                }
            }
        }
        let holders_of = |content: u32| holders.get(index(content)).copied().unwrap_or(0);
        let mut counted = Bits::new(self.contents.len());
        let mut costs = Vec::with_capacity(self.images.len());
        for (at, image) in self.images.iter().enumerate() {
            let mut by_holders = alloc::vec![0_u64; sets];
            let own = !(1_usize << at);
            let mut add = |holders: u16, bytes: u64| {
                if let Some(sum) = by_holders.get_mut(usize::from(holders) & own) {
                    *sum = sum.saturating_add(bytes);
                }
            };
            for layer in image.own_layers() {
                let of_layer = layers.get(index(layer.identity)).copied().unwrap_or(0);
                if layer.whole {
                    add(of_layer, layer.blob_len);
                    continue;
                }
                counted.clear();
                image.fetched(layer, &mut counted, |file, chunk, bytes| {
                    add(of_layer | holders_of(file) | holders_of(chunk), bytes);
                });
            }
            // Costs what no image that is held has: the sum over all sets of holders outside of it.
            let mut bit = 1;
            while bit < sets {
                for set in (0..sets).filter(|set| set & bit != 0) {
                    let less = by_holders.get(set ^ bit).copied().unwrap_or(0);
                    if let Some(sum) = by_holders.get_mut(set) {
                        *sum = sum.saturating_add(less);
                    }
                }
                bit <<= 1;
            }
            let all = sets.saturating_sub(1);
            let of = |held: usize| by_holders.get(all & !held & own).copied().unwrap_or(0);
            costs.push((0..sets).map(of).collect());
        }
        costs
    }

    pub(super) fn greedy(&self) -> Vec<u32> {
        let mut counted = Bits::new(self.contents.len());
        // What each costs when all others are there.
        let mut last = Vec::with_capacity(self.images.len());
        for (at, image) in self.images.iter().enumerate() {
            let mut others = self.machine();
            let rest = self.images.iter().enumerate().filter(|(other, _)| *other != at);
            rest.for_each(|(_, other)| others.take(other));
            last.push(others.cost(image, &mut counted).all());
        }
        let mut machine = self.machine();
        let mut left: Vec<u32> = (0..number(self.images.len())).collect();
        let mut order = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let mut gain = |at: &u32| {
                let now = self.images.get(index(*at)).map(|image| machine.cost(image, &mut counted).all());
                let last = last.get(index(*at)).copied().unwrap_or(0);
                now.unwrap_or(0).saturating_sub(last)
            };
            let next = left.iter().copied().min_by_key(|at| (gain(at), *at));
            let Some(next) = next else { break };
            if let Some(image) = self.images.get(index(next)) {
                machine.take(image);
            }
            left.retain(|at| *at != next);
            order.push(next);
        }
        order
    }
}

impl Machine {
    fn take(&mut self, image: &Image) {
        hold(image, &mut self.files, &mut self.any);
        for layer in image.own_layers() {
            self.layers.insert(layer.identity);
        }
    }

    fn cost(&self, image: &Image, counted: &mut Bits) -> Cost {
        let mut cost = Cost::default();
        for layer in image.own_layers().filter(|layer| !self.layers.contains(layer.identity)) {
            if layer.whole {
                cost.whole = cost.whole.saturating_add(layer.blob_len);
                continue;
            }
            counted.clear();
            image.fetched(layer, counted, |file, chunk, bytes| {
                if !self.any.contains(file) && !self.any.contains(chunk) {
                    cost.frames = cost.frames.saturating_add(bytes);
                }
            });
        }
        cost
    }
}

impl Image {
    /// Calls back for every chunk of a layer once, with the content of the first file it is in and its frames' bytes.
    fn fetched(&self, layer: &LayerRow, counted: &mut Bits, mut each: impl FnMut(u32, u32, u64)) {
        for file in layer.files.clone() {
            let Some(row) = self.file(file) else { continue };
            for atom in self.atoms(file) {
                if counted.insert(atom.content) && atom.compressed != UNLOCATED {
                    each(row.content, atom.content, atom.compressed);
                }
            }
        }
    }
}
