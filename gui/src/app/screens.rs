//! All screens, and which message goes to which.

use iced::keyboard::{Key, Modifiers};
use potluck::client::{Event, View};

use crate::{
    screen::{
        Action, Context, Dropped, Screen, activity, analyze, chat, faces, marked, mesh, more,
        offer, recognize, settings,
    },
    theme::Element,
};

/// The states of the screens. They stay while another one shows.
#[derive(Debug)]
pub struct Screens {
    mesh: mesh::Mesh,
    chat: chat::Chat,
    activity: activity::Activity,
    offer: offer::Offer,
    recognize: recognize::Recognize,
    things: marked::Marked,
    text: marked::Marked,
    faces: faces::Faces,
    analyze: analyze::Analyze,
    more: more::More,
    settings: settings::Settings,
}

/// News of a screen.
#[derive(Debug, Clone)]
pub enum Message {
    /// Of the mesh.
    Mesh(mesh::Message),
    /// Of the chat.
    Chat(chat::Message),
    /// Of the activity.
    Activity(activity::Message),
    /// Of the offers.
    Offer(offer::Message),
    /// Of what is on pictures.
    Recognize(recognize::Message),
    /// Of things on pictures.
    Things(marked::Message),
    /// Of text on pictures.
    Text(marked::Message),
    /// Of faces.
    Faces(faces::Message),
    /// Of tables.
    Analyze(analyze::Message),
    /// Of all other capabilities.
    More(more::Message),
    /// Of the settings.
    Settings(settings::Message),
}

impl Default for Screens {
    fn default() -> Self {
        Self {
            mesh: Default::default(),
            chat: Default::default(),
            activity: Default::default(),
            offer: Default::default(),
            recognize: Default::default(),
            things: marked::Marked::new(marked::Which::Things),
            text: marked::Marked::new(marked::Which::Text),
            faces: Default::default(),
            analyze: Default::default(),
            more: Default::default(),
            settings: Default::default(),
        }
    }
}

impl Screens {
    /// The node is there, or the language changed.
    pub fn ready(&mut self, context: &Context<'_>) -> Vec<Action<Message>> {
        vec![
            self.mesh.ready(context).map(Message::Mesh),
            self.offer.ready(context).map(Message::Offer),
            self.recognize.ready(context).map(Message::Recognize),
            self.things.ready(context).map(Message::Things),
            self.text.ready(context).map(Message::Text),
            self.faces.ready(context).map(Message::Faces),
            self.analyze.ready(context).map(Message::Analyze),
            self.more.ready(context).map(Message::More),
            self.settings.ready(context).map(Message::Settings),
        ]
    }

