//! What the screen looks like.

use std::collections::BTreeSet;

use iced::{
    Alignment, Length,
    widget::{Column, Row, Space, column, container, row},
};
use potluck::client::Offer;

use super::{
    FIELDS, Message, More, NAMES, Purpose,
    form::{self, Field, Form, Kind, State, Wrong},
    offered, paths,
};
use crate::{
    backend::{files::Source, plain::Told},
    figures,
    icon::Icon,
    screen::{Context, body, header, mesh::capability},
    theme::{self, Element, Role, Tone, radius, space},
    widget::{
        Kind as ButtonKind, badge, button, count, cut, empty, field, hr, icon_button, note, pick,
        pressable, scroll, switch, tile,
    },
    words::{Lang, asking, mesh, more as words, shell},
};

/// Width of the list beside the form.
const LIST: f32 = 280.0;
/// Width of the name before a value.
const NAME: f32 = 160.0;
/// Lines of an answer that show.
const LINES: usize = 300;

/// Who offers a capability, and how.
type Offers<'a> = Vec<(Option<&'a str>, &'a Offer)>;

impl More {
    /// The screen.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let offered = offered(context.view);
        let back = self.chosen.is_some().then_some(Message::Choose(None));
        let head = header(&context, words::title(lang), words::caption(lang), vec![], back);
        let folder = context.backend.map(|backend| backend.downloads()).unwrap_or_default();
        let place = self.paths.view(|purpose| super::wants(purpose, &folder, lang), lang);
        let place = place.map(|place| place.map(Message::Paths));
        let chosen = self.chosen.as_deref();
        let shown = chosen.and_then(|name| Some((name, self.form()?)));
        let shown: Option<Element<'a, Message>> = shown.map(|(name, form)| {
            let offers = offered.get(name).cloned().unwrap_or_default();
            self.shown(name, form, &offers, &context)
        });
        let content: Element<'a, Message> = match (context.is_narrow(), shown) {
            (true, Some(shown)) => shown,
            (true, None) => self.all(&offered, lang, Length::Fill),
            (false, shown) => {
                let beside = shown.unwrap_or_else(|| {
                    empty(Icon::LayoutGrid, words::choose(lang), words::choose_hint(lang))
                });
                row![self.all(&offered, lang, LIST.into()), beside].spacing(space::L).into()
            }
        };
        let nothing = offered.is_empty() && self.chosen.is_none();
        let content = match nothing {
            true => empty(Icon::LayoutGrid, words::none(lang), words::none_hint(lang)),
            false => content,
        };
        let content = Column::new().push(place).push(content).spacing(space::M);
        column![head, body(&context, content)].into()
    }

    /// All that is offered.
    fn all<'a>(
        &'a self,
        offered: &std::collections::BTreeMap<&'a str, Offers<'a>>,
        lang: Lang,
        width: Length,
    ) -> Element<'a, Message> {
        let head = row![
            Role::Caption.text(words::capability(lang)).width(Length::Fill),
            Role::Caption.text(words::nodes(lang)),
        ];
        let head = container(head).center_y(32).padding([0.0, space::L]).style(theme::head);
        let rows = offered.iter().map(|(name, offers)| {
            let (icon, said) = capability(lang, name);
            let chosen = self.chosen.as_deref() == Some(*name);
            let tone = if chosen { Tone::Primary } else { Tone::Neutral };
            let about = self.forms.get(*name).and_then(|form| form.about.as_ref()?.as_ref());
            let below = match about {
                Some(about) => about.summary.clone(),
                None => (*name).to_owned(),
            };
            let names = column![
                cut(said, Role::Strong).style(theme::plain_text).fill(),
                cut(below, Role::Caption).style(theme::muted).fill(),
            ];
            let line = row![tile(icon, 36.0, tone), names]
                .push(count(offers.len()))
                .spacing(space::M)
                .align_y(Alignment::Center);
            let line = container(line).center_y(56).padding([0.0, space::L]).width(Length::Fill);
            let choose = Message::Choose(Some((*name).to_owned()));
            column![pressable(line, chosen, 0.0, choose).radius(radius::INNER), hr()].into()
        });
        let rows = scroll(Column::with_children(rows)).height(Length::Fill);
        container(column![head, rows])
            .padding(1)
            .width(width)
            .height(Length::Fill)
            .style(theme::card)
            .into()
    }

    /// The form, and the answer below it.
    fn shown<'a>(
        &'a self,
        name: &'a str,
        form: &'a Form,
        offers: &Offers<'a>,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let (_, title) = capability(lang, name);
        let about = form.about.as_ref().and_then(Option::as_ref);
        let summary = about.map_or_else(|| name.to_owned(), |about| about.summary.clone());
        let summary = (summary != title).then(|| {
            Role::Body.text(summary.chars().take(300).collect::<String>()).style(theme::muted)
        });
        let head = Column::new().push(Role::Heading.text(title)).push(summary);
        let hint: Option<Element<'a, Message>> = match &form.about {
            None => Some(Role::Body.text(words::asking_about(lang)).style(theme::muted).into()),
            Some(None) => Some(note(Icon::Info, words::untold(lang), Tone::Neutral)),
            Some(Some(_)) => None,
        };
        let file = form.is_known().then(|| self.file(form, lang));
        let fields = form.fields.iter().enumerate().map(|(at, one)| value(form, at, one, lang));
        let add = form.is_free().then(|| {
            let add = button(words::add_value(lang)).icon(Icon::Plus).kind(ButtonKind::Quiet);
            add.small().on_press(Message::Add)
        });
        let inside = Column::new()
            .push(head)
            .push(hint)
            .push(file)
            .extend(fields)
            .push(add)
            .push(model(form, offers, lang))
            .push(self.foot(form, offers, context))
            .push(answer(form, lang))
            .spacing(space::M);
        let card = container(inside).padding(space::L).width(Length::Fill).style(theme::card);
        scroll(card).height(Length::Fill).into()
    }

    fn file<'a>(&'a self, form: &'a Form, lang: Lang) -> Element<'a, Message> {
        let about = form.about.as_ref().and_then(Option::as_ref);
        let label = match about.map(|about| about.input.name()) {
            Some("image") => words::picture(lang),
            Some("table") => words::table(lang),
            _ => words::file(lang),
        };
        let needed = form.needs_file();
        // What brings no file in its own example can do without one.
        if about.is_some() && !needed {
            return Space::new().height(0).into();
        }
        let said = match &form.file {
            Some(Source::File(path)) => path.display().to_string(),
            Some(Source::Bytes(_)) => asking::pasted_picture(lang).to_owned(),
            None => words::no_file(lang).to_owned(),
        };
        let remove = form
            .file
            .as_ref()
            .map(|_| icon_button(Icon::X, words::remove_file(lang), Some(Message::NoFile)));
        let by_name = Message::Paths(paths::Message::Type(Purpose::Open));
        let choose = Message::Paths(paths::Message::Choose(Purpose::Open));
        let line = Row::new()
            .push(Icon::File.view(18.0).style(theme::muted))
            .push(cut(said, Role::Body).style(theme::muted).fill())
            .push(remove)
            .push(icon_button(Icon::Type, asking::name_a_file(lang), Some(by_name)))
            .push(icon_button(Icon::Folder, words::choose_file(lang), Some(choose)))
            .spacing(space::S)
            .align_y(Alignment::Center);
        let line = container(line)
            .center_y(56)
            .padding([0.0, space::L])
            .width(Length::Fill)
            .style(theme::drop(self.paths.is_over()));
        let needed = needed.then(|| badge(None, words::needed(lang), Tone::Neutral));
        let label = Row::new()
            .push(Role::CaptionStrong.text(label))
            .push(needed)
            .spacing(space::S)
            .align_y(Alignment::Center);
        column![label, line].spacing(space::XS).into()
    }

    /// Who will answer, and the button that asks.
    fn foot<'a>(
        &'a self,
        form: &'a Form,
        offers: &Offers<'a>,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let names: Vec<&str> =
            offers.iter().map(|(who, _)| who.unwrap_or(mesh::this_node(lang))).collect();
        let who = match names[..] {
            [] => String::new(),
            [one] => one.to_owned(),
            [one, other] => words::or(lang, one, other),
            [one, ..] => words::or_more(lang, one, names.len() - 1),
        };
        let (said, act): (String, Element<'a, Message>) = match form.state {
            State::Running => {
                let stop = button(asking::stop(lang)).icon(Icon::X).on_press(Message::Stop);
                (words::asks(lang).to_owned(), stop.into())
            }
            _ => {
                let ready = form.is_ready() && !offers.is_empty();
                let ask = button(words::ask(lang)).icon(Icon::Send).kind(ButtonKind::Primary);
                let ask = ask.on_press_maybe(ready.then_some(Message::Ask));
                let said = match who.is_empty() {
                    true => asking::nobody(lang).to_owned(),
                    false => words::will_answer(lang, &who),
                };
                (said, ask.into())
            }
        };
        row![Role::Caption.text(said).style(theme::muted).width(Length::Fill), act]
            .spacing(space::M)
            .align_y(Alignment::Center)
            .into()
    }
}

