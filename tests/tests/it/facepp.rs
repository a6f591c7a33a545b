//! `facepp/1` against a stand-in for the Face++ server.

mod calls;
mod errors;
#[cfg(unix)]
mod key;
mod mesh;
mod pictures;
mod python;

use std::{path::Path, sync::Arc, time::Duration};

use potluck::{
    Node,
    client::{Call, CallFailure, CallInput, FailureKind, RouteHop},
    config::{Allow, Config},
    protocol,
    services::facepp::{self, Facepp, Request, Response},
};
use potluck_tests::{
    facepp::{Mock, SECRET, write_key},
    mesh::Setup,
};

/// A stand-in, a node with a key for it, and the node's data folder.
struct Alone {
    mock: Mock,
    dir: tempfile::TempDir,
    node: Node,
}

impl Alone {
    async fn start() -> Self {
        Self::configured(|_| {}).await
    }

    async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let (mock, dir) = (Mock::start().await, folder());
        let node = holder("alone", &mock, dir.path(), change).start().await;
        Self { mock, dir, node }
    }

    async fn ask(&self, picture: &[u8]) -> Result<Response, CallFailure> {
        ask(&self.node, picture, &Request::default()).await
    }
}

/// A data folder with the right key.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    write_key(dir.path(), SECRET);
    dir
}

/// A node that asks the stand-in with the key of this folder, for everyone.
fn holder(name: &str, mock: &Mock, dir: &Path, change: impl FnOnce(&mut Config)) -> Setup {
    let setup = Setup::new(name)
        .configured(|config| {
            config.change(|facepp: &mut facepp::Options| facepp.base = mock.base());
            config.change(|facepp: &mut facepp::Options| facepp.allow = Allow::Everyone);
        })
        .configured(change);
    let service = Facepp::new(facepp::settings(&setup.config, Some(dir)));
    setup.with(service)
}

fn call(picture: &[u8], request: &Request) -> Call {
    Call {
        capability: "facepp/1".to_owned(),
        variant: None,
        args: protocol::encode(request).expect("encodes"),
        input: Some(CallInput::Bytes(Arc::from(picture))),
        timeout: Duration::from_secs(60),
        only: None,
        progress: None,
    }
}

async fn ask(node: &Node, picture: &[u8], request: &Request) -> Result<Response, CallFailure> {
    ask_routed(node, call(picture, request)).await.map(|(response, _)| response)
}

async fn ask_routed(node: &Node, call: Call) -> Result<(Response, Vec<RouteHop>), CallFailure> {
    let reply = node.client().call(call).await?;
    Ok((protocol::decode(&reply.body).expect("a response of facepp/1"), reply.route))
}

/// Waits until the node offers `facepp/1`, or does not.
async fn until_offered(node: &Node, offered: bool) {
    let client = node.client();
    let so = async {
        while client.offers().iter().any(|o| o.capability == "facepp/1") != offered {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(potluck_tests::mesh::PATIENCE, so).await;
    waited.unwrap_or_else(|_| {
        panic!("facepp/1 is still {}offered", if offered { "not " } else { "" })
    });
}

/// A PNG of a grey picture with a red rectangle at left, top, width, height.
fn picture(size: (u32, u32), red: [u32; 4]) -> Vec<u8> {
    encoded(&drawn(size, red), image::ImageFormat::Png)
}

fn drawn((width, height): (u32, u32), [x, y, w, h]: [u32; 4]) -> image::RgbImage {
    image::RgbImage::from_fn(width, height, |column, row| {
        let inside = (x..x + w).contains(&column) && (y..y + h).contains(&row);
        image::Rgb(if inside { [255, 0, 0] } else { [128, 128, 128] })
    })
}

fn encoded(image: &image::RgbImage, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("encodes");
    bytes.into_inner()
}

/// A picture with one face, another one for each number.
fn numbered(n: u32) -> Vec<u8> {
    picture((120, 100), [20 + n % 10, 30 + n / 10, 40, 30])
}

fn golden(name: &str) -> serde_json::Value {
    let path = format!("{}/golden/facepp/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn failed(result: Result<Response, CallFailure>, kind: FailureKind, words: &[&str]) {
    let failure = result.expect_err("it fails");
    assert_eq!(failure.kind, kind, "{failure:?}");
    for word in words {
        assert!(failure.message.contains(word), "no {word:?} in {}", failure.message);
    }
}
