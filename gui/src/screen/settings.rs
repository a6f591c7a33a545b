//! The settings: who you are, how the window looks, what it tells you, where it keeps things.

use std::{path::PathBuf, time::Duration};

use iced::{
    Alignment, Length, Task,
    keyboard::{Key, key::Named},
    widget::{Column, Slider, column, container, row},
};
use potluck::{
    config::{Config, ConfigError, node_name},
    identity::{self, short},
    mail,
    say::{Reason, Say as _},
};

use super::{Action, Context, body, header};
use crate::{
    backend::{Backend, autostart, files},
    icon::Icon,
    settings::{NodeSetting, SCALES, Settings as Kept, ThemeChoice, set_of_node},
    theme::{self, Element, Role, Tone, space},
    widget::{
        Kind, badge, button, cut, field, focusable, hr, icon_button, note, qr, row_of, scroll,
        segment, switch, tile,
    },
    words::{Lang, settings as words},
};

/// How long a name rests before it is kept.
const REST: Duration = Duration::from_millis(600);
/// How far one press on an arrow moves the size of the text.
const STEP: u16 = 10;
/// Pixels of a module of the code of the client id.
const MODULE: f32 = 3.0;
/// The name of the name field.
const NAME: &str = "settings-name";

/// The state of the screen.
#[derive(Debug, Default)]
pub struct Settings {
    /// What the node's settings file says, once it was read.
    node: Option<OfNode>,
    /// This node's client id, once it is known.
    id: String,
    name: String,
    wrong: Option<String>,
    /// Counted up with every letter, so that only the last one is kept.
    edits: u64,
    /// Something holds from the next start only.
    pending: bool,
    saved: bool,
    /// The size of the text, while the slider is held: the slider must not move with the window.
    scale: Option<u16>,
    /// The window opens when the person logs in; `None` until that was looked up.
    starts: Option<bool>,
    trouble: Option<String>,
}

/// What the window shows of the node's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfNode {
    receipts: bool,
    mdns: bool,
}

impl From<&Config> for OfNode {
    fn from(config: &Config) -> Self {
        let receipts = config.section::<mail::Options>().read_receipts;
        Self { receipts, mdns: config.network.mdns }
    }
}

/// What happens here.
#[derive(Debug, Clone)]
pub enum Message {
    /// The node's settings were read: its client id, and what its file says.
    Read(Result<(String, OfNode), Reason>),
    /// A letter of the name.
    Name(String),
    /// The name rests since that edit.
    Rested(u64),
    /// A setting of the node changes.
    Node(NodeSetting),
    /// It was written, or not.
    Written(Result<OfNode, Reason>),
    /// The window's own settings change.
    Set(Kept),
    /// The size of the text is being chosen.
    Scale(u16),
    /// It was.
    Scaled,
    /// The window opens when the person logs in from now on, or does not.
    Start(bool),
    /// It does, or does not.
    Starts(Result<bool, String>),
    /// Where files are saved is to be chosen.
    PickDownloads,
    /// It was, or was not.
    Downloads(Option<PathBuf>),
    /// Files are saved in the usual place again.
    UsualDownloads,
    /// A text for the clipboard.
    Copy(String),
    /// The node is started again, with the new settings.
    Restart,
}

impl Settings {
    /// The node is there: what its settings file says.
    pub fn ready(&mut self, context: &Context<'_>) -> Action<Message> {
        let Some(backend) = context.backend else { return Action::None };
        self.pending = false;
        self.name = backend.client().name().to_owned();
        let (file, id) = (backend.config_file(), backend.client().id().to_string());
        let read = async move {
            let load =
                move || -> Result<_, ConfigError> { Ok((id, OfNode::from(&Config::load(&file)?))) };
            let read = tokio::task::spawn_blocking(load).await;
            read.map_err(|error| error.to_string())?.map_err(|error| error.reason())
        };
        let mut tasks = vec![Task::perform(read, Message::Read)];
        // A show does not come again.
        if !backend.is_demo() {
            let folder = backend.data_dir().to_owned();
            tasks.push(off_thread(move || Ok(autostart::starts(&folder))));
        }
        Action::Run(Task::batch(tasks))
    }

