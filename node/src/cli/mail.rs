//! `potluck send`, `inbox`, `outbox` and `contacts`: letters, from the command line.

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;
use indicatif::HumanBytes;
use jiff::{Timestamp, tz::TimeZone};
use potluck_i18n::Lang;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    Common, Failure, Kind,
    host::Host,
    output::{Output, table},
    words, wrong,
};
use crate::{
    client::Event,
    identity::short,
    mail::{
        Ask, News, Told,
        ask::{Coming, Contact, Incoming, Outgoing},
        records::Stage,
    },
    protocol::shorten,
};

/// How long `send` waits to say that it arrived, unless --timeout says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time between two looks at how far a letter is.
const LOOK: Duration = Duration::from_millis(50);
/// Digits of an id that are shown: enough to name a letter by.
const ID: usize = 8;
/// Characters of a text that a list shows.
const PREVIEW: usize = 60;

/// The options of `send`.
#[derive(Debug, Args)]
#[command(after_help = "For example:\n  \
    potluck send --to alice --text \"see you at five\"\n  \
    potluck send --to alice report.pdf pictures/\n\n\
    The letter is sealed: only the recipient can open it. Where they are off, other nodes keep it\n\
    for up to 21 days; `potluck outbox` shows how far it is.")]
pub struct Send {
    /// The recipient: a nickname, a fingerprint or a client id; `potluck contacts` shows them
    #[arg(long, value_name = "CLIENT")]
    to: String,
    /// The text
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Files and folders that go with it
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How long it may wait for the recipient, in days: 21 at most
    #[arg(long, value_name = "DAYS", value_parser = days)]
    expire: Option<Duration>,
}

/// The options of `inbox`.
#[derive(Debug, Args)]
#[command(after_help = "For example:\n  \
    potluck inbox                      what came\n  \
    potluck inbox 3f9a                 the letter whose id begins so\n  \
    potluck inbox 3f9a --save .        save its files here; nothing is overwritten\n  \
    potluck inbox --watch              print each letter that comes, until Ctrl-C")]
pub struct Inbox {
    /// The letter to show: its id, or the beginning of it
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Save its files into this folder
    #[arg(long, value_name = "DIR", requires = "id")]
    save: Option<PathBuf>,
    /// Delete it
    #[arg(long, requires = "id", conflicts_with = "save")]
    delete: bool,
    /// Let it rest while it arrives: nothing more of it is fetched
    #[arg(long, requires = "id", conflicts_with_all = ["save", "delete"])]
    pause: bool,
    /// Let it go on
    #[arg(long, requires = "id", conflicts_with_all = ["save", "delete", "pause"])]
    resume: bool,
    /// The letters from and to this person only
    #[arg(long, value_name = "CLIENT", conflicts_with = "id")]
    with: Option<String>,
    /// Go on, and print each letter that comes
    #[arg(long, conflicts_with_all = ["id", "with"])]
    watch: bool,
}

/// The options of `outbox`.
#[derive(Debug, Args)]
#[group(id = "letter", multiple = false)]
pub struct Outbox {
    /// Send this letter, which will not arrive, once more
    #[arg(long, value_name = "ID")]
    resend: Option<String>,
    /// Take this letter back, if it was not delivered
    #[arg(long, value_name = "ID")]
    cancel: Option<String>,
    /// Let this letter rest: nothing more of it is sent until it goes on
    #[arg(long, value_name = "ID")]
    pause: Option<String>,
    /// Let this letter go on
    #[arg(long, value_name = "ID")]
    resume: Option<String>,
    /// Delete this letter from the list; it has to be over
    #[arg(long, value_name = "ID")]
    delete: Option<String>,
}

