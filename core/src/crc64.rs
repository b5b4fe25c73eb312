//! CRC-64/ISO, the checksum that tar-split keeps of every payload (Go's `hash/crc64` with `crc64.ISO`).

/// The polynomial 0x1B, reflected.
const POLYNOMIAL: u64 = 0xd800_0000_0000_0000;

/// `TABLES[n][byte]` is the sum of `byte` followed by `n` zero bytes, so eight bytes take eight look-ups at once.
static TABLES: [[u64; 256]; 8] = tables();

/// Sums bytes that arrive in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crc64(u64);

impl Crc64 {
    /// Starts with no bytes.
    pub const fn new() -> Self {
        Self(u64::MAX)
    }

    /// Sums `bytes` at once.
    pub fn of(bytes: &[u8]) -> u64 {
        let mut sum = Self::new();
        sum.update(bytes);
        sum.finish()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let [t0, t1, t2, t3, t4, t5, t6, t7] = &TABLES;
        let mut sum = self.0;
        for word in words {
            let [b0, b1, b2, b3, b4, b5, b6, b7] = (sum ^ u64::from_le_bytes(*word)).to_le_bytes();
            sum = look(t7, b0)
                ^ look(t6, b1)
                ^ look(t5, b2)
                ^ look(t4, b3)
                ^ look(t3, b4)
                ^ look(t2, b5)
                ^ look(t1, b6)
                ^ look(t0, b7);
        }
        for byte in rest {
            let [low, ..] = sum.to_le_bytes();
            sum = look(t0, low ^ byte) ^ (sum >> 8);
        }
        self.0 = sum;
    }

    /// Returns the sum of all bytes taken.
    pub const fn finish(self) -> u64 {
        !self.0
    }
}

impl Default for Crc64 {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::indexing_slicing, reason = "a byte cannot leave a table of 256")]
#[inline]
fn look(table: &[u64; 256], byte: u8) -> u64 {
    table[usize::from(byte)]
}

#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    reason = "runs at compile time"
)]
const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [[0_u64; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        tables[0][byte] = sum;
        byte += 1;
    }
    let mut zeros = 1;
    while zeros < 8 {
        let mut byte = 0;
        while byte < 256 {
            let shorter = tables[zeros - 1][byte];
            tables[zeros][byte] = tables[0][(shorter & 0xff) as usize] ^ (shorter >> 8);
            byte += 1;
        }
        zeros += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// The definition, a bit at a time.
    fn slow(bytes: &[u8]) -> u64 {
        !bytes.iter().fold(u64::MAX, |sum, byte| {
            (0..8)
                .fold(sum ^ u64::from(*byte), |sum, _| (sum >> 1) ^ if sum & 1 == 1 { POLYNOMIAL } else { 0 })
        })
    }

    #[test]
    fn sums_the_check_value() {
        assert_eq!(Crc64::of(b"123456789"), 0xb909_56c7_75a4_1001);
        assert_eq!(Crc64::of(b""), 0);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_sum_by_definition(bytes: Vec<u8>, at: prop::sample::Index) {
            let (a, b) = bytes.split_at(at.index(bytes.len() + 1));
            let mut sum = Crc64::new();
            sum.update(a);
            sum.update(b);
            prop_assert_eq!(sum.finish(), slow(&bytes));
        }
    }
}
