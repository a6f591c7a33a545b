//! Charts of plain and of nasty tables: every text stays readable, every file name is safe, and
//! some pictures stay as they were looked at.

#[path = "charts/layout.rs"]
mod layout;
#[path = "charts/sample.rs"]
mod sample;

use std::collections::BTreeSet;

use potluck_analysis::charts::{self, Chart, ChartKind, ChartOptions, Theme, rasterise};
use potluck_analysis::facets::{Marks, Scatter, Spread, Step, Trend};
use potluck_analysis::numbers::{Correlation, Histogram};
use potluck_analysis::{AnalysisError, Facets, Lang, Numbers, Stage, Unwatched, Watch, font};
use sample::Column;

/// BLAKE3 of the pixels of charts that were looked at. After a change on purpose: look at the new
/// ones (`examples/charts.rs`), then take over what the failing test says.
const LOOKED_AT: [(&str, &str); 7] = [
    ("heatmap", "92a177f56395ca0d"),
    ("scatter-1", "37ad04d25c53f728"),
    ("distribution-1-price", "183831bd7eff4cf8"),
    ("missing", "789bb29ee247361d"),
    ("skew", "2544b9ae29fd10ab"),
    ("category-1", "8d5116e3fde35d99"),
    ("trend-1-day", "3e0bcbdff939b242"),
];

/// The same numbers everywhere, without a generator: a Weyl sequence, 0 to 1.
fn weyl(step: usize) -> f64 {
    (step as f64 * 0.618_033_988_749_895).fract()
}

fn shop() -> Vec<(String, Column)> {
    let rows = 300;
    let number = |of: &dyn Fn(usize) -> Option<f64>| Column::Number((0..rows).map(of).collect());
    let city = |row: usize| match (weyl(row) * 8.0) as usize {
        0..=2 => "北京",
        3 | 4 => "上海市浦东新区",
        5 => "Zürich",
        6 => "São Paulo",
        _ => "",
    };
    vec![
        ("day".into(), Column::Day((0..rows).map(|row| 15_000 + row as i64 / 5).collect())),
        (
            "price".into(),
            number(&|row| Some(20.0 + 30.0 * weyl(row) + 400.0 * weyl(row * 7).powi(12))),
        ),
        ("数量".into(), number(&|row| (row % 7 != 0).then(|| (50.0 * weyl(row)).round()))),
        (
            "rating".into(),
            number(&|row| (row % 90 != 0).then(|| 5.0 - 4.0 * weyl(row * 3).powi(3))),
        ),
        ("城市".into(), Column::Text((0..rows).map(|row| city(row).to_owned()).collect())),
    ]
}

fn draw(numbers: &Numbers, facets: &Facets, lang: Lang, theme: Theme, png: bool) -> Vec<Chart> {
    let options = ChartOptions { lang, theme, png, ..ChartOptions::default() };
    charts::draw(numbers, facets, &options, &Unwatched).unwrap()
}

/// Draws in both languages and fails on any fault.
fn check(what: &str, numbers: &Numbers, facets: &Facets) -> Vec<Chart> {
    let mut all = draw(numbers, facets, Lang::Zh, Theme::Dark, false);
    all.extend(draw(numbers, facets, Lang::En, Theme::Light, false));
    for chart in &all {
        let faults = layout::faults(&chart.standalone_svg());
        assert!(faults.is_empty(), "{what}, {}: {faults:#?}\n{}", chart.name, chart.svg);
        assert!(!chart.standalone_svg().contains("var("), "{what}, {}", chart.name);
        assert!(chart.svg.len() < 500_000, "{what}, {}: {} bytes", chart.name, chart.svg.len());
        let safe = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(chart.name.chars().all(safe) && chart.name.len() < 80, "{:?}", chart.name);
    }
    let english = all.split_off(all.len() / 2);
    let names: BTreeSet<&str> = english.iter().map(|chart| chart.name.as_str()).collect();
    assert_eq!(names.len(), english.len(), "{what}: a name comes twice");
    english
}

#[test]
fn widths_are_those_of_the_renderer() {
    for text in ["Hello, World 0.123", "温度（℃）", "AVATAR To fi ffl", "日本語 カナ", "é–…→×·"]
    {
        for size in [11.0, 17.0, 26.0] {
            let (ours, theirs) = (font::width(text, size), layout::laid_out_width(text, size));
            assert!((ours - theirs).abs() < 0.05, "{text:?} at {size}: {ours}, {theirs}");
        }
    }
}