impl Send {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let absolute = |path: &PathBuf| {
            // The running node works in another folder.
            std::path::absolute(path)
                .map_err(|e| Failure::new(Kind::BadInput, wrong::unreadable(path, &e)))
        };
        let paths = self.paths.iter().map(absolute).collect::<Result<Vec<_>, _>>()?;
        if self.text.as_ref().is_none_or(String::is_empty) && paths.is_empty() {
            return Err(Failure::new(Kind::Usage, wrong::nothing_to_send()));
        }
        let host = Host::with_mail(common).await?;
        host.looked_around().await;
        let wait_ms = self.expire.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        let asked = Ask::Send { to: self.to, text: self.text, paths, wait_ms };
        let sent = sent_on(&host, asked, common.timeout.unwrap_or(PATIENCE), output).await;
        host.leave().await;
        let sent = sent?;
        output.print(&outgoing(&sent), || said(&sent, output.lang()));
        Ok(ExitCode::SUCCESS)
    }
}

impl Inbox {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let host = Host::with_mail(common).await?;
        if self.watch {
            let watched = tokio::select! {
                watched = watch(&host, output) => watched,
                _ = tokio::signal::ctrl_c() => Ok(()),
            };
            host.leave().await;
            return watched.map(|()| ExitCode::SUCCESS);
        }
        let shown = self.show(&host, output).await;
        host.leave().await;
        shown.map(|()| ExitCode::SUCCESS)
    }

    async fn show(self, host: &Host, output: &Output) -> Result<(), Failure> {
        let Some(id) = self.id else { return list(host, self.with, output).await };
        if self.delete {
            host.mail(Ask::Delete { id }).await?;
            output.print(&json!({ "deleted": true }), || words::deleted(output.lang()).to_owned());
            return Ok(());
        }
        if self.pause {
            host.mail(Ask::Pause { id }).await?;
            output.print(&json!({ "paused": true }), || words::rests(output.lang()).to_owned());
            return Ok(());
        }
        if self.resume {
            host.mail(Ask::Resume { id }).await?;
            output.print(&json!({ "paused": false }), || words::goes_on(output.lang()).to_owned());
            return Ok(());
        }
        let Some(folder) = self.save else {
            let Told::Letter(letter) = host.mail(Ask::Read { id }).await? else {
                return Err(unexpected());
            };
            output.print(&incoming(&letter), || letter_text(&letter, output.lang()));
            return Ok(());
        };
        let folder = std::path::absolute(&folder)
            .map_err(|e| Failure::new(Kind::BadInput, wrong::path(&folder, &e)))?;
        let Told::Saved(saved) = host.mail(Ask::Save { id, folder }).await? else {
            return Err(unexpected());
        };
        output.print(&json!({ "saved": saved }), || {
            if saved.is_empty() {
                return words::no_files(output.lang()).to_owned();
            }
            let lines = saved.iter().map(|path| path.display().to_string());
            lines.collect::<Vec<_>>().join("\n")
        });
        Ok(())
    }
}

impl Outbox {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let host = Host::with_mail(common).await?;
        let shown = self.show(&host, common, output).await;
        host.leave().await;
        shown.map(|()| ExitCode::SUCCESS)
    }

    async fn show(self, host: &Host, common: &Common, output: &Output) -> Result<(), Failure> {
        if let Some(id) = self.resend {
            host.looked_around().await;
            let patience = common.timeout.unwrap_or(PATIENCE);
            let sent = sent_on(host, Ask::Resend { id }, patience, output).await?;
            output.print(&outgoing(&sent), || said(&sent, output.lang()));
            return Ok(());
        }
        let lang = output.lang();
        let wish = match self {
            Self { cancel: Some(id), .. } => {
                Some((Ask::Cancel { id }, json!({ "cancelled": true }), words::taken_back(lang)))
            }
            Self { pause: Some(id), .. } => {
                Some((Ask::Pause { id }, json!({ "paused": true }), words::rests(lang)))
            }
            Self { resume: Some(id), .. } => {
                Some((Ask::Resume { id }, json!({ "paused": false }), words::goes_on(lang)))
            }
            Self { delete: Some(id), .. } => Some((
                Ask::Delete { id },
                json!({ words::deleted(lang): true }),
                words::deleted(lang),
            )),
            _ => None,
        };
        if let Some((ask, document, said)) = wish {
            host.mail(ask).await?;
            output.print(&document, || said.to_owned());
            return Ok(());
        }
        let Told::Outbox(all) = host.mail(Ask::Outbox).await? else { return Err(unexpected()) };
        let lang = output.lang();
        let documents: Vec<_> = all.iter().map(outgoing).collect();
        output.print(&documents, || {
            if all.is_empty() {
                return words::nothing_sent(lang).to_owned();
            }
            let mut table = table(&[
                words::head_letter(lang),
                words::head_to(lang),
                words::head_written(lang),
                words::head_state(lang),
                words::head_what(lang),
            ]);
            for sent in &all {
                table.add_row([
                    short_id(&sent.id),
                    name(&sent.to_name, &sent.to),
                    when(sent.written_at),
                    stage(sent, lang),
                    preview(sent.text.as_deref(), sent.files.len(), lang),
                ]);
            }
            table.to_string()
        });
        Ok(())
    }
}

