//! The ways in which the registry can be told to misbehave; each was seen on a real one.
//!
//! Tests write `Faults { …, ..Faults::default() }`, and new faults come with new versions: what is in here is for tests,
//! and the promise of the other modules, that a minor version breaks nothing, does not hold for matching on it.

#![expect(clippy::exhaustive_enums, clippy::exhaustive_structs, reason = "what tests write in full")]

use bytes::Bytes;
use shingle_core::Digest;

/// How to misbehave; the default is not to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// What to do with a range of a blob.
    pub ranges: RangeFault,
    /// Refuses the first requests for manifests and blobs.
    pub refuse: Option<Refuse>,
    /// Breaks the connection within blob bodies.
    pub cut: Option<Cut>,
    /// Says nothing more within blob bodies, but keeps the connection.
    pub stall: Option<Cut>,
    /// Sends readers of blobs elsewhere.
    pub redirect: Option<Redirect>,
    /// Asks for credentials.
    pub auth: Option<Auth>,
    /// Answers this in place of any manifest.
    pub manifest: Option<Bytes>,
    /// Sends this as every manifest's `Docker-Content-Digest`.
    pub digest_header: Option<Digest>,
    /// Changes one bit of this blob's byte at this offset.
    pub flip: Option<(Digest, u64)>,
    /// Claims this length in every `Content-Range`.
    pub total: Option<u64>,
    /// What to do with uploads.
    pub uploads: UploadFaults,
}

/// What to do with uploads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadFaults {
    /// Says where an upload goes on with scheme and host.
    pub absolute: bool,
    /// Keeps so much of a piece and breaks the connection.
    pub cut: Option<Cut>,
    /// Sends uploads to this address of another registry, `HOST:PORT`, and says so with scheme and host.
    pub elsewhere: Option<String>,
    /// Forgets the upload when a piece comes, so often.
    pub forget: u32,
    /// Keeps only the first half of a piece, and says so, so often.
    pub lag: u32,
    /// Takes a piece, and at the next one has only half of what it had, so often.
    pub lapse: u32,
    /// Wants pieces of at least this length.
    pub least_piece: Option<u64>,
    /// Takes no piece longer than this.
    pub limit: Option<u64>,
    /// Finishes an upload and breaks the connection, so often.
    pub lose_answers: u32,
    /// Takes no pieces at all.
    pub no_pieces: bool,
    /// Takes nothing from other repositories.
    pub refuse_mounts: bool,
    /// Finds another digest in the end, so often.
    pub spoil: u32,
}

/// What to do with a range of a blob.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RangeFault {
    /// Starts this many bytes too early, and says so.
    Before(u64),
    /// Sends the range that begins where the one asked for ends, and says so.
    Elsewhere,
    /// Nothing wrong.
    #[default]
    Honest,
    /// Answers 200 with the whole blob.
    Ignored,
    /// Answers 200 with the range and a `Content-Range`, as Dragonfly did.
    Mislabelled,
    /// Answers with a body of several parts.
    Multipart,
    /// Sends only so many bytes, and says so.
    Short(u64),
    /// Answers this status.
    Status(u16),
    /// Leaves the `Content-Range` out.
    Unlabelled,
}

/// A refusal of the first requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refuse {
    /// The status to answer.
    pub status: u16,
    /// How often.
    pub times: u32,
    /// The `Retry-After` header to send.
    pub retry_after: Option<String>,
}

/// A trouble within bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// After how many bytes of the body.
    pub after: u64,
    /// In how many bodies.
    pub times: u32,
}

/// Where blobs really lie: a store that refuses requests with an `Authorization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// How many requests a signed location is good for.
    pub uses: u32,
    /// How many redirects lead there.
    pub hops: u32,
}

/// What to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// A name and a password, which nobody has.
    Basic,
    /// A token that anyone may fetch, good for so many requests.
    Bearer {
        /// How many.
        uses: u32,
    },
    /// A token that the token server gives to nobody.
    Denied,
}
