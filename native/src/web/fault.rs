//! What the page is told when it does not get what it asked for.

use std::error::Error;

use hyper::StatusCode;
use serde::Serialize;

use crate::contents::{ContentsError, ExportError, LayerFault};
use crate::transport::TransferError;

/// An answer that is no result.
#[derive(Debug, Serialize)]
pub(super) struct Fault {
    #[serde(skip)]
    pub(super) status: StatusCode,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), causes: Vec::new(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// An answer to what cannot be understood.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// An answer to what nobody works on any more.
    pub(super) fn broken() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the request came to nothing")
    }

    /// An image, or what leads to it, that cannot be had.
    fn behind(error: &dyn Error, status: StatusCode, hint: Option<String>) -> Self {
        let mut causes: Vec<String> = Vec::new();
        let mut cause = error.source();
        let message = error.to_string();
        while let Some(error) = cause {
            let text = error.to_string();
            // What its effect already quotes is left out.
            if !causes.last().unwrap_or(&message).contains(&text) {
                causes.push(text);
            }
            cause = error.source();
        }
        Self { status, message, causes, hint }
    }
}

/// What is refused stays so, what is not there may come; else this is a gateway, and what lies behind it failed.
const fn status(refused: bool, gone: bool) -> StatusCode {
    match (refused, gone) {
        (true, _) => StatusCode::UNPROCESSABLE_ENTITY,
        (false, true) => StatusCode::NOT_FOUND,
        (false, false) => StatusCode::BAD_GATEWAY,
    }
}

fn is_gone(error: &TransferError) -> bool {
    match error {
        TransferError::Registry(error) => error.is_gone(),
        TransferError::Missing { .. } | TransferError::Name { .. } => true,
        _ => false,
    }
}

impl From<TransferError> for Fault {
    fn from(error: TransferError) -> Self {
        Self::behind(&error, status(error.is_refusal(), is_gone(&error)), error.hint())
    }
}

impl From<ContentsError> for Fault {
    fn from(error: ContentsError) -> Self {
        let gone = match &error {
            ContentsError::Layer { source, .. } => {
                matches!(&**source, LayerFault::Transfer(error) if is_gone(error))
            }
            ContentsError::Transfer { source, .. } | ContentsError::Stopped(source) => is_gone(source),
        };
        Self::behind(&error, status(error.is_refusal(), gone), error.hint())
    }
}

impl From<ExportError> for Fault {
    fn from(error: ExportError) -> Self {
        Self::behind(&error, status(error.is_refusal(), false), error.hint())
    }
}