/// `potluck contacts`.
pub(super) async fn contacts(common: &Common, output: &Output) -> Result<ExitCode, Failure> {
    let host = Host::with_mail(common).await?;
    host.looked_around().await;
    let told = host.mail(Ask::People).await;
    host.leave().await;
    let Told::People(people) = told? else { return Err(unexpected()) };
    let lang = output.lang();
    output.print(&people, || {
        if people.is_empty() {
            return words::nobody_met(lang).to_owned();
        }
        let mut table = table(&[
            words::head_name(lang),
            words::head_fingerprint(lang),
            words::head_letters(lang),
            words::head_last_seen(lang),
            words::head_client_id(lang),
        ]);
        for Contact { id, name, takes_letters, new_key, seen_at } in &people {
            let letters = match (takes_letters, new_key) {
                (_, true) => words::new_key(lang),
                (true, false) => words::yes(lang),
                (false, false) => words::no(lang),
            };
            table.add_row([name.as_str(), &short(id), letters, &when(*seen_at), id]);
        }
        table.to_string()
    });
    Ok(ExitCode::SUCCESS)
}

/// Sends, and waits for word of it: a moment, or for as long as it moves.
async fn sent_on(
    host: &Host,
    ask: Ask,
    patience: Duration,
    output: &Output,
) -> Result<Outgoing, Failure> {
    let bar = output.bytes(words::sealing(output.lang()));
    let asked = host.mail(ask).await;
    let Told::Sent(mut sent) = asked? else { return Err(unexpected()) };
    let mut until = Instant::now() + patience;
    bar.set_length(sent.sealed);
    while sent.stage == Stage::Queued && Instant::now() < until {
        tokio::time::sleep(LOOK).await;
        let Told::Outbox(all) = host.mail(Ask::Outbox).await? else { return Err(unexpected()) };
        let Some(now) = all.into_iter().find(|one| one.id == sent.id) else { continue };
        if now.moved > sent.moved {
            until = Instant::now() + patience;
        }
        if let Some(moved) = now.moved {
            bar.set_message(words::sending(output.lang()));
            bar.set_position(moved);
        }
        *sent = now;
    }
    bar.finish_and_clear();
    Ok(*sent)
}

/// Prints each letter that is new, and then each that comes.
async fn watch(host: &Host, output: &Output) -> Result<(), Failure> {
    let mut events = host.looked_around().await.subscribe().await?;
    let mut told = BTreeSet::new();
    let mut tell = |letter: &Incoming| {
        let ready = letter.contents.is_some() || letter.trouble.is_some();
        if ready && !letter.seen && told.insert(letter.id.clone()) {
            output.print(&incoming(letter), || announced(letter, output.lang()));
        }
    };
    while let Some(event) = events.next().await {
        match event {
            // First of all, or because news were missed.
            Event::View(_) => {
                let Told::Inbox { came, .. } = host.mail(Ask::Inbox { with: None }).await? else {
                    return Err(unexpected());
                };
                came.iter().for_each(&mut tell);
            }
            Event::Mail(News::Came(letter)) => tell(&letter),
            _ => {}
        }
    }
    Err(Failure::new(Kind::PeerFailed, wrong::node_stopped()))
}

