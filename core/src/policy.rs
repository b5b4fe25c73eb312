//! What the user, and the link to the registry, make of a decision.

use crate::Limits;

/// Parameters of [`crate::decide`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// What a request costs.
    pub cost: Cost,
    /// A request for adjacent chunks is cut once it is this long, so that several connections share the work, bytes.
    pub request_len: u64,
    /// How far a layer must be proven.
    pub trust: Trust,
    /// Upper bounds on what a blob may claim.
    pub limits: Limits,
}

/// The cost model: a round trip costs as much as the bytes that the link carries meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the model's three numbers")]
pub struct Cost {
    /// From a request to its first byte, in microseconds.
    pub round_trip_us: u64,
    /// What the link carries, in bytes a second.
    pub bytes_per_second: u64,
    /// How many requests run at once and so share a round trip.
    pub in_flight: u32,
}

/// The rung of the trust ladder that a layer must reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// The tar that the layer stands for is rebuilt and has the DiffID that the image names.
    DiffId,
}

impl Cost {
    /// Returns how many unwanted bytes are cheaper than one more request.
    ///
    /// ```
    /// let cost = shingle_core::Cost { round_trip_us: 20_000, bytes_per_second: 12_500_000, in_flight: 4 };
    /// assert_eq!(cost.gap(), 62_500);
    /// ```
    pub fn gap(&self) -> u64 {
        let bytes = u128::from(self.round_trip_us).saturating_mul(u128::from(self.bytes_per_second));
        let share = bytes.div_euclid(u128::from(self.in_flight.max(1))).div_euclid(1_000_000);
        u64::try_from(share).unwrap_or(u64::MAX)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            cost: Cost { round_trip_us: 4_000, bytes_per_second: 8_000_000, in_flight: 8 },
            request_len: 8 << 20,
            trust: Trust::DiffId,
            limits: Limits::default(),
        }
    }
}
