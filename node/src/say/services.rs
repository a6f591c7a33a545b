//! What is wrong with the work of services.

use potluck_analysis::AnalysisError;

use super::say;
use crate::services::{
    chat::rules::RulesError,
    facepp::{
        FaceppError,
        budget::BudgetError,
        key::{KEY_FILE, KeyError},
        picture::{PrepareError, SIDES},
    },
};

say! {
    AnalysisError {
        Self::BadInput(why) | Self::BadOption(why) => [why];
        Self::Io { what, source } => "analysis-io" (what, why = source);
        Self::Cancelled => "analysis-cancelled";
    }
    RulesError {
        Self::Unreadable { file, reason } => "rules-unreadable" (file, why = reason);
        Self::TooLarge { file } => "rules-too-large" (file);
        Self::Bad { file, line, reason } => "rules-bad" (file, line, why = reason);
    }
    BudgetError {
        Self::UsedUp { daily_calls, renews } => "facepp-used-up" (daily_calls, renews);
        Self::File { path, source } => "facepp-count" (path, why = source);
    }
    KeyError {
        Self::Half(is, is_not) => "facepp-key-half" (is, is_not, file = KEY_FILE);
        Self::Variable(name) => "facepp-key-variable" (name);
        Self::Open { path, mode } => "facepp-key-open" (path, mode = format!("{mode:o}"));
        Self::Unreadable { path, source } => "facepp-key-unreadable" (path, why = source);
        Self::Malformed { path } => "facepp-key-malformed" (path);
    }
    PrepareError {
        Self::Picture(error) => [error];
        Self::TooSmall(width, height) => "facepp-too-small" (width, height, least = SIDES.0);
        Self::TooThin(width, height) => "facepp-too-thin" (width, height);
        Self::Encode => "facepp-encode";
    }
    FaceppError {
        Self::MissingArguments(what) => "facepp-missing-arguments" (what);
        Self::BadArguments(what) => "facepp-bad-arguments" (what);
        Self::CoexistenceArguments => "facepp-coexistence";
        Self::UnsupportedFormat => "facepp-format";
        Self::ImageSize => "facepp-image-size";
        Self::ImageUrl => "facepp-image-url";
        Self::ImageTooLarge => "facepp-image-too-large";
        Self::Authentication => "facepp-authentication";
        Self::Denied(why) => "facepp-denied" (why);
        Self::NoBalance => "facepp-no-balance";
        Self::ConcurrencyLimit => "facepp-concurrency";
        Self::InsufficientPermission(why) => "facepp-permission" (why);
        Self::ApiNotFound => "facepp-no-api";
        Self::DownloadTimeout => "facepp-download";
        Self::Internal(status) => "facepp-internal" (status);
        Self::Unknown { status, message } => "facepp-unknown" (status, message);
        Self::Redirect(status) => "facepp-redirect" (status);
        Self::Unreachable(why) => "facepp-unreachable" (why);
        Self::Broken(why) => "facepp-broken" (why);
        Self::Timeout(time) => "facepp-timeout" (seconds = time.as_secs().max(1));
        Self::AnswerTooLarge => "facepp-answer-too-large";
        Self::Nonsense(why) => "facepp-nonsense" (why);
    }
}
