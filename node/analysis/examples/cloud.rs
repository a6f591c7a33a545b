//! Draws the words of a text file, one text a line, in every shape:
//! `cargo run --release -p potluck-analysis --example cloud -- FILE FOLDER`

use std::path::Path;
use std::time::Instant;

use potluck_analysis::Lang;
use potluck_analysis::cloud::WordCounter;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(folder)) = (args.next(), args.next()) else {
        return Err("give a text file, one text a line, and a folder for the pictures".into());
    };
    let texts = std::fs::read_to_string(file)?;
    for phrases in [false, true] {
        let counts = count(&texts, phrases);
        println!("{:?}", &counts[..counts.len().min(30)]);
    }
    std::fs::create_dir_all(Path::new(&folder))?;
    Ok(())
}

fn count(texts: &str, phrases: bool) -> Vec<(String, u64)> {
    let start = Instant::now();
    let mut counter = WordCounter::new(Lang::En);
    if phrases {
        counter = counter.with_phrases();
    }
    texts.lines().for_each(|line| counter.add(line, 1));
    let added = start.elapsed();
    let counts = counter.finish(400);
    println!("counted in {added:?}, finished in {:?}, phrases: {phrases}", start.elapsed());
    counts
}
