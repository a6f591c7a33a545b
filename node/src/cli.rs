//! The command line: one file a command. `docs/cli.md` is the contract.

mod analyze;
mod ask;
mod call;
mod completions;
mod demo;
mod doctor;
mod engine;
mod faces;
mod failure;
mod files;
pub mod help;
mod host;
pub mod language;
mod limit;
mod mail;
mod membership;
mod mesh;
mod models;
mod output;
mod people;
mod reading;
mod recognize;
mod stop;
mod table;
mod up;
mod words;
mod wrong;

use std::{io::IsTerminal as _, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use potluck_i18n::Lang;

pub use failure::{Failure, Kind};
use output::Output;
pub use wrong::Value as WrongValue;
#[cfg(test)]
pub(crate) use {words::TABLE as WORDS, wrong::TABLE as WRONG};

/// Everyone brings a dish: any machine on the local network can serve, and any can ask.
#[derive(Debug, Parser)]
#[command(name = "potluck", version, max_term_width = 100)]
#[command(after_help = "Begin with:  potluck demo      then on each machine:  potluck up\n\
    Exit codes: 0 done, 1 internal error, 2 wrong usage or bad input, 3 nobody can serve it,\n\
    4 the peer failed, 5 refused, 6 timed out")]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Options that go with every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Common {
    /// The data folder: identity, settings, models [default: the user's data folder]
    #[arg(long, global = true, value_name = "DIR", env = crate::data_dir::DATA_DIR_VARIABLE)]
    data_dir: Option<PathBuf>,
    /// Connect to this address: 192.168.1.20:4001 or a multiaddr; may be repeated
    #[arg(long, global = true, value_name = "ADDR")]
    join: Vec<String>,
    /// Listen on this multiaddr, such as /ip4/0.0.0.0/tcp/4001; may be repeated
    #[arg(long, global = true, value_name = "ADDR")]
    listen: Vec<String>,
    /// Do not look for neighbours by mDNS
    #[arg(long, global = true)]
    no_mdns: bool,
    /// Print one JSON document, nothing else
    #[arg(long, global = true)]
    json: bool,
    /// All the time that a call may take
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Say which peers were tried, and why
    #[arg(long, global = true)]
    explain: bool,
    /// The language: en or zh [default: that of the settings, otherwise of the system]
    #[arg(long, global = true, value_name = "LANG", env = language::VARIABLE)]
    lang: Option<Lang>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node until Ctrl-C
    Up(up::Up),
    /// Ask the chat robot
    Ask(ask::Ask),
    /// Say what is on pictures
    Recognize(recognize::Recognize),
    /// Find faces on pictures, with gender and age
    Faces(faces::Faces),
    /// Make a report of a CSV file: numbers, charts, word cloud
    Analyze(analyze::Analyze),
    /// Write a table clean, as it was understood: one header line, UTF-8, commas
    Table(table::Clean),
    /// Use any capability, also one without a command of its own
    Call(call::Call),
    /// Write to somebody: text, files, folders; sealed, also to who is off
    Send(mail::Send),
    /// Letters that came
    Inbox(mail::Inbox),
    /// Letters that were sent, and how far they are
    Outbox(mail::Outbox),
    /// Who was met, and can be written to; names of your own, and whom you block
    Contacts(people::Contacts),
    /// Who may use what this node offers
    Allow(people::AllowCommand),
    /// Keep what this node offers to yourself, or from somebody who is listed
    Deny(people::Deny),
    /// How much one peer may have of what this node offers
    Limit(limit::Limit),
    /// Private meshes: found one, invite, join, put somebody out
    Mesh(membership::Mesh),
    /// Who is in the mesh
    Peers,
    /// What the mesh can do, and who does it
    Capabilities,
    /// This node's client id, to give to others
    Id(mesh::Id),
    /// Why nobody is found, and what to do
    Doctor,
    /// The models of this node, for recognition and for faces
    Models(models::Models),
    /// The inference engine of this node
    Engine(engine::EngineCommand),
    /// Three nodes in one process on loopback: recognition, chat, and a node that dies
    Demo,
    /// Print what a shell needs to complete commands and options
    Completions(completions::Completions),
    /// Write the manual pages, one a command
    Man(completions::Man),
}

