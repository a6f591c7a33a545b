//! How commands fail: a kind with its exit code, and one sentence.

use std::process::ExitCode;

use serde::Serialize;

use crate::{
    client::{CallFailure, FailureKind, RouteHop},
    config::{ConfigError, ValueError},
    control::ControlError,
    data_dir::DataDirError,
    identity::IdentityError,
    mail,
    membership::{MeshError, PlaceError},
    network::NetworkError,
    node::StartError,
    say::{Reason, Say, reasons},
};

/// What went wrong, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Wrong usage, settings or folders.
    Usage,
    /// The input is wrong.
    BadInput,
    /// Nobody can serve it.
    NobodyServes,
    /// The peer failed.
    PeerFailed,
    /// Policy says no.
    Refused,
    /// The time was up.
    TimedOut,
    /// Potluck itself failed.
    Internal,
}

/// A command's failure.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What went wrong, for programs.
    pub kind: Kind,
    /// For people.
    pub message: Reason,
    /// Who was tried.
    pub route: Vec<RouteHop>,
}

impl Kind {
    /// The exit code of `docs/cli.md`.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Internal => 1,
            Self::Usage | Self::BadInput => 2,
            Self::NobodyServes => 3,
            Self::PeerFailed => 4,
            Self::Refused => 5,
            Self::TimedOut => 6,
        })
    }
}

impl Failure {
    /// A failure with a sentence for a person.
    pub fn new(kind: Kind, message: impl Into<Reason>) -> Self {
        Self { kind, message: message.into(), route: vec![] }
    }

    /// Potluck itself failed.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        let words = [("why", error.to_string().into())];
        Self::new(Kind::Internal, Reason::in_code(error, "errors-internal", words))
    }

    /// A peer's answer does not have the form of its capability.
    pub fn unreadable(error: impl std::fmt::Display) -> Self {
        Self::new(Kind::PeerFailed, reasons::unreadable(error.to_string()))
    }

    /// Wrong usage, settings or folders.
    pub fn usage(error: impl Say) -> Self {
        Self::of(Kind::Usage, &error)
    }

    /// What an error says.
    pub fn of(kind: Kind, error: &impl Say) -> Self {
        Self::new(kind, error.reason())
    }
}

impl From<CallFailure> for Failure {
    fn from(failure: CallFailure) -> Self {
        let kind = match failure.kind {
            FailureKind::BadInput => Kind::BadInput,
            FailureKind::NobodyServes => Kind::NobodyServes,
            FailureKind::PeerFailed => Kind::PeerFailed,
            FailureKind::Refused => Kind::Refused,
            FailureKind::TimedOut => Kind::TimedOut,
        };
        Self { kind, message: failure.message, route: failure.route }
    }
}

impl From<mail::Failed> for Failure {
    fn from(failed: mail::Failed) -> Self {
        let mail::Failed { kind, message } = failed;
        CallFailure { kind, message, route: vec![] }.into()
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Network(NetworkError::Transport(_) | NetworkError::Advert(_)) => {
                Self::of(Kind::Internal, &error)
            }
            _ => Self::usage(error),
        }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let kind = match error {
            ControlError::Silent => Kind::TimedOut,
            _ => Kind::PeerFailed,
        };
        Self::of(kind, &error)
    }
}

impl From<PlaceError> for Failure {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::DataDir(error) => error.into(),
            PlaceError::Identity(error) => error.into(),
            PlaceError::Config(error) => error.into(),
            PlaceError::Name(error) => error.into(),
            PlaceError::Control(error) => error.into(),
            PlaceError::Mesh(
                MeshError::Disk(_) | MeshError::Signed(_) | MeshError::Malformed(_),
            )
            | PlaceError::Lost(_) => Self::of(Kind::Internal, &error),
            PlaceError::Mesh(MeshError::NoAdmin | MeshError::FounderOnly)
            | PlaceError::Errand(_) => Self::of(Kind::Refused, &error),
            PlaceError::Mesh(_) | PlaceError::Invite(_) | PlaceError::NoNode => {
                Self::of(Kind::BadInput, &error)
            }
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error)
    }
}

impl From<ValueError> for Failure {
    fn from(error: ValueError) -> Self {
        Self::usage(error)
    }
}

impl From<DataDirError> for Failure {
    fn from(error: DataDirError) -> Self {
        Self::usage(error)
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        Self::usage(error)
    }
}
