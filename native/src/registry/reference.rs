//! The name of an image in a registry.

use std::fmt;
use std::str::FromStr;

use shingle_core::{Digest, DigestError};

const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_API: &str = "registry-1.docker.io";
const LONGEST_NAME: usize = 255;

/// An image in a registry: `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`, filled up as `podman` and `skopeo` do.
///
/// `alpine` is `docker.io/library/alpine:latest`. With a digest the tag is only a remark: the digest decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    host: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Returns the same repository's image with this digest, without a tag.
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// Returns the same repository's image with this tag, without a digest; `None` when it can be no tag.
    pub fn with_tag(&self, tag: &str) -> Option<Self> {
        is_tag(tag).then(|| Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }

    /// Returns the registry's name, with its port if one is written: `docker.io`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the host that answers for the registry: `registry-1.docker.io` for `docker.io`.
    pub fn api_host(&self) -> &str {
        if self.host == DOCKER_HUB { DOCKER_HUB_API } else { &self.host }
    }

    /// Returns the repository: `library/alpine`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the tag: `latest` where neither a tag nor a digest is written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest, if one is written.
    pub const fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Returns what the registry knows the manifest by: the digest, else the tag.
    pub fn manifest(&self) -> String {
        match (self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    /// Reads a reference, with or without `docker://` before it.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        parse(text).map_err(|fault| ReferenceError { text: text.chars().take(300).collect(), fault })
    }
}

fn parse(text: &str) -> Result<Reference, ReferenceFault> {
    let text = text.strip_prefix("docker://").unwrap_or(text);
    if let Some((scheme, _)) = text.split_once("://") {
        return Err(ReferenceFault::Scheme { scheme: scheme.chars().take(40).collect() });
    }
    let (text, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest.parse()?)),
        None => (text, None),
    };
    // A colon before a slash belongs to the host's port.
    let (name, tag) = match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (text, None),
    };
    if name.is_empty() {
        return Err(ReferenceFault::Empty);
    }
    if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
        return Err(ReferenceFault::Tag { tag: tag.chars().take(140).collect() });
    }
    if name.len() == 64 && Digest::from_hex(name).is_some() {
        return Err(ReferenceFault::BareDigest);
    }
    let (host, path) = match name.split_once('/') {
        Some((first, rest)) if names_a_host(first) => (first, rest),
        _ => (DOCKER_HUB, name),
    };
    if !is_host(host) {
        return Err(ReferenceFault::Host { host: host.to_owned() });
    }
    let host = if host == "index.docker.io" { DOCKER_HUB } else { host };
    let repository =
        if host == DOCKER_HUB && !path.contains('/') { format!("library/{path}") } else { path.to_owned() };
    if path.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(ReferenceFault::UpperCase { repository: path.to_owned() });
    }
    if !repository.split('/').all(is_component) {
        return Err(ReferenceFault::Repository { repository: path.to_owned() });
    }
    let length = host.len() + 1 + repository.len();
    if length > LONGEST_NAME {
        return Err(ReferenceFault::TooLong { length });
    }
    let latest = (tag.is_none() && digest.is_none()).then_some("latest");
    Ok(Reference { host: host.to_owned(), repository, tag: tag.or(latest).map(str::to_owned), digest })
}

/// Whether the first of several components is a host: the rule of distribution/reference `splitDockerDomain`.
fn names_a_host(first: &str) -> bool {
    first.contains(['.', ':', '[']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("v6", if rest.is_empty() { None } else { Some(rest.strip_prefix(':').unwrap_or("")) })
        }
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    name.split('.').all(is_label) && port.is_none_or(is_port)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, as the distribution specification has it.
fn is_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut separator = String::new();
    let mut seen = false;
    for c in text.chars() {
        if u8::try_from(c).is_ok_and(alphanumeric) {
            let fine = separator.is_empty()
                || seen && (matches!(&*separator, "." | "_" | "__") || separator.bytes().all(|b| b == b'-'));
            if !fine {
                return false;
            }
            separator.clear();
            seen = true;
        } else {
            separator.push(c);
        }
    }
    seen && separator.is_empty()
}

/// `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`.
fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&text.len())
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

/// A text that names no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an image reference: {fault}")]
#[non_exhaustive]
pub struct ReferenceError {
    /// The text, cut to 300 characters.
    pub text: String,
    /// What is wrong with it.
    pub fault: ReferenceFault,
}

