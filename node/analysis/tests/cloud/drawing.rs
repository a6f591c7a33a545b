//! What is drawn.

use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma, Rgba, RgbaImage};
use potluck_analysis::charts::{Chart, Theme};
use potluck_analysis::cloud::{CloudOptions, Mask, Shape, draw};
use potluck_analysis::facets::Words;
use potluck_analysis::{AnalysisError, Lang, Stage, Unwatched, Watch, font};
use resvg::tiny_skia::{FillRule, Mask as Pixels, Transform};
use resvg::usvg::{self, Node};

/// Words of all lengths, English and Chinese, falling in frequency.
fn words(number: usize) -> Words {
    const BASE: [&str; 12] = [
        "data",
        "mesh",
        "人工智能",
        "analysis",
        "图像",
        "jelly",
        "neighbour",
        "加密",
        "Qi",
        "天气",
        "lighthouse",
        "音乐",
    ];
    let word = |n: usize| {
        let base = BASE[n % BASE.len()];
        if n < BASE.len() { base.to_string() } else { format!("{base}{}", n / BASE.len()) }
    };
    let counts = (0..number).map(|n| (word(n), 5000 / (n as u64 + 1))).collect();
    Words { column: "comment".into(), counts }
}

fn options(mask: Mask) -> CloudOptions {
    CloudOptions { mask, png: false, seed: 7, ..Default::default() }
}

fn drawn(words: &Words, options: &CloudOptions) -> Chart {
    draw(words, options, &Unwatched).unwrap().unwrap()
}

