//! What to take from donors and what to fetch.

use shingle_core::{PlannedFile, Source};

use crate::component::bindings::{pull as wit, types};
use crate::component::pull::fetch::{Fetch, Ledger};
use crate::component::pull::toc::file;
use crate::component::types::{count, range};

/// The resource `plan`.
#[derive(Debug)]
pub(in crate::component) struct Plan(shingle_core::Plan);

impl Plan {
    pub(super) fn new(plan: shingle_core::Plan) -> wit::Plan {
        wit::Plan::new(Self(plan))
    }

    pub(super) const fn get(&self) -> &shingle_core::Plan {
        &self.0
    }
}

impl wit::GuestPlan for Plan {
    fn summary(&self) -> wit::Summary {
        let summary = self.0.summary();
        wit::Summary {
            files: summary.files,
            held: summary.held,
            twins: summary.twins,
            assembled: summary.assembled,
            fetched: summary.fetched,
            content_bytes: summary.content_bytes,
            reused_bytes: summary.reused_bytes,
            request_bytes: summary.request_bytes,
            bridged_bytes: summary.bridged_bytes,
            requests: summary.requests,
        }
    }

    fn requests(&self) -> Vec<types::Range> {
        self.0.requests().map(range).collect()
    }

    fn files(&self, first: u32, count_: u32) -> Vec<wit::PlannedFile> {
        self.0.files().iter().skip(count(first)).take(count(count_)).map(planned).collect()
    }

    fn start(&self) -> (wit::Ledger, Vec<wit::Fetch>) {
        let (ledger, fetches) = self.0.start();
        (Ledger::new(ledger), fetches.map(Fetch::new).collect())
    }
}

fn planned(planned: &PlannedFile) -> wit::PlannedFile {
    let source = match &planned.source {
        Source::Assembled { donated, fetched } => wit::Source::Assembled(wit::Assembled {
            donated: donated.iter().map(donated_piece).collect(),
            fetched: *fetched,
        }),
        Source::Held { digest, same_class } => {
            wit::Source::Held(wit::Held { digest: digest.to_string(), same_class: *same_class })
        }
        Source::Twin { of, same_class } => {
            wit::Source::Twin(wit::Twin { of: file(*of), same_class: *same_class })
        }
    };
    wit::PlannedFile { file: file(planned.file), source }
}

fn donated_piece(donated: &shingle_core::Donated) -> wit::Donated {
    wit::Donated {
        offset: donated.offset,
        object: donated.chunk.object.to_string(),
        object_offset: donated.chunk.offset,
        len: donated.chunk.len,
        digest: donated.digest.to_string(),
    }
}
