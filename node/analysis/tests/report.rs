//! The page: well-formed, harmless, whole, in both languages.

use std::collections::{BTreeMap, BTreeSet};

use potluck_analysis::Lang;
use potluck_analysis::charts::{Chart, ChartKind};
use potluck_analysis::numbers::*;
use potluck_analysis::report::{ColumnFacts, MOST_CARDS, ReportOptions, TableFacts, page};
use potluck_analysis::table::{BadRow, Invalid, Mend, MendedRow, MendedRows, Note, Written};
use proptest::prelude::*;
use resvg::usvg::roxmltree::{Document, ParsingOptions};

const NASTY: [&str; 12] = [
    "<script>alert(1)</script>",
    "]]>",
    "--><b>",
    "\" onload=\"alert(1)",
    "' style='x",
    "&amp;&#60;&nbsp;",
    "\u{0}\u{1}\u{8}\u{b}\u{1f}\u{7f}\u{85}",
    "photo\u{202e}gpj.exe",
    "\u{feff}\u{2028}\u{ffff}\u{fffe}",
    "</title></style></bdi>",
    "{0}{1}",
    "javascript:alert(1)",
];

/// Numbers of columns of every kind, with everything that a page can show of them.
fn numbers(names: &[String], word: &str) -> Numbers {
    let kinds = ["number", "text", "date", "integer", "boolean", "datetime", "empty"];
    let columns = names.iter().enumerate().map(|(at, n)| column(n, kinds[at % 7], word)).collect();
    let line = |a: usize| -> BTreeMap<String, Option<f64>> {
        let r = |b: usize| Some(1.0 / (1.0 + a.abs_diff(b) as f64));
        names.iter().take(5).enumerate().map(|(b, name)| (name.clone(), r(b))).collect()
    };
    let matrix: Matrix =
        names.iter().take(5).enumerate().map(|(at, name)| (name.clone(), line(at))).collect();
    Numbers {
        file: word.to_owned(),
        encoding: "UTF-8".to_owned(),
        delimiter: ',',
        format: "text".to_owned(),
        sheet: None,
        groups: None,
        rows: 1000,
        bad_rows: 3,
        duplicate_rows: 4,
        columns,
        correlation: Correlation { pearson: matrix.clone(), spearman: matrix },
        alerts: alerts(names, word),
    }
}

fn column(name: &str, kind: &str, word: &str) -> ColumnNumbers {
    let is_number = matches!(kind, "number" | "integer");
    let number = |value: f64| is_number.then_some(value);
    let date = |value: &str| kind.starts_with("date").then(|| value.to_owned());
    let value = if is_number { serde_json::json!(-2.5) } else { serde_json::json!(word) };
    let histogram = Histogram { edges: vec![0.0, 1.0, 2.0], counts: vec![7, 3] };
    ColumnNumbers {
        name: name.to_owned(),
        kind: kind.to_owned(),
        count: 950,
        missing: 50,
        missing_ratio: 0.05,
        invalid: 2,
        distinct: 17,
        mean: number(1.5e-7),
        std: number(f64::INFINITY),
        min: number(-1e300),
        q25: number(0.25),
        median: number(1234.5),
        q75: number(2e3),
        max: number(1e300),
        zeros: is_number.then_some(9),
        negatives: is_number.then_some(0),
        skew: number(-1.25),
        kurtosis: number(f64::NAN),
        outliers: is_number.then_some(12),
        first: date("2012-01-01"),
        last: date("2015-12-31"),
        top: vec![(value, 600), (serde_json::json!(""), 100), (serde_json::json!(true), 50)],
        histogram: is_number.then_some(histogram),
    }
}

