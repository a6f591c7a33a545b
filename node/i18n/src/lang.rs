//! The languages.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A language that Potluck speaks. By serde it is `en` or `zh`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

/// A language that Potluck does not speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no language {0:?}; take en or zh")]
pub struct UnknownLang(pub String);

impl Lang {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// `en` or `zh`: how people name it.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The language tag, which also names the folder of its files.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-Hans",
        }
    }

    /// The language of this process's environment: `LC_ALL`, `LC_MESSAGES`, then `LANG`.
    pub fn of_system() -> Self {
        let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set);
        Self::of_locale(&locale.unwrap_or_default())
    }

    /// The language of a locale such as `zh_CN.UTF-8`; English where none fits.
    pub fn of_locale(locale: &str) -> Self {
        locale.parse().unwrap_or_default()
    }
}

/// Takes what people and locales write: `zh`, `zh-CN`, `zh_CN.UTF-8`, `C`.
impl FromStr for Lang {
    type Err = UnknownLang;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().split(['-', '_', '.', '@']).next() {
            Some("en" | "c" | "posix") => Ok(Self::En),
            Some("zh" | "cn") => Ok(Self::Zh),
            _ => Err(UnknownLang(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_follows_the_locale() {
        for (locale, lang) in [
            ("zh_CN.UTF-8", Lang::Zh),
            ("zh-Hans", Lang::Zh),
            ("zh", Lang::Zh),
            ("en_US.UTF-8", Lang::En),
            ("C.UTF-8", Lang::En),
            ("fr_FR", Lang::En),
            ("", Lang::En),
        ] {
            assert_eq!(Lang::of_locale(locale), lang, "{locale}");
        }
        assert!("fr".parse::<Lang>().is_err());
    }

    #[test]
    fn settings_keep_its_code() {
        for lang in Lang::ALL {
            assert_eq!(serde_json::to_value(lang).unwrap(), lang.code());
        }
    }
}