#[test]
fn a_plain_table_has_every_chart() {
    let (numbers, facets) = sample::analyse("shop.csv", &shop());
    let charts = check("shop", &numbers, &facets);
    let kinds: BTreeSet<ChartKind> = charts.iter().map(|chart| chart.kind).collect();
    let mut wanted = BTreeSet::from(ChartKind::ALL);
    wanted.remove(&ChartKind::Cloud);
    assert_eq!(kinds, wanted);
    assert!(charts.is_sorted_by_key(|chart| chart.kind));
}

#[test]
fn pictures_are_as_looked_at() {
    if !cfg!(target_arch = "x86_64") {
        eprintln!("skipped: the pixels were looked at on x86_64");
        return;
    }
    let (numbers, facets) = sample::analyse("shop.csv", &shop());
    let charts = draw(&numbers, &facets, Lang::Zh, Theme::Light, true);
    let hashes: Vec<(String, String)> = LOOKED_AT
        .iter()
        .map(|(name, _)| {
            let chart = charts.iter().find(|chart| chart.name == *name).unwrap();
            let picture = image::load_from_memory(&chart.png).unwrap().into_rgb8();
            assert_eq!(picture.dimensions(), chart.size);
            (chart.name.clone(), blake3::hash(&picture).to_hex()[..16].to_owned())
        })
        .collect();
    let looked_at = LOOKED_AT.map(|(name, hash)| (name.to_owned(), hash.to_owned()));
    assert_eq!(hashes, looked_at);
}

#[test]
fn nasty_names_harm_nothing() {
    let names = [
        "x".repeat(10_000),
        "很长的列名".repeat(200),
        "../../../etc/passwd".into(),
        "<script>alert('x')</script>&amp;\"".into(),
        "a\0b\u{1}\u{7f}\u{fffe}\n\tc".into(),
        "😀👩‍👩‍👧‍👦🇨🇳 emoji".into(),
        "\u{202e}gnp.exe\u{202c} مرحبا שלום ไทย".into(),
        String::new(),
        "   ".into(),
        "var(--ink,#ff0000) ]]> <!--".into(),
        "Zalgo\u{300}\u{301}\u{302}\u{303}\u{304}".repeat(30),
    ];
    let mut table: Vec<(String, Column)> = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let value = |row: usize| Some(weyl(row * (place + 1))).filter(|value| *value < 0.9);
        table.push((name.clone(), Column::Number((0..50).map(value).collect())));
    }
    for name in &names {
        let cells = (0..50).map(|row| names[row % names.len()].clone()).collect();
        table.push((format!("{name} "), Column::Text(cells)));
        table.push((format!("{name}\t"), Column::Day((0..50).collect())));
    }
    let (numbers, facets) = sample::analyse("nasty.csv", &table);
    let charts = check("nasty", &numbers, &facets);
    assert!(charts.iter().all(|chart| !chart.svg.contains("<script")));
    assert!(charts.iter().all(|chart| chart.title.chars().count() < 200));
}

/// Labels with what they were cut from, in one drawing: those before bars and cells, or others.
fn cut_labels(svg: &str, before: bool) -> BTreeSet<(&str, &str)> {
    let texts = svg.split("<text").skip(1).filter_map(|text| text.split_once("<title>"));
    let titled = texts.filter(|(head, _)| head.contains("text-anchor=\"end\"") == before);
    let parts = titled.filter_map(|(_, rest)| rest.split_once("</title>"));
    parts.filter_map(|(full, rest)| Some((full, rest.split_once('<')?.0))).collect()
}

#[test]
fn names_that_differ_in_the_middle_have_labels_that_differ() {
    let names = [
        |place: usize| format!("survey question {place} about household income in the last year"),
        |place: usize| format!("{}{}{}", "x".repeat(70), "y".repeat(place), "x".repeat(70)),
        |place: usize| format!("一个非常非常长的列名第{place}项关于家庭收入的问题以及其他问题等等"),
    ];
    for name in names {
        let column = |place: usize| {
            let value = |row: usize| Some(weyl(row * (place + 1))).filter(|value| *value < 0.9);
            (name(place), Column::Number((0..60).map(value).collect()))
        };
        let mut table: Vec<(String, Column)> = (0..26).map(column).collect();
        let cells = (0..60).map(|row| format!("{} of all", name(row % 9))).collect();
        table.push(("said".into(), Column::Text(cells)));
        let (numbers, facets) = sample::analyse("long.csv", &table);
        for chart in check("long", &numbers, &facets) {
            for before in [true, false] {
                let cut = cut_labels(&chart.svg, before);
                let labels: BTreeSet<&str> = cut.iter().map(|(_, label)| *label).collect();
                // No label stands for two names.
                assert_eq!(labels.len(), cut.len(), "{}: {cut:#?}", chart.name);
                let wide = [ChartKind::Heatmap, ChartKind::Missing].contains(&chart.kind);
                assert!(!(wide && before) || cut.len() >= 20, "{}: {cut:#?}", chart.name);
            }
        }
    }
}

