//! The screens: one file each. A screen has a state, a `Message`, `update` and `view`; what goes
//! beyond it, it asks for with an [`Action`].
//!
//! A new screen is a file here, a file of words, a line in [`Screen::ALL`], and its arms in
//! `app::screens`.

pub mod activity;
pub mod analyze;
pub mod asked;
pub mod chat;
pub mod faces;
pub mod marked;
pub mod mesh;
pub mod more;
pub mod offer;
pub mod paths;
pub mod recognize;
pub mod settings;

use iced::{
    Alignment, Length, Padding, Size, Task,
    widget::{Row, column, container, row},
};
use potluck::client::View;

use crate::{
    backend::Backend,
    icon::Icon,
    settings::Settings,
    theme::{self, Element, Role, space},
    widget::{Dialog, Toast, button, cut, icon_button},
    words::{self, Lang},
};

/// A screen, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Screen {
    /// Who is there.
    Mesh,
    /// Letters and the robot.
    Chat,
    /// What was asked and served.
    Activity,
    /// What is done for others.
    Offer,
    /// What is on pictures.
    Recognize,
    /// Where things are on them.
    Things,
    /// What is written on them.
    Text,
    /// Whose faces are on them.
    Faces,
    /// What stands in tables.
    Analyze,
    /// What else is offered.
    More,
    /// How it looks and behaves.
    Settings,
}

/// Under which caption of the sidebar a screen stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Above all captions.
    First,
    /// What the mesh can be asked.
    Ask,
    /// This computer.
    Here,
}

impl Screen {
    /// All, as they stand in the sidebar; Ctrl and their number choose them.
    pub const ALL: &[Screen] = &[
        Screen::Mesh,
        Screen::Chat,
        Screen::Recognize,
        Screen::Things,
        Screen::Text,
        Screen::Faces,
        Screen::Analyze,
        Screen::More,
        Screen::Activity,
        Screen::Offer,
        Screen::Settings,
    ];

    /// Its icon.
    pub fn icon(self) -> Icon {
        match self {
            Self::Mesh => Icon::Waypoints,
            Self::Chat => Icon::MessageCircle,
            Self::Activity => Icon::Activity,
            Self::Offer => Icon::HandPlatter,
            Self::Recognize => Icon::ScanSearch,
            Self::Things => marked::Which::Things.icon(),
            Self::Text => marked::Which::Text.icon(),
            Self::Faces => Icon::ScanFace,
            Self::Analyze => Icon::ChartColumn,
            Self::More => Icon::LayoutGrid,
            Self::Settings => Icon::SlidersHorizontal,
        }
    }

    /// Its name.
    pub fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Mesh => words::mesh::title(lang),
            Self::Chat => words::chat::title(lang),
            Self::Activity => words::activity::title(lang),
            Self::Offer => words::offer::title(lang),
            Self::Recognize => words::recognize::title(lang),
            Self::Things => words::marked::things_title(lang),
            Self::Text => words::marked::text_title(lang),
            Self::Faces => words::faces::title(lang),
            Self::Analyze => words::analyze::title(lang),
            Self::More => words::more::title(lang),
            Self::Settings => words::settings::title(lang),
        }
    }

    /// Where it stands.
    pub fn group(self) -> Group {
        match self {
            Self::Mesh | Self::Chat => Group::First,
            Self::Recognize
            | Self::Things
            | Self::Text
            | Self::Faces
            | Self::Analyze
            | Self::More => Group::Ask,
            Self::Activity | Self::Offer | Self::Settings => Group::Here,
        }
    }
}

/// What all screens see.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The language.
    pub lang: Lang,
    /// Which screen the person sees.
    pub screen: Screen,
    /// The room for the screen, in logical pixels. Updates see the last one that was drawn.
    pub size: Size,
    /// What the node knows.
    pub view: &'a View,
    /// The node, while it is there.
    pub backend: Option<&'a Backend>,
    /// Why it is not there.
    pub trouble: Option<&'a str>,
    /// How the window looks and behaves.
    pub settings: &'a Settings,
    /// Light or dark, as it is drawn.
    pub theme: theme::Theme,
    /// Unix time in milliseconds.
    pub now_ms: u64,
}

