//! The mesh: a live map or list of the nodes, a card for the chosen one, what runs now; and where
//! nobody is found, why.

mod card;
mod layout;
mod map;
mod nobody;
mod node;
pub mod private;
mod running;

use iced::{
    Alignment, Length, Padding, Task,
    keyboard::{Key, key::Named},
    widget::{Canvas, Column, column, container, row, scrollable, text},
};
use potluck::{client::View, doctor::Finding, say::Reason};

use super::{Action, Context, Screen, body, header};
use crate::{
    icon::Icon,
    theme::{self, Element, Role, Tone, space},
    widget::{
        Kind, Toast, Window, badge, button, card as in_card, cut, empty, field, hr, list, note,
        pressable, scroll, segment, tile,
    },
    words::{mesh as words, shell},
};
use node::Node;

pub(super) use card::speed;
pub(super) use node::capability;

/// Height of a row of the list.
const ROW: f32 = 56.0;
/// The name of the address field.
pub const ADDRESS: &str = "mesh-address";

/// How the nodes show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// Around this one, nearer is faster.
    #[default]
    Map,
    /// One below the other.
    List,
}

/// The state of the screen.
#[derive(Debug, Default)]
pub struct Mesh {
    shape: Shape,
    chosen: Option<String>,
    window: Window,
    adding: bool,
    address: String,
    wrong: Option<String>,
    connecting: bool,
    findings: Option<Result<Vec<Finding>, Reason>>,
    looking: bool,
    private: private::Private,
}

/// What happens here.
#[derive(Debug, Clone)]
pub enum Message {
    /// Map or list.
    Shape(Shape),
    /// A node was chosen, by its id.
    Choose(String),
    /// Its card is closed.
    Unchoose,
    /// The list was scrolled.
    Scrolled(scrollable::Viewport),
    /// The address field opens or closes.
    Add,
    /// Something was typed into it.
    Address(String),
    /// The address is to be called.
    Connect,
    /// It was taken, or it is none.
    Connected(Result<(), Reason>),
    /// The doctor is to look around.
    Examine,
    /// The doctor looked around.
    Examined(Result<Vec<Finding>, Reason>),
    /// A text for the clipboard.
    Copy(String),
    /// Another screen.
    Go(Screen),
    /// The node is to be started again.
    Restart,
    /// Something about the private mesh.
    Private(private::Message),
}

/// Whether something here changes with time alone: calls that run, and those that ended just now.
pub fn shows_time(view: &View) -> bool {
    view.calls.iter().rev().take(8).any(|call| call.end.is_none()) || node::any_recent(view)
}