fn refusal(mask: Vec<u8>) -> String {
    match draw(&words(20), &options(Mask::Picture(mask)), &Unwatched) {
        Err(AnalysisError::BadOption(text)) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

fn png(picture: &RgbaImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Pixels that each text touches, and those of the shape behind all, as the bundled font has it.
fn inks(chart: &Chart) -> (Vec<Vec<usize>>, Option<Pixels>) {
    let options = usvg::Options { fontdb: font::database(), ..Default::default() };
    let tree = usvg::Tree::from_str(&chart.standalone_svg(), &options).unwrap();
    let blank = || Pixels::new(chart.size.0, chart.size.1).unwrap();
    let (mut texts, mut shape) = (Vec::new(), None);
    for node in tree.root().children() {
        let mut pixels = blank();
        match text_of(node) {
            Some(text) => {
                fill(text.flattened(), &mut pixels);
                let touched = pixels.data().iter().enumerate().filter(|(_, ink)| **ink > 0);
                texts.push(touched.map(|(at, _)| at).collect());
            }
            None => {
                // The background comes first, the shape after it.
                if let Node::Path(path) = node {
                    pixels.fill_path(path.data(), FillRule::Winding, true, Transform::identity());
                    shape = Some(pixels);
                }
            }
        }
    }
    (texts, shape)
}

/// A turned text stands in a group.
fn text_of(node: &Node) -> Option<&usvg::Text> {
    match node {
        Node::Text(text) => Some(text),
        Node::Group(group) => group.children().iter().find_map(text_of),
        _ => None,
    }
}

fn fill(group: &usvg::Group, pixels: &mut Pixels) {
    for node in group.children() {
        match node {
            Node::Group(group) => fill(group, pixels),
            Node::Path(path) => {
                pixels.fill_path(path.data(), FillRule::Winding, true, path.abs_transform());
            }
            _ => {}
        }
    }
}

#[test]
fn no_word_leaves_its_shape_or_touches_another() {
    for shape in Shape::ALL {
        let chart = drawn(&words(80), &options(Mask::Shape(shape)));
        let (texts, inside) = inks(&chart);
        assert!(texts.len() >= 78, "{shape:?} has {} words", texts.len());
        let inside = inside.unwrap();
        let mut owner = vec![None; inside.data().len()];
        for (number, text) in texts.iter().enumerate() {
            assert!(text.len() > 20, "{shape:?}: text {number} has no ink");
            for &at in text {
                assert_eq!(inside.data()[at], 255, "{shape:?}: text {number} is outside");
                assert_eq!(owner[at].replace(number), None, "{shape:?}: text {number} overlaps");
            }
        }
    }
}

#[test]
fn the_dark_part_of_a_picture_is_filled() {
    // A ring, at another aspect than the cloud's.
    let ring = |x: u32, y: u32| {
        let far = (x as f32 - 300.0).hypot(y as f32 - 300.0);
        (90.0..290.0).contains(&far)
    };
    let opaque = RgbaImage::from_fn(600, 600, |x, y| {
        if ring(x, y) { Rgba([30, 60, 200, 255]) } else { Rgba([255, 255, 255, 255]) }
    });
    // White, but opaque where words go.
    let clear = RgbaImage::from_fn(600, 600, |x, y| {
        Rgba([255, 255, 255, if ring(x, y) { 255 } else { 0 }])
    });
    for picture in [opaque, clear] {
        let chart = drawn(&words(80), &options(Mask::Picture(png(&picture))));
        let (texts, _) = inks(&chart);
        assert!(texts.len() >= 70, "{}", texts.len());
        for at in texts.iter().flatten() {
            let (x, y) = ((at % 1200) as f32, (at / 1200) as f32);
            let (x, y) = ((x - 200.0) * 0.75, y * 0.75);
            assert!(ring(x as u32, y as u32), "ink at {x} {y} of the picture");
        }
    }
}

#[test]
fn a_jpeg_is_a_mask_too() {
    let picture = GrayImage::from_fn(300, 200, |x, _| Luma([if x < 150 { 0 } else { 255 }]));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    let (texts, shape) = inks(&drawn(&words(30), &options(Mask::Picture(bytes.into_inner()))));
    assert!(!texts.is_empty());
    // What is free is tinted, to show the shape where words are few.
    let tinted = shape.unwrap().data().iter().filter(|pixel| **pixel > 0).count();
    assert!((450_000..480_000).contains(&tinted), "{tinted}");
    assert!(texts.iter().flatten().all(|at| at % 1200 < 604));
}

#[test]
fn the_same_seed_draws_the_same() {
    let words = words(60);
    let one = drawn(&words, &options(Mask::default()));
    assert_eq!(one, drawn(&words, &options(Mask::default())));
    let other = CloudOptions { seed: 8, ..options(Mask::default()) };
    assert_ne!(one.svg, drawn(&words, &other).svg);
}

#[test]
fn bad_masks_are_refused_with_advice() {
    assert!(refusal(b"words, words, words".to_vec()).contains("not a picture"));
    assert!(refusal(Vec::new()).contains("empty"));
    let white = RgbaImage::from_pixel(400, 300, Rgba([255, 255, 255, 255]));
    assert!(refusal(png(&white)).contains("no room"));
    let clear = RgbaImage::from_pixel(400, 300, Rgba([0, 0, 0, 0]));
    assert!(refusal(png(&clear)).contains("no room"));
    let mut cut = png(&RgbaImage::from_pixel(400, 300, Rgba([0, 0, 0, 255])));
    cut.truncate(cut.len() / 2);
    assert!(refusal(cut).contains("not a picture"));
}

/// A header that promises 3.6 gigapixels is refused before anything is allocated.
#[test]
fn a_huge_mask_is_refused() {
    let mut header = b"IHDR\0\0\xea\x60\0\0\xea\x60\x08\x06\0\0\0".to_vec();
    let mut crc = flate2::Crc::new();
    crc.update(&header);
    header.extend(crc.sum().to_be_bytes());
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    bytes.extend(header);
    bytes.extend(b"\0\0\0\x10IDAT");
    bytes.extend([0; 64]);
    let text = refusal(bytes);
    assert!(text.contains("60000x60000") && text.contains("smaller"), "{text}");
}

#[test]
fn texts_are_texts_and_escaped() {
    let counts =
        vec![("<b>&\"'".to_string(), 9), ("한국어".to_string(), 5), ("New York".to_string(), 3)];
    let words = Words { column: "a<b".into(), counts };
    for (lang, theme) in [(Lang::En, Theme::Light), (Lang::Zh, Theme::Dark)] {
        let chart = drawn(&words, &CloudOptions { lang, theme, png: true, ..Default::default() });
        assert!(chart.svg.contains("&lt;b&gt;&amp;"), "{}", chart.svg);
        assert!(chart.svg.contains(">한국어</text>") && chart.svg.contains(">New York</text>"));
        assert!(chart.title.contains("a<b") && chart.svg.contains("a&lt;b"));
        let picture = image::load_from_memory(&chart.png).unwrap();
        assert_eq!((picture.width(), picture.height()), chart.size);
    }
}

#[test]
fn few_words_are_large() {
    let words = Words { column: "x".into(), counts: vec![("hello".into(), 1)] };
    let (texts, _) = inks(&drawn(&words, &options(Mask::default())));
    let columns = texts[0].iter().map(|at| at % 1200);
    assert!(columns.clone().max().unwrap() - columns.min().unwrap() > 800);
}

#[test]
fn shapes_have_names_in_both_languages() {
    for shape in Shape::ALL {
        let (english, chinese) = shape.names();
        assert_eq!(english.to_uppercase().parse::<Shape>().unwrap(), shape);
        assert_eq!(chinese.parse::<Shape>().unwrap(), shape);
    }
    let refused = "blob".parse::<Shape>().unwrap_err().to_string();
    assert!(refused.contains("heart 心形"), "{refused}");
}

#[test]
fn odd_sizes() {
    let words = words(50);
    for size in [(100, 100), (4000, 100), (300, 2000)] {
        let chart = drawn(&words, &CloudOptions { size, ..options(Mask::default()) });
        assert!(inks(&chart).0.len() > 10, "{size:?}");
    }
    for size in [(0, 800), (99, 800), (1200, 4001), (u32::MAX, u32::MAX)] {
        let refused = draw(&words, &CloudOptions { size, ..options(Mask::default()) }, &Unwatched);
        assert!(matches!(refused, Err(AnalysisError::BadOption(_))), "{size:?}");
    }
}

#[test]
fn no_words_no_cloud() {
    let none = Words { column: "x".into(), counts: Vec::new() };
    assert_eq!(draw(&none, &CloudOptions::default(), &Unwatched).unwrap(), None);
}

#[test]
fn a_cancelled_cloud_stops() {
    struct Gone;
    impl Watch for Gone {
        fn stage(&self, _: Stage, _: f32) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let stopped = draw(&words(50), &CloudOptions::default(), &Gone);
    assert!(matches!(stopped, Err(AnalysisError::Cancelled)));
}
