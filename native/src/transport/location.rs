//! What people write to say where an image lies.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::registry::{Reference, ReferenceError};

/// Where an image lies, written as for skopeo: `docker://REF`, `oci:DIR[:TAG]` and so on; a bare reference is in a
/// registry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// In a registry: `docker://REF` or `REF`.
    Registry(Reference),
    /// In an OCI image layout: `oci:DIR[:TAG]`.
    Oci {
        /// The directory.
        dir: PathBuf,
        /// Which of its images.
        tag: Option<String>,
    },
    /// In a tar of an OCI image layout: `oci-archive:FILE[:TAG]`.
    OciArchive {
        /// The file.
        file: PathBuf,
        /// Which of its images.
        tag: Option<String>,
    },
    /// In a tar as `docker save` writes it: `docker-archive:FILE[:REF]`.
    DockerArchive {
        /// The file.
        file: PathBuf,
        /// Which of its images.
        reference: Option<Reference>,
    },
    /// One image's manifest and blobs in a directory: `dir:DIR`.
    Dir {
        /// The directory.
        dir: PathBuf,
    },
}

/// Transports that skopeo has and this program has not, each with the way out.
const UNSUPPORTED: [(&str, &str); 4] = [
    (
        "containers-storage",
        "podman keeps no compressed layers: `podman save --format oci-archive -o FILE IMAGE`, then oci-archive:FILE",
    ),
    ("docker-daemon", "`docker save -o FILE IMAGE`, then docker-archive:FILE"),
    ("sif", "only skopeo reads these; copy to oci:DIR with it first"),
    ("tarball", "import the tar with podman or docker first"),
];

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        if text.starts_with(['/', '.', '~']) {
            return Err(LocationError::Path);
        }
        let Some((transport, rest)) = text.split_once(':') else { return Ok(Self::Registry(text.parse()?)) };
        // Neither a path nor an image's name may hold a second colon, so there is no doubt where the name begins.
        let (path, name) = match rest.split_once(':') {
            Some((path, name)) => (path, Some(name)),
            None => (rest, None),
        };
        let path = || match path {
            "" => Err(LocationError::NoPath { transport: transport.to_owned() }),
            path => Ok(PathBuf::from(path)),
        };
        let tag = || match name {
            Some(name) if !is_name(name) => Err(LocationError::Name { name: cut(name) }),
            name => Ok(name.map(str::to_owned)),
        };
        match transport {
            "oci" => Ok(Self::Oci { dir: path()?, tag: tag()? }),
            "oci-archive" => Ok(Self::OciArchive { file: path()?, tag: tag()? }),
            "docker-archive" => {
                let reference = name.map(str::parse::<Reference>).transpose()?;
                match reference {
                    Some(with) if with.digest().is_some() => Err(LocationError::Digest),
                    reference => Ok(Self::DockerArchive { file: path()?, reference }),
                }
            }
            // Here a colon is a character like any other.
            "dir" if rest.is_empty() => Err(LocationError::NoPath { transport: transport.to_owned() }),
            "dir" => Ok(Self::Dir { dir: PathBuf::from(rest) }),
            "docker" if !rest.starts_with("//") => Err(LocationError::Slashes),
            other => match UNSUPPORTED.iter().find(|(name, _)| *name == other) {
                Some((transport, hint)) => Err(LocationError::Unsupported { transport, hint }),
                None => Ok(Self::Registry(text.parse()?)),
            },
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transport, path, name) = match self {
            Self::Registry(reference) => return write!(f, "docker://{reference}"),
            Self::Oci { dir, tag } => ("oci", dir, tag.clone()),
            Self::OciArchive { file, tag } => ("oci-archive", file, tag.clone()),
            Self::DockerArchive { file, reference } => {
                ("docker-archive", file, reference.as_ref().map(Reference::to_string))
            }
            Self::Dir { dir } => ("dir", dir, None),
        };
        write!(f, "{transport}:{}", path.display())?;
        name.map_or(Ok(()), |name| write!(f, ":{name}"))
    }
}