async fn list(host: &Host, with: Option<String>, output: &Output) -> Result<(), Failure> {
    let (together, lang) = (with.is_some(), output.lang());
    let Told::Inbox { came, went, coming } = host.mail(Ask::Inbox { with }).await? else {
        return Err(unexpected());
    };
    let mut rows: Vec<_> =
        came.iter().map(|one| (one.written_at, incoming(one), row(one, lang))).collect();
    if together {
        rows.extend(went.iter().map(|one| (one.written_at, outgoing(one), sent_row(one, lang))));
        rows.sort_by_key(|(at, ..)| *at);
    }
    let documents = rows.iter().map(|(_, document, _)| document.clone());
    let arriving = coming.iter().map(arriving);
    let documents: Vec<_> = documents.chain(arriving).collect();
    output.print(&documents, || {
        if rows.is_empty() && coming.is_empty() {
            return words::no_letters(lang).to_owned();
        }
        let mut table = table(&[
            words::head_letter(lang),
            words::head_from(lang),
            words::head_written(lang),
            "",
            words::head_what(lang),
        ]);
        for (.., row) in &rows {
            table.add_row(row);
        }
        for one in &coming {
            let share = words::of(lang, size(one.here), size(one.sealed));
            let from = name(&one.from_name, &one.from);
            let state = if one.paused { words::rests(lang) } else { words::arriving(lang) };
            table.add_row([short_id(&one.id), from, String::new(), state.to_owned(), share]);
        }
        table.to_string()
    });
    Ok(())
}

fn row(one: &Incoming, lang: Lang) -> [String; 5] {
    let state = match (&one.trouble, one.seen, one.stranger) {
        (Some(_), ..) => words::not_believed(lang),
        (None, false, true) => words::new_stranger(lang),
        (None, false, false) => words::new(lang),
        (None, true, _) => "",
    };
    let what = match (&one.trouble, &one.contents) {
        (Some(why), _) => why.clone(),
        (None, Some(contents)) => preview(contents.text.as_deref(), contents.files as usize, lang),
        (None, None) => words::being_opened(lang).to_owned(),
    };
    [
        short_id(&one.id),
        name(&one.from_name, &one.from),
        when(one.written_at),
        state.to_owned(),
        what,
    ]
}

fn arriving(one: &Coming) -> Value {
    json!({
        "id": one.id, "from": one.from, "from_name": one.from_name, "arriving": one.here,
        "sealed": one.sealed, "paused": one.paused,
    })
}

/// A line that says that a letter came.
pub(super) fn announced(letter: &Incoming, lang: Lang) -> String {
    let [id, from, .., what] = row(letter, lang);
    let say = match (&letter.trouble, letter.stranger) {
        (Some(_), _) => words::letter_not_believed,
        (None, true) => words::letter_came_stranger,
        (None, false) => words::letter_came,
    };
    say(lang, &id, &from, &what)
}

fn sent_row(sent: &Outgoing, lang: Lang) -> [String; 5] {
    let to = words::you_to(lang, name(&sent.to_name, &sent.to));
    let what = preview(sent.text.as_deref(), sent.files.len(), lang);
    [short_id(&sent.id), to, when(sent.written_at), stage(sent, lang), what]
}

fn letter_text(one: &Incoming, lang: Lang) -> String {
    let from = name(&one.from_name, &one.from);
    let mut text = words::letter_from(lang, from, &one.from, when(one.written_at)) + "\n";
    if let Some(why) = &one.trouble {
        return text + &words::letter_trouble(lang, why);
    }
    let Some(contents) = &one.contents else { return text + words::being_opened(lang) };
    if one.stranger {
        text += words::letter_stranger(lang);
        text += "\n";
    }
    if let Some(said) = &contents.text {
        text += &format!("\n{said}\n");
    }
    for listed in &contents.listed {
        let size = listed
            .bytes
            .map_or_else(|| words::folder(lang).to_owned(), |bytes| words::bytes(lang, bytes));
        text += &format!("\n{}", words::listed(lang, &listed.path, size));
    }
    let (files, listed) = (contents.files + contents.folders, contents.listed.len() as u64);
    if files > listed {
        text += &format!("\n{}", words::and_more(lang, files - listed));
    }
    if files > 0 {
        text += &format!("\n\n{}", words::how_to_save(lang, short_id(&one.id)));
    }
    text
}