impl Mesh {
    /// Something happened.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        match message {
            Message::Shape(shape) => self.shape = shape,
            Message::Choose(id) => self.chosen = Some(id),
            Message::Unchoose => self.chosen = None,
            Message::Scrolled(viewport) => self.window.scrolled(viewport),
            Message::Add => {
                self.adding = !self.adding;
                if self.adding {
                    return Action::Run(iced::widget::operation::focus(ADDRESS));
                }
            }
            Message::Address(text) => (self.address, self.wrong) = (text, None),
            Message::Connect => return self.connect(context),
            Message::Connected(Ok(())) => {
                self.connecting = false;
                self.adding = false;
                self.address.clear();
                return Action::Tell(Toast {
                    tone: Tone::Primary,
                    icon: Icon::Link,
                    title: words::connect(context.lang).to_owned(),
                    text: words::connecting(context.lang).to_owned(),
                    action: None,
                });
            }
            Message::Connected(Err(why)) => {
                self.connecting = false;
                self.wrong = Some(why.say(context.lang));
            }
            Message::Examine => return self.examine(context),
            Message::Examined(found) => (self.findings, self.looking) = (Some(found), false),
            Message::Copy(text) => return Action::Copy(text),
            Message::Go(screen) => return Action::Go(screen),
            Message::Restart => return Action::Restart,
            Message::Private(message) => {
                return self.private.update(message, context).map(Message::Private);
            }
        }
        Action::None
    }

    /// What the private mesh is called, where the node is in one.
    pub fn private(&self) -> Option<&str> {
        self.private.name()
    }

    /// The node is there, or the language changed: whoever is alone wants to know why.
    pub fn ready(&mut self, context: &Context<'_>) -> Action<Message> {
        self.findings = None;
        let standing = self.private.ready(context).map(Message::Private);
        match self.examine(context) {
            Action::Run(looking) => Action::Run(Task::batch([looking, standing])),
            _ => Action::Run(standing),
        }
    }

    /// A key that nothing else took.
    pub fn key(&mut self, key: &Key, context: &Context<'_>) -> Action<Message> {
        if self.private.key(key) {
            return Action::None;
        }
        let nodes = node::all(context);
        let at = self.chosen.as_ref().and_then(|id| nodes.iter().position(|node| node.id == *id));
        let count = nodes.len();
        let next = match (key, at) {
            (Key::Named(Named::Escape), _) => {
                self.chosen = None;
                self.adding = false;
                return Action::None;
            }
            (Key::Named(Named::ArrowDown | Named::ArrowRight), at) => {
                at.map_or(0, |at| (at + 1) % count)
            }
            (Key::Named(Named::ArrowUp | Named::ArrowLeft), at) => {
                at.map_or(count - 1, |at| (at + count - 1) % count)
            }
            _ => return Action::None,
        };
        self.chosen = nodes.get(next).map(|node| node.id.clone());
        Action::None
    }

    fn connect(&mut self, context: &Context<'_>) -> Action<Message> {
        let address = self.address.trim().to_owned();
        let Some(backend) = context.backend.filter(|_| !address.is_empty() && !self.connecting)
        else {
            return Action::None;
        };
        self.connecting = true;
        Action::Run(Task::perform(backend.clone().join(address), Message::Connected))
    }

    fn examine(&mut self, context: &Context<'_>) -> Action<Message> {
        let Some(backend) = context.backend.filter(|_| !self.looking) else { return Action::None };
        self.looking = true;
        let looking = backend.clone().examine(context.lang);
        Action::Run(Task::perform(looking, Message::Examined))
    }

    /// The screen.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        if let Some(why) = context.trouble {
            return self.stopped(&context, why);
        }
        if self.private.is_open() {
            return self.private.view(&context).map(Message::Private);
        }
        let nodes = node::all(&context);
        let alone = nodes.len() < 2;
        if context.backend.is_none() && alone && self.findings.is_none() {
            let lang = context.lang;
            let wait = empty(Icon::CookingPot, shell::starting(lang), shell::starting_long(lang));
            return column![header(&context, words::title(lang), "", Vec::new(), None), wait]
                .into();
        }
        if alone {
            return column![self.head(&context, &nodes), body(&context, self.nobody(&context))]
                .into();
        }
        let chosen = self.chosen.as_ref().and_then(|id| nodes.iter().find(|node| node.id == *id));
        let panel = chosen.map(|node| card::view(node, &context));
        // Where there is no room beside it, the card takes the place of the map.
        let (panel, instead) = match context.has_panel() {
            true => (panel, None),
            false => (None, panel),
        };
        let back = instead.is_some().then_some(Message::Unchoose);
        let content = match instead {
            Some(card) => card,
            None => self.content(&context, nodes.clone()),
        };
        let main = column![self.head_with(&context, &nodes, back), body(&context, content)];
        let panel = panel.map(|panel| container(panel).width(context.panel_width()));
        row![main.width(Length::Fill)].push(panel).into()
    }

    fn head<'a>(&'a self, context: &Context<'_>, nodes: &[Node]) -> Element<'a, Message> {
        self.head_with(context, nodes, None)
    }

    fn head_with<'a>(
        &'a self,
        context: &Context<'_>,
        nodes: &[Node],
        back: Option<Message>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let others = nodes.len().saturating_sub(1);
        let private = self.private.name();
        if others == 0 {
            let caption = match private {
                Some(name) => words::caption_private_alone(lang, name).into(),
                None => std::borrow::Cow::Borrowed(words::caption_alone(lang)),
            };
            let members = vec![self.members_button(context)];
            return header(context, words::title(lang), caption, members, None);
        }
        let on = nodes.iter().filter(|node| !node.own && node.state == node::State::On).count();
        let short = context.size.width < 860.0;
        let shapes = [
            (Some(Icon::Waypoints), words::map(lang), Shape::Map),
            (Some(Icon::List), words::list(lang), Shape::List),
        ];
        let mut controls = vec![segment(&shapes, self.shape, short, Message::Shape)];
        let add = words::add_address(lang);
        controls.push(if context.is_narrow() {
            crate::widget::icon_button(Icon::Plus, add, Some(Message::Add))
        } else {
            button(add).icon(Icon::Plus).on_press(Message::Add).into()
        });
        controls.push(self.members_button(context));
        let caption = match private {
            Some(name) => words::caption_private(lang, name, on, others),
            None => words::caption(lang, on, others),
        };
        header(context, words::title(lang), caption, controls, back)
    }

    /// The way to the page of the private mesh.
    fn members_button<'a>(&self, context: &Context<'_>) -> Element<'a, Message> {
        let (icon, label) = match self.private.name() {
            Some(_) => (Icon::Users, words::members(context.lang)),
            None => (Icon::Lock, words::private_title(context.lang)),
        };
        let open = Message::Private(private::Message::Open);
        match context.is_narrow() {
            true => crate::widget::icon_button(icon, label, Some(open)),
            false => button(label).icon(icon).on_press(open).into(),
        }
    }

    fn content<'a>(&'a self, context: &Context<'a>, nodes: Vec<Node>) -> Element<'a, Message> {
        let lang = context.lang;
        let adding = self.adding.then(|| in_card(self.address_field(context)));
        let clone = context
            .view
            .mesh
            .clone
            .as_ref()
            .map(|_| note(Icon::TriangleAlert, shell::clone_here(lang), Tone::Danger));
        if adding.is_some() && context.size.height < 480.0 {
            // Too low for both: the address comes first.
            let all = Column::new().push(clone).push(adding).spacing(space::L);
            return scroll(all).height(Length::Fill).into();
        }
        let shown = match self.shape {
            Shape::Map => self.map(context, nodes),
            Shape::List => self.list(context, nodes),
        };
        // A low window shows the map alone.
        let running = (context.size.height >= 640.0).then(|| running::view(context));
        Column::new().push(clone).push(adding).push(shown).push(running).spacing(space::L).into()
    }

    fn map<'a>(&'a self, context: &Context<'_>, nodes: Vec<Node>) -> Element<'a, Message> {
        let lang = context.lang;
        let map = map::Map { nodes, chosen: self.chosen.clone(), lang };
        let canvas = Canvas::new(map).width(Length::Fill).height(Length::Fill);
        let legend = (context.size.height >= 480.0 && !context.is_narrow()).then(|| {
            let mark = |tone, words: &'a str| {
                let line = container(iced::widget::Space::new().width(16).height(4))
                    .style(theme::accent(tone));
                row![line, Role::Caption.text(words).style(theme::muted)]
                    .spacing(space::S)
                    .align_y(Alignment::Center)
            };
            let hint = cut(words::legend(lang), Role::Caption).style(theme::muted);
            let line = row![
                mark(Tone::Primary, words::you_asked(lang)),
                mark(Tone::Success, words::you_serve(lang)),
                container(hint).align_right(Length::Fill),
            ]
            .spacing(space::L)
            .align_y(Alignment::Center);
            column![hr(), container(line).center_y(40).padding([0.0, space::L])]
        });
        container(Column::new().push(canvas).push(legend))
            .padding(1)
            .height(Length::Fill)
            .style(theme::card)
            .into()
    }

    fn list<'a>(&'a self, context: &Context<'_>, nodes: Vec<Node>) -> Element<'a, Message> {
        let lang = context.lang;
        let narrow = context.is_narrow();
        let chosen = self.chosen.clone();
        let row_of = move |index: usize| -> Element<'a, Message> {
            let Some(node) = nodes.get(index).cloned() else { return text("").into() };
            let on = chosen.as_ref() == Some(&node.id);
            let (icon, tone, words_of_state) = node.state.shown(lang);
            let caption = node.offers_in_words(lang);
            let names = column![
                cut(node.name.clone(), if on { Role::Strong } else { Role::Body }).fill(),
                cut(caption, Role::Caption).fill().style(theme::muted),
            ]
            .width(Length::Fill);
            let tone_of_tile = if node.own { Tone::Primary } else { Tone::Neutral };
            let mut line = row![tile(node.icon(), 36.0, tone_of_tile), names]
                .spacing(space::M)
                .align_y(Alignment::Center);
            if !narrow && node.rtt_ms.is_some() {
                let latency = Role::Body.text(node.latency(lang)).style(theme::muted);
                line = line.push(container(latency).align_right(72));
            }
            line = line.push(badge(Some(icon), words_of_state, tone));
            let inside = container(line).center_y(ROW - 1.0).padding([0.0, space::L]);
            let pressed = pressable(inside, on, 0.0, Message::Choose(node.id));
            column![pressed, hr()].into()
        };
        let count = context.view.mesh.peers.len() + 1;
        let rows = list("mesh-list", count, ROW, self.window, row_of, Message::Scrolled);
        container(rows).padding(1).height(Length::Fill).style(theme::card).into()
    }

    fn address_field<'a>(&'a self, context: &Context<'_>) -> Element<'a, Message> {
        let lang = context.lang;
        let ready = !self.address.trim().is_empty() && !self.connecting;
        let connect = ready.then_some(Message::Connect);
        let input = field(
            words::address_example(lang),
            &self.address,
            self.wrong.as_deref(),
            Role::Mono,
            ADDRESS,
            Message::Address,
            connect.clone(),
        );
        let go = button(words::connect(lang)).kind(Kind::Primary).on_press_maybe(connect);
        column![
            Role::Heading.text(words::know_address(lang)),
            Role::Body.text(words::know_address_hint(lang)).style(theme::muted),
            row![input, go].spacing(space::S),
        ]
        .spacing(space::M)
        .into()
    }

    fn stopped<'a>(&'a self, context: &Context<'a>, why: &'a str) -> Element<'a, Message> {
        let lang = context.lang;
        let inside = column![
            tile(Icon::CircleX, 44.0, Tone::Danger),
            Role::Title.text(shell::cannot_start(lang)),
            Role::Body.text(why).align_x(Alignment::Center),
            row![
                button(shell::copy_details(lang))
                    .kind(Kind::Quiet)
                    .icon(Icon::Copy)
                    .on_press(Message::Copy(why.to_owned())),
                button(shell::try_again(lang)).kind(Kind::Primary).on_press(Message::Restart),
            ]
            .spacing(space::S),
        ]
        .spacing(space::M)
        .max_width(560)
        .align_x(Alignment::Center);
        let inside =
            scroll(container(inside).padding(Padding::new(space::XL)).center_x(Length::Fill));
        column![
            header(context, words::title(lang), "", Vec::new(), None),
            container(inside).center(Length::Fill)
        ]
        .into()
    }
}