fn alerts(names: &[String], word: &str) -> Vec<Alert> {
    use AlertKind::*;
    let kinds = [
        Encoding,
        Reading,
        BadRows,
        Duplicates,
        Empty,
        Constant,
        Missing,
        MixedTypes,
        BadDates,
        Infinite,
        HighCorrelation,
        Imbalance,
        Skewed,
        Unique,
        HighCardinality,
        Zeros,
    ];
    let one = |at: usize| Alert {
        kind: kinds[at % kinds.len()],
        column: names.get(at % (names.len() + 1)).cloned(),
        detail: word.to_owned(),
    };
    // More than are seen at once, of each kind.
    (0..kinds.len() * 8).map(one).collect()
}

fn facts(columns: usize, word: &str) -> TableFacts {
    let column = ColumnFacts {
        written: Written { currency: Some('<'), percent: true, mixed_dates: true, open_date: None },
        invalid: Invalid { count: 2, distinct: 1, examples: vec![word.to_owned()] },
        shape: vec![7, 3],
    };
    TableFacts {
        bad_rows: vec![BadRow { line: 7, fields: 2, expected: columns }],
        mended: MendedRows {
            count: 4,
            first: vec![
                MendedRow { line: 9, how: Mend::Cut },
                MendedRow { line: 10, how: Mend::Quote },
            ],
        },
        notes: vec![
            Note::Undecodable(1),
            Note::Nuls(2),
            Note::Guessed,
            Note::NoHeader,
            Note::Renamed(3),
            Note::UnclosedQuote(4),
            Note::CutFields(5),
            Note::Titles(6),
            Note::HeaderLines(2),
            Note::EmptyRows(7),
            Note::Footers(8),
            Note::Comments(9),
            Note::MoreTables(vec![(9, word.to_owned()), (10, word.to_owned())]),
            Note::EmptyColumns(1),
            Note::NoDelimiter,
        ],
        columns: vec![column; columns],
    }
}

fn charts(names: &[String], word: &str) -> Vec<Chart> {
    let chart = |kind, column: Option<&String>| {
        Chart {
        kind,
        column: column.cloned(),
        name: "chart".to_owned(),
        title: word.to_owned(),
        size: (640, 360),
        svg: "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 360\"><g/></svg>".to_owned(),
        png: Vec::new(),
    }
    };
    let of_columns = names.iter().map(|name| chart(ChartKind::Distributions, Some(name)));
    ChartKind::ALL.into_iter().map(|kind| chart(kind, None)).chain(of_columns).collect()
}

fn names(many: usize) -> Vec<String> {
    (1..=many).map(|at| format!("第{at}列")).collect()
}

/// A page that shows everything once, with one word wherever a word of the file can stand.
fn whole(names: &[String], word: &str, lang: Lang) -> String {
    let some = Some(word.to_owned());
    let options =
        ReportOptions { lang, title: some.clone(), made_at: some.clone(), served_by: some };
    page(&numbers(names, word), &facts(names.len(), word), &charts(names, word), &options)
}

fn parse(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(page, options).expect("a page is well-formed")
}

/// Everything that a person reads, hovers over or hears.
fn read(document: &Document) -> Vec<String> {
    let mut found = Vec::new();
    for node in document.descendants() {
        if node.is_text() && node.parent_element().is_none_or(|p| p.tag_name().name() != "style") {
            found.extend(node.text().map(str::to_owned));
        }
        let said = node.attributes().filter(|a| ["title", "aria-label"].contains(&a.name()));
        found.extend(said.map(|a| a.value().to_owned()));
    }
    found
}

/// Names of elements and of their attributes, in order: what a name of a column must not change.
fn shape(page: &str) -> Vec<String> {
    let document = parse(page);
    let elements = document.descendants().filter(|node| node.is_element());
    elements
        .map(|node| {
            // Whether a text is long enough to be shown on hovering is the text's business.
            let attributes = node.attributes().map(|a| a.name()).filter(|name| *name != "title");
            format!("{} {}", node.tag_name().name(), attributes.collect::<Vec<_>>().join(" "))
        })
        .collect()
}

