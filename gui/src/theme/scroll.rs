//! Scrollbars: thin, seen where there is something to scroll.

use iced::{
    Background, Border, Color, Shadow,
    widget::{
        container,
        scrollable::{AutoScroll, Catalog, Rail, Scroller, Status, Style, StyleFn},
    },
};

use super::Theme;

impl Catalog for Theme {
    type Class<'a> = StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(bars)
    }

    fn style(&self, class: &Self::Class<'_>, status: Status) -> Style {
        class(self, status)
    }
}

fn bars(theme: &Theme, status: Status) -> Style {
    let roles = theme.roles();
    let (vertical, horizontal) = match status {
        Status::Active { .. } => (false, false),
        Status::Hovered {
            is_vertical_scrollbar_hovered: vertical,
            is_horizontal_scrollbar_hovered: horizontal,
            ..
        }
        | Status::Dragged {
            is_vertical_scrollbar_dragged: vertical,
            is_horizontal_scrollbar_dragged: horizontal,
            ..
        } => (vertical, horizontal),
    };
    let rail = |grabbed| Rail {
        background: None,
        border: Border::default(),
        scroller: Scroller {
            background: Background::Color(if grabbed { roles.edge } else { roles.line }),
            border: Border::default().rounded(99.0),
        },
    };
    Style {
        container: container::Style::default(),
        vertical_rail: rail(vertical),
        horizontal_rail: rail(horizontal),
        gap: None,
        auto_scroll: AutoScroll {
            background: Background::Color(Color { a: 0.9, ..roles.raised }),
            border: Border { color: roles.edge, width: 1.0, radius: 99.0.into() },
            shadow: Shadow::default(),
            icon: roles.text,
        },
    }
}
