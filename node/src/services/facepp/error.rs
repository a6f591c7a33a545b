//! Everything that can go wrong between this node and Face++, with what to do about it.

use std::time::Duration;

use crate::{
    protocol::{Fault, FaultKind, shorten},
    say::Say as _,
};

/// The most of a foreign text that is passed on, in bytes.
const MAX_DETAIL: usize = 200;

/// Why Face++ gave no faces. The first group are the errors of its documentation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaceppError {
    /// 400: something that is required was not sent.
    #[error("Face++ misses a part of the request ({0}); this node and the API do not fit together")]
    MissingArguments(String),
    /// 400: it does not know an argument, such as an attribute that is for another region.
    #[error("Face++ does not take this argument with this key: {0}; ask for other attributes")]
    BadArguments(String),
    /// 400: arguments that exclude each other.
    #[error(
        "Face++ was sent arguments that exclude each other; this node and the API do not fit together"
    )]
    CoexistenceArguments,
    /// 400: not a picture for it.
    #[error("Face++ cannot read this picture; save it as JPEG or PNG and try again")]
    UnsupportedFormat,
    /// 400: too few or too many pixels.
    #[error("Face++ does not take a picture of this size; 48 to 4096 pixels a side are taken")]
    ImageSize,
    /// 400: the address of a picture; this node never sends one.
    #[error("Face++ was sent the address of a picture; this node and the API do not fit together")]
    ImageUrl,
    /// 400, or 413 from the server in front: too many bytes.
    #[error("Face++ says that the picture has too many bytes; send a smaller one")]
    ImageTooLarge,
    /// 401: unknown key or wrong secret.
    #[error(
        "Face++ does not know the key of this node; its owner should check key, secret and the region in `base`"
    )]
    Authentication,
    /// 403: the key was stopped or may not do this.
    #[error(
        "Face++ refuses the key of this node ({0}); its owner should look at the Face++ console"
    )]
    Denied(String),
    /// 403: no money.
    #[error("the Face++ account of this node has no balance left; its owner should top it up")]
    NoBalance,
    /// 403: too many calls at once.
    #[error("Face++ is busy with other calls of the same key; try again in a moment")]
    ConcurrencyLimit,
    /// 403: only for paid keys.
    #[error("the Face++ key of this node may not do this ({0}); ask for less, or another node")]
    InsufficientPermission(String),
    /// 404: no such address.
    #[error("there is no Face++ API at the address of this node; its owner should check `base`")]
    ApiNotFound,
    /// 412: Face++ could not fetch the picture in time.
    #[error("Face++ did not get the picture in time; try again")]
    DownloadTimeout,
    /// 500 and other errors of a server.
    #[error("Face++ has an internal error (status {0}); try again later")]
    Internal(u16),
    /// Another error that the documentation does not have.
    #[error("Face++ answered with an unknown error (status {status}): {message}")]
    Unknown {
        /// The HTTP status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// A redirect: the key is not carried to another address.
    #[error(
        "the address of Face++ leads elsewhere (status {0}); the owner of this node should check `base`"
    )]
    Redirect(u16),
    /// It could not be reached; nothing was sent.
    #[error("Face++ cannot be reached from this node: {0}")]
    Unreachable(String),
    /// The connection broke after something was sent.
    #[error("the connection to Face++ broke: {0}")]
    Broken(String),
    /// No answer in time.
    #[error("Face++ did not answer within {} s", .0.as_secs().max(1))]
    Timeout(Duration),
    /// An answer that no honest server sends.
    #[error("the answer of Face++ is too large; it was not read")]
    AnswerTooLarge,
    /// An answer in another shape.
    #[error("the answer of Face++ cannot be understood: {0}")]
    Nonsense(String),
}

