//! The npm package.

use crate::Zstd;
use crate::cargo::Workspace;
use crate::sizes::Artefact;

/// Builds the npm package into `npm/` of the results.
pub(crate) fn build(_workspace: &Workspace, _zstd: Zstd) -> anyhow::Result<Vec<Artefact>> {
    anyhow::bail!("the npm package is not built yet; `--only component` builds the rest")
}
