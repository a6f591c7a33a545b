//! How the window looks: colour roles in two themes, type, measures. One file a widget under
//! `theme/` turns roles into that widget's style. Screens name roles, never colours or numbers.

mod button;
mod container;
mod field;
mod plain;
mod scroll;

pub use button::{button, row as list_row};
pub use container::{
    accent, badge, bar, bare, bubble, card, card_chosen, content, count, danger_text, dialog, drop,
    head, hue, line, muted, note, panel, plain_text, primary_text, rail, scrim, success_text, tile,
    tip, toast, warning_text, well,
};
pub use field::{field, field_frame, wordless_pick};
pub use plain::hairline;

use iced::{Color, Font, Pixels, font::Weight, theme, widget::text::LineHeight};

/// Spacing: multiples of 4.
pub mod space {
    /// 4.
    pub const XS: f32 = 4.0;
    /// 8.
    pub const S: f32 = 8.0;
    /// 12.
    pub const M: f32 = 12.0;
    /// 16.
    pub const L: f32 = 16.0;
    /// 24.
    pub const XL: f32 = 24.0;
    /// 32.
    pub const XXL: f32 = 32.0;
}

/// Corners.
pub mod radius {
    /// Inner parts and thumbnails.
    pub const INNER: f32 = 4.0;
    /// Controls.
    pub const CONTROL: f32 = 6.0;
    /// Cards.
    pub const CARD: f32 = 10.0;
}

/// Height of a control.
pub const CONTROL: f32 = 32.0;
/// Height of a small control.
pub const SMALL: f32 = 28.0;

/// The family of all text. Han fallback looks for this name, so nothing else may be default.
pub const FAMILY: Font = Font::with_name(potluck_analysis::font::NAME);
/// The heavier of the two weights.
pub const BOLD: Font = Font { weight: Weight::Bold, ..FAMILY };
/// Ids, addresses, commands: ASCII only.
pub const MONO: Font = Font::with_name("Noto Sans Mono CJK SC");

/// The fonts of the window; nothing depends on those of the machine.
pub fn fonts() -> [&'static [u8]; 4] {
    [
        potluck_analysis::font::data(),
        include_bytes!("../assets/NotoSansSC-Bold-cut.otf"),
        include_bytes!("../assets/NotoSansMono-cut.otf"),
        crate::icon::BYTES,
    ]
}

/// A text in the window's theme.
pub type Text<'a> = iced::widget::Text<'a, Theme>;
/// An element in the window's theme.
pub type Element<'a, Message> = iced::Element<'a, Message, Theme>;

/// What a text is for: its size, line and weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// One number that matters.
    Display,
    /// The name of a screen.
    Title,
    /// The name of a part of it.
    Heading,
    /// What is read.
    Body,
    /// The same, where it stands out.
    Strong,
    /// What is beside it.
    Caption,
    /// The same, where it stands out.
    CaptionStrong,
    /// Ids, addresses, commands.
    Mono,
}

impl Role {
    /// Size and height of a line.
    pub fn measure(self) -> (f32, f32) {
        match self {
            Self::Display => (24.0, 36.0),
            Self::Title => (20.0, 30.0),
            Self::Heading => (16.0, 24.0),
            Self::Body | Self::Strong => (14.0, 21.0),
            Self::Caption | Self::CaptionStrong => (12.0, 17.0),
            Self::Mono => (13.0, 20.0),
        }
    }

    /// The font.
    pub fn font(self) -> Font {
        match self {
            Self::Display | Self::Title | Self::Heading | Self::Strong | Self::CaptionStrong => {
                BOLD
            }
            Self::Body | Self::Caption => FAMILY,
            Self::Mono => MONO,
        }
    }

    /// A text in this role, in the colour of what is around it.
    pub fn text<'a>(self, content: impl iced::widget::text::IntoFragment<'a>) -> Text<'a> {
        let (size, line) = self.measure();
        iced::widget::text(content)
            .size(size)
            .line_height(LineHeight::Absolute(Pixels(line)))
            .font(self.font())
    }
}