impl Context<'_> {
    /// One pane at a time: there is no room for two.
    pub fn is_narrow(&self) -> bool {
        self.size.width < 672.0
    }

    /// A panel fits beside the content.
    pub fn has_panel(&self) -> bool {
        self.size.width >= 812.0
    }

    /// How wide that panel is.
    pub fn panel_width(&self) -> f32 {
        if self.size.width >= 940.0 { 320.0 } else { 288.0 }
    }
}

/// Files that are held over the window, or let go there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dropped {
    /// They are above it.
    Over,
    /// They left it again.
    Left,
    /// One was let go; each comes by itself.
    File(std::path::PathBuf),
}

/// What a screen asks for beyond itself.
pub enum Action<Message> {
    /// Nothing.
    None,
    /// Work that ends in messages.
    Run(Task<Message>),
    /// A short message in the corner.
    Tell(Toast<Message>),
    /// The same, and a notice of the desktop where nobody looks at the window; pressing it is the action.
    Notice(Toast<Message>),
    /// A message box.
    Ask(Dialog<Message>),
    /// A text for the clipboard; what it was is told.
    Copy(String),
    /// Another screen.
    Go(Screen),
    /// The settings of the window change.
    Set(Settings),
    /// The node is opened again: after it failed or went, or with new settings.
    Restart,
}

impl<Message: Send + 'static> Action<Message> {
    /// The same in the words of whoever holds the screen.
    pub fn map<Other: Send + 'static>(
        self,
        wrap: impl Fn(Message) -> Other + Send + Copy + 'static,
    ) -> Action<Other> {
        let named = |(label, message): (String, Message)| (label, wrap(message));
        match self {
            Self::None => Action::None,
            Self::Run(task) => Action::Run(task.map(wrap)),
            Self::Tell(toast) => Action::Tell(toast.map(wrap)),
            Self::Notice(toast) => Action::Notice(toast.map(wrap)),
            Self::Ask(Dialog { tone, icon, title, text, details, actions }) => {
                let actions = actions.into_iter().map(named).collect();
                Action::Ask(Dialog { tone, icon, title, text, details, actions })
            }
            Self::Copy(text) => Action::Copy(text),
            Self::Go(screen) => Action::Go(screen),
            Self::Set(settings) => Action::Set(settings),
            Self::Restart => Action::Restart,
        }
    }
}

/// The header of a screen: its name, a caption, controls at the right. `back` shows where there is
/// room for one pane only.
pub fn header<'a, Message: Clone + 'a>(
    context: &Context<'_>,
    title: impl Into<std::borrow::Cow<'a, str>>,
    caption: impl Into<std::borrow::Cow<'a, str>>,
    controls: Vec<Element<'a, Message>>,
    back: Option<Message>,
) -> Element<'a, Message> {
    let narrow = context.is_narrow();
    let words = if narrow {
        column![cut(title, Role::Heading)]
    } else {
        column![cut(title, Role::Title), cut(caption, Role::Caption).style(theme::muted)]
    };
    let back = back.filter(|_| narrow).map(|message| {
        icon_button(Icon::ChevronLeft, words::shell::back(context.lang), Some(message))
    });
    let line = row![]
        .push(back)
        .push(words.width(Length::Fill))
        .push(Row::with_children(controls).spacing(space::S).align_y(Alignment::Center))
        .spacing(space::S)
        .align_y(Alignment::Center);
    let (height, side) = if narrow { (44.0, space::M) } else { (64.0, space::XL) };
    container(line).height(height).center_y(height).padding([0.0, side]).into()
}

/// The body of a screen below its header.
pub fn body<'a, Message: 'a>(
    context: &Context<'_>,
    content: impl Into<Element<'a, Message>>,
) -> Element<'a, Message> {
    let side = if context.is_narrow() { space::M } else { space::XL };
    container(content)
        .padding(Padding::from([0.0, side]).bottom(side))
        .width(Length::Fill)
        .height(Length::Fill)
        .into()
}

/// The way for those who have no file at hand: the bundled ones.
pub fn sample_button<'a, Message: Clone + 'a>(lang: Lang, sample: Message) -> Element<'a, Message> {
    let sample = button(words::analyze::sample(lang)).icon(Icon::Play).on_press(sample);
    container(sample).center_x(Length::Fill).into()
}
