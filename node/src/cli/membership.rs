//! `potluck mesh`: private meshes. What is signed is written to the data folder, and the node that
//! runs there takes it up at once.

use std::{io::Read as _, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Subcommand};
use jiff::{Span, SpanRelativeTo, Timestamp, Unit};
use libp2p::{Multiaddr, PeerId};
use potluck_i18n::Lang;
use serde_json::json;

use super::{
    Common, Failure, Kind,
    output::{Output, table},
    people::have_reload,
    words, wrong,
};
use crate::{
    Client,
    config::{Config, node_name},
    data_dir::DataDir,
    identity::{Identity, short},
    membership::{
        Desk, Held, Invite, InviteError, Member, Offer, desk::MAX_USES, invite::MAX_ADDRESSES,
        members,
    },
    neighbourhood::address::{is_circuit, is_loopback},
    network::{Errand, TransportKind, now_ms, obtain},
    protocol::membership::{Pass, Role},
    qr,
    say::Say as _,
};

/// The longest that an invite is open, in ms: 90 days.
const LONGEST_MS: i64 = 90 * 24 * 60 * 60 * 1000;
/// How long a node that enters another mesh is waited for.
const RESTART: Duration = Duration::from_secs(10);

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

/// What a command works with.
struct Place {
    data_dir: DataDir,
    desk: Desk,
    identity: Identity,
}

