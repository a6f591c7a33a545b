//! What people read of the faces on a picture, in English or Chinese.

use potluck_i18n::Lang;
use serde_json::Value;

use super::{super::output::route_text, Seen, words};
use crate::services::face::{Face, Sex};

/// One picture.
pub(super) fn text(seen: &Seen, lang: Lang, explain: bool) -> String {
    let mut lines = vec![seen.file.display().to_string()];
    let route = match &seen.outcome {
        Err(failure) => {
            lines.push(format!("  {}", words::not_looked_at(lang, failure.message.say(lang))));
            &failure.route
        }
        Ok(found) => {
            if found.faces.is_empty() {
                lines.push(format!("  {}", words::no_face(lang)));
            }
            let several = found.faces.len() > 1;
            lines.extend(found.faces.iter().enumerate().map(|(index, face)| match several {
                true => format!("  {}. {}", index + 1, line(face, lang)),
                false => format!("  {}", line(face, lang)),
            }));
            lines.extend(found.lacks_end.then(|| format!("  {}", words::lacks_end(lang))));
            let by = if found.source == "facepp" { words::faces_cloud } else { words::faces_by };
            let by = by(lang, &found.reply.served_by.name, found.reply.milliseconds);
            lines.push(format!("  {by}"));
            let copy = found.copy.as_ref().map(|copy| match copy {
                Ok(copy) => words::annotated(lang, copy.display().to_string()),
                Err(why) => words::not_annotated(lang, why.say(lang)),
            });
            lines.extend(copy.map(|copy| format!("  {copy}")));
            &found.reply.route
        }
    };
    if explain {
        lines.push(route_text(lang, route));
    }
    lines.join("\n")
}

/// Everything that is known of a face on one line.
pub(in crate::cli) fn line(face: &Face, lang: Lang) -> String {
    let mut parts = Vec::new();
    if let Some(gender) = &face.gender {
        let word = match gender.value {
            Sex::Male => words::male(lang),
            Sex::Female => words::female(lang),
        };
        parts.push(match gender.confidence {
            Some(sure) => words::sure(lang, word, format!("{:.0}", sure * 100.0)),
            None => word.to_owned(),
        });
    }
    if let Some(age) = &face.age {
        parts.push(words::about_years(lang, age.text()));
    }
    if let Some(beauty) = &face.beauty {
        let (men, women) = (whole(beauty.male_score), whole(beauty.female_score));
        parts.push(words::beauty(lang, men, women));
    }
    parts.extend(told(face, lang));
    let at = &face.frame;
    parts.push(words::face_at(lang, whole(at.x), whole(at.y), whole(at.width), whole(at.height)));
    parts.join(words::comma(lang))
}

fn whole(number: impl Into<f64>) -> String {
    format!("{:.0}", number.into())
}

/// Smile, mood and glasses, where Face++ told them
/// (https://console.faceplusplus.com/documents/5679127).
fn told(face: &Face, lang: Lang) -> Vec<String> {
    let number = |value: &Value| value.as_f64();
    let mut parts = Vec::new();
    if let Some(smile) = face.attributes.get("smile")
        && let (Some(value), Some(least)) = (number(&smile["value"]), number(&smile["threshold"]))
    {
        let word = match value >= least {
            true => words::smiling(lang),
            false => words::not_smiling(lang),
        };
        parts.push(word.to_owned());
    }
    let moods = face.attributes.get("emotion").and_then(Value::as_object);
    let strongest = moods
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), number(value)?)))
        .max_by(|one, other| one.1.total_cmp(&other.1));
    if let Some((name, _)) = strongest {
        let name: String = name.chars().take(20).collect();
        parts.push(words::mood(lang, &name));
    }
    let glasses = match face.attributes.get("glass").and_then(Value::as_str) {
        Some("Normal") => Some(words::glasses(lang)),
        Some("Dark") => Some(words::sunglasses(lang)),
        _ => None,
    };
    parts.extend(glasses.map(str::to_owned));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_was_told_is_said() {
        let face: Face = serde_json::from_value(serde_json::json!({
            "box": { "x": 10, "y": 20, "width": 30, "height": 40 },
            "gender": { "value": "female", "confidence": 0.98 },
            "age": { "years": 33.4 },
            "beauty": { "male_score": 70.2, "female_score": 71.8 },
            "attributes": {
                "smile": { "value": 92.1, "threshold": 50 },
                "emotion": { "neutral": 3, "happiness": 96.5, "anger": 0.5 },
                "glass": "Dark",
            },
        }))
        .expect("a face");
        assert_eq!(
            line(&face, Lang::En),
            "female (98 %), about 33, beauty score 70 (men), 72 (women), smiling, happiness, \
             sunglasses, at 10,20 of 30x40"
        );
        assert_eq!(
            line(&face, Lang::Zh),
            "女 (98 %)，约 33 岁，颜值：男性看 70，女性看 72，微笑，高兴，戴墨镜，位置 10,20，大小 30x40"
        );
    }
}
