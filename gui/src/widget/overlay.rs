//! What lies over a page: message boxes and short messages.

use std::time::{Duration, Instant};

use iced::{
    Alignment, Length, Padding,
    widget::{Column, Row, Space, container, mouse_area, opaque, row, stack},
};

use super::{
    button::{Kind, button, icon_button},
    focus::inert,
    parts::tile,
    rise::rise,
};
use crate::{
    icon::Icon,
    theme::{self, Element, Role, Tone, space},
    words::{Lang, shell as words},
};

/// How long a short message stays.
const STAY: Duration = Duration::from_secs(6);
/// How many show at once.
const MOST: usize = 3;

/// A message box: what happened, why, what to do. One at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Dialog<Message> {
    /// What kind of news it is.
    pub tone: Tone,
    /// Its icon.
    pub icon: Icon,
    /// What happened, in one line.
    pub title: String,
    /// Why, and what to do.
    pub text: String,
    /// For somebody who helps: behind "Copy details".
    pub details: Option<String>,
    /// What to do about it: label and message. The last is the one that is meant.
    pub actions: Vec<(String, Message)>,
}

/// Draws a message box. Escape is the first action; `copy` takes the details.
pub fn dialog<'a, Message: Clone + 'a>(
    made: &'a Dialog<Message>,
    lang: Lang,
    copy: impl Fn(String) -> Message,
) -> Element<'a, Message> {
    let heading = row![
        tile(made.icon, 44.0, made.tone),
        Column::new()
            .push(Role::Title.text(&made.title))
            .push(Role::Body.text(&made.text))
            .spacing(space::S)
            .width(Length::Fill),
    ]
    .spacing(space::L);
    let mut buttons = Row::new().spacing(space::S).align_y(Alignment::Center);
    if let Some(details) = &made.details {
        buttons = buttons.push(
            button(words::copy_details(lang))
                .kind(Kind::Link)
                .icon(Icon::Copy)
                .small()
                .on_press(copy(details.clone())),
        );
    }
    buttons = buttons.push(Space::new().width(Length::Fill));
    let last = made.actions.len().saturating_sub(1);
    for (index, (label, message)) in made.actions.iter().enumerate() {
        let kind = match (index == last, made.tone) {
            (true, Tone::Danger) => Kind::DangerFilled,
            (true, _) => Kind::Primary,
            (false, _) => Kind::Quiet,
        };
        let action = button(label.as_str()).kind(kind).on_press(message.clone());
        buttons = buttons.push(if index == last { action.id(DIALOG_FOCUS) } else { action });
    }
    container(Column::new().push(heading).push(buttons).spacing(space::XL))
        .padding(space::XL)
        .max_width(480.0)
        .style(theme::dialog)
        .into()
}

/// The button of a dialog that has the keyboard first.
pub const DIALOG_FOCUS: &str = "dialog";

/// Lays something over a page, which can't be used meanwhile. A press beside it sends `beside`.
pub fn over<'a, Message: Clone + 'a>(
    page: impl Into<Element<'a, Message>>,
    above: Option<Element<'a, Message>>,
    beside: Message,
    motion: bool,
) -> Element<'a, Message> {
    let still = above.is_some();
    let mut layers = stack![inert(page, still)];
    if let Some(above) = above {
        let scrim = mouse_area(
            container(Space::new()).width(Length::Fill).height(Length::Fill).style(theme::scrim),
        )
        .on_press(beside);
        let above = container(opaque(rise(above, motion))).padding(space::L).center(Length::Fill);
        layers = layers.push(opaque(scrim)).push(above);
    }
    layers.into()
}

/// A short message in the corner.
#[derive(Debug, Clone, PartialEq)]
pub struct Toast<Message> {
    /// What kind of news it is. Bad news stays until it is closed.
    pub tone: Tone,
    /// Its icon.
    pub icon: Icon,
    /// What happened.
    pub title: String,
    /// More about it.
    pub text: String,
    /// What to do: label and message.
    pub action: Option<(String, Message)>,
}

impl<Message> Toast<Message> {
    /// The same in the words of whoever shows it.
    pub fn map<Other>(self, wrap: impl FnOnce(Message) -> Other) -> Toast<Other> {
        let Self { tone, icon, title, text, action } = self;
        let action = action.map(|(label, message)| (label, wrap(message)));
        Toast { tone, icon, title, text, action }
    }
}

/// Names one of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToastId(u64);

/// The short messages that show.
#[derive(Debug, Clone)]
pub struct Toasts<Message> {
    shown: Vec<(ToastId, Instant, Toast<Message>)>,
    next: u64,
    hovered: bool,
}

impl<Message> Default for Toasts<Message> {
    fn default() -> Self {
        Self { shown: Vec::new(), next: 0, hovered: false }
    }
}

