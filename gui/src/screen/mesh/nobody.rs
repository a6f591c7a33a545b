//! Nobody found: what to do, what the doctor says, and a field for an address.

use iced::{
    Alignment, Length, Padding,
    widget::{Canvas, Column, canvas, column, container, row},
};
use potluck::doctor::{Finding, Level};

use super::{Mesh, Message};
use crate::{
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, Theme, Tone, space},
    widget::{Kind, badge, button, card, hr, note, scroll},
    words::{Lang, mesh as words, shell},
};

impl Mesh {
    /// The body of the screen while this node is alone.
    pub(super) fn nobody<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let clone = context
            .view
            .mesh
            .clone
            .as_ref()
            .map(|_| note(Icon::TriangleAlert, shell::clone_here(lang), Tone::Danger));
        let address = card(self.address_field(context));
        if context.has_panel() {
            // Both columns scroll by themselves where the window is low.
            let left = column![hero(lang, true), address].spacing(space::L).width(Length::Fill);
            let left = Column::new().push(clone).push(left).spacing(space::L);
            let doctor = container(self.doctor(context)).width(context.panel_width() + 100.0);
            let sides = row![scroll(left).height(Length::Fill), doctor];
            sides.spacing(space::XL).into()
        } else {
            let all = Column::new()
                .push(clone)
                .push(hero(lang, false))
                .push(address)
                .push(self.doctor(context))
                .spacing(space::L);
            scroll(all).height(Length::Fill).into()
        }
    }

    fn doctor<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let found = match &self.findings {
            Some(Ok(found)) => found.as_slice(),
            Some(Err(_)) | None => &[],
        };
        let problems = found.iter().filter(|finding| finding.level == Level::Problem).count();
        let caption = match (&self.findings, self.looking) {
            (_, true) | (None, false) => words::doctor_looks(lang).to_owned(),
            (Some(_), false) if problems == 0 => words::doctor_fine(lang, found.len()),
            (Some(_), false) => words::doctor_count(lang, found.len(), problems),
        };
        let again = button(words::check_again(lang))
            .icon(Icon::RefreshCw)
            .on_press_maybe((!self.looking).then_some(Message::Examine));
        let head = row![
            column![
                Role::Heading.text(words::doctor(lang)),
                Role::Caption.text(caption).style(theme::muted),
            ]
            .width(Length::Fill),
            again,
        ]
        .spacing(space::M)
        .align_y(Alignment::Center);
        let mut rows = column![container(head).padding(space::L)];
        if let Some(Err(why)) = &self.findings {
            let said = note(Icon::CircleX, why.say(lang), Tone::Danger);
            rows = rows.push(hr()).push(container(said).padding(space::L));
        }
        let mut sorted: Vec<_> = found.iter().collect();
        sorted.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        for finding in sorted {
            rows = rows.push(hr()).push(line(finding, lang));
        }
        let report: Vec<_> =
            found.iter().map(|finding| format!("{}\n{}", finding.what, finding.todo)).collect();
        let copy = button(words::copy_report(lang))
            .kind(Kind::Link)
            .small()
            .on_press_maybe((!report.is_empty()).then(|| Message::Copy(report.join("\n"))));
        let foot = row![
            Icon::WifiOff.view(14.0).style(theme::muted),
            Role::Caption.text(words::guest_wifi(lang)).style(theme::muted).width(Length::Fill),
            copy,
        ]
        .spacing(space::S)
        .align_y(Alignment::Center);
        rows = rows.push(hr()).push(container(foot).padding([space::M, space::L]));
        let inside: Element<'a, Message> = match context.has_panel() {
            true => scroll(rows).into(),
            false => rows.into(),
        };
        container(inside).padding(1).style(theme::card).into()
    }
}