/// Words of letters and digits, with single separators between them: what the image specification's annotation allows.
fn is_name(text: &str) -> bool {
    let separator = |c: char| matches!(c, '-' | '.' | '_' | ':' | '@' | '+' | '/');
    let allowed = |c: char| c.is_ascii_alphanumeric() || separator(c);
    !text.is_empty()
        && text.len() <= 1024
        && text.chars().all(allowed)
        && !text.starts_with(separator)
        && !text.ends_with(separator)
}

fn cut(text: &str) -> String {
    text.chars().take(300).collect()
}

/// A text that says nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// A digest where only names can be.
    #[error("a docker-archive names its images by tag, not by digest")]
    Digest,
    /// The name after the path.
    #[error("{name:?} cannot be the name of an image in a layout")]
    Name {
        /// The name, cut to 300 characters.
        name: String,
    },
    /// A path without what it is.
    #[error("a path alone does not say what lies there")]
    Path,
    /// No path.
    #[error("there is no path after {transport}:")]
    NoPath {
        /// The transport.
        transport: String,
    },
    /// The name of an image in a registry.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// `docker:` without what follows.
    #[error("docker: must be followed by //")]
    Slashes,
    /// A transport that skopeo has.
    #[error("{transport}: is not supported")]
    Unsupported {
        /// The transport.
        transport: &'static str,
        /// The way out.
        hint: &'static str,
    },
}

impl LocationError {
    /// Returns advice on what to write instead, if there is any.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoPath { .. } => {
                Some("write for example oci:DIR:TAG, oci-archive:FILE, docker-archive:FILE or dir:DIR")
            }
            Self::Path => Some("write oci:DIR, dir:DIR, oci-archive:FILE or docker-archive:FILE"),
            Self::Reference(error) => error.hint(),
            Self::Slashes => Some("write docker://HOST/REPOSITORY:TAG"),
            Self::Unsupported { hint, .. } => Some(hint),
            Self::Digest | Self::Name { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for (text, shown) in [
            ("alpine", "docker://docker.io/library/alpine:latest"),
            ("localhost:5000/a/b:c", "docker://localhost:5000/a/b:c"),
            ("docker://quay.io/a/b", "docker://quay.io/a/b:latest"),
            ("oci:/tmp/x", "oci:/tmp/x"),
            ("oci:x:docker.io/library/a:1", "oci:x:docker.io/library/a:1"),
            ("oci-archive:a.tar:v1.2-3", "oci-archive:a.tar:v1.2-3"),
            ("docker-archive:a.tar", "docker-archive:a.tar"),
            ("docker-archive:a.tar:x", "docker-archive:a.tar:docker.io/library/x:latest"),
            ("dir:a:b", "dir:a:b"),
        ] {
            let location: Location = text.parse().unwrap();
            assert_eq!(location.to_string(), shown);
            assert_eq!(shown.parse(), Ok(location), "{text}");
        }
    }

    #[test]
    fn what_says_nowhere_is_refused() {
        for text in ["oci:", "oci::x", "dir:", "oci:a:", "oci:a:-x", "oci:a:b c", "docker:alpine", "a b", ""]
        {
            assert!(text.parse::<Location>().is_err(), "{text}");
        }
        let digest = format!("docker-archive:a:x@sha256:{}", "0".repeat(64));
        assert_eq!(digest.parse::<Location>(), Err(LocationError::Digest));
        for text in ["./layout", "../a.tar", "/srv/layout:tag", "~/a.tar"] {
            assert_eq!(text.parse::<Location>(), Err(LocationError::Path), "{text}");
        }
        let error = "containers-storage:alpine".parse::<Location>().unwrap_err();
        assert!(error.hint().unwrap().contains("podman save"), "{error}");
    }
}
