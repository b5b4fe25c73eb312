//! Why an image cannot be compared.

use shingle_core::overlap::OverlapError;
use shingle_core::{TreeError, TreeProblem};

use super::super::bindings::{errors as wit, toc_errors as toc};
use super::super::errors::{chain, error};
use super::super::types::{kind, name, wide};

impl From<OverlapError> for wit::Error {
    fn from(from: OverlapError) -> Self {
        let message = chain(&from);
        let cause = match from {
            OverlapError::TooMany => Some(wit::OverlapError::TooMany),
            OverlapError::Tree { layer, error } => {
                tree(error).map(|error| wit::OverlapError::Tree(wit::BadLayer { layer: wide(layer), error }))
            }
            _ => None,
        };
        error(message, false, cause.map(wit::Cause::Overlap))
    }
}

fn tree(error: TreeError) -> Option<toc::TreeError> {
    let TreeError { entry, name: of, problem, .. } = error;
    let problem = match problem {
        TreeProblem::LinkTarget { target } => toc::TreeProblem::LinkTarget(name(&target)),
        TreeProblem::LinkToDirectory { target } => toc::TreeProblem::LinkToDirectory(name(&target)),
        TreeProblem::Device { major, minor } => toc::TreeProblem::Device((major, minor)),
        TreeProblem::LinkText { len } => toc::TreeProblem::LinkText(wide(len)),
        TreeProblem::Owner { uid, gid } => toc::TreeProblem::Owner((uid, gid)),
        TreeProblem::NoDirectory { component } => toc::TreeProblem::NoDirectory(name(&component)),
        TreeProblem::RootNoDirectory { kind: of } => toc::TreeProblem::RootNoDirectory(kind(of)),
        TreeProblem::TooDeep { limit } => toc::TreeProblem::TooDeep(wide(limit)),
        TreeProblem::TooMany { limit } => toc::TreeProblem::TooMany(wide(limit)),
        TreeProblem::TooManyLinks { component } => toc::TreeProblem::TooManyLinks(name(&component)),
        _ => return None,
    };
    Some(toc::TreeError { entry: wide(entry), name: name(&of), problem })
}
