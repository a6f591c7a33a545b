//! Widgets that look one way: sliders, bars, lines, tick boxes.

use iced::{
    Background, Border,
    widget::{checkbox, progress_bar, radio, rule, slider},
};

use super::{Theme, radius};

impl slider::Catalog for Theme {
    type Class<'a> = slider::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|theme, _| {
            let roles = theme.roles();
            slider::Style {
                rail: slider::Rail {
                    backgrounds: (roles.primary.into(), roles.line.into()),
                    width: 4.0,
                    border: Border::default().rounded(2.0),
                },
                handle: slider::Handle {
                    shape: slider::HandleShape::Circle { radius: 8.0 },
                    background: roles.primary.into(),
                    border_width: 2.0,
                    border_color: roles.surface,
                },
            }
        })
    }

    fn style(&self, class: &Self::Class<'_>, status: slider::Status) -> slider::Style {
        class(self, status)
    }
}

impl progress_bar::Catalog for Theme {
    type Class<'a> = progress_bar::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|theme| progress_bar::Style {
            background: theme.roles().raised.into(),
            bar: theme.roles().primary.into(),
            border: Border::default().rounded(99.0),
        })
    }

    fn style(&self, class: &Self::Class<'_>) -> progress_bar::Style {
        class(self)
    }
}

impl rule::Catalog for Theme {
    type Class<'a> = rule::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(hairline)
    }

    fn style(&self, class: &Self::Class<'_>) -> rule::Style {
        class(self)
    }
}

impl checkbox::Catalog for Theme {
    type Class<'a> = checkbox::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|theme, status| {
            let roles = theme.roles();
            let on = matches!(
                status,
                checkbox::Status::Active { is_checked: true }
                    | checkbox::Status::Hovered { is_checked: true }
                    | checkbox::Status::Disabled { is_checked: true }
            );
            checkbox::Style {
                background: Background::Color(if on { roles.primary } else { roles.surface }),
                icon_color: roles.on_primary,
                border: Border {
                    color: if on { roles.primary } else { roles.edge },
                    width: 1.0,
                    radius: radius::INNER.into(),
                },
                text_color: Some(roles.text),
            }
        })
    }

    fn style(&self, class: &Self::Class<'_>, status: checkbox::Status) -> checkbox::Style {
        class(self, status)
    }
}

impl radio::Catalog for Theme {
    type Class<'a> = radio::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|theme, status| {
            let roles = theme.roles();
            let (radio::Status::Active { is_selected } | radio::Status::Hovered { is_selected }) =
                status;
            radio::Style {
                background: roles.surface.into(),
                dot_color: roles.primary,
                border_width: 1.0,
                border_color: if is_selected { roles.primary } else { roles.edge },
                text_color: Some(roles.text),
            }
        })
    }

    fn style(&self, class: &Self::Class<'_>, status: radio::Status) -> radio::Style {
        class(self, status)
    }
}

/// One pixel between things.
pub fn hairline(theme: &Theme) -> rule::Style {
    rule::Style {
        color: theme.roles().line,
        radius: 0.0.into(),
        fill_mode: rule::FillMode::Full,
        snap: true,
    }
}
