//! Buttons and rows that can be pressed.

use iced::{
    Background, Border, Color,
    widget::button::{Catalog, Status, Style, StyleFn},
};

use super::{Roles, Theme, radius};
use crate::widget::Kind;

impl Catalog for Theme {
    type Class<'a> = StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(button(Kind::Secondary))
    }

    fn style(&self, class: &Self::Class<'_>, status: Status) -> Style {
        class(self, status)
    }
}

/// A button of a kind.
pub fn button(kind: Kind) -> impl Fn(&Theme, Status) -> Style {
    move |theme, status| {
        let roles = theme.roles();
        if status == Status::Disabled {
            return style(Some(roles.raised), roles.muted, None);
        }
        let pick = |rest, hover, pressed| match status {
            Status::Hovered => hover,
            Status::Pressed => pressed,
            Status::Active | Status::Disabled => rest,
        };
        match kind {
            Kind::Primary => style(
                Some(pick(roles.primary, roles.primary_hover, roles.primary_pressed)),
                roles.on_primary,
                None,
            ),
            Kind::Secondary => style(
                Some(pick(roles.surface, roles.raised, roles.line)),
                roles.text,
                Some(roles.edge),
            ),
            Kind::Quiet => style(quiet(roles, status), roles.text, None),
            Kind::Icon => {
                // Muted on `line` is only 4.3.
                let text = pick(roles.muted, roles.muted, roles.text);
                style(quiet(roles, status), text, None)
            }
            Kind::Link => style(None, pick(roles.primary, roles.text, roles.text), None),
            Kind::Danger => style(
                Some(pick(roles.surface, roles.danger_tint, roles.danger_tint)),
                roles.danger,
                Some(roles.danger),
            ),
            Kind::DangerFilled => {
                let faded = Color { a: 0.9, ..roles.danger };
                style(Some(pick(roles.danger, faded, faded)), roles.on_danger, None)
            }
        }
    }
}

/// A row of a list or of the sidebar; the chosen one stands out.
pub fn row(chosen: bool, rounded: f32) -> impl Fn(&Theme, Status) -> Style {
    move |theme, status| {
        let roles = theme.roles();
        let ground = match status {
            _ if chosen => Some(roles.raised),
            Status::Hovered => Some(roles.bg),
            Status::Pressed => Some(roles.raised),
            Status::Active | Status::Disabled => None,
        };
        let text = match status {
            Status::Active | Status::Disabled if !chosen && rounded > 0.0 => roles.muted,
            _ => roles.text,
        };
        Style { border: Border::default().rounded(rounded), ..style(ground, text, None) }
    }
}

fn quiet(roles: &Roles, status: Status) -> Option<Color> {
    match status {
        Status::Hovered => Some(roles.raised),
        Status::Pressed => Some(roles.line),
        Status::Active | Status::Disabled => None,
    }
}

fn style(ground: Option<Color>, text: Color, edge: Option<Color>) -> Style {
    Style {
        background: ground.map(Background::Color),
        text_color: text,
        border: Border {
            color: edge.unwrap_or(Color::TRANSPARENT),
            width: if edge.is_some() { 1.0 } else { 0.0 },
            radius: radius::CONTROL.into(),
        },
        ..Style::default()
    }
}
