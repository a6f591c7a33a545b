//! `potluck mesh`: private meshes. What is signed is written to the data folder, and the node that
//! runs there takes it up at once.

use std::{io::Read as _, path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use jiff::{Span, SpanRelativeTo, Timestamp, Unit};
use libp2p::{Multiaddr, PeerId};
use potluck_i18n::Lang;
use serde_json::json;

use super::{
    Common, Failure, Kind,
    output::{Output, table},
    words, wrong,
};
use crate::{
    identity::short,
    membership::{Entered, Invited, Member, Place, Standing, Terms, desk::MAX_USES},
    protocol::membership::Role,
    qr,
};

/// The longest that an invite is open, in ms: 90 days.
const LONGEST_MS: i64 = 90 * 24 * 60 * 60 * 1000;

/// The options of `mesh`.
#[derive(Debug, Args)]
#[command(after_help = "For example:\n  \
    potluck mesh create lab          this node founds a mesh that only who is invited sees\n  \
    potluck mesh invite              a line to paste, and a code for a camera; good once, for a day\n  \
    potluck mesh join potluck-in…    on the other machine: the line\n  \
    potluck mesh members\n  \
    potluck mesh revoke alice        out, everywhere, for ever\n  \
    potluck mesh export key.txt      keep the founder's key off line")]
pub struct Mesh {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Found a private mesh; this node is its first admin
    Create {
        /// What it is called
        name: String,
    },
    /// Make an invite: whoever pastes it becomes a member
    Invite(InviteOptions),
    /// Become a member by an invite
    Join {
        /// The invite, or - to read it from standard input
        invite: String,
    },
    /// Who belongs to it
    Members,
    /// Put somebody out, everywhere and for ever
    Revoke {
        /// Their name, fingerprint or client id
        client: String,
    },
    /// Make somebody an admin: they may invite and put out members too
    Admin {
        /// Their name, fingerprint or client id
        client: String,
    },
    /// Leave the mesh
    Leave {
        /// Also where the founder's key is here and will be lost
        #[arg(long)]
        forget_key: bool,
    },
    /// Write the founder's key to a file, to be kept off line
    Export {
        /// The file
        file: PathBuf,
        /// Keep it there alone: remove it here
        #[arg(long = "move")]
        remove: bool,
    },
    /// Bring the founder's key back from a file
    Restore {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct InviteOptions {
    /// How many nodes may use it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_USES)))]
    uses: u32,
    /// How long: 30m, 24h, 7d
    #[arg(long = "for", value_name = "TIME", default_value = "24h", value_parser = duration)]
    time: u64,
    /// For this client id alone, also where it was put out (the founder's key is needed)
    #[arg(long, value_name = "CLIENT")]
    again: Option<PeerId>,
    /// Where this node can be reached, if the network says otherwise; may be repeated
    #[arg(long, value_name = "ADDR")]
    at: Vec<Multiaddr>,
    /// No code for a camera
    #[arg(long)]
    no_qr: bool,
    /// Take back all invites that are open
    #[arg(long, conflicts_with_all = ["uses", "time", "again", "at"])]
    take_back: bool,
}

impl Mesh {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let place = Place::open(common.data_dir()).await?;
        let lang = output.lang();
        match self.what {
            None => status(&place.standing().await?, output),
            Some(What::Create { name }) => {
                let in_it = place.create(&name).await?;
                output.print(&told(&in_it), || {
                    words::mesh_created(lang, &in_it.name, entered(in_it.running, lang))
                });
            }
            Some(What::Invite(options)) => invite(&place, options, output).await?,
            Some(What::Join { invite }) => {
                let in_it = place.join(&piped(invite)?).await?;
                output.print(&told(&in_it), || {
                    words::mesh_joined(lang, &in_it.name, entered(in_it.running, lang))
                });
            }
            Some(What::Members) => {
                let all = place.members().await?;
                let documents: Vec<_> = all.iter().map(document).collect();
                output.print(&documents, || listed(&all, place.id(), lang));
            }
            Some(What::Revoke { client }) => {
                let who = whose(&place, &client).await?;
                let stay = place.revoke(who).await?;
                output.print(&json!({ "revoked": who.to_string(), "stay": stay }), || {
                    words::mesh_revoked(lang, short(&who.to_string()), stay)
                });
            }
            Some(What::Admin { client }) => {
                let who = whose(&place, &client).await?;
                place.promote(who).await?;
                output.print(&json!({ "admin": who.to_string() }), || {
                    words::mesh_promoted(lang, short(&who.to_string()))
                });
            }
            Some(What::Leave { forget_key }) => {
                let name = place.leave(forget_key).await?;
                output.print(&json!({ "left": name }), || words::mesh_left(lang, &name));
            }
            Some(What::Export { file, remove }) => {
                let shown = file.display().to_string();
                place.export(file, remove).await?;
                output.print(&json!({ "file": shown, "here": !remove }), || match remove {
                    true => words::mesh_key_moved(lang, &shown),
                    false => words::mesh_key_kept(lang, &shown),
                });
            }
            Some(What::Restore { file }) => {
                let in_it = place.restore(file).await?;
                output.print(&told(&in_it), || words::mesh_restored(lang, &in_it.name));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn status(standing: &Standing, output: &Output) {
    let (lang, name) = (output.lang(), &standing.name);
    let Some(private) = &standing.private else {
        let document = json!({ "private": false, "name": name });
        return output.print(&document, || words::mesh_open(lang, name));
    };
    let (mesh, role, count) = (private.mesh.to_string(), private.role, private.count());
    let document = json!({
        "private": true, "name": name, "mesh": mesh, "role": role,
        "founder_key": private.founder, "members": count,
    });
    output.print(&document, || {
        let what = match (role, private.founder) {
            (_, true) => words::mesh_as_founder(lang),
            (Role::Admin, false) => words::mesh_as_admin(lang),
            (Role::Member, false) => words::mesh_as_member(lang),
        };
        words::mesh_private(lang, name, what, count, mesh)
    });
}

async fn invite(place: &Place, options: InviteOptions, output: &Output) -> Result<(), Failure> {
    let lang = output.lang();
    if options.take_back {
        let count = place.take_back().await?;
        output.print(&json!({ "taken_back": count }), || words::mesh_taken_back(lang, count));
        return Ok(());
    }
    let InviteOptions { uses, time: for_ms, again, at, .. } = options;
    let Invited { line, uses, until } = place.invite(Terms { uses, for_ms, again, at }).await?;
    if !options.no_qr
        && let Ok(code) = qr::text(&line)
    {
        output.draw(&code);
    }
    output.print(&json!({ "invite": line, "uses": uses, "until_ms": until }), || {
        let until = Timestamp::from_millisecond(i64::try_from(until).unwrap_or(i64::MAX));
        let until = until.map_or_else(|_| String::new(), shown_time);
        format!("{line}\n\n{}", words::mesh_invite(lang, uses, until))
    });
    Ok(())
}

/// The invite as it was given, or out of standard input.
fn piped(invite: String) -> Result<String, Failure> {
    if invite != "-" {
        return Ok(invite);
    }
    let mut text = String::new();
    let read = std::io::stdin().take(8192).read_to_string(&mut text);
    read.map_err(|error| Failure::new(Kind::BadInput, wrong::pipe(&error)))?;
    Ok(text)
}

/// A member by name or fingerprint, or anybody by client id.
async fn whose(place: &Place, client: &str) -> Result<PeerId, Failure> {
    if let Ok(id) = client.parse() {
        return Ok(id);
    }
    let all = place.members().await?;
    let is = |one: &&Member| one.name == client || short(&one.id.to_string()) == client;
    let fits: Vec<_> = all.iter().filter(is).collect();
    match fits.as_slice() {
        [one] => Ok(one.id),
        [] => Err(Failure::new(Kind::BadInput, wrong::no_member(client))),
        several => {
            let several: Vec<_> = several.iter().map(|one| short(&one.id.to_string())).collect();
            let several = wrong::several_met(client, several.join(", "));
            Err(Failure::new(Kind::BadInput, several))
        }
    }
}

fn told(entered: &Entered) -> serde_json::Value {
    json!({ "mesh": entered.mesh.to_string(), "name": entered.name })
}

/// What the node that runs here does about it.
fn entered(running: bool, lang: Lang) -> &'static str {
    match running {
        true => words::mesh_entered(lang),
        false => words::mesh_enters(lang),
    }
}

fn document(member: &Member) -> serde_json::Value {
    json!({
        "id": member.id.to_string(), "name": member.name, "role": member.role,
        "until_ms": member.not_after, "seen_ms": member.seen_at, "revoked": member.removed,
    })
}

fn listed(all: &[Member], me: PeerId, lang: Lang) -> String {
    let mut table = table(&[
        words::head_name(lang),
        words::head_id(lang),
        words::head_role(lang),
        words::head_seen(lang),
    ]);
    for one in all {
        let role = match (one.removed, one.role) {
            (true, _) => words::role_revoked(lang),
            (false, Role::Admin) => words::role_admin(lang),
            (false, Role::Member) => words::role_member(lang),
        };
        let seen = match (one.id == me, one.seen_at) {
            (true, _) => words::mesh_me(lang).to_owned(),
            (false, 0) => String::new(),
            (false, at) => {
                let at = Timestamp::from_millisecond(i64::try_from(at).unwrap_or(i64::MAX));
                at.map_or_else(|_| String::new(), shown_time)
            }
        };
        table.add_row([one.name.as_str(), &short(&one.id.to_string()), role, &seen]);
    }
    table.to_string()
}

fn shown_time(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// How long an invite is open, in ms.
fn duration(text: &str) -> Result<u64, String> {
    let span: Span = text.parse().map_err(|_| wrong::duration(text).to_string())?;
    let ms = span.total((Unit::Millisecond, SpanRelativeTo::days_are_24_hours()));
    let ms = ms.map_err(|_| wrong::duration(text).to_string())?;
    #[allow(clippy::cast_possible_truncation)] // Compared with the limits right after.
    let ms = ms as i64;
    match (1..=LONGEST_MS).contains(&ms) {
        true => Ok(ms.unsigned_abs()),
        false => Err(wrong::duration(text).to_string()),
    }
}
