//! `potluck detect`: what is where on pictures, found in the mesh.

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
    detect::{Response, Thing},
    marks::Mark,
};

/// The options of `detect`.
#[derive(Debug, Args)]
pub struct Detect {
    #[command(flatten)]
    pictures: Pictures,
}

impl Detect {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        pictured::run::<Response>(self.pictures, common, output).await
    }
}

impl Answer for Response {
    const CAPABILITY: &'static str = "detect/1";
    const MARKED: &'static str = "things";

    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn check(&mut self) {
        self.things = Thing::checked(std::mem::take(&mut self.things), self.size());
    }

    fn marks(&self, lang: Lang) -> Vec<Mark> {
        self.things.iter().map(|thing| thing.mark(lang)).collect()
    }

    fn found(&self) -> (&'static str, Value) {
        let thing = |thing: &Thing| {
            json!({
                "box": thing.frame,
                "name": thing.name,
                "chinese": thing.name(Lang::Zh),
                "confidence": thing.confidence,
            })
        };
        ("things", self.things.iter().map(thing).collect())
    }

    fn lines(&self, lang: Lang) -> Vec<String> {
        if self.things.is_empty() {
            return vec![words::no_thing(lang).to_owned()];
        }
        let whole = |number: f32| format!("{number:.0}");
        let line = |thing: &Thing| {
            let at = &thing.frame;
            let at =
                words::face_at(lang, whole(at.x), whole(at.y), whole(at.width), whole(at.height));
            let name = thing.name(lang);
            format!("{:5.1} %  {name}{}{at}", thing.confidence * 100.0, words::comma(lang))
        };
        self.things.iter().map(line).collect()
    }

    fn by(&self) -> [&str; 3] {
        [&self.model, &self.engine, &self.device]
    }
}
