//! SHA-256 digests, the only kind that zstd:chunked blobs and their images use.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use sha2::Digest as _;

/// A SHA-256 digest, written `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of no bytes at all, which the TOC leaves out for empty files.
    pub const EMPTY: Self = Self([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]);

    /// Takes 32 raw bytes as a digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Hashes `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Returns the 32 raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hexadecimal digits with no algorithm before them, in either case.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digits: &[u8; 64] = hex.as_bytes().try_into().ok()?;
        // All digits, then all bytes: the compiler makes a few wide instructions of either.
        let nibbles = digits.map(nibble);
        if nibbles.iter().fold(0, |all, nibble| all | nibble) > 15 {
            return None;
        }
        let mut bytes = [0_u8; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(nibbles.as_chunks().0) {
            *byte = (high << 4) | low;
        }
        Some(Self(bytes))
    }

    /// Returns the 64 lower-case hexadecimal digits, without the algorithm.
    pub fn to_hex(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = String::with_capacity(64);
        for byte in self.0 {
            for nibble in [byte >> 4, byte & 15] {
                hex.push(char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0')));
            }
        }
        hex
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    /// Reads `sha256:` and 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, DigestError> {
        if let Some(digest) = text.strip_prefix("sha256:").and_then(Self::from_hex) {
            return Ok(digest);
        }
        Err(match text.split_once(':') {
            None | Some(("sha256", _)) => DigestError::Malformed { text: text.chars().take(100).collect() },
            Some((algorithm, _)) => {
                DigestError::Algorithm { algorithm: algorithm.chars().take(40).collect() }
            }
        })
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A digest that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "code", content = "fields", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum DigestError {
    /// Only SHA-256 is spoken; the OCI specification allows others, which no layer tool writes.
    #[error("digest algorithm {algorithm:?} is not supported, only sha256")]
    Algorithm {
        /// The algorithm named.
        algorithm: String,
    },
    /// Not an algorithm, a colon and 64 hexadecimal digits.
    #[error("{text:?} is not a digest")]
    Malformed {
        /// The text, cut to 100 characters.
        text: String,
    },
}

/// Hashes bytes that arrive in pieces.
#[derive(Clone, Default)]
pub struct Hasher(sha2::Sha256);

impl Hasher {
    /// Starts with no bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest of all bytes taken.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

/// Returns the value of a hexadecimal digit in either case; more than 15 for other bytes.
const fn nibble(digit: u8) -> u8 {
    let (decimal, letter) = (digit.wrapping_sub(b'0'), (digit | 0x20).wrapping_sub(b'a'));
    if decimal < 10 {
        decimal
    } else if letter < 6 {
        letter.wrapping_add(10)
    } else {
        u8::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let digest = Digest::of(b"shingle");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(Digest::of(b""), Digest::EMPTY);
    }

    #[test]
    fn reads_the_hexadecimal_digits_and_no_other_byte() {
        for byte in 0..=u8::MAX {
            let expected = char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
            assert_eq!(Some(nibble(byte)).filter(|value| *value < 16), expected, "{byte}");
        }
        let (upper, digest) = (Digest::EMPTY.to_hex().to_uppercase(), Some(Digest::EMPTY));
        assert_eq!(Digest::from_hex(&upper), digest);
        for at in 0..64 {
            let bad = std::format!("{}g{}", &upper[..at], &upper[at + 1..]);
            assert_eq!(Digest::from_hex(&bad), None, "{bad}");
        }
    }

    #[test]
    fn refuses_other_algorithms_and_lengths() {
        assert!(matches!("sha512:00".parse::<Digest>(), Err(DigestError::Algorithm { .. })));
        for text in ["", "sha256", "sha256:", "sha256:00", &std::format!("sha256:{}", "g".repeat(64))] {
            assert!(matches!(text.parse::<Digest>(), Err(DigestError::Malformed { .. })), "{text}");
        }
    }
}