/// The colours of one theme, by what they are for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roles {
    /// Behind everything.
    pub bg: Color,
    /// Sidebar, panels, cards.
    pub surface: Color,
    /// The chosen row, tracks.
    pub raised: Color,
    /// Lines between things.
    pub line: Color,
    /// Outline where it is the only sign of a control.
    pub edge: Color,
    /// What is read.
    pub text: Color,
    /// What is beside it.
    pub muted: Color,
    /// The one action, the chosen thing.
    pub primary: Color,
    /// The same under the pointer.
    pub primary_hover: Color,
    /// The same while pressed.
    pub primary_pressed: Color,
    /// Text on primary.
    pub on_primary: Color,
    /// Good.
    pub success: Color,
    /// Needs a look.
    pub warning: Color,
    /// Went wrong, or destroys.
    pub danger: Color,
    /// Text on danger.
    pub on_danger: Color,
    /// Primary laid thinly over surface.
    pub primary_tint: Color,
    /// Likewise.
    pub success_tint: Color,
    /// Likewise.
    pub warning_tint: Color,
    /// Likewise.
    pub danger_tint: Color,
    /// Over a page behind a dialog.
    pub scrim: Color,
    /// Six hues for people and series: text and ground.
    pub hues: [(Color, Color); 6],
}

const fn rgb(hex: u32) -> Color {
    Color::from_rgb8((hex >> 16) as u8, (hex >> 8 & 0xFF) as u8, (hex & 0xFF) as u8)
}

static LIGHT: Roles = Roles {
    bg: rgb(0xF6F7F9),
    surface: rgb(0xFFFFFF),
    raised: rgb(0xECEFF3),
    line: rgb(0xD3D9E1),
    edge: rgb(0x7F8995),
    text: rgb(0x1B1F24),
    muted: rgb(0x56606C),
    primary: rgb(0x2A5BD7),
    primary_hover: rgb(0x234DB8),
    primary_pressed: rgb(0x1D4199),
    on_primary: rgb(0xFFFFFF),
    success: rgb(0x18794E),
    warning: rgb(0x8A5A00),
    danger: rgb(0xBF2F2A),
    on_danger: rgb(0xFFFFFF),
    primary_tint: rgb(0xEAEFFB),
    success_tint: rgb(0xE8F2ED),
    warning_tint: rgb(0xF3EFE6),
    danger_tint: rgb(0xF9EAEA),
    scrim: Color { a: 0.48, ..rgb(0x1B1F24) },
    hues: [
        (rgb(0x2450B5), rgb(0xE3EBFB)),
        (rgb(0x15663F), rgb(0xDFF2EA)),
        (rgb(0x7A4A00), rgb(0xFBEBD5)),
        (rgb(0xA32448), rgb(0xF9E1E6)),
        (rgb(0x6239B0), rgb(0xECE4FA)),
        (rgb(0x0F5F70), rgb(0xDDF0F4)),
    ],
};

static DARK: Roles = Roles {
    bg: rgb(0x14171C),
    surface: rgb(0x1C2027),
    raised: rgb(0x262C36),
    line: rgb(0x3A4250),
    edge: rgb(0x6B7686),
    text: rgb(0xE6E9EE),
    muted: rgb(0xA0AAB8),
    primary: rgb(0x7AA2FF),
    primary_hover: rgb(0x93B4FF),
    primary_pressed: rgb(0x6690F0),
    on_primary: rgb(0x14171C),
    success: rgb(0x4CC38A),
    warning: rgb(0xF2B84B),
    danger: rgb(0xFF7B72),
    on_danger: rgb(0x14171C),
    primary_tint: rgb(0x293245),
    success_tint: rgb(0x233735),
    warning_tint: rgb(0x3A352C),
    danger_tint: rgb(0x3C2D32),
    scrim: Color { a: 0.64, ..rgb(0x080A0D) },
    hues: [
        (rgb(0xA9C3FF), rgb(0x24345C)),
        (rgb(0x7FD9B0), rgb(0x1E3F33)),
        (rgb(0xF2C879), rgb(0x453618)),
        (rgb(0xFFA3B5), rgb(0x4A2733)),
        (rgb(0xC7B3FF), rgb(0x37305A)),
        (rgb(0x86D3E6), rgb(0x1B3D47)),
    ],
};

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The colours.
    pub fn roles(&self) -> &'static Roles {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
        }
    }
}

