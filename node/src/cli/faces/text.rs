//! What people read of the faces on a picture, in English or Chinese.

use potluck_i18n::Lang;
use serde_json::Value;

use super::{super::output::route_text, Seen};
use crate::services::face::{Face, Sex};

/// One picture.
pub(super) fn text(seen: &Seen, lang: Lang, explain: bool) -> String {
    let say = |english, chinese| pick(lang, english, chinese);
    let mut lines = vec![seen.file.display().to_string()];
    let route = match &seen.outcome {
        Err(failure) => {
            lines.push(format!("  {}{}", say("not looked at: ", "没有识别："), failure.message));
            &failure.route
        }
        Ok(found) => {
            if found.faces.is_empty() {
                lines.push(format!("  {}", say("No face in the picture", "图中没有人脸")));
            }
            lines.extend(found.faces.iter().map(|face| format!("  {}", line(face, lang))));
            let (name, time) = (&found.reply.served_by.name, found.reply.milliseconds);
            lines.push(match (found.source, lang) {
                ("facepp", Lang::En) => format!("  by {name} through Face++ in {time} ms"),
                ("facepp", Lang::Zh) => format!("  由 {name} 通过 Face++ 识别，{time} 毫秒"),
                (_, Lang::En) => format!("  by {name} in {time} ms"),
                (_, Lang::Zh) => format!("  由 {name} 识别，{time} 毫秒"),
            });
            match &found.copy {
                Some(Ok(copy)) => {
                    lines.push(format!("  {}{}", say("annotated: ", "标注图："), copy.display()));
                }
                Some(Err(why)) => {
                    lines.push(format!("  {}{why}", say("not annotated: ", "没有标注图：")));
                }
                None => {}
            }
            &found.reply.route
        }
    };
    if explain {
        lines.push(route_text(route));
    }
    lines.join("\n")
}

fn pick(lang: Lang, english: &'static str, chinese: &'static str) -> &'static str {
    match lang {
        Lang::En => english,
        Lang::Zh => chinese,
    }
}

/// Everything that is known of a face on one line.
pub(in crate::cli) fn line(face: &Face, lang: Lang) -> String {
    let mut parts = Vec::new();
    if let Some(gender) = &face.gender {
        let word = match gender.value {
            Sex::Male => pick(lang, "male", "男"),
            Sex::Female => pick(lang, "female", "女"),
        };
        parts.push(match gender.confidence {
            Some(sure) => format!("{word} ({:.0} %)", sure * 100.0),
            None => word.to_owned(),
        });
    }
    if let Some(age) = &face.age {
        parts.push(match lang {
            Lang::En => format!("about {:.0}", age.years),
            Lang::Zh => format!("约 {:.0} 岁", age.years),
        });
    }
    if let Some(beauty) = &face.beauty {
        let (men, women) = (beauty.male_score, beauty.female_score);
        parts.push(match lang {
            Lang::En => format!("beauty score {men:.0} (men), {women:.0} (women)"),
            Lang::Zh => format!("颜值：男性看 {men:.0}，女性看 {women:.0}"),
        });
    }
    parts.extend(told(face, lang));
    let at = &face.frame;
    parts.push(match lang {
        Lang::En => format!("at {:.0},{:.0} of {:.0}x{:.0}", at.x, at.y, at.width, at.height),
        Lang::Zh => format!("位置 {:.0},{:.0}，大小 {:.0}x{:.0}", at.x, at.y, at.width, at.height),
    });
    parts.join(pick(lang, ", ", "，"))
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
            true => pick(lang, "smiling", "微笑"),
            false => pick(lang, "not smiling", "没有微笑"),
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
        parts.push(match lang {
            Lang::En => name.chars().take(20).collect(),
            Lang::Zh => mood(name).to_owned(),
        });
    }
    let glasses = match face.attributes.get("glass").and_then(Value::as_str) {
        Some("Normal") => Some(pick(lang, "glasses", "戴眼镜")),
        Some("Dark") => Some(pick(lang, "sunglasses", "戴墨镜")),
        _ => None,
    };
    parts.extend(glasses.map(str::to_owned));
    parts
}

/// The names that Face++ has for moods.
fn mood(name: &str) -> &str {
    match name {
        "anger" => "愤怒",
        "disgust" => "厌恶",
        "fear" => "恐惧",
        "happiness" => "高兴",
        "neutral" => "平静",
        "sadness" => "悲伤",
        "surprise" => "惊讶",
        _ => "表情不明",
    }
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
