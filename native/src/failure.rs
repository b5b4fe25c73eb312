//! An error at the edge: what to say, what to advise, and with which status to leave.

use std::io;
use std::process::ExitCode;

use shingle::cat::CatError;
use shingle::config::ConfigError;
use shingle::contents::{ContentsError, ExportError};
use shingle::plan::PlanError;
use shingle::pull::PullError;
use shingle::registry::{ClientError, RegistryError};
use shingle::store::StoreError;
use shingle::transfer::ConvertError;
use shingle::transport::TransferError;
use shingle::unpack::UnpackError;
use shingle::web::WebError;

use crate::printer::Unwritten;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    error: anyhow::Error,
    hint: Option<String>,
    refused: bool,
}

impl Failure {
    pub(crate) fn new(error: impl Into<anyhow::Error>) -> Self {
        Self { error: error.into(), hint: None, refused: false }
    }

    /// What a check refused: the command leaves with status 1.
    pub(crate) fn refusal(error: impl Into<anyhow::Error>) -> Self {
        Self { refused: true, ..Self::new(error) }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Says what was tried, above what went wrong.
    pub(crate) fn while_trying(self, what: impl std::fmt::Display + Send + Sync + 'static) -> Self {
        Self { error: self.error.context(what), ..self }
    }

    /// Returns what went wrong, then its causes; a cause that its effect already quotes is left out.
    pub(crate) fn chain(&self) -> Vec<String> {
        let mut chain: Vec<String> = Vec::new();
        for cause in self.error.chain() {
            let text = cause.to_string();
            if !chain.last().is_some_and(|effect| effect.contains(&text)) {
                chain.push(text);
            }
        }
        chain
    }

    pub(crate) fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether whoever reads our stdout has read enough.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.error
            .downcast_ref()
            .is_some_and(|Unwritten { source }| source.kind() == io::ErrorKind::BrokenPipe)
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.refused { ExitCode::from(1) } else { ExitCode::from(2) }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(error)
    }
}

impl From<Unwritten> for Failure {
    fn from(error: Unwritten) -> Self {
        Self::new(error)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::new(error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self { hint: Some(error.hint().to_owned()), refused: false, error: error.into() }
    }
}

impl From<CatError> for Failure {
    fn from(error: CatError) -> Self {
        Self { hint: error.hint(), refused: error.is_refusal(), error: error.into() }
    }
}

impl From<ContentsError> for Failure {
    fn from(error: ContentsError) -> Self {
        Self { hint: error.hint(), refused: error.is_refusal(), error: error.into() }
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        let (hint, refused) = (error.hint(), error.is_refusal());
        match error {
            // Whoever reads our stdout may have read enough.
            ExportError::Write(source) => Unwritten { source }.into(),
            error => Self { hint, refused, error: error.into() },
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self { hint: error.hint(), refused: error.is_refusal(), error: error.into() }
    }
}

impl From<PullError> for Failure {
    fn from(error: PullError) -> Self {
        Self { hint: error.hint(), refused: error.is_refusal(), error: error.into() }
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        Self { hint: error.hint().map(str::to_owned), refused: error.is_refusal(), error: error.into() }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self { hint: error.hint().map(str::to_owned), refused: false, error: error.into() }
    }
}

impl From<ConvertError> for Failure {
    fn from(error: ConvertError) -> Self {
        Self { hint: error.hint(), refused: error.is_refusal(), error: error.into() }
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        Self { hint: error.hint(), refused: error.is_refusal(), error: error.into() }
    }
}

impl From<UnpackError> for Failure {
    fn from(error: UnpackError) -> Self {
        Self { hint: error.hint().map(str::to_owned), refused: false, error: error.into() }
    }
}

impl From<WebError> for Failure {
    fn from(error: WebError) -> Self {
        Self { hint: error.hint().map(str::to_owned), refused: false, error: error.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let error =
            anyhow::anyhow!("disk full").context("cannot write a: disk full").context("cannot pull b");
        assert_eq!(Failure::new(error).chain(), ["cannot pull b", "cannot write a: disk full"]);
    }

    #[test]
    fn only_stdouts_pipe_counts() {
        let pipe = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(Failure::from(Unwritten { source: pipe() }).is_broken_pipe());
        assert!(!Failure::new(pipe()).is_broken_pipe());
    }
}
