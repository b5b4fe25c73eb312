//! `errors`: every error of the core as the one record that all interfaces return.

use std::error::Error;

use shingle_core::http::Refusal;
use shingle_core::{
    DiffIdError, DigestError, FetchError, LocateError, OpenError, Reason, TocError, Unfinished, UnwrapError,
    WholeError,
};

use super::bindings::errors as wit;
use super::tar_errors::{over, tar};
use super::toc_errors::{bad_tar_split, digests, disagreement, locate, toc};
use super::types::{index, name, range, wide};

/// Makes an error of a text, a judgement and what the WIT has for it, if it has anything.
pub(super) fn error(message: String, lie: bool, cause: Option<wit::Cause>) -> wit::Error {
    wit::Error { message, lie, cause: cause.unwrap_or(wit::Cause::Other) }
}

/// Writes an error with what caused it.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// A class that the host gives and that is none.
pub(super) fn not_a_class(text: &str) -> wit::Error {
    let text: String = text.chars().take(100).collect();
    let message = format!("{text:?} is not a class: 32 hexadecimal digits");
    error(message, false, Some(wit::Cause::Class(text)))
}

impl From<DigestError> for wit::Error {
    fn from(from: DigestError) -> Self {
        let message = chain(&from);
        let cause = match from {
            DigestError::Algorithm { algorithm } => Some(wit::DigestError::Algorithm(algorithm)),
            DigestError::Malformed { text } => Some(wit::DigestError::Malformed(text)),
            _ => None,
        };
        error(message, false, cause.map(wit::Cause::Digest))
    }
}

impl From<LocateError> for wit::Error {
    fn from(from: LocateError) -> Self {
        error(chain(&from), false, locate(from).map(wit::Cause::Locate))
    }
}

impl From<TocError> for wit::Error {
    fn from(from: TocError) -> Self {
        error(chain(&from), from.is_lie(), toc(from).map(wit::Cause::Toc))
    }
}

impl From<OpenError> for wit::Error {
    fn from(from: OpenError) -> Self {
        let message = chain(&from);
        let cause = match from {
            OpenError::Disagreement(from) => disagreement(from).map(wit::Cause::Disagreement),
            OpenError::TarSplit(from) => bad_tar_split(from).map(wit::Cause::TarSplit),
            OpenError::Toc(from) => toc(from).map(wit::Cause::Toc),
        };
        error(message, true, cause)
    }
}

impl From<FetchError> for wit::Error {
    fn from(from: FetchError) -> Self {
        let (message, lie) = (chain(&from), from.is_lie());
        let cause = match from {
            FetchError::ChunkDigest { name: of, offset, len, expected, actual } => {
                let (name, expected, actual) = (name(&of), expected.to_string(), actual.to_string());
                Some(wit::FetchError::ChunkDigest(wit::ChunkDigest { name, offset, len, expected, actual }))
            }
            FetchError::Short { name: of, frames, expected, actual } => {
                let (name, frames) = (name(&of), range(frames));
                Some(wit::FetchError::Short(wit::ShortFrames { name, frames, expected, actual }))
            }
            FetchError::Truncated { at, missing } => {
                Some(wit::FetchError::Truncated(wit::BodyCut { at, missing }))
            }
            FetchError::Undecodable { name: of, at, frames, message } => {
                let (name, frames) = (name(&of), range(frames));
                Some(wit::FetchError::Undecodable(wit::Undecodable { name, at, frames, message }))
            }
            _ => None,
        };
        error(message, lie, cause.map(wit::Cause::Fetch))
    }
}

impl From<Unfinished> for wit::Error {
    fn from(from: Unfinished) -> Self {
        let unfinished = wit::Unfinished { missing: wide(from.missing), requests: wide(from.requests) };
        error(chain(&from), false, Some(wit::Cause::Unfinished(unfinished)))
    }
}

impl From<DiffIdError> for wit::Error {
    fn from(from: DiffIdError) -> Self {
        let (message, lie) = (chain(&from), from.is_lie());
        let cause = match from {
            DiffIdError::Content { file, name: of, expected, actual } => {
                Some(wit::LayerError::Content(wit::OtherContent {
                    file: index(file.index()),
                    name: name(&of),
                    expected: expected.to_string(),
                    actual: actual.to_string(),
                }))
            }
            DiffIdError::Length { name: of, difference, more } => {
                Some(wit::LayerError::Length(wit::OtherLength { name: name(&of), difference, more }))
            }
            DiffIdError::OtherPlan => Some(wit::LayerError::OtherPlan),
            DiffIdError::Mismatch { expected, actual } => {
                Some(wit::LayerError::Mismatch(digests(expected, actual)))
            }
            _ => None,
        };
        error(message, lie, cause.map(wit::Cause::Layer))
    }
}