impl ReferenceError {
    /// Returns advice on what to write instead, if there is any.
    pub const fn hint(&self) -> Option<&'static str> {
        match self.fault {
            ReferenceFault::BareDigest => Some("write the repository before it: HOST/REPOSITORY@sha256:…"),
            ReferenceFault::Empty => {
                Some("write HOST/REPOSITORY:TAG, for example quay.io/fedora/fedora:latest")
            }
            ReferenceFault::Scheme { .. } => Some("leave the scheme out, or write docker://"),
            ReferenceFault::UpperCase { .. } => Some("write the repository in lower case"),
            ReferenceFault::Digest(_)
            | ReferenceFault::Host { .. }
            | ReferenceFault::Repository { .. }
            | ReferenceFault::Tag { .. }
            | ReferenceFault::TooLong { .. } => None,
        }
    }
}

/// What is wrong with a reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceFault {
    /// 64 hexadecimal digits alone look like an image's id.
    #[error("a digest alone does not say where the image is")]
    BareDigest,
    /// The part after `@`.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// No name at all.
    #[error("there is no repository in it")]
    Empty,
    /// The part before the first slash.
    #[error("{host:?} is not a host name")]
    Host {
        /// The host as written.
        host: String,
    },
    /// The path after the host.
    #[error("{repository:?} is not a repository name")]
    Repository {
        /// The repository as written.
        repository: String,
    },
    /// Something other than `docker://`.
    #[error("{scheme}:// is not a kind of source that Shingle reads")]
    Scheme {
        /// What is written before `://`.
        scheme: String,
    },
    /// The part after the last colon.
    #[error("{tag:?} is not a tag")]
    Tag {
        /// The tag as written.
        tag: String,
    },
    /// More than 255 characters of host and repository.
    #[error("host and repository have {length} characters, at most 255 are allowed")]
    TooLong {
        /// The length.
        length: usize,
    },
    /// Capitals are allowed in hosts and tags only.
    #[error("repository name {repository:?} must be lower case")]
    UpperCase {
        /// The repository as written.
        repository: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_up_and_reads_what_it_writes() {
        let d = Digest::EMPTY;
        let table = [
            ("alpine", "docker.io/library/alpine:latest".to_owned()),
            ("docker://alpine:3", "docker.io/library/alpine:3".to_owned()),
            ("docker.io/alpine", "docker.io/library/alpine:latest".to_owned()),
            ("index.docker.io/me/x", "docker.io/me/x:latest".to_owned()),
            ("me/x", "docker.io/me/x:latest".to_owned()),
            ("quay.io/a/b/c:T_1.x-y", "quay.io/a/b/c:T_1.x-y".to_owned()),
            ("localhost/x", "localhost/x:latest".to_owned()),
            ("localhost:5000/x", "localhost:5000/x:latest".to_owned()),
            ("localhost:5000", "docker.io/library/localhost:5000".to_owned()),
            ("127.0.0.1:5000/x:y", "127.0.0.1:5000/x:y".to_owned()),
            ("[::1]:5000/x", "[::1]:5000/x:latest".to_owned()),
            ("[::1]/x", "[::1]/x:latest".to_owned()),
            ("Host/x", "Host/x:latest".to_owned()),
            ("a__b/c-d.e---f", "docker.io/a__b/c-d.e---f:latest".to_owned()),
            (&format!("quay.io/x@{d}"), format!("quay.io/x@{d}")),
            (&format!("quay.io/x:t@{d}"), format!("quay.io/x:t@{d}")),
        ];
        for (text, expected) in table {
            let reference: Reference = text.parse().unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(reference.to_string(), expected, "{text}");
            assert_eq!(expected.parse(), Ok(reference));
        }
        let hub: Reference = "alpine".parse().unwrap();
        assert_eq!((hub.host(), hub.api_host()), ("docker.io", "registry-1.docker.io"));
        assert_eq!(hub.manifest(), "latest");
        assert_eq!(hub.with_digest(d).manifest(), d.to_string());
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        let long = format!("quay.io/{}", "a".repeat(250));
        let hex = Digest::EMPTY.to_hex();
        let table = [
            ("", "no repository"),
            (":tag", "no repository"),
            ("https://quay.io/x", "https:// is not"),
            ("Alpine", "must be lower case"),
            ("quay.io/Fedora/fedora", "must be lower case"),
            ("quay.io/a//b", "not a repository"),
            ("quay.io/", "not a repository"),
            ("a_-b", "not a repository"),
            ("-a", "not a repository"),
            ("a-", "not a repository"),
            ("a b", "not a repository"),
            ("é", "not a repository"),
            ("x:", "not a tag"),
            ("x:-t", "not a tag"),
            ("-x.y/z", "not a host"),
            ("h:99999/z", "not a host"),
            ("[::g]:1/z", "not a host"),
            ("[::1]x/z", "not a host"),
            ("x@sha512:00", "sha512"),
            ("x@", "not a digest"),
            (&long, "258 characters"),
            (&hex, "a digest alone"),
        ];
        for (text, reason) in table {
            let error = text.parse::<Reference>().expect_err(text);
            assert!(error.to_string().contains(reason), "{text}: {error}");
        }
    }
}
