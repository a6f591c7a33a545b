//! A stand-in for the Face++ server, written from its documentation alone: it checks what is sent,
//! finds red rectangles instead of faces, and fails on request.

mod form;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Request, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde_json::{Value, json};

use form::Form;

/// The key that it takes.
pub const KEY: &str = "stand-in-key-5f0c2a";
/// The secret that goes with it.
pub const SECRET: &str = "stand-in-secret-9d41be";

/// The largest body that the server in front lets through.
const MAX_BODY: usize = 6 << 20;
/// The largest picture, in bytes.
const MAX_PICTURE: usize = 2 << 20;
const ATTRIBUTES: [&str; 13] = [
    "gender",
    "age",
    "smiling",
    "headpose",
    "facequality",
    "blur",
    "eyestatus",
    "emotion",
    "ethnicity",
    "beauty",
    "mouthstatus",
    "eyegaze",
    "skinstatus",
];

/// Writes the key file of a node, with this secret.
pub fn write_key(data_dir: &Path, secret: &str) {
    let path = data_dir.join(potluck::services::facepp::key::KEY_FILE);
    std::fs::write(&path, format!("{KEY}\n{secret}\n")).expect("the folder can be written");
    #[cfg(unix)]
    {
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, private).expect("the file is ours");
    }
}

/// What it does with a request.
#[derive(Debug, Clone, Default)]
pub enum Does {
    /// What the documentation says.
    #[default]
    Answer,
    /// This status, content type and body, whatever was asked.
    Say(u16, &'static str, String),
    /// The right answer after a time.
    Late(Duration),
    /// Never an answer.
    Hang,
    /// The beginning of the right answer, then a broken connection.
    Cut,
    /// A body without end.
    Endless,
    /// A redirect to another address.
    Redirect(String),
    /// An error that repeats all that was sent, the secret included.
    Repeat,
}

/// What it was sent with a picture.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The fields without the picture.
    pub fields: BTreeMap<String, String>,
    /// The picture file.
    pub picture: Vec<u8>,
    /// The `User-Agent` header.
    pub user_agent: String,
}

/// A running stand-in. It ends when it is dropped.
pub struct Mock {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    script: Mutex<Script>,
    /// How many pictures at once it takes; like a free key, one.
    at_once: AtomicUsize,
    running: AtomicUsize,
    pictures: AtomicUsize,
    checks: AtomicUsize,
    most_at_once: AtomicUsize,
}

#[derive(Default)]
struct Script {
    next: VecDeque<Does>,
    always: Does,
    refuses_key: bool,
    /// The answer to a picture; red rectangles are looked for otherwise.
    sees: Option<Value>,
    last: Asked,
}

