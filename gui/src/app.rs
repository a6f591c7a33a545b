//! The window: what all screens see, and the routes between them, the node and the system.

pub mod screens;
mod shell;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use iced::{
    Size, Subscription, Task,
    keyboard::{self, Key, Modifiers, key::Named},
    widget::operation,
    window,
};
use potluck::{
    client::{Event, View},
    say::{Reason, Say as _},
};

use crate::{
    args::Args,
    backend::{self, Backend, Start, Update, notice::notice},
    icon::Icon,
    screen::{Action, Context, Dropped, Screen},
    settings::{Settings, SettingsError, ThemeChoice},
    theme::{self, Element, Theme, Tone},
    widget::{Dialog, Toast, ToastId, Toasts},
    words::{Lang, shell as words},
};
use screens::Screens;

/// The name by which desktops know the window.
const ID: &str = "potluck";
/// The size of a new window.
const SIZE: Size = Size::new(1280.0, 860.0);
/// The smallest window: at 200 % this still works.
const SMALLEST: Size = Size::new(480.0, 400.0);
/// How often time is looked at while something shows it.
const TICK: Duration = Duration::from_secs(1);
/// How long leaving the mesh may hold up the window that closes.
const LEAVE: Duration = Duration::from_secs(3);

/// What all screens see, borrowed field by field, so that the screens themselves stay free.
macro_rules! context_of {
    ($app:expr) => {
        Context {
            lang: $app.lang.unwrap_or_else(|| $app.settings.lang()),
            screen: $app.screen,
            size: $app.size,
            view: &$app.view,
            backend: $app.backend.as_ref(),
            trouble: $app.trouble.as_deref(),
            settings: &$app.settings,
            theme: $app.drawn(),
            now_ms: $app.now_ms,
        }
    };
}

/// The state of the window.
pub struct App {
    start: Start,
    backend: Option<Backend>,
    trouble: Option<String>,
    view: View,
    settings: Settings,
    /// What the command line says for now.
    lang: Option<Lang>,
    theme: Option<ThemeChoice>,
    /// What the system prefers.
    system: theme::Theme,
    screen: Screen,
    screens: Screens,
    dialog: Option<Dialog<Message>>,
    toasts: Toasts<Message>,
    size: Size,
    now_ms: u64,
    leaving: bool,
    /// Somebody looks at the window.
    looked_at: bool,
    /// The desktop may be told of what happens.
    notices: bool,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// News of the node.
    Backend(Update),
    /// The settings of the window were read.
    Loaded(Result<Settings, Reason>),
    /// The settings were kept, or not.
    Kept(Result<(), Reason>),
    /// News of a screen.
    Screen(screens::Message),
    /// Another screen.
    Go(Screen),
    /// A key that nothing else took.
    Key(Key, Modifiers),
    /// Files over the window.
    Dropped(Dropped),
    /// The dialog's action, which closes it.
    Answer(Box<Message>),
    /// The dialog goes, its quiet action with it.
    Dismiss,
    /// A text for the clipboard.
    Copy(String),
    /// A short message goes.
    CloseToast(ToastId),
    /// What a short message offers is wanted; it goes.
    ActOnToast(ToastId, Box<Message>),
    /// The pointer came over the short messages, or left.
    HoverToasts(bool),
    /// The system is light or dark.
    Prefers(iced::theme::Mode),
    /// The window has another size.
    Resized(Size),
    /// Somebody looks at the window, or does not any more.
    LookedAt(bool),
    /// Time passed.
    Tick(Instant),
    /// The node is to be opened again.
    Restart,
    /// The nodes of this process have left, so that they can be opened again.
    Left,
    /// The window is to close.
    Close,
    /// Everything has left.
    Closed,
}

/// Opens the window and runs it until it closes.
pub fn run(args: Args) -> anyhow::Result<()> {
    // Looking through the fonts of the system takes a while: it happens beside everything else.
    std::thread::spawn(|| drop(iced::advanced::graphics::text::font_system().read()));
    let open = move || {
        let (app, task) = App::new(&args);
        (App { notices: true, ..app }, task)
    };
    let mut window = iced::application(open, App::update, App::view)
        // Desktops find the entry of the menu by it, and with that the icon.
        .settings(iced::Settings { id: Some(ID.to_owned()), ..iced::Settings::default() })
        .title(|app: &App| words::potluck(app.lang()).to_owned())
        .theme(App::theme)
        .scale_factor(App::scale)
        .subscription(App::subscription)
        .default_font(theme::FAMILY)
        .window(window::Settings {
            size: SIZE,
            min_size: Some(SMALLEST),
            exit_on_close_request: false,
            icon: icon(),
            ..window::Settings::default()
        });
    for font in theme::fonts() {
        window = window.font(font);
    }
    Ok(window.run()?)
}

