//! Reads both kinds of body that clients of Face++ send.

use std::collections::BTreeMap;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, Multipart},
    http::{Request, header, request::Parts},
};

/// What a client sent.
#[derive(Debug, Default)]
pub struct Form {
    /// The fields without the picture.
    pub fields: BTreeMap<String, String>,
    /// The picture: `image_file` goes before `image_base64`, and that before `image_url`.
    pub picture: Option<Vec<u8>>,
    /// The field that it came in.
    pub source: &'static str,
}

/// Reads `multipart/form-data` or `application/x-www-form-urlencoded`. The route must not limit
/// bodies by itself.
pub async fn read(head: Parts, body: Bytes) -> Result<Form, String> {
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let (fields, file) = match kind.unwrap_or_default() {
        kind if kind.starts_with("multipart/form-data") => multipart(head, body).await?,
        kind if kind.starts_with("application/x-www-form-urlencoded") => (urlencoded(&body)?, None),
        other => return Err(format!("content type {other:?}")),
    };
    let mut form = Form { fields, picture: file, source: "image_file" };
    let base64 = form.fields.remove("image_base64");
    if form.picture.is_none()
        && let Some(text) = base64
    {
        form.picture = Some(unbase64(&text).ok_or("image_base64")?);
        form.source = "image_base64";
    }
    if form.picture.is_none() && form.fields.contains_key("image_url") {
        // It fetches nothing: every address leads to a bundled picture.
        form.picture = Some(potluck_models::samples()[0].bytes.to_vec());
        form.source = "image_url";
    }
    Ok(form)
}

type Fields = BTreeMap<String, String>;

async fn multipart(head: Parts, body: Bytes) -> Result<(Fields, Option<Vec<u8>>), String> {
    let request = Request::from_parts(head, Body::from(body));
    let mut parts = Multipart::from_request(request, &()).await.map_err(|e| e.to_string())?;
    let (mut fields, mut file) = (BTreeMap::new(), None);
    while let Some(part) = parts.next_field().await.map_err(|e| e.to_string())? {
        let name = part.name().unwrap_or_default().to_owned();
        let named = part.file_name().is_some();
        let bytes = part.bytes().await.map_err(|e| e.to_string())?;
        if name == "image_file" && named {
            file = Some(bytes.to_vec());
        } else {
            let text = String::from_utf8(bytes.to_vec()).map_err(|_| name.clone())?;
            fields.insert(name, text);
        }
    }
    Ok((fields, file))
}

/// WHATWG URL, section 5.1.
fn urlencoded(body: &[u8]) -> Result<Fields, String> {
    let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(at + 1..).unwrap_or_default();
            Ok((unescape(&pair[..at])?, unescape(value)?))
        })
        .collect()
}

fn unescape(text: &[u8]) -> Result<String, String> {
    let (mut bytes, mut at) = (Vec::new(), 0);
    while let Some(byte) = text.get(at) {
        let code = text.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, code.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(code)) => {
                bytes.push(code);
                at += 2;
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
        at += 1;
    }
    String::from_utf8(bytes).map_err(|e| e.to_string())
}

/// RFC 4648, section 4.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for byte in text.trim_end_matches('=').bytes().filter(|b| !b.is_ascii_whitespace()) {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        bits = bits << 6 | u32::try_from(digit).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}