#[test]
fn a_page_is_whole_and_loads_nothing() {
    let names = names(9);
    let page = whole(&names, "词", Lang::En);
    let document = parse(&page);
    for node in document.descendants().filter(|node| node.is_element()) {
        let name = node.tag_name().name();
        assert!(!["script", "link", "iframe", "object", "img", "base"].contains(&name), "{name}");
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on"), "{attribute:?}");
            if ["href", "src", "action", "data"].contains(&attribute.name()) {
                assert!(attribute.value().starts_with('#'), "{attribute:?}");
            }
        }
    }
    let style = document
        .descendants()
        .find(|node| node.has_tag_name(("http://www.w3.org/1999/xhtml", "style")));
    let style = style.and_then(|node| node.text()).unwrap();
    assert!(style.len() > 1000 && !style.contains("url(") && !style.contains("@import"));
    // Beside names of XML there is no address at all.
    let addresses = page.matches("http://").count() + page.matches("https://").count();
    let spaces = page.matches("=\"http://www.w3.org/").count();
    assert_eq!(addresses, spaces);

    let heads: Vec<&str> = document
        .descendants()
        .filter(|node| node.tag_name().name() == "article")
        .filter_map(|card| card.descendants().find(|node| node.tag_name().name() == "bdi"))
        .filter_map(|name| name.text())
        .collect();
    assert_eq!(heads, names);
    let drawn = document.descendants().filter(|node| node.tag_name().name() == "figure").count();
    // A distribution without a column has a section.
    assert_eq!(drawn, ChartKind::ALL.len() + names.len());
}

/// Rules of a style sheet: the block that each stands in (`@media ...` or nothing), its selector
/// and its declarations.
fn rules(css: &str) -> Vec<(String, String, String)> {
    let (mut found, mut block, mut text): (Vec<_>, Vec<String>, _) =
        (Vec::new(), Vec::new(), String::new());
    for c in css.chars() {
        match c {
            '{' => block.push(std::mem::take(&mut text).trim().to_owned()),
            '}' => {
                let selector = block.pop().expect("a brace closes what was opened");
                let body = std::mem::take(&mut text);
                if !selector.starts_with("@media") {
                    found.push((block.join(" "), selector, body));
                }
            }
            // Of `@page` and the like only blocks are looked at.
            _ => text.push(c),
        }
    }
    assert!(block.is_empty(), "{block:?} is not closed");
    found
}

/// The last part of each selector of a list, which is what a rule is about.
fn subjects(selector: &str) -> impl Iterator<Item = &str> {
    selector.split(',').filter_map(|one| one.split([' ', '>', '+']).next_back())
}

#[test]
fn everything_on_the_page_has_its_rules() {
    let page = whole(&names(9), "词", Lang::En);
    let document = parse(&page);
    let style = document.descendants().find(|node| node.tag_name().name() == "style").unwrap();
    let rules = rules(style.text().unwrap());
    let named =
        |part: &str, name: &str| part.split([':', '[', '.']).any(|one| one == name) || part == name;
    let base = || rules.iter().filter(|rule| rule.0.is_empty()).map(|rule| rule.1.as_str());
    let styled = |class: &str| {
        let mut parts = base().flat_map(|selector| selector.split([' ', '>', '+', ',']));
        parts.any(|part| part.contains('.') && named(part, class))
    };
    let classes: BTreeSet<&str> = document
        .descendants()
        .filter_map(|node| node.attribute("class"))
        .flat_map(str::split_whitespace)
        // The other half of a pair, which looks as the element does.
        .filter(|class| !["plus", "empty"].contains(class))
        .collect();
    let bare: Vec<&&str> = classes.iter().filter(|class| !styled(class)).collect();
    assert!(classes.len() > 30 && bare.is_empty(), "{bare:?}");
    // What lays out the page has a rule of its own beside those of what it contains.
    for name in [
        "body", "header", "main", "table", "contents", "tiles", "alerts", "charts", "card", "badge",
    ] {
        assert!(base().flat_map(subjects).any(|part| named(part, name)), "{name}");
    }

    // What is a colour in the light is one in the dark too, and nothing asks for an unknown one.
    let variables = |dark: bool| -> BTreeSet<&str> {
        let roots = rules.iter().filter(|(block, selector, _)| {
            selector == ":root" && block.contains("dark") == dark && !block.contains("print")
        });
        let names = roots.flat_map(|(_, _, body)| body.split(';'));
        names.filter_map(|line| line.split_once(':')?.0.trim().strip_prefix("--")).collect()
    };
    assert_eq!(variables(false), variables(true));
    for used in page.split("var(--").skip(1) {
        let name = used.split([')', ',']).next().unwrap();
        assert!(variables(false).contains(name), "{name}");
    }
    for block in ["max-width: 820px", "print", "prefers-reduced-motion"] {
        assert!(rules.iter().any(|rule| rule.0.contains(block)), "{block}");
    }
}

