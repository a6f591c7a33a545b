//! `potluck contacts`, `allow` and `deny`: whom the owner knows, and who may use what. They change the
//! settings file, and the node that runs takes it up at once.

use std::{collections::BTreeSet, process::ExitCode};

use clap::{Args, Subcommand};
use libp2p::PeerId;
use potluck_i18n::Lang;
use serde_json::json;

use super::{
    Common, Failure, Kind,
    host::Host,
    mail,
    output::{Output, table},
    words, wrong,
};
use crate::{
    Client,
    config::{self, Allow, Config, EditError, capability_name, node_name},
    control::ControlError,
    data_dir::DataDir,
    identity::{self, Identity, short},
    mail::{Ask, Told},
    qr, services,
};

/// The options of `contacts`.
#[derive(Debug, Args)]
#[command(after_help = "For example:\n  \
    potluck contacts                       who was met, and can be written to\n  \
    potluck contacts add alice 12D3KooW…   `potluck id` on her machine prints it\n  \
    potluck contacts compare alice         words that both of you read to each other\n  \
    potluck contacts block mallory         their node is not let in, their letters not taken")]
pub struct Contacts {
    #[command(subcommand)]
    change: Option<Change>,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Give somebody a name of your own; what is for contacts is for them too
    Add {
        /// The name
        name: String,
        /// Their client id, or the fingerprint or nickname of somebody who was met
        client: String,
    },
    /// Give a contact another name
    Rename {
        /// The name now
        name: String,
        /// The new one
        to: String,
    },
    /// Forget a contact
    Remove {
        /// The name
        name: String,
    },
    /// Words that stand for their client id and for yours: the same ones on both machines, or it is
    /// somebody else
    Compare {
        /// Their name, fingerprint or client id
        client: String,
        /// Also draw the QR code of their client id
        #[arg(long)]
        qr: bool,
    },
    /// Have nothing to do with somebody any more
    Block {
        /// Their name, fingerprint or client id
        client: String,
    },
    /// Let somebody in again
    Unblock {
        /// Their name, fingerprint or client id
        client: String,
    },
}

/// The options of `allow`.
#[derive(Debug, Args)]
#[command(after_help = "For example:\n  \
    potluck allow                        who may use what\n  \
    potluck allow recognize contacts     those of `potluck contacts add`\n  \
    potluck allow chat alice 12D3KooW…   these, beside those who may already\n  \
    potluck allow chat everyone")]
pub struct AllowCommand {
    /// The capability, such as recognize
    capability: Option<String>,
    /// everyone, members (of the private mesh), contacts, or people by name, fingerprint or client id
    who: Vec<String>,
}

/// The options of `deny`.
#[derive(Debug, Args)]
#[command(after_help = "For example:\n  \
    potluck deny recognize          only this node itself may\n  \
    potluck deny chat alice         she may no more, of those who are listed")]
pub struct Deny {
    /// The capability, such as recognize
    capability: String,
    /// Of those who are listed: who may no more
    who: Vec<String>,
}

impl Contacts {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let Some(change) = self.change else { return mail::contacts(common, output).await };
        let lang = output.lang();
        let said = match change {
            Change::Compare { client, qr } => return compare(&client, qr, common, output).await,
            Change::Add { name, client } => {
                let (name, id) = (node_name(&name)?, whose(&client, common).await?);
                put("contacts", common, move |people, _| people.insert(&name, text(&id))).await?;
                words::contact_added(lang, short(&id.to_string()))
            }
            Change::Rename { name, to } => {
                let (old, to) = (name.clone(), node_name(&to)?);
                let known = known(common)?.contacts.0.get(&name).copied();
                let id = known.ok_or_else(|| no_contact(&name))?;
                put("contacts", common, move |people, _| {
                    people.remove(&old);
                    people.insert(&to, text(&id));
                })
                .await?;
                words::contact_renamed(lang).to_owned()
            }
            Change::Remove { name } => {
                known(common)?.contacts.0.get(&name).ok_or_else(|| no_contact(&name))?;
                put("contacts", common, move |people, _| people.remove(&name)).await?;
                words::contact_removed(lang).to_owned()
            }
            Change::Block { client } => {
                let id = whose(&client, common).await?;
                let called = match client.parse::<PeerId>() {
                    Ok(_) => short(&id.to_string()),
                    Err(_) => client.clone(),
                };
                put("blocked", common, move |people, _| people.insert(&called, text(&id))).await?;
                words::blocked(lang).to_owned()
            }
            Change::Unblock { client } => {
                let blocked = known(common)?.blocked.0;
                let fits = |(name, id): &(&String, &PeerId)| {
                    **name == client || id.to_string() == client || short(&id.to_string()) == client
                };
                let name = blocked.iter().find(fits).map(|(name, _)| name.clone());
                let name =
                    name.ok_or_else(|| Failure::new(Kind::BadInput, wrong::not_blocked(&client)))?;
                put("blocked", common, move |people, _| people.remove(&name)).await?;
                words::unblocked(lang).to_owned()
            }
        };
        output.print(&json!({ "done": true }), || said);
        Ok(ExitCode::SUCCESS)
    }
}

