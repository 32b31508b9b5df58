//! Denying: one answer for the caller, and the reason for the log (rules 5 and 10).

use std::fmt;

use crate::client::{Denial, Reason};
use crate::log::DENIED;
use crate::record::Opened;
use crate::registry::Registry;
use crate::store::Store;
use crate::store_error::StoreError;
use crate::value::coded::coded;
use crate::value::{ClientId, ErrorKind, SecretId};

impl<S: Store> Registry<S> {
    /// Returns a denial with the client that it is about, once it is in the log.
    #[inline]
    pub(in crate::registry) fn denied(&self, denial: Denial, found: Option<&Opened>) -> AccessError {
        self.log_denial(denial, found);
        AccessError::Denied(Denied { denial, opened: found.cloned() })
    }

    /// Writes a denial to the log, or raises an alarm (rule 10).
    #[cold]
    fn log_denial(&self, denial: Denial, found: Option<&Opened>) {
        let (reason, secret) = (denial.reason(), denial.secret_id());
        match (reason, found) {
            (Reason::Compromised, Some(found)) => {
                self.inner.alarms.compromised(found.client_id().as_str(), secret, &*self.inner.clock);
            }
            _ => tracing::debug!(
                target: DENIED,
                client_id = found.map(|found| found.client_id().as_str()),
                secret = secret.map(SecretId::number),
                %reason,
                "denied"
            ),
        }
    }
}

/// The reason why a caller was not authenticated, or a signature not verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The credentials or the signature do not match. Answer 401, and write [`Denied::reason`] to the log.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store did not answer, so nothing is known about the credentials or the signature. This is not a denial: answer 503,
    /// not 401.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

coded! {
    /// Every denial has the same kind and the same code. The reason is for logs: [`Denied::reason`].
    AccessError {
        Self::Denied(_) => Unauthenticated "denied",
        Self::Unavailable(_) => Unavailable "unavailable",
    }
}

/// A denial: the caller was not authenticated, or the signature not verified. Its `Display` is the same for every reason and
/// may be sent to the caller; everything else is for logs.
#[derive(thiserror::Error)]
#[error("invalid client")]
pub struct Denied {
    denial: Denial,
    opened: Option<Opened>,
}

impl Denied {
    /// Returns `denied`, whatever the reason. The reason has a code of its own, for logs: [`Reason::code`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        "denied"
    }

    /// Returns what the caller can do about it: the same for every denial.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Unauthenticated
    }

    /// Returns the reason, for logs and operators. Do not send it to the caller.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.denial.reason()
    }

    /// Returns the client ID that was presented, if it exists or existed; `None` otherwise.
    #[must_use]
    pub fn client_id(&self) -> Option<&ClientId> {
        self.opened.as_ref().map(Opened::client_id)
    }

    /// Returns the ID of the secret that was recognised, or that the signature names; `None` if there is none.
    #[must_use]
    pub fn secret_id(&self) -> Option<SecretId> {
        self.denial.secret_id()
    }
}

impl fmt::Debug for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denied")
            .field("reason", &self.reason())
            .field("client_id", &self.client_id())
            .field("secret_id", &self.secret_id())
            .finish()
    }
}
