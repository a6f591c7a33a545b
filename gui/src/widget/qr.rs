//! A QR code, dark on light in every theme: cameras want it so.

use iced::{
    Color, Point, Rectangle, Size,
    widget::{Canvas, canvas},
};
use potluck::qr::matrix;

use crate::theme::{Element, Theme};

/// The code of a text, `module` pixels for each of its modules; nothing where the text is too long.
pub fn qr<'a, Message: 'a>(text: &str, module: f32) -> Option<Element<'a, Message>> {
    let rows = matrix(text).ok()?;
    let side = rows.len() as f32 * module;
    Some(Canvas::new(Code { rows }).width(side).height(side).into())
}

struct Code {
    rows: Vec<Vec<bool>>,
}

impl<Message> canvas::Program<Message, Theme> for Code {
    type State = ();

    fn draw(
        &self,
        (): &(),
        renderer: &iced::Renderer,
        _: &Theme,
        bounds: Rectangle,
        _: iced::mouse::Cursor,
    ) -> Vec<canvas::Geometry> {
        let mut frame = canvas::Frame::new(renderer, bounds.size());
        frame.fill_rectangle(Point::ORIGIN, bounds.size(), Color::WHITE);
        let module = bounds.width / self.rows.len().max(1) as f32;
        let dark = canvas::Path::new(|path| {
            for (at, row) in self.rows.iter().enumerate() {
                // Modules side by side are one piece: between two of them a light line would show.
                let mut column = 0;
                for piece in row.chunk_by(|left, right| left == right) {
                    if piece[0] {
                        let corner = Point::new(column as f32 * module, at as f32 * module);
                        path.rectangle(corner, Size::new(piece.len() as f32 * module, module));
                    }
                    column += piece.len();
                }
            }
        });
        frame.fill(&dark, Color::BLACK);
        vec![frame.into_geometry()]
    }
}