impl Mesh {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let place = Place::of(common)?;
        let lang = output.lang();
        match self.what {
            None => place.status(output)?,
            Some(What::Create { name }) => {
                let name = node_name(&name)?;
                let (me, now) = (place.identity.keypair(), now_ms());
                let held = place.desk.create(&name, me, now).map_err(said)?;
                let running = place.until_in(&name).await?;
                let document = json!({ "mesh": held.mesh.to_string(), "name": name });
                output
                    .print(&document, || words::mesh_created(lang, &name, entered(running, lang)));
            }
            Some(What::Invite(options)) => place.invite(options, output).await?,
            Some(What::Join { invite }) => place.join(&invite, output).await?,
            Some(What::Members) => {
                let all = place.members()?;
                let documents: Vec<_> = all.iter().map(document).collect();
                output.print(&documents, || listed(&all, place.identity.peer_id(), lang));
            }
            Some(What::Revoke { client }) => {
                let who = place.whose(&client)?;
                let me = place.identity.keypair();
                let stay = place.desk.revoke(me, who).map_err(said)?;
                have_reload(&place.data_dir).await?;
                output.print(&json!({ "revoked": who.to_string(), "stay": stay }), || {
                    words::mesh_revoked(lang, short(&who.to_string()), stay)
                });
            }
            Some(What::Admin { client }) => {
                let who = place.whose(&client)?;
                place.desk.promote(who, now_ms()).map_err(said)?;
                have_reload(&place.data_dir).await?;
                output.print(&json!({ "admin": who.to_string() }), || {
                    words::mesh_promoted(lang, short(&who.to_string()))
                });
            }
            Some(What::Leave { forget_key }) => {
                let name = place.desk.leave(forget_key).map_err(said)?;
                let open = Config::load(&place.data_dir.config_file())?.mesh;
                place.until_in(&open).await?;
                output.print(&json!({ "left": name }), || words::mesh_left(lang, &name));
            }
            Some(What::Export { file, remove }) => {
                place.desk.export(&file, remove).map_err(said)?;
                let shown = file.display().to_string();
                output.print(&json!({ "file": shown, "here": !remove }), || match remove {
                    true => words::mesh_key_moved(lang, &shown),
                    false => words::mesh_key_kept(lang, &shown),
                });
            }
            Some(What::Restore { file }) => {
                let me = place.identity.keypair();
                let held = place.desk.restore(&file, me, now_ms()).map_err(said)?;
                place.until_in(&held.name).await?;
                let document = json!({ "mesh": held.mesh.to_string(), "name": held.name });
                output.print(&document, || words::mesh_restored(lang, &held.name));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Place {
    fn of(common: &Common) -> Result<Self, Failure> {
        let data_dir = DataDir::open(common.data_dir())?;
        let identity = Identity::load_or_create(&data_dir)?;
        Ok(Self { desk: Desk::of(data_dir.path()), data_dir, identity })
    }

    fn status(&self, output: &Output) -> Result<(), Failure> {
        let lang = output.lang();
        let Some(held) = self.desk.held().map_err(said)? else {
            let name = Config::load(&self.data_dir.config_file())?.mesh;
            output.print(&json!({ "private": false, "name": name }), || {
                words::mesh_open(lang, &name)
            });
            return Ok(());
        };
        let role = held.role(&self.identity.peer_id()).map_err(said)?;
        let count = self.members()?.iter().filter(|member| !member.removed).count();
        let document = json!({
            "private": true, "name": held.name, "mesh": held.mesh.to_string(), "role": role,
            "founder_key": held.founder, "members": count,
        });
        output.print(&document, || {
            let what = match (role, held.founder) {
                (_, true) => words::mesh_as_founder(lang),
                (Role::Admin, false) => words::mesh_as_admin(lang),
                (Role::Member, false) => words::mesh_as_member(lang),
            };
            words::mesh_private(lang, &held.name, what, count, held.mesh.to_string())
        });
        Ok(())
    }

    async fn invite(&self, options: InviteOptions, output: &Output) -> Result<(), Failure> {
        let lang = output.lang();
        let now = now_ms();
        if options.take_back {
            let count = self.desk.take_back(now).map_err(said)?;
            output.print(&json!({ "taken_back": count }), || words::mesh_taken_back(lang, count));
            return Ok(());
        }
        let addresses = match options.at.is_empty() {
            true => self.addresses().await?,
            false => options.at,
        };
        let until = now.saturating_add(options.time);
        let offer = Offer { uses: options.uses, until, again: options.again };
        let me = self.identity.peer_id();
        let invite = self.desk.invite(me, offer, addresses, now).map_err(said)?.to_string();
        if !options.no_qr
            && let Ok(code) = qr::text(&invite)
        {
            output.draw(&code);
        }
        output.print(&json!({ "invite": invite, "uses": options.uses, "until_ms": until }), || {
            let until = Timestamp::from_millisecond(i64::try_from(until).unwrap_or(i64::MAX));
            let until = until.map_or_else(|_| String::new(), shown_time);
            format!("{invite}\n\n{}", words::mesh_invite(lang, options.uses, until))
        });
        Ok(())
    }

    /// Where the node that runs here can be reached.
    async fn addresses(&self) -> Result<Vec<Multiaddr>, Failure> {
        let client = Client::attach(&self.data_dir.control_socket()).await?;
        let Some(client) = client else {
            return Err(Failure::new(Kind::BadInput, wrong::invite_needs_node()));
        };
        let mut all = client.snapshot().listen.clone();
        if all.iter().any(|address| !is_loopback(address)) {
            all.retain(|address| !is_loopback(address));
        }
        // Where others reach it from everywhere comes first.
        let outer = Config::load(&self.data_dir.config_file())?.network.external;
        let outer = outer.iter().filter_map(|text| text.parse().ok());
        let mut all: Vec<_> = outer.chain(all.into_iter().filter(|it| !is_circuit(it))).collect();
        all.truncate(MAX_ADDRESSES);
        Ok(all)
    }

    async fn join(&self, text: &str, output: &Output) -> Result<(), Failure> {
        let lang = output.lang();
        let text = match text {
            "-" => {
                let mut text = String::new();
                let read = std::io::stdin().take(8192).read_to_string(&mut text);
                read.map_err(|error| Failure::new(Kind::BadInput, wrong::pipe(&error)))?;
                text
            }
            text => text.to_owned(),
        };
        let invite: Invite =
            text.parse().map_err(|e: InviteError| Failure::new(Kind::BadInput, e.reason()))?;
        if let Some(held) = self.desk.held().map_err(said)? {
            return Err(said(crate::membership::MeshError::Already(held.name)));
        }
        let name = match Client::attach(&self.data_dir.control_socket()).await {
            Ok(Some(client)) => client.name().to_owned(),
            _ => Config::load(&self.data_dir.config_file())?.name,
        };
        let pass = Pass::Token { token: invite.token.to_vec(), name };
        let errand = Errand::new(self.identity.peer_id(), invite.mesh, invite.admin, pass);
        let keypair = self.identity.keypair();
        let got = obtain(keypair, TransportKind::Real, errand, &invite.addresses).await;
        let issued = got.map_err(|error| Failure::new(Kind::Refused, error.reason()))?;
        self.desk.join(&invite, issued.name.clone(), issued.credential).map_err(said)?;
        let running = self.until_in(&issued.name).await?;
        let document = json!({ "mesh": invite.mesh.to_string(), "name": issued.name });
        output.print(&document, || words::mesh_joined(lang, &issued.name, entered(running, lang)));
        Ok(())
    }

    /// Has the node that runs here enter the mesh of that name, and waits a while until it is there. Says
    /// whether one runs.
    async fn until_in(&self, mesh: &str) -> Result<bool, Failure> {
        if !have_reload(&self.data_dir).await? {
            return Ok(false);
        }
        let there = async {
            loop {
                if let Ok(Some(client)) = Client::attach(&self.data_dir.control_socket()).await
                    && client.facts().await.is_ok_and(|facts| facts.mesh == mesh)
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        // It goes on by itself if it takes longer.
        let _ = tokio::time::timeout(RESTART, there).await;
        Ok(true)
    }

    fn members(&self) -> Result<Vec<Member>, Failure> {
        let held = self.held()?;
        let known = self.desk.known().map_err(said)?;
        let me = self.identity.peer_id();
        let mut all = members(&held, &known, &me);
        if let Some(mine) = all.iter_mut().find(|one| one.id == me && one.name.is_empty()) {
            mine.name = Config::load(&self.data_dir.config_file())?.name;
        }
        Ok(all)
    }

    fn held(&self) -> Result<Held, Failure> {
        let held = self.desk.held().map_err(said)?;
        held.ok_or_else(|| said(crate::membership::MeshError::NoMesh))
    }

    /// A member by name or fingerprint, or anybody by client id.
    fn whose(&self, client: &str) -> Result<PeerId, Failure> {
        if let Ok(id) = client.parse() {
            return Ok(id);
        }
        let all = self.members()?;
        let is = |one: &&Member| one.name == client || short(&one.id.to_string()) == client;
        let fits: Vec<_> = all.iter().filter(is).collect();
        match fits.as_slice() {
            [one] => Ok(one.id),
            [] => Err(Failure::new(Kind::BadInput, wrong::no_member(client))),
            several => {
                let several: Vec<_> =
                    several.iter().map(|one| short(&one.id.to_string())).collect();
                let several = wrong::several_met(client, several.join(", "));
                Err(Failure::new(Kind::BadInput, several))
            }
        }
    }
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

fn said(error: crate::membership::MeshError) -> Failure {
    use crate::membership::MeshError as Error;
    let kind = match error {
        Error::NoAdmin | Error::FounderOnly => Kind::Refused,
        Error::Disk(_) | Error::Signed(_) | Error::Malformed(_) => Kind::Internal,
        _ => Kind::BadInput,
    };
    Failure::new(kind, error.reason())
}
