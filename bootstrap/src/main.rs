//! `potluck-bootstrap`: a node with an address that others reach from everywhere. It relays for nodes
//! that have none, and keeps sealed mail. `docs/entry-node.md` is for whoever runs one.
//!
//! The node library does all of it; here are the command line, the settings that suit an entry node,
//! and the page for whoever watches over it.

mod files;
mod outer;
mod settings;
mod watched;
mod words;

use std::{fmt, io::Write as _, process::ExitCode};

use clap::{CommandFactory as _, FromArgMatches as _};
use potluck::{
    Node, NodeOptions,
    cli::{help, language},
    config::Config,
    control::ControlServer,
    data_dir::DataDir,
    identity::Identity,
    network::TransportKind,
    say::Say,
};
use potluck_i18n::{Lang, Reason};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use settings::Options;

fn main() -> ExitCode {
    // Known before anything else is: help and wrong usage are said in it.
    let lang = language::spoken(std::env::args_os().skip(1));
    let command = help::in_language(Options::command(), settings::HELP, lang);
    let read = command.try_get_matches().and_then(|read| Options::from_arg_matches(&read));
    let options = match read {
        Ok(options) => options,
        Err(error) => {
            match help::usage(&error, lang) {
                Some(text) => eprintln!("{text}"),
                None => drop(error.print()),
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    logging();
    let ran = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(options, lang)),
        Err(error) => Err(Stopped::internal(&error)),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(stopped) => {
            eprintln!("{}", stopped.text);
            ExitCode::from(stopped.code)
        }
    }
}

/// Why it does not run, and the exit code: 1 internal, 2 wrong usage or settings.
struct Stopped {
    text: String,
    code: u8,
}

impl Stopped {
    fn internal(error: &dyn fmt::Display) -> Self {
        Self { text: error.to_string(), code: 1 }
    }

    fn said(error: &impl Say, lang: Lang) -> Self {
        Self { text: error.say(lang), code: 2 }
    }
}

async fn run(options: Options, lang: Lang) -> Result<(), Stopped> {
    // Before anything is started: a signal during the start must stop it cleanly too.
    let stop = stopping().map_err(|e| Stopped::internal(&e))?;
    let wrong = |text: String| Stopped { text, code: 2 };
    files::allow_many();
    let data_dir = DataDir::open(options.data_dir.clone()).map_err(|e| Stopped::said(&e, lang))?;
    let _lock = data_dir.lock().map_err(|e| Stopped::said(&e, lang))?;
    let file = options.config.clone().unwrap_or_else(|| data_dir.config_file());
    let written = Config::load(&file).map_err(|e| Stopped::said(&e, lang))?;
    let lang = options.lang.or(written.language).unwrap_or(lang);
    let config = settings::apply(&options, written).map_err(wrong)?;
    let identity = Identity::load_or_create(&data_dir).map_err(|e| Stopped::said(&e, lang))?;
    let mut stop = std::pin::pin!(stop);
    loop {
        let listener = listener(&options, lang).await.map_err(wrong)?;
        let node = Node::start(NodeOptions {
            config: config.clone(),
            identity: identity.clone(),
            data_dir: Some(data_dir.path().to_owned()),
            mail: Some(data_dir.path().to_owned()),
            mesh: Some(data_dir.path().to_owned()),
            transport: TransportKind::Real,
            registry: None,
            passing: false,
        })
        .await
        .map_err(|e| Stopped::said(&e, lang))?;
        let _control = ControlServer::bind(&data_dir.control_socket(), &node)
            .map_err(|e| wrong(words::no_control(lang, e.say(lang))))?;
        let at = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let watching = listener.map(|listener| {
            AbortOnDropHandle::new(tokio::spawn(watched::serve(listener, node.watch())))
        });
        node.ready().await;
        announce(&node, at, options.json, lang);
        let moved = tokio::select! {
            // Its data folder belongs to another mesh now: it starts again there.
            () = node.moved() => true,
            () = &mut stop => false,
        };
        drop(watching);
        // Those who hold a place here are told, and look for another.
        node.stop().await;
        if !moved {
            return Ok(());
        }
    }
}

/// Where whoever watches over the node looks; `None` where nobody wants to.
async fn listener(options: &Options, lang: Lang) -> Result<Option<TcpListener>, String> {
    let Some(at) = options.http() else { return Ok(None) };
    let bound = TcpListener::bind(at).await;
    let why = |error| Reason::from(&error).say(lang);
    bound.map(Some).map_err(|error| words::no_page(lang, at.to_string(), why(error)))
}

fn announce(node: &Node, http: Option<std::net::SocketAddr>, json: bool, lang: Lang) {
    let client = node.client();
    let id = client.id();
    let joins: Vec<_> = node.watch().external().iter().map(|a| format!("{a}/p2p/{id}")).collect();
    let mut out = std::io::stdout();
    let said = match json {
        true => {
            let http = http.map(|at| format!("http://{at}"));
            let line = serde_json::json!({
                "event": "ready", "id": id.to_string(), "name": client.name(), "join": joins, "http": http,
            });
            writeln!(out, "{line}")
        }
        false => {
            let mut text = words::is(lang, client.name()) + "\n";
            joins.iter().for_each(|join| text += &format!("  potluck up --join {join}\n"));
            if let Some(at) = http {
                text += &format!("  {}\n", words::watch(lang, at.to_string()));
            }
            writeln!(out, "{text}{}", words::stop(lang))
        }
    };
    // Nobody may be there to read it.
    let _ = said.and_then(|()| out.flush());
}

/// Ends when the word to stop has come.
#[cfg(unix)]
fn stopping() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends when the word to stop has come.
#[cfg(windows)]
fn stopping() -> std::io::Result<impl Future<Output = ()>> {
    let mut c = tokio::signal::windows::ctrl_c()?;
    Ok(async move { drop(c.recv().await) })
}

fn logging() {
    use tracing_subscriber::EnvFilter;
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off,potluck=warn"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .try_init();
}
