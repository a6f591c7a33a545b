//! What was found on one picture, and asking for it.

use iced::Task;
use potluck::{
    client::{CallInput, RouteHop, Served},
    services::{
        detect::{self, Thing},
        marks::Mark,
        ocr::{self, Line},
    },
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Message, PATIENCE, Piece, State, Trouble, Which};
use crate::{
    backend::{Ask, Backend, Heard},
    words::Lang,
};

/// What was found on a picture.
#[derive(Debug, Clone)]
pub struct Found {
    /// Things or lines, in pixels of the picture.
    pub items: Items,
    /// Who did the work.
    pub served_by: Served,
    /// Who was tried, in order.
    pub route: Vec<RouteHop>,
    /// From question to answer.
    pub milliseconds: u64,
}

/// Things or lines of text.
#[derive(Debug, Clone, PartialEq)]
pub enum Items {
    /// Things, the surest first.
    Things(Vec<Thing>),
    /// Lines, in reading order.
    Lines(Vec<Line>),
}

impl Items {
    /// How many.
    pub fn count(&self) -> usize {
        match self {
            Self::Things(things) => things.len(),
            Self::Lines(lines) => lines.len(),
        }
    }

    /// What one is, or says.
    pub fn said(&self, lang: Lang, at: usize) -> &str {
        match self {
            Self::Things(things) => things.get(at).map_or("", |thing| thing.name(lang)),
            Self::Lines(lines) => lines.get(at).map_or("", |line| &line.text),
        }
    }

    /// How sure that is, 0 to 1.
    pub fn sure(&self, at: usize) -> f32 {
        match self {
            Self::Things(things) => things.get(at).map_or(0.0, |thing| thing.confidence),
            Self::Lines(lines) => lines.get(at).map_or(0.0, |line| line.confidence),
        }
    }

    /// What is drawn on a copy.
    pub fn marks(&self, lang: Lang) -> Vec<Mark> {
        match self {
            Self::Things(things) => things.iter().map(|thing| thing.mark(lang)).collect(),
            Self::Lines(lines) => {
                lines.iter().enumerate().map(|(at, line)| line.mark(at + 1)).collect()
            }
        }
    }

    /// All of it for the clipboard, a line each.
    pub fn in_words(&self, lang: Lang) -> String {
        let line = |at: usize| match self {
            Self::Things(things) => {
                let frame = things.get(at).map(|thing| thing.frame);
                let place = frame
                    .map(|at| format!("{:.0},{:.0} {:.0}×{:.0}", at.x, at.y, at.width, at.height));
                let sure = self.sure(at) * 100.0;
                format!("{}\t{sure:.0}%\t{}", self.said(lang, at), place.unwrap_or_default())
            }
            Self::Lines(_) => self.said(lang, at).to_owned(),
        };
        (0..self.count()).map(line).collect::<Vec<_>>().join("\n")
    }
}

/// An answer with its picture's size, and what of it can be right.
trait Answer: DeserializeOwned + Send + 'static {
    fn size(&self) -> (u32, u32);
    fn items(self) -> Items;
}

impl Answer for detect::Response {
    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn items(self) -> Items {
        let size = self.size();
        Items::Things(Thing::checked(self.things, size))
    }
}

impl Answer for ocr::Response {
    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn items(self) -> Items {
        let size = self.size();
        Items::Lines(Line::checked(self.lines, size))
    }
}

/// Asks who can find it.
pub(super) fn ask(piece: &mut Piece, which: Which, backend: &Backend) -> Option<Task<Message>> {
    let size = piece.read.as_ref()?.size;
    let (id, input, backend) = (piece.id, piece.source.input(), backend.clone());
    let looked = async move {
        match which {
            Which::Things => {
                let request = detect::Request::default();
                look::<_, detect::Response>(backend, "detect/1", request, input, size).await
            }
            Which::Text => {
                let request = ocr::Request::default();
                look::<_, ocr::Response>(backend, "ocr/1", request, input, size).await
            }
        }
    };
    let task = Task::perform(looked, move |found| Message::Answered(id, found));
    Some(piece.start(State::Running, task))
}

async fn look<R: Serialize + Send + 'static, A: Answer>(
    backend: Backend,
    capability: &'static str,
    request: R,
    input: CallInput,
    size: (u32, u32),
) -> Result<Found, Trouble> {
    let ask = Ask { capability, variant: None, request, input, timeout: PATIENCE };
    let heard: Heard<A> = backend.ask(ask).await.map_err(Trouble::Mesh)?;
    let Heard { response, served_by, route, milliseconds } = heard;
    let (width, height) = response.size();
    if (width, height) != size {
        return Err(Trouble::Odd(format!("it is about {width} x {height} pixels")));
    }
    Ok(Found { items: response.items(), served_by, route, milliseconds })
}