/// Reads the command line, runs the command, prints what is left to say.
pub fn main() -> ExitCode {
    // Known before anything else is: help and wrong usage are said in it.
    let lang = language::spoken(std::env::args_os().skip(1));
    let command = help::in_language(Cli::command(), "help-potluck", lang);
    let parsed = command.try_get_matches().and_then(|m| Cli::from_arg_matches(&m));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return usage(&error, lang),
    };
    logging();
    let output = Output::new(cli.common.json, cli.common.explain, lang);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&Failure::internal(error)),
    };
    let code = match runtime.block_on(run(cli, &output)) {
        Ok(code) => code,
        Err(failure) => output.fail(&failure),
    };
    // Work that was abandoned must not hold up the exit.
    runtime.shutdown_timeout(Duration::from_millis(200));
    code
}

async fn run(cli: Cli, output: &Output) -> Result<ExitCode, Failure> {
    let Cli { common, command } = cli;
    match command {
        Command::Up(up) => up.run(&common, output).await,
        Command::Ask(ask) => ask.run(&common, output).await,
        Command::Recognize(recognize) => recognize.run(&common, output).await,
        Command::Faces(faces) => faces.run(&common, output).await,
        Command::Analyze(analyze) => analyze.run(&common, output).await,
        Command::Table(table) => table.run(output).await,
        Command::Call(call) => call.run(&common, output).await,
        Command::Send(send) => send.run(&common, output).await,
        Command::Inbox(inbox) => inbox.run(&common, output).await,
        Command::Outbox(outbox) => outbox.run(&common, output).await,
        Command::Contacts(contacts) => contacts.run(&common, output).await,
        Command::Allow(allow) => allow.run(&common, output).await,
        Command::Deny(deny) => deny.run(&common, output).await,
        Command::Limit(limit) => limit.run(&common, output).await,
        Command::Mesh(mesh) => mesh.run(&common, output).await,
        Command::Peers => mesh::peers(&common, output).await,
        Command::Capabilities => mesh::capabilities(&common, output).await,
        Command::Id(id) => mesh::id(id, &common, output).await,
        Command::Doctor => doctor::run(&common, output).await,
        Command::Models(models) => models.run(&common, output),
        Command::Engine(engine) => engine.run(&common, output),
        Command::Demo => demo::run(output).await,
        Command::Completions(completions) => completions.run(Cli::command()),
        Command::Man(man) => man.run(Cli::command(), output),
    }
}

/// Wrong usage is told as clap does, except where a program asked for JSON.
fn usage(error: &clap::Error, lang: Lang) -> ExitCode {
    let asked_for_json = std::env::args().any(|a| a == "--json");
    if error.use_stderr() && asked_for_json {
        let text = error.to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return Output::new(true, false, lang).fail(&Failure::new(Kind::Usage, message));
    }
    match help::usage(error, lang) {
        Some(text) => eprintln!("{text}"),
        None => drop(error.print()),
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn logging() {
    use tracing_subscriber::EnvFilter;
    // What libraries log is for developers: RUST_LOG shows it.
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("off,potluck=warn,potluck_models=error"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .without_time()
        .try_init();
}

fn seconds(text: &str) -> Result<Duration, wrong::Value> {
    text.parse::<f64>()
        .ok()
        .filter(|s| *s > 0.0 && *s <= 3600.0)
        .map(Duration::from_secs_f64)
        .ok_or_else(|| wrong::Value(wrong::seconds()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn timeouts_are_checked() {
        for (text, good) in [
            ("1", true),
            ("0.5", true),
            ("0", false),
            ("-1", false),
            ("NaN", false),
            ("x", false),
            ("1e9", false),
        ] {
            assert_eq!(seconds(text).is_ok(), good, "{text}");
        }
    }
}
