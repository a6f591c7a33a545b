//! The HTTP side: one POST a call, the key in its body, everything that comes back bounded.

use std::time::Duration;

use reqwest::{
    Client, Response,
    multipart::{Form, Part},
    redirect::Policy,
};
use serde_json::Value;

use super::{Attribute, FaceppError, Request, key::Credentials, picture::Prepared};

/// The path of Detect, version 3.
const DETECT: &str = "/facepp/v3/detect";
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(4);
/// The largest answer that is read. Faces with all attributes and landmarks are about 10 KB each.
const MAX_ANSWER: usize = 2 << 20;

/// A connection to the Face++ API.
pub(super) struct Api {
    http: Client,
    url: String,
}

impl Api {
    /// For the API at this address, which was checked when the settings were read. Loads the
    /// system's certificates, so call it off the async threads.
    pub(super) fn new(base: &str) -> Result<Self, FaceppError> {
        Self::with(base, CONNECT)
    }

    fn with(base: &str, connect: Duration) -> Result<Self, FaceppError> {
        // The TLS of libp2p is rustls on ring; whoever installed it first did the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("potluck/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry the key to another address.
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(connect);
        if base.starts_with("http://") {
            // Only this machine is reached without TLS, and no proxy knows it.
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| FaceppError::Unreachable(reason(&error)))?;
        Ok(Self { http, url: format!("{base}{DETECT}") })
    }

    /// Asks for the faces of a picture and gives the JSON of the answer.
    pub(super) async fn detect(
        &self,
        key: &Credentials,
        picture: &Prepared,
        request: &Request,
        timeout: Duration,
    ) -> Result<Value, FaceppError> {
        let name = if picture.mime == "image/png" { "picture.png" } else { "picture.jpg" };
        let file = Part::bytes(picture.bytes.clone()).file_name(name).mime_str(picture.mime);
        let file = file.map_err(|error| FaceppError::Unreachable(reason(&error)))?;
        let form = form(key)
            .text("return_landmark", if request.landmarks { "2" } else { "0" })
            .text("return_attributes", names(&request.attributes))
            .part("image_file", file);
        self.post(key, form, timeout).await
    }

    /// Asks without a picture, which costs nothing: a key that works is told what is missing, one
    /// that does not is refused.
    pub(super) async fn check(
        &self,
        key: &Credentials,
        timeout: Duration,
    ) -> Result<(), FaceppError> {
        match self.post(key, form(key), timeout).await {
            Err(FaceppError::MissingArguments(_) | FaceppError::ConcurrencyLimit) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(FaceppError::Nonsense("it has faces where no picture was sent".into())),
        }
    }

    async fn post(
        &self,
        key: &Credentials,
        form: Form,
        timeout: Duration,
    ) -> Result<Value, FaceppError> {
        let fault = |error: reqwest::Error| match () {
            // First: a connection that was not made in time is both, and nothing was sent.
            () if error.is_connect() => FaceppError::Unreachable(reason(&error)),
            () if error.is_timeout() => FaceppError::Timeout(timeout),
            () => FaceppError::Broken(reason(&error)),
        };
        let sent = self.http.post(&self.url).multipart(form).timeout(timeout).send().await;
        let mut response = sent.map_err(fault)?;
        let status = response.status().as_u16();
        let body = read(&mut response).await.map_err(|error| match error {
            Some(error) => fault(error),
            None => FaceppError::AnswerTooLarge,
        })?;
        let mut json = serde_json::from_str::<Value>(&String::from_utf8_lossy(&body));
        // What is said back may be logged and travels to the caller.
        if let Ok(json) = &mut json {
            redact(json, key);
        }
        let message = json.as_ref().ok().and_then(|json| json.get("error_message")?.as_str());
        match json.as_ref() {
            Ok(_) if status == 200 && message.is_none() => json.map_err(|e| unreadable(&e)),
            Err(error) if status == 200 => Err(unreadable(error)),
            _ => Err(FaceppError::classify(status, message)),
        }
    }
}

fn form(key: &Credentials) -> Form {
    Form::new()
        .text("api_key", key.key.reveal().to_owned())
        .text("api_secret", key.secret.reveal().to_owned())
}

fn names(attributes: &[Attribute]) -> String {
    let mut names: Vec<_> = attributes.iter().map(|attribute| attribute.name()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { "none".to_owned() } else { names.join(",") }
}

/// The whole body, or no error when it is too large.
async fn read(response: &mut Response) -> Result<Vec<u8>, Option<reqwest::Error>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Takes the key out of every text, however it was written in the JSON.
fn redact(json: &mut Value, key: &Credentials) {
    match json {
        Value::String(text) => *text = key.redact(std::mem::take(text)),
        Value::Array(list) => list.iter_mut().for_each(|each| redact(each, key)),
        Value::Object(map) => {
            let told = std::mem::take(map).into_iter().map(|(name, mut each)| {
                redact(&mut each, key);
                (key.redact(name), each)
            });
            *map = told.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn unreadable(error: &serde_json::Error) -> FaceppError {
    FaceppError::Nonsense(format!("not JSON at line {}, column {}", error.line(), error.column()))
}

/// The innermost words of an error: the outer ones say only that something was being sent.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    crate::protocol::shorten(&cause.to_string(), 200)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn key() -> Credentials {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join(super::super::key::KEY_FILE);
        std::fs::write(&file, "the/key\nthe+secret").expect("written");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&file, private).expect("private");
        Credentials::choose(None, None, Some(dir.path())).expect("readable").expect("there")
    }

    /// Behind a firewall that drops everything nothing is sent, so nothing is charged.
    #[tokio::test]
    async fn a_connection_that_is_never_made_is_free() {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("bound");
        let listener = socket.listen(1).expect("listening");
        let address = listener.local_addr().expect("an address");
        // With a full queue the kernel drops what else comes.
        let mut waiting = Vec::new();
        loop {
            let connect = tokio::net::TcpStream::connect(address);
            match tokio::time::timeout(Duration::from_millis(300), connect).await {
                Ok(stream) => waiting.push(stream.expect("connected")),
                Err(_) => break,
            }
        }
        let api = Api::with(&format!("http://{address}"), Duration::from_millis(300));
        let error = api.expect("a client").check(&key(), Duration::from_secs(20)).await;
        let error = error.expect_err("nobody answers");
        assert!(matches!(error, FaceppError::Unreachable(_)) && error.free(), "{error:?}");
    }

    #[test]
    fn a_key_is_taken_out_however_it_is_written() {
        let text = r#"{"error_message":"bad the\/key","a":["the\u002bsecret"],"the/key":{"x":1}}"#;
        let mut json: Value = serde_json::from_str(text).expect("JSON");
        redact(&mut json, &key());
        assert_eq!(
            json,
            serde_json::json!({"error_message": "bad ***", "a": ["***"], "***": {"x": 1}})
        );
    }
}
