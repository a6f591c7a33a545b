//! `facepp/1`: faces through the Face++ Detect API, with the key of this node's owner.
//!
//! The picture is made fit for the API (`picture`), the answer is paid for once (`cache`) and
//! counted (`budget`), and the capability is offered only while the key works (`gate`).
//! `docs/facepp.md` is the page for owners and callers.

mod answer;
mod api;
pub mod budget;
mod cache;
mod error;
mod gate;
pub mod key;
mod options;
pub mod picture;
mod plain;

pub use error::FaceppError;
pub use options::Options;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    config::{Allow, Config, PeerLimits},
    protocol::{self, Fault, FaultKind, Repeat},
    say::{Say as _, reasons},
    service::{
        Capability, Context, Data, Example, Kind, MakeError, Offered, Rule, Service, Standing,
    },
    services::{face::Face, pixels},
};
use api::Api;
use budget::{Budget, Usage};
use cache::Cache;
use gate::Gate;
use key::Credentials;
use picture::{Prepared, from_decoded};

/// The most calls a day of each contact, where the owner does not say it, and the part of the day's budget.
const EACH: u32 = 100;
const EACH_PART: u32 = 5;
/// The longest that one request to Face++ may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The same for the check of the key, for which the start of a node waits.
const CHECK: Duration = Duration::from_secs(8);
/// The pause before the second request of a call; doubled each time.
const PAUSE: Duration = Duration::from_millis(200);
/// What a call is taken to need before one was measured, in seconds.
const USUAL: f64 = 1.0;

/// How much each contact may have, where the owner does not say it: never so much that one alone uses the day up.
pub(crate) fn each(config: &Config) -> PeerLimits {
    let all = config.section::<Options>().daily_calls;
    let per_day = Some((all / EACH_PART).clamp(1, EACH));
    PeerLimits { per_day, ..PeerLimits::default() }
}

/// What a stranger is told to ask for.
const CONTACTS_HINT: &str = "it may cost its owner money and is for contacts; ask the owner to add \
    you below [contacts] in config.toml, as: you";
const LIST_HINT: &str = "it may cost its owner money and is for some people; ask the owner to add \
    you to `allow` below [facepp] in config.toml: you";

/// What is asked; the picture is the call's input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// What to tell of each face.
    pub attributes: Vec<Attribute>,
    /// Whether to tell 106 points of each face.
    pub landmarks: bool,
}

/// What Face++ can tell of a face, under its own names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it; docs/facepp.md has the answers")]
pub enum Attribute {
    Gender,
    Age,
    /// Comes back as `smile`.
    Smiling,
    HeadPose,
    FaceQuality,
    Blur,
    EyeStatus,
    Emotion,
    /// Some regions only.
    Ethnicity,
    Beauty,
    MouthStatus,
    EyeGaze,
    SkinStatus,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// In the order of Face++: the largest first.
    pub faces: Vec<Face>,
    /// Columns of the upright picture.
    pub width: u32,
    /// Its rows.
    pub height: u32,
    /// How many faces have attributes and landmarks: free keys tell them of the 5 largest.
    pub attributed: u32,
    /// Whether the answer was known already and cost nothing.
    pub cached: bool,
    /// How much of the owner's daily budget is used.
    pub usage: Usage,
}

/// How to ask Face++.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address of the API.
    pub base: String,
    /// Calls a day.
    pub daily_calls: u32,
    /// Calls at once.
    pub at_once: u16,
    /// Where the key file and the count of calls lie; without it, only the environment is read.
    pub data_dir: Option<PathBuf>,
}

/// How this node asks Face++.
pub fn settings(config: &Config, data_dir: Option<&Path>) -> Settings {
    let Options { base, allow: _, daily_calls, at_once } = config.section();
    Settings { base, daily_calls, at_once, data_dir: data_dir.map(Path::to_owned) }
}

/// Faces through Face++.
pub struct Facepp {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    gate: Gate,
    budget: Budget,
    cache: Cache,
    api: OnceLock<Api>,
    /// How long a call takes, in seconds, averaged.
    takes: Mutex<f64>,
}

impl Default for Request {
    fn default() -> Self {
        use Attribute::{Age, Beauty, Emotion, EyeStatus, FaceQuality, Gender, HeadPose, Smiling};
        let attributes =
            vec![Gender, Age, Beauty, Smiling, Emotion, EyeStatus, HeadPose, FaceQuality];
        Self { attributes, landmarks: false }
    }
}

impl Attribute {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Gender,
        Self::Age,
        Self::Smiling,
        Self::HeadPose,
        Self::FaceQuality,
        Self::Blur,
        Self::EyeStatus,
        Self::Emotion,
        Self::Ethnicity,
        Self::Beauty,
        Self::MouthStatus,
        Self::EyeGaze,
        Self::SkinStatus,
    ];

    /// The name in `return_attributes`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gender => "gender",
            Self::Age => "age",
            Self::Smiling => "smiling",
            Self::HeadPose => "headpose",
            Self::FaceQuality => "facequality",
            Self::Blur => "blur",
            Self::EyeStatus => "eyestatus",
            Self::Emotion => "emotion",
            Self::Ethnicity => "ethnicity",
            Self::Beauty => "beauty",
            Self::MouthStatus => "mouthstatus",
            Self::EyeGaze => "eyegaze",
            Self::SkinStatus => "skinstatus",
        }
    }
}