    /// Something happened.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        match message {
            Message::Read(Ok((id, of_node))) => (self.id, self.node) = (id, Some(of_node)),
            Message::Read(Err(why)) | Message::Written(Err(why)) => {
                self.trouble = Some(why.say(context.lang))
            }
            Message::Name(name) => {
                self.name = name;
                self.edits += 1;
                self.wrong = node_name(&self.name).err().map(|error| error.say(context.lang));
                if self.wrong.is_none() {
                    let edit = self.edits;
                    let rest = async { tokio::time::sleep(REST).await };
                    return Action::Run(Task::perform(rest, move |()| Message::Rested(edit)));
                }
            }
            Message::Rested(edit) if edit == self.edits => {
                return self.write(NodeSetting::Name(self.name.clone()), context);
            }
            Message::Rested(_) => {}
            Message::Node(setting) => return self.write(setting, context),
            Message::Written(Ok(of_node)) => {
                self.node = Some(of_node);
                self.trouble = None;
                (self.saved, self.pending) = (true, true);
            }
            Message::Set(settings) => {
                self.saved = true;
                return Action::Set(settings);
            }
            Message::Scale(scale) => self.scale = Some(scale),
            Message::Scaled => {
                if let Some(scale) = self.scale.take() {
                    self.saved = true;
                    return Action::Set(Kept { scale, ..context.settings.clone() });
                }
            }
            Message::Start(on) => {
                let Some(backend) = context.backend else { return Action::None };
                let folder = backend.data_dir().to_owned();
                return Action::Run(off_thread(move || {
                    autostart::start(on, &folder).map(|()| autostart::starts(&folder))
                }));
            }
            Message::Starts(Ok(starts)) => {
                self.saved |= self.starts.is_some_and(|before| before != starts);
                self.starts = Some(starts);
            }
            Message::Starts(Err(why)) => self.trouble = Some(why),
            Message::PickDownloads => {
                let chosen = files::folder(words::pick_downloads(context.lang));
                return Action::Run(Task::perform(chosen, Message::Downloads));
            }
            Message::Downloads(Some(folder)) => return self.save_in(Some(folder), context),
            Message::Downloads(None) => {}
            Message::UsualDownloads => return self.save_in(None, context),
            Message::Copy(text) => return Action::Copy(text),
            Message::Restart => return Action::Restart,
        }
        Action::None
    }

    fn save_in(&mut self, downloads: Option<PathBuf>, context: &Context<'_>) -> Action<Message> {
        self.saved = true;
        Action::Set(Kept { downloads, ..context.settings.clone() })
    }

    fn write(&mut self, setting: NodeSetting, context: &Context<'_>) -> Action<Message> {
        let Some(backend) = context.backend else { return Action::None };
        let file = backend.config_file();
        let write = async move {
            let written = tokio::task::spawn_blocking(move || set_of_node(&file, &setting)).await;
            let config = written.map_err(|error| error.to_string())?;
            config.map(|config| OfNode::from(&config)).map_err(|error| error.reason())
        };
        Action::Run(Task::perform(write, Message::Written))
    }

    /// The screen.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let saved = self.saved.then(|| {
            row![
                Icon::CircleCheck.view(14.0).style(theme::success_text),
                Role::Caption.text(words::saved(lang)).style(theme::muted),
            ]
            .spacing(space::S)
            .align_y(Alignment::Center)
            .into()
        });
        let head = header(
            &context,
            words::title(lang),
            words::caption(lang),
            saved.into_iter().collect(),
            None,
        );
        let left = column![self.you(&context), self.look(&context), self.notices(&context)];
        let right = column![self.here(&context), self.mesh(&context), about(lang)];
        let (left, right) = (left.spacing(space::L), right.spacing(space::L));
        let columns: Element<'a, Message> = match context.size.width >= 860.0 {
            true => {
                row![left.width(Length::Fill), right.width(Length::Fill)].spacing(space::XL).into()
            }
            false => column![left, right].spacing(space::L).into(),
        };
        let trouble =
            self.trouble.as_ref().map(|why| note(Icon::CircleX, why.as_str(), Tone::Danger));
        let all = Column::new().push(trouble).push(columns).spacing(space::L);
        column![head, body(&context, scroll(all).height(Length::Fill))].into()
    }

    fn you<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let name =
            field("", &self.name, self.wrong.as_deref(), Role::Body, NAME, Message::Name, None);
        let known = (!self.id.is_empty()).then(|| Message::Copy(self.id.clone()));
        let id = row![
            Role::Mono.text(short(&self.id)),
            icon_button(Icon::Copy, words::copy_id(lang), known),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center);
        let words_of = identity::parse(&self.id).map(|_| in_words(&self.id, context.lang));
        let receipts = self.node.map(|node| node.receipts);
        let change = receipts.map(|on| Message::Node(NodeSetting::Receipts(!on)));
        let mut rows = vec![
            row_of(words::name(lang), words::name_hint(lang), container(name).width(200)),
            row_of(words::your_id(lang), words::your_id_hint(lang), id),
        ];
        rows.extend(words_of);
        rows.push(row_of(
            words::receipts(lang),
            words::receipts_hint(lang),
            switch(receipts.unwrap_or(true), change),
        ));
        group(words::you(lang), rows)
    }

    fn look<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let kept = context.settings;
        let set = |change: &dyn Fn(&mut Kept)| {
            let mut settings = kept.clone();
            change(&mut settings);
            Message::Set(settings)
        };
        let languages = [
            (None, words::english(lang), Some(Lang::En)),
            (None, words::chinese(lang), Some(Lang::Zh)),
            (None, words::system(lang), None),
        ];
        let themes = [
            (Some(Icon::Sun), words::light(lang), ThemeChoice::Light),
            (Some(Icon::Moon), words::dark(lang), ThemeChoice::Dark),
            (None, words::system(lang), ThemeChoice::System),
        ];
        let language = segment(&languages, kept.language, false, |language| {
            set(&|settings| settings.language = language)
        });
        let theme = segment(&themes, kept.theme, context.is_narrow(), |theme| {
            set(&|settings| settings.theme = theme)
        });
        group(
            words::look(lang),
            vec![
                row_of(words::language(lang), "", language),
                row_of(words::theme(lang), "", theme),
                row_of(
                    words::text_size(lang),
                    words::text_size_hint(lang),
                    scale(kept, self.scale),
                ),
                row_of(
                    words::motion(lang),
                    words::motion_hint(lang),
                    switch(kept.motion, Some(set(&|settings| settings.motion = !settings.motion))),
                ),
            ],
        )
    }

    fn notices<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let kept = context.settings;
        let mail = Kept { notice_mail: !kept.notice_mail, ..kept.clone() };
        let strangers = Kept { notice_strangers: !kept.notice_strangers, ..kept.clone() };
        group(
            words::notices(lang),
            vec![
                row_of(
                    words::new_mail(lang),
                    "",
                    switch(kept.notice_mail, Some(Message::Set(mail))),
                ),
                row_of(
                    words::strangers(lang),
                    "",
                    switch(kept.notice_strangers, Some(Message::Set(strangers))),
                ),
            ],
        )
    }

    fn here<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let folder = context
            .backend
            .map_or_else(String::new, |backend| backend.data_dir().display().to_string());
        let own = context.backend.is_none_or(Backend::is_own);
        let (node, hint) = match own {
            true => (words::node_here(lang), words::node_here_hint(lang)),
            false => (words::node_there(lang), words::node_there_hint(lang)),
        };
        let restart = (own && self.pending)
            .then(|| button(words::restart(lang)).icon(Icon::RefreshCw).on_press(Message::Restart));
        let copy = (!folder.is_empty()).then(|| Message::Copy(folder.clone()));
        let path = column![
            Role::Body.text(words::data_folder(lang)),
            cut(folder, Role::Caption).style(theme::muted).fill(),
        ]
        .width(Length::Fill);
        let line = row![path, icon_button(Icon::Copy, words::copy_path(lang), copy)]
            .spacing(space::M)
            .align_y(Alignment::Center);
        let pending = self.pending.then(|| {
            let said = note(Icon::Info, words::restart_hint(lang), Tone::Primary);
            container(said).padding([space::S, space::L]).into()
        });
        let mut rows = vec![
            row_of(node, hint, Column::new().push(restart)),
            container(line).padding([space::S, space::L]).into(),
            downloads(context),
        ];
        rows.extend(self.starts.map(|starts| {
            let switch = switch(starts, Some(Message::Start(!starts)));
            row_of(words::start(lang), words::start_hint(lang), switch)
        }));
        rows.extend(pending);
        group(words::this_computer(lang), rows)
    }

    fn mesh<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        // What others can use; loopback only when there is nothing else.
        let listen = &context.view.own.listen;
        let beyond =
            |address: &&String| !address.contains("/127.0.0.1/") && !address.contains("/ip6/::1/");
        let address = listen.iter().find(beyond).or(listen.first());
        let copy = address.map(|address| Message::Copy(address.clone()));
        let shown = address.map_or(words::no_address(lang), String::as_str);
        let words_of = column![
            Role::Body.text(words::your_address(lang)),
            Role::Caption.text(words::your_address_hint(lang)).style(theme::muted),
            cut(shown, Role::Mono).fill(),
        ]
        .width(Length::Fill);
        let line = row![words_of, icon_button(Icon::Copy, words::copy_address(lang), copy)]
            .spacing(space::M)
            .align_y(Alignment::Center);
        let mdns = self.node.map(|node| node.mdns);
        let change = mdns.map(|on| Message::Node(NodeSetting::Mdns(!on)));
        group(
            words::mesh(lang),
            vec![
                row_of(
                    words::kind(lang),
                    words::kind_hint(lang),
                    badge(Some(Icon::Globe), words::open(lang), Tone::Success),
                ),
                container(line).padding([space::S, space::L]).into(),
                row_of(
                    words::mdns(lang),
                    words::mdns_hint(lang),
                    switch(mdns.unwrap_or(true), change),
                ),
            ],
        )
    }
}

