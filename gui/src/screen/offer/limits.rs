//! How much: what this computer gives, and what each peer may have of it.

use iced::{
    Alignment, Length,
    keyboard::{Key, key::Named},
    widget::{Column, column, container, row},
};
use potluck::config::PeerLimits;

use super::{Message, Offer, cards::size};
use crate::{
    backend::offering::Offering,
    icon::Icon,
    screen::{Context, mesh::capability},
    settings::NodeSetting,
    theme::{self, Element, Role, Tone, space},
    widget::{focusable, hr, icon_button, pick, tile},
    words::{Lang, offer as words},
};

/// What can be chosen by steps; other numbers stand in the settings file.
const THREADS: [u64; 8] = [0, 1, 2, 4, 8, 16, 32, 64];
const QUEUE: [u64; 8] = [1, 4, 16, 32, 64, 128, 512, 2048];
const INPUT_MIB: [u64; 8] = [1, 4, 16, 32, 64, 256, 1024, 2048];
const DISK_MIB: [u64; 8] = [256, 1024, 2048, 4096, 8192, 16_384, 65_536, 262_144];
const AT_ONCE: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];
const PER_MINUTE: [u32; 8] = [6, 12, 30, 60, 120, 300, 600, 1200];
const PER_DAY: [u32; 9] = [5, 10, 20, 50, 100, 200, 500, 1000, 5000];

impl Offer {
    /// The card; nothing before the settings were read.
    pub(super) fn limits<'a>(&'a self, context: &Context<'a>) -> Option<Element<'a, Message>> {
        let lang = context.lang;
        let known = self.known.as_ref()?;
        let head = row![
            tile(Icon::SlidersHorizontal, 36.0, Tone::Neutral),
            column![
                Role::Heading.text(words::limits(lang)),
                Role::Caption.text(words::limits_hint(lang)).style(theme::muted),
            ]
            .width(Length::Fill),
        ]
        .spacing(space::M)
        .align_y(Alignment::Center);
        let mut rows = column![container(head).padding(space::L)];
        for line in own(known, lang) {
            rows = rows.push(hr()).push(container(line).padding([space::S, space::L]));
        }
        rows =
            rows.push(hr()).push(container(self.of_which(context)).padding([space::M, space::L]));
        for line in self.of_each(known, lang) {
            rows = rows.push(hr()).push(container(line).padding([space::S, space::L]));
        }
        Some(container(rows).padding(1).width(Length::Fill).style(theme::card).into())
    }

    /// Which capability the limits below are of.
    fn of_which<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let names = potluck::services::ALL.iter().map(|recipe| recipe.name.to_owned());
        let options = names.map(|name| (capability(lang, &name).1.to_string(), name)).collect();
        let said = column![
            Role::Strong.text(words::for_each(lang)),
            Role::Caption.text(words::for_each_hint(lang)).style(theme::muted),
        ]
        .width(Length::Fill);
        row![said, pick(options, &self.limits_of, 128, Message::LimitsOf)]
            .spacing(space::M)
            .align_y(Alignment::Center)
            .into()
    }

    fn of_each<'a>(&'a self, known: &Offering, lang: Lang) -> [Element<'a, Message>; 3] {
        let now = known.limits.get(&self.limits_of).copied().unwrap_or_default();
        let set = |limits| Message::Set(NodeSetting::Limits(self.limits_of.clone(), limits));
        let PeerLimits { at_once, per_minute, per_day } = now;
        let step =
            |name, steps: &[u32], is: Option<u32>, change: fn(PeerLimits, _) -> PeerLimits| {
                let (less, more) = (lower(steps, is), higher(steps, is));
                let to = |next: Option<Option<u32>>| next.map(|next| set(change(now, next)));
                let shown = is.map_or(words::no_limit(lang).to_owned(), |most| most.to_string());
                stepper(name, "", shown, to(less), to(more), lang)
            };
        [
            step(words::calls_at_once(lang), &AT_ONCE, at_once, |limits, at_once| PeerLimits {
                at_once,
                ..limits
            }),
            step(words::calls_per_minute(lang), &PER_MINUTE, per_minute, |limits, per_minute| {
                PeerLimits { per_minute, ..limits }
            }),
            step(words::calls_per_day(lang), &PER_DAY, per_day, |limits, per_day| PeerLimits {
                per_day,
                ..limits
            }),
        ]
    }
}

/// What this computer gives to all together.
fn own<'a>(known: &Offering, lang: Lang) -> [Element<'a, Message>; 4] {
    let step = |name, hint, shown, steps: &[u64], is, set: fn(u64) -> NodeSetting| {
        let to = |next: Option<u64>| next.map(|next| Message::Set(set(next)));
        stepper(name, hint, shown, to(before(steps, is)), to(after(steps, is)), lang)
    };
    let threads = match known.threads {
        0 => words::all_cores(lang).to_owned(),
        threads => threads.to_string(),
    };
    let (queue, input, disk) = (known.queue, known.max_input_mib, known.disk_mib);
    [
        step(
            words::threads(lang),
            words::threads_hint(lang),
            threads,
            &THREADS,
            known.threads,
            NodeSetting::Threads,
        ),
        step(
            words::queue(lang),
            words::queue_hint(lang),
            queue.to_string(),
            &QUEUE,
            queue,
            NodeSetting::Queue,
        ),
        step(
            words::input(lang),
            words::input_hint(lang),
            size(input),
            &INPUT_MIB,
            input,
            NodeSetting::MaxInputMib,
        ),
        step(
            words::disk(lang),
            words::disk_hint(lang),
            size(disk),
            &DISK_MIB,
            disk,
            NodeSetting::DiskMib,
        ),
    ]
}

/// A number that goes up and down, by buttons and by arrows.
pub(super) fn stepper<'a>(
    name: &'a str,
    hint: &'a str,
    shown: String,
    less: Option<Message>,
    more: Option<Message>,
    lang: Lang,
) -> Element<'a, Message> {
    let hint = (!hint.is_empty()).then(|| Role::Caption.text(hint).style(theme::muted));
    let said = Column::new().push(Role::Body.text(name)).push(hint).width(Length::Fill);
    let shown = container(Role::Strong.text(shown)).center_x(88);
    let (down, up) = (less.clone(), more.clone());
    let shown = focusable(shown, None).on_key(move |key| match key {
        Key::Named(Named::ArrowRight | Named::ArrowUp) => up.clone(),
        Key::Named(Named::ArrowLeft | Named::ArrowDown) => down.clone(),
        _ => None,
    });
    row![
        said,
        icon_button(Icon::Minus, words::less(lang), less),
        shown,
        icon_button(Icon::Plus, words::more(lang), more),
    ]
    .spacing(space::XS)
    .align_y(Alignment::Center)
    .into()
}

/// The next smaller number.
pub(super) fn before<T: Copy + Ord>(steps: &[T], now: T) -> Option<T> {
    steps.iter().copied().rev().find(|step| *step < now)
}

/// The next larger number.
pub(super) fn after<T: Copy + Ord>(steps: &[T], now: T) -> Option<T> {
    steps.iter().copied().find(|step| *step > now)
}

/// The next lower limit; no limit is above all of them.
pub(super) fn lower(steps: &[u32], now: Option<u32>) -> Option<Option<u32>> {
    match now {
        None => Some(steps.last().copied()),
        Some(now) => before(steps, now).map(Some),
    }
}

/// The next higher limit.
pub(super) fn higher(steps: &[u32], now: Option<u32>) -> Option<Option<u32>> {
    now.map(|now| after(steps, now))
}
