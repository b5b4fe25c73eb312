//! What the page is told when it does not get what it asked for.

use std::error::Error;

use hyper::StatusCode;
use serde::Serialize;

use crate::contents::ContentsError;
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

    /// An image, or what leads to it, that cannot be had: this is a gateway, and what lies behind it failed.
    fn behind(error: &dyn Error, hint: Option<String>) -> Self {
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
        Self { status: StatusCode::BAD_GATEWAY, message, causes, hint }
    }
}

impl From<TransferError> for Fault {
    fn from(error: TransferError) -> Self {
        Self::behind(&error, error.hint())
    }
}

impl From<ContentsError> for Fault {
    fn from(error: ContentsError) -> Self {
        Self::behind(&error, error.hint())
    }
}
