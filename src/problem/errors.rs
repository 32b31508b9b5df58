//! Which error tells its own text to the outside, and which tells its kind alone: a new error has to be put on one of the lists.

use crate::client::{ConfirmError, Denial, Refusal};
use crate::entropy::EntropyError;
use crate::event::{BrokenTrail, InvalidHash};
use crate::jwt::{JwtError, SignJwtError};
use crate::problem::ProblemDetails;
use crate::record::KeyringVariableError;
use crate::registry::upkeep::{ExportError, ImportError, RetireError};
use crate::registry::{AccessError, Denied, Error, OpenError, SignError};
use crate::ring::{RingConfigError, SignatureMismatch};
use crate::store::CommitError;
use crate::store_error::StoreError;
use crate::value::{ErrorKind, InvalidValue};
#[cfg(feature = "webhooks")]
use crate::webhooks::{SignWebhookError, WebhookError};

/// Errors whose text is for the caller.
macro_rules! telling {
    ($($error:ty),+ $(,)?) => {$(
        impl From<&$error> for ProblemDetails {
            fn from(error: &$error) -> Self {
                Self::telling(error.code(), error.kind(), error)
            }
        }
    )+};
}

/// Errors whose text is for the sender of a message, whatever their kind.
macro_rules! spelling_out {
    ($($error:ty),+ $(,)?) => {$(
        impl From<&$error> for ProblemDetails {
            fn from(error: &$error) -> Self {
                Self::spelling_out(error.code(), error.kind(), error)
            }
        }
    )+};
}

/// Errors whose text is for logs.
macro_rules! silent {
    ($($error:ty),+ $(,)?) => {$(
        impl From<&$error> for ProblemDetails {
            fn from(error: &$error) -> Self {
                Self::silent(error.code(), error.kind())
            }
        }
    )+};
}

/// Errors that have no code, since callers of the registry do not see them alone.
macro_rules! without_code {
    ($($error:ty => $code:literal $kind:ident),+ $(,)?) => {$(
        impl From<&$error> for ProblemDetails {
            fn from(_: &$error) -> Self {
                Self::silent($code, ErrorKind::$kind)
            }
        }
    )+};
}

telling! { Error, InvalidValue, Refusal, SignError, SignJwtError }

// Their codes tell as much.
spelling_out! { JwtError }

#[cfg(feature = "webhooks")]
telling! { SignWebhookError }

#[cfg(feature = "webhooks")]
spelling_out! { WebhookError }

silent! {
    AccessError, Denial, Denied, EntropyError, ExportError, ImportError, KeyringVariableError, OpenError, RetireError, RingConfigError,
    SignatureMismatch,
}

without_code! {
    BrokenTrail => "broken_trail" Invalid,
    CommitError => "unavailable" Unavailable,
    InvalidHash => "invalid_value" Invalid,
    StoreError => "unavailable" Unavailable,
}

/// The new plan is in the error: send it beside this, as JSON.
impl<C> From<&ConfirmError<C, Error>> for ProblemDetails {
    fn from(error: &ConfirmError<C, Error>) -> Self {
        match error {
            ConfirmError::Failed(failed) => failed.into(),
            _ => Self::telling(error.code(), error.kind(), error),
        }
    }
}

/// The new plan is in the error: send it beside this, as JSON.
impl<C> From<&ConfirmError<C, Refusal>> for ProblemDetails {
    fn from(error: &ConfirmError<C, Refusal>) -> Self {
        match error {
            ConfirmError::Failed(failed) => failed.into(),
            _ => Self::telling(error.code(), error.kind(), error),
        }
    }
}
