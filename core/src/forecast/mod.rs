//! What pulls would do to machines that are only thought of: nothing is fetched, nothing is held.
//!
//! A [`Known`] is a layer whose contents are known and how a pull takes it. A [`Machine`] has what the pulls of some layers
//! leave behind, and [forecasts](Machine::forecast) what the next pull would cost: with the code that a pull decides with,
//! so the figures are those of `shingle plan`. A [`Strip`] shows one blob front to back, with what becomes of each of its
//! bytes. Known layers are exchanged as [lines](Known::to_line) of a text file, so that one machine can show what another
//! has read.
//!
//! # What a forecast cannot know
//!
//! Requests that a registry redirects or has repeated; files that one layer of the image takes from another whose pull was
//! over sooner; and which ways of sharing a file the machine's file system refuses.

mod figures;
mod known;
mod line;
mod machine;
mod strip;

pub use figures::{FileMethods, ImageForecast, LayerForecast, Mode, Total};
pub use known::{Known, KnownError, KnownLayer};
pub use machine::{ForecastError, Machine};
pub use strip::{Content, Layout, State, Stretch, Strip};

#[cfg(test)]
mod tests;