#[test]
fn few_columns_have_room_for_their_names() {
    let column = |name: &str| {
        let value = |row: usize| Some(weyl(row * name.len()));
        (name.to_owned(), Column::Number((0..60).map(value).collect()))
    };
    let names = ["beer_servings", "wine_servings", "total_litres_of_pure_alcohol"];
    let table: Vec<(String, Column)> = names.into_iter().map(column).collect();
    let (numbers, facets) = sample::analyse("drinks.csv", &table);
    for chart in check("drinks", &numbers, &facets) {
        let cut = [true, false].map(|before| cut_labels(&chart.svg, before));
        assert_eq!(cut, [BTreeSet::new(), BTreeSet::new()], "{}", chart.name);
    }
}

/// The value of a column in a row.
type Cells<'a> = &'a dyn Fn(usize) -> Option<f64>;

#[test]
fn nasty_numbers_harm_nothing() {
    let columns: [(&str, Cells); 14] = [
        ("equal", &|_| Some(7.0)),
        ("zero", &|_| Some(0.0)),
        ("huge", &|row| Some(1e300 * (weyl(row) - 0.5))),
        ("whole range", &|row| Some(if row % 2 == 0 { f64::MAX } else { f64::MIN })),
        ("tiny", &|row| Some(1e-300 * weyl(row))),
        ("subnormal", &|row| Some(5e-324 * row as f64)),
        ("infinite", &|row| Some(if row % 5 == 0 { f64::INFINITY } else { weyl(row) })),
        ("only infinite", &|_| Some(f64::NEG_INFINITY)),
        ("negative", &|row| Some(-1e6 * weyl(row))),
        ("close", &|row| Some(1e9 + 1e-6 * row as f64)),
        ("year", &|row| Some(1990.0 + row as f64 % 30.0)),
        ("tail", &|row| Some(weyl(row).powi(40) * 1e12)),
        ("one value", &|row| (row == 3).then_some(42.0)),
        ("none", &|_| None),
    ];
    let table: Vec<(String, Column)> = columns
        .iter()
        .map(|(name, of)| ((*name).to_owned(), Column::Number((0..60).map(of).collect())))
        .collect();
    let (numbers, facets) = sample::analyse("numbers.csv", &table);
    check("numbers", &numbers, &facets);
    for (name, column) in table {
        let (numbers, facets) = sample::analyse("one.csv", &[(name.clone(), column)]);
        check(&name, &numbers, &facets);
    }
}

#[test]
fn matrices_of_every_size_are_readable() {
    for columns in [1, 2, 3, 5, 8, 12, 17, 25, 33, 40, 41, 100] {
        for name in ["c", "column name", "一个比较长的中文列名"] {
            let column = |place: usize| {
                let cells = (0..20).map(|row| Some(weyl(row * (place + 1)))).collect();
                (format!("{name} {place}"), Column::Number(cells))
            };
            let table: Vec<(String, Column)> = (0..columns).map(column).collect();
            let (numbers, facets) = sample::analyse("wide.csv", &table);
            let facets = Facets { spreads: facets.spreads, ..Facets::default() };
            let charts = check(&format!("{columns} x {name}"), &numbers, &facets);
            let map = charts.iter().find(|chart| chart.kind == ChartKind::Heatmap);
            assert_eq!(map.is_some(), columns > 1);
            let cells = map.map_or(0, |map| map.svg.matches("0.").count());
            assert!(columns > 12 || cells >= columns * (columns - 1), "{columns}: {cells}");
        }
    }
}

