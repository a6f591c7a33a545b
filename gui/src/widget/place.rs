//! A card to type a path in: the way for those who cannot drop files, or whose system has no dialogs.

use iced::widget::{column, row};

use super::{
    button::{Kind, button, icon_button},
    cut::cut,
    parts::{card, field},
};
use crate::{
    icon::Icon,
    theme::{self, Element, Role, space},
    words::{Lang, asking as words, shell},
};

/// The name of the field.
pub const PLACE: &str = "place";

/// What was typed, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The path.
    pub text: String,
    /// Why it cannot be used.
    pub wrong: Option<String>,
}

impl Place {
    /// Draws the card. `go` is the word on its button.
    pub fn view<'a, Message: Clone + 'a>(
        &'a self,
        lang: Lang,
        title: &'a str,
        go: &'a str,
        on_input: impl Fn(String) -> Message + 'a,
        [on_browse, on_go, on_close]: [Message; 3],
    ) -> Element<'a, Message> {
        let on_go = (!self.text.trim().is_empty()).then_some(on_go);
        let input = field(
            words::path_hint(lang),
            &self.text,
            self.wrong.as_deref(),
            Role::Body,
            PLACE,
            on_input,
            on_go.clone(),
        );
        let head = row![
            cut(title, Role::Strong).style(theme::plain_text).fill(),
            icon_button(Icon::X, shell::close(lang), Some(on_close)),
        ]
        .align_y(iced::Alignment::Center);
        let line = row![
            input,
            icon_button(Icon::Folder, words::browse(lang), Some(on_browse)),
            button(go).kind(Kind::Primary).on_press_maybe(on_go),
        ]
        .spacing(space::S);
        card(column![head, line].spacing(space::S))
    }
}
