//! Calls in plain JSON, for capabilities that have no front end of their own.

use std::collections::BTreeMap;

use cbor4ii::core::Value as Cbor;
use serde_json::{Map, Value};

use crate::{protocol, services};

/// The arguments of a call from JSON. What this program knows is checked here; a value that is no text to JSON is taken
/// as text where only that fits, as in `text=42`.
pub fn args(capability: &str, given: Value) -> Result<Vec<u8>, String> {
    let Some(recipe) = services::named(capability) else {
        return protocol::encode(&given).map_err(|error| error.to_string());
    };
    let as_text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let texts: Map<_, _> = given
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), as_text(value).into()))
        .collect();
    recipe.args(given).or_else(|why| recipe.args(texts.into()).map_err(|_| why))
}

/// An answer as JSON.
pub fn answer(capability: &str, body: &[u8]) -> Result<Value, String> {
    match services::named(capability) {
        Some(recipe) => recipe.json(body),
        None => protocol::decode(body).map_err(|error| error.to_string()).and_then(json),
    }
}

/// Any CBOR as JSON: bytes as hexadecimal text, keys as text.
fn json(value: Cbor) -> Result<Value, String> {
    Ok(match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(yes) => yes.into(),
        Cbor::Integer(number) => match (u64::try_from(number), i64::try_from(number)) {
            (Ok(number), _) => number.into(),
            (_, Ok(number)) => number.into(),
            _ => number.to_string().into(),
        },
        Cbor::Float(number) => number.into(),
        Cbor::Bytes(bytes) => bytes.iter().map(|b| format!("{b:02x}")).collect::<String>().into(),
        Cbor::Text(text) => text.into(),
        Cbor::Array(all) => all.into_iter().map(json).collect::<Result<Vec<_>, _>>()?.into(),
        Cbor::Map(all) => {
            let entries = all.into_iter().map(|(key, value)| {
                let key = match json(key)? {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                Ok((key, json(value)?))
            });
            // In a steady order, whatever the peer's.
            let entries: BTreeMap<_, _> = entries.collect::<Result<_, String>>()?;
            Value::Object(entries.into_iter().collect())
        }
        other => return Err(format!("it holds {other:?}, which JSON has not")),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json as made;

    use super::*;

    #[test]
    fn any_answer_can_be_shown() {
        let map = Cbor::Map(vec![
            (Cbor::Integer(7), Cbor::Bytes(vec![0, 255])),
            (Cbor::Text("b".into()), Cbor::Array(vec![Cbor::Null, Cbor::Float(0.5)])),
            (Cbor::Text("a".into()), Cbor::Integer(-3)),
        ]);
        let shown = json(map).expect("JSON").to_string();
        assert_eq!(shown, r#"{"7":"00ff","a":-3,"b":[null,0.5]}"#);
        assert_eq!(json(Cbor::Integer(1 << 70)), Ok(made!((1i128 << 70).to_string())));
    }

    #[test]
    fn what_this_program_knows_is_checked_before_anybody_is_asked() {
        for text in [made!(42), made!("42"), made!(true)] {
            assert!(args("chat/1", made!({ "text": text })).is_ok());
        }
        assert!(args("chat/1", made!({})).expect_err("no text").contains("text"));
        // Nobody here knows what others take.
        assert!(
            args("other/1", made!({ "x": 1 })).is_ok() && args("words/1", made!("a b")).is_ok()
        );
    }
}