/// One value with its name.
fn value<'a>(form: &'a Form, at: usize, one: &'a Field, lang: Lang) -> Element<'a, Message> {
    let wrong = one.wrong.map(|wrong| match wrong {
        Wrong::Number => words::not_number(lang),
        Wrong::Twice => words::named_twice(lang),
    });
    let hint = match one.kind {
        Kind::Text => "",
        _ => words::empty_is_left_out(lang),
    };
    let (Some(id), Some(name_id)) = (FIELDS.get(at), NAMES.get(at)) else {
        return Space::new().into();
    };
    let typed = move |text| Message::Type(at, text);
    let input: Element<'a, Message> = match one.kind {
        Kind::Switch(on) => {
            let switch = switch(on, Some(Message::Switch(at, !on)));
            container(switch).center_y(theme::CONTROL).into()
        }
        _ => field(hint, &one.text, wrong, Role::Body, id, typed, Some(Message::Ask)),
    };
    if form.is_free() {
        let named = move |name| Message::Name(at, name);
        let name = field(words::name(lang), &one.name, None, Role::Body, name_id, named, None);
        let remove = icon_button(Icon::X, words::remove_value(lang), Some(Message::Remove(at)));
        return row![container(name).width(NAME), container(input).width(Length::Fill), remove]
            .spacing(space::S)
            .into();
    }
    let name = match one.name.is_empty() {
        true => words::input(lang),
        false => &one.name,
    };
    let name = container(cut(name, Role::Body).style(theme::muted)).width(NAME);
    let name = name.center_y(theme::CONTROL);
    row![name, container(input).width(Length::Fill)].spacing(space::S).into()
}