#[test]
fn links_lead_somewhere_and_headings_are_in_order() {
    let page = whole(&names(9), "词", Lang::En);
    let document = parse(&page);
    let mut ids: Vec<&str> = document.descendants().filter_map(|n| n.attribute("id")).collect();
    for link in document.descendants().filter_map(|node| node.attribute("href")) {
        assert!(ids.contains(&&link[1..]), "{link}");
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id comes once");
    let mut last = 0;
    for node in document.descendants() {
        let Some(level) = node.tag_name().name().strip_prefix('h').and_then(|n| n.parse().ok())
        else {
            continue;
        };
        assert!(level <= last + 1, "h{level} after h{last}");
        last = level;
    }
    for head in document.descendants().filter(|node| node.tag_name().name() == "th") {
        assert!(head.has_attribute("scope"), "{head:?}");
    }
    for drawing in document.descendants().filter(|node| node.tag_name().name() == "svg") {
        assert!(drawing.has_attribute("aria-label") || drawing.has_attribute("aria-hidden"));
    }
}

#[test]
fn the_chinese_page_is_chinese_and_the_english_one_english() {
    // What is written so in both languages.
    let known = ["CSV", "UTF", "NA", "null", "true", "NUL", "table", "delimiter"];
    let chinese = whole(&names(9), "词", Lang::Zh);
    assert!(chinese.contains("<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"zh-CN\""));
    for text in read(&parse(&chinese)) {
        // Signs of types are pictures, not words.
        for word in text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 1) {
            assert!(known.contains(&word) || word == "Aa", "{word:?} in {text:?}");
        }
    }
    let names: Vec<String> = (1..=9).map(|at| format!("c{at}")).collect();
    for text in read(&parse(&whole(&names, "word", Lang::En))) {
        let chinese = text.chars().find(|c| ('\u{2e80}'..='\u{ffef}').contains(c));
        assert_eq!(chinese, None, "{text:?}");
    }
}

#[test]
fn nothing_of_a_file_becomes_markup() {
    let tame = shape(&whole(&["a".to_owned(), "b".to_owned()], "word", Lang::En));
    for nasty in NASTY {
        let page = whole(&[format!("{nasty}1"), nasty.to_owned()], nasty, Lang::En);
        assert_eq!(shape(&page), tame, "{nasty:?}");
        assert!(!page.contains("<script"), "{nasty:?}");
        let hidden = |c: char| {
            (c.is_control() && c != '\n') || "\u{202e}\u{feff}\u{2028}\u{fffe}\u{ffff}".contains(c)
        };
        assert_eq!(page.find(hidden), None, "{nasty:?}");
    }
}

