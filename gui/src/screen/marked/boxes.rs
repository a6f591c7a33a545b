//! The boxes over a picture. They lie in a layer above it, and follow the pointer.

use iced::{
    Color, Event, Pixels, Point, Rectangle, Size, mouse,
    widget::{
        canvas::{self, Action, Frame, Geometry, Path, Stroke},
        text::LineHeight,
    },
};

use super::{Items, Message};
use crate::{
    theme::{Role, Theme},
    words::Lang,
};

// On any picture white shows beside black; the chosen one is the blue of the dark theme.
const DARK: Color = Color::from_rgb8(0x14, 0x17, 0x1C);
const CHOSEN: Color = Color::from_rgb8(0x7A, 0xA2, 0xFF);
/// Height of a label, and characters on it.
const LABEL: f32 = 20.0;
const LETTERS: usize = 48;

/// The boxes of one picture.
pub(super) struct Boxes<'a> {
    pub(super) items: &'a Items,
    /// Columns and rows of the picture.
    pub(super) size: (u32, u32),
    pub(super) chosen: Option<usize>,
    pub(super) boxes: bool,
    pub(super) lang: Lang,
}

impl Boxes<'_> {
    /// The corners of what was found, in a room of this size, in which the picture fits whole and centred.
    fn places(&self, room: Size) -> Vec<[Point; 4]> {
        let (width, height) = (self.size.0 as f32, self.size.1 as f32);
        let scale = (room.width / width).min(room.height / height);
        let (left, top) =
            ((room.width - width * scale) / 2.0, (room.height - height * scale) / 2.0);
        let marks = self.items.marks(self.lang).into_iter();
        let place = |(x, y): (f32, f32)| Point::new(left + x * scale, top + y * scale);
        marks.map(|mark| mark.corners.map(place)).collect()
    }

    /// The smallest box under a point: one inside of another can be reached too.
    fn hit(&self, room: Size, at: Point) -> Option<usize> {
        let places = self.places(room);
        let under = places.iter().enumerate().filter(|(_, corners)| contains(corners, at));
        under.min_by(|(_, one), (_, other)| area(one).total_cmp(&area(other))).map(|(at, _)| at)
    }

    /// What stands at a box: things are named, of lines only the chosen one: text would hide text.
    fn label(&self, at: usize) -> Option<String> {
        let said = self.items.said(self.lang, at);
        let cut = |text: &str| match text.chars().count() > LETTERS {
            true => format!("{}…", text.chars().take(LETTERS).collect::<String>()),
            false => text.to_owned(),
        };
        match self.items {
            Items::Things(_) => Some(format!("{said} {:.0}%", self.items.sure(at) * 100.0)),
            Items::Lines(_) => (self.chosen == Some(at)).then(|| cut(said)),
        }
    }
}

impl canvas::Program<Message, Theme> for Boxes<'_> {
    type State = ();

    fn update(
        &self,
        (): &mut (),
        event: &Event,
        bounds: Rectangle,
        cursor: mouse::Cursor,
    ) -> Option<Action<Message>> {
        if !matches!(event, Event::Mouse(mouse::Event::CursorMoved { .. })) {
            return None;
        }
        let at = cursor.position_in(bounds)?;
        let hit = self.hit(bounds.size(), at);
        // Beside all of them the last one stays, so that it can be read.
        hit.filter(|_| hit != self.chosen).map(|hit| Action::publish(Message::Item(Some(hit))))
    }

    fn draw(
        &self,
        (): &(),
        renderer: &iced::Renderer,
        _: &Theme,
        bounds: Rectangle,
        _: mouse::Cursor,
    ) -> Vec<Geometry> {
        let mut frame = Frame::new(renderer, bounds.size());
        if !self.boxes {
            return vec![frame.into_geometry()];
        }
        let places = self.places(bounds.size());
        let colour = |at: usize| if self.chosen == Some(at) { CHOSEN } else { Color::WHITE };
        for (at, corners) in places.iter().enumerate() {
            let path = Path::new(|path| {
                path.move_to(corners[0]);
                corners[1..].iter().for_each(|corner| path.line_to(*corner));
                path.close();
            });
            let dark = Stroke::default().with_width(4.0).with_color(Color { a: 0.7, ..DARK });
            frame.stroke(&path, dark);
            frame.stroke(&path, Stroke::default().with_width(2.0).with_color(colour(at)));
        }
        self.labels(&mut frame, &places, colour);
        vec![frame.into_geometry()]
    }
}

