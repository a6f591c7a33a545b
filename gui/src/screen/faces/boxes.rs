//! The boxes over a picture. They lie in a layer above it, and follow the pointer.

use iced::{
    Color, Event, Pixels, Point, Rectangle, Size, mouse,
    widget::{
        canvas::{self, Action, Frame, Geometry, Path, Stroke},
        text::LineHeight,
    },
};
use potluck::services::face::Face;

use super::{Message, panel::short};
use crate::{
    theme::{Role, Theme},
    words::Lang,
};

// On any picture white shows beside black; the chosen one is the blue of the dark theme.
const DARK: Color = Color::from_rgb8(0x14, 0x17, 0x1C);
const CHOSEN: Color = Color::from_rgb8(0x7A, 0xA2, 0xFF);
/// Height of a label.
const LABEL: f32 = 20.0;

/// The boxes of one picture.
pub(super) struct Boxes<'a> {
    pub(super) faces: &'a [Face],
    /// Columns and rows of the picture.
    pub(super) size: (u32, u32),
    pub(super) chosen: Option<usize>,
    pub(super) boxes: bool,
    pub(super) labels: bool,
    pub(super) lang: Lang,
}

impl Boxes<'_> {
    /// Where the faces are in a room of this size, in which the picture fits whole and centred.
    fn places(&self, room: Size) -> Vec<Rectangle> {
        let (width, height) = (self.size.0 as f32, self.size.1 as f32);
        let scale = (room.width / width).min(room.height / height);
        let (left, top) =
            ((room.width - width * scale) / 2.0, (room.height - height * scale) / 2.0);
        let place = |face: &Face| Rectangle {
            x: left + face.frame.x * scale,
            y: top + face.frame.y * scale,
            width: face.frame.width * scale,
            height: face.frame.height * scale,
        };
        self.faces.iter().map(place).collect()
    }

    /// The smallest box under a point: one inside of another can be reached too.
    fn hit(&self, room: Size, at: Point) -> Option<usize> {
        let places = self.places(room);
        let under = places.iter().enumerate().filter(|(_, place)| place.contains(at));
        under.min_by(|(_, one), (_, other)| one.area().total_cmp(&other.area())).map(|(at, _)| at)
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
        // Beside all of them the last one stays, so that its card can be read.
        hit.filter(|_| hit != self.chosen).map(|hit| Action::publish(Message::Face(Some(hit))))
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
        let places = self.places(bounds.size());
        let colour = |at: usize| if self.chosen == Some(at) { CHOSEN } else { Color::WHITE };
        if self.boxes {
            for (at, place) in places.iter().enumerate() {
                let outline = |grow: f32| {
                    let place = place.expand(grow);
                    Path::rectangle(place.position(), place.size())
                };
                let dark = Stroke::default().with_width(4.0).with_color(Color { a: 0.7, ..DARK });
                frame.stroke(&outline(0.0), dark);
                frame.stroke(
                    &outline(0.0),
                    Stroke::default().with_width(2.0).with_color(colour(at)),
                );
            }
        }
        if self.labels {
            self.labels(&mut frame, &places, colour);
        }
        vec![frame.into_geometry()]
    }
}

impl Boxes<'_> {
    /// A label stands above its box, below where there is no room, and nowhere where it would meet
    /// another one. The chosen one comes first.
    fn labels(&self, frame: &mut Frame, places: &[Rectangle], colour: impl Fn(usize) -> Color) {
        let room = Rectangle::with_size(frame.size());
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by_key(|at| self.chosen != Some(*at));
        let mut taken: Vec<Rectangle> = Vec::new();
        let (size, line) = Role::Caption.measure();
        for at in order {
            let (Some(place), Some(face)) = (places.get(at), self.faces.get(at)) else { continue };
            let words = short(self.lang, at, face);
            let width = potluck_analysis::font::width(&words, size) + 12.0;
            let x = place.x.min(room.width - width).max(0.0);
            let spots = [place.y - LABEL - 4.0, place.y + place.height + 4.0, place.y + 4.0];
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

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, y: f32, side: f32) -> Face {
        let frame = serde_json::json!({"box": {"x": x, "y": y, "width": side, "height": side}});
        serde_json::from_value(frame).unwrap()
    }

    #[test]
    fn boxes_lie_on_the_picture_and_the_smallest_is_hit() {
        let faces = [face(0.0, 0.0, 100.0), face(50.0, 50.0, 20.0)];
        let boxes = Boxes {
            faces: &faces,
            size: (200, 100),
            chosen: None,
            boxes: true,
            labels: true,
            lang: Lang::En,
        };
        // Twice as large, with 50 pixels left above and below.
        let room = Size::new(400.0, 300.0);
        assert_eq!(
            boxes.places(room)[0],
            Rectangle { x: 0.0, y: 50.0, width: 200.0, height: 200.0 }
        );
        assert_eq!(boxes.hit(room, Point::new(120.0, 170.0)), Some(1));
        assert_eq!(boxes.hit(room, Point::new(20.0, 60.0)), Some(0));
        assert_eq!(boxes.hit(room, Point::new(20.0, 20.0)), None);
    }
}
