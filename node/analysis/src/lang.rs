//! The languages that a person may read the report in.

use std::str::FromStr;

/// A language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// `en` or `zh`, as it is asked for.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }
}

impl FromStr for Lang {
    type Err = crate::AnalysisError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.to_ascii_lowercase();
        match text.split(['-', '_', '.']).next() {
            Some("en" | "c" | "posix") => Ok(Self::En),
            Some("zh" | "cn") => Ok(Self::Zh),
            _ => Err(crate::AnalysisError::BadOption(format!(
                "there is no report in {text:?}; take en or zh"
            ))),
        }
    }
}