#[test]
fn five_thousand_columns_stay_bounded() {
    let column = |place: usize| {
        let cells =
            (0..9).map(|row| Some(weyl(row + place)).filter(|_| row != place % 9)).collect();
        (format!("c{place}"), Column::Number(cells))
    };
    let table: Vec<(String, Column)> = (0..5_000).map(column).collect();
    // Without the matrix of 25 million coefficients, which the sample would take long for.
    let (mut numbers, mut facets) = sample::analyse("wide.csv", &table[..100]);
    let more = sample::analyse("wide.csv", &table[..1]);
    for (name, _) in &table[100..] {
        let mut column = more.0.columns[0].clone();
        column.name.clone_from(name);
        numbers.columns.push(column);
        facets.spreads.push(Spread { column: name.clone(), ..more.1.spreads[0].clone() });
    }
    numbers.correlation = Correlation::default();
    let charts = check("5,000", &numbers, &facets);
    let spreads: Vec<&Chart> =
        charts.iter().filter(|chart| chart.kind == ChartKind::Distributions).collect();
    assert_eq!(spreads.len(), 30);
    assert!(spreads.iter().all(|chart| chart.svg.contains("of 5,000 number columns")));
    assert!(charts.len() <= 57);
}

#[test]
fn grids_and_long_times_are_readable() {
    let (numbers, mut facets) = sample::analyse("shop.csv", &shop());
    let bins = |size: (usize, usize), count: &dyn Fn(usize) -> u32| Scatter {
        x: "x".into(),
        y: "y".into(),
        pearson: -0.5,
        shown: None,
        marks: Marks::Bins {
            x: (-3e7, 9e7),
            y: (0.0, 1e-7),
            size,
            counts: (0..size.0 * size.1).map(count).collect(),
            pairs: 1_000_000,
            line: Some((5e-8, -2e-16)),
        },
    };
    facets.scatters = vec![
        bins((100, 60), &|place| (1e6 * weyl(place).powi(30)) as u32),
        bins((1, 1), &|_| 1),
        bins((7, 3), &|_| 0),
        bins((2, 2), &|place| u32::MAX - place as u32),
    ];
    let Marks::Bins { size, .. } = &mut facets.scatters[1].marks else { panic!("bins") };
    *size = (1, 1);
    facets.trends.clear();
    let (day, year) = (86_400_000_000_i64, 31_556_952_000_000_i64);
    for (step, span) in [
        (Step::Minute, 60_000_000),
        (Step::Hour, day / 24),
        (Step::Day, day),
        (Step::Week, 7 * day),
        (Step::Month, year / 12),
        (Step::Quarter, year / 4),
        (Step::Year, year),
    ] {
        for buckets in [1_i64, 2, 3, 30, 400] {
            facets.trends.push(Trend {
                column: "when".into(),
                step,
                starts: (0..buckets).map(|bucket| 40 * year + bucket * span).collect(),
                counts: (0..buckets).map(|bucket| 1_000_000 * (bucket as u64 % 9)).collect(),
                means: vec![
                    (
                        "gaps".into(),
                        (0..buckets).map(|b| (b % 3 == 0).then_some(b as f64)).collect(),
                    ),
                    ("nothing".into(), vec![None; buckets as usize]),
                    ("too few".into(), vec![Some(1.0)]),
                    ("infinite".into(), vec![Some(f64::INFINITY); buckets as usize]),
                ],
            });
        }
    }
    let trends = std::mem::take(&mut facets.trends);
    for some in trends.chunks(5) {
        facets.trends = some.to_vec();
        check("trends", &numbers, &facets);
    }
}

/// Whoever fills the facets may be wrong; the charts must not fall over it.
#[test]
fn facets_that_do_not_fit_draw_nothing() {
    let (numbers, _) = sample::analyse("shop.csv", &shop());
    let bins = |size, counts: Vec<u32>, x| Scatter {
        x: "x".into(),
        y: "y".into(),
        pearson: f64::NAN,
        shown: None,
        marks: Marks::Bins { x, y: (0.0, 1.0), size, counts, pairs: 9, line: None },
    };
    let spread = |edges: Vec<f64>, counts: Vec<u64>| Spread {
        column: "s".into(),
        histogram: Histogram { edges, counts },
        shown: (f64::NAN, 1.0),
        outside: u64::MAX,
        whiskers: (f64::NAN, f64::INFINITY),
        quartiles: (f64::NAN, 3.0, f64::NEG_INFINITY),
        outliers: vec![f64::NAN, 1e308],
    };
    let points = |points| Marks::Points(points);
    let (x, y, shown) = ("x".into(), "y".into(), None);
    let nothing = Scatter { x, y, pearson: 1.0, shown, marks: points(vec![]) };
    let facets = Facets {
        scatters: vec![
            bins((usize::MAX, 2), vec![1], (0.0, 1.0)),
            bins((3, 3), vec![1; 8], (0.0, 1.0)),
            bins((0, 0), vec![], (0.0, 1.0)),
            bins((1, 1), vec![1], (f64::NAN, 1.0)),
            nothing,
        ],
        spreads: vec![
            spread(vec![], vec![]),
            spread(vec![1.0], vec![5]),
            spread(vec![2.0, 1.0], vec![1, 2, 3]),
        ],
        ..Facets::default()
    };
    let charts = check("misfits", &numbers, &facets);
    assert!(charts.iter().all(|chart| chart.kind != ChartKind::Scatter));
}

