//! A report of a table: `cargo run --release -p potluck-analysis --example analyze -- FILE FOLDER [zh]`.

use std::path::PathBuf;

use potluck_analysis::{
    AnalysisError, Unwatched,
    job::{self, Options},
    read::Source,
};

fn main() -> Result<(), AnalysisError> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(folder)) = (args.next(), args.next()) else {
        eprintln!("usage: analyze FILE FOLDER [zh]");
        return Ok(());
    };
    let lang = args.next().map(|text| text.parse()).transpose()?.unwrap_or_default();
    let options = Options { lang, ..Options::default() };
    let analysis = job::analyze(Source::File(file.into()), &options, &Unwatched)?;
    analysis.write(&PathBuf::from(folder))?;
    for alert in &analysis.numbers.alerts {
        println!("{}", alert.detail);
    }
    Ok(())
}
