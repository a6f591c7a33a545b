//! The activity: what this node asked and served, newest first, each with its route and its error.
//!
//! The node remembers the last few hundred calls; nothing is kept beyond that.

mod detail;
mod plot;

use iced::{
    Alignment, Length,
    keyboard::{Key, Modifiers, key::Named},
    widget::{Column, column, container, operation, row, scrollable, text},
};
use potluck::{
    client::{CallRecord, Side, View},
    say::Reason,
};

use super::{Action, Context, body, header, mesh::capability};
use crate::{
    figures,
    icon::Icon,
    theme::{self, Element, Role, Tone, space},
    widget::{Window, badge, cut, empty, field, hr, list, pressable, segment, tile},
    words::{Lang, activity as words},
};

/// Height of a row, and where there is little room.
const ROW: (f32, f32) = (44.0, 56.0);
/// The name of the search field.
pub const SEARCH: &str = "activity-search";
/// For how long something here changes with time alone.
const MINUTE_MS: u64 = 60_000;

/// Which calls show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// What this node asked.
    Asked,
    /// What it served.
    Served,
    /// What was not answered.
    Failed,
}

/// The state of the screen.
#[derive(Debug, Default)]
pub struct Activity {
    filter: Filter,
    search: String,
    window: Window,
    /// The call whose card shows, by its number.
    chosen: Option<u64>,
}

/// What happens here.
#[derive(Debug, Clone)]
pub enum Message {
    /// Which calls show.
    Filter(Filter),
    /// Something was typed into the search field.
    Search(String),
    /// The list was scrolled.
    Scrolled(scrollable::Viewport),
    /// A call was chosen.
    Choose(u64),
    /// Its card is closed.
    Unchoose,
    /// A text for the clipboard.
    Copy(String),
}

/// Whether something here changes with time alone: what runs, and what the plots still hold.
pub fn shows_time(view: &View, now_ms: u64) -> bool {
    let lately = |call: &CallRecord| match &call.end {
        None => true,
        Some(end) => call.started_at + end.milliseconds + MINUTE_MS + 2_000 > now_ms,
    };
    view.calls.iter().rev().take(64).any(lately)
}

impl Activity {
    /// Something happened.
    pub fn update(&mut self, message: Message) -> Action<Message> {
        match message {
            Message::Filter(filter) => self.filter = filter,
            Message::Search(text) => self.search = text,
            Message::Scrolled(viewport) => self.window.scrolled(viewport),
            Message::Choose(number) => {
                let same = self.chosen == Some(number);
                self.chosen = (!same).then_some(number);
            }
            Message::Unchoose => self.chosen = None,
            Message::Copy(text) => return Action::Copy(text),
        }
        Action::None
    }

    /// A key that nothing else took.
    pub fn key(
        &mut self,
        key: &Key,
        modifiers: Modifiers,
        context: &Context<'_>,
    ) -> Action<Message> {
        let calls = self.fitting(context);
        let at = calls.iter().position(|call| Some(call.number) == self.chosen);
        let next = match key {
            Key::Character(c) if modifiers.command() && c.as_str() == "f" => {
                return Action::Run(operation::focus(SEARCH));
            }
            Key::Named(Named::Escape) => {
                match self.chosen {
                    Some(_) => self.chosen = None,
                    None => self.search.clear(),
                }
                return Action::None;
            }
            Key::Named(Named::ArrowDown) => at.map_or(0, |at| at + 1),
            Key::Named(Named::ArrowUp) => at.map_or(0, |at| at.saturating_sub(1)),
            _ => return Action::None,
        };
        if let Some(call) = calls.get(next) {
            self.chosen = Some(call.number);
        }
        Action::None
    }