#[test]
fn what_is_left_out_or_put_together_is_told() {
    let (numbers, mut facets) = sample::analyse("shop.csv", &shop());
    facets.spreads[0].outside = 3;
    facets.scatters.truncate(1);
    facets.scatters[0].shown = Some(((0.0, 4.5), (0.0, 1e9)));
    let stars = (0..400).map(|row| ((row % 5) as f64, (row % 5 + row % 3) as f64)).collect();
    let marks = Marks::Points(stars);
    facets.scatters.push(Scatter { shown: None, marks, ..facets.scatters[0].clone() });
    let charts = check("shop", &numbers, &facets);
    let says = |name: &str, words: &str| {
        charts.iter().any(|chart| chart.name == name && chart.svg.contains(words))
    };
    assert!(says("distribution-1-price", ">3 of 303 values lie outside the picture<"));
    assert!(says("scatter-1", " pairs are in the picture"));
    assert!(says("scatter-2", ">400 pairs · "));
    // 15 pairs, each 26 or 27 times.
    assert!(says("scatter-2", " · the largest dot: 27 pairs<"));
    assert!(says("trend-1-day", ">mean of price<"));
}

#[test]
fn where_nothing_is_to_see_nothing_is_drawn() {
    let column = |name: &str, of: Cells| {
        (name.to_owned(), Column::Number((0..40).map(of).collect::<Vec<_>>()))
    };
    let table = vec![
        column("constant", &|_| Some(0.0)),
        column("first", &|row| (row < 20).then_some(row as f64)),
        column("second", &|row| (row >= 20).then_some(row as f64)),
        ("day".to_owned(), Column::Day(vec![15_000; 40])),
    ];
    let (numbers, facets) = sample::analyse("nothing.csv", &table);
    let charts = check("nothing", &numbers, &facets);
    let names: Vec<&str> = charts.iter().map(|chart| chart.name.as_str()).collect();
    assert_eq!(names, ["distribution-1-first", "distribution-2-second", "missing", "skew"]);
}

#[test]
fn an_empty_table_has_no_charts() {
    let (numbers, facets) = sample::analyse("empty.csv", &[]);
    assert!(check("empty", &numbers, &facets).is_empty());
}

#[test]
fn only_the_wanted_kinds_are_drawn() {
    let (numbers, facets) = sample::analyse("shop.csv", &shop());
    let only = Some(vec![ChartKind::Skew, ChartKind::Heatmap, ChartKind::Cloud]);
    let options = ChartOptions { only, png: false, threads: 1, ..ChartOptions::default() };
    let charts = charts::draw(&numbers, &facets, &options, &Unwatched).unwrap();
    let names: Vec<&str> = charts.iter().map(|chart| chart.name.as_str()).collect();
    assert_eq!(names, ["heatmap", "skew"]);
    assert!(charts.iter().all(|chart| chart.png.is_empty()));
}

#[test]
fn a_cancelled_drawing_stops() {
    struct Cancelled;
    impl Watch for Cancelled {
        fn stage(&self, _: Stage, _: f32) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let (numbers, facets) = sample::analyse("shop.csv", &shop());
    let drawn = charts::draw(&numbers, &facets, &ChartOptions::default(), &Cancelled);
    assert!(matches!(drawn, Err(AnalysisError::Cancelled)));
}

#[test]
fn pictures_have_bounds() {
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"4\" height=\"2\">\
               <rect width=\"2\" height=\"2\" fill=\"var(--x,#ff0000)\"/></svg>";
    let png = rasterise(svg, (8, 4)).unwrap();
    let picture = image::load_from_memory(&png).unwrap().into_rgba8();
    assert_eq!(picture.dimensions(), (8, 4));
    assert_eq!(picture.get_pixel(1, 1).0, [255, 0, 0, 255]);
    assert_eq!(picture.get_pixel(6, 1).0, [0, 0, 0, 0]);
    for size in [(0, 5), (u32::MAX, u32::MAX), (100_000, 100_000)] {
        assert!(matches!(rasterise(svg, size), Err(AnalysisError::BadOption(_))), "{size:?}");
    }
    assert!(matches!(rasterise("no SVG", (4, 2)), Err(AnalysisError::Io { .. })));
}
