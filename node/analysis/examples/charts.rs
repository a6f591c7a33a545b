//! Draws all charts of small CSV files, to look at:
//! `cargo run --release -p potluck-analysis --example charts -- FOLDER FILE.csv...`
//!
//! In FOLDER each file gets one folder for each language and theme.

#[path = "../tests/charts/sample.rs"]
mod sample;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use potluck_analysis::charts::{self, ChartOptions, Theme};
use potluck_analysis::{Lang, Unwatched};

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = paths.next().ok_or("name a folder, then CSV files")?;
    for path in paths {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (numbers, facets) = sample::analyse(&stem, &table(&path)?);
        for (name, lang, theme) in [
            ("en-light", Lang::En, Theme::Light),
            ("zh-light", Lang::Zh, Theme::Light),
            ("en-dark", Lang::En, Theme::Dark),
            ("zh-dark", Lang::Zh, Theme::Dark),
        ] {
            let options = ChartOptions { lang, theme, threads: 2, ..ChartOptions::default() };
            let start = Instant::now();
            let drawn = charts::draw(&numbers, &facets, &options, &Unwatched)?;
            let bytes: usize = drawn.iter().map(|chart| chart.png.len()).sum();
            println!("{stem} {name}: {} charts, {bytes} B, {:?}", drawn.len(), start.elapsed());
            let folder = folder.join(&stem).join(name);
            std::fs::create_dir_all(&folder)?;
            for chart in drawn {
                std::fs::write(folder.join(&chart.name).with_extension("png"), &chart.png)?;
                let svg = chart.standalone_svg();
                std::fs::write(folder.join(&chart.name).with_extension("svg"), svg)?;
            }
        }
    }
    Ok(())
}

fn table(path: &Path) -> Result<Vec<(String, sample::Column)>, Box<dyn Error>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path)?;
    let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let mut columns = vec![Vec::new(); names.len()];
    for row in reader.records() {
        let row = row?;
        for (place, cells) in columns.iter_mut().enumerate() {
            cells.push(row.get(place).unwrap_or("").to_owned());
        }
    }
    Ok(names.into_iter().zip(columns.into_iter().map(sample::typed)).collect())
}