impl FaceppError {
    /// Reads an answer that is not 200. `error_message` is what stands in its JSON, if it is JSON.
    pub(super) fn classify(status: u16, error_message: Option<&str>) -> Self {
        let message = error_message.unwrap_or_default();
        let (word, detail) = message.split_once(':').unwrap_or((message, ""));
        let detail = shorten(detail.trim(), MAX_DETAIL);
        match (word.trim(), status) {
            ("MISSING_ARGUMENTS", _) => Self::MissingArguments(detail),
            ("BAD_ARGUMENTS", _) => Self::BadArguments(detail),
            ("COEXISTENCE_ARGUMENTS", _) => Self::CoexistenceArguments,
            ("IMAGE_ERROR_UNSUPPORTED_FORMAT", _) => Self::UnsupportedFormat,
            ("INVALID_IMAGE_SIZE", _) => Self::ImageSize,
            ("INVALID_IMAGE_URL", _) => Self::ImageUrl,
            ("IMAGE_FILE_TOO_LARGE", _) | (_, 413) => Self::ImageTooLarge,
            ("AUTHENTICATION_ERROR", _) | (_, 401) => Self::Authentication,
            ("AUTHORIZATION_ERROR", _)
                if detail.eq_ignore_ascii_case("insufficient account balance") =>
            {
                Self::NoBalance
            }
            ("AUTHORIZATION_ERROR", _) => Self::Denied(detail),
            ("CONCURRENCY_LIMIT_EXCEEDED", _) => Self::ConcurrencyLimit,
            ("INSUFFICIENT_PERMISSION", _) => Self::InsufficientPermission(detail),
            ("API_NOT_FOUND", _) | (_, 404) => Self::ApiNotFound,
            ("IMAGE_DOWNLOAD_TIMEOUT", _) => Self::DownloadTimeout,
            ("INTERNAL_ERROR", _) | (_, 500..=599) => Self::Internal(status),
            (_, 300..=399) => Self::Redirect(status),
            _ => Self::Unknown { status, message: shorten(message.trim(), MAX_DETAIL) },
        }
    }

    /// How often a call is sent at most when it ends so: 1 is never again.
    pub(super) fn tries(&self) -> u32 {
        match self {
            // The key is held up by other calls, so patience helps.
            Self::ConcurrencyLimit => 5,
            Self::DownloadTimeout | Self::Internal(_) | Self::Unreachable(_) | Self::Broken(_) => 3,
            // After a timeout too: another node may have the time that is left.
            _ => 1,
        }
    }

    /// Whether further calls with this key would end the same way, until its owner does something.
    pub(super) fn shuts(&self) -> bool {
        matches!(
            self,
            Self::Authentication
                | Self::Denied(_)
                | Self::NoBalance
                | Self::ApiNotFound
                | Self::Redirect(_)
        )
    }

    /// Whether Face++ surely did no work that it could charge.
    pub(super) fn free(&self) -> bool {
        match self {
            Self::Internal(_)
            | Self::Broken(_)
            | Self::Timeout(_)
            | Self::AnswerTooLarge
            | Self::Nonsense(_) => false,
            // Something in front of Face++ refused it, or a success came with an error in it.
            Self::Unknown { status, .. } => *status >= 400,
            _ => true,
        }
    }

