//! The icons: Lucide, cut to those that stand here. A new one is a line in the list, and a run of
//! `assets/cut.py`.

use iced::{Font, widget::text::LineHeight};

use crate::theme::{Text, Theme};

/// The cut icon font.
pub const BYTES: &[u8] = include_bytes!("../assets/lucide-cut.ttf");

const FONT: Font = Font::with_name("lucide");

macro_rules! icons {
    ($($icon:ident = ($name:literal, $glyph:literal),)*) => {
        /// An icon.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Icon {
            $(#[doc = $name] $icon,)*
        }

        impl Icon {
            /// All of them.
            pub const ALL: &[Icon] = &[$(Icon::$icon),*];

            /// Its character in the icon font.
            pub const fn glyph(self) -> char {
                match self {
                    $(Icon::$icon => $glyph,)*
                }
            }
        }
    };
}

icons! {
    CookingPot = ("cooking-pot", '\u{e584}'),
    Waypoints = ("waypoints", '\u{e542}'),
    MessageCircle = ("message-circle", '\u{e116}'),
    ScanSearch = ("scan-search", '\u{e537}'),
    ScanFace = ("scan-face", '\u{e371}'),
    ScanText = ("scan-text", '\u{e538}'),
    ChartColumn = ("chart-column", '\u{e2a3}'),
    LayoutGrid = ("layout-grid", '\u{e0ff}'),
    Activity = ("activity", '\u{e038}'),
    HandPlatter = ("hand-platter", '\u{e5ba}'),
    SlidersHorizontal = ("sliders-horizontal", '\u{e29a}'),
    Laptop = ("laptop", '\u{e1cd}'),
    Monitor = ("monitor", '\u{e11d}'),
    Server = ("server", '\u{e153}'),
    HardDrive = ("hard-drive", '\u{e0ed}'),
    Gpu = ("gpu", '\u{e66a}'),
    Cpu = ("cpu", '\u{e0a9}'),
    Archive = ("archive", '\u{e041}'),
    Lock = ("lock", '\u{e10b}'),
    Check = ("check", '\u{e06c}'),
    CheckCheck = ("check-check", '\u{e38e}'),
    Clock = ("clock", '\u{e087}'),
    Hourglass = ("hourglass", '\u{e296}'),
    X = ("x", '\u{e1b2}'),
    Plus = ("plus", '\u{e13d}'),
    Minus = ("minus", '\u{e11c}'),
    CircleX = ("circle-x", '\u{e084}'),
    CircleCheck = ("circle-check", '\u{e226}'),
    TriangleAlert = ("triangle-alert", '\u{e193}'),
    Info = ("info", '\u{e0f9}'),
    Search = ("search", '\u{e151}'),
    Upload = ("upload", '\u{e19e}'),
    Download = ("download", '\u{e0b2}'),
    Paperclip = ("paperclip", '\u{e12d}'),
    Send = ("send", '\u{e152}'),
    Pause = ("pause", '\u{e12e}'),
    Play = ("play", '\u{e13c}'),
    Ellipsis = ("ellipsis", '\u{e0b6}'),
    ChevronDown = ("chevron-down", '\u{e06d}'),
    ChevronRight = ("chevron-right", '\u{e06f}'),
    ChevronLeft = ("chevron-left", '\u{e06e}'),
    ArrowRight = ("arrow-right", '\u{e049}'),
    Copy = ("copy", '\u{e09e}'),
    RefreshCw = ("refresh-cw", '\u{e145}'),
    Folder = ("folder", '\u{e0d7}'),
    File = ("file", '\u{e0c0}'),
    FileText = ("file-text", '\u{e0cc}'),
    FileArchive = ("file-archive", '\u{e30d}'),
    Table2 = ("table-2", '\u{e2f9}'),
    Image = ("image", '\u{e0f6}'),
    List = ("list", '\u{e106}'),
    ListFilter = ("list-filter", '\u{e460}'),
    Bot = ("bot", '\u{e1bb}'),
    User = ("user", '\u{e19f}'),
    Users = ("users", '\u{e1a4}'),
    UserPlus = ("user-plus", '\u{e1a2}'),
    Globe = ("globe", '\u{e0e8}'),
    Shield = ("shield", '\u{e158}'),
    Key = ("key", '\u{e0fd}'),
    Eye = ("eye", '\u{e0ba}'),
    WifiOff = ("wifi-off", '\u{e1af}'),
    Link = ("link", '\u{e102}'),
    Zap = ("zap", '\u{e1b4}'),
    Route = ("route", '\u{e53e}'),
    Ban = ("ban", '\u{e051}'),
    Trash = ("trash", '\u{e18d}'),
    Sun = ("sun", '\u{e178}'),
    Moon = ("moon", '\u{e11e}'),
    Calendar = ("calendar", '\u{e063}'),
    Hash = ("hash", '\u{e0ef}'),
    Type = ("type", '\u{e198}'),
    LogOut = ("log-out", '\u{e10e}'),
    Bell = ("bell", '\u{e059}'),
    Save = ("save", '\u{e14d}'),
    Square = ("square", '\u{e167}'),
    Undo2 = ("undo-2", '\u{e2a1}'),
    ExternalLink = ("external-link", '\u{e0b9}'),
    Puzzle = ("puzzle", '\u{e29c}'),
    Languages = ("languages", '\u{e0fe}'),
}

impl Icon {
    /// The icon as a square of `size`, in the colour of the text around it.
    pub fn view<'a>(self, size: f32) -> Text<'a> {
        iced::widget::text(self.glyph())
            .font(FONT)
            .size(size)
            .line_height(LineHeight::Relative(1.0))
            .shaping(iced::widget::text::Shaping::Basic)
    }

    /// The icon in a colour of its own.
    pub fn colored<'a>(self, size: f32, color: fn(&Theme) -> iced::Color) -> Text<'a> {
        self.view(size).style(move |theme| iced::widget::text::Style { color: Some(color(theme)) })
    }

    /// The icon as canvas text, centred on `position`.
    pub fn on_canvas(
        self,
        position: iced::Point,
        size: f32,
        color: iced::Color,
    ) -> iced::widget::canvas::Text {
        iced::widget::canvas::Text {
            content: self.glyph().to_string(),
            position,
            color,
            size: size.into(),
            line_height: LineHeight::Relative(1.0),
            font: FONT,
            align_x: iced::widget::text::Alignment::Center,
            align_y: iced::alignment::Vertical::Center,
            shaping: iced::widget::text::Shaping::Basic,
            ..iced::widget::canvas::Text::default()
        }
    }
}
