//! What the user, and the link to the registry, make of a decision.

use core::fmt;
use core::str::FromStr;

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

/// The rung of the trust ladder that a layer must reach, or has reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the two words of the command line")]
pub enum Trust {
    /// The manifest vouches for the TOC, and every file is what the TOC says. Nothing ties it to the DiffID.
    Toc,
    /// The tar that the layer stands for is rebuilt and has the DiffID that the image names.
    #[default]
    DiffId,
}

impl Trust {
    /// Returns the word for it on the command line, in records and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DiffId => "diffid",
            Self::Toc => "toc",
        }
    }
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Trust {
    type Err = TrustError;

    fn from_str(text: &str) -> Result<Self, TrustError> {
        [Self::DiffId, Self::Toc].into_iter().find(|trust| trust.as_str() == text).ok_or(TrustError)
    }
}

impl serde::Serialize for Trust {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Trust {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A word that names no rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected diffid or toc")]
#[non_exhaustive]
pub struct TrustError;

impl Cost {
    /// Returns how many unwanted bytes are cheaper than one more request.
    ///
    /// ```
    /// let cost = shingle_core::Cost { round_trip_us: 20_000, bytes_per_second: 12_500_000, in_flight: 4 };
    /// assert_eq!(cost.gap(), 62_500);
    /// ```
    pub fn gap(&self) -> u64 {
        self.bytes_in(self.in_flight)
    }

    /// Returns how many bytes cost as much as one more round trip that nobody shares.
    pub fn round_trip(&self) -> u64 {
        self.bytes_in(1)
    }

    /// Returns how long so many bytes in so many requests take, in microseconds: the bytes one after the other, and a round
    /// trip for each [`in_flight`](Self::in_flight) requests, which share one. What a client computes meanwhile is not in it,
    /// nor that a TOC must come before what it says to fetch.
    ///
    /// ```
    /// let cost = shingle_core::Cost { round_trip_us: 20_000, bytes_per_second: 1_000_000, in_flight: 4 };
    /// assert_eq!(cost.microseconds(500_000, 5), 500_000 + 2 * 20_000);
    /// ```
    pub fn microseconds(&self, bytes: u64, requests: u64) -> u64 {
        let trips = u128::from(requests.div_ceil(u64::from(self.in_flight.max(1))));
        let waited = trips.saturating_mul(u128::from(self.round_trip_us));
        let sent = u128::from(bytes).saturating_mul(1_000_000);
        // A link that carries nothing never ends.
        let sent = if bytes == 0 {
            0
        } else {
            sent.checked_div(u128::from(self.bytes_per_second)).unwrap_or(u128::MAX)
        };
        u64::try_from(waited.saturating_add(sent)).unwrap_or(u64::MAX)
    }

    fn bytes_in(&self, in_flight: u32) -> u64 {
        let bytes = u128::from(self.round_trip_us).saturating_mul(u128::from(self.bytes_per_second));
        let share = bytes.div_euclid(u128::from(in_flight.max(1))).div_euclid(1_000_000);
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
