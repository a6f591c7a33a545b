//! The map of the mesh, drawn.

use iced::{
    Color, Point, Rectangle, Size, Vector,
    border::Radius,
    mouse,
    widget::canvas::{self, Action, Event, Frame, Geometry, LineDash, Path, Stroke, Text},
};
use potluck_analysis::font;

use super::{
    Message,
    layout::{self, CIRCLE, LABEL, OWN, Places, RINGS, Wanted},
    node::{Node, State, capability},
};
use crate::{
    icon::Icon,
    theme::{Role, Roles, Theme, Tone},
    words::{Lang, mesh as words},
};

/// The widest name on the map.
const NAME: f32 = 132.0;
/// Where on a line its pill may be.
const ALONG: [f32; 6] = [0.5, 0.42, 0.6, 0.7, 0.34, 0.78];
const PILL: Size = Size::new(44.0, 24.0);

/// The nodes, this one first, and who is chosen.
pub struct Map {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The id of the chosen one.
    pub chosen: Option<String>,
    /// The language.
    pub lang: Lang,
}

impl Map {
    fn others(&self) -> &[Node] {
        self.nodes.get(1..).unwrap_or_default()
    }

    fn places(&self, size: Size) -> Places {
        let wanted: Vec<_> = self
            .others()
            .iter()
            .map(|node| Wanted {
                hash: hash(&node.id),
                rtt_ms: node.rtt_ms,
                label: label_width(node, self.lang),
                first: !node.asked.is_empty() || !node.served.is_empty(),
            })
            .collect();
        layout::place(size, bold_width(words::this_node(self.lang)) + 8.0, &wanted)
    }

    /// Who is under a point.
    fn hit(&self, size: Size, at: Point) -> Option<&Node> {
        let places = self.places(size);
        let over =
            |center: Point, radius, label| layout::footprint(center, radius, label).contains(at);
        if let Some(own) = self.nodes.first()
            && over(places.middle, OWN, 110.0)
        {
            return Some(own);
        }
        let found = self.others().iter().zip(&places.nodes).find(|(node, center)| {
            center.is_some_and(|center| over(center, CIRCLE, label_width(node, self.lang)))
        });
        found.map(|(node, _)| node)
    }
}

impl canvas::Program<Message, Theme> for Map {
    type State = ();

    fn update(
        &self,
        (): &mut (),
        event: &Event,
        bounds: Rectangle,
        cursor: mouse::Cursor,
    ) -> Option<Action<Message>> {
        let pressed =
            matches!(event, Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)));
        let at = cursor.position_in(bounds).filter(|_| pressed)?;
        let message = match self.hit(bounds.size(), at) {
            Some(node) => Message::Choose(node.id.clone()),
            None => Message::Unchoose,
        };
        Some(Action::publish(message).and_capture())
    }

    fn mouse_interaction(
        &self,
        (): &(),
        bounds: Rectangle,
        cursor: mouse::Cursor,
    ) -> mouse::Interaction {
        let hit = cursor.position_in(bounds).and_then(|at| self.hit(bounds.size(), at));
        if hit.is_some() { mouse::Interaction::Pointer } else { mouse::Interaction::default() }
    }

    fn draw(
        &self,
        (): &(),
        renderer: &iced::Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _: mouse::Cursor,
    ) -> Vec<Geometry> {
        let places = self.places(bounds.size());
        let mut pen = Pen {
            frame: Frame::new(renderer, bounds.size()),
            roles: theme.roles(),
            theme: *theme,
            lang: self.lang,
        };
        pen.rings(&places);
        let placed: Vec<_> = self
            .others()
            .iter()
            .zip(&places.nodes)
            .filter_map(|(node, at)| Some((node, (*at)?)))
            .collect();
        for (node, at) in &placed {
            pen.line(places.middle, *at, node);
        }
        let mut taken = places.taken.clone();
        for (node, at) in &placed {
            pen.pill(places.middle, *at, node, &mut taken);
        }
        for (node, at) in &placed {
            pen.node(node, *at, self.chosen.as_ref() == Some(&node.id));
        }
        if let Some(own) = self.nodes.first() {
            pen.own(own, places.middle, self.chosen.as_ref() == Some(&own.id));
        }
        let hidden = self.others().len() - placed.len();
        if hidden > 0 {
            pen.hidden(bounds.size(), hidden);
        }
        vec![pen.frame.into_geometry()]
    }
}

struct Pen {
    frame: Frame,
    roles: &'static Roles,
    theme: Theme,
    lang: Lang,
}