impl Boxes<'_> {
    /// A label stands above its box, in it or below where there is no room, and nowhere where it would meet another
    /// one. The chosen one comes first.
    fn labels(&self, frame: &mut Frame, places: &[[Point; 4]], colour: impl Fn(usize) -> Color) {
        let room = Rectangle::with_size(frame.size());
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by_key(|at| self.chosen != Some(*at));
        let mut taken: Vec<Rectangle> = Vec::new();
        let (size, line) = Role::Caption.measure();
        for at in order {
            let (Some(corners), Some(words)) = (places.get(at), self.label(at)) else { continue };
            let place = bounds_of(corners);
            let width = potluck_analysis::font::width(&words, size) + 12.0;
            let x = place.x.min(room.width - width).max(0.0);
            let below = place.y + place.height + 4.0;
            let spots = [place.y - LABEL - 4.0, place.y + 4.0, below, below - LABEL - 8.0];
            let plates = spots.map(|y| Rectangle::new(Point::new(x, y), Size::new(width, LABEL)));
            let free = plates.into_iter().find(|plate| {
                plate.is_within(&room) && !taken.iter().any(|other| other.intersects(plate))
            });
            let Some(plate) = free else { continue };
            taken.push(plate);
            let ground = Path::rounded_rectangle(plate.position(), plate.size(), 4.0.into());
            frame.fill(&ground, colour(at));
            frame.fill_text(canvas::Text {
                content: words,
                position: plate.center(),
                color: DARK,
                size: Pixels(size),
                line_height: LineHeight::Absolute(Pixels(line)),
                font: Role::Caption.font(),
                align_x: iced::widget::text::Alignment::Center,
                align_y: iced::alignment::Vertical::Center,
                ..canvas::Text::default()
            });
        }
    }
}

/// Whether a point lies in a shape with four corners in order, clockwise as the screen shows them.
fn contains(corners: &[Point; 4], at: Point) -> bool {
    (0..4).all(|index| {
        let (from, to) = (corners[index], corners[(index + 1) % 4]);
        (to.x - from.x) * (at.y - from.y) - (to.y - from.y) * (at.x - from.x) >= 0.0
    })
}

fn area(corners: &[Point; 4]) -> f32 {
    let twice: f32 = (0..4)
        .map(|index| {
            let (from, to) = (corners[index], corners[(index + 1) % 4]);
            from.x * to.y - to.x * from.y
        })
        .sum();
    twice.abs() / 2.0
}

fn bounds_of(corners: &[Point; 4]) -> Rectangle {
    let least = |of: fn(&Point) -> f32| corners.iter().map(of).fold(f32::MAX, f32::min);
    let most = |of: fn(&Point) -> f32| corners.iter().map(of).fold(f32::MIN, f32::max);
    let (x, y) = (least(|at| at.x), least(|at| at.y));
    Rectangle { x, y, width: most(|at| at.x) - x, height: most(|at| at.y) - y }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_lie_on_the_picture_and_the_smallest_is_hit() {
        let thing = |x: f32, y: f32, side: f32| {
            serde_json::json!({
                "box": {"x": x, "y": y, "width": side, "height": side}, "name": "cat", "confidence": 0.5,
            })
        };
        let things = serde_json::json!([thing(0.0, 0.0, 100.0), thing(50.0, 50.0, 20.0)]);
        let items = Items::Things(serde_json::from_value(things).unwrap());
        let boxes =
            Boxes { items: &items, size: (200, 100), chosen: None, boxes: true, lang: Lang::En };
        // Twice as large, with 50 pixels left above and below.
        let room = Size::new(400.0, 300.0);
        let place = bounds_of(&boxes.places(room)[0]);
        assert_eq!(place, Rectangle { x: 0.0, y: 50.0, width: 200.0, height: 200.0 });
        assert_eq!(boxes.hit(room, Point::new(120.0, 170.0)), Some(1));
        assert_eq!(boxes.hit(room, Point::new(20.0, 60.0)), Some(0));
        assert_eq!(boxes.hit(room, Point::new(20.0, 20.0)), None);
    }

    /// A slanted line is hit where it is, not in the corners of the rectangle around it.
    #[test]
    fn slanted_lines_are_hit_where_they_are() {
        let corner = |x: f32, y: f32| serde_json::json!({"x": x, "y": y});
        let line = serde_json::json!([{
            "text": "slanted", "confidence": 0.9,
            "corners": [corner(0.0, 60.0), corner(80.0, 0.0), corner(90.0, 13.0), corner(10.0, 73.0)],
        }]);
        let items = Items::Lines(serde_json::from_value(line).unwrap());
        let boxes =
            Boxes { items: &items, size: (100, 100), chosen: None, boxes: true, lang: Lang::En };
        let room = Size::new(100.0, 100.0);
        assert_eq!(boxes.hit(room, Point::new(45.0, 36.0)), Some(0));
        assert_eq!(boxes.hit(room, Point::new(5.0, 5.0)), None);
        assert_eq!(boxes.label(0), None);
    }
}
