//! Fields, pick lists, editors.

use iced::{
    Background, Border, Color,
    overlay::menu,
    widget::{container, pick_list, text_editor, text_input},
};

use super::{Theme, radius};

impl text_input::Catalog for Theme {
    type Class<'a> = text_input::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(field)
    }

    fn style(&self, class: &Self::Class<'_>, status: text_input::Status) -> text_input::Style {
        class(self, status)
    }
}

impl text_editor::Catalog for Theme {
    type Class<'a> = text_editor::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(editor)
    }

    fn style(&self, class: &Self::Class<'_>, status: text_editor::Status) -> text_editor::Style {
        class(self, status)
    }
}

impl pick_list::Catalog for Theme {
    type Class<'a> = pick_list::StyleFn<'a, Self>;

    fn default<'a>() -> <Self as pick_list::Catalog>::Class<'a> {
        Box::new(pick)
    }

    fn style(
        &self,
        class: &<Self as pick_list::Catalog>::Class<'_>,
        status: pick_list::Status,
    ) -> pick_list::Style {
        class(self, status)
    }
}

impl menu::Catalog for Theme {
    type Class<'a> = menu::StyleFn<'a, Self>;

    fn default<'a>() -> <Self as menu::Catalog>::Class<'a> {
        Box::new(pick_menu)
    }

    fn style(&self, class: &<Self as menu::Catalog>::Class<'_>) -> menu::Style {
        class(self)
    }
}

/// A text field: one pixel of edge, two of primary while it has the keyboard.
pub fn field(theme: &Theme, status: text_input::Status) -> text_input::Style {
    let roles = theme.roles();
    let (ground, border) = match status {
        text_input::Status::Focused { .. } => (roles.surface, frame(roles.primary, 2.0)),
        text_input::Status::Disabled => (roles.raised, frame(roles.line, 1.0)),
        text_input::Status::Active => (roles.surface, frame(roles.edge, 1.0)),
        text_input::Status::Hovered => (roles.surface, frame(roles.text, 1.0)),
    };
    text_input::Style {
        background: Background::Color(ground),
        border,
        icon: roles.muted,
        placeholder: roles.muted,
        value: if status == text_input::Status::Disabled { roles.muted } else { roles.text },
        selection: Color { a: 0.3, ..roles.primary },
    }
}

/// The same frame around something that is no text field, red where its content is wrong.
pub fn field_frame(wrong: bool) -> impl Fn(&Theme) -> container::Style {
    move |theme| {
        let roles = theme.roles();
        container::Style {
            background: Some(Background::Color(roles.surface)),
            border: frame(if wrong { roles.danger } else { roles.edge }, 1.0),
            ..container::Style::default()
        }
    }
}

fn editor(theme: &Theme, status: text_editor::Status) -> text_editor::Style {
    let roles = theme.roles();
    let border = match status {
        text_editor::Status::Focused { .. } => frame(roles.primary, 2.0),
        text_editor::Status::Hovered => frame(roles.text, 1.0),
        text_editor::Status::Active | text_editor::Status::Disabled => frame(roles.edge, 1.0),
    };
    text_editor::Style {
        background: Background::Color(roles.surface),
        border,
        placeholder: roles.muted,
        value: roles.text,
        selection: Color { a: 0.3, ..roles.primary },
    }
}

fn pick(theme: &Theme, status: pick_list::Status) -> pick_list::Style {
    let roles = theme.roles();
    let border = match status {
        pick_list::Status::Opened { .. } => frame(roles.primary, 2.0),
        pick_list::Status::Hovered => frame(roles.text, 1.0),
        pick_list::Status::Active => frame(roles.edge, 1.0),
    };
    pick_list::Style {
        text_color: roles.text,
        placeholder_color: roles.muted,
        handle_color: roles.muted,
        background: Background::Color(roles.surface),
        border,
    }
}

/// A pick list whose words are drawn by others.
pub fn wordless_pick(theme: &Theme, status: pick_list::Status) -> pick_list::Style {
    let none = Color::TRANSPARENT;
    pick_list::Style { text_color: none, placeholder_color: none, ..pick(theme, status) }
}

fn pick_menu(theme: &Theme) -> menu::Style {
    let roles = theme.roles();
    menu::Style {
        background: Background::Color(roles.surface),
        border: frame(roles.line, 1.0),
        text_color: roles.text,
        selected_text_color: roles.text,
        selected_background: Background::Color(roles.raised),
        shadow: iced::Shadow::default(),
    }
}

fn frame(color: Color, width: f32) -> Border {
    Border { color, width, radius: radius::CONTROL.into() }
}
