//! `chat/1`: the chat robot. Rules decide; what no rule knows is echoed.

pub mod rules;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    config::{Config, Section},
    protocol::{Fault, Repeat},
    say::{Say as _, reasons},
    service::{Capability, Context, Example, Kind, MakeError, Offered, Service, Standing},
};
use rules::RulesFile;

/// Calls that run at once: an answer takes microseconds.
const SLOTS: u16 = 32;
/// The most time for one message; many rules that are slow are not all tried.
const PATIENCE: Duration = Duration::from_millis(250);
/// How often the rule file is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// What is said to the robot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// At most 8 KiB.
    pub text: String,
}

/// What the robot says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Response {
    /// The reply, or the text itself.
    pub text: String,
    /// Which rule answered, counted from 1; none when the text is echoed.
    pub rule: Option<u64>,
}

/// The `[chat]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The rule file. Default: `chat.toml` in the data folder where it exists, otherwise the
    /// built-in rules.
    pub rules: Option<PathBuf>,
}

impl Section for Options {
    const NAME: &'static str = "chat";
    const TEMPLATE: &'static str = r#"# The rules of the chat robot. Not set by default: chat.toml in the data folder where that
# file exists, otherwise the built-in rules.
# For example: rules = "/home/me/my-chat.toml""#;
}

/// The chat robot with its rules.
pub struct Chat {
    rules: Arc<RulesFile>,
    turn: AtomicU64,
    speed: f32,
}

impl Chat {
    /// A robot with these rules. Measures how fast it is (some milliseconds).
    pub fn new(rules: RulesFile) -> Self {
        let speed = measure(&rules);
        let rules = Arc::new(rules);
        watch(&rules);
        Self { rules, turn: AtomicU64::new(0), speed }
    }
}

/// Reads the rules again when their file changes, also when nobody chats, on a thread of its own: a long file takes a
/// while. It ends when the robot does.
fn watch(rules: &Arc<RulesFile>) {
    if !rules.may_change() {
        return;
    }
    let rules = Arc::downgrade(rules);
    let look = move || {
        while let Some(rules) = rules.upgrade() {
            match rules.poll() {
                Some(Ok(count)) => tracing::info!("the chat rules were reloaded: {count} rules"),
                Some(Err(error)) => tracing::warn!("{error}. The old chat rules stay"),
                None => {}
            }
            drop(rules);
            std::thread::sleep(LOOK);
        }
    };
    if let Err(error) = std::thread::Builder::new().name("chat rules".into()).spawn(look) {
        tracing::warn!("changes of the chat rules are not noticed: {error}");
    }
}

impl Offered for Chat {
    const NAME: &'static str = "chat/1";
    type Options = Options;

    fn make(config: &Config, data_dir: Option<&Path>) -> Result<Self, MakeError> {
        let named = config.section::<Options>().rules;
        let rules = match (named, data_dir) {
            (Some(path), _) => RulesFile::open(Some(path)),
            (None, Some(dir)) => RulesFile::open_if_there(dir.join("chat.toml")),
            (None, None) => RulesFile::open(None),
        };
        Ok(Self::new(rules.map_err(|e| MakeError(e.reason()))?))
    }
}

impl Service for Chat {
    type Request = Request;
    type Response = Response;

    fn capability(&self) -> Capability {
        Capability {
            name: "chat/1",
            summary: "chat robot: answers by rules, echoes what it does not know",
            input: Kind::Text,
            output: Kind::Text,
            repeat: Repeat::Safe,
        }
    }

    fn standing(&self) -> Option<Standing> {
        Some(Standing {
            device: "cpu".into(),
            engine: String::new(),
            call_ms: 1000.0 * f32::from(SLOTS) / self.speed,
            slots: SLOTS,
            variants: vec![],
        })
    }

    async fn call(&self, cx: &Context, request: Request) -> Result<Response, Fault> {
        if request.text.len() > rules::MAX_TEXT {
            let why = reasons::long_text(request.text.len(), rules::MAX_TEXT);
            return Err(Fault::bad_input(why));
        }
        let pick = self.turn.fetch_add(1, Ordering::Relaxed);
        let rules = self.rules.current();
        let quick = rules.quick(request.text.len());
        let answer = move || {
            let started = Instant::now();
            let answer = rules.answer(&request.text, pick, &|| started.elapsed() < PATIENCE);
            let answer = answer.map_err(|rules::TooSlow| Fault::internal(reasons::slow_rules()))?;
            Ok(Response { text: answer.text, rule: answer.rule.map(|n| n as u64 + 1) })
        };
        // A thread of the pool costs more than most answers.
        if quick { answer() } else { cx.blocking(answer).await }
    }

    fn examples(&self) -> Vec<Example<Request>> {
        let ask = |text: &str, check| Example {
            request: Request { text: text.into() },
            input: None,
            check,
        };
        vec![
            ask("xyzzy plugh 42", |answer| {
                (answer["text"] == "xyzzy plugh 42" && answer["rule"].is_null())
                    .then_some(())
                    .ok_or_else(|| format!("not echoed: {answer}"))
            }),
            ask("hello", answered),
            ask("你好", answered),
        ]
    }
}

fn answered(answer: &serde_json::Value) -> Result<(), String> {
    match answer["text"].as_str() {
        Some(text) if !text.is_empty() && answer["rule"].is_u64() => Ok(()),
        _ => Err(format!("no rule answered: {answer}")),
    }
}

fn measure(rules: &RulesFile) -> f32 {
    let rules = rules.current();
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < Duration::from_millis(3) {
        // What no rule knows is the slowest: every rule is tried.
        let answer = rules.answer("something that no rule knows", count, &|| true);
        std::hint::black_box(answer.is_ok());
        count += 1;
    }
    (count as f64 / started.elapsed().as_secs_f64()) as f32
}