/// Where files of letters are saved.
fn downloads<'a>(context: &Context<'a>) -> Element<'a, Message> {
    let lang = context.lang;
    let chosen = context.settings.downloads.clone();
    let usual = chosen.is_none();
    let folder = chosen.or_else(|| context.backend.map(Backend::downloads));
    let folder = folder.map_or_else(String::new, |folder| folder.display().to_string());
    let path = column![
        Role::Body.text(words::downloads(lang)),
        cut(folder, Role::Caption).style(theme::muted).fill(),
    ]
    .width(Length::Fill);
    let back = (!usual)
        .then(|| icon_button(Icon::X, words::usual_downloads(lang), Some(Message::UsualDownloads)));
    let pick = icon_button(Icon::Folder, words::pick_downloads(lang), Some(Message::PickDownloads));
    let line = row![path].push(back).push(pick).spacing(space::S).align_y(Alignment::Center);
    container(line).padding([space::S, space::L]).into()
}

fn off_thread(work: impl FnOnce() -> Result<bool, String> + Send + 'static) -> Task<Message> {
    let work = async move {
        let worked = tokio::task::spawn_blocking(work).await;
        worked.map_err(|error| error.to_string()).and_then(|result| result)
    };
    Task::perform(work, Message::Starts)
}

/// The size of everything; it holds when the slider is let go.
fn scale<'a>(kept: &Kept, held: Option<u16>) -> Element<'a, Message> {
    let shown = held.unwrap_or(kept.scale);
    let with = |scale: u16| {
        let scale = scale.clamp(SCALES.0, SCALES.1);
        (scale != kept.scale).then(|| Message::Set(Kept { scale, ..kept.clone() }))
    };
    let (more, less) = (with(kept.scale + STEP), with(kept.scale - STEP));
    let step = |icon, message| button("").kind(Kind::Icon).icon(icon).on_press_maybe(message);
    let slider = Slider::new(SCALES.0..=SCALES.1, shown, Message::Scale)
        .on_release(Message::Scaled)
        .step(STEP)
        .width(96);
    let (up, down) = (more.clone(), less.clone());
    let slider = focusable(slider, None).on_key(move |key| match key {
        Key::Named(Named::ArrowRight | Named::ArrowUp) => up.clone(),
        Key::Named(Named::ArrowLeft | Named::ArrowDown) => down.clone(),
        _ => None,
    });
    let percent = container(Role::Body.text(format!("{shown}%"))).align_right(48);
    row![step(Icon::Minus, less), slider, step(Icon::Plus, more), percent]
        .spacing(space::S)
        .align_y(Alignment::Center)
        .into()
}

