//! How the page of the private mesh looks.

use iced::{
    Alignment, Length, Padding,
    widget::{Column, column, container, row},
};
use potluck::{identity::short, membership};

use super::{Busy, INVITE, Member, Message, NAME, OfKey, Private, TIMES, USES, wants};
use crate::{
    figures,
    icon::Icon,
    screen::{Context, body, header, paths},
    theme::{self, Element, Role, Tone, space},
    widget::{
        Kind, avatar, badge, button, card, cut, field, head_row, hr, icon_button, note, qr, scroll,
        segment, tile,
    },
    words::{mesh as words, shell},
};

/// Pixels of a module of the code of an invite.
const MODULE: f32 = 3.0;
/// How wide the cards beside the members are.
const SIDE: f32 = 380.0;
/// From this width on they are beside them.
const WIDE: f32 = 800.0;

impl Private {
    /// The page.
    pub fn view<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let private = self.standing.as_ref().and_then(|it| it.private.as_ref());
        let caption = match (self.name(), &self.standing) {
            (Some(name), _) => words::private_in(lang, name),
            (None, Some(standing)) => words::private_open(lang, &standing.name),
            (None, None) => String::new(),
        };
        let close = match context.is_narrow() {
            true => Vec::new(),
            false => vec![
                button(words::private_back(lang))
                    .icon(Icon::Waypoints)
                    .on_press(Message::Close)
                    .into(),
            ],
        };
        let title = match private {
            Some(_) => words::members(lang),
            None => words::private_title(lang),
        };
        let head = header(context, title, caption, close, Some(Message::Close));
        let (left, right) = match private {
            Some(private) => self.inside(private, context),
            None => self.outside(context),
        };
        let columns: Element<'a, Message> = match context.size.width >= WIDE {
            true => row![left.width(Length::Fill), right.width(SIDE)].spacing(space::L).into(),
            // What can be done comes before a list that may be long.
            false => column![right, left].spacing(space::L).into(),
        };
        let busy = self.busy.and_then(|busy| busy_words(busy, context));
        let busy = busy.map(|said| note(Icon::Hourglass, said, Tone::Primary));
        let trouble =
            self.trouble.as_ref().map(|why| note(Icon::CircleX, why.as_str(), Tone::Danger));
        let place = self
            .paths
            .view(|of| wants(of, self.name().unwrap_or_default(), lang), lang)
            .map(|place| place.map(Message::Key));
        let all =
            Column::new().push(trouble).push(busy).push(place).push(columns).spacing(space::L);
        column![head, body(context, scroll(all).height(Length::Fill))].into()
    }

    /// What may be pressed now: one thing at a time, while the node is there.
    fn press(&self, message: Message) -> Option<Message> {
        self.busy.is_none().then_some(message)
    }

    /// Of somebody who is in no private mesh.
    fn outside<'a>(
        &'a self,
        context: &Context<'a>,
    ) -> (Column<'a, Message, theme::Theme>, Column<'a, Message, theme::Theme>) {
        let lang = context.lang;
        let about = row![
            tile(Icon::Shield, 44.0, Tone::Primary),
            column![
                Role::Heading.text(words::private_what(lang)),
                Role::Body.text(words::private_what_hint(lang)).style(theme::muted),
            ]
            .spacing(space::XS)
            .width(Length::Fill),
        ]
        .spacing(space::L);
        let found = self.press(Message::Found).filter(|_| !self.name.trim().is_empty());
        let name = field(
            words::private_name(lang),
            &self.name,
            self.name_wrong.as_deref(),
            Role::Body,
            NAME,
            Message::Name,
            found.clone(),
        );
        let found = button(words::private_found(lang)).icon(Icon::Plus).on_press_maybe(found);
        let founding = column![
            Role::Heading.text(words::private_found_title(lang)),
            Role::Body.text(words::private_found_hint(lang)).style(theme::muted),
            row![name, found].spacing(space::S),
        ]
        .spacing(space::M);
        let join = self.press(Message::Join).filter(|_| !self.invite.trim().is_empty());
        let invite = field(
            words::private_paste(lang),
            &self.invite,
            self.invite_wrong.as_deref(),
            Role::Mono,
            INVITE,
            Message::Invite,
            join.clone(),
        );
        let join = button(words::private_join(lang)).kind(Kind::Primary).on_press_maybe(join);
        let joining = column![
            Role::Heading.text(words::private_join_title(lang)),
            Role::Body.text(words::private_join_hint(lang)).style(theme::muted),
            row![invite, join].spacing(space::S),
        ]
        .spacing(space::M);
        let left = column![card(about), card(founding)].spacing(space::L);
        (left, column![card(joining), self.key_card(false, context)].spacing(space::L))
    }

    /// Of a member.
    fn inside<'a>(
        &'a self,
        private: &'a membership::Private,
        context: &Context<'a>,
    ) -> (Column<'a, Message, theme::Theme>, Column<'a, Message, theme::Theme>) {
        let lang = context.lang;
        let count = words::private_count(lang, private.count());
        let mut rows = column![head_row(words::private_who(lang), count)];
        for (index, member) in private.members.iter().enumerate() {
            let line = self.member(member, private, context);
            rows = rows.push((index > 0).then(hr)).push(line);
        }
        let members = container(rows).padding(1).width(Length::Fill).style(theme::card);
        let admin = private.role == membership::Role::Admin;
        let mut right = column![self.mesh_card(private, context)].spacing(space::L);
        right = right.push(admin.then(|| self.invite_card(context)));
        right = right.push(self.key_card(private.founder, context));
        (column![members], right)
    }

    fn member<'a>(
        &self,
        member: &'a Member,
        private: &membership::Private,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let id = member.id.to_string();
        let me = member.id == private.me;
        let on = context.view.mesh.peers.contains_key(&member.id);
        let admin = member.role == membership::Role::Admin;
        let name = match member.name.is_empty() {
            true => words::private_unnamed(lang).to_owned(),
            false => member.name.clone(),
        };
        let seen = match (me, on, member.seen_at) {
            (true, ..) => words::this_node(lang).to_owned(),
            (_, true, _) if !member.removed => words::on(lang).to_owned(),
            (.., 0) => words::private_never(lang).to_owned(),
            (.., at) => words::private_seen(lang, &figures::short(lang, at, context.now_ms)),
        };
        let caption = row![
            Role::Mono.text(short(&id)).style(theme::muted),
            cut(seen, Role::Caption).style(theme::muted).fill(),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center);
        let names = column![cut(name.clone(), Role::Strong).fill(), caption].width(Length::Fill);
        let (role, tone) = match (member.removed, admin) {
            (true, _) => (words::private_is_out(lang), Tone::Danger),
            (false, true) => (words::private_admin(lang), Tone::Primary),
            (false, false) => (words::private_member(lang), Tone::Neutral),
        };
        let mine = private.role == membership::Role::Admin;
        let promote = (private.founder && !admin && !member.removed && !me).then(|| {
            let ask = Message::AskAdmin(id.clone(), name.clone());
            icon_button(Icon::Shield, words::private_make_admin(lang), self.press(ask))
        });
        // Only the founder puts out an admin.
        let out = (mine && !me && !member.removed && (!admin || private.founder)).then(|| {
            let ask = Message::AskOut(id.clone(), name.clone());
            icon_button(Icon::Ban, words::private_put_out(lang), self.press(ask))
        });
        let dot = (!me && !member.removed).then_some(on);
        let again = (private.founder && member.removed && !me).then(|| {
            let make = Message::MakeAgain(id.clone(), name.clone());
            icon_button(Icon::UserPlus, words::private_invite_again(lang), self.press(make))
        });
        let line = row![avatar(&name, &id, 36.0, dot), names, badge(None, role, tone)]
            .push(again)
            .push(promote)
            .push(out)
            .spacing(space::S)
            .align_y(Alignment::Center);
        container(line).padding([space::S, space::L]).into()
    }

    fn mesh_card<'a>(
        &'a self,
        private: &'a membership::Private,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let role = match (private.role, private.founder) {
            (_, true) => words::private_as_founder(lang),
            (membership::Role::Admin, false) => words::private_as_admin(lang),
            (membership::Role::Member, false) => words::private_as_member(lang),
        };
        let id = private.mesh.to_string();
        let name = self.name().unwrap_or_default();
        let names = column![
            cut(name, Role::Heading).fill(),
            row![
                Role::Mono.text(short(&id)).style(theme::muted),
                icon_button(Icon::Copy, shell::copy(lang), Some(Message::Copy(id))),
            ]
            .spacing(space::XS)
            .align_y(Alignment::Center),
        ]
        .width(Length::Fill);
        let leave = button(words::private_leave(lang))
            .small()
            .kind(Kind::Danger)
            .icon(Icon::LogOut)
            .on_press_maybe(self.press(Message::AskLeave));
        let line = row![tile(Icon::Lock, 44.0, Tone::Primary), names, leave]
            .spacing(space::M)
            .align_y(Alignment::Center);
        card(column![line, Role::Body.text(role).style(theme::muted)].spacing(space::M))
    }

    fn invite_card<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let uses = USES.map(|(uses, said)| (None, said, uses));
        let times = [
            (None, words::private_hour(lang), TIMES[0]),
            (None, words::private_day(lang), TIMES[1]),
            (None, words::private_week(lang), TIMES[2]),
        ];
        let choice = |name: &'a str, choice: Element<'a, Message>| {
            let name = Role::Body.text(name).style(theme::muted).width(Length::Fill);
            row![name, choice].spacing(space::M).align_y(Alignment::Center)
        };
        let make = button(words::private_make(lang))
            .kind(Kind::Primary)
            .icon(Icon::UserPlus)
            .on_press_maybe(self.press(Message::Make));
        let back = button(words::private_take_back(lang))
            .kind(Kind::Quiet)
            .on_press_maybe(self.press(Message::TakeBack));
        let all = column![
            Role::Heading.text(words::private_invite(lang)),
            Role::Body.text(words::private_invite_hint(lang)).style(theme::muted),
            choice(words::private_uses(lang), segment(&uses, self.uses, false, Message::Uses)),
            choice(words::private_for(lang), segment(&times, self.time, false, Message::Time)),
            row![make, back].spacing(space::S),
        ]
        .push(self.invited(context))
        .spacing(space::M);
        card(all)
    }

    /// The invite that was made.
    fn invited<'a>(&'a self, context: &Context<'a>) -> Option<Element<'a, Message>> {
        let lang = context.lang;
        let invited = self.invited.as_ref()?;
        let until = figures::moment(lang, invited.until, context.now_ms);
        let line = row![
            cut(invited.line.as_str(), Role::Mono).fill(),
            button(shell::copy(lang))
                .small()
                .icon(Icon::Copy)
                .on_press(Message::Copy(invited.line.clone())),
            icon_button(Icon::X, shell::close(lang), Some(Message::Hide)),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center);
        let line = container(line).padding(Padding::from([space::XS, space::M])).style(theme::well);
        let code = qr(&invited.line, MODULE).map(|code| container(code).center_x(Length::Fill));
        let said = match &self.only_for {
            Some(name) => words::private_good_again(lang, name, &until),
            None => words::private_good(lang, invited.uses, &until),
        };
        Some(
            column![line]
                .push(code)
                .push(Role::Caption.text(said).style(theme::muted))
                .spacing(space::M)
                .into(),
        )
    }

    /// The founder's key: kept in a file, or brought back from one.
    fn key_card<'a>(&'a self, here: bool, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let (hint, label, of, icon) = match here {
            true => (
                words::private_key_here(lang),
                words::private_export(lang),
                OfKey::Export,
                Icon::Save,
            ),
            false => (
                words::private_key_away(lang),
                words::private_restore(lang),
                OfKey::Restore,
                Icon::Key,
            ),
        };
        let choose = self.press(Message::Key(paths::Message::Choose(of)));
        let typed = self.press(Message::Key(paths::Message::Type(of)));
        let line = row![
            button(label).icon(icon).on_press_maybe(choose),
            icon_button(Icon::Type, crate::words::asking::name_a_file(lang), typed),
        ]
        .push(here.then(|| {
            button(words::private_move(lang))
                .kind(Kind::Quiet)
                .on_press_maybe(self.press(Message::AskMove))
        }))
        .spacing(space::S);
        card(
            column![
                Role::Heading.text(words::private_key(lang)),
                Role::Body.text(hint).style(theme::muted),
                line,
            ]
            .spacing(space::M),
        )
    }
}

/// What takes a while, in words.
fn busy_words(busy: Busy, context: &Context<'_>) -> Option<&'static str> {
    let lang = context.lang;
    match (busy, context.backend.is_some()) {
        (Busy::Else, _) => None,
        // The node goes and comes.
        (_, false) => Some(words::private_starts_again(lang)),
        (Busy::Joining, true) => Some(words::private_joining(lang)),
        (Busy::Founding | Busy::Restoring, true) => Some(words::private_founding(lang)),
        (Busy::Leaving, true) => Some(words::private_leaving(lang)),
    }
}