/// What the window is waiting for.
fn hero<'a>(lang: Lang, large: bool) -> Element<'a, Message> {
    let words = column![
        Role::Title.text(words::nobody(lang)).align_x(Alignment::Center),
        Role::Body.text(words::nobody_hint(lang)).style(theme::muted).align_x(Alignment::Center),
    ]
    .spacing(space::XS)
    .max_width(440)
    .align_x(Alignment::Center);
    let picture = large.then(|| Canvas::new(Rings).width(360).height(200));
    let inside =
        Column::new().push(picture).push(words).spacing(space::L).align_x(Alignment::Center);
    container(inside)
        .padding(Padding::from(space::XL))
        .center_x(Length::Fill)
        .style(theme::card)
        .into()
}

fn line<'a>(finding: &'a Finding, lang: Lang) -> Element<'a, Message> {
    let (icon, tone, word) = match finding.level {
        Level::Ok => (Icon::CircleCheck, Tone::Success, words::good(lang)),
        Level::Hint => (Icon::Info, Tone::Primary, words::note(lang)),
        Level::Problem => (Icon::TriangleAlert, Tone::Warning, words::problem(lang)),
    };
    let todo =
        (!finding.todo.is_empty()).then(|| Role::Body.text(&finding.todo).style(theme::muted));
    let said = column![Role::Body.text(&finding.what)].push(todo).spacing(2).width(Length::Fill);
    let mark = icon.view(18.0).style(move |theme: &Theme| iced::widget::text::Style {
        color: Some(tone.colors(theme).0),
    });
    let line = row![container(mark).padding(Padding::ZERO.top(2)), said, badge(None, word, tone)]
        .spacing(space::M);
    let ground = container(line).padding([space::M, space::L]).width(Length::Fill);
    match finding.level {
        Level::Problem => ground
            .style(|theme: &Theme| container::Style {
                background: Some(theme.roles().warning_tint.into()),
                text_color: Some(theme.roles().text),
                ..container::Style::default()
            })
            .into(),
        Level::Ok | Level::Hint => ground.into(),
    }
}

/// This node in the middle of empty rings.
struct Rings;

impl canvas::Program<Message, Theme> for Rings {
    type State = ();

    fn draw(
        &self,
        (): &(),
        renderer: &iced::Renderer,
        theme: &Theme,
        bounds: iced::Rectangle,
        _: iced::mouse::Cursor,
    ) -> Vec<canvas::Geometry> {
        let roles = theme.roles();
        let mut frame = canvas::Frame::new(renderer, bounds.size());
        let center = frame.center();
        for share in [0.52, 1.0] {
            let ring = canvas::Path::new(|path| {
                path.ellipse(canvas::path::arc::Elliptical {
                    center,
                    radii: iced::Vector::new(150.0 * share, 80.0 * share),
                    rotation: 0.0.into(),
                    start_angle: 0.0.into(),
                    end_angle: std::f32::consts::TAU.into(),
                });
            });
            let line = canvas::Stroke::default().with_color(roles.line).with_width(1.0);
            frame.stroke(&ring, line);
        }
        let guests = [
            (-150.0, 14.0, Icon::Laptop),
            (112.0, -56.0, Icon::Monitor),
            (128.0, 44.0, Icon::Server),
        ];
        for (x, y, icon) in guests {
            let at = center + iced::Vector::new(x, y);
            let circle = canvas::Path::circle(at, 20.0);
            frame.fill(&circle, roles.surface);
            let dashed = canvas::Stroke {
                line_dash: canvas::LineDash { segments: &[3.0, 3.0], offset: 0 },
                ..canvas::Stroke::default().with_color(roles.edge).with_width(1.0)
            };
            frame.stroke(&circle, dashed);
            frame.fill_text(icon.on_canvas(at, 18.0, roles.edge));
        }
        frame.fill(&canvas::Path::circle(center, 28.0), roles.primary);
        frame.fill_text(Icon::Laptop.on_canvas(center, 22.0, roles.on_primary));
        vec![frame.into_geometry()]
    }
}
