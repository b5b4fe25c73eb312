//! Which files of a layer are complete: what the fetching threads tell and the proving thread waits for.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use shingle_core::{FileId, Plan, Source};

/// Counts the pieces that each file still lacks.
#[derive(Debug)]
pub(super) struct Files {
    /// By entry: pieces to come. 0 for everything that is no file with content.
    missing: Vec<AtomicU32>,
    /// By entry: whether there was more than one piece to come, so that several threads may write the file.
    shared: Vec<bool>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// By entry.
    ready: Vec<bool>,
    /// The file that the proof thread sleeps for, so that only that one wakes it.
    awaited: Option<FileId>,
    stopped: bool,
    all_came: bool,
}

/// The work on a layer was given up.
#[derive(Clone, Copy, Debug)]
pub(super) struct GivenUp;

impl Files {
    /// Expects what a plan brings: each chunk that is fetched is one piece; what donors and holes give, one more.
    pub(super) fn new(plan: &Plan) -> Self {
        let entries = plan.toc().entries().len();
        let missing: Vec<_> = std::iter::repeat_with(|| AtomicU32::new(0)).take(entries).collect();
        let count = |file: FileId| {
            if let Some(missing) = missing.get(file.index()) {
                missing.fetch_add(1, Ordering::Relaxed);
            }
        };
        plan.arrivals().for_each(count);
        for planned in plan.files() {
            match &planned.source {
                Source::Assembled { donated, fetched: true } if donated.is_empty() => {}
                Source::Assembled { .. } | Source::Held { .. } => count(planned.file),
                // Made last, of a file that is complete: nobody waits for it.
                Source::Twin { .. } => {}
            }
        }
        let shared = missing.iter().map(|missing| missing.load(Ordering::Relaxed) > 1).collect();
        let state =
            Mutex::new(State { ready: vec![false; entries], awaited: None, stopped: false, all_came: false });
        Self { missing, shared, state, changed: Condvar::new() }
    }

    /// Whether several threads may write a file.
    pub(super) fn is_shared(&self, file: FileId) -> bool {
        self.shared.get(file.index()).copied().unwrap_or(true)
    }

    /// Takes note of a piece; `true` when it was the last: the caller completes the file.
    pub(super) fn arrived(&self, file: FileId) -> bool {
        self.missing.get(file.index()).is_some_and(|missing| missing.fetch_sub(1, Ordering::AcqRel) == 1)
    }

    /// The file is complete: its content can be read.
    pub(super) fn ready(&self, file: FileId) {
        let mut state = self.lock();
        if let Some(ready) = state.ready.get_mut(file.index()) {
            *ready = true;
        }
        let awaited = state.awaited == Some(file);
        drop(state);
        if awaited {
            self.changed.notify_all();
        }
    }

    /// Waits until a file is complete.
    pub(super) fn wait(&self, file: FileId) -> Result<(), GivenUp> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Err(GivenUp);
            }
            if state.ready.get(file.index()).copied().unwrap_or(true) {
                state.awaited = None;
                return Ok(());
            }
            if state.all_came {
                return Err(GivenUp);
            }
            state.awaited = Some(file);
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nobody brings anything any more: what is not complete by now never will be.
    pub(super) fn all_came(&self) {
        self.lock().all_came = true;
        self.changed.notify_all();
    }

    /// Gives up: nobody waits any more.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