    /// The calls that show, newest first.
    fn fitting<'a>(&self, context: &Context<'a>) -> Vec<&'a CallRecord> {
        let search = self.search.trim().to_lowercase();
        let fits = |call: &&CallRecord| {
            let right = match self.filter {
                Filter::All => true,
                Filter::Asked => call.side == Side::Asked,
                Filter::Served => call.side != Side::Asked,
                Filter::Failed => is_failed(call),
            };
            let said = |text: &str| text.to_lowercase().contains(&search);
            right
                && (search.is_empty()
                    || said(&call.capability)
                    || said(&capability(context.lang, &call.capability).1)
                    || other(call, context).is_some_and(|name| said(&name))
                    || failure(call).is_some_and(|why| said(&why.say(context.lang))))
        };
        context.view.calls.iter().rev().filter(fits).collect()
    }

    /// The screen.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let calls = self.fitting(&context);
        let chosen = self
            .chosen
            .and_then(|number| context.view.calls.iter().find(|call| call.number == number));
        let panel = chosen.map(|call| detail::view(call, &context));
        let (panel, instead) = match context.has_panel() {
            true => (panel, None),
            false => (None, panel),
        };
        let controls = match instead {
            Some(_) => Vec::new(),
            None => vec![self.filters(&context)],
        };
        let back = instead.is_some().then_some(Message::Unchoose);
        let head = header(&context, words::title(lang), words::caption(lang), controls, back);
        let content = match instead {
            Some(card) => card,
            None => self.content(calls, &context),
        };
        let main = column![head, body(&context, content)].width(Length::Fill);
        let panel = panel.map(|panel| container(panel).width(context.panel_width()));
        row![main].push(panel).into()
    }

    fn filters<'a>(&self, context: &Context<'_>) -> Element<'a, Message> {
        let lang = context.lang;
        let filters = [
            (Some(Icon::List), words::all(lang), Filter::All),
            (Some(Icon::Upload), words::asked(lang), Filter::Asked),
            (Some(Icon::HandPlatter), words::served(lang), Filter::Served),
            (Some(Icon::CircleX), words::failed(lang), Filter::Failed),
        ];
        // Beside the card of a call there is less room.
        let room =
            context.size.width - if self.chosen.is_some() { context.panel_width() } else { 0.0 };
        segment(&filters, self.filter, room < 780.0, Message::Filter)
    }

    fn content<'a>(
        &'a self,
        calls: Vec<&'a CallRecord>,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        if context.view.calls.is_empty() {
            return empty(Icon::Activity, words::nothing(lang), words::nothing_hint(lang));
        }
        let search = field(
            words::search(lang),
            &self.search,
            None,
            Role::Body,
            SEARCH,
            Message::Search,
            None,
        );
        // A low window shows the calls alone.
        let plots = (context.size.height >= 640.0 && !context.is_narrow())
            .then(|| plot::view(context, self.chosen.is_none()));
        let shown: Element<'a, Message> = match calls.is_empty() {
            true => {
                empty(Icon::ListFilter, words::nothing_fits(lang), words::nothing_fits_hint(lang))
            }
            false => self.list(calls, context),
        };
        Column::new().push(plots).push(search).push(shown).spacing(space::L).into()
    }

    fn list<'a>(
        &'a self,
        calls: Vec<&'a CallRecord>,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let context = *context;
        let beside = if self.chosen.is_some() { context.panel_width() } else { 0.0 };
        let roomy = context.size.width - beside >= 640.0;
        let high = if roomy { ROW.0 } else { ROW.1 };
        let (count, chosen) = (calls.len(), self.chosen);
        let row_of = move |index: usize| -> Element<'a, Message> {
            let Some(call) = calls.get(index) else { return text("").into() };
            let line = if roomy { wide(call, &context) } else { tight(call, &context) };
            let inside = container(line).center_y(high - 1.0).padding([0.0, space::L]);
            let on = chosen == Some(call.number);
            let pressed = pressable(inside, on, 0.0, Message::Choose(call.number));
            column![pressed, hr()].into()
        };
        let rows = list("activity-list", count, high, self.window, row_of, Message::Scrolled);
        container(rows).padding(1).height(Length::Fill).style(theme::card).into()
    }
}

