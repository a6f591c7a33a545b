//! A whole analysis, from bytes to files.

use std::{borrow::Cow, path::Path};

use crate::{
    AnalysisError, Facets, Lang, Numbers, Table, Watch,
    charts::{self, Chart, ChartKind, ChartOptions, Theme},
    cloud::{self, CloudOptions, Mask},
    read::{self, Again, ReadOptions, Source},
    report::{self, ReportOptions, TableFacts},
    stats::{self, StatsOptions},
    watch::Stage,
    wrong,
};

/// What is wanted of an analysis. The default is a report with everything, in English.
#[derive(Debug, Clone)]
pub struct Options {
    /// How the file is read, with how much memory and how many threads; the same bounds hold for
    /// everything after.
    pub read: ReadOptions,
    /// Of the report, its charts and its alerts.
    pub lang: Lang,
    /// Of pictures; the page itself has both.
    pub theme: Theme,
    /// These charts only.
    pub only: Option<Vec<ChartKind>>,
    /// The column of the word cloud; otherwise the one with the most words.
    pub column: Option<String>,
    /// A number column by which the words of the cloud are sized, instead of by how often they come.
    pub weight: Option<String>,
    /// A column by whose values the number columns are split.
    pub group: Option<String>,
    /// What the word cloud fills.
    pub mask: Mask,
    /// The same seed gives the same word cloud.
    pub seed: u64,
    /// Whether charts are made as PNG too.
    pub png: bool,
    /// When the report was made, as it shall be shown.
    pub made_at: Option<String>,
    /// Who made it.
    pub served_by: Option<String>,
    /// Whether the page carries its font.
    pub font: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            read: ReadOptions::default(),
            lang: Lang::default(),
            theme: Theme::default(),
            only: None,
            column: None,
            weight: None,
            group: None,
            mask: Mask::default(),
            seed: 0,
            png: true,
            made_at: None,
            served_by: None,
            font: true,
        }
    }
}

/// What an analysis gives.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// `numbers.json`.
    pub numbers: Numbers,
    /// Every chart that was wanted and makes sense for this table.
    pub charts: Vec<Chart>,
    /// `report.html`.
    pub html: String,
}

/// Reads a table, computes its numbers, draws its charts and writes its report.
///
/// # Errors
///
/// Those of [`Mask::check`], [`read::read`], [`stats::compute`] and [`cloud::draw`].
pub fn analyze(
    source: Source,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Analysis, AnalysisError> {
    let wanted = |kind| options.only.as_ref().is_none_or(|only| only.contains(&kind));
    // Before anybody works for nothing.
    if wanted(ChartKind::Cloud) {
        options.mask.check()?;
    }
    read::read_then(source, &options.read, watch, |table, again| {
        described(table, again, options, watch)
    })
}

/// Everything after the reading.
fn described(
    table: Table,
    again: &Again,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Analysis, AnalysisError> {
    let wanted = |kind| options.only.as_ref().is_none_or(|only| only.contains(&kind));
    let stats_options = StatsOptions {
        lang: options.lang,
        text_column: options.column.clone(),
        words: wanted(ChartKind::Cloud),
        threads: options.read.threads,
        memory: options.read.memory / 2,
    };
    let (mut numbers, mut facets) = stats::compute(&table, &stats_options, watch)?;
    if let Some(weight) = options.weight.as_ref().filter(|_| wanted(ChartKind::Cloud)) {
        let text = options.column.clone().or(facets.words.map(|words| words.column));
        let text = text.ok_or_else(|| AnalysisError::BadOption(wrong::no_cloud_to_weigh()))?;
        facets.words = Some(stats::groups::weighted(&table, (&text, weight), again)?);
    }
    if let Some(group) = &options.group {
        numbers.groups = Some(stats::groups::groups(&table, group, again, watch)?);
    }
    let facts = TableFacts::of(&table).with_shapes(&numbers, &facets);
    drop(table);
    let charts = draw(&numbers, &facets, options, watch)?;
    watch.stage(Stage::Writing, 0.0);
    let report = ReportOptions {
        lang: options.lang,
        title: None,
        made_at: options.made_at.clone(),
        served_by: options.served_by.clone(),
        font: options.font,
    };
    let html = report::page(&numbers, &facts, &charts, &report);
    watch.check()?;
    Ok(Analysis { numbers, charts, html })
}

/// All charts; the word cloud is laid out beside the others.
fn draw(
    numbers: &Numbers,
    facets: &Facets,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Vec<Chart>, AnalysisError> {
    watch.stage(Stage::Drawing, 0.0);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.read.threads.max(1))
        .build()
        .map_err(|e| AnalysisError::Io {
            what: "cannot start threads".into(),
            source: std::io::Error::other(e),
        })?;
    let chart_options = ChartOptions {
        lang: options.lang,
        theme: options.theme,
        only: options.only.clone(),
        png: options.png,
        threads: 0,
    };
    let cloud_options = CloudOptions {
        lang: options.lang,
        theme: options.theme,
        mask: options.mask.clone(),
        seed: options.seed,
        png: options.png,
        ..CloudOptions::default()
    };
    let cloud = || match &facets.words {
        Some(words) => cloud::draw(words, &cloud_options, watch),
        None => Ok(None),
    };
    let others = || charts::draw(numbers, facets, &chart_options, watch);
    let (cloud, charts) = pool.install(|| rayon::join(cloud, others));
    let mut charts = charts?;
    charts.extend(cloud?);
    Ok(charts)
}

impl Analysis {
    /// The files of the report with their names: `report.html`, `numbers.json`, and every chart as
    /// SVG and PNG. Names are of `a-z`, `0-9`, `-` and `.` only.
    pub fn files(&self) -> Vec<(String, Cow<'_, [u8]>)> {
        let numbers = serde_json::to_vec_pretty(&self.numbers).unwrap_or_default();
        let mut files = vec![
            ("report.html".to_owned(), Cow::Borrowed(self.html.as_bytes())),
            ("numbers.json".to_owned(), Cow::Owned(numbers)),
        ];
        for chart in &self.charts {
            let svg = chart.standalone_svg().into_bytes();
            files.push((format!("{}.svg", chart.name), Cow::Owned(svg)));
            if !chart.png.is_empty() {
                files.push((format!("{}.png", chart.name), Cow::Borrowed(&chart.png[..])));
            }
        }
        files
    }

    /// Writes the files into a folder, which is made if need be.
    pub fn write(&self, folder: &Path) -> Result<(), AnalysisError> {
        let failed = |path: &Path| {
            let what = format!("{} cannot be written", path.display());
            move |source| AnalysisError::Io { what, source }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        for (name, bytes) in self.files() {
            let path = folder.join(name);
            std::fs::write(&path, bytes).map_err(failed(&path))?;
        }
        Ok(())
    }
}
