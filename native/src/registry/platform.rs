//! The machine that an image is for.

use std::fmt;
use std::str::FromStr;

/// An operating system and a processor, in the words of the OCI image specification: `linux/arm64/v8`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Platform {
    /// Returns Linux on this machine's processor: layers are Linux's, also where this program runs elsewhere.
    pub fn host() -> Self {
        let architecture = match std::env::consts::ARCH {
            "aarch64" => "arm64",
            "loongarch64" => "loong64",
            "powerpc64" => "ppc64le",
            "x86" => "386",
            "x86_64" => "amd64",
            same => same,
        };
        Self { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: None }
    }

    pub(crate) fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let variant = variant.filter(|variant| !variant.is_empty()).map(str::to_owned);
        Self { os: os.to_owned(), architecture: architecture.to_owned(), variant }
    }

    /// Returns the operating system: `linux`.
    pub fn os(&self) -> &str {
        &self.os
    }

    /// Returns the processor's architecture: `amd64`.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// Returns the architecture's variant: `v7`.
    pub fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }

    /// Returns how well an image for `offered` runs here, smaller is better; `None` where it does not.
    pub(super) fn rank(&self, offered: &Self) -> Option<usize> {
        if (&self.os, &self.architecture) != (&offered.os, &offered.architecture) {
            return None;
        }
        // Best first; a processor runs what is made for it and for those after it.
        let ladder: &[&str] = match &*self.architecture {
            "amd64" => &["v4", "v3", "v2", "v1"],
            "arm" => &["v8", "v7", "v6", "v5"],
            "arm64" => &["v9", "v8"],
            _ => &[],
        };
        let common = ["amd64", "arm", "arm64"].iter().position(|name| *name == self.architecture);
        let common = common.and_then(|at| ["v1", "v7", "v8"].get(at).copied());
        let wanted = self.variant.as_deref();
        let variant = offered.variant.as_deref();
        if wanted == variant {
            return Some(0);
        }
        let place = |name: &str| ladder.iter().position(|step| *step == name);
        // Whoever names no variant means the common one.
        let (wanted, offered) = (wanted.or(common)?, variant.or(common)?);
        match (place(wanted), place(offered)) {
            (Some(wanted), Some(offered)) if offered >= wanted => Some(1 + offered - wanted),
            _ => None,
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    /// Reads `OS/ARCHITECTURE[/VARIANT]`.
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let word = |part: &&str| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            !part.is_empty() && part.bytes().all(allowed)
        };
        let parts: Vec<_> = text.split('/').collect();
        match (parts.iter().all(word), &parts[..]) {
            (true, [os, architecture]) => Ok(Self::new(os, architecture, None)),
            (true, [os, architecture, variant]) => Ok(Self::new(os, architecture, Some(variant))),
            _ => Err(PlatformError { text: text.chars().take(100).collect() }),
        }
    }
}

/// A text that names no platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a platform; write OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, for example linux/arm64"
)]
#[non_exhaustive]
pub struct PlatformError {
    /// The text, cut to 100 characters.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_what_runs_and_prefers_the_nearest() {
        let table: &[(&str, &[&str], Option<&str>)] = &[
            ("linux/amd64", &["linux/arm64", "linux/amd64"], Some("linux/amd64")),
            ("linux/amd64", &["linux/amd64/v3", "linux/amd64/v1"], Some("linux/amd64/v1")),
            ("linux/amd64", &["linux/amd64/v3"], None),
            ("linux/amd64/v3", &["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], Some("linux/amd64/v2")),
            ("linux/arm64", &["linux/arm/v7", "linux/arm64/v8"], Some("linux/arm64/v8")),
            ("linux/arm64/v8", &["linux/arm64"], Some("linux/arm64")),
            ("linux/arm64/v9", &["linux/arm64"], Some("linux/arm64")),
            ("linux/arm", &["linux/arm/v5", "linux/arm/v6", "linux/arm/v7"], Some("linux/arm/v7")),
            ("linux/arm/v6", &["linux/arm/v7", "linux/arm/v5"], Some("linux/arm/v5")),
            ("linux/s390x", &["linux/s390x"], Some("linux/s390x")),
            ("linux/riscv64/x", &["linux/riscv64/y"], None),
            ("linux/amd64", &["windows/amd64"], None),
        ];
        for (wanted, offered, expected) in table {
            let wanted: Platform = wanted.parse().unwrap();
            let best = offered
                .iter()
                .filter_map(|text| Some((wanted.rank(&text.parse().unwrap())?, *text)))
                .min_by_key(|(rank, _)| *rank);
            assert_eq!(best.map(|(_, text)| text), *expected, "{wanted}");
        }
    }

    #[test]
    fn reads_what_it_writes() {
        for text in ["linux/amd64", "linux/arm64/v8"] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), text);
        }
        for text in ["", "linux", "linux/", "/amd64", "a/b/c/d", "li nux/x"] {
            text.parse::<Platform>().expect_err(text);
        }
        assert_eq!(Platform::host().os(), "linux");
    }
}