fn wide<'a>(call: &'a CallRecord, context: &Context<'a>) -> Element<'a, Message> {
    let lang = context.lang;
    let (icon, name) = capability(lang, &call.capability);
    let tone = if call.side == Side::Asked { Tone::Primary } else { Tone::Success };
    let bytes = if call.bytes > 0 { figures::size(call.bytes) } else { String::new() };
    let muted = |words: String| Role::Body.text(words).style(theme::muted);
    row![
        container(muted(figures::exact(call.started_at))).width(68),
        tile(icon, 28.0, tone),
        cut(name, Role::Body).fill(),
        container(muted(bytes)).align_right(76),
        said(call, context),
        container(muted(took(call, context.now_ms))).align_right(68),
        container(state(call, lang)).width(112),
    ]
    .spacing(space::M)
    .align_y(Alignment::Center)
    .into()
}

fn tight<'a>(call: &'a CallRecord, context: &Context<'a>) -> Element<'a, Message> {
    let lang = context.lang;
    let (icon, name) = capability(lang, &call.capability);
    let tone = if call.side == Side::Asked { Tone::Primary } else { Tone::Success };
    let at = format!("{}·{}", figures::exact(call.started_at), took(call, context.now_ms));
    row![
        tile(icon, 32.0, tone),
        column![cut(name, Role::Body).fill(), cut(at, Role::Caption).style(theme::muted).fill()]
            .width(Length::Fill),
        state(call, lang),
    ]
    .spacing(space::M)
    .align_y(Alignment::Center)
    .into()
}

/// Who did it, or why nobody did.
fn said<'a>(call: &'a CallRecord, context: &Context<'a>) -> Element<'a, Message> {
    match failure(call) {
        Some(why) => cut(why.say(context.lang), Role::Body).style(theme::danger_text).fill().into(),
        None => cut(by(call, context), Role::Body).style(theme::muted).fill().into(),
    }
}

fn by(call: &CallRecord, context: &Context<'_>) -> String {
    let lang = context.lang;
    let own = context.backend.map(|backend| backend.client().id().to_string());
    let served_by = call.end.as_ref().and_then(|end| end.served_by.as_ref());
    match (&call.side, other(call, context)) {
        (Side::Asked, _) if served_by.is_some_and(|by| Some(&by.id) == own.as_ref()) => {
            words::by_this(lang).to_owned()
        }
        (Side::Asked, Some(name)) => words::by(lang, &name),
        (Side::Served { .. }, Some(name)) => words::for_whom(lang, &name),
        (_, None) => String::new(),
    }
}

/// The other end: who served, or who asked.
fn other(call: &CallRecord, context: &Context<'_>) -> Option<String> {
    match &call.side {
        Side::Asked => Some(call.end.as_ref()?.served_by.as_ref()?.name.clone()),
        Side::Served { caller } => {
            let there = context.view.mesh.peers.get(caller);
            let named = there.map(|peer| peer.advert.name.clone()).filter(|name| !name.is_empty());
            Some(named.unwrap_or_else(|| potluck::identity::fingerprint(caller)))
        }
    }
}

fn failure(call: &CallRecord) -> Option<&Reason> {
    call.end.as_ref()?.failure.as_ref()
}

fn is_failed(call: &CallRecord) -> bool {
    failure(call).is_some()
}

fn took(call: &CallRecord, now_ms: u64) -> String {
    match &call.end {
        Some(end) => figures::took(end.milliseconds),
        // By whole seconds: that is how often it is looked at.
        None => figures::took(now_ms.saturating_sub(call.started_at) / 1000 * 1000),
    }
}

fn state<'a>(call: &CallRecord, lang: Lang) -> Element<'a, Message> {
    match (&call.end, &call.progress) {
        (None, Some(step)) => {
            badge(Some(Icon::Zap), words::running_at(lang, step.percent), Tone::Primary)
        }
        (None, None) => badge(Some(Icon::Zap), words::running(lang), Tone::Primary),
        (Some(_), _) if is_failed(call) => {
            badge(Some(Icon::CircleX), words::failed(lang), Tone::Danger)
        }
        (Some(_), _) => badge(Some(Icon::CircleCheck), words::done(lang), Tone::Success),
    }
}

#[cfg(test)]
mod tests;