    /// Something happened on a screen.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        match message {
            Message::Mesh(message) => self.mesh.update(message, context).map(Message::Mesh),
            Message::Chat(message) => self.chat.update(message, context).map(Message::Chat),
            Message::Activity(message) => self.activity.update(message).map(Message::Activity),
            Message::Offer(message) => self.offer.update(message, context).map(Message::Offer),
            Message::Recognize(message) => {
                self.recognize.update(message, context).map(Message::Recognize)
            }
            Message::Things(message) => self.things.update(message, context).map(Message::Things),
            Message::Text(message) => self.text.update(message, context).map(Message::Text),
            Message::Faces(message) => self.faces.update(message, context).map(Message::Faces),
            Message::Analyze(message) => {
                self.analyze.update(message, context).map(Message::Analyze)
            }
            Message::More(message) => self.more.update(message, context).map(Message::More),
            Message::Settings(message) => {
                self.settings.update(message, context).map(Message::Settings)
            }
        }
    }

    /// News of the node, before the view has them.
    pub fn hear(&mut self, event: &Event, context: &Context<'_>) -> Action<Message> {
        self.chat.hear(event, context).map(Message::Chat)
    }

    /// The screen shows now, or what it shows may be another.
    pub fn shows(&mut self, screen: Screen, context: &Context<'_>) -> Action<Message> {
        match screen {
            Screen::Chat => self.chat.shows(context).map(Message::Chat),
            _ => Action::None,
        }
    }

    /// Whether there is anything to do on a screen; one without stands nowhere.
    pub fn is_useful(&self, screen: Screen, view: &View) -> bool {
        screen != Screen::More || !more::offered(view).is_empty()
    }

    /// What the private mesh is called, where the node is in one.
    pub fn private_mesh(&self) -> Option<&str> {
        self.mesh.private()
    }

    /// How many things of a screen wait to be looked at.
    pub fn waiting(&self, screen: Screen, context: &Context<'_>) -> usize {
        match screen {
            Screen::Chat => self.chat.unread(context),
            _ => 0,
        }
    }

    /// A key that nothing else took, while `screen` shows.
    pub fn key(
        &mut self,
        screen: Screen,
        key: &Key,
        modifiers: Modifiers,
        context: &Context<'_>,
    ) -> Action<Message> {
        match screen {
            Screen::Mesh => self.mesh.key(key, context).map(Message::Mesh),
            Screen::Chat => self.chat.key(key, modifiers, context).map(Message::Chat),
            Screen::Activity => self.activity.key(key, modifiers, context).map(Message::Activity),
            Screen::Offer => self.offer.key(key).map(Message::Offer),
            Screen::Recognize => {
                self.recognize.key(key, modifiers, context).map(Message::Recognize)
            }
            Screen::Things => self.things.key(key, modifiers, context).map(Message::Things),
            Screen::Text => self.text.key(key, modifiers, context).map(Message::Text),
            Screen::Faces => self.faces.key(key, modifiers, context).map(Message::Faces),
            Screen::Analyze => self.analyze.key(key, modifiers, context).map(Message::Analyze),
            Screen::More => self.more.key(key, modifiers, context).map(Message::More),
            Screen::Settings => Action::None,
        }
    }

    /// Files over the window, while `screen` shows.
    pub fn dropped(
        &mut self,
        screen: Screen,
        dropped: &Dropped,
        context: &Context<'_>,
    ) -> Action<Message> {
        match screen {
            Screen::Recognize => self.recognize.dropped(dropped, context).map(Message::Recognize),
            Screen::Things => self.things.dropped(dropped, context).map(Message::Things),
            Screen::Text => self.text.dropped(dropped, context).map(Message::Text),
            Screen::Faces => self.faces.dropped(dropped, context).map(Message::Faces),
            Screen::Analyze => self.analyze.dropped(dropped, context).map(Message::Analyze),
            Screen::More => self.more.dropped(dropped).map(Message::More),
            Screen::Chat => self.chat.dropped(dropped).map(Message::Chat),
            Screen::Mesh | Screen::Activity | Screen::Offer | Screen::Settings => Action::None,
        }
    }

    /// Whether something on `screen` changes with time alone.
    pub fn shows_time(&self, screen: Screen, view: &View, now_ms: u64) -> bool {
        match screen {
            Screen::Mesh => mesh::shows_time(view),
            Screen::Activity => activity::shows_time(view, now_ms),
            Screen::Chat
            | Screen::Recognize
            | Screen::Things
            | Screen::Text
            | Screen::Faces
            | Screen::Analyze
            | Screen::More
            | Screen::Offer
            | Screen::Settings => false,
        }
    }

    /// The screen.
    pub fn view<'a>(&'a self, screen: Screen, context: Context<'a>) -> Element<'a, Message> {
        match screen {
            Screen::Mesh => self.mesh.view(context).map(Message::Mesh),
            Screen::Chat => self.chat.view(context).map(Message::Chat),
            Screen::Activity => self.activity.view(context).map(Message::Activity),
            Screen::Offer => self.offer.view(context).map(Message::Offer),
            Screen::Recognize => self.recognize.view(context).map(Message::Recognize),
            Screen::Things => self.things.view(context).map(Message::Things),
            Screen::Text => self.text.view(context).map(Message::Text),
            Screen::Faces => self.faces.view(context).map(Message::Faces),
            Screen::Analyze => self.analyze.view(context).map(Message::Analyze),
            Screen::More => self.more.view(context).map(Message::More),
            Screen::Settings => self.settings.view(context).map(Message::Settings),
        }
    }
}
