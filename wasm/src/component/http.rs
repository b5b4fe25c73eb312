//! `http`: what a registry's answers mean.

use shingle_core::http::{RangeHeader, Reply, Verdict, accept, accept_whole};

use super::Component;
use super::bindings::{http as wit, types};
use super::errors::refusal;
use super::types::range;

impl wit::Guest for Component {
    fn range_header(range: types::Range) -> String {
        RangeHeader(range.into()).to_string()
    }

    fn accept(reply: wit::Reply, asked: types::Range, size: Option<u64>) -> wit::Verdict {
        accept(&read(&reply), &asked.into(), size).into()
    }

    fn accept_whole(reply: wit::Reply, size: Option<u64>) -> wit::Verdict {
        accept_whole(&read(&reply), size).into()
    }
}

fn read(reply: &wit::Reply) -> Reply<'_> {
    Reply {
        status: reply.status,
        content_range: reply.content_range.as_deref(),
        content_length: reply.content_length,
        content_type: reply.content_type.as_deref(),
        content_encoding: reply.content_encoding.as_deref(),
    }
}

impl From<Verdict> for wit::Verdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Part { sent } => Self::Part(range(sent)),
            Verdict::Refused(why) => {
                let (message, leaves_whole) = (why.to_string(), why.leaves_whole());
                Self::Refused(wit::Refused { refusal: refusal(why), message, leaves_whole })
            }
            Verdict::Whole => Self::Whole,
        }
    }
}
