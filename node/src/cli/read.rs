//! `potluck read`: the text on pictures, read in the mesh.

use std::process::ExitCode;

use clap::Args;
use potluck_i18n::Lang;
use serde_json::{Value, json};

use super::{
    Common, Failure,
    output::Output,
    pictured::{self, Answer, Pictures},
    words,
};
use crate::services::{
    marks::Mark,
    ocr::{Line, Response},
};

/// The options of `read`.
#[derive(Debug, Args)]
pub struct Read {
    #[command(flatten)]
    pictures: Pictures,
}

impl Read {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        pictured::run::<Response>(self.pictures, common, output).await
    }
}

impl Answer for Response {
    const CAPABILITY: &'static str = "ocr/1";
    const MARKED: &'static str = "text";

    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn check(&mut self) {
        self.lines = Line::checked(std::mem::take(&mut self.lines), self.size());
    }

    fn marks(&self, _: Lang) -> Vec<Mark> {
        self.lines.iter().enumerate().map(|(index, line)| line.mark(index + 1)).collect()
    }

    fn found(&self) -> (&'static str, Value) {
        ("lines", json!(self.lines))
    }

    fn lines(&self, lang: Lang) -> Vec<String> {
        if self.lines.is_empty() {
            return vec![words::no_text(lang).to_owned()];
        }
        self.lines.iter().map(|line| line.text.clone()).collect()
    }

    fn by(&self) -> [&str; 3] {
        [&self.model, &self.engine, &self.device]
    }
}