fn said(sent: &Outgoing, lang: Lang) -> String {
    let to = name(&sent.to_name, &sent.to);
    match sent.stage {
        Stage::Delivered | Stage::Read => words::delivered_to(lang, &to),
        Stage::Held => words::held_away(lang, &to, sent.held_by.join(", ")),
        Stage::Queued => match &sent.waits {
            Some(why) => words::waits_why(lang, why),
            None => words::waits(lang, &to),
        },
        Stage::Refused | Stage::Expired | Stage::Cancelled => stage(sent, lang),
    }
}

fn stage(sent: &Outgoing, lang: Lang) -> String {
    let id = || short_id(&sent.id);
    match sent.stage {
        Stage::Queued if sent.paused => words::rests_until(lang, id()),
        Stage::Queued => match (&sent.waits, sent.moved) {
            (_, Some(moved)) => words::going_out(lang, size(moved), size(sent.sealed)),
            (Some(why), None) => words::queued_why(lang, why),
            (None, None) => words::queued(lang).to_owned(),
        },
        Stage::Held => words::held_by(lang, sent.held_by.join(", ")),
        Stage::Delivered => words::delivered(lang).to_owned(),
        Stage::Read => words::read(lang).to_owned(),
        Stage::Refused => match &sent.why {
            Some(why) => words::refused_why(lang, why, id()),
            None => words::refused(lang, id()),
        },
        Stage::Expired => match &sent.why {
            Some(why) => words::expired_why(lang, why, id()),
            None => words::expired(lang, id()),
        },
        Stage::Cancelled => words::taken_back(lang).to_owned(),
    }
}

fn preview(text: Option<&str>, files: usize, lang: Lang) -> String {
    let text =
        text.map(|text| shorten(&text.split_whitespace().collect::<Vec<_>>().join(" "), PREVIEW));
    let files = (files > 0).then(|| words::files(lang, files));
    text.into_iter().chain(files).collect::<Vec<_>>().join(" + ")
}

fn size(bytes: u64) -> String {
    HumanBytes(bytes).to_string()
}

fn name(name: &str, id: &str) -> String {
    if name.is_empty() { short(id) } else { name.to_owned() }
}

fn short_id(id: &str) -> String {
    id.chars().take(ID).collect()
}

/// A time for a person, by the clock of this machine.
fn when(ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(String::new, |at| {
        at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
    })
}

fn outgoing(sent: &Outgoing) -> Value {
    json!({
        "id": sent.id, "to": sent.to, "to_name": sent.to_name, "text": sent.text,
        "files": sent.files, "bytes": sent.bytes, "state": sent.stage, "held_by": sent.held_by,
        "written_at": sent.written_at, "changed_at": sent.changed_at, "expires_at": sent.expires_at,
        "reason": sent.why, "waits": sent.waits, "sealed": sent.sealed, "moved": sent.moved,
        "paused": sent.paused,
    })
}

fn incoming(one: &Incoming) -> Value {
    let contents = one.contents.as_ref();
    json!({
        "id": one.id, "from": one.from, "from_name": one.from_name, "stranger": one.stranger,
        "text": contents.and_then(|contents| contents.text.clone()),
        "files": contents.map(|contents| &contents.listed),
        "file_count": contents.map(|contents| contents.files),
        "bytes": contents.map(|contents| contents.bytes),
        "trouble": one.trouble, "written_at": one.written_at, "came_at": one.came_at,
        "seen": one.seen,
    })
}

fn days(text: &str) -> Result<Duration, wrong::Value> {
    match text.parse::<f64>() {
        Ok(days) if days > 0.0 && days <= 21.0 => Ok(Duration::from_secs_f64(days * 86_400.0)),
        _ => Err(wrong::Value(wrong::days())),
    }
}

fn unexpected() -> Failure {
    Failure::internal("the post office answered something else")
}
