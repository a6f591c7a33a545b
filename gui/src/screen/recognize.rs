//! Recognize: pictures in, labels out. A grid that fills as answers stream in, several in flight.

mod card;
mod shot;
mod table;

use std::{collections::BTreeSet, path::PathBuf};

use iced::{
    Alignment, Length, Task,
    keyboard::{Key, Modifiers, key::Named},
    widget::{Column, PickList, Row, Space, column, container, row, scrollable},
};
use potluck::{
    client::CallFailure,
    say::Reason,
    services::recognize::{Request, Response},
};

use super::{Action, Context, Dropped, body, header};
use crate::{
    backend::{
        Ask, Heard,
        files::{self, Chosen, Source},
        pictures::{self, Fit, Shown, Unshown},
    },
    icon::Icon,
    theme::{self, Element, Role, Tone, space},
    widget::{
        Kind, PLACE, Place, Toast, Window, bar, button, cut, drop_field, empty, focusable,
        icon_button, key, list,
    },
    words::{Lang, asking, recognize as words},
};
use shot::{Shot, State};

/// Calls in flight: enough to keep several nodes busy.
const FLIGHT: usize = 12;
/// Pictures that are read at once.
const READING: usize = 2;
/// Pictures at once: each keeps its small copy.
const MOST: usize = 1000;
/// Labels of a picture.
const TOP: u16 = 5;
/// For one picture.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
/// Columns and rows of a small copy.
const SMALL: (u32, u32) = (446, 208);
/// A card and the gap beside it are at least as wide.
const CARD: f32 = 250.0;

/// The state of the screen.
#[derive(Debug, Default)]
pub struct Recognize {
    shots: Vec<Shot>,
    next: u64,
    model: Option<String>,
    window: Window,
    over: bool,
    place: Option<(Purpose, Place)>,
}

/// What a path is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A picture to look at.
    Open,
    /// Where the labels go.
    Save,
}

/// What happens here.
#[derive(Debug, Clone)]
pub enum Message {
    /// Pictures are to be chosen.
    Choose,
    /// They were.
    Chosen(Chosen),
    /// The clipboard is to be looked at.
    Paste,
    /// What it held.
    Pasted(Vec<Source>),
    /// The card for a path opens or closes.
    Place(Option<Purpose>),
    /// Something was typed into it.
    Typed(String),
    /// What was typed is to be used.
    Use,
    /// A picture was read.
    Read(u64, Result<Shown, Unshown>),
    /// A picture was looked at.
    Answered(u64, Result<Heard<Response>, CallFailure>),
    /// One is to be tried again.
    Again(u64),
    /// All that failed are.
    AllAgain,
    /// One goes.
    Remove(u64),
    /// All go.
    Clear,
    /// What runs ends.
    Stop,
    /// Which model; `None` leaves it to the node.
    Model(Option<String>),
    /// The labels are to be saved.
    Save,
    /// A place for them was chosen.
    SaveTo(Chosen),
    /// They were saved.
    Saved(PathBuf, Result<PathBuf, Reason>),
    /// The grid was scrolled.
    Scrolled(scrollable::Viewport),
    /// What is known of one goes to the clipboard.
    Copy(u64),
}