impl Pen {
    fn rings(&mut self, places: &Places) {
        for (ms, out) in RINGS {
            let radii = Vector::new(places.reach.width * out, places.reach.height * out);
            let ring = Path::new(|path| {
                path.ellipse(canvas::path::arc::Elliptical {
                    center: places.middle,
                    radii,
                    rotation: 0.0.into(),
                    start_angle: 0.0.into(),
                    end_angle: std::f32::consts::TAU.into(),
                });
            });
            self.frame.stroke(&ring, stroke(self.roles.line, 1.0));
            let plate = layout::ring_label(places.middle, places.reach, out);
            self.plate(plate);
            let words = words::ms(self.lang, &format!("{ms:.0}"));
            self.text(words, plate.center(), Role::Caption, self.roles.muted);
        }
    }

    fn line(&mut self, from: Point, to: Point, node: &Node) {
        let calls = node.asked.len() + node.served.len();
        let color = match (node.asked.is_empty(), node.served.is_empty()) {
            (false, _) => self.roles.primary,
            (true, false) => self.roles.success,
            (true, true) if node.state == State::On => self.roles.edge,
            (true, true) => return,
        };
        let width = match calls {
            0 => 1.0,
            calls => (2.0 + 1.5 * (calls as f32 - 1.0)).min(8.0),
        };
        self.frame.stroke(&Path::line(from, to), stroke(color, width));
    }

    /// How many calls go on and what they are, where that covers nothing.
    fn pill(&mut self, from: Point, to: Point, node: &Node, taken: &mut Vec<Rectangle>) {
        let (calls, color) = match (&node.asked, &node.served) {
            (asked, _) if !asked.is_empty() => (asked, self.roles.primary),
            (_, served) if !served.is_empty() => (served, self.roles.success),
            _ => return,
        };
        let at = |share: f32| {
            let middle = from + (to - from) * share;
            Rectangle::new(middle - Vector::new(PILL.width / 2.0, PILL.height / 2.0), PILL)
        };
        let free = |spot: &Rectangle| taken.iter().all(|other| other.intersection(spot).is_none());
        let Some(spot) = ALONG.map(at).into_iter().find(free) else { return };
        taken.push(spot);
        let shape = Path::rounded_rectangle(spot.position(), spot.size(), Radius::new(12.0));
        self.frame.fill(&shape, self.roles.surface);
        self.frame.stroke(&shape, stroke(color, 1.0));
        let icon = calls.first().map_or(Icon::Zap, |name| capability(self.lang, name).0);
        let middle = spot.center();
        self.frame.fill_text(icon.on_canvas(middle - Vector::new(9.0, 0.0), 14.0, color));
        let count = middle + Vector::new(9.0, 0.0);
        self.text(calls.len().to_string(), count, Role::CaptionStrong, color);
    }

    fn node(&mut self, node: &Node, at: Point, chosen: bool) {
        let roles = self.roles;
        let circle = Path::circle(at, CIRCLE);
        // Lines end before the circle begins.
        self.frame.fill(&Path::circle(at, CIRCLE + 3.0), roles.surface);
        self.frame.fill(&circle, roles.raised);
        if node.state == State::On {
            self.frame.stroke(&circle, stroke(roles.line, 3.0));
            self.arc(at, CIRCLE, node.load());
        } else {
            let dashed = Stroke {
                line_dash: LineDash { segments: &[3.0, 3.0], offset: 0 },
                ..stroke(roles.edge, 1.0)
            };
            self.frame.stroke(&circle, dashed);
        }
        if chosen {
            self.frame.stroke(&Path::circle(at, CIRCLE + 7.0), stroke(roles.primary, 2.0));
        }
        self.frame.fill_text(node.icon().on_canvas(at, 20.0, roles.text));
        let role = if chosen { Role::Strong } else { Role::Body };
        let top = at.y + CIRCLE + LABEL;
        let name = shortened(&node.name, NAME);
        let width = bold_width(&name) + 8.0;
        self.plate(Rectangle::new(Point::new(at.x - width / 2.0, top), Size::new(width, 21.0)));
        self.text(name, Point::new(at.x, top + 10.5), role, roles.text);
        self.second_line(node, Point::new(at.x, top + 31.5));
    }

    /// The device as a badge, and the round trip; or that it is not connected.
    fn second_line(&mut self, node: &Node, at: Point) {
        let (device, latency) = second_line(node, self.lang);
        let device_width = device.map_or(0.0, |device| font::width(device, 12.0) + 16.0);
        let gap = if device.is_some() { 6.0 } else { 0.0 };
        let width = device_width + gap + font::width(&latency, 12.0);
        let left = at.x - width / 2.0;
        self.plate(Rectangle::new(
            Point::new(left - 4.0, at.y - 9.0),
            Size::new(width + 8.0, 18.0),
        ));
        if let Some(device) = device {
            let tone = if node.has_gpu() { Tone::Primary } else { Tone::Neutral };
            let (text, ground) = tone.colors(&self.theme);
            let spot = Size::new(device_width, 18.0);
            let corner = Point::new(left, at.y - 9.0);
            let pill = Path::rounded_rectangle(corner, spot, Radius::new(9.0));
            self.frame.fill(&pill, ground);
            let middle = Point::new(left + device_width / 2.0, at.y);
            self.text(device.to_owned(), middle, Role::Caption, text);
        }
        let rest = left + device_width + gap;
        let middle = Point::new((rest + left + width) / 2.0, at.y);
        self.text(latency, middle, Role::Caption, self.roles.muted);
    }