impl Facepp {
    /// Reads the key; it is checked as soon as somebody asks how the service stands.
    pub fn new(settings: Settings) -> Self {
        let inner = Inner {
            gate: Gate::new(settings.data_dir.clone()),
            budget: Budget::open(settings.daily_calls, settings.data_dir.as_deref()),
            cache: Cache::default(),
            api: OnceLock::new(),
            takes: Mutex::new(USUAL),
            settings,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Starts a check of the key if one is due.
    fn look(&self) {
        let now = budget::now();
        if self.inner.budget.wants_retry(now)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let inner = self.inner.clone();
            runtime.spawn_blocking(move || inner.budget.retry(now));
        }
        let Some(key) = self.inner.gate.due(Instant::now()) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return self.inner.gate.not_checked();
        };
        let inner = self.inner.clone();
        runtime.spawn(async move { inner.check(&key).await });
    }
}

impl Offered for Facepp {
    const NAME: &'static str = "facepp/1";
    type Options = Options;

    fn make(config: &Config, data_dir: Option<&Path>) -> Result<Self, MakeError> {
        Ok(Self::new(settings(config, data_dir)))
    }

    fn rule(config: &Config) -> Option<Rule> {
        let contacts = || config.contacts.0.values().copied().collect();
        match config.section::<Options>().allow {
            Allow::Contacts => Some(Rule { who: contacts(), members: false, hint: CONTACTS_HINT }),
            Allow::Only(ids) => {
                Some(Rule { who: ids.into_iter().collect(), members: false, hint: LIST_HINT })
            }
            other => Rule::of(&other, &config.contacts),
        }
    }
}

impl Service for Facepp {
    type Request = Request;
    type Response = Response;

    fn capability(&self) -> Capability {
        Capability {
            name: "facepp/1",
            summary: "faces through Face++: boxes, gender, age, beauty, emotion",
            input: Kind::Image,
            output: Kind::Json,
            repeat: Repeat::Costly,
        }
    }

    fn standing(&self) -> Option<Standing> {
        self.look();
        if !self.inner.gate.is_open() || self.inner.budget.trouble(budget::now()).is_some() {
            return None;
        }
        let at_once = self.inner.settings.at_once;
        let takes = *self.inner.takes.lock().unwrap_or_else(PoisonError::into_inner);
        // To a power of two: every other change is not worth an advert.
        let speed = 2_f64.powf((f64::from(at_once) / takes).log2().round());
        Some(Standing {
            device: "remote".to_owned(),
            engine: "Face++".to_owned(),
            call_ms: (1000.0 * f64::from(at_once) / speed) as f32,
            slots: at_once,
            variants: Vec::new(),
        })
    }

    fn loading(&self) -> bool {
        self.inner.gate.is_unchecked()
    }

    fn configured(&self) -> bool {
        self.inner.gate.has_key()
    }

    fn trouble(&self) -> Option<String> {
        let key = self.inner.gate.key().err();
        key.or_else(|| self.inner.budget.trouble(budget::now()))
    }

    async fn call(&self, cx: &Context, request: Request) -> Result<Response, Fault> {
        let Some(input) = cx.input().cloned() else {
            return Err(Fault::bad_input(reasons::call_without_picture()));
        };
        let asked = request.clone();
        let read = move || {
            let bytes = input.read()?;
            Ok((cache::key(&bytes, &asked), bytes))
        };
        let (key, bytes) = cx.blocking(read).await?;
        // Two who ask the same at once pay once.
        let _turn = self.inner.cache.turn(&key).await;
        if let Some(known) = self.inner.cache.get(&key) {
            let usage = self.inner.budget.usage(budget::now());
            return Ok(Response { cached: true, usage, ..known });
        }
        let file = Data::Bytes(bytes.clone());
        let made = move |decoded: potluck_models::Picture| {
            from_decoded(&bytes, &decoded).map_err(|e| Fault::bad_input(e.reason()))
        };
        let picture = pixels::with_picture(cx, file, made).await?;
        cx.progress(30, "asking Face++");
        let answer = self.inner.ask(cx, &picture, &request).await?;
        let found = answer::read(&answer, &picture).map_err(|error| error.fault())?;
        let response = Response {
            faces: found.faces,
            width: picture.original.0,
            height: picture.original.1,
            attributed: found.attributed,
            cached: false,
            usage: self.inner.budget.usage(budget::now()),
        };
        let bytes = protocol::encode(&response).map_err(|e| Fault::internal(e.to_string()))?.len();
        self.inner.cache.put(key, response.clone(), bytes);
        Ok(response)
    }