#[test]
fn a_long_name_is_shortened_and_whole_on_hovering() {
    let long = "很长的名字<".repeat(1700)[..24_000].to_owned();
    let page = whole(&[long.clone(), "b".to_owned()], "word", Lang::En);
    let document = parse(&page);
    let card = document.descendants().find(|node| node.attribute("id") == Some("c1")).unwrap();
    let name = card.descendants().find(|node| node.tag_name().name() == "bdi").unwrap();
    assert_eq!(name.attribute("title"), Some(long.as_str()));
    assert_eq!(name.text().unwrap().chars().count(), 97);
    // Nowhere else: the page stays small.
    assert!(page.len() < 200_000, "{}", page.len());
}

#[test]
fn long_names_that_differ_do_so_in_every_link() {
    let name = |at: usize| format!("{} question {at} {}", "survey ".repeat(9), "income ".repeat(9));
    let names: Vec<String> = (1..30).map(name).collect();
    let page =
        page(&numbers(&names, "word"), &TableFacts::default(), &[], &ReportOptions::default());
    let document = parse(&page);
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for link in document.descendants().filter(|node| node.tag_name().name() == "a") {
        let name = link.descendants().find(|node| node.tag_name().name() == "bdi");
        if let (Some(to), Some(name)) = (link.attribute("href"), name.and_then(|n| n.text())) {
            found.entry(to).or_default().insert(name);
        }
    }
    assert_eq!(found.len(), 29);
    let different: BTreeSet<&&str> = found.values().flatten().collect();
    assert_eq!(different.len(), 29, "{found:?}");
}

#[test]
fn five_thousand_columns_make_a_page_that_opens() {
    let names = names(5000);
    let mut charts = charts(&names, "词");
    for chart in &mut charts {
        chart.svg = chart.svg.replace("<g/>", &"<path d=\"M0 0h1v1z\"/>".repeat(2000));
    }
    let numbers = numbers(&names, "词");
    let page = page(&numbers, &facts(names.len(), "词"), &charts, &ReportOptions::default());
    assert!(page.len() < 10_000_000, "{}", page.len());
    let document = parse(&page);
    let cards = document.descendants().filter(|node| node.tag_name().name() == "article").count();
    assert_eq!(cards, MOST_CARDS);
    assert!(page.contains("The first 200 of 5,000 columns have a card here"));
    assert!(page.contains("Charts left out to keep this page small"));
    let text = read(&document).concat();
    assert!(names.iter().all(|name| text.contains(name.as_str())));
}

#[test]
fn hardly_anything_makes_a_page_too() {
    let numbers = Numbers {
        file: String::new(),
        encoding: String::new(),
        delimiter: '\u{0}',
        format: "text".to_owned(),
        sheet: None,
        groups: None,
        rows: 0,
        bad_rows: 0,
        duplicate_rows: 0,
        columns: vec![ColumnNumbers::default()],
        correlation: Correlation::default(),
        alerts: Vec::new(),
    };
    let one = page(&numbers, &TableFacts::default(), &[], &ReportOptions::default());
    assert!(parse(&one).descendants().any(|node| node.attribute("id") == Some("c1")));
    let none = Numbers { columns: Vec::new(), ..numbers };
    let none = page(&none, &TableFacts::default(), &[], &ReportOptions::default());
    assert!(none.contains("0 rows × 0 columns") && none.contains("no problems were found"));
    parse(&none);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_name_is_only_a_name(name in "\\PC{1,40}|.{1,40}|[<>&\"'\\]\\-!\\[{}0-9\\p{Cc}\\p{Cf}]{1,40}") {
        let tame = shape(&whole(&["a".to_owned(), "b".to_owned()], "word", Lang::Zh));
        let page = whole(&[format!("{name}1"), name.clone()], &name, Lang::Zh);
        prop_assert_eq!(shape(&page), tame);
    }

    #[test]
    fn the_same_input_makes_the_same_page(name in ".{1,20}") {
        let names = [name.clone(), format!("{name}2")];
        prop_assert_eq!(whole(&names, &name, Lang::En), whole(&names, &name, Lang::En));
    }
}
