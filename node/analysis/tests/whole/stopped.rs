//! Analyses that nobody waits for any more.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use potluck_analysis::job::{self, Options};
use potluck_analysis::read::Source;
use potluck_analysis::{AnalysisError, Stage, Watch};

/// Cancels as soon as this stage begins.
struct Until {
    stage: Stage,
    reached: AtomicBool,
}

impl Watch for Until {
    fn stage(&self, stage: Stage, done: f32) {
        assert!((0.0..=1.0).contains(&done), "{stage:?}: {done}");
        self.reached.fetch_or(stage == self.stage, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }
}

#[test]
fn an_analysis_can_be_cancelled_in_every_stage() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/seattle-weather.csv");
    for stage in [Stage::Reading, Stage::Counting, Stage::Drawing, Stage::Writing] {
        let until = Until { stage, reached: AtomicBool::new(false) };
        let done = job::analyze(Source::File(file.clone()), &Options::default(), &until);
        assert!(matches!(done, Err(AnalysisError::Cancelled)), "{stage:?}");
        assert!(until.cancelled());
    }
}