impl<Message: Clone> Toasts<Message> {
    /// Shows one more; the oldest gives way. What shows already is not said twice.
    pub fn show(&mut self, toast: Toast<Message>, now: Instant) -> ToastId {
        self.shown
            .retain(|(_, _, known)| (&known.title, &known.text) != (&toast.title, &toast.text));
        while self.shown.len() >= MOST {
            self.shown.remove(0);
        }
        let id = ToastId(self.next);
        self.shown.push((id, now, toast));
        self.next += 1;
        id
    }

    /// Takes one away.
    pub fn close(&mut self, id: ToastId) {
        self.shown.retain(|(known, ..)| *known != id);
    }

    /// The pointer came over them or left: they stay meanwhile.
    pub fn hover(&mut self, hovered: bool) {
        self.hovered = hovered;
    }

    /// Takes away what showed long enough.
    pub fn tick(&mut self, now: Instant) {
        if !self.hovered {
            let stays = |since: &Instant| now.saturating_duration_since(*since) < STAY;
            self.shown.retain(|(_, since, toast)| toast.tone == Tone::Danger || stays(since));
        }
    }

    /// Whether time changes anything.
    pub fn is_waiting(&self) -> bool {
        self.shown.iter().any(|(_, _, toast)| toast.tone != Tone::Danger)
    }

    /// The messages, as they show.
    pub fn shown(&self) -> impl Iterator<Item = &Toast<Message>> {
        self.shown.iter().map(|(_, _, toast)| toast)
    }
}

/// Lays the short messages over a page.
pub fn overlaid<'a, Message: Clone + 'a>(
    page: impl Into<Element<'a, Message>>,
    toasts: &'a Toasts<Message>,
    (lang, motion): (Lang, bool),
    close: impl Fn(ToastId) -> Message,
    act: impl Fn(ToastId, Message) -> Message,
    hover: impl Fn(bool) -> Message,
) -> Element<'a, Message> {
    let column = toasts.shown.iter().map(|(id, _, toast)| {
        let words = Column::new()
            .push(Role::Strong.text(&toast.title))
            .push(
                (!toast.text.is_empty())
                    .then(|| Role::Caption.text(&toast.text).style(theme::muted)),
            )
            .width(Length::Fill);
        let tone = toast.tone;
        let icon = toast.icon.view(18.0).style(move |theme: &theme::Theme| {
            iced::widget::text::Style { color: Some(tone.colors(theme).0) }
        });
        let mut line = row![container(icon).padding(Padding::ZERO.top(2)), words].spacing(space::M);
        if let Some((label, message)) = &toast.action {
            let act = act(*id, message.clone());
            line = line.push(button(label.as_str()).kind(Kind::Quiet).small().on_press(act));
        }
        line = line.push(icon_button(Icon::X, words::close(lang), Some(close(*id))));
        rise(container(line).padding(space::M).max_width(360.0).style(theme::toast), motion)
    });
    let corner = (!toasts.shown.is_empty()).then(|| {
        let area = mouse_area(Column::with_children(column).spacing(space::S).max_width(360))
            .on_enter(hover(true))
            .on_exit(hover(false));
        container(area).padding(space::XL).align_right(Length::Fill).align_bottom(Length::Fill)
    });
    stack![page.into()].push(corner).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toast(tone: Tone, title: &str) -> Toast<()> {
        let (title, text) = (title.to_owned(), String::new());
        Toast { tone, icon: Icon::Info, title, text, action: None }
    }

    #[test]
    fn messages_go_by_themselves_but_errors_stay() {
        let start = Instant::now();
        let mut toasts = Toasts::default();
        toasts.show(toast(Tone::Neutral, "came"), start);
        toasts.show(toast(Tone::Danger, "failed"), start);
        toasts.tick(start + Duration::from_secs(5));
        assert_eq!(toasts.shown().count(), 2);
        toasts.hover(true);
        toasts.tick(start + Duration::from_secs(7));
        assert_eq!(toasts.shown().count(), 2);
        toasts.hover(false);
        toasts.tick(start + Duration::from_secs(7));
        let left: Vec<_> = toasts.shown().map(|t| t.title.as_str()).collect();
        assert_eq!(left, ["failed"]);
        assert!(!toasts.is_waiting());
    }

    #[test]
    fn three_show_at_most_and_none_twice() {
        let mut toasts = Toasts::default();
        for title in ["one", "two", "two", "three", "four"] {
            toasts.show(toast(Tone::Neutral, title), Instant::now());
        }
        let titles: Vec<_> = toasts.shown().map(|t| t.title.as_str()).collect();
        assert_eq!(titles, ["two", "three", "four"]);
    }
}