impl Recognize {
    /// Something happened.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        let lang = context.lang;
        match message {
            Message::Choose => return choose(lang),
            Message::Chosen(Chosen::Paths(paths)) => {
                self.place = None;
                return self.add(paths.into_iter().map(Source::File), context);
            }
            Message::Chosen(Chosen::NoDialog) => return self.no_dialog(Purpose::Open, lang),
            Message::Chosen(Chosen::Nothing) | Message::SaveTo(Chosen::Nothing) => {}
            Message::Paste => return Action::Run(Task::perform(files::pasted(), Message::Pasted)),
            Message::Pasted(sources) if sources.is_empty() => {
                return told(
                    Tone::Warning,
                    asking::nothing_pasted(lang),
                    asking::nothing_pasted_hint(lang),
                );
            }
            Message::Pasted(sources) => return self.add(sources, context),
            Message::Place(Some(purpose)) => return self.open_place(purpose, lang),
            Message::Place(None) => self.place = None,
            Message::Typed(text) => {
                if let Some((_, place)) = &mut self.place {
                    *place = Place { text, wrong: None };
                }
            }
            Message::Use => return self.use_place(context),
            Message::Read(id, read) => {
                if let Some(shot) = self.shot(id) {
                    shot.read(read);
                }
                return self.go_on(context);
            }
            Message::Answered(id, heard) => {
                if let Some(shot) = self.shot(id) {
                    shot.answered(heard);
                }
                return self.go_on(context);
            }
            Message::Again(id) => {
                if let Some(shot) = self.shot(id) {
                    shot.again();
                }
                return self.go_on(context);
            }
            Message::AllAgain => {
                self.shots.iter_mut().filter(|shot| shot.may_again()).for_each(Shot::again);
                return self.go_on(context);
            }
            Message::Remove(id) => {
                self.shots.retain(|shot| shot.id != id);
                return self.go_on(context);
            }
            Message::Clear => self.shots.clear(),
            Message::Stop => self.shots.iter_mut().for_each(Shot::stop),
            Message::Model(model) => {
                self.model = model;
            }
            Message::Save => {
                let place = files::place(words::save_csv(lang), words::file_name(lang).to_owned());
                return Action::Run(Task::perform(place, Message::SaveTo));
            }
            Message::SaveTo(Chosen::NoDialog) => return self.no_dialog(Purpose::Save, lang),
            Message::SaveTo(Chosen::Paths(paths)) => {
                return paths.into_iter().next().map_or(Action::None, |path| self.save(path));
            }
            Message::Saved(_, Ok(path)) => {
                self.place = None;
                let path = path.display().to_string();
                return told(Tone::Success, &asking::saved_as(lang, &path), "");
            }
            Message::Saved(path, Err(why)) => return self.unsaved(&path, &why.say(lang), lang),
            Message::Scrolled(viewport) => self.window.scrolled(viewport),
            Message::Copy(id) => {
                if let Some(shot) = self.shot(id) {
                    return Action::Copy(shot.in_words(lang));
                }
            }
        }
        Action::None
    }

    /// The node is there: what waited for it goes on.
    pub fn ready(&mut self, context: &Context<'_>) -> Action<Message> {
        self.go_on(context)
    }

    /// A key that nothing else took.
    pub fn key(
        &mut self,
        key: &Key,
        modifiers: Modifiers,
        context: &Context<'_>,
    ) -> Action<Message> {
        match key {
            Key::Named(Named::Escape) => {
                self.place = None;
                Action::None
            }
            Key::Character(letter) if modifiers.command() => match letter.as_str() {
                "o" | "O" => choose(context.lang),
                "v" | "V" => self.update(Message::Paste, context),
                "s" | "S" if self.has_answers() => self.update(Message::Save, context),
                _ => Action::None,
            },
            _ => Action::None,
        }
    }

    /// Files over the window.
    pub fn dropped(&mut self, dropped: &Dropped, context: &Context<'_>) -> Action<Message> {
        self.over = matches!(dropped, Dropped::Over);
        match dropped {
            Dropped::File(path) => self.add([Source::File(path.clone())], context),
            Dropped::Over | Dropped::Left => Action::None,
        }
    }

    fn shot(&mut self, id: u64) -> Option<&mut Shot> {
        self.shots.iter_mut().find(|shot| shot.id == id)
    }

    fn has_answers(&self) -> bool {
        self.shots.iter().any(|shot| matches!(shot.state, State::Done(_)))
    }

    fn add(
        &mut self,
        sources: impl IntoIterator<Item = Source>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let lang = context.lang;
        for source in sources {
            if self.shots.len() == MOST {
                let title = words::too_many(lang, MOST);
                return told(Tone::Warning, &title, words::too_many_hint(lang));
            }
            let name = source.name(asking::pasted_picture(lang));
            self.shots.push(Shot::new(self.next, name, source));
            self.next += 1;
        }
        self.go_on(context)
    }

    /// Starts what may start.
    fn go_on(&mut self, context: &Context<'_>) -> Action<Message> {
        let mut tasks = Vec::new();
        let under_way = |shots: &[Shot], state: fn(&State) -> bool| {
            shots.iter().filter(|s| state(&s.state)).count()
        };
        let reading = under_way(&self.shots, |state| matches!(state, State::Reading));
        let new = self.shots.iter_mut().filter(|shot| matches!(shot.state, State::New));
        for shot in new.take(READING.saturating_sub(reading)) {
            let (id, fit) = (shot.id, Fit::Cover(SMALL.0, SMALL.1));
            let read = pictures::read(shot.source.clone(), fit);
            let task = Task::perform(read, move |read| Message::Read(id, read));
            tasks.push(shot.start(State::Reading, task));
        }
        let running = under_way(&self.shots, |state| matches!(state, State::Running));
        let waiting = self.shots.iter_mut().filter(|shot| matches!(shot.state, State::Waiting));
        for shot in waiting.take(FLIGHT.saturating_sub(running)) {
            let Some(backend) = context.backend else { break };
            let ask = Ask {
                capability: "recognize/1",
                variant: self.model.clone(),
                request: Request { model: self.model.clone(), top: TOP },
                input: shot.source.input(),
                timeout: PATIENCE,
            };
            let id = shot.id;
            let task =
                Task::perform(backend.clone().ask(ask), move |heard| Message::Answered(id, heard));
            tasks.push(shot.start(State::Running, task));
        }
        if tasks.is_empty() { Action::None } else { Action::Run(Task::batch(tasks)) }
    }

    fn open_place(&mut self, purpose: Purpose, lang: Lang) -> Action<Message> {
        let text = match purpose {
            Purpose::Open => String::new(),
            Purpose::Save => words::file_name(lang).to_owned(),
        };
        self.place = Some((purpose, Place { text, wrong: None }));
        Action::Run(iced::widget::operation::focus(PLACE))
    }

    fn no_dialog(&mut self, purpose: Purpose, lang: Lang) -> Action<Message> {
        let focus = self.open_place(purpose, lang);
        if let Some((_, place)) = &mut self.place {
            place.wrong = Some(asking::no_dialogs(lang).to_owned());
        }
        focus
    }

    fn use_place(&mut self, context: &Context<'_>) -> Action<Message> {
        let Some((purpose, place)) = &mut self.place else { return Action::None };
        let Some(path) = files::typed(&place.text) else { return Action::None };
        match purpose {
            Purpose::Save => self.save(path),
            Purpose::Open => {
                place.text.clear();
                self.add([Source::File(path)], context)
            }
        }
    }

    fn save(&self, path: PathBuf) -> Action<Message> {
        let bytes = table::of(&self.shots);
        let to = path.clone();
        Action::Run(Task::perform(files::write(path, bytes), move |saved| {
            Message::Saved(to.clone(), saved)
        }))
    }

    fn unsaved(&mut self, path: &std::path::Path, why: &str, lang: Lang) -> Action<Message> {
        let title = asking::unsaved(lang, &path.display().to_string());
        match &mut self.place {
            Some((Purpose::Save, place)) => {
                place.wrong = Some(format!("{title}: {why}"));
                Action::None
            }
            _ => told(Tone::Danger, &title, why),
        }
    }

    /// The screen.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let place = self.place.as_ref().map(|(purpose, place)| {
            let (title, go) = match purpose {
                Purpose::Open => (words::add_pictures(lang), asking::add(lang)),
                Purpose::Save => (words::save_csv(lang), asking::save(lang)),
            };
            let browse = match purpose {
                Purpose::Open => Message::Choose,
                Purpose::Save => Message::Save,
            };
            place.view(
                lang,
                title,
                go,
                Message::Typed,
                [browse, Message::Use, Message::Place(None)],
            )
        });
        // A low window shows one thing at a time.
        let alone = place.is_some() && context.size.height < 400.0;
        let content: Element<'a, Message> = match self.shots.is_empty() {
            _ if alone => Space::new().into(),
            true => self.nothing(&context),
            false => self.grid(&context),
        };
        let status = (!self.shots.is_empty() && place.is_none()).then(|| self.status(&context));
        let content = Column::new().push(place).push(status).push(content).spacing(space::L);
        column![self.head(&context), body(&context, content)].into()
    }

    fn head<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let mut controls: Vec<Element<'a, Message>> = Vec::new();
        let save = self.has_answers().then_some(Message::Save);
        if context.is_narrow() {
            let by_name = Some(Message::Place(Some(Purpose::Open)));
            controls.push(icon_button(Icon::Type, asking::name_a_file(lang), by_name));
            controls.push(icon_button(Icon::Download, words::save_csv(lang), save));
            let add = words::add_pictures(lang);
            controls.push(icon_button(Icon::Plus, add, Some(Message::Choose)));
        } else {
            controls.extend(self.models(context));
            let by_name = Some(Message::Place(Some(Purpose::Open)));
            controls.push(icon_button(Icon::Type, asking::name_a_file(lang), by_name));
            let save = button(words::save_csv(lang)).icon(Icon::Download).on_press_maybe(save);
            controls.push(save.into());
            let add = button(words::add_pictures(lang)).icon(Icon::Plus).kind(Kind::Primary);
            controls.push(add.on_press(Message::Choose).into());
        }
        header(context, words::title(lang), words::caption(lang), controls, None)
    }

    /// Which model, where somebody offers more than one.
    fn models<'a>(&'a self, context: &Context<'a>) -> Option<Element<'a, Message>> {
        let peers = context.view.mesh.peers.values().flat_map(|peer| &peer.advert.offers);
        let offers = peers.chain(&context.view.own.offers);
        let names: BTreeSet<&str> = offers
            .filter(|offer| offer.capability == "recognize/1")
            .flat_map(|offer| offer.variants.iter().map(String::as_str))
            .collect();
        if names.len() < 2 || context.size.width < 720.0 {
            return None;
        }
        let any = words::any_model(context.lang);
        let options: Vec<String> =
            std::iter::once(any.to_owned()).chain(names.into_iter().map(str::to_owned)).collect();
        let at = self.model.as_ref().and_then(|model| options.iter().position(|o| o == model));
        let at = at.unwrap_or_default();
        let meant = |options: &[String], at: usize| {
            Message::Model(options.get(at).filter(|_| at > 0).cloned())
        };
        let count = options.len();
        let (next, previous) =
            (meant(&options, (at + 1) % count), meant(&options, (at + count - 1) % count));
        let chosen = options.get(at).cloned();
        let (size, line) = Role::Body.measure();
        let picks = PickList::new(options, chosen, move |name: String| {
            Message::Model((name != any).then_some(name))
        });
        let picks = picks
            .text_size(size)
            .text_line_height(iced::widget::text::LineHeight::Absolute(line.into()))
            .font(Role::Body.font())
            .width(188)
            .padding([(theme::CONTROL - line) / 2.0, 10.0]);
        let keys = move |key: &Key| match key {
            Key::Named(Named::ArrowDown | Named::ArrowRight) => Some(next.clone()),
            Key::Named(Named::ArrowUp | Named::ArrowLeft) => Some(previous.clone()),
            _ => None,
        };
        Some(focusable(picks, None).on_key(keys).into())
    }

    fn nothing<'a>(&'a self, context: &Context<'_>) -> Element<'a, Message> {
        let lang = context.lang;
        let drop =
            drop_field(words::drop_here(lang), words::choose(lang), self.over, Message::Choose);
        let hint = empty(Icon::ScanSearch, words::empty(lang), words::empty_hint(lang));
        let hint = (context.size.height >= 400.0).then_some(hint);
        Column::new().push(drop).push(hint).spacing(space::L).into()
    }

    /// How far it is, and what can be done about all of them.
    fn status<'a>(&'a self, context: &Context<'_>) -> Element<'a, Message> {
        let lang = context.lang;
        let count = |of: fn(&State) -> bool| self.shots.iter().filter(|s| of(&s.state)).count();
        let running = count(|state| matches!(state, State::Running));
        let waiting = count(|state| matches!(state, State::New | State::Reading | State::Waiting));
        let failed = count(|state| matches!(state, State::Failed(_)));
        let ended = self.shots.len() - running - waiting;
        let mut said = Vec::new();
        for (count, words) in [
            (running, words::running(lang, running)),
            (waiting, words::waiting(lang, waiting)),
            (failed, words::failed(lang, failed)),
        ] {
            if count > 0 {
                said.push(words);
            }
        }
        let said = if said.is_empty() { words::all_fine(lang).to_owned() } else { said.join("·") };
        let share = ended as f32 / self.shots.len() as f32;
        let narrow = context.is_narrow();
        let progress = (!narrow && running + waiting > 0)
            .then(|| container(bar(share, Tone::Primary, 6.0)).width(160));
        let hint = (context.size.width >= 940.0).then(|| {
            row![Role::Caption.text(words::or_drop_here(lang)).style(theme::muted), key("Ctrl V")]
                .spacing(space::XS)
                .align_y(Alignment::Center)
        });
        let again = self.shots.iter().any(Shot::may_again) && running + waiting == 0;
        let again = again.then(|| {
            let words = words::try_all_again(lang);
            button(words)
                .icon(Icon::RefreshCw)
                .kind(Kind::Quiet)
                .small()
                .on_press(Message::AllAgain)
        });
        let end = match running + waiting {
            0 => button(asking::clear(lang)).icon(Icon::Trash).on_press(Message::Clear),
            _ => button(asking::stop(lang)).icon(Icon::X).on_press(Message::Stop),
        };
        let done = words::done_of(lang, ended, self.shots.len());
        let line = Row::new()
            .push(Role::Strong.text(done).wrapping(iced::widget::text::Wrapping::None))
            .push(progress)
            .push(cut(said, Role::Body).style(theme::muted).fill())
            .push(hint)
            .push(again)
            .push(end.kind(Kind::Quiet).small())
            .spacing(space::L)
            .align_y(Alignment::Center);
        let over = self.over;
        container(line)
            .center_y(if narrow { 40 } else { 48 })
            .padding([0.0, space::L])
            .style(move |theme: &theme::Theme| match over {
                true => theme::drop(true)(theme),
                false => theme::card(theme),
            })
            .into()
    }

    fn grid<'a>(&'a self, context: &Context<'_>) -> Element<'a, Message> {
        let lang = context.lang;
        let side = if context.is_narrow() { space::M } else { space::XL };
        // Room is left for the scrollbar, so that nothing moves when it shows.
        let width = context.size.width - 2.0 * side - 12.0;
        let columns = (((width + space::L) / CARD) as usize).max(1);
        let card = (width + space::L) / columns as f32 - space::L;
        let picture = ((card - 16.0) * SMALL.1 as f32 / SMALL.0 as f32).floor();
        // In a low window the labels show without scrolling.
        let picture = picture.min((context.size.height * 0.25).max(56.0));
        let height = picture + card::BELOW;
        let rows = self.shots.len().div_ceil(columns);
        let waits = context.backend.is_none();
        let build = move |index: usize| -> Element<'a, Message> {
            let cards = (0..columns).map(|column| -> Element<'a, Message> {
                let Some(shot) = self.shots.get(index * columns + column) else {
                    return Space::new().width(Length::FillPortion(1)).into();
                };
                let shown = card::view(shot, picture, waits, lang);
                container(shown).width(Length::FillPortion(1)).height(height).into()
            });
            Row::with_children(cards).spacing(space::L).width(width).into()
        };
        list("recognize-grid", rows, height + space::L, self.window, build, Message::Scrolled)
    }
}

fn choose(lang: Lang) -> Action<Message> {
    let chosen = files::choose(words::add_pictures(lang), files::PICTURES);
    Action::Run(Task::perform(chosen, Message::Chosen))
}

fn told(tone: Tone, title: &str, text: &str) -> Action<Message> {
    let icon = match tone {
        Tone::Success => Icon::CircleCheck,
        _ => Icon::TriangleAlert,
    };
    let (title, text) = (title.to_owned(), text.to_owned());
    Action::Tell(Toast { tone, icon, title, text, action: None })
}

#[cfg(test)]
mod tests;
