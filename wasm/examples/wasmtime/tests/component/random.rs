//! Numbers that look random and come from a seed (SplitMix64).

#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`; 0 for an `end` of 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    /// Once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// A number that is often small, often absurd.
    pub(crate) fn number(&mut self) -> u64 {
        match self.below(6) {
            0 => 0,
            1 => u64::MAX,
            2 => u64::from(u32::MAX) + self.next() % 3,
            3 => self.next(),
            _ => self.next() % 5_000,
        }
    }

    pub(crate) fn index(&mut self) -> u32 {
        u32::try_from(self.number().min(u64::from(u32::MAX))).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { Some(&from[self.below(from.len())]) }
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// Changes some of `bytes`: flips, cuts, splices, repeats.
    pub(crate) fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            let len = self.below(64.min(bytes.len() - at + 1));
            match self.below(6) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                1 => bytes.truncate(at),
                2 => drop(bytes.drain(at..at + len)),
                3 => {
                    let piece = bytes[at..at + len].to_vec();
                    let to = self.below(bytes.len());
                    drop(bytes.splice(to..to, piece));
                }
                4 => {
                    let noise = self.bytes(len);
                    drop(bytes.splice(at..at + len, noise));
                }
                _ => self.digits(bytes),
            }
        }
    }

    /// Puts another number in the place of one that is written out.
    fn digits(&mut self, bytes: &mut Vec<u8>) {
        let from = self.below(bytes.len());
        let digit = |byte: &u8| byte.is_ascii_digit();
        let Some(start) = bytes[from..].iter().position(digit).map(|at| from + at) else { return };
        let end = bytes[start..].iter().position(|byte| !digit(byte)).map_or(bytes.len(), |at| start + at);
        let number = match self.below(4) {
            0 => "-1".to_owned(),
            1 => "99999999999999999999".to_owned(),
            _ => self.number().to_string(),
        };
        drop(bytes.splice(start..end, number.into_bytes()));
    }
}
