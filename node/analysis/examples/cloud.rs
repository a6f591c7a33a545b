//! Counts the words of a text file, one text a line, and draws them in every shape, light and dark:
//! `cargo run --release -p potluck-analysis --example cloud -- FILE FOLDER [PICTURE]`

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use potluck_analysis::charts::Theme;
use potluck_analysis::cloud::{CloudOptions, Mask, Shape, WordCounter, draw};
use potluck_analysis::facets::Words;
use potluck_analysis::{Lang, Unwatched};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, folder, picture @ ..] = args.as_slice() else {
        return Err("give a text file, one text a line, and a folder for the pictures".into());
    };
    let texts = std::fs::read_to_string(file)?;
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder)?;
    let counts = count(&texts, WordCounter::new(Lang::En), "words");
    let phrases = count(&texts, WordCounter::new(Lang::En).with_phrases(), "phrases");
    for (column, counts) in [("words", counts), ("phrases", phrases)] {
        let words = Words { column: column.into(), counts };
        println!("{:?}", &words.counts[..words.counts.len().min(20)]);
        for shape in Shape::ALL {
            paint(
                &words,
                Mask::Shape(shape),
                &folder.join(format!("{column}-{}", shape.names().0)),
            )?;
        }
        for picture in picture {
            let mask = Mask::Picture(std::fs::read(picture)?);
            paint(&words, mask, &folder.join(format!("{column}-picture")))?;
        }
    }
    Ok(())
}

fn count(texts: &str, mut counter: WordCounter, what: &str) -> Vec<(String, u64)> {
    let start = Instant::now();
    texts.lines().for_each(|line| counter.add(line, 1));
    let added = start.elapsed();
    let counts = counter.finish(400);
    println!("{what}: counted after {added:?}, done after {:?}", start.elapsed());
    counts
}

fn paint(words: &Words, mask: Mask, file: &Path) -> Result<(), Box<dyn Error>> {
    for theme in [Theme::Light, Theme::Dark] {
        let mut options =
            CloudOptions { theme, mask: mask.clone(), png: false, ..Default::default() };
        let start = Instant::now();
        draw(words, &options, &Unwatched)?;
        let placed = start.elapsed();
        options.png = true;
        let Some(chart) = draw(words, &options, &Unwatched)? else { return Ok(()) };
        println!("{}: {placed:?}, with PNG {:?}", file.display(), start.elapsed() - placed);
        let ending = if theme == Theme::Light { "light" } else { "dark" };
        std::fs::write(file.with_extension(format!("{ending}.svg")), chart.standalone_svg())?;
        std::fs::write(file.with_extension(format!("{ending}.png")), &chart.png)?;
    }
    Ok(())
}
