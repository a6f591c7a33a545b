//! The window of Potluck: a person does everything here that the mesh can do.
//!
//! `app` routes: it holds what all screens see, hands messages to the screen that shows, and does
//! what a screen asks for ([`screen::Action`]). A screen is one file under `screen/`, its words one
//! file under `words/`. `backend` is the only place that talks to the node.

pub mod app;
pub mod args;
pub mod backend;
pub mod figures;
pub mod icon;
pub mod screen;
pub mod settings;
pub mod theme;
pub mod widget;
pub mod words;

/// What libraries log is for developers: `RUST_LOG` shows it.
pub fn logging() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("off,potluck=warn,potluck_gui=warn"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .try_init();
}
