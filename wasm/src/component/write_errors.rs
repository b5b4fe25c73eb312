//! What of `errors` only the writer has.

use shingle_core::tar::Oddity;
use shingle_core::writer::{Unchunkable, WriteError};

use super::bindings::{errors as wit, tar_errors};
use super::errors::{chain, error};
use super::tar_errors::tar;
use super::types::name;

impl From<WriteError> for wit::Error {
    fn from(from: WriteError) -> Self {
        let message = match &from {
            WriteError::Tar(from) => chain(from),
            from => chain(from),
        };
        let cause = match from {
            WriteError::Order { expected, actual } => {
                Some(wit::WriteError::Order(wit::BatchOrder { expected, actual }))
            }
            WriteError::Tar(from) => tar(from).map(wit::WriteError::Tar),
            _ => None,
        };
        error(message, false, cause.map(wit::Cause::Write))
    }
}

impl From<Unchunkable> for wit::Unchunkable {
    fn from(from: Unchunkable) -> Self {
        use wit::UnchunkableCause as Cause;

        let message = match &from {
            Unchunkable::Tar(from) => chain(from),
            from => chain(from),
        };
        let cause = match from {
            Unchunkable::CutEnd => Some(Cause::CutEnd),
            Unchunkable::Duplicate { name: of } => Some(Cause::Duplicate(name(&of))),
            Unchunkable::Link { name: of, link } => {
                Some(Cause::Link(wit::BadLink { name: name(&of), link: name(&link) }))
            }
            Unchunkable::Nameless => Some(Cause::Nameless),
            Unchunkable::Odd { name: of, oddity: odd } => {
                oddity(odd).map(|oddity| Cause::Odd(wit::OddMember { name: name(&of), oddity }))
            }
            Unchunkable::Tar(from) => tar(from).map(Cause::Tar),
            Unchunkable::Text { name: of, what } => {
                Some(Cause::Text(wit::NotText { name: name(&of), what: what.into() }))
            }
            Unchunkable::Time { name: of } => Some(Cause::Time(name(&of))),
            Unchunkable::TooLarge { what, limit, unit } => {
                Some(Cause::TooLarge(wit::TooMuch { what: what.into(), limit, unit: unit.into() }))
            }
            Unchunkable::Trailing { offset } => Some(Cause::Trailing(offset)),
            _ => None,
        };
        Self { message, cause: cause.unwrap_or(Cause::Other) }
    }
}

const fn oddity(oddity: Oddity) -> Option<tar_errors::Oddity> {
    Some(match oddity {
        Oddity::ClaimedSize => tar_errors::Oddity::ClaimedSize,
        Oddity::Device => tar_errors::Oddity::Device,
        Oddity::GlobalHeader => tar_errors::Oddity::GlobalHeader,
        Oddity::Link => tar_errors::Oddity::Link,
        Oddity::Number => tar_errors::Oddity::Number,
        Oddity::PaxText => tar_errors::Oddity::PaxText,
        Oddity::SlashedFile => tar_errors::Oddity::SlashedFile,
        Oddity::Sparse => tar_errors::Oddity::Sparse,
        Oddity::Type { flag } => tar_errors::Oddity::Type(flag),
        _ => return None,
    })
}
