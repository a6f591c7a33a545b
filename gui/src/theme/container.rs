//! Grounds, cards and their text.

use iced::{
    Background, Border, Color,
    widget::{
        container::{Catalog, Style, StyleFn},
        text,
    },
};

use super::{Theme, Tone, radius};

impl Catalog for Theme {
    type Class<'a> = StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(bare)
    }

    fn style(&self, class: &Self::Class<'_>) -> Style {
        class(self)
    }
}

impl text::Catalog for Theme {
    type Class<'a> = text::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|_| text::Style::default())
    }

    fn style(&self, class: &Self::Class<'_>) -> text::Style {
        class(self)
    }
}

/// Nothing.
pub fn bare(_: &Theme) -> Style {
    Style::default()
}

/// Behind a screen.
pub fn content(theme: &Theme) -> Style {
    ground(theme.roles().bg)
}

/// Sidebar, panels, headers.
pub fn panel(theme: &Theme) -> Style {
    ground(theme.roles().surface)
}

/// The head of a table.
pub fn head(theme: &Theme) -> Style {
    Style {
        border: Border { radius: iced::border::top(radius::CARD - 1.0), ..Border::default() },
        text_color: Some(theme.roles().muted),
        ..ground(theme.roles().bg)
    }
}

/// A card.
pub fn card(theme: &Theme) -> Style {
    framed(theme.roles().surface, theme.roles().line, 1.0, radius::CARD)
}

/// The chosen card; its padding is one less.
pub fn card_chosen(theme: &Theme) -> Style {
    framed(theme.roles().surface, theme.roles().primary, 2.0, radius::CARD)
}

/// Something to copy or to type into, inside a card.
pub fn well(theme: &Theme) -> Style {
    framed(theme.roles().surface, theme.roles().line, 1.0, radius::CONTROL)
}

/// The ground of a segment.
pub fn rail(theme: &Theme) -> Style {
    framed(theme.roles().raised, theme.roles().line, 1.0, radius::CONTROL)
}

/// A message box.
pub fn dialog(theme: &Theme) -> Style {
    Style { text_color: Some(theme.roles().text), ..card(theme) }
}

/// A short message in the corner.
pub fn toast(theme: &Theme) -> Style {
    Style {
        text_color: Some(theme.roles().text),
        ..framed(theme.roles().surface, theme.roles().edge, 1.0, radius::CARD)
    }
}

/// Over the page behind a dialog.
pub fn scrim(theme: &Theme) -> Style {
    ground(theme.roles().scrim)
}

/// What somebody wrote: this person's on a tint, the others' in a frame.
pub fn bubble(mine: bool) -> impl Fn(&Theme) -> Style {
    move |theme| {
        let roles = theme.roles();
        let (ground, line) = match mine {
            true => (roles.primary_tint, roles.primary_tint),
            false => (roles.surface, roles.line),
        };
        Style { text_color: Some(roles.text), ..framed(ground, line, 1.0, radius::CARD) }
    }
}

/// A line between two columns.
pub fn line(theme: &Theme) -> Style {
    ground(theme.roles().line)
}

/// A place to drop files on; `over` while something is held above it.
pub fn drop(over: bool) -> impl Fn(&Theme) -> Style {
    move |theme| {
        let roles = theme.roles();
        match over {
            true => framed(roles.primary_tint, roles.primary, 2.0, radius::CARD),
            false => framed(roles.bg, roles.edge, 1.0, radius::CARD),
        }
    }
}

/// The words under the pointer.
pub fn tip(theme: &Theme) -> Style {
    let roles = theme.roles();
    Style {
        text_color: Some(roles.bg),
        border: Border::default().rounded(radius::CONTROL),
        ..ground(roles.text)
    }
}

/// A badge: a pill of a tone. On a chosen row the neutral one needs another ground.
pub fn badge(tone: Tone) -> impl Fn(&Theme) -> Style {
    move |theme| {
        let (text, background) = tone.colors(theme);
        pill(text, background)
    }
}

/// A count.
pub fn count(theme: &Theme) -> Style {
    pill(theme.roles().on_primary, theme.roles().primary)
}

/// A note between things.
pub fn note(tone: Tone) -> impl Fn(&Theme) -> Style {
    move |theme| Style {
        text_color: Some(theme.roles().text),
        border: Border::default().rounded(radius::CONTROL),
        ..ground(tone.colors(theme).1)
    }
}

/// A square for a machine or a capability.
pub fn tile(tone: Tone, rounded: f32) -> impl Fn(&Theme) -> Style {
    move |theme| {
        let (text, background) = tone.colors(theme);
        Style { border: Border::default().rounded(rounded), ..pill(text, background) }
    }
}

/// The circle of a person.
pub fn hue(hue: usize) -> impl Fn(&Theme) -> Style {
    move |theme| {
        let (text, background) = theme.roles().hues[hue % 6];
        pill(text, background)
    }
}

/// The filled part of a bar, and marks.
pub fn accent(tone: Tone) -> impl Fn(&Theme) -> Style {
    move |theme| {
        let roles = theme.roles();
        let color = if tone == Tone::Neutral { roles.edge } else { tone.colors(theme).0 };
        Style { border: Border::default().rounded(99.0), ..ground(color) }
    }
}

/// The track of a bar.
pub fn bar(theme: &Theme) -> Style {
    Style { border: Border::default().rounded(99.0), ..ground(theme.roles().raised) }
}

/// What is beside the text.
pub fn muted(theme: &Theme) -> text::Style {
    text::Style { color: Some(theme.roles().muted) }
}

/// Text as it is everywhere, also on a ground that says otherwise.
pub fn plain_text(theme: &Theme) -> text::Style {
    text::Style { color: Some(theme.roles().text) }
}

/// Text that leads on.
pub fn primary_text(theme: &Theme) -> text::Style {
    text::Style { color: Some(theme.roles().primary) }
}

/// Good news.
pub fn success_text(theme: &Theme) -> text::Style {
    text::Style { color: Some(theme.roles().success) }
}

/// A warning.
pub fn warning_text(theme: &Theme) -> text::Style {
    text::Style { color: Some(theme.roles().warning) }
}

/// Bad news.
pub fn danger_text(theme: &Theme) -> text::Style {
    text::Style { color: Some(theme.roles().danger) }
}

fn ground(color: Color) -> Style {
    Style { background: Some(Background::Color(color)), ..Style::default() }
}

fn framed(color: Color, line: Color, width: f32, rounded: f32) -> Style {
    Style { border: Border { color: line, width, radius: rounded.into() }, ..ground(color) }
}

fn pill(text: Color, color: Color) -> Style {
    Style { text_color: Some(text), border: Border::default().rounded(99.0), ..ground(color) }
}