impl From<UnwrapError> for wit::Error {
    fn from(from: UnwrapError) -> Self {
        let (message, lie) = (chain(&from), from.is_lie());
        let undecoded = |at, message| wit::Undecoded { at, message };
        let cause = match from {
            UnwrapError::Digest { expected, actual, len } => {
                let (expected, actual) = (expected.to_string(), actual.to_string());
                Some(wit::UnwrapError::Digest(wit::OtherBlob { expected, actual, len }))
            }
            UnwrapError::Gzip { at, message } => Some(wit::UnwrapError::Gzip(undecoded(at, message))),
            UnwrapError::Truncated { len } => Some(wit::UnwrapError::Truncated(len)),
            UnwrapError::Unsupported { what } => Some(wit::UnwrapError::Unsupported(what.into())),
            UnwrapError::Zstd { at, message } => Some(wit::UnwrapError::Zstd(undecoded(at, message))),
            _ => None,
        };
        error(message, lie, cause.map(wit::Cause::Unwrap))
    }
}

impl From<WholeError> for wit::Error {
    fn from(from: WholeError) -> Self {
        let lie = from.is_lie();
        let message = match &from {
            WholeError::Tar(from) => chain(from),
            from => chain(from),
        };
        let cause = match from {
            WholeError::DiffId { expected, actual } => {
                Some(wit::WholeError::DiffId(digests(expected, actual)))
            }
            WholeError::Tar(from) => tar(from).map(wit::WholeError::Tar),
            WholeError::TooLarge { len, limit } => Some(wit::WholeError::TooLarge(over("layer", len, limit))),
            _ => None,
        };
        error(message, lie, cause.map(wit::Cause::Whole))
    }
}

impl From<Reason> for wit::Reason {
    fn from(from: Reason) -> Self {
        let message = chain(&from);
        let cause = match from {
            Reason::Disagreement(from) => disagreement(from).map(wit::ReasonCause::Disagreement),
            Reason::ExternalToc { image, problem } => {
                let problem = problem.into();
                Some(wit::ReasonCause::ExternalToc(wit::ExternalProblem { image, problem }))
            }
            Reason::Locate(from) => locate(from).map(wit::ReasonCause::Locate),
            Reason::NoRanges => Some(wit::ReasonCause::NoRanges),
            Reason::NoTarSplit => Some(wit::ReasonCause::NoTarSplit),
            Reason::NoToc { media_type } => Some(wit::ReasonCause::NoToc(media_type)),
            Reason::TarSplit(from) => bad_tar_split(from).map(wit::ReasonCause::TarSplit),
            Reason::Toc(from) => toc(from).map(wit::ReasonCause::Toc),
            Reason::Unvouched => Some(wit::ReasonCause::Unvouched),
            _ => None,
        };
        Self { message, cause: cause.unwrap_or(wit::ReasonCause::Other) }
    }
}

pub(super) fn refusal(from: Refusal) -> wit::Refusal {
    match from {
        Refusal::BlobSize { stated, actual } => wit::Refusal::BlobSize(wit::BlobSize { stated, actual }),
        Refusal::Encoded { encoding } => wit::Refusal::Encoded(encoding),
        Refusal::Gone { status } => wit::Refusal::Gone(status),
        Refusal::LengthDisagrees { body, range } => {
            wit::Refusal::LengthDisagrees(wit::BodyLength { body, range })
        }
        Refusal::Multipart => wit::Refusal::Multipart,
        Refusal::OtherRange { sent, asked } => {
            wit::Refusal::OtherRange(wit::OtherRange { sent: range(sent), asked: range(asked) })
        }
        Refusal::RangesUnsupported { status } => wit::Refusal::RangesUnsupported(status),
        Refusal::Reauthenticate { status } => wit::Refusal::Reauthenticate(status),
        Refusal::Refused { status } => wit::Refusal::Refused(status),
        Refusal::RetryLater { status } => wit::Refusal::RetryLater(status),
        Refusal::Unreadable { text } => wit::Refusal::Unreadable(text),
        _ => wit::Refusal::Other,
    }
}
