//! All screens, and which message goes to which.

use iced::keyboard::{Key, Modifiers};
use potluck::client::View;

use crate::{
    screen::{Action, Context, Screen, mesh, settings},
    theme::Element,
};

/// The states of the screens. They stay while another one shows.
#[derive(Debug, Default)]
pub struct Screens {
    mesh: mesh::Mesh,
    settings: settings::Settings,
}

/// News of a screen.
#[derive(Debug, Clone)]
pub enum Message {
    /// Of the mesh.
    Mesh(mesh::Message),
    /// Of the settings.
    Settings(settings::Message),
}

impl Screens {
    /// The node is there, or the language changed.
    pub fn ready(&mut self, context: &Context<'_>) -> Vec<Action<Message>> {
        vec![
            self.mesh.ready(context).map(Message::Mesh),
            self.settings.ready(context).map(Message::Settings),
        ]
    }

    /// Something happened on a screen.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        match message {
            Message::Mesh(message) => self.mesh.update(message, context).map(Message::Mesh),
            Message::Settings(message) => {
                self.settings.update(message, context).map(Message::Settings)
            }
        }
    }

    /// A key that nothing else took, while `screen` shows.
    pub fn key(
        &mut self,
        screen: Screen,
        key: &Key,
        _: Modifiers,
        context: &Context<'_>,
    ) -> Action<Message> {
        match screen {
            Screen::Mesh => self.mesh.key(key, context).map(Message::Mesh),
            Screen::Settings => Action::None,
        }
    }

    /// Whether something on `screen` changes with time alone.
    pub fn shows_time(&self, screen: Screen, view: &View) -> bool {
        match screen {
            Screen::Mesh => mesh::shows_time(view),
            Screen::Settings => false,
        }
    }

    /// The screen.
    pub fn view<'a>(&'a self, screen: Screen, context: Context<'a>) -> Element<'a, Message> {
        match screen {
            Screen::Mesh => self.mesh.view(context).map(Message::Mesh),
            Screen::Settings => self.settings.view(context).map(Message::Settings),
        }
    }
}