    fn own(&mut self, own: &Node, at: Point, chosen: bool) {
        let roles = self.roles;
        self.frame.fill(&Path::circle(at, OWN + 3.0), roles.surface);
        self.frame.fill(&Path::circle(at, OWN), roles.primary);
        self.arc(at, OWN + 3.0, own.load());
        if chosen {
            self.frame.stroke(&Path::circle(at, OWN + 7.0), stroke(roles.primary, 2.0));
        }
        self.frame.fill_text(Icon::Laptop.on_canvas(at, 24.0, roles.on_primary));
        let name = words::this_node(self.lang);
        let width = bold_width(name) + 8.0;
        let top = at.y + OWN + LABEL;
        self.plate(Rectangle::new(Point::new(at.x - width / 2.0, top), Size::new(width, 21.0)));
        self.text(name.to_owned(), Point::new(at.x, top + 10.5), Role::Strong, roles.text);
    }

    /// The load, clockwise from the top.
    fn arc(&mut self, center: Point, radius: f32, load: f32) {
        if load <= 0.0 {
            return;
        }
        let color = if load > 0.5 { self.roles.warning } else { self.roles.success };
        let top = -std::f32::consts::FRAC_PI_2;
        let arc = Path::new(|path| {
            path.arc(canvas::path::Arc {
                center,
                radius,
                start_angle: top.into(),
                end_angle: (top + load.max(0.04) * std::f32::consts::TAU).into(),
            });
        });
        self.frame.stroke(&arc, stroke(color, 3.0));
    }

    fn hidden(&mut self, size: Size, count: usize) {
        let words = words::more_nodes(self.lang, count);
        let width = font::width(&words, 12.0) + 24.0;
        let spot =
            Rectangle::new(Point::new(size.width - width - 12.0, 12.0), Size::new(width, 24.0));
        let pill = Path::rounded_rectangle(spot.position(), spot.size(), Radius::new(12.0));
        self.frame.fill(&pill, self.roles.raised);
        self.text(words, spot.center(), Role::Caption, self.roles.muted);
    }

    /// Text lies over all shapes; this keeps lines from going through it.
    fn plate(&mut self, spot: Rectangle) {
        let plate = Path::rounded_rectangle(spot.position(), spot.size(), Radius::new(4.0));
        self.frame.fill(&plate, self.roles.surface);
    }

    fn text(&mut self, content: String, position: Point, role: Role, color: Color) {
        let (size, line) = role.measure();
        self.frame.fill_text(Text {
            content,
            position,
            color,
            size: size.into(),
            line_height: iced::widget::text::LineHeight::Absolute(line.into()),
            font: role.font(),
            align_x: iced::widget::text::Alignment::Center,
            align_y: iced::alignment::Vertical::Center,
            shaping: iced::widget::text::Shaping::Advanced,
            ..Text::default()
        });
    }
}

fn stroke(color: Color, width: f32) -> Stroke<'static> {
    Stroke::default().with_color(color).with_width(width)
}

fn second_line(node: &Node, lang: Lang) -> (Option<&'static str>, String) {
    let device = match node.has_gpu() {
        true => Some("GPU"),
        false if node.offers.iter().any(|offer| offer.device == "cpu") => Some("CPU"),
        false => None,
    };
    let words = match (node.state, node.rtt_ms) {
        (State::Checked, _) => words::checked(lang).to_owned(),
        (_, Some(_)) => node.latency(lang),
        (State::On, None) => words::on(lang).to_owned(),
        (State::Known, None) => words::unlinked(lang).to_owned(),
    };
    (device, words)
}

fn label_width(node: &Node, lang: Lang) -> f32 {
    let (device, words) = second_line(node, lang);
    let device = device.map_or(0.0, |device| font::width(device, 12.0) + 22.0);
    let name = bold_width(&shortened(&node.name, NAME));
    (name + 8.0).max(device + font::width(&words, 12.0) + 8.0)
}

/// Bold letters are wider than those whose widths are known by a tenth at most.
fn bold_width(text: &str) -> f32 {
    font::width(text, 14.0) * 1.1
}

/// As much of a name as fits.
fn shortened(name: &str, room: f32) -> String {
    use unicode_segmentation::UnicodeSegmentation as _;
    if bold_width(name) <= room {
        return name.to_owned();
    }
    let mut short = String::new();
    for grapheme in name.graphemes(true) {
        if bold_width(&short) + bold_width(grapheme) + bold_width("...") > room {
            break;
        }
        short.push_str(grapheme);
    }
    short.trim_end().to_owned() + "..."
}

fn hash(id: &str) -> u64 {
    id.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    }) >> 8
}