fn icon() -> Option<window::Icon> {
    let picture = image::load_from_memory(include_bytes!("../package/potluck.png")).ok()?;
    let picture = picture.into_rgba8();
    let (width, height) = picture.dimensions();
    window::icon::from_rgba(picture.into_raw(), width, height).ok()
}

impl App {
    /// The window as it opens.
    pub fn new(args: &Args) -> (Self, Task<Message>) {
        // The settings are in the folder of a node that is not there yet.
        let lang = args.lang.unwrap_or_else(Lang::of_system);
        let app = Self {
            start: Start { options: args.home(), demo: args.demo.then_some(lang), attempt: 0 },
            backend: None,
            trouble: None,
            view: View::default(),
            settings: Settings::default(),
            lang: args.lang,
            theme: args.theme,
            system: Theme::default(),
            screen: Screen::Mesh,
            screens: Screens::default(),
            dialog: None,
            toasts: Toasts::default(),
            size: SIZE,
            now_ms: now_ms(),
            leaving: false,
            looked_at: true,
            notices: false,
        };
        (app, iced::system::theme().map(Message::Prefers))
    }

    /// The language.
    pub fn lang(&self) -> Lang {
        self.lang.unwrap_or_else(|| self.settings.lang())
    }

    /// The theme; `None` follows the system.
    pub fn theme(&self) -> Option<Theme> {
        match self.theme.unwrap_or(self.settings.theme) {
            ThemeChoice::System => None,
            ThemeChoice::Light => Some(Theme::Light),
            ThemeChoice::Dark => Some(Theme::Dark),
        }
    }

    /// Light or dark, as it is drawn.
    pub fn drawn(&self) -> Theme {
        self.theme().unwrap_or(self.system)
    }

    /// The size of everything.
    pub fn scale(&self) -> f32 {
        f32::from(self.settings.scale) / 100.0
    }

    /// Which screen shows.
    pub fn screen(&self) -> Screen {
        self.screen
    }

    /// The short messages that show.
    pub fn toasts(&self) -> &Toasts<Message> {
        &self.toasts
    }

