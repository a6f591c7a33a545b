//! A report of a table: `cargo run --release -p potluck-analysis --example analyze -- FILE FOLDER [zh]`.

use std::{path::PathBuf, sync::Mutex, time::Instant};

use potluck_analysis::{
    AnalysisError, Lang, Stage, Watch,
    job::{self, Options},
    read::Source,
};

/// Prints when each stage begins.
struct Clock(Instant, Mutex<Option<Stage>>);

impl Watch for Clock {
    fn stage(&self, stage: Stage, _: f32) {
        if let Ok(mut last) = self.1.lock()
            && last.replace(stage) != Some(stage)
        {
            eprintln!("{:6} ms  {stage:?}", self.0.elapsed().as_millis());
        }
    }

    fn cancelled(&self) -> bool {
        false
    }
}

fn main() -> Result<(), AnalysisError> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(folder)) = (args.next(), args.next()) else {
        eprintln!("usage: analyze FILE FOLDER [zh]");
        return Ok(());
    };
    let lang = args.next().map(|text| Lang::of_locale(&text)).unwrap_or_default();
    let options = Options { lang, ..Options::default() };
    let clock = Clock(Instant::now(), Mutex::new(None));
    let analysis = job::analyze(Source::File(file.into()), &options, &clock)?;
    eprintln!("{:6} ms  done", clock.0.elapsed().as_millis());
    analysis.write(&PathBuf::from(folder))?;
    for alert in &analysis.numbers.alerts {
        println!("{}", alert.detail);
    }
    Ok(())
}