    /// The fault that the caller gets: final when the picture is to blame, otherwise one after
    /// which the router asks another node.
    pub(super) fn fault(&self) -> Fault {
        let kind = match self {
            Self::UnsupportedFormat | Self::ImageSize | Self::ImageTooLarge => FaultKind::BadInput,
            Self::BadArguments(_) | Self::InsufficientPermission(_) => FaultKind::NoVariant,
            error if error.shuts() => FaultKind::NotOffered,
            _ => FaultKind::Internal,
        };
        Fault::new(kind, self.reason())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Bodies in the shape of the documentation; see `tests/golden/facepp/README.md`.
    const ERRORS: &str = include_str!("../../../../tests/golden/facepp/own_errors.json");

    fn classified(message: &str) -> FaceppError {
        let errors: Vec<Value> = serde_json::from_str(ERRORS).unwrap();
        let found = errors.iter().find(|e| {
            e["body"]["error_message"].as_str().or(e["body_text"].as_str()) == Some(message)
        });
        let found = found.unwrap_or_else(|| panic!("{message} is not in the file"));
        let status = found["status"].as_u64().unwrap() as u16;
        FaceppError::classify(status, found["body"]["error_message"].as_str())
    }

    #[test]
    fn every_documented_error_has_its_name_kind_and_tries() {
        use FaceppError as E;
        use FaultKind::{BadInput, Internal, NoVariant, NotOffered};
        let table = [
            (
                "MISSING_ARGUMENTS: image_url, image_file, image_base64",
                E::MissingArguments("image_url, image_file, image_base64".into()),
                Internal,
                1,
            ),
            (
                "BAD_ARGUMENTS: return_attributes",
                E::BadArguments("return_attributes".into()),
                NoVariant,
                1,
            ),
            ("COEXISTENCE_ARGUMENTS", E::CoexistenceArguments, Internal, 1),
            ("IMAGE_ERROR_UNSUPPORTED_FORMAT: image_file", E::UnsupportedFormat, BadInput, 1),
            ("INVALID_IMAGE_SIZE: image_file", E::ImageSize, BadInput, 1),
            ("INVALID_IMAGE_URL", E::ImageUrl, Internal, 1),
            ("IMAGE_FILE_TOO_LARGE: image_file", E::ImageTooLarge, BadInput, 1),
            ("AUTHENTICATION_ERROR", E::Authentication, NotOffered, 1),
            (
                "AUTHORIZATION_ERROR: Denied by Client",
                E::Denied("Denied by Client".into()),
                NotOffered,
                1,
            ),
            (
                "AUTHORIZATION_ERROR: Denied by Admin",
                E::Denied("Denied by Admin".into()),
                NotOffered,
                1,
            ),
            ("AUTHORIZATION_ERROR: Insufficient Account Balance", E::NoBalance, NotOffered, 1),
            ("CONCURRENCY_LIMIT_EXCEEDED", E::ConcurrencyLimit, Internal, 5),
            (
                "INSUFFICIENT_PERMISSION: calculate_all",
                E::InsufficientPermission("calculate_all".into()),
                NoVariant,
                1,
            ),
            ("API_NOT_FOUND", E::ApiNotFound, NotOffered, 1),
            ("IMAGE_DOWNLOAD_TIMEOUT", E::DownloadTimeout, Internal, 3),
            ("INTERNAL_ERROR", E::Internal(500), Internal, 3),
            ("Request Entity Too Large", E::ImageTooLarge, BadInput, 1),
        ];
        let all: Vec<Value> = serde_json::from_str(ERRORS).unwrap();
        assert_eq!(all.len(), table.len(), "an error is not in the table");
        for (message, error, kind, tries) in table {
            let found = classified(message);
            assert_eq!(found, error);
            assert_eq!((found.fault().kind, found.tries()), (kind, tries), "{message}");
            assert_eq!(found.shuts(), kind == NotOffered, "{message}");
        }
    }

    #[test]
    fn errors_are_known_by_their_word_whatever_stands_around_it() {
        use FaceppError as E;
        let table = [
            (
                403,
                Some("AUTHORIZATION_ERROR:Denied by Client"),
                E::Denied("Denied by Client".into()),
            ),
            (403, Some(" CONCURRENCY_LIMIT_EXCEEDED : x"), E::ConcurrencyLimit),
            (400, Some("CONCURRENCY_LIMIT_EXCEEDED"), E::ConcurrencyLimit),
            (403, None, E::Unknown { status: 403, message: String::new() }),
            (429, Some("SLOW DOWN"), E::Unknown { status: 429, message: "SLOW DOWN".into() }),
            (401, None, E::Authentication),
            (413, None, E::ImageTooLarge),
            (404, None, E::ApiNotFound),
            (502, None, E::Internal(502)),
            (302, None, E::Redirect(302)),
        ];
        for (status, message, error) in table {
            assert_eq!(FaceppError::classify(status, message), error, "{status} {message:?}");
        }
        let long = "x".repeat(10_000);
        assert!(FaceppError::classify(400, Some(&long)).to_string().len() < 300);
    }
}