    /// What all screens see in a room of `size`.
    fn context(&self, size: Size) -> Context<'_> {
        Context { size, ..context_of!(self) }
    }

    /// Something happened.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Backend(update) => return self.hear(update),
            Message::Loaded(Ok(settings)) => {
                let lang = self.lang();
                self.settings = settings;
                if lang != self.lang() {
                    return self.ready();
                }
            }
            Message::Loaded(Err(why)) => {
                let title = words::settings_unread(self.lang(), &why.say(self.lang()));
                self.tell(Tone::Warning, Icon::TriangleAlert, title);
            }
            Message::Kept(Ok(())) => {}
            Message::Kept(Err(why)) => {
                let title = words::settings_unsaved(self.lang(), &why.say(self.lang()));
                self.tell(Tone::Danger, Icon::CircleX, title);
            }
            Message::Screen(message) => return self.screen_update(message),
            Message::Go(screen) => {
                self.screen = screen;
                return self.shows();
            }
            Message::Key(key, modifiers) => return self.key(&key, modifiers),
            Message::Dropped(dropped) if self.dialog.is_none() => {
                let context = context_of!(self);
                let action = self.screens.dropped(self.screen, &dropped, &context);
                return self.act(action);
            }
            Message::Dropped(_) => {}
            Message::Answer(answer) => {
                self.dialog = None;
                return self.update(*answer);
            }
            Message::Dismiss => {
                let quiet = self.dialog.take().and_then(|dialog| dialog.actions.into_iter().next());
                if let Some((_, message)) = quiet {
                    return self.update(message);
                }
            }
            Message::Copy(text) => return self.copy(text),
            Message::CloseToast(id) => self.toasts.close(id),
            Message::ActOnToast(id, wanted) => {
                self.toasts.close(id);
                return self.update(*wanted);
            }
            Message::HoverToasts(hovered) => self.toasts.hover(hovered),
            Message::Prefers(mode) => self.system = iced::theme::Base::default(mode),
            Message::Resized(size) => self.size = size,
            Message::LookedAt(looked_at) => self.looked_at = looked_at,
            Message::Tick(now) => {
                self.now_ms = now_ms();
                self.toasts.tick(now);
            }
            Message::Restart => return self.restart(),
            Message::Left => {
                self.leaving = false;
                self.start.attempt += 1;
            }
            Message::Close => return self.close(),
            Message::Closed => return iced::exit(),
        }
        Task::none()
    }

    fn hear(&mut self, update: Update) -> Task<Message> {
        match update {
            Update::Ready(backend) => {
                self.trouble = None;
                let folder = backend.data_dir().to_owned();
                self.backend = Some(backend);
                let load = move || Settings::load(&folder).map_err(|error| error.reason());
                return Task::batch([self.ready(), off_thread(load, Message::Loaded)]);
            }
            Update::Failed(why) => {
                self.backend = None;
                self.trouble = Some(why.say(self.lang()));
            }
            Update::News(events) => {
                self.now_ms = now_ms();
                let mut tasks = Vec::new();
                for event in events {
                    self.greet(&event);
                    let context = context_of!(self);
                    let action = self.screens.hear(&event, &context);
                    tasks.push(self.act(action));
                    self.view.apply(event);
                }
                return Task::batch(tasks);
            }
            Update::Moved => {
                self.backend = None;
                self.view = View::default();
            }
            Update::Gone => {
                self.backend = None;
                self.view = View::default();
                if !self.leaving {
                    self.trouble = Some(words::node_gone(self.lang()).to_owned());
                }
            }
        }
        Task::none()
    }

    /// Somebody left: that is worth a word when they were working for this person.
    fn greet(&mut self, event: &Event) {
        if let Event::Gone { name, reason, .. } = event {
            let title = crate::words::mesh::went(self.lang(), name);
            self.toasts.show(
                Toast {
                    tone: Tone::Neutral,
                    icon: Icon::WifiOff,
                    title,
                    text: reason.say(self.lang()),
                    action: None,
                },
                Instant::now(),
            );
        }
    }

    /// The node is there, or the language changed.
    fn ready(&mut self) -> Task<Message> {
        let context = context_of!(self);
        let actions = self.screens.ready(&context);
        Task::batch(actions.into_iter().map(|action| self.act(action)).collect::<Vec<_>>())
    }

    fn screen_update(&mut self, message: screens::Message) -> Task<Message> {
        let context = context_of!(self);
        let action = self.screens.update(message, &context);
        self.act(action)
    }

    /// What shows is another screen, or has other settings.
    fn shows(&mut self) -> Task<Message> {
        let context = context_of!(self);
        let action = self.screens.shows(self.screen, &context);
        self.act(action)
    }

    /// Does what a screen asks for.
    fn act(&mut self, action: Action<screens::Message>) -> Task<Message> {
        match action.map(Message::Screen) {
            Action::None => Task::none(),
            Action::Run(task) => task,
            Action::Tell(toast) => {
                self.toasts.show(toast, Instant::now());
                Task::none()
            }
            Action::Notice(toast) => {
                let id = self.toasts.show(toast.clone(), Instant::now());
                self.notice(id, toast)
            }
            Action::Ask(mut dialog) => {
                // Whatever is chosen, the box goes.
                for (_, message) in &mut dialog.actions {
                    let chosen = std::mem::replace(message, Message::Dismiss);
                    *message = Message::Answer(Box::new(chosen));
                }
                self.dialog = Some(dialog);
                operation::focus(crate::widget::DIALOG_FOCUS)
            }
            Action::Copy(text) => self.copy(text),
            Action::Go(screen) => self.update(Message::Go(screen)),
            Action::Set(settings) => {
                let kept = self.set(settings);
                Task::batch([kept, self.shows()])
            }
            Action::Restart => self.restart(),
        }
    }

    /// The same on the desktop, where nobody looks at the window. Pressing it brings the window up.
    fn notice(&self, id: ToastId, toast: Toast<Message>) -> Task<Message> {
        if self.looked_at || !self.notices {
            return Task::none();
        }
        let (label, message) = toast.action.unzip();
        let open = label.unwrap_or_default();
        let shown = notice(toast.title, toast.text, open);
        Task::perform(shown, |pressed| pressed).then(move |pressed| match (pressed, &message) {
            (true, Some(message)) => {
                let up: Task<Message> = window::latest().and_then(window::gain_focus);
                Task::done(Message::ActOnToast(id, Box::new(message.clone()))).chain(up)
            }
            _ => Task::none(),
        })
    }

    fn set(&mut self, settings: Settings) -> Task<Message> {
        let (lang, spoken) = (settings.language, self.lang());
        if lang != self.settings.language {
            self.lang = None;
        }
        if settings.theme != self.settings.theme {
            self.theme = None;
        }
        self.settings = settings;
        let again = if self.lang() == spoken { Task::none() } else { self.ready() };
        let Some(backend) = &self.backend else { return again };
        let (folder, kept) = (backend.data_dir().to_owned(), self.settings.clone());
        let save = move || kept.save(&folder).map_err(|error: SettingsError| error.reason());
        Task::batch([again, off_thread(save, Message::Kept)])
    }

    fn copy(&mut self, text: String) -> Task<Message> {
        let short: String = text.chars().take(80).collect();
        let toast = Toast {
            tone: Tone::Success,
            icon: Icon::Copy,
            title: words::copied(self.lang()).to_owned(),
            text: short,
            action: None,
        };
        self.toasts.show(toast, Instant::now());
        iced::clipboard::write(text)
    }

    fn key(&mut self, key: &Key, modifiers: Modifiers) -> Task<Message> {
        match key {
            Key::Named(Named::Tab) if modifiers.shift() => return operation::focus_previous(),
            Key::Named(Named::Tab) => return operation::focus_next(),
            Key::Named(Named::Escape) if self.dialog.is_some() => {
                return self.update(Message::Dismiss);
            }
            _ if self.dialog.is_some() => return Task::none(),
            Key::Character(digit) if modifiers.command() => {
                let number: usize = digit.parse().unwrap_or_default();
                let shown = |screen: &&Screen| self.screens.is_useful(**screen, &self.view);
                let mut shown = Screen::ALL.iter().filter(shown);
                if let Some(screen) = number.checked_sub(1).and_then(|at| shown.nth(at)) {
                    return self.update(Message::Go(*screen));
                }
            }
            _ => {}
        }
        let context = context_of!(self);
        let action = self.screens.key(self.screen, key, modifiers, &context);
        self.act(action)
    }

    fn tell(&mut self, tone: Tone, icon: Icon, title: String) {
        let toast = Toast { tone, icon, title, text: String::new(), action: None };
        self.toasts.show(toast, Instant::now());
    }

    /// Leaves the mesh, then opens the node again.
    fn restart(&mut self) -> Task<Message> {
        self.trouble = None;
        self.leaving = true;
        match self.backend.take() {
            Some(backend) => Task::perform(backend.leave(), |()| Message::Left),
            None => self.update(Message::Left),
        }
    }

    fn close(&mut self) -> Task<Message> {
        self.leaving = true;
        match self.backend.take() {
            Some(backend) => {
                let left = async move { tokio::time::timeout(LEAVE, backend.leave()).await };
                Task::perform(left, |_| Message::Closed)
            }
            None => self.update(Message::Closed),
        }
    }

    /// What is listened to.
    pub fn subscription(&self) -> Subscription<Message> {
        let keys = keyboard::listen().filter_map(|event| match event {
            keyboard::Event::KeyPressed { key, modifiers, .. } => {
                Some(Message::Key(key, modifiers))
            }
            _ => None,
        });
        // Nothing ticks where nothing shows time: an idle window costs nothing.
        let ticks = self.toasts.is_waiting()
            || self.screens.shows_time(self.screen, &self.view, self.now_ms);
        let tick = match ticks {
            true => iced::time::every(TICK).map(Message::Tick),
            false => Subscription::none(),
        };
        Subscription::batch([
            Subscription::run_with(self.start.clone(), backend::follow).map(Message::Backend),
            keys,
            iced::event::listen_with(|event, _, _| of_window(&event)),
            window::resize_events().map(|(_, size)| Message::Resized(size)),
            iced::system::theme_changes().map(Message::Prefers),
            window::close_requests().map(|_| Message::Close),
            tick,
        ])
    }

    /// The window.
    pub fn view(&self) -> Element<'_, Message> {
        shell::view(self)
    }
}

fn of_window(event: &iced::Event) -> Option<Message> {
    let iced::Event::Window(event) = event else { return None };
    Some(match event {
        window::Event::FileHovered(_) => Message::Dropped(Dropped::Over),
        window::Event::FilesHoveredLeft => Message::Dropped(Dropped::Left),
        window::Event::FileDropped(path) => Message::Dropped(Dropped::File(path.clone())),
        window::Event::Focused => Message::LookedAt(true),
        window::Event::Unfocused => Message::LookedAt(false),
        _ => return None,
    })
}

fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Reason> + Send + 'static,
    done: impl Fn(Result<T, Reason>) -> Message + Send + 'static,
) -> Task<Message> {
    let work = async move {
        let worked = tokio::task::spawn_blocking(work).await;
        worked.map_err(|error| error.to_string().into()).and_then(|result| result)
    };
    Task::perform(work, done)
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