    /// They are run with the address of a stand-in server in the settings: Face++ itself is the
    /// outside world, and costs.
    fn examples(&self) -> Vec<Example<Request>> {
        potluck_models::samples()
            .iter()
            .take(1)
            .map(|sample| Example {
                request: Request::default(),
                input: Some(sample.bytes.to_vec()),
                check: |answer| match (answer["faces"].as_array(), answer["width"].as_u64()) {
                    (Some(_), Some(width)) if width > 0 => Ok(()),
                    _ => Err(format!("no list of faces with a size: {answer}")),
                },
            })
            .collect()
    }
}

impl Inner {
    /// The client; one that could not be started is started anew the next time.
    async fn api(&self) -> Result<&Api, FaceppError> {
        if let Some(api) = self.api.get() {
            return Ok(api);
        }
        // Loading the system's certificates reads the disk.
        let base = self.settings.base.clone();
        let started = tokio::task::spawn_blocking(move || Api::new(&base)).await;
        let broken = |_| Err(FaceppError::Unreachable("the client did not start".to_owned()));
        let api = started.unwrap_or_else(broken)?;
        Ok(self.api.get_or_init(|| api))
    }

    async fn check(self: Arc<Self>, key: &Arc<Credentials>) {
        let result = match self.api().await {
            Ok(api) => api.check(key, CHECK).await,
            Err(error) => Err(error),
        };
        self.gate.tell(key, result.as_ref().copied(), Instant::now());
    }

    /// Sends a picture until Face++ answers, patience ends or the caller's time is up.
    async fn ask(
        self: &Arc<Self>,
        cx: &Context,
        picture: &Prepared,
        request: &Request,
    ) -> Result<Value, Fault> {
        let refuse = |why: String| Fault::new(FaultKind::NotOffered, why);
        let key = self.gate.key().map_err(refuse)?;
        let api = self.api().await.map_err(|error| error.fault())?;
        for tried in 1.. {
            let taken = self.spend(cx).await?;
            let started = Instant::now();
            // A third of the time stays for another node, should Face++ not answer this one.
            let left = cx.deadline().saturating_duration_since(started).mul_f64(2.0 / 3.0);
            let error = match api.detect(&key, picture, request, TIMEOUT.min(left)).await {
                Ok(answer) => {
                    self.took(started.elapsed());
                    self.gate.tell(&key, Ok(()), Instant::now());
                    return Ok(answer);
                }
                Err(error) => error,
            };
            tracing::warn!(tried, "a call to Face++ failed: {error}");
            if error.free() {
                self.give_back(cx, taken).await?;
            }
            if error.shuts() {
                self.gate.tell(&key, Err(&error), Instant::now());
            }
            // The double at most, so that two nodes with one key do not collide again and again.
            let pause = PAUSE.saturating_mul(1 << (tried - 1).min(8));
            let pause = pause.mul_f64(1.0 + rand::random::<f64>());
            let over = Instant::now() + pause >= cx.deadline();
            if tried >= error.tries() || over {
                if matches!(error, FaceppError::Unreachable(_)) {
                    // It is not offered until a check gets through again.
                    self.gate.tell(&key, Err(&error), Instant::now());
                }
                return Err(error.fault());
            }
            tokio::time::sleep(pause).await;
        }
        Err(Fault::internal("Face++ was asked too often"))
    }

    /// Counts a call before it is sent, so that no crash makes one that was not counted. Gives the
    /// time for which it was counted.
    async fn spend(self: &Arc<Self>, cx: &Context) -> Result<u64, Fault> {
        let (this, now) = (self.clone(), budget::now());
        let spend = move || {
            this.budget.take(now).map_err(|why| Fault::new(FaultKind::NotOffered, why.reason()))
        };
        let Usage { calls_today, daily_calls } = cx.waiting(spend).await?;
        tracing::info!("call {calls_today} of {daily_calls} to Face++ today");
        Ok(now)
    }

    async fn give_back(self: &Arc<Self>, cx: &Context, taken: u64) -> Result<(), Fault> {
        let this = self.clone();
        let give = move || {
            if let Err(error) = this.budget.give_back(taken, budget::now()) {
                tracing::warn!("{error}");
            }
            Ok(())
        };
        cx.waiting(give).await
    }

    fn took(&self, time: Duration) {
        let mut takes = self.takes.lock().unwrap_or_else(PoisonError::into_inner);
        *takes = (0.8 * *takes + 0.2 * time.as_secs_f64()).clamp(0.01, 60.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_have_one_name_each() {
        for attribute in Attribute::ALL {
            let json = serde_json::to_value(attribute).unwrap();
            assert_eq!(json, attribute.name());
        }
        let asked: Request = serde_json::from_str("{}").unwrap();
        assert_eq!(asked, Request::default());
        assert!(!asked.attributes.contains(&Attribute::Ethnicity), "only when it is asked for");
        assert!(serde_json::from_str::<Request>(r#"{"attributes":["shoesize"]}"#).is_err());
    }

    #[test]
    fn without_a_key_nothing_is_offered_and_the_reason_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let Options { base, daily_calls, at_once, .. } = Options::default();
        let data_dir = Some(dir.path().to_owned());
        let service = Facepp::new(Settings { base, daily_calls, at_once, data_dir });
        assert!(service.standing().is_none() && !service.loading());
        assert!(service.trouble().unwrap().contains("facepp.key"));
    }
}