impl theme::Base for Theme {
    fn default(preference: theme::Mode) -> Self {
        match preference {
            theme::Mode::Dark => Self::Dark,
            theme::Mode::Light | theme::Mode::None => Self::Light,
        }
    }

    fn mode(&self) -> theme::Mode {
        match self {
            Self::Light => theme::Mode::Light,
            Self::Dark => theme::Mode::Dark,
        }
    }

    fn base(&self) -> theme::Style {
        theme::Style { background_color: self.roles().bg, text_color: self.roles().text }
    }

    fn palette(&self) -> Option<theme::Palette> {
        None
    }

    fn name(&self) -> &str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What something tells: it picks the colours of a badge, a note, a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Neutral,
    /// The chosen thing, what goes on.
    Primary,
    /// Good.
    Success,
    /// Needs a look.
    Warning,
    /// Went wrong.
    Danger,
}

impl Tone {
    /// Text and ground.
    pub fn colors(self, theme: &Theme) -> (Color, Color) {
        let roles = theme.roles();
        match self {
            Self::Neutral => (roles.muted, roles.raised),
            Self::Primary => (roles.primary, roles.primary_tint),
            Self::Success => (roles.success, roles.success_tint),
            Self::Warning => (roles.warning, roles.warning_tint),
            Self::Danger => (roles.danger, roles.danger_tint),
        }
    }
}

/// The hue of a person or a node, from the id, so that it never changes.
pub fn hue_of(id: &str) -> usize {
    let hash = id.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    usize::try_from(hash % 6).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast of WCAG 2.
    fn contrast(one: Color, other: Color) -> f32 {
        let (one, other) = (one.relative_luminance(), other.relative_luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_every_ground() {
        for theme in [Theme::Light, Theme::Dark] {
            let r = theme.roles();
            let mut pairs = Vec::new();
            for ground in [r.bg, r.surface, r.raised] {
                for text in [r.text, r.muted, r.primary, r.success, r.warning, r.danger] {
                    pairs.push((text, ground));
                }
            }
            for ground in [r.primary, r.primary_hover, r.primary_pressed] {
                pairs.push((r.on_primary, ground));
            }
            pairs.push((r.on_danger, r.danger));
            pairs.push((r.bg, r.text));
            pairs.push((r.text, r.line));
            for tone in [Tone::Neutral, Tone::Primary, Tone::Success, Tone::Warning, Tone::Danger] {
                let (text, ground) = tone.colors(&theme);
                pairs.extend([(text, ground), (r.text, ground)]);
            }
            pairs.extend(r.hues);
            for (text, ground) in pairs {
                let found = contrast(text, ground);
                assert!(found >= 4.6, "{theme:?}: {text:?} on {ground:?} is {found:.2}");
            }
            for ground in [r.bg, r.surface, r.raised] {
                let found = contrast(r.edge, ground);
                assert!(found >= 3.0, "{theme:?}: edge on {ground:?} is {found:.2}");
            }
        }
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        assert!((contrast(Color::BLACK, Color::WHITE) - 21.0).abs() < 0.01);
        // Grey 767676 on white is the standard's own example of 4.54.
        assert!((contrast(rgb(0x767676), Color::WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn people_keep_their_hue_and_use_all_of_them() {
        let hues: std::collections::BTreeSet<_> =
            (0..100).map(|n| hue_of(&format!("12D3KooW{n}"))).collect();
        assert_eq!(hues.len(), 6);
    }
}