/// Which model, where somebody offers some.
fn model<'a>(form: &'a Form, offers: &Offers<'a>, lang: Lang) -> Option<Element<'a, Message>> {
    let names: BTreeSet<&str> =
        offers.iter().flat_map(|(_, offer)| offer.variants.iter().map(String::as_str)).collect();
    if names.is_empty() {
        return None;
    }
    let any = (words::any_model(lang).to_owned(), None);
    let models = names.into_iter().map(|name| (name.to_owned(), Some(name.to_owned())));
    let options = std::iter::once(any).chain(models).collect();
    let name = container(Role::Body.text(words::model(lang)).style(theme::muted)).width(NAME);
    let line = row![name, pick(options, &form.model, 240.0, Message::Model)]
        .spacing(space::S)
        .align_y(Alignment::Center);
    Some(line.into())
}

/// The answer, or why there is none.
fn answer<'a>(form: &'a Form, lang: Lang) -> Option<Element<'a, Message>> {
    let inside = match &form.state {
        State::New | State::Running => return None,
        State::Done(told) => told_view(told, lang),
        State::Failed(failure) => {
            let details = asking::details(failure);
            let copy = button(shell::copy_details(lang)).icon(Icon::Copy).kind(ButtonKind::Quiet);
            let why: String = failure.message.chars().take(600).collect();
            column![
                note(Icon::CircleX, asking::failure(lang, failure), Tone::Danger),
                Role::Caption.text(words::says(lang, &why)).style(theme::muted),
                copy.small().on_press(Message::Copy(details)),
            ]
            .spacing(space::S)
            .into()
        }
    };
    Some(column![hr(), inside].spacing(space::M).into())
}

fn told_view(told: &Told, lang: Lang) -> Element<'_, Message> {
    let by = asking::by(lang, &told.served_by.name, &figures::took(told.milliseconds));
    let text = form::text(&told.answer);
    let lines = text.lines().count();
    let shown: String = text.lines().take(LINES).collect::<Vec<_>>().join("\n");
    let save = |purpose| Message::Paths(paths::Message::Choose(purpose));
    let data = told.data.as_ref().map(|(_, bytes)| {
        button(words::save_data(lang, &figures::size(*bytes)))
            .icon(Icon::FileArchive)
            .on_press(save(Purpose::Data))
    });
    let by = row![
        Icon::CircleCheck.view(14.0).style(theme::success_text),
        cut(by, Role::Caption).style(theme::muted),
    ]
    .spacing(space::XS)
    .align_y(Alignment::Center);
    let head = row![
        Role::Heading.text(words::answer(lang)),
        container(by).align_right(Length::Fill),
        icon_button(Icon::Copy, shell::copy(lang), Some(Message::Copy(text))),
        icon_button(Icon::Download, words::save_answer(lang), Some(save(Purpose::Answer))),
    ]
    .spacing(space::S)
    .align_y(Alignment::Center);
    let shown = container(Role::Body.text(shown)).padding(space::M).width(Length::Fill);
    let more = (lines > LINES)
        .then(|| Role::Caption.text(words::cut_here(lang, LINES)).style(theme::muted));
    Column::new()
        .push(head)
        .push(shown.style(theme::well))
        .push(more)
        .push(data)
        .spacing(space::M)
        .into()
}
