//! The frame around the screens: sidebar or rail, the own card, what lies over the page.

use iced::{
    Alignment, Length, Padding, Size,
    widget::{Column, Space, column, container, responsive, row, scrollable, stack, tooltip},
};

use super::{App, Message};
use crate::{
    icon::Icon,
    screen::{Group, Screen},
    theme::{self, Element, Role, Theme, Tone, radius, space},
    widget::{avatar, count, cut, dialog, over, overlaid, pressable, tile, tip},
    words::shell as words,
};

/// Below this width the sidebar is a rail of icons.
const RAIL: f32 = 1080.0;
/// Width of the sidebar.
const SIDEBAR_WIDTH: f32 = 220.0;
/// Width of the rail.
const RAIL_WIDTH: f32 = 48.0;

/// The whole window.
pub fn view(app: &App) -> Element<'_, Message> {
    let page = responsive(|size| page(app, size));
    let page = container(page).width(Length::Fill).height(Length::Fill).style(theme::content);
    let asked = app.dialog.as_ref().map(|made| dialog(made, app.lang(), Message::Copy));
    let motion = app.settings.motion;
    let page = over(page, asked, Message::Dismiss, motion);
    let spoken = (app.lang(), motion);
    let act = |id, message| Message::ActOnToast(id, Box::new(message));
    overlaid(page, &app.toasts, spoken, Message::CloseToast, act, Message::HoverToasts)
}

fn page(app: &App, size: Size) -> Element<'_, Message> {
    let wide = size.width >= RAIL;
    let side = if wide { sidebar(app) } else { rail(app) };
    let taken = if wide { SIDEBAR_WIDTH } else { RAIL_WIDTH };
    let room = Size::new(size.width - taken, size.height);
    let screen = app.screens.view(app.screen, app.context(room)).map(Message::Screen);
    row![side, container(screen).width(Length::Fill).height(Length::Fill)].into()
}

/// A column of surface with a line at its right.
fn side<'a>(content: impl Into<Element<'a, Message>>, width: f32) -> Element<'a, Message> {
    let line = container(Space::new()).width(1).height(Length::Fill).style(|theme: &Theme| {
        container::Style {
            background: Some(theme.roles().line.into()),
            ..container::Style::default()
        }
    });
    let inside = container(content).width(width - 1.0).height(Length::Fill).style(theme::panel);
    row![inside, line].into()
}

fn sidebar(app: &App) -> Element<'_, Message> {
    let lang = app.lang();
    let mark = container(Icon::CookingPot.view(18.0)).center(28).style(|theme: &Theme| {
        let roles = theme.roles();
        container::Style {
            background: Some(roles.primary.into()),
            text_color: Some(roles.on_primary),
            border: iced::Border::default().rounded(radius::CONTROL),
            ..container::Style::default()
        }
    });
    let brand =
        row![mark, Role::Heading.text(words::potluck(lang))].spacing(10).align_y(Alignment::Center);
    let mut items = Column::new().spacing(2);
    let mut group = Group::First;
    for screen in useful(app) {
        if screen.group() != group {
            group = screen.group();
            let caption = match group {
                Group::Ask => words::ask_the_mesh(lang),
                Group::First | Group::Here => words::this_computer(lang),
            };
            let caption = Role::Caption.text(caption).style(theme::muted);
            items =
                items.push(container(caption).padding(Padding::from([0, 10]).top(14).bottom(6)));
        }
        items = items.push(item(app, screen));
    }
    let items = scrollable(container(items).padding([0.0, space::M]));
    let top = container(brand).center_y(40).padding(Padding::ZERO.left(20));
    let all = column![
        Space::new().height(space::M),
        top,
        Space::new().height(space::M),
        items.height(Length::Fill),
        me(app),
    ];
    side(all, SIDEBAR_WIDTH)
}

/// The screens that stand in the sidebar: all, but those with nothing to do.
fn useful(app: &App) -> impl Iterator<Item = Screen> {
    let useful =
        |screen: &Screen| app.screen == *screen || app.screens.is_useful(*screen, &app.view);
    Screen::ALL.iter().copied().filter(useful)
}

fn item(app: &App, screen: Screen) -> Element<'_, Message> {
    let chosen = app.screen == screen;
    let role = if chosen { Role::Strong } else { Role::Body };
    let icon = screen.icon().view(18.0);
    let icon = if chosen { icon.style(theme::primary_text) } else { icon };
    let waiting = count(app.screens.waiting(screen, &app.context(app.size)));
    let line = row![icon, cut(screen.name(app.lang()), role).fill()]
        .push(waiting)
        .spacing(space::M)
        .align_y(Alignment::Center);
    let inside = container(line).center_y(36).padding([0, 10]).width(Length::Fill);
    pressable(inside, chosen, radius::CONTROL, Message::Go(screen)).into()
}

/// Who this is, and how many others there are.
fn me(app: &App) -> Element<'_, Message> {
    let lang = app.lang();
    let (name, id) = app.backend.as_ref().map_or_else(
        || (String::new(), String::new()),
        |backend| (backend.client().name().to_owned(), backend.client().id().to_string()),
    );
    let others = app.view.mesh.peers.len();
    let state = match (&app.backend, &app.trouble, others) {
        (None, Some(_), _) => words::not_running(lang).to_owned(),
        (None, None, _) => words::starting(lang).to_owned(),
        (Some(_), _, 0) => words::alone(lang).to_owned(),
        (Some(_), _, others) => match app.screens.private_mesh() {
            Some(name) => words::private_mesh(lang, name, others + 1),
            None => words::open_mesh(lang, others + 1),
        },
    };
    let picture: Element<'_, Message> = match name.is_empty() {
        true => tile(Icon::Laptop, 36.0, Tone::Neutral),
        false => avatar(&name, &id, 36.0, Some(others > 0)),
    };
    let name = (!name.is_empty()).then(|| cut(name, Role::Strong).fill());
    let names = Column::new()
        .push(name)
        .push(cut(state, Role::Caption).style(theme::muted).fill())
        .width(Length::Fill);
    let line = row![picture, names].spacing(space::M).align_y(Alignment::Center);
    column![crate::widget::hr(), container(line).center_y(63).padding([0.0, space::L])].into()
}

fn rail(app: &App) -> Element<'_, Message> {
    let items = useful(app).map(|screen| {
        let chosen = app.screen == screen;
        let icon = screen.icon().view(18.0);
        let icon = if chosen { icon.style(theme::primary_text) } else { icon };
        // A dot where something waits: there is no room for a number.
        let waiting = app.screens.waiting(screen, &app.context(app.size)) > 0;
        let dot = waiting.then(|| {
            let dot =
                container(Space::new()).width(8).height(8).style(theme::accent(Tone::Primary));
            container(dot).align_right(28).padding(Padding::ZERO.top(4))
        });
        let inside = stack![container(icon).center(32)].push(dot);
        let pressed = pressable(inside, chosen, radius::CONTROL, Message::Go(screen));
        tip(pressed, screen.name(app.lang()), tooltip::Position::Right)
    });
    let items =
        Column::with_children(items).spacing(space::XS).padding(Padding::from(space::S).right(7));
    let hidden = scrollable::Direction::Vertical(scrollable::Scrollbar::hidden());
    side(scrollable(items).direction(hidden).height(Length::Fill), RAIL_WIDTH)
}
