//! What runs now, for this person and for others.

use iced::{
    Alignment, Length,
    widget::{column, container, row},
};
use potluck::client::{CallRecord, Side};

use super::{Message, node::capability};
use crate::{
    screen::Context,
    theme::{self, Element, Role, Tone, space},
    widget::{bar, cut, head_row, hr},
    words::mesh as words,
};

/// Rows at most.
const MOST: usize = 3;

/// The card of what runs.
pub fn view<'a>(context: &Context<'_>) -> Element<'a, Message> {
    let lang = context.lang;
    let running: Vec<_> = context.view.calls.iter().filter(|call| call.end.is_none()).collect();
    let mut rows = column![head_row(words::running_now(lang), words::calls(lang, running.len()))];
    if running.is_empty() {
        let hint = cut(words::nothing_runs(lang), Role::Body).style(theme::muted);
        rows = rows.push(hr()).push(container(hint).center_y(42).padding([0.0, space::L]));
    }
    for call in running.iter().rev().take(MOST) {
        rows = rows.push(hr()).push(line(call, context));
    }
    container(rows).padding(1).style(theme::card).into()
}

fn line<'a>(call: &CallRecord, context: &Context<'_>) -> Element<'a, Message> {
    let lang = context.lang;
    let (icon, name) = capability(lang, &call.capability);
    let (whom, tone) = match &call.side {
        Side::Asked => (words::asked_for_you(lang).to_owned(), Tone::Primary),
        Side::Served { caller } => {
            let peer = context.view.mesh.peers.get(caller);
            let name = peer.map_or_else(
                || potluck::identity::fingerprint(caller),
                |peer| peer.advert.name.clone(),
            );
            (words::served_for(lang, &name), Tone::Success)
        }
    };
    let whom = match call.progress.as_ref().map(|progress| progress.note.as_str()) {
        Some(step) if !step.is_empty() => format!("{whom}·{step}"),
        _ => whom,
    };
    let share = call.progress.as_ref().map(|progress| f32::from(progress.percent) / 100.0);
    let seconds = context.now_ms.saturating_sub(call.started_at) as f32 / 1000.0;
    let line = row![
        icon.view(16.0).style(theme::muted),
        container(cut(name, Role::Body)).width(140),
        cut(whom, Role::Body).fill().style(theme::muted),
    ]
    .push(share.map(|share| container(bar(share, tone, 6.0)).width(112)))
    .push(container(Role::Caption.text(format!("{seconds:.0} s"))).align_right(40))
    .spacing(space::M)
    .align_y(Alignment::Center);
    container(line).center_y(42).padding([0.0, space::L]).width(Length::Fill).into()
}