impl AllowCommand {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let Some(capability) = self.capability else { return list(common, output) };
        let capability = offered(&capability)?;
        let allow = match self.who.as_slice() {
            [] => {
                return Err(Failure::new(Kind::Usage, wrong::say_who()));
            }
            [word] if word == "everyone" => Allow::Everyone,
            [word] if word == "contacts" => Allow::Contacts,
            [word] if word == "members" => Allow::Members,
            [word] if word == "nobody" => Allow::Nobody,
            people => {
                let mut ids = listed(&known(common)?, &capability);
                for person in people {
                    ids.insert(whose(person, common).await?);
                }
                Allow::Only(ids.into_iter().collect())
            }
        };
        set(capability, allow, common, output).await
    }
}

impl Deny {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let capability = offered(&self.capability)?;
        if self.who.is_empty() {
            return set(capability, Allow::Nobody, common, output).await;
        }
        let mut ids = listed(&known(common)?, &capability);
        for person in &self.who {
            if !ids.remove(&whose(person, common).await?) {
                return Err(Failure::new(Kind::BadInput, wrong::not_listed(person, &capability)));
            }
        }
        set(capability, Allow::Only(ids.into_iter().collect()), common, output).await
    }
}

/// Shows the words of somebody's client id and of this node's own, in both languages: the other side may
/// read the other one.
async fn compare(
    client: &str,
    qr: bool,
    common: &Common,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let they = whose(client, common).await?;
    let you = Identity::load_or_create(&DataDir::open(common.data_dir())?)?.peer_id();
    let lang = output.lang();
    let lines = |id| Lang::ALL.map(|lang| format!("  {}", identity::words(id, lang))).join("\n");
    output.print(&json!({ "they": in_words(&they), "you": in_words(&you) }), || {
        let (theirs, yours) = (words::words_of(lang, client), words::words_of_you(lang));
        let (they, you) = (lines(&they), lines(&you));
        format!("{theirs}\n{they}\n{yours}\n{you}\n\n{}", words::compare(lang))
    });
    if qr {
        output.draw(&qr::text(&identity::link(&they)).map_err(Failure::internal)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// A client id with all that it is compared by.
fn in_words(id: &PeerId) -> serde_json::Value {
    let [en, zh] = [Lang::En, Lang::Zh].map(|lang| identity::words(id, lang));
    json!({
        "id": id.to_string(),
        "fingerprint": identity::fingerprint(id),
        "words": { "en": en, "zh": zh },
    })
}

/// Who may use what.
fn list(common: &Common, output: &Output) -> Result<ExitCode, Failure> {
    let config = known(common)?;
    let lang = output.lang();
    let all: Vec<_> = offers().map(|name| (name, services::allowed(&config, name))).collect();
    let documents: serde_json::Map<_, _> =
        all.iter().map(|(name, allow)| ((*name).to_owned(), json!(allow))).collect();
    output.print(&documents, || {
        let mut table = table(&[words::head_capability(lang), words::head_who(lang)]);
        for (name, allow) in &all {
            table.add_row([(*name).to_owned(), said(allow, &config, lang)]);
        }
        let blocked = config.blocked.0.keys().map(String::as_str).collect::<Vec<_>>();
        match blocked.is_empty() {
            true => table.to_string(),
            false => format!("{table}\n{}", words::blocked_are(lang, blocked.join(", "))),
        }
    });
    Ok(ExitCode::SUCCESS)
}

fn said(allow: &Allow, config: &Config, lang: Lang) -> String {
    match allow {
        Allow::Everyone => words::everyone(lang).to_owned(),
        Allow::Members => words::members_may(lang).to_owned(),
        Allow::Nobody => words::nobody_else(lang).to_owned(),
        Allow::Contacts => words::contacts_may(lang, config.contacts.0.len()),
        Allow::Only(ids) => {
            let name = |id: &PeerId| {
                let known = config.contacts.name_of(id).map(str::to_owned);
                known.unwrap_or_else(|| short(&id.to_string()))
            };
            ids.iter().map(name).collect::<Vec<_>>().join(", ")
        }
    }
}

/// Those whom the settings list for a capability.
fn listed(config: &Config, capability: &str) -> BTreeSet<PeerId> {
    match services::allowed(config, capability) {
        Allow::Only(ids) => ids.into_iter().collect(),
        _ => BTreeSet::new(),
    }
}

async fn set(
    capability: String,
    allow: Allow,
    common: &Common,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let value = match &allow {
        Allow::Only(ids) => toml_edit::Value::from_iter(ids.iter().map(ToString::to_string)),
        Allow::Everyone => "everyone".into(),
        Allow::Members => "members".into(),
        Allow::Contacts => "contacts".into(),
        Allow::Nobody => "nobody".into(),
    };
    let bare = capability.split('/').next().unwrap_or(&capability).to_owned();
    let full = capability.clone();
    let config = put("allow", common, move |rules, _| {
        rules.remove(&full);
        rules.insert(&bare, toml_edit::Item::Value(value))
    })
    .await?;
    output.print(&json!({ capability.clone(): allow }), || {
        format!("{capability}: {}", said(&allow, &config, output.lang()))
    });
    Ok(ExitCode::SUCCESS)
}

/// Changes a section of the settings; the running node takes it up at once.
pub(super) async fn put<R>(
    section: &'static str,
    common: &Common,
    change: impl FnOnce(&mut dyn toml_edit::TableLike, &Config) -> R + Send + 'static,
) -> Result<Config, Failure> {
    let data_dir = DataDir::open(common.data_dir())?;
    let file = data_dir.config_file();
    let edit = move || {
        config::edit(&file, |document, config| {
            let table = document.entry(section).or_insert_with(toml_edit::table);
            if let Some(table) = table.as_table_like_mut() {
                change(table, config);
            }
        })
    };
    let edited = tokio::task::spawn_blocking(edit).await.map_err(Failure::internal)?;
    let config = edited.map_err(|error| match error {
        EditError::Disk(_) => Failure::internal(error),
        wrong => Failure::usage(wrong),
    })?;
    have_reload(&data_dir).await?;
    Ok(config)
}

/// Has the node that runs in the data folder take up what was written there; says whether one runs.
pub(super) async fn have_reload(data_dir: &DataDir) -> Result<bool, Failure> {
    match Client::attach(&data_dir.control_socket()).await {
        Ok(Some(client)) => client.reload().await.map(|()| true).map_err(Failure::from),
        // Nobody runs, or one that cannot be talked to: it reads the file when it starts.
        Ok(None) | Err(ControlError::Silent | ControlError::OtherVersion { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn known(common: &Common) -> Result<Config, Failure> {
    Ok(Config::load(&DataDir::open(common.data_dir())?.config_file())?)
}

/// What this program can offer.
pub(super) fn offers() -> impl Iterator<Item = &'static str> {
    services::ALL.iter().map(|recipe| recipe.name).chain([crate::mail::KEEP])
}

/// The capability by its canonical name, where this program can offer it.
pub(super) fn offered(name: &str) -> Result<String, Failure> {
    let name = capability_name(name)?;
    let known: Vec<_> = offers().collect();
    match known.contains(&name.as_str()) {
        true => Ok(name),
        false => Err(Failure::new(Kind::BadInput, wrong::no_capability(&name, known.join(", ")))),
    }
}

/// Somebody's client id: written out, a contact's name, or the name or fingerprint of somebody who was
/// met.
async fn whose(client: &str, common: &Common) -> Result<PeerId, Failure> {
    if let Some(id) = identity::parse(client) {
        return Ok(id);
    }
    if let Some(id) = known(common)?.contacts.0.get(client) {
        return Ok(*id);
    }
    let host = Host::with_mail(common).await?;
    let told = host.mail(Ask::People).await;
    host.leave().await;
    let Told::People(people) = told? else {
        return Err(Failure::internal("the post office answered something else"));
    };
    let fits: Vec<_> = people
        .iter()
        .filter(|person| person.name == client || short(&person.id) == client)
        .collect();
    match fits.as_slice() {
        [one] => one.id.parse().map_err(Failure::internal),
        [] => Err(Failure::new(Kind::BadInput, wrong::nobody_met(client))),
        several => {
            let several: Vec<_> = several.iter().map(|person| short(&person.id)).collect();
            let several = wrong::several_met(client, several.join(", "));
            Err(Failure::new(Kind::BadInput, several))
        }
    }
}

fn text(id: &PeerId) -> toml_edit::Item {
    toml_edit::value(id.to_string())
}

fn no_contact(name: &str) -> Failure {
    Failure::new(Kind::BadInput, wrong::no_contact(name))
}
