//! How the person who waits looks into a running analysis, and stops it.

use crate::AnalysisError;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The file is read and its columns are typed.
    Reading,
    /// Numbers are computed.
    Counting,
    /// Charts and the word cloud are drawn.
    Drawing,
    /// The report is written.
    Writing,
}

/// Looks into an analysis from another thread. Called often, so it must be quick.
pub trait Watch: Sync {
    /// `done` is the part of the stage that is done, 0 to 1.
    fn stage(&self, stage: Stage, done: f32);

    /// Whether nobody waits for the result any more.
    fn cancelled(&self) -> bool;

    /// [`AnalysisError::Cancelled`] when nobody waits any more.
    fn check(&self) -> Result<(), AnalysisError> {
        if self.cancelled() { Err(AnalysisError::Cancelled) } else { Ok(()) }
    }
}

/// Nobody watches, nobody cancels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn stage(&self, _: Stage, _: f32) {}

    fn cancelled(&self) -> bool {
        false
    }
}