impl Mock {
    /// Starts one on a free port of this machine.
    pub async fn start() -> Self {
        let shared = Arc::new(Shared {
            script: Mutex::default(),
            at_once: AtomicUsize::new(1),
            running: AtomicUsize::new(0),
            pictures: AtomicUsize::new(0),
            checks: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let app = Router::new()
            .route("/facepp/v3/detect", post(detect))
            .fallback(|| async { error(404, "API_NOT_FOUND") })
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(shared.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self { address, shared, task }
    }

    /// Its address, for the settings.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Does this with the next picture; several are done in turn.
    pub fn next(&self, does: Does) {
        self.shared.script().next.push_back(does);
    }

    /// Does this with every picture for which nothing else was said.
    pub fn always(&self, does: Does) {
        self.shared.script().always = does;
    }

    /// Refuses the key from now on, or takes it again.
    pub fn refuse_key(&self, refuse: bool) {
        self.shared.script().refuses_key = refuse;
    }

    /// Gives this answer to every picture.
    pub fn sees(&self, answer: Value) {
        self.shared.script().sees = Some(answer);
    }

    /// Takes so many pictures at once.
    pub fn allow_at_once(&self, count: usize) {
        self.shared.at_once.store(count, SeqCst);
    }

    /// How many requests with a picture came.
    pub fn pictures(&self) -> usize {
        self.shared.pictures.load(SeqCst)
    }

    /// How many came without one.
    pub fn checks(&self) -> usize {
        self.shared.checks.load(SeqCst)
    }

    /// How many pictures were worked on at once.
    pub fn most_at_once(&self) -> usize {
        self.shared.most_at_once.load(SeqCst)
    }

    /// The last request with a picture.
    pub fn last(&self) -> Asked {
        self.shared.script().last.clone()
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a picture in and out, also when the caller goes away.
struct Running<'a>(&'a Shared);

impl<'a> Running<'a> {
    fn enter(shared: &'a Shared) -> (Self, usize) {
        let now = shared.running.fetch_add(1, SeqCst) + 1;
        shared.most_at_once.fetch_max(now, SeqCst);
        (Self(shared), now)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

async fn detect(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        let text = "Request Entity Too Large";
        return (StatusCode::PAYLOAD_TOO_LARGE, [(header::CONTENT_TYPE, "text/plain")], text)
            .into_response();
    };
    let headers = head.headers.clone();
    let form = match form::read(head, body).await {
        Ok(form) => form,
        Err(why) => return error(400, &format!("BAD_ARGUMENTS: {why}")),
    };
    if form.picture.is_none() {
        shared.checks.fetch_add(1, SeqCst);
        return checked(&form, &shared).err().unwrap_or_else(|| {
            error(400, "MISSING_ARGUMENTS: image_url, image_file, image_base64")
        });
    }
    let (_running, at_once) = Running::enter(&shared);
    shared.pictures.fetch_add(1, SeqCst);
    let does = {
        let mut script = shared.script();
        script.last = asked(&form, &headers);
        script.next.pop_front().unwrap_or_else(|| script.always.clone())
    };
    let right = match checked(&form, &shared) {
        Ok(()) if at_once > shared.at_once.load(SeqCst) => error(403, "CONCURRENCY_LIMIT_EXCEEDED"),
        Ok(()) => look(&form, &shared),
        Err(error) => error,
    };
    act(does, right, &form).await
}

fn asked(form: &Form, headers: &HeaderMap) -> Asked {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Asked {
        fields: form.fields.clone(),
        picture: form.picture.clone().unwrap_or_default(),
        user_agent: agent.unwrap_or_default().to_owned(),
    }
}

async fn act(does: Does, right: Response, form: &Form) -> Response {
    let streaming = |body: Body| ([(header::CONTENT_TYPE, "application/json")], body);
    match does {
        Does::Answer => right,
        Does::Say(status, kind, text) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Does::Late(time) => {
            tokio::time::sleep(time).await;
            right
        }
        Does::Hang => std::future::pending().await,
        Does::Cut => {
            let start = Bytes::from_static(b"{\"request_id\": \"1\", \"faces\": [");
            let broken = Err(std::io::Error::other("cut"));
            let parts = futures::stream::iter([Ok(start), broken]);
            streaming(Body::from_stream(parts)).into_response()
        }
        Does::Endless => {
            let block = Bytes::from(vec![b' '; 64 << 10]);
            let parts =
                futures::stream::repeat_with(move || Ok::<_, std::io::Error>(block.clone()));
            streaming(Body::from_stream(parts)).into_response()
        }
        Does::Redirect(to) => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
        }
        Does::Repeat => error(400, &format!("BAD_ARGUMENTS: you sent {:?}", form.fields)),
    }
}

/// The rules of the documentation for everything but the picture.
#[expect(clippy::result_large_err, reason = "a response is what the caller hands on")]
fn checked(form: &Form, shared: &Shared) -> Result<(), Response> {
    let field = |name: &str| form.fields.get(name).map(String::as_str);
    let missing: Vec<_> =
        ["api_key", "api_secret"].into_iter().filter(|name| field(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(error(400, &format!("MISSING_ARGUMENTS: {}", missing.join(", "))));
    }
    let known = field("api_key") == Some(KEY) && field("api_secret") == Some(SECRET);
    if !known || shared.script().refuses_key {
        return Err(error(401, "AUTHENTICATION_ERROR"));
    }
    if let Some(paid) = ["calculate_all", "face_rectangle"].iter().find(|f| field(f).is_some()) {
        return Err(error(403, &format!("INSUFFICIENT_PERMISSION: {paid}")));
    }
    if !matches!(field("return_landmark"), None | Some("0" | "1" | "2")) {
        return Err(error(400, "BAD_ARGUMENTS: return_landmark"));
    }
    if !wanted(form).iter().all(|name| ATTRIBUTES.contains(&name.as_str())) {
        return Err(error(400, "BAD_ARGUMENTS: return_attributes"));
    }
    Ok(())
}

fn wanted(form: &Form) -> Vec<String> {
    match form.fields.get("return_attributes").map(String::as_str) {
        None | Some("none") => vec![],
        Some(list) => list.split(',').map(str::to_owned).collect(),
    }
}

/// The rules for the picture, then the answer.
fn look(form: &Form, shared: &Shared) -> Response {
    let picture = form.picture.as_deref().unwrap_or_default();
    if picture.len() > MAX_PICTURE {
        return error(400, &format!("IMAGE_FILE_TOO_LARGE: {}", form.source));
    }
    let format = image::guess_format(picture);
    if !matches!(format, Ok(image::ImageFormat::Jpeg | image::ImageFormat::Png)) {
        return error(400, &format!("IMAGE_ERROR_UNSUPPORTED_FORMAT: {}", form.source));
    }
    // As the pixels lie in the file: whoever relies on EXIF here is wrong somewhere.
    let Ok(pixels) = image::load_from_memory(picture) else {
        return error(400, &format!("IMAGE_ERROR_UNSUPPORTED_FORMAT: {}", form.source));
    };
    let pixels = pixels.into_rgb8();
    if [pixels.width(), pixels.height()].iter().any(|side| !(48..=4096).contains(side)) {
        return error(400, &format!("INVALID_IMAGE_SIZE: {}", form.source));
    }
    if let Some(answer) = &shared.script().sees {
        return answered(answer);
    }
    let faces: Vec<_> = red(&pixels).map(|place| face(place, form)).into_iter().collect();
    answered(&json!({
        "request_id": "1700000000,00000000-0000-4000-8000-000000000001",
        "time_used": 1,
        "image_id": "AAAAAAAAAAAAAAAAAAAAAA==",
        "face_num": faces.len(),
        "faces": faces,
    }))
}

/// Left, top, width and height of all red pixels together.
fn red(pixels: &image::RgbImage) -> Option<[u32; 4]> {
    let is_red = |p: &image::Rgb<u8>| p[0] > 170 && p[1] < 90 && p[2] < 90;
    let mut found: Option<[u32; 4]> = None;
    for (x, y, _) in pixels.enumerate_pixels().filter(|(_, _, pixel)| is_red(pixel)) {
        let [left, top, right, bottom] = found.unwrap_or([x, y, x, y]);
        found = Some([left.min(x), top.min(y), right.max(x), bottom.max(y)]);
    }
    found.map(|[left, top, right, bottom]| [left, top, right + 1 - left, bottom + 1 - top])
}

fn face([left, top, width, height]: [u32; 4], form: &Form) -> Value {
    let mut face = json!({
        "face_token": "00000000000000000000000000000000",
        "face_rectangle": {"left": left, "top": top, "width": width, "height": height},
    });
    let wanted = wanted(form);
    if !wanted.is_empty() {
        face["attributes"] = wanted.iter().map(|name| attribute(name)).collect();
    }
    if !matches!(form.fields.get("return_landmark").map(String::as_str), None | Some("0")) {
        let (right, middle) = (left + width, top + height / 2);
        face["landmark"] = json!({
            "left_eye_center": {"x": left, "y": top},
            "right_eye_center": {"x": right, "y": top},
            "nose_tip": {"x": left + width / 2, "y": middle},
        });
    }
    face
}

/// In the shape of real answers, not of the documentation.
fn attribute(name: &str) -> (String, Value) {
    let (name, value) = match name {
        "gender" => ("gender", json!({"value": "Female"})),
        "age" => ("age", json!({"value": 31})),
        "smiling" => ("smile", json!({"value": 12.5, "threshold": 50})),
        "beauty" => ("beauty", json!({"male_score": 61.5, "female_score": 64})),
        "ethnicity" => ("ethnicity", json!({"value": "ASIAN"})),
        "headpose" => ("headpose", json!({"yaw_angle": -3, "pitch_angle": 1.5, "roll_angle": 0})),
        "emotion" => ("emotion", json!({"happiness": 90.5, "neutral": 9, "anger": 0.5})),
        other => (other, json!({"value": 1})),
    };
    (name.to_owned(), value)
}

fn answered(answer: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}

fn error(status: u16, message: &str) -> Response {
    let body = json!({
        "request_id": "1700000000,00000000-0000-4000-8000-000000000002",
        "time_used": 1,
        "error_message": message,
    });
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
