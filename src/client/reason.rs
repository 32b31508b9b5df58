//! The reasons of denials: for logs and operators, never for the caller that was denied (rule 5).

use std::fmt;

use super::Revocation;

/// The reason for a denial, for logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The client ID does not exist or is malformed. From [`Client::verify`](crate::client::Client::verify): the signature is
    /// for another client ID.
    UnknownClient,
    /// A client secret was presented as the client ID: the caller may have swapped them. It was not looked up.
    LooksLikeClientSecret,
    /// The client ID was deleted.
    ClientDeleted,
    /// The presented text is none of the client's secrets; or the signature does not match the message.
    Wrong,
    /// The presented text looks like a generated client secret with a slip: a wrong character, a missing piece, or quotes,
    /// `Bearer`, a byte order mark or white space around it.
    Mistyped,
    /// The presented text looks like the ID of a secret instead of the secret.
    LooksLikeSecretId,
    /// The secret has ended.
    Ended,
    /// The secret has not started.
    NotYetStarted,
    /// The secret is disabled.
    Disabled,
    /// The secret was deleted.
    Deleted,
    /// The presented secret is compromised: the caller may be an attacker. The registry logs an alarm; alert an operator.
    Compromised,
    /// The signature names a secret that is for passwords only.
    CannotSign,
    /// The client is suspended (rule 20). The secret or the signature would have been accepted otherwise.
    Suspended,
}

impl Reason {
    /// Returns the stable code of this reason, in snake case: for logs and metrics, never for the outside.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownClient => "unknown_client",
            Self::LooksLikeClientSecret => "looks_like_client_secret",
            Self::ClientDeleted => "client_deleted",
            Self::Wrong => "wrong",
            Self::Mistyped => "mistyped",
            Self::LooksLikeSecretId => "looks_like_secret_id",
            Self::Ended => "ended",
            Self::NotYetStarted => "not_yet_started",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
            Self::Compromised => "compromised",
            Self::CannotSign => "cannot_sign",
            Self::Suspended => "suspended",
        }
    }
}

impl From<Revocation> for Reason {
    fn from(revocation: Revocation) -> Self {
        match revocation {
            Revocation::Deleted => Self::Deleted,
            Revocation::Compromised => Self::Compromised,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::UnknownClient => "unknown client ID",
            Self::LooksLikeClientSecret => "a client secret in place of the client ID",
            Self::ClientDeleted => "the client ID was deleted",
            Self::Wrong => "wrong client secret",
            Self::Mistyped => "mistyped client secret",
            Self::LooksLikeSecretId => "the ID of a secret instead of the secret",
            Self::Ended => "the secret has ended",
            Self::NotYetStarted => "the secret has not started",
            Self::Disabled => "the secret is disabled",
            Self::Deleted => "the secret was deleted",
            Self::Compromised => "the secret is compromised",
            Self::CannotSign => "the secret is not for signing",
            Self::Suspended => "the client is suspended",
        })
    }
}
