//! The charts of the report: decoded when they are looked at, away from the window's thread.

use std::{collections::VecDeque, path::PathBuf};

use iced::Task;

use super::{Action, Analyze, Message, Tab};
use crate::backend::{
    files::{Source, Unread},
    pictures::{self, Fit, Shown},
    tables::Chart,
};

/// Charts that are kept as pixels, 4 MB each.
const KEPT: usize = 12;
/// Columns and rows of a chart: as it is drawn, but for very tall ones.
const LARGEST: (u32, u32) = (1200, 1600);

/// Charts that were looked at.
#[derive(Debug, Default)]
pub(super) struct Pictures(VecDeque<(PathBuf, Option<Result<Shown, Unread>>)>);

impl Pictures {
    /// A chart was decoded.
    pub fn came(&mut self, path: PathBuf, shown: Result<Shown, Unread>) {
        if let Some((_, place)) = self.0.iter_mut().find(|(known, _)| *known == path) {
            *place = Some(shown);
        }
    }

    /// The chart, as far as it is known.
    pub fn get(&self, path: &PathBuf) -> Option<&Result<Shown, Unread>> {
        self.0.iter().find(|(known, _)| known == path)?.1.as_ref()
    }

    /// Whether it has to be decoded; it is noted that it will be.
    fn wants(&mut self, path: &PathBuf) -> bool {
        if let Some(at) = self.0.iter().position(|(known, _)| known == path) {
            // What was looked at last goes last.
            let known = self.0.remove(at);
            self.0.extend(known);
            return false;
        }
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back((path.clone(), None));
        true
    }
}

impl Analyze {
    /// The charts of the part that shows.
    pub(super) fn charts(&self) -> Vec<&Chart> {
        let Some(report) = self.report() else { return Vec::new() };
        let starts: &[&str] = match self.tab {
            Tab::Overview | Tab::Alerts => return Vec::new(),
            Tab::Columns => {
                let of_column =
                    |chart: &&Chart| self.column.is_some() && chart.column == self.column;
                return report.charts.iter().filter(of_column).collect();
            }
            Tab::Heatmap => &["heatmap"],
            Tab::Scatter => &["scatter-"],
            Tab::Missing => &["missing"],
            Tab::Skew => &["skew"],
            Tab::Trends => &["trend-"],
            Tab::Cloud => &["cloud"],
        };
        let fits = |chart: &&Chart| starts.iter().any(|start| chart.name.starts_with(start));
        report.charts.iter().filter(fits).collect()
    }

    /// The chart that shows.
    pub(super) fn shown_chart(&self) -> Option<&Chart> {
        self.charts().get(self.chart).copied()
    }

    /// Has the chart that shows decoded, where it is not.
    pub(super) fn fetch(&mut self) -> Action<Message> {
        let path = self.shown_chart().and_then(|chart| Some(self.report()?.file(&chart.picture())));
        let Some(path) = path.filter(|path| self.pictures.wants(path)) else {
            return Action::None;
        };
        let read = pictures::read(Source::File(path.clone()), Fit::Within(LARGEST.0, LARGEST.1));
        Action::Run(Task::perform(read, move |shown| Message::Picture(path.clone(), shown)))
    }

    /// The chart that shows, as pixels; `None` while it is decoded.
    pub(super) fn picture(&self) -> Option<&Result<Shown, Unread>> {
        let chart = self.shown_chart()?;
        self.pictures.get(&self.report()?.file(&chart.picture()))
    }
}
