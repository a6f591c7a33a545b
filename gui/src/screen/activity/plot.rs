//! Small plots of the last minute, from the calls that are remembered.

use iced::{
    Alignment, Length, Point, Rectangle,
    widget::{Canvas, Row, canvas, column, container, row},
};
use potluck::client::{CallRecord, Side};

use super::{MINUTE_MS, Message};
use crate::{
    screen::Context,
    theme::{self, Element, Role, Theme, Tone, space},
    widget::cut,
    words::activity as words,
};

/// Points of a plot.
const POINTS: usize = 30;
/// What one of them stands for.
const STEP_MS: u64 = MINUTE_MS / POINTS as u64;

/// Three cards side by side; the plots go where there is little room.
pub fn view<'a>(context: &Context<'_>, roomy: bool) -> Element<'a, Message> {
    let lang = context.lang;
    let (calls, now) = (&context.view.calls, context.now_ms);
    let asked = |call: &&CallRecord| call.side == Side::Asked;
    let asked_at = begun(calls.iter().filter(asked), now);
    let served_at = begun(calls.iter().filter(|call| !asked(call)), now);
    let at_once = under_way(calls.iter().filter(|call| !asked(call)), now);
    let total = |points: &[u32; POINTS]| points.iter().sum::<u32>();
    let cards = [
        (words::asked(lang), total(&asked_at), words::last_minute(lang), asked_at, Tone::Primary),
        (
            words::served(lang),
            total(&served_at),
            words::last_minute(lang),
            served_at,
            Tone::Success,
        ),
        (words::load(lang), at_once[POINTS - 1], words::now(lang), at_once, Tone::Warning),
    ];
    let cards = cards.map(|(title, value, unit, points, tone)| {
        let words = column![
            cut(title, Role::Caption).style(theme::muted),
            row![
                Role::Display.text(value.to_string()),
                cut(unit, Role::Caption).style(theme::muted),
            ]
            .spacing(space::S)
            .align_y(Alignment::Center),
        ];
        let plot = roomy.then(|| Canvas::new(Plot { points, tone }).width(96).height(44));
        let line =
            row![words.width(Length::Fill)].push(plot).spacing(space::M).align_y(Alignment::Center);
        container(line).padding([space::M, space::L]).width(Length::Fill).style(theme::card).into()
    });
    Row::with_children(cards).spacing(space::L).into()
}

/// Calls that began in each part of the last minute.
fn begun<'a>(calls: impl Iterator<Item = &'a CallRecord>, now: u64) -> [u32; POINTS] {
    let mut points = [0; POINTS];
    for call in calls {
        let ago = now.saturating_sub(call.started_at) / STEP_MS;
        let back = usize::try_from(ago).unwrap_or(usize::MAX);
        if let Some(at) = (POINTS - 1).checked_sub(back) {
            points[at] += 1;
        }
    }
    points
}

/// Calls that were under way at the end of each part of the last minute.
fn under_way<'a>(calls: impl Iterator<Item = &'a CallRecord>, now: u64) -> [u32; POINTS] {
    let mut points = [0; POINTS];
    for call in calls {
        let end = call.end.as_ref().map_or(u64::MAX, |end| call.started_at + end.milliseconds);
        for (index, point) in points.iter_mut().enumerate() {
            let at = now.saturating_sub((POINTS - 1 - index) as u64 * STEP_MS);
            *point += u32::from(call.started_at <= at && at < end);
        }
    }
    points
}

/// A line with a tint below it.
struct Plot {
    points: [u32; POINTS],
    tone: Tone,
}

impl canvas::Program<Message, Theme> for Plot {
    type State = ();

    fn draw(
        &self,
        (): &(),
        renderer: &iced::Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _: iced::mouse::Cursor,
    ) -> Vec<canvas::Geometry> {
        let (line, tint) = self.tone.colors(theme);
        let mut frame = canvas::Frame::new(renderer, bounds.size());
        let most = self.points.iter().copied().max().unwrap_or_default().max(1) as f32;
        let step = bounds.width / (POINTS - 1) as f32;
        // Room for the line itself at the top and the bottom.
        let high = bounds.height - 4.0;
        let at = |index: usize| {
            let share = self.points[index] as f32 / most;
            Point::new(index as f32 * step, 2.0 + high * (1.0 - share))
        };
        let below = canvas::Path::new(|path| {
            path.move_to(Point::new(0.0, bounds.height - 2.0));
            (0..POINTS).for_each(|index| path.line_to(at(index)));
            path.line_to(Point::new(bounds.width, bounds.height - 2.0));
            path.close();
        });
        frame.fill(&below, tint);
        let above = canvas::Path::new(|path| {
            path.move_to(at(0));
            (1..POINTS).for_each(|index| path.line_to(at(index)));
        });
        frame.stroke(&above, canvas::Stroke::default().with_color(line).with_width(1.5));
        vec![frame.into_geometry()]
    }
}

#[cfg(test)]
mod tests {
    use potluck::client::CallEnd;

    use super::*;

    fn call(started_at: u64, milliseconds: Option<u64>) -> CallRecord {
        CallRecord {
            number: started_at,
            side: Side::Asked,
            capability: "chat/1".to_owned(),
            bytes: 0,
            started_at,
            progress: None,
            end: milliseconds.map(|milliseconds| CallEnd { milliseconds, ..CallEnd::default() }),
        }
    }

    #[test]
    fn the_last_minute_is_counted_and_what_is_older_is_not() {
        let now = 1_000_000;
        let calls = [call(now, None), call(now - 1, None), call(now - 59_999, None), call(5, None)];
        let points = begun(calls.iter(), now);
        assert_eq!((points[POINTS - 1], points[0], points.iter().sum::<u32>()), (2, 1, 3));
    }

    #[test]
    fn what_runs_counts_as_long_as_it_runs() {
        let now = 1_000_000;
        let calls = [call(now - 10_000, Some(5_000)), call(now - 3_000, None)];
        let points = under_way(calls.iter(), now);
        // 10 s ago one ran, 4 s ago none, now one.
        assert_eq!((points[POINTS - 6], points[POINTS - 3], points[POINTS - 1]), (1, 0, 1));
    }
}