/// A client id in words, in both languages, and as a code for a camera.
fn in_words<'a>(id: &str, lang: Lang) -> Element<'a, Message> {
    let id = identity::parse(id);
    let said = id.map(|id| Lang::ALL.map(|its| identity::words(&id, its)));
    let lines = said.into_iter().flatten().map(|said| Role::Strong.text(said).into());
    let code = id.and_then(|id| qr(&identity::link(&id), MODULE));
    let lines = column![
        Role::Body.text(words::in_words(lang)),
        Role::Caption.text(words::in_words_hint(lang)).style(theme::muted),
        Column::with_children(lines),
    ]
    .spacing(space::S)
    .width(Length::Fill);
    let line = row![lines].push(code).spacing(space::M).align_y(Alignment::Center);
    container(line).padding([space::M, space::L]).into()
}

fn group<'a>(title: &'a str, rows: Vec<Element<'a, Message>>) -> Element<'a, Message> {
    let mut card = Column::new();
    for (index, line) in rows.into_iter().enumerate() {
        if index > 0 {
            card = card.push(hr());
        }
        card = card.push(container(line).width(Length::Fill).center_y(Length::Shrink));
    }
    let card = container(card).padding(1).style(theme::card);
    column![Role::Heading.text(title), card].spacing(space::S).into()
}

fn about<'a>(lang: Lang) -> Element<'a, Message> {
    let version = format!("Potluck {}", env!("CARGO_PKG_VERSION"));
    let inside = row![
        tile(Icon::CookingPot, 36.0, Tone::Primary),
        column![
            Role::Strong.text(version),
            Role::Caption.text(words::about(lang)).style(theme::muted),
        ]
        .width(Length::Fill),
    ]
    .spacing(space::M)
    .align_y(Alignment::Center);
    container(inside).padding(space::L).style(theme::card).into()
}
